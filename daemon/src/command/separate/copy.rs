//! Copies a folder for one attempt: modes and times are kept, links stay links, and no byte is shared with the original
//! unless the file system separates them when one of the two is written (reflinks).
//!
//! Each file is copied as it was at one moment. One that is written meanwhile is copied again, and if it never rests,
//! that is an error; one that is removed before its turn is absent.

use std::ffi::OsStr;
use std::fs::{self, File, FileTimes, Permissions};
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _, symlink};
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, Timespec, Timestamps};
use rustix::io::Errno;

use super::super::changed::{MAX_TRIES, Stamp, TICK};
use super::super::folder::{Folder, make_folder, sentence};
use super::super::shown as events;
use super::listing::{LeftOut, Listing, list, shown, unreadable};
use crate::attempt::Attempt;
use crate::file_error::FileError;
use crate::store::blob::Blobs;

/// How much is copied between two looks at whether the attempt was cancelled, in bytes.
const CHUNK: u64 = 32 << 20;
/// The longest `.git` that is read, in bytes.
const MAX_GIT_FILE: u64 = 8 << 10;
/// The interval between two reports of progress.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(250);

/// Copies `from` to the separate folder of an attempt, except what a pattern of `exclude` matches. Returns notes for people.
pub(super) fn make(
    (from, exclude): (&Path, &[String]),
    attempt: &Attempt,
    folder: &Folder,
    blobs: &Blobs,
) -> Result<Vec<String>, FileError> {
    // The folder that an engine sees may be in the copied one.
    let left_out = LeftOut::of(exclude, blobs, folder.files().parent())?;
    let mut listing = list(from, &left_out, &attempt.cancel)?;
    let notes = std::mem::take(&mut listing.notes);
    let to = folder.separate();
    let (clones, is_in_home) = (true, !folder.is_on_engine());
    let mut copying =
        Copying { attempt, blobs, from, to, is_in_home, listing, notes, clones, told: Instant::now() };
    copying.all()?;
    Ok(copying.notes)
}

struct Copying<'a> {
    attempt: &'a Attempt,
    blobs: &'a Blobs,
    from: &'a Path,
    to: PathBuf,
    /// Whether it takes space of the home, which is known.
    is_in_home: bool,
    listing: Listing,
    notes: Vec<String>,
    /// Whether the file system may still turn out to share bytes between copies.
    clones: bool,
    told: Instant,
}

