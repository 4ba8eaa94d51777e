//! Writes new files atomically, and over an existing file only on request.

use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// A file that gets its name once it is complete, and only if that name is free or is to be replaced.
pub(crate) struct NewFile {
    /// The temporary file.
    pub(crate) temporary: tempfile::NamedTempFile,
    path: PathBuf,
}

impl NewFile {
    /// Returns a new file in the folder of `path`.
    pub(crate) fn beside(path: &Path) -> Result<Self, String> {
        let folder = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let temporary = tempfile::Builder::new()
            .prefix(".fanlight-")
            // The default mode of new files; the umask applies.
            .permissions(std::fs::Permissions::from_mode(0o666))
            .tempfile_in(folder)
            .map_err(|error| match error.kind() {
                ErrorKind::NotFound => {
                    format!(
                        "`{}` can't be written: there is no folder `{}`",
                        path.display(),
                        folder.display()
                    )
                }
                _ => {
                    let said = error.to_string();
                    // What follows names the temporary file.
                    let said = said.split(" at path ").next().unwrap_or_default();
                    format!("`{}` can't be written: {said}", path.display())
                }
            })?;
        Ok(Self { temporary, path: path.to_owned() })
    }

    /// Returns a sentence about what went wrong.
    pub(crate) fn says(&self, error: &dyn std::fmt::Display) -> String {
        format!("`{}` can't be written: {error}", self.path.display())
    }

    /// Renames it into place, over a file that is there.
    pub(crate) fn replace(self) -> Result<(), String> {
        let persisted = self.temporary.persist(&self.path).map(drop);
        persisted.map_err(|error| format!("`{}` can't be written: {}", self.path.display(), error.error))
    }

    /// Renames it into place.
    pub(crate) fn keep(self) -> Result<(), String> {
        let shown = self.path.display().to_string();
        self.temporary.persist_noclobber(&self.path).map(drop).map_err(|error| match error.error.kind() {
            ErrorKind::AlreadyExists => format!("`{shown}` exists already; it was left as it is"),
            _ => format!("`{shown}` can't be written: {}", error.error),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_missing_folder_is_named_and_no_temporary_file() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("gone");
        let said = NewFile::beside(&missing.join("a.tar")).err().unwrap();
        assert!(said.ends_with(&format!("there is no folder `{}`", missing.display())), "{said}");
    }

    #[test]
    fn existing_files_are_not_changed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("poster.txt");
        let write = |text: &str| {
            let mut new = NewFile::beside(&path).unwrap();
            new.temporary.write_all(text.as_bytes()).unwrap();
            new.keep()
        };
        write("first").unwrap();
        assert!(write("second").unwrap_err().contains("exists already"));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "first");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing temporary is left");
    }
}
