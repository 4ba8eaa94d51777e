//! Assets: saved, starred and deleted.

use crate::QUICK;
use crate::support::{Fanlight, png_size};

#[test]
fn assets_stay_until_they_are_deleted() {
    let fanlight = Fanlight::new();
    fanlight.say(&["run", "poster"]).exits(0);
    let assets = fanlight.say(&["assets", "list", "--kind", "image", "--json"]).exits(0).json();
    let id = assets[0]["id"].as_str().unwrap();
    fanlight.say(&["assets", "star", id]).exits(0);
    assert_eq!(fanlight.say(&["assets", "list", "--starred", "--json"]).json().len(), 1);
    fanlight.say(&["assets", "get", id, "got.png", "--no-recipe"]).exits(0);
    assert!(png_size(&fanlight.path("got.png")).0 > 100);
    fanlight.say(&["assets", "get", id, "got.png"]).exits(1).complains("exists already");
    let piped = crate::support::output(&mut fanlight.command(&["assets", "get", id]));
    assert_eq!(piped.stdout, std::fs::read(fanlight.path("got.png")).unwrap());
    fanlight.say(&["assets", "rm", id]).exits(2).complains("--yes");
    fanlight.say(&["assets", "rm", id, "--yes"]).exits(0);
    fanlight.say(&["assets", "get", id, "gone.png"]).exits(1);
    fanlight.say(&["delete", "last"]).exits(2).complains("--yes");
    fanlight.say(&["delete", "last", "--assets", "--yes"]).exits(0);
    assert!(fanlight.runs().is_empty());
    assert!(fanlight.say(&["assets", "list", "--json"]).exits(0).out.is_empty());
}

#[test]
fn an_existing_file_is_not_overwritten_and_the_others_are_saved() {
    let fanlight = Fanlight::new();
    fanlight.file("quick.yaml", QUICK);
    std::fs::create_dir_all(fanlight.path("out/quick-1")).unwrap();
    fanlight.file("out/quick-1/title.txt", "mine");
    let said = fanlight.say(&["run", "quick.yaml", "--sweep", "seed=1..2", "--out", "out"]).exits(1);
    said.complains("out/quick-1/title.txt");
    assert_eq!(std::fs::read_to_string(fanlight.path("out/quick-1/title.txt")).unwrap(), "mine");
    assert_eq!(std::fs::read_to_string(fanlight.path("out/quick-2/title.txt")).unwrap(), "Brighton 2");
}
