//! What a command on another machine wrote, as it is. A network file system shows names, sizes and times as they were some
//! seconds ago, and a file that looks as it did would not be collected.

use std::io;
use std::path::Path;

use fanlight_shared::workflow::OutputSource;
use rustix::fs::{AtFlags, CWD, StatxFlags};
use rustix::io::Errno;

use crate::command::folder::{Folder, sentence};
use crate::executor::{CommandWork, WorkDir};
use crate::file_error::FileError;
use crate::rooted::{Links, MAX_DEPTH, Root, walk};

/// Asks for everything that may be collected of an attempt that ended.
///
/// # Errors
/// Something can't be read.
pub(super) fn look(folder: &Folder, work: &CommandWork) -> Result<(), FileError> {
    ask(folder.files())?;
    ask(&folder.record())?;
    ask_for_all(&folder.work())?;
    let globs = work.outputs.values().any(|output| matches!(output.source, OutputSource::Glob(_)));
    match &work.dir {
        None => Ok(()),
        // Files with known names are opened, which asks for them.
        Some(WorkDir::Shared(dir)) if globs => ask_for_all(dir),
        Some(WorkDir::Shared(dir)) => ask(dir),
        Some(WorkDir::Copy { .. } | WorkDir::Worktree { .. }) => ask_for_all(&folder.separate()),
    }
}

/// Asks for a folder and everything below it. A folder is asked for before its names are read.
fn ask_for_all(top: &Path) -> Result<(), FileError> {
    ask(top)?;
    let root = match Root::open(top) {
        // To miss it is the matter of those who collect.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        root => root.map_err(|error| sentence("can't read", top, &error))?,
    };
    walk(&root, Path::new(""), MAX_DEPTH, Links::Ignore, &mut |path, _| {
        ask(&top.join(path)).map_err(|error| error.to_string())
    })?;
    Ok(())
}

fn ask(path: &Path) -> Result<(), FileError> {
    let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::STATX_FORCE_SYNC;
    match rustix::fs::statx(CWD, path, flags, StatxFlags::BASIC_STATS) {
        // Kernels before Linux 4.11 and some containers have no such call, and nothing instead of it.
        Ok(_) | Err(Errno::NOENT | Errno::NOSYS | Errno::PERM) => Ok(()),
        Err(errno) => Err(sentence("can't read", path, &errno.into())),
    }
}
