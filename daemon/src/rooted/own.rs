//! Fanlight's own files in folders that a command can write to: they are never reached through a link.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::AsFd;
use std::path::Path;

use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::{FOLDER, Refusal, kind_of, open_file, word};

/// Opens the regular file `name` in `folder`, both of which are Fanlight's own: neither may have become a link.
///
/// # Errors
/// See [`Refusal`].
pub(crate) fn open_own(folder: &Path, name: &str) -> Result<File, Refusal> {
    let folder = rustix::fs::open(folder, FOLDER, Mode::empty()).map_err(|errno| match errno {
        // A link answers "not a directory" where NOFOLLOW and DIRECTORY meet.
        Errno::LOOP | Errno::NOTDIR => Refusal::Replaced,
        other => other.into(),
    })?;
    // Looked at before it is opened, since opening a device may do something.
    match kind_of(&rustix::fs::statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW)?) {
        FileType::RegularFile => open_file(folder.as_fd(), OsStr::new(name)),
        FileType::Symlink => Err(Refusal::Replaced),
        FileType::Directory => Err(Refusal::Special("a folder")),
        other => Err(Refusal::Special(word(other))),
    }
}

/// Makes the file `name` in `folder`, or empties it, for its owner alone. Both are Fanlight's own: neither may have become
/// a link, since a command could lead what is written elsewhere by one.
///
/// # Errors
/// One of them is a link; the file can't be made.
pub(crate) fn create_own(folder: &Path, name: &str) -> io::Result<File> {
    let folder = rustix::fs::open(folder, FOLDER, Mode::empty())?;
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    // Opening a fifo for writing would wait for a reader.
    let file = rustix::fs::openat(&folder, name, flags | OFlags::NONBLOCK, Mode::RUSR | Mode::WUSR)?;
    let file = File::from(file);
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::ErrorKind::InvalidInput.into()) }
}

/// Reads the whole file `name` in `folder`; see [`open_own`].
///
/// # Errors
/// It is not there, is a link, or can't be read.
pub(crate) fn read_own(folder: &Path, name: &str) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open_own(folder, name)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}
