//! Sounds, from their nodes to the player.

use std::fs;

use fanlight_shared::asset::AssetKind;
use fanlight_shared::client::Client;
use fanlight_shared::home::Home;
use fanlight_shared::rpc::assets;

use crate::support::{Fanlight, png_size, wait_for};

#[test]
fn the_podcast_intro_runs_offline_and_has_the_loudness_of_podcasts() {
    let fanlight = Fanlight::new();
    let said = fanlight.say(&["run", "podcast_intro", "--out", "intro", "--json"]).exits(0).json();
    let outputs = &said.last().unwrap()["runs"][0]["outputs"];
    assert_eq!(outputs["loudness"], -16.0, "{outputs}");
    let folder = fanlight.path("intro/podcast_intro-1");
    let sound = fs::read(folder.join("intro.wav")).unwrap();
    assert!(sound.starts_with(b"RIFF") && sound.len() > 1_000_000, "{}", sound.len());
    assert_eq!(png_size(&folder.join("cover.png")), (1200, 300));
    // The gallery shows the waveform of each sound.
    let status = fanlight.say(&["daemon", "status", "--json"]).exits(0).json().remove(0);
    let mut home = Home::below(&fanlight.path("../h")).unwrap();
    home.socket = status["socket"].as_str().unwrap().into();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let client = runtime.block_on(Client::connect(&home)).unwrap();
    let sounds = assets::List { kind: Some(AssetKind::Audio), ..Default::default() };
    let sounds = runtime.block_on(client.call(sounds)).unwrap().rows;
    assert_eq!(sounds.len(), 7, "{sounds:?}");
    for sound in sounds {
        let mut shown = None;
        wait_for("the waveform", || {
            shown = runtime.block_on(client.thumbnail(sound.id)).ok();
            shown.is_some()
        });
        assert_eq!(
            (sound.mime.as_str(), &*shown.unwrap().0),
            ("audio/x-wav", "application/x-fanlight-peaks+json")
        );
    }
}

#[test]
fn a_recording_of_the_user_is_used_and_a_damaged_one_fails_by_its_name() {
    let fanlight = Fanlight::new();
    fanlight.file(
        "tone.yaml",
        "nodes:\n  tone:\n    uses: audio.generate\n    with: { kind: voice, seconds: 1 }\n",
    );
    fanlight.say(&["run", "tone.yaml"]).exits(0);
    let made = fanlight.say(&["assets", "list", "--json"]).exits(0).json();
    fanlight.say(&["assets", "get", made[0]["id"].as_str().unwrap(), "me.wav", "--no-recipe"]).exits(0);
    fanlight.say(&["run", "podcast_intro", "-p", r#"takes=["me.wav"]"#]).exits(0);
    let whole = fs::read(fanlight.path("me.wav")).unwrap();
    fs::write(fanlight.path("half.wav"), &whole[..whole.len() / 2]).unwrap();
    fanlight
        .say(&["run", "podcast_intro", "-p", r#"takes=["half.wav"]"#])
        .exits(1)
        .complains("`half.wav`: the sound is damaged: it ends after 0.5 s of 1.0 s");
}
