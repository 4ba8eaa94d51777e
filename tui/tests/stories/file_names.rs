//! The names of saved files.

use std::fs;

use crate::recipes::{POSTER, asset};
use crate::support::Fanlight;

#[test]
fn files_are_named_by_a_template() {
    let fanlight = Fanlight::new();
    fanlight.file("poster.yaml", POSTER);
    let sweep = ["run", "poster.yaml", "--sweep", "text=Hove,../up,Hove", "--out", "o", "--as"];
    let said = fanlight.say(&[&sweep[..], &["{txt}"]].concat()).exits(2);
    said.complains("`{txt}` is not known in a name template").complains("known are text, workflow, run");
    fanlight.say(&[&sweep[..], &["../{text}"]].concat()).exits(2).complains("is not a path below the folder");
    assert!(fanlight.runs().is_empty(), "nothing runs before the name is known to be right");
    fanlight.say(&[&sweep[..], &["{workflow}/{text}"]].concat()).exits(0);
    let mut names: Vec<String> = fs::read_dir(fanlight.path("o/poster"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["Hove-2.png", "Hove.png", "_.._up.png"]);

    let poster = asset(&fanlight, "poster#1", "poster");
    let get = |name: &str| fanlight.say(&["assets", "get", &poster, "got", "--as", name]).exits(0).out;
    assert_eq!(
        (get("{text}-{run}"), get("{text}-{run}")),
        ("got/Hove-1.png\n".into(), "got/Hove-1-2.png\n".into())
    );
    fanlight.say(&["assets", "get", &poster, "--as", "{sede}"]).exits(2).complains("known are text");
}

#[test]
fn files_in_lists_keep_their_names() {
    let fanlight = Fanlight::new();
    fanlight.file(
        "prints.yaml",
        "nodes:
  prints:
    run: echo 1 > b.txt; echo 2 > a.txt
    outputs: { files: { glob: \"*.txt\", type: file } }
outputs: { prints: \"${{ prints.files }}\" }
",
    );
    let said = fanlight.say(&["run", "prints.yaml", "--out", "o"]).exits(0).out;
    assert_eq!(
        said,
        "prints#1\tprints[0]\to/prints-1/prints/a.txt\nprints#1\tprints[1]\to/prints-1/prints/b.txt\n"
    );
}

#[test]
fn an_output_is_named_by_an_expression() {
    let fanlight = Fanlight::new();
    fanlight.file(
        "note.yaml",
        "params: { day: { type: text, default: monday } }
nodes:
  note:
    run: echo hello > out.txt
    outputs: { text: { path: out.txt, type: file, name: \"note-${{ params.day }}.txt\" } }
outputs: { notes: \"${{ [note.text] }}\" }
",
    );
    let said = fanlight.say(&["run", "note.yaml", "--out", "o"]).exits(0).out;
    assert_eq!(said, "note#1\tnotes[0]\to/note-1/notes/note-monday.txt\n");
    let wrong = fanlight.say(&["run", "note.yaml", "-p", "day=../up"]).exits(1);
    wrong.complains("`name` of output `text`: `note-../up.txt` is not a file name");
}
