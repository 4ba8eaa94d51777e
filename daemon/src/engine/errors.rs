//! The errors of responses.

use fanlight_shared::problem::{Problem, Severity};
use fanlight_shared::rpc::{ErrorCode, RpcError};

use crate::store::StoreError;

/// Turns an error of the store into the error of a response.
pub(super) fn refused(error: &StoreError) -> RpcError {
    match error {
        StoreError::Full(_) | StoreError::Disk(_) | StoreError::Damaged { .. } => {
            RpcError::new(ErrorCode::Storage, error.to_string())
        }
        StoreError::NotFound(what) => RpcError::not_found(what.clone()),
        StoreError::BadParam(what) => RpcError::new(ErrorCode::BadParams, what.clone()),
        other => RpcError::internal(other.to_string()),
    }
}

/// Returns the error of a request whose file has these problems.
pub(super) fn invalid(problems: Vec<Problem>) -> RpcError {
    let errors = problems.iter().filter(|problem| problem.severity == Severity::Error).count();
    let first = problems.first().map(ToString::to_string).unwrap_or_default();
    let more = if errors > 1 { format!(" (and {} more)", errors - 1) } else { String::new() };
    let message = format!("the workflow file has errors: {first}{more}");
    RpcError { problems, ..RpcError::new(ErrorCode::InvalidWorkflow, message) }
}
