//! The sweep of a submission.

use fanlight_shared::label;
use fanlight_shared::rpc::{ErrorCode, RpcError, runs};
use fanlight_shared::sweep::check_name;
use fanlight_shared::value::Values;

use crate::engine::errors::refused;
use crate::store::{NewSweep, Store, SweepOf};

/// Returns the sweep of runs with these params. Several runs are one, and a single run if it has a name. Blocks.
pub(super) fn of(
    options: Option<&runs::SweepOptions>,
    params: &[Values],
    store: &Store,
) -> Result<Option<SweepOf>, RpcError> {
    if options.is_none() && params.len() == 1 {
        return Ok(None);
    }
    let bad = |error: String| RpcError::new(ErrorCode::BadParams, error);
    let runs::SweepOptions { name, limits, extends, search } = options.cloned().unwrap_or_default();
    let swept = match &search {
        Some(search) => search.space.keys().cloned().collect(),
        None => label::swept(params),
    };
    if let Some(extended) = extends {
        if name.is_some() || !limits.are_none() || search.is_some() {
            return Err(bad(format!("the sweep `{extended}` keeps its name, its limits and its search")));
        }
        let mut all = store.swept(&extended).map_err(|error| refused(&error))?;
        let new: Vec<String> = swept.into_iter().filter(|param| !all.contains(param)).collect();
        all.extend(new);
        return Ok(Some(SweepOf::Extended { name: extended, swept: all }));
    }
    name.as_deref().map_or(Ok(()), check_name).map_err(bad)?;
    limits.check().map_err(bad)?;
    Ok(Some(SweepOf::New(NewSweep { name, swept, limits, search })))
}
