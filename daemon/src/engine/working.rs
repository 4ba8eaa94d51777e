//! Records which run the engine is working on, in memory that outlives the process: if the daemon crashes on a run, the
//! next one knows which.
#![allow(unsafe_code)]

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering};

use fanlight_shared::id::RunId;

/// The size of a run's id in the page.
const ID_BYTES: usize = 16;

/// A mapped page of a file, which later processes can read. Writing to it needs no system call.
pub(super) struct Working {
    page: NonNull<[AtomicU64; 2]>,
    _file: File,
}

// SAFETY: the page is plain memory that only atomics access, and it stays mapped until this is dropped.
unsafe impl Send for Working {}

impl Working {
    /// Returns the run that a daemon was working on when it died, if any.
    pub(super) fn read(path: &Path) -> Option<RunId> {
        let mut id = [0; ID_BYTES];
        File::open(path).and_then(|mut file| file.read_exact(&mut id)).ok()?;
        (id != [0; ID_BYTES]).then(|| RunId::from_bytes(id))
    }

    /// Maps the page of this daemon, with no run recorded.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
        // Write the bytes instead of only extending the file, so that disk space is allocated.
        file.write_all(&[0; ID_BYTES])?;
        // SAFETY: a new mapping of an open file that is long enough; nothing else is mapped there.
        let page = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                ID_BYTES,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                file.as_raw_fd(),
                0,
            )
        };
        if page == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        // A page's alignment is more than enough for a number.
        let page = NonNull::new(page.cast()).ok_or_else(io::Error::last_os_error)?;
        Ok(Self { page, _file: file })
    }

    /// Records that this run is being worked on.
    pub(super) fn record(&self, run: RunId) {
        let id = run.as_bytes();
        let half = |from: usize| {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(&id[from..from + 8]);
            u64::from_ne_bytes(bytes)
        };
        self.write([half(0), half(8)]);
    }

    /// Records that no run is being worked on.
    pub(super) fn clear(&self) {
        self.write([0, 0]);
    }

    fn write(&self, halves: [u64; 2]) {
        // SAFETY: the page is mapped, aligned and long enough for two numbers until this is dropped.
        let page = unsafe { self.page.as_ref() };
        page[0].store(halves[0], Ordering::Relaxed);
        page[1].store(halves[1], Ordering::Relaxed);
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        // SAFETY: mapped by `open` and not used after this.
        unsafe { libc::munmap(self.page.as_ptr().cast(), ID_BYTES) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_daemon_knows_the_run_that_was_worked_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("working");
        assert_eq!(Working::read(&path), None);
        let run = RunId::new();
        let working = Working::open(&path).unwrap();
        working.record(run);
        // As after a killed process: nothing is flushed or dropped.
        std::mem::forget(working);
        assert_eq!(Working::read(&path), Some(run));
        let next = Working::open(&path).unwrap();
        assert_eq!(Working::read(&path), None);
        next.record(run);
        next.clear();
        assert_eq!(Working::read(&path), None);
    }
}
