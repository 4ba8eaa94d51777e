//! The user's files: `ui.toml`, `keymap.toml`, `theme.toml`.

mod preferences;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::keymap::Keymap;
use super::theme::Theme;
pub use preferences::Preferences;

/// The settings in the user's files.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Settings {
    /// The key bindings.
    pub keymap: Keymap,
    /// Colours.
    pub theme: Theme,
    /// How the UI behaves.
    pub preferences: Preferences,
}

/// The mistakes in a file of the user.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub struct BadSettings {
    path: PathBuf,
    errors: Vec<String>,
}

impl std::fmt::Display for BadSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = String::new();
        for error in &self.errors {
            let _ = write!(text, "\n  {error}");
        }
        write!(f, "{} has errors:{text}", self.path.display())
    }
}

impl Settings {
    /// Reads `ui.toml`, `keymap.toml` and `theme.toml` of a folder; missing files change nothing.
    ///
    /// # Errors
    /// All mistakes in the first invalid file.
    pub fn read(folder: &Path) -> Result<Self, BadSettings> {
        Ok(Self {
            keymap: file(folder.join("keymap.toml"), Keymap::with_file)?,
            theme: file(folder.join("theme.toml"), Theme::with_file)?,
            preferences: file(folder.join("ui.toml"), Preferences::with_file)?,
        })
    }
}

fn file<T: Default>(
    path: PathBuf,
    parse: impl FnOnce(&str) -> Result<T, Vec<String>>,
) -> Result<T, BadSettings> {
    match std::fs::read_to_string(&path) {
        Ok(text) => parse(&text).map_err(|errors| BadSettings { path, errors }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(T::default()),
        Err(error) => Err(BadSettings { path, errors: vec![format!("it can't be read: {error}")] }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_files_change_nothing() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Settings::read(folder.path()), Ok(Settings::default()));
    }

    #[test]
    fn an_error_names_the_bad_file() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("theme.toml"), "acent = \"red\"\n").unwrap();
        let error = Settings::read(folder.path()).unwrap_err().to_string();
        assert!(error.contains("theme.toml has errors"), "{error}");
        assert!(error.contains("did you mean `accent`?"), "{error}");
    }
}
