//! Where the runs of a submission come from.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use fanlight_shared::environment::Environment;
use fanlight_shared::origin::Fresh;

use super::elsewhere::local;

/// The origin of the runs of a submission, shared by all of them.
#[derive(Clone, Default)]
pub(super) struct Place {
    /// The folder of the workflow's file; `None` if the document was submitted without a path.
    pub(super) project: Option<PathBuf>,
    /// The variables that commands get from the submitter.
    pub(super) environment: Arc<Environment>,
    /// The nodes that reuse no results.
    pub(super) fresh: Arc<Fresh>,
}

/// Returns the folder of a workflow's file, if it is on this host.
pub(super) fn project(path: Option<&str>) -> Option<PathBuf> {
    local(path.map(Path::new))?.parent().map(Path::to_owned)
}
