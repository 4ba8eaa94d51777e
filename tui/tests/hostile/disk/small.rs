//! Homes on disks that can be filled.

use std::io::Write as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;
use std::process::Command;

use fanlight_shared::testing::skip;

use crate::support::{Fanlight, Running, Said, stop};

/// The space that is left in a file system which is full for files.
const LEFT: u64 = 200_000;

/// A home on a disk that can be filled. It goes with its test, and with it the daemon of that home, also when the test
/// fails.
pub(super) struct Small<'a> {
    fanlight: &'a Fanlight,
    home: PathBuf,
    /// The library that refuses to write; a home without it is a file system.
    library: Option<PathBuf>,
}

impl<'a> Small<'a> {
    fn new(fanlight: &'a Fanlight) -> Self {
        let home = fanlight.path("full");
        std::fs::DirBuilder::new().mode(0o700).create(&home).unwrap();
        Self { fanlight, home, library: None }
    }

    /// Returns a small file system, or says that the test is skipped.
    pub(super) fn mounted(fanlight: &'a Fanlight) -> Option<Self> {
        let small = Self::new(fanlight);
        let mut mount = Command::new("mount");
        let mount = mount.args(["-t", "tmpfs", "-o", "size=6m,mode=0700", "tmpfs"]).arg(&small.home);
        let mounted = mount.output().is_ok_and(|it| it.status.success());
        if !mounted {
            skip("no small file system can be mounted here");
        }
        mounted.then_some(small)
    }

    /// Returns a folder in which the programs of this home fail to write as on a full disk, or says that the test is
    /// skipped. It needs no permission to mount anything.
    pub(super) fn refusing(fanlight: &'a Fanlight) -> Option<Self> {
        let library = fanlight.path("full_disk.so");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/hostile/disk/full_disk.c");
        let built =
            Command::new("cc").args(["-shared", "-fPIC", source, "-ldl", "-o"]).arg(&library).output();
        if !cfg!(all(target_os = "linux", target_env = "gnu")) || !built.is_ok_and(|it| it.status.success()) {
            skip("no library can be loaded into programs here");
            return None;
        }
        let mut small = Self::new(fanlight);
        small.library = Some(library);
        Some(small)
    }

    pub(super) fn fanlight(&self) -> &'a Fanlight {
        self.fanlight
    }

    /// Returns the executable with this home.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.fanlight.command(arguments);
        command.env("FANLIGHT_HOME", &self.home);
        if let Some(library) = &self.library {
            command.env("LD_PRELOAD", library).env("FANLIGHT_TEST_FULL", self.flag());
        }
        command
    }

    /// Runs a command line to its end.
    pub(super) fn say(&self, arguments: &[&str]) -> Said {
        self.start(arguments).ends()
    }

    /// Starts a command line and leaves it running.
    pub(super) fn start(&self, arguments: &[&str]) -> Running {
        Running::of(self.command(arguments))
    }

    /// Leaves no space.
    pub(super) fn fill(&self) {
        if self.library.is_some() {
            return self.refuse("");
        }
        let mut filler = std::fs::File::create(self.filler()).unwrap();
        for size in [65536, 4096, 512] {
            while filler.write_all(&vec![1; size]).is_ok() {}
        }
    }

    /// Leaves no space for long files; the database still has some.
    pub(super) fn fill_for_files(&self) {
        if self.library.is_some() {
            return self.refuse("/data/blobs");
        }
        let mut filler = std::fs::File::create(self.filler()).unwrap();
        while filler.write_all(&[1; 65536]).is_ok() {}
        let length = filler.metadata().unwrap().len();
        filler.set_len(length - LEFT).unwrap();
    }

    /// Makes space again.
    pub(super) fn free(&self) {
        let filler = if self.library.is_some() { self.flag() } else { self.filler() };
        std::fs::remove_file(filler).unwrap();
    }

    fn filler(&self) -> PathBuf {
        self.home.join("filler")
    }

    fn flag(&self) -> PathBuf {
        self.fanlight.path("is_full")
    }

    fn refuse(&self, below: &str) {
        let home = self.home.canonicalize().unwrap();
        // Written whole before it is read.
        std::fs::write(self.fanlight.path("new"), format!("{}{below}", home.display())).unwrap();
        std::fs::rename(self.fanlight.path("new"), self.flag()).unwrap();
    }
}

impl Drop for Small<'_> {
    fn drop(&mut self) {
        // A full disk has no room for the last decisions; what fills it is only in the way now.
        let _ = std::fs::remove_file(self.filler());
        let _ = std::fs::remove_file(self.flag());
        stop(self.command(&["daemon", "stop", "--cancel"]));
        if self.library.is_none() {
            let _ = Command::new("umount").arg("-l").arg(&self.home).output();
        }
    }
}
