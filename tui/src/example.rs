//! The workflows that are compiled in.

use std::io::Write as _;
use std::path::PathBuf;

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

examples! { "poster" "contact_sheet" "best_of" "train" "ci" "shell_pipeline" "slow_and_flaky" "product_sheet" "csv-report" "ad_copy" "judge" "podcast_intro" "slideshow" "agents_race" "page_digest" "meeting_notes" "captions" "comfy_seeds" }

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

    /// Writes the file, unless it exists with the same text.
    pub(crate) fn place(self, home: &Home) -> Result<PathBuf, Failure> {
        let path = self.path(home);
        if std::fs::read(&path).is_ok_and(|text| text == self.document.as_bytes()) {
            return Ok(path);
        }
        let place = || -> std::io::Result<()> {
            let folder = path.parent().unwrap_or(&home.data);
            use std::os::unix::fs::DirBuilderExt as _;
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            file.write_all(self.document.as_bytes())?;
            file.persist(&path)?;
            Ok(())
        };
        place().map_err(|error| Failure::failed(format!("{} can't be written: {error}", path.display())))?;
        Ok(path)
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
