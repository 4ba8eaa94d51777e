//! Disks that can't be written, or are full.

#[path = "disk/small.rs"]
mod small;

use small::Small;

use crate::support::wait_for;
use crate::{GATED, seeded};

#[test]
fn a_read_only_home_is_named() {
    let fanlight = seeded();
    let home = fanlight.path("ro");
    std::fs::create_dir(&home).unwrap();
    let mount = |arguments: &[&str]| {
        std::process::Command::new("mount")
            .args(arguments)
            .arg(&home)
            .output()
            .is_ok_and(|it| it.status.success())
    };
    if !mount(&["-t", "tmpfs", "-o", "ro,size=1m", "tmpfs"]) {
        fanlight_shared::testing::skip("no read-only file system can be mounted here");
        return;
    }
    let said = fanlight.command(&["run", "seeded.yaml"]).env("FANLIGHT_HOME", &home).output();
    let _ = std::process::Command::new("umount").arg(&home).status();
    let said = said.unwrap();
    let err = String::from_utf8_lossy(&said.stderr).into_owned();
    assert_eq!(said.status.code(), Some(3), "{err}");
    assert!(err.contains("Read-only") && err.contains("ro"), "{err}");
}

/// Checks that a full disk refuses what is new, loses nothing, and is over once there is space.
fn loses_nothing(disk: &Small<'_>) {
    let fanlight = disk.fanlight();
    let say = |line: &[&str]| {
        let said = disk.say(line);
        (said.code, said.err)
    };
    assert_eq!(say(&["run", "seeded.yaml"]).0, 0);
    fanlight.file("gated.yaml", GATED);
    let mut followed = disk.start(&["run", "gated.yaml"]);
    wait_for("the followed run's command to begin", || !disk.say(&["logs", "gated"]).out.is_empty());
    disk.fill();
    // The already allocated space has room for a few more.
    let refused = (0..200).map(|_| say(&["run", "seeded.yaml", "--detach"])).find(|said| said.0 != 0);
    let (code, err) = refused.expect("a full disk refuses in the end");
    assert_eq!(code, 1, "{err}");
    assert!(err.contains("full"), "{err}");
    // Clients that follow a run are informed, and so are later ones.
    let mut heard = followed.complaints();
    heard.find(|line| line.starts_with("fanlight: the disk that holds")).expect("a banner");
    wait_for("the banner in what comes later", || {
        say(&["run", "seeded.yaml", "--detach"]);
        let (code, err) = say(&["daemon", "status"]);
        assert_eq!(code, 0, "it stays up: {err}");
        err.contains("the disk that holds")
    });
    disk.free();
    let mut said = Vec::new();
    let over = heard.find(|line| {
        said.push(line.clone());
        line.contains("the problem is resolved")
    });
    assert!(over.is_some(), "the end of the banner: {said:?}");
    fanlight.file("go", "");
    let rest: Vec<String> = heard.collect();
    assert_eq!(followed.ends().code, 0, "{said:?} {rest:?}");
    wait_for("the daemon to go on", || say(&["run", "seeded.yaml"]).0 == 0);
    assert_eq!(say(&["doctor", "--deep"]).0, 0);
}

#[test]
fn a_full_disk_is_an_error_and_loses_nothing() {
    let fanlight = seeded();
    if let Some(disk) = Small::mounted(&fanlight) {
        loses_nothing(&disk);
    }
}

#[test]
fn a_disk_that_refuses_to_write_is_an_error_and_loses_nothing() {
    let fanlight = seeded();
    if let Some(disk) = Small::refusing(&fanlight) {
        loses_nothing(&disk);
    }
}

/// Writes more than fits, once the file `go` exists beside the workflow.
const LARGE: &str = "nodes:
  make:
    dir: .
    run: |
      echo begun
      until [ -e go ]; do sleep 0.05; done
      head -c 300000 /dev/zero > large.bin
    outputs: { large: { path: large.bin, type: file } }
  read:
    with: { large: \"${{ make.large }}\" }
    run: wc -c < \"$large\"
outputs:
  bytes: \"${{ read.stdout }}\"
";

/// Checks that a file for which there is no space is collected by a later daemon, once there is.
fn collects_later(disk: &Small<'_>) {
    disk.fanlight().file("large.yaml", LARGE);
    assert_eq!(disk.say(&["run", "large.yaml", "--detach"]).code, 0);
    wait_for("the command to begin", || disk.say(&["logs", "large"]).out.contains("begun"));
    disk.fill_for_files();
    disk.fanlight().file("go", "");
    wait_for("the reason", || disk.say(&["daemon", "status"]).err.contains("attempts wait for space"));
    assert_eq!(disk.say(&["daemon", "stop"]).code, 0, "a daemon on a full disk stops");
    wait_for("the next daemon to wait too", || {
        disk.say(&["show", "large"]);
        // Its database may run out of space before the outputs do.
        disk.say(&["daemon", "status"]).err.contains("is full")
    });
    disk.free();
    // Its first node is completed before the run is.
    wait_for("the run to go on by itself", || disk.say(&["show", "large"]).out.contains("300000"));
}

#[test]
fn outputs_that_a_full_disk_has_no_room_for_are_collected_when_it_has() {
    let fanlight = seeded();
    if let Some(disk) = Small::mounted(&fanlight) {
        collects_later(&disk);
    }
}

#[test]
fn outputs_that_a_disk_refuses_are_collected_when_it_takes_them() {
    let fanlight = seeded();
    if let Some(disk) = Small::refusing(&fanlight) {
        collects_later(&disk);
    }
}
