//! The workflows that are compiled in.

use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use fanlight_shared::home::Home;
use fanlight_shared::problem::near;

use crate::failure::Failure;

/// A workflow that is compiled in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Example {
    /// Its name, which is its file's without the ending.
    pub(crate) name: &'static str,
    /// The text of its file.
    pub(crate) document: &'static str,
}

macro_rules! examples {
    ($($name:literal)+) => {
        /// All of them, in the order of the docs.
        pub(crate) const ALL: &[Example] =
            &[$(Example { name: $name, document: include_str!(concat!("../../workflows/", $name, ".yaml")) }),+];
    };
}

examples! { "poster" "contact_sheet" "album" "best_of" "train" "ci" "shell_pipeline" "slow_and_flaky" "product_sheet" "csv-report" "ad_copy" "judge" "podcast_intro" "slideshow" "agents_race" "page_digest" "art_director" "meeting_notes" "captions" "clip" "comfy_seeds" }

/// The examples that run others, and those.
const COMPANIONS: &[(&str, &[&str])] =
    &[("album", &["poster", "contact_sheet"]), ("art_director", &["poster"])];

/// Returns the example of this name.
pub(crate) fn find(name: &str) -> Option<Example> {
    ALL.iter().copied().find(|example| example.name == name)
}

/// Returns the names of all, for messages.
pub(crate) fn names() -> String {
    ALL.iter().map(|example| example.name).collect::<Vec<_>>().join(", ")
}

/// Returns a name that is near, for "did you mean".
pub(crate) fn near_name(name: &str) -> Option<&'static str> {
    near(name, ALL.iter().map(|example| example.name))
}

impl Example {
    /// Returns the path of the file when the example is run by its name: a workflow is identified by its path, and
    /// `dir: .` needs a folder.
    pub(crate) fn path(self, home: &Home) -> PathBuf {
        home.data.join("examples").join(self.name).join(format!("{}.yaml", self.name))
    }

    /// Returns the examples that it runs; their files are beside its own.
    pub(crate) fn companions(self) -> impl Iterator<Item = Example> {
        let names = COMPANIONS.iter().filter(move |(name, _)| *name == self.name);
        names.flat_map(|(_, companions)| companions.iter()).filter_map(|name| find(name))
    }

    /// Writes the files of the examples that it runs to a folder.
    ///
    /// # Errors
    /// A sentence: there is another file of such a name, or it can't be written.
    pub(crate) fn write_companions(self, folder: &Path) -> Result<(), String> {
        for companion in self.companions() {
            let path = folder.join(format!("{}.yaml", companion.name));
            let written =
                File::create_new(&path).and_then(|mut file| file.write_all(companion.document.as_bytes()));
            match written {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::AlreadyExists && companion.is_in(&path) => {}
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    return Err(format!(
                        "`{}` exists already, and is not the workflow that `{}` runs; choose another folder",
                        path.display(),
                        self.name
                    ));
                }
                Err(error) => return Err(format!("{} can't be written: {error}", path.display())),
            }
        }
        Ok(())
    }

    fn is_in(self, path: &Path) -> bool {
        std::fs::read(path).is_ok_and(|text| text == self.document.as_bytes())
    }

    /// Writes the file and those of the examples that it runs, unless they exist with the same text.
    pub(crate) fn place(self, home: &Home) -> Result<PathBuf, Failure> {
        let path = self.path(home);
        let folder = path.parent().unwrap_or(&home.data);
        for companion in self.companions() {
            companion.write(&folder.join(format!("{}.yaml", companion.name)))?;
        }
        self.write(&path)?;
        Ok(path)
    }

    fn write(self, path: &Path) -> Result<(), Failure> {
        if self.is_in(path) {
            return Ok(());
        }
        let place = || -> std::io::Result<()> {
            let folder = path.parent().unwrap_or(Path::new("."));
            use std::os::unix::fs::DirBuilderExt as _;
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            file.write_all(self.document.as_bytes())?;
            file.persist(path)?;
            Ok(())
        };
        place().map_err(|error| Failure::failed(format!("{} can't be written: {error}", path.display())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_passes_its_checks() {
        let catalogue = crate::embedded::catalogue();
        for example in ALL {
            let checked = fanlight_shared::document::read(example.document, &catalogue);
            let checked = checked.unwrap_or_else(|problems| panic!("{}: {problems:?}", example.name));
            assert!(checked.warnings.is_empty(), "{}: {:?}", example.name, checked.warnings);
        }
    }

    #[test]
    fn an_example_is_written_once_and_updated() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::below(folder.path()).unwrap();
        let path = find("poster").unwrap().place(&home).unwrap();
        std::fs::write(&path, "old").unwrap();
        find("poster").unwrap().place(&home).unwrap();
        assert_eq!(std::fs::read_to_string(path).unwrap(), find("poster").unwrap().document);
    }
}
