//! Workflows that run other workflows.

use super::support::{Fanlight, png_size};

const POSTER: &str = "params:
  seed: { type: int, default: 1 }
nodes:
  sky: { uses: image.generate, with: { width: 32, height: 20, seed: '${{ params.seed }}' } }
outputs:
  poster: '${{ sky.image }}'
";
const ALBUM: &str = "nodes:
  posters:
    uses: workflow.run
    each: [1, 2, 3]
    with: { workflow: parts/poster.yaml, seed: '${{ item }}' }
    outputs: { poster: image }
  sheet: { uses: image.tile, with: { images: '${{ posters.poster }}', columns: 3, width: 32, gap: 0 } }
outputs:
  sheet: '${{ sheet.image }}'
";
const LETTER: &str = "nodes:
  mail: { uses: workflow.run, with: { workflow: ask.yaml }, outputs: { sent: text } }
outputs:
  sent: '${{ mail.sent }}'
";
const ASK: &str = "nodes:
  ask: { uses: human.ask, with: { question: 'What shall it say?' } }
  slow: { run: \"sleep 0.1; printf '%s' \\\"$words\\\"\", with: { words: '${{ ask.answer }}' } }
outputs:
  sent: '${{ slow.stdout }}'
";

#[test]
fn an_album_is_made_of_posters_that_are_runs_of_their_own() {
    let fanlight = Fanlight::new();
    std::fs::create_dir(fanlight.path("parts")).unwrap();
    fanlight.file("parts/poster.yaml", POSTER);
    fanlight.file("album.yaml", ALBUM);
    fanlight.say(&["check", "album.yaml"]).exits(0);
    fanlight.say(&["run", "album.yaml", "--out", "made"]).exits(0);
    assert_eq!(png_size(&fanlight.path("made/album-1/sheet.png")).0, 96);
    let listed = fanlight.say(&["ps", "--all"]).exits(0).out;
    let names: Vec<&str> = listed.lines().skip(1).map(|line| line.split("  ✓").next().unwrap()).collect();
    let names: Vec<&str> = names.into_iter().map(str::trim_end).collect();
    assert_eq!(names, ["album#1", "└ poster#1", "└ poster#2", "└ poster#3"], "{listed}");
    let shown = fanlight.say(&["show", "album"]).exits(0).out;
    assert!(shown.contains("poster#2") && shown.contains("posters[1]"), "{shown}");
    let shown = fanlight.say(&["show", "poster#2"]).exits(0).out;
    // Items start in any order.
    assert!(shown.contains("started by") && shown.contains("album#1 · posters["), "{shown}");
    let listed = fanlight.say(&["ps", "--all", "--json"]).exits(0).json();
    assert_eq!(listed[0]["parent"]["name"], "album#1");
    fanlight.say(&["delete", "poster#2", "--yes"]).exits(2).complains("poster#2 was started by album#1");
    fanlight.say(&["delete", "album#1", "--yes"]).exits(0);
    assert!(fanlight.runs().is_empty());
}

#[test]
fn a_question_of_a_child_is_answered_after_the_daemon_was_killed() {
    let fanlight = Fanlight::new();
    fanlight.file("letter.yaml", LETTER);
    fanlight.file("ask.yaml", ASK);
    fanlight.say(&["queue", "--max", "1"]).exits(0);
    fanlight.say(&["run", "letter.yaml", "--detach"]).exits(0);
    fanlight.await_states(&["parked", "parked"]);
    fanlight.kill_daemon();
    fanlight.say(&["answer", "ask#1", "Dear Ada"]).exits(0);
    fanlight.await_states(&["completed", "completed"]);
    let shown = fanlight.say(&["show", "letter", "--json"]).exits(0).json().remove(0);
    assert_eq!(shown["outputs"]["sent"], "Dear Ada");
}

#[test]
fn a_check_reads_the_other_files_too() {
    let fanlight = Fanlight::new();
    fanlight.file("letter.yaml", LETTER);
    let missing = "node `mail`: `ask.yaml` does not exist";
    fanlight.say(&["check", "letter.yaml"]).exits(2).complains(missing).complains("letter.yaml:2");
    fanlight.say(&["run", "letter.yaml"]).exits(2).complains(missing);
    fanlight.file("ask.yaml", &ASK.replace("sent:", "said:"));
    fanlight.say(&["check", "letter.yaml"]).exits(2).complains("`ask.yaml` has no output `sent`");
}

#[test]
fn the_example_runs_two_others_and_a_copy_of_it_has_their_files() {
    let fanlight = Fanlight::new();
    fanlight.say(&["run", "album", "-p", "places=[\"Hove\"]", "--out", "made"]).exits(0);
    assert_eq!(fanlight.runs().len(), 3);
    fanlight.say(&["new", "mine.yaml", "--from", "album"]).exits(0);
    fanlight.say(&["check", "mine.yaml"]).exits(0);
    fanlight.file("poster.yaml", POSTER);
    fanlight
        .say(&["new", "other.yaml", "--from", "album"])
        .exits(1)
        .complains("`poster.yaml` exists already");
    assert!(!fanlight.path("other.yaml").exists());
}

#[test]
fn a_picture_that_is_a_default_of_the_other_file_is_beside_that_file() {
    let fanlight = Fanlight::new();
    fanlight.file("poster.yaml", POSTER);
    fanlight.say(&["run", "poster.yaml", "--out", "made"]).exits(0);
    std::fs::create_dir(fanlight.path("parts")).unwrap();
    let small = "params: { picture: { type: image, default: sky.png } }\nnodes:\n  \
                 small: { uses: image.resize, with: { image: '${{ params.picture }}', width: 8, height: 6, mode: stretch } }\n\
                 outputs: { small: '${{ small.image }}' }\n";
    fanlight.file("parts/small.yaml", small);
    let parent = "nodes: { calls: { uses: workflow.run, with: { workflow: parts/small.yaml }, outputs: { small: image } } }\n\
                  outputs: { small: '${{ calls.small }}' }\n";
    fanlight.file("parent.yaml", parent);
    let missing = fanlight.say(&["run", "parent.yaml"]).exits(1);
    assert!(missing.err.contains("param `picture`") && missing.err.contains("sky.png"), "{}", missing.err);
    std::fs::copy(fanlight.path("made/poster-1/poster.png"), fanlight.path("parts/sky.png")).unwrap();
    fanlight.say(&["run", "parent.yaml", "--out", "out"]).exits(0);
    assert_eq!(png_size(&fanlight.path("out/parent-2/small.png")), (8, 6));
}
