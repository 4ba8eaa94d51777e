//! Files of the user that a workflow lists and reads: they stay where they are, and are only copied if they must be
//! kept.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::Fanlight;

/// Lists the folder `photos`, waits for `go`, then reads each file.
const READ: &str = "nodes:
  list: { uses: file.list, with: { folder: photos, glob: \"*.txt\" } }
  wait:
    dir: .
    needs: [list]
    run: until [ -e go ]; do sleep 0.02; done
  read:
    needs: [wait]
    each: \"${{ list.files }}\"
    with: { file: \"${{ item }}\" }
    run: cat \"$file\"
outputs: { said: \"${{ read.stdout }}\" }
";

fn photos(fanlight: &Fanlight) {
    fs::create_dir(fanlight.path("photos")).unwrap();
    for name in ["a", "b", "c"] {
        fanlight.file(&format!("photos/{name}.txt"), &format!("this is {name}\n"));
    }
}

/// Returns how many bytes the files below a folder have.
fn bytes(folder: &Path) -> u64 {
    fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| match entry.file_type() {
            Ok(kind) if kind.is_dir() => bytes(&entry.path()),
            _ => entry.metadata().map_or(0, |meta| meta.len()),
        })
        .sum()
}

#[test]
fn listed_files_are_not_copied_and_show_says_where_they_are() {
    let fanlight = Fanlight::new();
    fs::create_dir(fanlight.path("photos")).unwrap();
    for number in 0..40 {
        fs::write(fanlight.path(&format!("photos/{number:02}.bin")), vec![number; 1_000_000]).unwrap();
    }
    let list = "nodes:
  list: { uses: file.list, with: { folder: photos } }
  one: { uses: file.read, with: { path: photos/00.bin } }
";
    fanlight.file("list.yaml", list);
    fanlight.say(&["run", "list.yaml"]).exits(0);
    let (_, home) = fanlight.environment().into_iter().find(|(name, _)| *name == "FANLIGHT_HOME").unwrap();
    let taken = bytes(Path::new(&home));
    assert!(taken < 5_000_000, "{taken} bytes for 40 files of 1 MB");
    let shown = fanlight.say(&["show", "last"]).exits(0).out;
    let first = fanlight.path("photos/00.bin").canonicalize().unwrap();
    assert!(shown.contains(&format!("input {}, 1.0 MB", first.display())), "{shown}");
    assert!(fanlight.say(&["assets", "list"]).exits(0).out.trim().is_empty(), "they are no products");
    fanlight.say(&["doctor", "--deep"]).exits(0);
}

#[test]
fn a_file_that_changed_after_it_was_listed_fails_its_reader_and_is_read_again_by_resume() {
    type Change = fn(&Path);
    let changes: [(&str, Change); 4] = [
        ("its content is different", |path| fs::write(path, "this is B\n").unwrap()),
        ("it no longer exists", |path| fs::remove_file(path).unwrap()),
        ("it is no longer a regular file", |path| {
            fs::remove_file(path).unwrap();
            assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
        }),
        ("it is a link now", |path| {
            fs::remove_file(path).unwrap();
            std::os::unix::fs::symlink("a.txt", path).unwrap();
        }),
    ];
    for (said, change) in changes {
        let fanlight = Fanlight::new();
        photos(&fanlight);
        fanlight.file("read.yaml", READ);
        let run = fanlight.start(&["run", "read.yaml"]);
        fanlight.await_states(&["running"]);
        // Its list is made once the next node runs.
        crate::support::wait_for("the list", || {
            fanlight
                .say(&["show", "last"])
                .out
                .lines()
                .any(|line| line.contains("list") && line.contains("completed"))
        });
        change(&fanlight.path("photos/b.txt"));
        fanlight.file("go", "");
        run.ends()
            .exits(1)
            .complains(said)
            .complains("photos/b.txt has changed since this run first read it");
        let said = fanlight.say(&["resume", "last"]).exits(0);
        assert!(said.err.contains("b.txt has changed since"), "{}", said.err);
        assert!(said.err.contains("runs list, wait, read again"), "{}", said.err);
        fanlight.say(&["watch", "last"]).exits(0);
        // Reading a pipe would block.
        let path = fanlight.path("photos/b.txt");
        let left = fs::symlink_metadata(&path).is_ok_and(|meta| meta.is_file());
        let shown = fanlight.say(&["show", "last"]).exits(0).out;
        assert_eq!(shown.contains("this is B"), left, "{shown}");
        assert!(shown.contains("this is a") && shown.contains("this is c"), "{shown}");
    }
}

#[test]
fn resume_reuses_what_has_not_changed() {
    let fanlight = Fanlight::new();
    photos(&fanlight);
    let document =
        READ.replace("run: cat \"$file\"", "run: '[ -e \"$FANLIGHT_PROJECT/ready\" ] && cat \"$file\"'");
    fanlight.file("read.yaml", &document).file("go", "");
    fanlight.say(&["run", "read.yaml"]).exits(1);
    fanlight.file("ready", "");
    let said = fanlight.say(&["resume", "last"]).exits(0);
    assert!(said.err.contains("keeps list, wait; runs read again"), "{}", said.err);
    fanlight.say(&["watch", "last"]).exits(0);
}

#[test]
fn an_output_file_of_a_workflow_is_a_product_that_remains() {
    let fanlight = Fanlight::new();
    photos(&fanlight);
    let document = "nodes:
  list: { uses: file.list, with: { folder: photos, glob: \"*.txt\" } }
  one: { uses: file.read, with: { path: photos/c.txt } }
outputs: { second: \"${{ list.files[1] }}\", OTHER }
";
    let (all, one) = ("all: \"${{ list.files }}\"", "one: \"${{ one.file }}\"");
    // A file by its index in the list is an asset of the run; the files of the whole list are assets of its node.
    fanlight.file("keep.yaml", &document.replace("OTHER", one));
    fanlight.file("all.yaml", &document.replace("OTHER", all));
    fanlight.say(&["run", "keep.yaml", "--out", "out"]).exits(0);
    fanlight.say(&["run", "all.yaml", "--out", "out"]).exits(0);
    fs::remove_dir_all(fanlight.path("photos")).unwrap();
    for folder in ["keep-1", "all-1"] {
        let second = fs::read_to_string(fanlight.path("out").join(folder).join("second.txt")).unwrap();
        assert_eq!(second, "this is b\n");
    }
    for (run, count) in [("keep#1", 2), ("all#1", 3)] {
        let assets = fanlight.say(&["assets", "list", "--run", run, "--json"]).exits(0).json();
        assert_eq!(assets.len(), count, "{assets:?}");
        for asset in assets {
            let id = asset["id"].as_str().unwrap();
            fanlight.say(&["assets", "get", id, id]).exits(0);
            assert!(fs::read_to_string(fanlight.path(id)).unwrap().starts_with("this is "));
        }
    }
    fanlight.say(&["doctor", "--deep"]).exits(0);
}
