//! Disks that can't be written, or not any more.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;

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
        eprintln!("skipped: no read-only file system can be mounted here");
        return;
    }
    let said = fanlight.command(&["run", "seeded.yaml"]).env("FANLIGHT_HOME", &home).output();
    let _ = std::process::Command::new("umount").arg(&home).status();
    let said = said.unwrap();
    let err = String::from_utf8_lossy(&said.stderr).into_owned();
    assert_eq!(said.status.code(), Some(3), "{err}");
    assert!(err.contains("Read-only") && err.contains("ro"), "{err}");
}

#[test]
fn a_full_disk_refuses_in_words_and_harms_nothing() {
    let fanlight = seeded();
    let home = fanlight.path("full");
    std::fs::create_dir(&home).unwrap();
    let mounted = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=6m,mode=0700", "tmpfs"])
        .arg(&home)
        .output()
        .is_ok_and(|it| it.status.success());
    if !mounted {
        eprintln!("skipped: no small file system can be mounted here");
        return;
    }
    let _mounted = Mounted(home.clone());
    let say = |line: &[&str]| {
        let said = fanlight.command(line).env("FANLIGHT_HOME", &home).output().unwrap();
        (said.status.code(), String::from_utf8_lossy(&said.stderr).into_owned())
    };
    assert_eq!(say(&["run", "seeded.yaml"]).0, Some(0));
    fanlight.file("gated.yaml", GATED);
    let mut followed = fanlight.command(&["run", "gated.yaml"]);
    let followed = followed.env("FANLIGHT_HOME", &home).stdout(std::process::Stdio::piped());
    let mut followed = followed.stderr(std::process::Stdio::piped()).spawn().unwrap();
    wait_for("the followed run's command to begin", || {
        let logs = fanlight.command(&["logs", "gated"]).env("FANLIGHT_HOME", &home).output().unwrap();
        !logs.stdout.is_empty()
    });
    let mut filler = std::fs::File::create(home.join("filler")).unwrap();
    for size in [65536, 4096, 512] {
        while filler.write_all(&vec![1; size]).is_ok() {}
    }
    drop(filler);
    // What lies allocated already takes a few more.
    let refused = (0..200).map(|_| say(&["run", "seeded.yaml", "--detach"])).find(|said| said.0 != Some(0));
    let (code, err) = refused.expect("a full disk refuses in the end");
    assert_eq!(code, Some(1), "{err}");
    assert!(err.contains("full"), "{err}");
    // Whoever follows a run hears of it, and so does who comes later.
    let mut heard = BufReader::new(followed.stderr.take().unwrap()).lines().map(Result::unwrap);
    heard.find(|line| line.starts_with("fanlight: the disk that holds")).expect("a banner");
    wait_for("the banner in what comes later", || {
        say(&["run", "seeded.yaml", "--detach"]);
        let (code, err) = say(&["daemon", "status"]);
        assert_eq!(code, Some(0), "it stays up: {err}");
        err.contains("the disk that holds")
    });
    std::fs::remove_file(home.join("filler")).unwrap();
    let mut said = Vec::new();
    let over = heard.find(|line| {
        said.push(line.clone());
        line.contains("that is over")
    });
    assert!(over.is_some(), "the end of the banner: {said:?}");
    fanlight.file("go", "");
    let rest: Vec<String> = heard.collect();
    assert_eq!(followed.wait().unwrap().code(), Some(0), "{said:?} {rest:?}");
    wait_for("the daemon to go on", || say(&["run", "seeded.yaml"]).0 == Some(0));
    assert_eq!(say(&["doctor", "--deep"]).0, Some(0));
    let _ = say(&["daemon", "stop", "--cancel"]);
}

/// A file system that goes with its test.
struct Mounted(PathBuf);

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
