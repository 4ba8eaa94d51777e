//! Videos, from pictures to a film. Skipped without ffmpeg.

use std::fs;
use std::process::Command;

use crate::process::kill_daemon;
use crate::support::{Fanlight, png_size, wait_for};

/// Returns a Fanlight if ffmpeg is installed.
fn with_ffmpeg() -> Option<Fanlight> {
    if Command::new("ffmpeg").arg("-version").output().is_err() {
        fanlight_shared::testing::skip("there is no ffmpeg");
        return None;
    }
    Some(Fanlight::new())
}

/// A video that takes minutes to encode.
const LONG: &str = r#"
nodes:
  picture:
    uses: image.generate
    with: { width: 1920, height: 1080 }
  dot:
    uses: video.from_frames
    with: { images: ["${{ picture.image }}"] }
  tone:
    uses: audio.generate
    with: { kind: tone, seconds: 3600, rate: 8000 }
  long:
    uses: video.add_audio
    with: { video: "${{ dot.video }}", audio: "${{ tone.audio }}", length: audio }
"#;

/// Returns the processes of ffmpeg that write for this Fanlight.
fn encoders(fanlight: &Fanlight) -> usize {
    let home = fanlight.path("../h").canonicalize().unwrap();
    let lines = fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .map(|it| fs::read(it.path().join("cmdline")).unwrap_or_default());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).into_owned());
    lines
        .filter(|it| it.starts_with("ffmpeg\0") && it.contains("tpad") && it.contains(home.to_str().unwrap()))
        .count()
}

#[test]
fn a_series_of_pictures_becomes_a_film_with_sound_and_a_title() {
    let Some(fanlight) = with_ffmpeg() else { return };
    let title = "title=It's [50 %]: \\N a 'film', isn't it?";
    let said = fanlight.say(&["run", "slideshow", "-p", title, "--out", "film", "--json"]).exits(0).json();
    let seconds = said.last().unwrap()["runs"][0]["outputs"]["seconds"].as_f64().unwrap();
    assert!((seconds - 12.0).abs() < 0.05, "{seconds}");
    let folder = fanlight.path("film/slideshow-1");
    assert_eq!(&fs::read(folder.join("film.mp4")).unwrap()[4..8], b"ftyp");
    assert_eq!(png_size(&folder.join("poster.png")), (640, 360));
    let films = fanlight.say(&["assets", "list", "--kind", "video", "--json"]).exits(0).json();
    assert_eq!(films.len(), 3, "{films:?}");
    // A video that was cut is refused by its name.
    let whole = fs::read(folder.join("film.mp4")).unwrap();
    fs::write(fanlight.path("half.mp4"), &whole[..whole.len() / 2]).unwrap();
    fanlight.file(
        "frames.yaml",
        "params:\n  film: { type: video }\nnodes:\n  frames:\n    uses: video.to_frames\n    with: { video: \"${{ params.film }}\", fps: 1 }\n",
    );
    fanlight
        .say(&["run", "frames.yaml", "-p", "film=half.mp4"])
        .exits(1)
        .complains("`half.mp4`: this is not a video that can be read, or a damaged one");
    fanlight.say(&["run", "frames.yaml", "-p", "film=film/slideshow-1/film.mp4"]).exits(0);
    let frames = fanlight.say(&["assets", "list", "--workflow", "frames", "--json"]).exits(0).json();
    assert_eq!(frames.len(), 12, "{frames:?}");
}

#[test]
fn cancelling_ends_the_encoder() {
    let Some(fanlight) = with_ffmpeg() else { return };
    fanlight.file("long.yaml", LONG);
    fanlight.say(&["run", "long.yaml", "--detach"]).exits(0);
    wait_for("the encoder", || encoders(&fanlight) == 1);
    fanlight.say(&["cancel", "last"]).exits(0);
    wait_for("the end of the encoder", || encoders(&fanlight) == 0);
    let run = fanlight.say(&["show", "last", "--json"]).exits(0).json().remove(0);
    assert_eq!(run["state"], "cancelled", "{run}");
}

#[test]
fn a_daemon_that_is_killed_leaves_no_encoder_behind() {
    let Some(fanlight) = with_ffmpeg() else { return };
    fanlight.file("long.yaml", LONG);
    fanlight.say(&["run", "long.yaml", "--detach"]).exits(0);
    wait_for("the encoder", || encoders(&fanlight) == 1);
    kill_daemon(&fanlight);
    wait_for("the end of the encoder", || encoders(&fanlight) == 0);
    // The next daemon makes it again.
    fanlight.say(&["daemon", "start"]).exits(0);
    wait_for("the encoder", || encoders(&fanlight) == 1);
    fanlight.say(&["cancel", "last"]).exits(0);
    wait_for("the end of the encoder", || encoders(&fanlight) == 0);
}

#[test]
fn a_clip_of_the_stand_in_moves_and_says_what_it_is() {
    let Some(fanlight) = with_ffmpeg() else { return };
    let ran = fanlight.say(&["run", "clip", "-p", "seconds=1", "--out", "made", "--json"]).exits(0).json();
    let outputs = &ran.last().unwrap()["runs"][0]["outputs"];
    assert_eq!(outputs["usage"]["provider"], "offline", "{outputs}");
    assert_eq!(png_size(&fanlight.path("made/clip-1/still.png")), (640, 360));
    assert!(fs::read(fanlight.path("made/clip-1/video.mp4")).unwrap().len() > 1000);
    // The run that made it belongs to the node.
    let shown = fanlight.say(&["show", "clip#1"]).exits(0).out;
    assert!(shown.contains("stand-in"), "{shown}");
}

#[test]
fn a_clip_without_ffmpeg_says_how_to_install_it() {
    let fanlight = Fanlight::new();
    let mut start = fanlight.command(&["run", "clip"]);
    let ran = start.env("PATH", fanlight.programs()).output().unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert_eq!(ran.status.code(), Some(1), "{said}");
    assert!(said.contains("ffmpeg") && said.contains("install"), "{said}");
}
