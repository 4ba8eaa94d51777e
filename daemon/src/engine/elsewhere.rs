//! Workflow files on other computers, whose paths only identify them.

use std::path::Path;

use fanlight_shared::host_path;

/// Returns the host of a file, if it is on another one.
pub(super) fn host_of(path: &Path) -> Option<&str> {
    host_path::split(path.to_str()?).map(|(host, _)| host)
}

/// Returns the path of a file, if it is on this host.
pub(super) fn local(path: Option<&Path>) -> Option<&Path> {
    path.filter(|path| host_of(path).is_none())
}
