//! The first trial of a search.

use fanlight_shared::document;
use fanlight_shared::rpc::{ErrorCode, RpcError};
use fanlight_shared::search::Search;
use fanlight_shared::value::Values;
use fanlight_shared::workflow::Workflow;

use crate::store::NewTrial;

/// Checks a search, and adds the params of its first trial to the given ones.
pub(super) fn first(search: &Search, workflow: &Workflow, params: &mut Values) -> Result<NewTrial, RpcError> {
    document::search::check(search, workflow).map_err(|error| RpcError::new(ErrorCode::BadParams, error))?;
    if let Some(both) = search.space.keys().find(|name| params.contains_key(*name)) {
        let why = format!("the param `{both}` is given, so that the search can't choose it");
        return Err(RpcError::new(ErrorCode::BadParams, why));
    }
    let chosen = search.propose(0, &[]).unwrap_or_default();
    params.extend(chosen.clone());
    Ok(NewTrial { sweep: None, number: 0, params: chosen, seen: 0 })
}
