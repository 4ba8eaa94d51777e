//! The files of one folder, as tools. Nothing outside of it is reached: neither by `..` nor by a link. Blocks.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

use crate::rooted::{Entry, Links, MAX_DEPTH, Root, WalkEntry, inner_path, walk};

/// The longest file that is read, in bytes.
const MAX_FILE_BYTES: u64 = 1 << 20;
/// The most files that are listed.
const MAX_FILES: usize = 1_000;

/// Returns the path of the folder of a tool, which is absolute or relative to that of the workflow file.
///
/// # Errors
/// There is no such folder.
pub(super) fn folder(tool: &str, folder: &str, project: Option<&Path>) -> Result<PathBuf, String> {
    let path = match project {
        Some(project) => project.join(folder),
        None if folder.starts_with('/') => folder.into(),
        None => {
            return Err(format!(
                "the folder `{folder}` is relative, but this workflow was submitted without a file"
            ));
        }
    };
    path.canonicalize().map_err(|error| unreadable(tool, &path, &error))
}

fn unreadable(tool: &str, path: &Path, error: &std::io::Error) -> String {
    format!("the folder {} of `{tool}`: {error}", path.display())
}

/// A folder whose files a model may see.
pub(super) struct Files {
    root: Root,
}

impl Files {
    /// Opens the folder, which is absolute or relative to that of the workflow file.
    ///
    /// # Errors
    /// There is no such folder.
    pub(super) fn open(folder: &str, project: Option<&Path>) -> Result<Self, String> {
        let path = self::folder("files", folder, project)?;
        let root = Root::open(&path).map_err(|error| unreadable("files", &path, &error))?;
        Ok(Self { root })
    }

    /// Lists the files below a folder, a line each.
    pub(super) fn list(&self, path: &str) -> Result<String, String> {
        let start = inner_path(Path::new(path), self.root.path())
            .map_err(|refusal| format!("`{path}`: {refusal}"))?;
        let mut names = Vec::new();
        let mut more = false;
        walk(&self.root, &start, MAX_DEPTH, Links::Follow, &mut |path, met| {
            if let WalkEntry::File(_) = met {
                if names.len() < MAX_FILES {
                    names.push(path.to_string_lossy().into_owned())
                } else {
                    more = true
                }
            }
            Ok(())
        })?;
        names.sort();
        if more {
            names.push(format!("(there are more than {MAX_FILES} files)"));
        }
        Ok(names.join("\n"))
    }

    /// Returns the text of a file.
    pub(super) fn read(&self, path: &str) -> Result<String, String> {
        let named = |why: &dyn std::fmt::Display| format!("`{path}`: {why}");
        let file = match self.root.entry(Path::new(path)).map_err(|refusal| named(&refusal))? {
            Entry::File(file) => file,
            Entry::Folder(_) => return Err(named(&"it is a folder")),
        };
        let mut bytes = Vec::new();
        file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(|error| named(&error))?;
        if bytes.len() as u64 > MAX_FILE_BYTES {
            return Err(named(&format!("it has more than {} MiB", MAX_FILE_BYTES >> 20)));
        }
        String::from_utf8(bytes).map_err(|_| named(&"it is not UTF-8 text"))
    }

    /// Writes a text file in a folder that exists. It has the whole text or the one before.
    pub(super) fn write(&self, path: &str, text: &str) -> Result<String, String> {
        let named = |why: &dyn std::fmt::Display| format!("`{path}`: {why}");
        let inner = inner_path(Path::new(path), self.root.path()).map_err(|refusal| named(&refusal))?;
        let (Some(name), Some(parent)) = (inner.file_name(), inner.parent()) else {
            return Err(named(&"it is not the path of a file"));
        };
        let entry = if parent.as_os_str().is_empty() {
            None
        } else {
            Some(self.root.entry(parent).map_err(|it| named(&it))?)
        };
        let folder = match &entry {
            None => self.root.folder(),
            Some(Entry::Folder(folder)) => std::os::fd::AsFd::as_fd(folder),
            Some(Entry::File(_)) => return Err(named(&"its folder is a file")),
        };
        if matches!(self.root.entry(&inner), Ok(Entry::Folder(_))) {
            return Err(named(&"it is a folder"));
        }
        let part = format!(".fanlight-{}", uuid::Uuid::now_v7());
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let written = rustix::fs::openat(folder, &part, flags, Mode::from_raw_mode(0o644))
            .map_err(std::io::Error::from)
            .and_then(|file| File::from(file).write_all(text.as_bytes()))
            // A link of this name is replaced, not followed.
            .and_then(|()| rustix::fs::renameat(folder, &part, folder, name).map_err(std::io::Error::from));
        if let Err(error) = written {
            let _ = rustix::fs::unlinkat(folder, &part, rustix::fs::AtFlags::empty());
            return Err(named(&error));
        }
        Ok(format!("written: {} bytes", text.len()))
    }
}
