//! Reads the trials of a search.

use fanlight_shared::client::{Client, ClientError};
use fanlight_shared::rpc::RpcError;
use fanlight_shared::rpc::frame::ROWS_LIMIT;
use fanlight_shared::rpc::sweeps::{Get, Progress, SearchDetail, Trials};

use crate::ui::message::{Response, SearchRead};

/// The most trials that are read: those of the longest search, and as many runs that a person added.
const MAX_TRIALS: usize = 20_000;

/// Returns the search of a sweep, if it has one.
pub(super) fn search(detail: Option<SearchDetail>, progress: Option<Progress>) -> Option<Box<SearchRead>> {
    let (detail, progress) = detail.zip(progress)?;
    Some(Box::new(SearchRead { detail, progress }))
}

/// Reads the search of a sweep with all its trials.
pub(super) async fn read(client: &Client, name: String) -> Result<Response, ClientError> {
    let mut list = Trials { sweep: name.clone(), cursor: None, limit: Some(ROWS_LIMIT) };
    let mut trials = Vec::new();
    loop {
        let page = client.call(list.clone()).await?;
        trials.extend(page.rows);
        list.cursor = page.cursor;
        if list.cursor.is_none() || trials.len() >= MAX_TRIALS {
            break;
        }
    }
    // Read last, so that what it names as the best is among the trials.
    let detail = client.call(Get { sweep: name.clone() }).await?;
    let no_search = || RpcError::refused(format!("the sweep `{name}` is not a search"));
    let search = search(detail.search, detail.sweep.search).ok_or_else(no_search)?;
    Ok(Response::Trials(name, search, trials))
}
