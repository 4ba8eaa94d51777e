//! Ray in a program without HTTP, whose config refuses engines of this kind.

use crate::command::remote::job::SeenJob;
use crate::command::remote::request::{Request, SubmitError};

/// How many requests there are at once.
pub(super) const MAX_CALLS: usize = 1;

/// A head that does not exist.
#[derive(Clone, Debug)]
pub(in crate::command::remote) enum Head {}

#[allow(clippy::unused_async)]
impl Head {
    pub(in crate::command::remote) fn address(&self) -> &str {
        match *self {}
    }

    pub(in crate::command::remote) fn has_token(&self) -> bool {
        match *self {}
    }

    pub(in crate::command::remote) async fn plain_token(&self) -> Result<Option<String>, String> {
        match *self {}
    }

    pub(in crate::command::remote) async fn submit(&self, _: &Request<'_>) -> Result<String, SubmitError> {
        match *self {}
    }

    pub(in crate::command::remote) async fn jobs(&self) -> Result<Vec<SeenJob>, String> {
        match *self {}
    }

    pub(in crate::command::remote) async fn stop(&self, _: &[String]) -> Result<(), String> {
        match *self {}
    }

    pub(in crate::command::remote) async fn delete(&self, _: &str) -> Result<(), String> {
        match *self {}
    }

    pub(in crate::command::remote) async fn version(&self) -> Result<String, String> {
        match *self {}
    }

    pub(in crate::command::remote) async fn answers(&self) -> bool {
        match *self {}
    }

    pub(in crate::command::remote) async fn is_open(&self) -> bool {
        match *self {}
    }
}
