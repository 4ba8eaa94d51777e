//! Runs that move from one home to another.

use std::fs;
use std::path::Path;

use rustix::process::Signal;

use crate::support::{Fanlight, wait_for};

const TRAIN: &str = "params: { rate: { type: float, default: 0.1 } }
nodes:
  train:
    with: { rate: \"${{ params.rate }}\" }
    run: |
      echo \"training with $rate\"
      for step in 1 2 3; do
        echo \"{\\\"type\\\":\\\"metric\\\",\\\"name\\\":\\\"loss\\\",\\\"value\\\":$rate$step,\\\"step\\\":$step}\" >> \"$FANLIGHT_EVENTS\"
      done
  sky: { uses: image.generate, with: { width: 400, height: 300, style: plasma } }
outputs: { said: \"${{ train.stdout }}\", sky: \"${{ sky.image }}\" }
";

/// Returns the output of a command, which both homes agree on.
#[track_caller]
fn both(homes: [&Fanlight; 2], arguments: &[&str]) -> String {
    let [one, other] = homes.map(|home| home.say(arguments).exits(0).out);
    assert_eq!(one, other, "{arguments:?}");
    one
}

#[test]
fn a_sweep_moves_with_its_products_logs_and_metrics() {
    let (ada, bob) = (Fanlight::new(), Fanlight::new());
    ada.file("train.yaml", TRAIN);
    ada.say(&["run", "train.yaml", "--sweep", "rate=0.1,0.2", "--env", "TOKEN=hidden-value"]).exits(0);
    ada.say(&["run", "train.yaml"]).exits(0);
    let archive = bob.path("train.tar.zst");
    let archive = archive.to_str().unwrap();
    let said = ada.say(&["export", "train/1", archive]).exits(0).complains("exported 2 runs with 4 assets");
    assert_eq!(said.out, format!("{archive}\n"));
    ada.say(&["export", "train/1", archive]).exits(2).complains("exists already; it was left as it is");
    ada.say(&["export", "train/1", archive, "--force"]).exits(0);

    let said = bob.say(&["import", "train.tar.zst"]).exits(0).complains("imported 2 runs with 4 assets");
    assert_eq!(said.out, "train#1\timported\ntrain#2\timported\n");
    for run in ["train#1", "train#2"] {
        assert!(both([&ada, &bob], &["logs", run]).contains("training with"));
        assert_eq!(both([&ada, &bob], &["metrics", run, "--csv"]).lines().count(), 4);
        let shown = bob.say(&["show", run, "--json"]).exits(0).json().remove(0);
        assert_eq!(shown["state"], "completed", "{shown}");
    }
    both([&ada, &bob], &["table", "train/1", "--csv"]);
    let sweep = bob.say(&["sweep", "show", "train/1", "--json"]).exits(0).json().remove(0);
    assert_eq!(sweep["runs"]["completed"], 2, "{sweep}");

    // The bytes are the same, and can be made again.
    let asset = bob.say(&["assets", "list", "--run", "train#1", "--node", "sky", "--json"]).exits(0).json();
    let asset = asset[0]["id"].as_str().unwrap();
    let bytes =
        [&ada, &bob].map(|home| crate::support::output(&mut home.command(&["assets", "get", asset])).stdout);
    assert!(bytes[0] == bytes[1] && bytes[0].starts_with(b"\x89PNG"));
    both([&ada, &bob], &["assets", "show", asset]);
    let said = bob.say(&["reproduce", asset, "--yes"]).exits(0).out;
    assert!(said.contains("\tidentical\t"), "{said}");
    let sound = bob.say(&["doctor"]).exits(0).out;
    assert!(!sound.contains("wrong references"), "{sound}");
}

#[test]
fn a_second_import_adds_only_what_is_new_and_taken_numbers_change() {
    let (ada, bob) = (Fanlight::new(), Fanlight::new());
    let id = "id: 01990000-0000-7000-8000-00000000aaaa\n";
    ada.file("train.yaml", &format!("{id}{TRAIN}"));
    bob.file("train.yaml", &format!("{id}{TRAIN}"));
    ada.say(&["run", "train.yaml"]).exits(0);
    bob.say(&["run", "train.yaml"]).exits(0);
    bob.say(&["run", "train.yaml"]).exits(0);
    let archive = bob.path("train.tar.zst");
    ada.say(&["export", "train#1", archive.to_str().unwrap()]).exits(0);
    let said = bob.say(&["import", "train.tar.zst"]).exits(0).complains("train#1 is train#3 here");
    assert_eq!(said.out, "train#3\timported\n");
    let again =
        bob.say(&["import", "train.tar.zst"]).exits(0).complains("nothing is new: 1 run was there already");
    assert_eq!(again.out, "train#3\talready there\n");
    assert_eq!(bob.runs().len(), 3);

    ada.say(&["run", "train.yaml"]).exits(0);
    ada.say(&["export", "train", archive.to_str().unwrap(), "--force"]).exits(0).complains("2 runs");
    let said = bob.say(&["import", "train.tar.zst"]).exits(0).complains("1 run was there already");
    assert_eq!(said.out, "train#4\timported\ntrain#3\talready there\n");

    // An imported run continues as an own one does, and can be deleted.
    bob.say(&["fork", "train#4", "--at", "sky"]).exits(0);
    let table = bob.say(&["table", "train", "--csv"]).exits(0).out;
    assert_eq!(table.lines().count(), 6, "{table}");
    bob.say(&["delete", "train#3", "train#4", "--assets", "--yes"]).exits(0);
    assert_eq!(bob.say(&["import", "train.tar.zst"]).exits(0).out, "train#6\timported\ntrain#7\timported\n");
}

#[test]
fn a_sweep_that_has_another_name_here_gets_its_other_runs() {
    let (ada, bob) = (Fanlight::new(), Fanlight::new());
    for home in [&ada, &bob] {
        home.file("train.yaml", TRAIN);
        home.say(&["run", "train.yaml", "--sweep", "rate=0.1,0.2", "--name", "scan"]).exits(0);
    }
    for run in ["1", "2"] {
        let archive = bob.path(&format!("{run}.tar.zst"));
        ada.say(&["export", &format!("train#{run}"), archive.to_str().unwrap()]).exits(0);
    }
    // Here the name is taken, and no run is in both archives.
    bob.say(&["import", "1.tar.zst"]).exits(0).complains("scan is train-2/1 here");
    bob.say(&["import", "2.tar.zst"]).exits(0).complains("scan is train-2/1 here");
    let sweeps = bob.say(&["sweep", "list", "--json"]).exits(0).json();
    let mut sweeps: Vec<_> = sweeps
        .iter()
        .map(|sweep| (sweep["name"].to_string(), sweep["runs"]["completed"].to_string()))
        .collect();
    sweeps.sort();
    assert_eq!(
        sweeps,
        [("\"scan\"".to_owned(), "2".to_owned()), ("\"train-2/1\"".to_owned(), "2".to_owned())]
    );
}

#[test]
fn runs_move_through_a_pipe() {
    let (ada, bob) = (Fanlight::new(), Fanlight::new());
    ada.file("train.yaml", TRAIN);
    ada.say(&["run", "train.yaml"]).exits(0);
    let exported = crate::support::output(&mut ada.command(&["export", "last", "-"]));
    assert!(exported.status.success());
    bob.file("in", "");
    fs::write(bob.path("in"), exported.stdout).unwrap();
    let stdin = fs::File::open(bob.path("in")).unwrap();
    let imported = crate::support::output(bob.command(&["import", "-"]).stdin(stdin));
    assert_eq!(String::from_utf8(imported.stdout).unwrap(), "train#1\timported\n");
}

#[test]
fn a_damaged_archive_changes_nothing() {
    let (ada, bob) = (Fanlight::new(), Fanlight::new());
    ada.file("train.yaml", TRAIN);
    ada.say(&["run", "train.yaml"]).exits(0);
    ada.say(&["export", "last", "train.tar.zst"]).exits(0);
    let bytes = fs::read(ada.path("train.tar.zst")).unwrap();
    fs::write(bob.path("cut.tar.zst"), &bytes[..bytes.len() - 30]).unwrap();
    bob.say(&["import", "cut.tar.zst"]).exits(2).complains("is cut off");
    bob.file("other.tar.zst", "something else");
    bob.say(&["import", "other.tar.zst"]).exits(2).complains("is not an archive of runs");
    bob.say(&["import", "nothing.tar.zst"]).exits(2).complains("does not exist");
    assert!(bob.runs().is_empty());
}

#[test]
fn runs_that_have_not_ended_are_named() {
    let ada = Fanlight::new();
    ada.file("wait.yaml", "nodes: { wait: { uses: human.approve, with: { question: 'Go on?' } } }\n");
    ada.say(&["run", "wait.yaml", "--detach"]).exits(0);
    ada.await_states(&["parked"]);
    ada.say(&["export", "wait", "wait.tar.zst"]).exits(2).complains("wait#1 is parked");
    ada.say(&["export", "wait", "wait.tar.zst", "--ended"]).exits(2).complains("there are no ended runs");
    assert!(!ada.path("wait.tar.zst").exists());
}

#[test]
fn an_imported_run_continues_with_variables_from_here_and_keeps_what_was_done() {
    let (ada, bob) = (Fanlight::new(), Fanlight::new());
    ada.file(
        "check.yaml",
        "nodes:
  slow: { run: 'echo kept' }
  check: { needs: [slow], run: 'test -n \"$TOKEN\" && echo \"with $TOKEN\"', pass_env: [TOKEN] }
outputs: { said: \"${{ check.stdout }}\" }
",
    );
    ada.say(&["run", "check.yaml"]).exits(1);
    let archive = bob.path("check.tar.zst");
    ada.say(&["export", "check", archive.to_str().unwrap()]).exits(0);
    bob.say(&["import", "check.tar.zst"]).exits(0);
    let resumed = crate::support::output(bob.command(&["resume", "check#1"]).env("TOKEN", "mine"));
    let said = String::from_utf8(resumed.stderr).unwrap();
    assert!(said.contains("its commands get PATH, TOKEN from here"), "{said}");
    assert!(said.contains("it keeps slow; runs check again"), "{said}");
    bob.await_states(&["completed", "failed"]);
    assert!(bob.say(&["logs", "check#2", "check"]).exits(0).out.contains("with mine"));
    // What is pruned can be imported again.
    bob.say(&["prune", "--keep", "0", "--yes"]).exits(0);
    assert!(bob.runs().is_empty());
    bob.say(&["import", "check.tar.zst"]).exits(0).complains("check#1 is check#3 here");
}

#[test]
fn ctrl_c_leaves_no_part_of_an_archive() {
    let ada = Fanlight::new();
    ada.file("train.yaml", TRAIN);
    ada.say(&["run", "train.yaml"]).exits(0);
    fs::create_dir(ada.path("kept")).unwrap();
    let export = ada.start(&["export", "last", "kept/train.tar.zst"]);
    export.interrupt();
    // It may have been complete before.
    let said = export.ends();
    let names: Vec<_> =
        fs::read_dir(ada.path("kept")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    match said.code {
        0 => assert_eq!(names, ["train.tar.zst"]),
        _ => assert!(names.is_empty(), "{names:?}"),
    }
}

/// Returns how many folders with a name that begins so are below a folder, and how many bytes all files there have.
fn below(folder: &Path, name: &str) -> (usize, u64) {
    let mut found = (0, 0);
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|it| it.is_dir()) {
            let (folders, bytes) = below(&entry.path(), name);
            let is_named = entry.file_name().to_string_lossy().starts_with(name);
            found = (found.0 + folders + usize::from(is_named), found.1 + bytes);
        } else {
            found.1 += entry.metadata().map_or(0, |meta| meta.len());
        }
    }
    found
}

#[test]
fn an_import_whose_daemon_or_client_is_killed_adds_all_or_nothing_and_can_be_repeated() {
    const BYTES: u64 = 24 << 20;
    let ada = Fanlight::new();
    // Bytes that can't be compressed, so that the import takes a while.
    let make = format!("head -c {BYTES} /dev/urandom > big");
    ada.file(
        "big.yaml",
        &format!("nodes: {{ big: {{ run: '{make}', outputs: {{ file: {{ path: big, type: file }} }} }} }}\n"),
    );
    ada.say(&["run", "big.yaml", "--repeat", "3"]).exits(0);
    ada.say(&["export", "big/1", "big.tar.zst"]).exits(0);
    let archive = ada.path("big.tar.zst");
    let archive = archive.to_str().unwrap();
    for kills_daemon in [true, false] {
        let bob = Fanlight::new();
        bob.say(&["daemon", "start"]).exits(0);
        let home = bob.path("../h");
        let import = bob.start(&["import", archive]);
        wait_for("bytes of the archive in the home", || {
            let (transfers, bytes) = below(&home, "transfer-");
            transfers > 0 && bytes > BYTES / 2 || bytes > 2 * BYTES
        });
        if kills_daemon {
            bob.kill_daemon();
        } else {
            import.signal(Signal::KILL);
        }
        import.ends();
        bob.say(&["daemon", "start"]).exits(0);
        let runs = bob.runs().len();
        assert!(runs == 0 || runs == 3, "{runs} of 3 runs");
        if runs == 0 {
            // What was read of the archive does not stay, nor the folder for it.
            wait_for("the removal of what was imported", || below(&home, "transfer-").1 < BYTES / 2);
            assert_eq!(bob.say(&["assets", "list"]).exits(0).out, "");
        }
        let said = bob.say(&["import", archive]).exits(0);
        assert_eq!(said.out.lines().count(), 3, "{said:?}");
        assert_eq!(bob.runs().len(), 3);
        wait_for("the removal of what the imports needed", || below(&home, "transfer-").0 == 0);
        let sound = bob.say(&["doctor"]).exits(0).out;
        assert!(!sound.contains("wrong references"), "{sound}");
    }
}