impl Copying<'_> {
    fn all(&mut self) -> Result<(), FileError> {
        let listing = std::mem::take(&mut self.listing);
        for (path, _) in &listing.folders {
            let folder = self.to.join(path);
            make_folder(&folder).map_err(|error| sentence("can't make", &folder, &error))?;
        }
        for (done, path) in listing.files.iter().enumerate() {
            self.check_cancel()?;
            self.tell(done, listing.files.len());
            self.file(path, listing.bytes)?;
            self.note_repository(path);
        }
        for path in &listing.links {
            self.link(path)?;
        }
        // Last, since each new entry changes the time of its folder, and a folder may forbid new ones.
        for (path, meta) in listing.folders.iter().rev() {
            let folder = self.to.join(path);
            let set = || {
                fs::set_permissions(&folder, Permissions::from_mode(meta.permissions().mode() & 0o777))?;
                set_times(&folder, meta)
            };
            set().map_err(|error| sentence("can't write", &folder, &error))?;
        }
        Ok(())
    }

    fn check_cancel(&self) -> Result<(), FileError> {
        if self.attempt.cancel.is_cancelled() { Err("cancelled".into()) } else { Ok(()) }
    }

    #[allow(clippy::cast_precision_loss)]
    fn tell(&mut self, done: usize, all: usize) {
        if self.told.elapsed() >= PROGRESS_INTERVAL {
            self.told = Instant::now();
            let message = format!("copying {}: {done} of {all} files", shown(self.from));
            let fraction = done as f64 / all as f64;
            self.attempt.live(events::progress(self.attempt, Some(fraction), Some(message)));
        }
    }

    /// Copies one file as it was at one moment.
    fn file(&mut self, path: &Path, all_bytes: u64) -> Result<(), FileError> {
        let (from, to) = (self.from.join(path), self.to.join(path));
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let source = match rustix::fs::open(&from, flags, Mode::empty()) {
            Err(Errno::NOENT) => return Ok(()),
            source => File::from(source.map_err(|errno| unreadable(&from, &errno.into()))?),
        };
        let unwritable = |error: io::Error| sentence("can't write", &to, &error);
        let target = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&to);
        let target = target.map_err(unwritable)?;
        for _ in 0..MAX_TRIES {
            let meta = source.metadata().map_err(|error| unreadable(&from, &error))?;
            if !meta.is_file() {
                break;
            }
            let before = Stamp::of_file(&source).map_err(|error| unreadable(&from, &error))?;
            target.set_len(0).map_err(unwritable)?;
            let copied = self.bytes(&from, &source, &target, all_bytes)?;
            let after = Stamp::of_file(&source).map_err(|error| unreadable(&from, &error))?;
            if before != after || copied != meta.len() {
                continue;
            }
            if before.is_fresh() {
                // Another change within this tick would leave its times as they are.
                std::thread::sleep(TICK);
                continue;
            }
            let set = || {
                target.set_permissions(Permissions::from_mode(meta.permissions().mode() & 0o777))?;
                target
                    .set_times(FileTimes::new().set_accessed(meta.accessed()?).set_modified(meta.modified()?))
            };
            return set().map_err(unwritable);
        }
        let name = shown(&from);
        Err(format!("{name} changes while it is copied; try again when it rests, or leave it out by `exclude` of `dir`").into())
    }

    /// Copies the bytes of a file, and returns how many.
    fn bytes(
        &mut self,
        from: &Path,
        mut source: &File,
        mut target: &File,
        all_bytes: u64,
    ) -> Result<u64, FileError> {
        if self.clones {
            match rustix::fs::ioctl_ficlone(target, source) {
                Ok(()) => return Ok(target.metadata().map_err(|error| unreadable(from, &error))?.len()),
                // This file can't be shared, but others may be.
                Err(Errno::INVAL | Errno::PERM | Errno::TXTBSY) => {}
                Err(_) => {
                    self.clones = false;
                    if self.is_in_home {
                        self.blobs.check_space(all_bytes)?;
                    }
                }
            }
        }
        io::Seek::rewind(&mut source).map_err(|error| unreadable(from, &error))?;
        io::Seek::rewind(&mut target).map_err(|error| unreadable(from, &error))?;
        let mut copied = 0;
        loop {
            // The kernel copies, without a way through this process, if both file systems allow it.
            let chunk = io::copy(&mut source.take(CHUNK), &mut target);
            let chunk = chunk.map_err(|error| unreadable(from, &error))?;
            copied += chunk;
            if chunk < CHUNK {
                return Ok(copied);
            }
            self.check_cancel()?;
        }
    }

    /// Notes that a `.git` names a repository out of the copy, such as that of a work tree.
    fn note_repository(&mut self, path: &Path) {
        if let Some(of) = repository_outside(path, &self.to.join(path)) {
            self.notes.push(format!(
                "`{}` names a repository out of the copy, `{}`: what git writes to it, such as commits, is not separate",
                shown(path),
                shown(&of)
            ));
        }
    }

    fn link(&mut self, path: &Path) -> Result<(), FileError> {
        let (from, to) = (self.from.join(path), self.to.join(path));
        let (target, meta) = match fs::read_link(&from).and_then(|it| Ok((it, fs::symlink_metadata(&from)?)))
        {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            read => read.map_err(|error| unreadable(&from, &error))?,
        };
        symlink(&target, &to)
            .and_then(|()| set_times(&to, &meta))
            .map_err(|error| sentence("can't write", &to, &error))?;
        if leads_out(path, &target) {
            self.notes.push(format!(
                "`{}` is a link out of the copy, to `{}`: what is written through it is not separate",
                shown(path),
                shown(&target)
            ));
        }
        Ok(())
    }
}

/// Returns the repository that a file names, if it is the `.git` of a work tree and leads out of the folder. `path`: in that folder.
pub(in super::super) fn repository_outside(path: &Path, file: &Path) -> Option<PathBuf> {
    if path.file_name() != Some(OsStr::new(".git")) {
        return None;
    }
    let mut text = Vec::new();
    File::open(file).ok()?.take(MAX_GIT_FILE).read_to_end(&mut text).ok()?;
    let repository = Path::new(OsStr::from_bytes(text.trim_ascii_end().strip_prefix(b"gitdir: ")?));
    leads_out(path, repository).then(|| repository.to_owned())
}

/// Returns whether a link at `path` leads out of the folder, by its text alone.
pub(in super::super) fn leads_out(path: &Path, target: &Path) -> bool {
    let mut depth = path.components().count().saturating_sub(1);
    for part in target.components() {
        match part {
            Component::Normal(_) => depth += 1,
            Component::CurDir => {}
            Component::ParentDir if depth > 0 => depth -= 1,
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return true,
        }
    }
    false
}

/// Sets the times of a folder or link, without following it.
fn set_times(path: &Path, meta: &fs::Metadata) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    let times = Timestamps {
        last_access: Timespec { tv_sec: meta.atime(), tv_nsec: meta.atime_nsec() },
        last_modification: Timespec { tv_sec: meta.mtime(), tv_nsec: meta.mtime_nsec() },
    };
    Ok(rustix::fs::utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW)?)
}
