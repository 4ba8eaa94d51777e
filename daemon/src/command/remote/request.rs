//! What is asked of a cluster, whatever takes its jobs.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use fanlight_shared::resources::Resources;

/// How long submitting may take.
pub(super) const SUBMIT_TIMEOUT: Duration = Duration::from_secs(60);
/// How long the others may take.
pub(super) const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// A job to be submitted.
#[derive(Clone, Debug)]
pub(super) struct Request<'a> {
    /// The key by which it is found again.
    pub(super) key: &'a str,
    /// Its name for people.
    pub(super) name: &'a str,
    /// The folder of the attempt, as the cluster sees it; of an array, that of its first element.
    pub(super) files: &'a Path,
    /// What it needs.
    pub(super) needs: &'a Resources,
    /// The names of the folders of the elements, which are beside that one, if it is an array.
    pub(super) elements: &'a [OsString],
}

/// Why a job was not submitted, as far as that is known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum SubmitError {
    /// The cluster will never take it.
    Refused(String),
    /// The cluster takes no more jobs at the moment, or its login node runs no commands.
    Busy(String),
    /// It may have been submitted: the answer got lost.
    Unknown(String),
}
