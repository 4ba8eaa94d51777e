//! Shared code of the `file.*` types: resolving the paths of a workflow, and opening files safely.

use std::fs::File;
use std::io;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{FileType, Mode, OFlags};

use super::NodeCall;
use crate::rooted::check_on_disk;

/// Resolves a path that a node reads. A relative path is resolved in the folder of the workflow file and must stay
/// below it, with symlinks followed; an absolute path is taken as it is.
pub(super) fn readable(call: &NodeCall, path: &str) -> Result<PathBuf, String> {
    let given = Path::new(path);
    let (base, path) = match &call.attempt.run.project {
        _ if given.is_absolute() => (None, given.to_path_buf()),
        Some(project) => (Some(project), project.join(given)),
        None => {
            return Err(format!(
                "`{path}` is relative, but this workflow was submitted without a file; use an absolute path"
            ));
        }
    };
    let real = path.canonicalize().map_err(|error| sentence(&path, &error))?;
    let Some(base) = base else { return Ok(real) };
    let base = base.canonicalize().map_err(|error| sentence(base, &error))?;
    if !real.starts_with(&base) {
        return Err(format!(
            "`{}` leads out of the workflow's folder {}; use an absolute path if that is intended",
            given.display(),
            base.display()
        ));
    }
    Ok(real)
}

/// Opens a regular file for reading; never blocks on a FIFO, and never follows a symlink in the last part of the path.
pub(super) fn open(path: &Path) -> Result<File, String> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOFOLLOW;
    let file = rustix::fs::open(path, flags, Mode::empty()).map_err(|error| sentence(path, &error.into()))?;
    let stat = rustix::fs::fstat(&file).map_err(|error| sentence(path, &error.into()))?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => {
            check_on_disk(&file, path)?;
            Ok(file.into())
        }
        FileType::Directory => Err(format!("{} is a folder, not a file", path.display())),
        _ => Err(format!("{} is not a regular file", path.display())),
    }
}

/// Returns whether the path has `..` parts.
pub(super) fn climbs(path: &Path) -> bool {
    path.components().any(|part| part == Component::ParentDir)
}

/// Returns an error of the file system as a sentence.
pub(super) fn sentence(path: &Path, error: &io::Error) -> String {
    let path = path.display();
    match error.kind() {
        io::ErrorKind::NotFound => format!("{path} does not exist"),
        io::ErrorKind::PermissionDenied => format!("{path} can't be read or written by this user"),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            format!("the disk that holds {path} is full")
        }
        _ => format!("{path}: {error}"),
    }
}

/// Returns the last part of a path, for people.
pub(super) fn name(path: &Path) -> String {
    path.file_name().map_or_else(|| "file".into(), |name| name.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn no_file_of_the_kernel_is_read() {
        for path in ["/proc/self/environ", "/sys/kernel/notes", "/proc/version"] {
            if Path::new(path).exists() {
                assert!(open(Path::new(path)).unwrap_err().contains("belongs to the kernel"), "{path}");
            }
        }
        assert!(open(Path::new("/dev/zero")).unwrap_err().contains("not a regular file"));
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(open(file.path()).is_ok());
    }
}
