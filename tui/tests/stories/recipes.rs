//! Recipes: how a product was made, in the daemon and in saved files, and making it again.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value as Json;

use crate::support::{Fanlight, wait_for};

pub(super) const POSTER: &str = "name: Poster
params:
  text: { type: text, default: Hello }
nodes:
  sky: { uses: image.generate, with: { width: 64, height: 32 } }
  poster: { uses: image.text, with: { image: \"${{ sky.image }}\", text: \"${{ params.text }}\" } }
outputs:
  poster: \"${{ poster.image }}\"
";

const SOUNDS: &str = "nodes:
  tone: { uses: audio.generate, with: { seconds: 0.1 } }
  wav: { uses: audio.gain, with: { audio: \"${{ tone.audio }}\", gain: -3 } }
  flac: { uses: audio.gain, with: { audio: \"${{ tone.audio }}\", gain: -3, format: flac } }
outputs:
  wav: \"${{ wav.audio }}\"
  flac: \"${{ flac.audio }}\"
";

/// Returns the id of the asset of a node in a run.
pub(super) fn asset(fanlight: &Fanlight, run: &str, node: &str) -> String {
    let listed = fanlight.say(&["assets", "list", "--run", run, "--node", node, "--json"]).exits(0).json();
    listed[0]["id"].as_str().unwrap().to_owned()
}

/// Returns the bytes of an asset as they are stored.
fn stored(fanlight: &Fanlight, asset: &str) -> Vec<u8> {
    let output = crate::support::output(&mut fanlight.command(&["assets", "get", asset]));
    assert!(output.status.success());
    output.stdout
}

fn lineage(fanlight: &Fanlight, of: &str) -> Json {
    fanlight.say(&["assets", "show", of, "--json"]).exits(0).json().remove(0)
}

fn steps(lineage: &Json) -> Vec<String> {
    let step = |step: &Json| {
        let origin = step["origin"]["run"].as_str().map(|run| format!(" from {run}")).unwrap_or_default();
        format!("{} {}{origin}", step["run"].as_str().unwrap(), step["node"].as_str().unwrap())
    };
    lineage["steps"].as_array().unwrap().iter().map(step).collect()
}

#[test]
fn the_lineage_names_the_programs_of_commands() {
    let fanlight = Fanlight::new();
    let text = "nodes:
  listed: { cmd: [ls, -a], remember: { tools: [sed] } }
  last: { run: 'echo $before > out.txt', shell: sh, with: { before: '${{ listed.stdout }}' }, outputs: { file: { path: out.txt, type: file } } }
outputs: { file: '${{ last.file }}' }
";
    fanlight.file("tools.yaml", text);
    fanlight.say(&["run", "tools.yaml"]).exits(0);
    let made = asset(&fanlight, "tools#1", "last");
    let shown = lineage(&fanlight, &made);
    let tools: Vec<&Json> = shown["steps"].as_array().unwrap().iter().map(|step| &step["tools"]).collect();
    assert_eq!(tools, [&serde_json::json!(["sh"]), &serde_json::json!(["ls", "sed"])]);
    let shown = fanlight.say(&["assets", "show", &made]).exits(0).out;
    assert!(shown.contains("with ls (/") && shown.contains(", sed (/"), "{shown}");
}

#[test]
fn a_saved_picture_carries_its_recipe_and_can_be_made_again() {
    let fanlight = Fanlight::new();
    fanlight.file("poster.yaml", POSTER);
    fanlight.say(&["run", "poster.yaml", "-p", "text=Hove", "--out", "o"]).exits(0);
    let poster = asset(&fanlight, "poster#1", "poster");
    let before = stored(&fanlight, &poster);
    let saved = fs::read(fanlight.path("o/poster-1/poster.png")).unwrap();
    assert!(saved.len() > before.len());
    assert_eq!(image::load_from_memory(&saved).unwrap(), image::load_from_memory(&before).unwrap());
    let shown = lineage(&fanlight, "o/poster-1/poster.png");
    assert_eq!(shown, lineage(&fanlight, &poster));
    assert_eq!(steps(&shown), ["poster#1 poster", "poster#1 sky"]);
    assert_eq!(shown["runs"][0]["params"]["text"], "Hove");
    assert_eq!(shown["runs"][0]["document"], POSTER);
    assert_eq!(shown["runs"][0]["made_with"]["types"]["image.text"], shown["steps"][0]["version"]);
    let said = fanlight.say(&["assets", "show", "o/poster-1/poster.png"]).exits(0).out;
    assert!(said.contains("image.text 1") && said.contains("sky params.text"), "{said}");

    let said = fanlight.say(&["reproduce", "o/poster-1/poster.png"]).exits(0).out;
    assert!(said.starts_with("poster#2\tidentical\tasset:"), "{said}");
    let again = fanlight.say(&["reproduce", &poster, "--json"]).exits(0).json().remove(0);
    assert_eq!((again["identical"].as_bool(), again["run"].as_str()), (Some(true), Some("poster#3")));
    let run = fanlight.say(&["show", "poster#3", "--json"]).exits(0).json().remove(0);
    assert!(run["nodes"].as_array().unwrap().iter().all(|node| node["state"] == "completed"), "{run}");

    fanlight.say(&["assets", "get", &poster, "plain.png", "--no-recipe"]).exits(0);
    assert!(fs::read(fanlight.path("plain.png")).unwrap() == before);
    assert!(stored(&fanlight, &poster) == before, "the store keeps the bytes of the node");
    fanlight.say(&["reproduce", "plain.png"]).exits(1).complains("`plain.png` has no recipe");
    fanlight.say(&["run", "poster.yaml", "--out", "plain", "--no-recipe"]).exits(0);
    fanlight.say(&["assets", "show", "plain/poster-4/poster.png"]).exits(1).complains("has no recipe");
}

#[test]
fn saved_sounds_carry_their_recipes_and_the_same_samples() {
    let fanlight = Fanlight::new();
    fanlight.file("sounds.yaml", SOUNDS);
    fanlight.say(&["run", "sounds.yaml", "--out", "o"]).exits(0);
    for (node, file) in [("wav", "o/sounds-1/wav.wav"), ("flac", "o/sounds-1/flac.flac")] {
        assert_eq!(steps(&lineage(&fanlight, file)), [format!("sounds#1 {node}"), "sounds#1 tone".into()]);
        let id = asset(&fanlight, "sounds#1", node);
        assert_ne!(fs::read(fanlight.path(file)).unwrap(), stored(&fanlight, &id));
        // The program reads its own files: what it decodes is as long as before.
        let said = fanlight.say(&["reproduce", file]).exits(0).out;
        assert!(said.contains("\tidentical\t"), "{said}");
    }
}

#[test]
fn a_lineage_leads_through_results_that_were_taken_over() {
    let fanlight = Fanlight::new();
    fanlight.file("poster.yaml", POSTER);
    fanlight.say(&["run", "poster.yaml"]).exits(0);
    fanlight.say(&["run", "poster.yaml", "-p", "text=Bye"]).exits(0);
    let shown = lineage(&fanlight, &asset(&fanlight, "poster#2", "poster"));
    assert_eq!(steps(&shown), ["poster#2 poster", "poster#2 sky from poster#1", "poster#1 sky"]);
    fanlight.say(&["fork", "poster#2", "--at", "poster"]).exits(0);
    fanlight.say(&["watch", "poster#3"]).exits(0);
    let fork = lineage(&fanlight, &asset(&fanlight, "poster#3", "poster"));
    assert_eq!(steps(&fork), ["poster#3 poster", "poster#3 sky from poster#1", "poster#1 sky"]);

    // The runs may be gone: their assets still know what they were made of.
    fanlight.say(&["delete", "poster#1", "poster#2", "--yes"]).exits(0);
    let deleted = lineage(&fanlight, shown["product"]["id"].as_str().unwrap());
    assert_eq!(deleted["runs"][0]["deleted"], true);
    assert_eq!(steps(&deleted), ["poster#2 poster", "poster#2 sky"]);
    let said = fanlight.say(&["reproduce", shown["product"]["id"].as_str().unwrap()]).exits(0).out;
    assert!(said.contains("\tidentical\t"), "{said}");
}

#[test]
fn a_lineage_leads_into_the_runs_that_a_node_started() {
    let fanlight = Fanlight::new();
    fanlight.file("poster.yaml", POSTER).file(
        "album.yaml",
        "nodes:
  page:
    uses: workflow.run
    with: { workflow: poster.yaml, text: Page }
    outputs: { poster: { type: image } }
  wide: { uses: image.resize, with: { image: \"${{ page.poster }}\", width: 128 } }
outputs:
  wide: \"${{ wide.image }}\"
",
    );
    fanlight.say(&["run", "album.yaml"]).exits(0);
    let shown = lineage(&fanlight, &asset(&fanlight, "album#1", "wide"));
    assert_eq!(steps(&shown), ["album#1 wide", "album#1 page", "poster#1 poster", "poster#1 sky"]);
    assert_eq!(shown["steps"][1]["child"], "poster#1");
    let said = fanlight.say(&["reproduce", &asset(&fanlight, "album#1", "wide")]).exits(0).out;
    assert!(said.contains("album#2\tidentical\t"), "{said}");
}

#[test]
fn a_recipe_needs_the_files_that_it_was_made_of() {
    let fanlight = Fanlight::new();
    fanlight.file("poster.yaml", POSTER).file(
        "wide.yaml",
        "params: { path: { type: text, default: photo.png } }
nodes:
  read: { uses: file.read, with: { path: \"${{ params.path }}\" } }
  load: { uses: image.load, with: { file: \"${{ read.file }}\" } }
  wide: { uses: image.resize, with: { image: \"${{ load.image }}\", width: 128 } }
",
    );
    fanlight.say(&["run", "poster.yaml", "--out", "o"]).exits(0);
    let photo = fanlight.path("photo.png");
    fs::copy(fanlight.path("o/poster-1/poster.png"), &photo).unwrap();
    fanlight.say(&["run", "wide.yaml"]).exits(0);
    let wide = asset(&fanlight, "wide#1", "wide");
    let shown = lineage(&fanlight, &wide);
    assert_eq!(shown["files"][0]["reader"], "read");
    assert!(shown["files"][0]["path"].as_str().unwrap().ends_with("/photo.png"), "{shown}");
    fanlight.say(&["reproduce", &wide]).exits(0);
    fs::write(&photo, "something else").unwrap();
    fanlight.say(&["reproduce", &wide]).exits(1).complains("holds something else now");
    fs::remove_file(&photo).unwrap();
    fanlight.say(&["reproduce", &wide]).exits(1).complains("no longer exists");
}

#[test]
fn another_home_can_make_the_product_of_a_saved_file() {
    let (ada, bob) = (Fanlight::new(), Fanlight::new());
    ada.file("poster.yaml", POSTER).file(
        "frame.yaml",
        "params: { photo: { type: image } }
nodes:
  frame: { uses: image.resize, with: { image: \"${{ params.photo }}\", width: 32 } }
outputs: { frame: \"${{ frame.image }}\" }
",
    );
    ada.say(&["run", "poster.yaml", "--out", "o"]).exits(0);
    ada.say(&["run", "frame.yaml", "-p", "photo=o/poster-1/poster.png", "--out", "o"]).exits(0);
    let photo = bob.path("photo.png");
    fs::copy(ada.path("o/poster-1/poster.png"), &photo).unwrap();
    fs::copy(ada.path("o/frame-1/frame.png"), bob.path("frame.png")).unwrap();
    fs::remove_file(ada.path("poster.yaml")).unwrap();
    fs::remove_file(ada.path("frame.yaml")).unwrap();

    bob.say(&["reproduce", "photo.png"]).exits(2).complains("does not know the workflow `Poster`");
    let said = bob.say(&["reproduce", "photo.png", "--yes"]).exits(0).out;
    assert!(said.starts_with("poster#1\tidentical\t"), "{said}");
    let foreign = bob.say(&["reproduce", "photo.png"]).exits(2);
    foreign.complains("does not know the run `poster#1` of the workflow `Poster`").complains("text=Hello");
    let missing = bob.say(&["reproduce", "frame.png", "--yes"]).exits(1);
    missing.complains("needs the file `poster.png` for the param `photo`").complains("-p photo=FILE");
    let wrong = ["reproduce", "frame.png", "--yes", "-p", "photo=frame.png"];
    bob.say(&wrong).exits(1).complains("holds something else now");
    let said = bob.say(&["reproduce", "frame.png", "--yes", "-p", "photo=photo.png"]).exits(0).out;
    assert!(said.starts_with("frame#1\tidentical\t"), "{said}");
}

#[test]
fn another_home_can_make_the_product_of_a_workflow_that_starts_others() {
    let (ada, bob) = (Fanlight::new(), Fanlight::new());
    for folder in ["top", "shared/deep"] {
        fs::create_dir_all(ada.path(folder)).unwrap();
    }
    ada.file("shared/deep/sky.yaml", "nodes: { said: { run: echo deep } }
outputs: { said: \"${{ said.stdout }}\" }
")
    .file(
        "shared/poster.yaml",
        "params: { text: { type: text } }
nodes:
  deep: { uses: workflow.run, with: { workflow: deep/sky.yaml }, outputs: { said: { type: text } } }
  sky: { uses: image.generate, with: { width: 64, height: 32 } }
  poster: { uses: image.text, with: { image: \"${{ sky.image }}\", text: \"${{ params.text }} ${{ deep.said }}\" } }
outputs: { poster: \"${{ poster.image }}\" }
",
    )
    .file(
        "top/album.yaml",
        "nodes:
  page:
    uses: workflow.run
    with: { workflow: ../shared/poster.yaml, text: Page }
    outputs: { poster: { type: image } }
  wide: { uses: image.resize, with: { image: \"${{ page.poster }}\", width: 128 } }
outputs: { wide: \"${{ wide.image }}\" }
",
    );
    ada.say(&["run", "top/album.yaml", "--out", "o"]).exits(0);
    fs::copy(ada.path("o/album-1/wide.png"), bob.path("wide.png")).unwrap();
    let id = asset(&ada, "album#1", "wide");
    ada.say(&["delete", "album#1", "--yes"]).exits(0);
    ada.say(&["assets", "get", &id, "short.png"]).exits(0);
    fs::rename(ada.path("short.png"), bob.path("short.png")).unwrap();
    fs::remove_dir_all(ada.path("top")).unwrap();
    fs::remove_dir_all(ada.path("shared")).unwrap();

    let asked = bob.say(&["reproduce", "wide.png"]).exits(2);
    asked.complains("does not know the workflow").complains("which runs 1 command.");
    let said = bob.say(&["reproduce", "wide.png", "--yes"]).exits(0).out;
    assert!(said.starts_with("album#1\tidentical\t"), "{said}");
    // The files stay as long as a product of the run.
    let said = bob.say(&["reproduce", "short.png", "--yes"]).exits(0).out;
    assert!(said.starts_with("album#2\tidentical\t"), "{said}");
}

#[test]
fn a_product_is_compared_although_other_nodes_of_its_run_fail() {
    let (ada, bob) = (Fanlight::new(), Fanlight::new());
    ada.file(
        "mixed.yaml",
        "nodes:
  tone: { uses: audio.generate, with: { seconds: 0.1 } }
  wav: { uses: audio.gain, with: { audio: \"${{ tone.audio }}\", gain: -3 } }
  sky: { uses: image.generate, with: { width: 64, height: 32 } }
  shout: { run: 'test \"$token\" = other', with: { token: \"${{ secrets.tok }}\" } }
",
    );
    fs::write(ada.path("value"), "s3cr3t-t0ken-0123\n").unwrap();
    let value = fs::File::open(ada.path("value")).unwrap();
    assert!(ada.command(&["secrets", "set", "tok"]).stdin(value).status().unwrap().success());
    ada.say(&["run", "mixed.yaml"]).exits(1);
    for (node, file) in [("wav", "tone.wav"), ("sky", "sky.png")] {
        let id = asset(&ada, "mixed#1", node);
        let said = ada.say(&["reproduce", &id]).exits(0);
        assert!(said.out.contains("\tidentical\t"), "{}", said.out);
        said.complains("failed, and made `");
        ada.say(&["assets", "get", &id, file]).exits(0);
        fs::rename(ada.path(file), bob.path(file)).unwrap();
        // A home without the secret.
        let said = bob.say(&["reproduce", file, "--yes"]).exits(0).out;
        assert!(said.contains("\tidentical\t"), "{said}");
    }
    ada.say(&["secrets", "rm", "tok", "--yes"]).exits(0);
    ada.say(&["reproduce", &asset(&ada, "mixed#1", "sky")]).exits(0);
}

#[test]
fn a_product_that_differs_is_said_to() {
    let fanlight = Fanlight::new();
    fanlight.file("note.txt", "one").file(
        "copy.yaml",
        "nodes:
  copy:
    dir: .
    run: cat note.txt > \"$FANLIGHT_WORK/out.txt\"; cp \"$FANLIGHT_WORK/out.txt\" out.txt
    outputs: { text: { path: out.txt, type: file } }
",
    );
    fanlight.say(&["run", "copy.yaml"]).exits(0);
    let copy = asset(&fanlight, "copy#1", "copy");
    fanlight.file("note.txt", "two");
    let said = fanlight.say(&["reproduce", &copy]).exits(1);
    assert!(said.out.starts_with("copy#2\tdifferent\t"), "{}", said.out);
    said.complains("differs from that of copy#1").complains("`copy` reads files of a folder");
}

#[test]
fn a_program_that_is_another_file_than_then_is_named() {
    let fanlight = Fanlight::new();
    let tool = fanlight.path("tool");
    let install = |word: &str| {
        fanlight.file("new", &format!("#!/bin/sh\necho {word}\n"));
        fs::set_permissions(fanlight.path("new"), fs::Permissions::from_mode(0o755)).unwrap();
        fs::rename(fanlight.path("new"), &tool).unwrap();
        // One that is written just before a command starts may be written again while it runs.
        let changed = fs::metadata(&tool).unwrap().modified().unwrap();
        wait_for("a tool that has rested", || changed.elapsed().is_ok_and(|it| it.as_millis() > 100));
    };
    let shown = tool.to_str().unwrap().to_owned();
    fanlight.file(
        "say.yaml",
        &format!("nodes: {{ say: {{ cmd: ['{shown}'] }} }}\noutputs: {{ said: '${{{{ say.stdout }}}}' }}\n"),
    );
    install("one");
    fanlight.say(&["run", "say.yaml"]).exits(0);
    let said = asset(&fanlight, "say#1", "say");
    let program = lineage(&fanlight, &said)["steps"][0]["programs"][0].clone();
    assert_eq!((&program["path"], &program["bytes"]), (&shown.as_str().into(), &19.into()));
    let text = fanlight.say(&["assets", "show", &said]).exits(0).out;
    assert!(text.contains("tool, 19 B, "), "{text}");
    fanlight.say(&["reproduce", &said]).exits(0);
    install("two");
    let again = fanlight.say(&["reproduce", &said]).exits(1);
    again.complains("of the node `say` is another file than then").complains("tool, written ");
}
