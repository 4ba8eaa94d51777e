//! Trees by cgroup2.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use fanlight_shared::id::AttemptId;
use rustix::event::{PollFd, PollFlags};
use rustix::process::{Pid, PidfdFlags, Signal};

use super::super::system;

/// The cgroup of one attempt.
#[derive(Debug)]
pub(crate) struct Cgroup {
    path: PathBuf,
    /// Open only while the attempt starts and while waiting for its end: descriptors are scarce.
    folder: Option<File>,
}

impl Cgroup {
    /// Creates the cgroup of an attempt below `base`.
    pub(crate) fn make(base: &Path, id: AttemptId) -> io::Result<Self> {
        let path = base.join(format!("fanlight-{id}"));
        std::fs::create_dir(&path)?;
        let folder = open_folder(&path).inspect_err(|_| drop(std::fs::remove_dir(&path)))?;
        Ok(Self { path, folder: Some(folder) })
    }

    /// Returns a cgroup that an earlier supervisor made.
    pub(crate) fn found(path: PathBuf) -> Self {
        Self { path, folder: None }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns its open folder.
    pub(crate) fn folder(&self) -> io::Result<BorrowedFd<'_>> {
        self.folder.as_ref().map(AsFd::as_fd).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Closes the folder, which isn't needed once the main process is running.
    pub(crate) fn close(&mut self) {
        self.folder = None;
    }

    /// Sends a signal to every member.
    pub(crate) fn signal(&self, signal: Signal) {
        if signal == Signal::KILL {
            // The kernel kills what is forked meanwhile too.
            let _ = std::fs::write(self.path.join("cgroup.kill"), "1");
            return;
        }
        let members = self.members();
        let open = |pid: &u32| {
            let pid = Pid::from_raw(i32::try_from(*pid).ok()?)?;
            Some((pid, rustix::process::pidfd_open(pid, PidfdFlags::empty()).ok()?))
        };
        let handles: Vec<_> = members.iter().filter_map(open).collect();
        // Check membership again after opening the handle: the process id may have been reused before.
        let still = self.members();
        for (pid, handle) in handles {
            if still.contains(&pid.as_raw_pid().cast_unsigned()) {
                let _ = rustix::process::pidfd_send_signal(handle, signal);
            }
        }
    }

    /// Returns the process ids of the members, including those in child cgroups.
    fn members(&self) -> Vec<u32> {
        let mut members = Vec::new();
        let mut folders = vec![self.path.clone()];
        while let Some(folder) = folders.pop() {
            let text = std::fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default();
            members.extend(text.lines().filter_map(|line| line.parse::<u32>().ok()));
            folders.extend(below(&folder));
        }
        members
    }

    /// Removes the cgroup if it has no members. Returns whether it is gone.
    pub(crate) fn remove(&self) -> bool {
        match std::fs::remove_dir(&self.path) {
            Ok(()) => true,
            Err(error) if error.kind() == io::ErrorKind::NotFound => true,
            Err(_) if below(&self.path).is_empty() || self.populated() => false,
            Err(_) => {
                // The command has created child cgroups.
                let mut folders = below(&self.path);
                let mut index = 0;
                while index < folders.len() {
                    let more = below(&folders[index]);
                    folders.extend(more);
                    index += 1;
                }
                for folder in folders.iter().rev() {
                    let _ = std::fs::remove_dir(folder);
                }
                std::fs::remove_dir(&self.path).is_ok()
            }
        }
    }

    fn populated(&self) -> bool {
        std::fs::read_to_string(self.path.join("cgroup.events"))
            .is_ok_and(|text| text.contains("populated 1"))
    }

    /// Returns a file that becomes ready (with [`PollFlags::PRI`]) when the last member goes; opened before [`Cgroup::remove`] is tried.
    pub(crate) fn events(&self) -> io::Result<File> {
        let mut file = File::open(self.path.join("cgroup.events"))?;
        read_events(&mut file)?;
        Ok(file)
    }

    /// Kills every member and waits until none remains, at most `patience`. Returns whether the cgroup is gone.
    pub(crate) fn end(&self, patience: Duration) -> bool {
        let until = Instant::now() + patience;
        loop {
            let events = self.events();
            self.signal(Signal::KILL);
            if self.remove() {
                return true;
            }
            let Some(left) = until.checked_duration_since(Instant::now()) else { return false };
            let Ok(events) = events else { return false };
            // The kernel notifies when the last member ends; the timeout is for a cgroup that gets new members.
            let wait = rustix::event::Timespec::try_from(left.min(Duration::from_millis(200))).ok();
            let _ = rustix::event::poll(&mut [PollFd::new(&events, PollFlags::PRI)], wait.as_ref());
        }
    }
}

/// Reads `cgroup.events`, so that the next change makes it ready again.
pub(crate) fn read_events(file: &mut File) -> io::Result<()> {
    file.seek(SeekFrom::Start(0))?;
    file.read_to_end(&mut Vec::new()).map(drop)
}

fn below(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let folders = entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    folders.map(|entry| entry.path()).collect()
}

fn open_folder(path: &Path) -> io::Result<File> {
    let flags = rustix::fs::OFlags::DIRECTORY.bits().cast_signed();
    std::fs::OpenOptions::new().read(true).custom_flags(flags).open(path)
}

/// Returns the cgroup below which attempts can have theirs: this process's own, if processes can be started in a new
/// child cgroup and killed with it.
pub(crate) fn find() -> Result<PathBuf, String> {
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").map_err(|error| error.to_string())?;
    let own = std::fs::read_to_string("/proc/self/cgroup").map_err(|error| error.to_string())?;
    let mut why = "no cgroup2 is mounted".to_owned();
    for base in candidates(&mounts, &own) {
        match probe(&base) {
            Ok(()) => return Ok(base),
            Err(error) => {
                why = format!("no process can be contained in a cgroup below {}: {error}", base.display())
            }
        }
    }
    Err(why)
}

/// Returns this process's cgroup under each mount of the cgroup2 tree.
fn candidates(mounts: &str, own: &str) -> Vec<PathBuf> {
    let Some(own) = own.lines().find_map(|line| line.strip_prefix("0::")) else { return Vec::new() };
    let own = Path::new(own);
    let base = |line: &str| {
        let (mount, kind) = line.split_once(" - ")?;
        if kind.split(' ').next()? != "cgroup2" {
            return None;
        }
        let mut fields = mount.split(' ').skip(3);
        let (root, point) = (unescape(fields.next()?), unescape(fields.next()?));
        let inside = own.strip_prefix(&root).ok()?;
        // `join("")` would add a slash.
        Some(if inside.as_os_str().is_empty() { point } else { point.join(inside) })
    };
    mounts.lines().filter_map(base).collect()
}

/// Decodes escapes such as `\040` in `mountinfo`.
fn unescape(field: &str) -> PathBuf {
    let mut text = field.to_owned();
    for (escape, plain) in [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")] {
        text = text.replace(escape, plain);
    }
    text.into()
}

fn probe(base: &Path) -> io::Result<()> {
    let cgroup = Cgroup::make(base, AttemptId::new())?;
    let try_it = || {
        std::fs::metadata(cgroup.path.join("cgroup.kill"))?;
        // The error that a folder can't be executed comes from a child inside the cgroup, which is all that is needed.
        let mut command = Command::new("/");
        match system::spawn_in_cgroup(&mut command, cgroup.folder()?) {
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::ACCESS.raw_os_error()) => Ok(()),
            Err(error) => Err(error),
            Ok(_) => Ok(()),
        }
    };
    let result = try_it();
    let gone = cgroup.end(Duration::from_secs(2));
    while system::reap().is_some() {}
    result.and(if gone { Ok(()) } else { Err(io::ErrorKind::ResourceBusy.into()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_cgroup_is_found_under_each_mount() {
        let mounts = "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n\
                      41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n\
                      42 31 0:38 /user /mnt/a\\040b rw shared:1 - cgroup2 cgroup2 rw\n\
                      43 31 0:38 /elsewhere /mnt/c rw - cgroup2 cgroup2 rw\n";
        let own = "4:memory:/x\n0::/user/me\n";
        let expected = ["/sys/fs/cgroup/unified/user/me", "/mnt/a b/me"].map(PathBuf::from);
        assert_eq!(candidates(mounts, own), expected);
        assert_eq!(candidates(mounts, "0::/\n"), [PathBuf::from("/sys/fs/cgroup/unified")]);
        assert_eq!(candidates(mounts, "4:memory:/x\n"), Vec::<PathBuf>::new());
    }
}
