//! Opens Fanlight's own files in folders that a command can write to, never through a link.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::AsFd;
use std::path::Path;

use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::{FOLDER, Refusal, kind_of, open_file, word};

/// Opens the regular file `name` in `folder`, both of which are Fanlight's own: neither may have been replaced by a
/// link.
///
/// # Errors
/// See [`Refusal`].
pub(crate) fn open_own(folder: &Path, name: &str) -> Result<File, Refusal> {
    let folder = rustix::fs::open(folder, FOLDER, Mode::empty()).map_err(|errno| match errno {
        // A link gives "not a directory" for NOFOLLOW with DIRECTORY.
        Errno::LOOP | Errno::NOTDIR => Refusal::Replaced,
        other => other.into(),
    })?;
    // Check before opening, since opening a device may have an effect.
    match kind_of(&rustix::fs::statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW)?) {
        FileType::RegularFile => open_file(folder.as_fd(), OsStr::new(name)),
        FileType::Symlink => Err(Refusal::Replaced),
        FileType::Directory => Err(Refusal::Special("a folder")),
        other => Err(Refusal::Special(word(other))),
    }
}

/// Creates or truncates the file `name` in `folder`, for its owner only. Both are Fanlight's own: neither may have been
/// replaced by a link, with which a command could redirect the write.
///
/// # Errors
/// One of them is a link, or the file can't be created.
pub(crate) fn create_own(folder: &Path, name: &str) -> io::Result<File> {
    let folder = rustix::fs::open(folder, FOLDER, Mode::empty())?;
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    // Opening a FIFO for writing would wait for a reader.
    let file = rustix::fs::openat(&folder, name, flags | OFlags::NONBLOCK, Mode::RUSR | Mode::WUSR)?;
    let file = File::from(file);
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::ErrorKind::InvalidInput.into()) }
}

/// Reads the whole file `name` in `folder`; see [`open_own`].
///
/// # Errors
/// It doesn't exist, is a link, or can't be read.
pub(crate) fn read_own(folder: &Path, name: &str) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open_own(folder, name)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}
