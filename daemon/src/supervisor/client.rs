//! The daemon's side of the supervisor: starts it when needed, speaks its frames. PLACEHOLDER bodies; signatures hold.

use std::path::{Path, PathBuf};

use fanlight_shared::home::Home;

/// A connection to the supervisor of a home: cheap to clone.
#[derive(Clone, Debug)]
pub struct Supervisor {
    folder: PathBuf,
}

impl Supervisor {
    /// The supervisor of this home; `helper` is the executable that has `supervisor`. It is started with the first command.
    #[must_use]
    pub fn new(home: &Home, helper: &Path) -> Self {
        let _ = helper;
        Self { folder: home.supervisor() }
    }
    /// Its folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}
