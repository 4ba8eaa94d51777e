//! Disks that can't be written, or are full.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};

use crate::support::{Fanlight, wait_for};
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

#[test]
fn a_full_disk_is_an_error_and_loses_nothing() {
    let fanlight = seeded();
    let home = fanlight.path("full");
    std::fs::create_dir(&home).unwrap();
    let Some(_mounted) = Mounted::tmpfs(&fanlight, &home, "size=6m,mode=0700") else {
        fanlight_shared::testing::skip("no small file system can be mounted here");
        return;
    };
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
    // The already allocated space has room for a few more.
    let refused = (0..200).map(|_| say(&["run", "seeded.yaml", "--detach"])).find(|said| said.0 != Some(0));
    let (code, err) = refused.expect("a full disk refuses in the end");
    assert_eq!(code, Some(1), "{err}");
    assert!(err.contains("full"), "{err}");
    // Clients that follow a run are informed, and so are later ones.
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
        line.contains("the problem is resolved")
    });
    assert!(over.is_some(), "the end of the banner: {said:?}");
    fanlight.file("go", "");
    let rest: Vec<String> = heard.collect();
    assert_eq!(followed.wait().unwrap().code(), Some(0), "{said:?} {rest:?}");
    wait_for("the daemon to go on", || say(&["run", "seeded.yaml"]).0 == Some(0));
    assert_eq!(say(&["doctor", "--deep"]).0, Some(0));
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

#[test]
fn outputs_that_a_full_disk_has_no_room_for_are_collected_when_it_has() {
    let fanlight = seeded();
    fanlight.file("large.yaml", LARGE);
    let home = fanlight.path("small");
    std::fs::create_dir(&home).unwrap();
    let Some(_mounted) = Mounted::tmpfs(&fanlight, &home, "size=6m,mode=0700") else {
        fanlight_shared::testing::skip("no small file system can be mounted here");
        return;
    };
    let say = |line: &[&str]| {
        let said = fanlight.command(line).env("FANLIGHT_HOME", &home).output().unwrap();
        let [out, err] = [said.stdout, said.stderr].map(|it| String::from_utf8_lossy(&it).into_owned());
        (said.status.code(), out, err)
    };
    assert_eq!(say(&["run", "large.yaml", "--detach"]).0, Some(0));
    wait_for("the command to begin", || say(&["logs", "large"]).1.contains("begun"));
    let mut filler = std::fs::File::create(home.join("filler")).unwrap();
    while filler.write_all(&[1; 65536]).is_ok() {}
    // The database still has some room; the file has none.
    let length = filler.metadata().unwrap().len();
    filler.set_len(length - 200_000).unwrap();
    drop(filler);
    fanlight.file("go", "");
    wait_for("the reason", || say(&["daemon", "status"]).2.contains("attempts wait for space"));
    assert_eq!(say(&["daemon", "stop"]).0, Some(0), "a daemon on a full disk stops");
    wait_for("the next daemon to wait too", || {
        say(&["show", "large"]);
        // Its database may run out of space before the outputs do.
        say(&["daemon", "status"]).2.contains("is full")
    });
    std::fs::remove_file(home.join("filler")).unwrap();
    wait_for("the run to go on by itself", || say(&["show", "large"]).1.contains("completed"));
    assert!(say(&["show", "large"]).1.contains("300000"));
}

/// A home on a file system of its own, which goes with its test, and with it the daemon of that home, also when the test
/// fails.
struct Mounted<'a> {
    home: PathBuf,
    fanlight: &'a Fanlight,
}

impl<'a> Mounted<'a> {
    /// Returns `None` if nothing can be mounted.
    fn tmpfs(fanlight: &'a Fanlight, home: &Path, options: &str) -> Option<Self> {
        let mut mount = std::process::Command::new("mount");
        let mount = mount.args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(home);
        let mounted = mount.output().is_ok_and(|it| it.status.success());
        mounted.then(|| Self { home: home.to_owned(), fanlight })
    }
}

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        // A filled disk has no room for the last decisions; what fills it is only in the way now.
        let _ = std::fs::remove_file(self.home.join("filler"));
        let mut stop = self.fanlight.command(&["daemon", "stop", "--cancel"]);
        let _ = stop.env("FANLIGHT_HOME", &self.home).output();
        let _ = std::process::Command::new("umount").arg("-l").arg(&self.home).status();
    }
}
