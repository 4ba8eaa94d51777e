//! `runs.items` and `runs.nodes`: the state of a run, page by page.

use std::ops::Bound;
use std::sync::Arc;

use fanlight_shared::id::RunId;
use fanlight_shared::item::ItemPath;
use fanlight_shared::rpc::frame::PART;
use fanlight_shared::rpc::runs::{Item, ItemPage, Items, NodePage, Nodes};
use fanlight_shared::rpc::{ErrorCode, RpcError};
use fanlight_shared::run_state::RunState;

use super::session::Session;
use super::state::state_of;
use crate::hub::{self, Budget};

/// Parses the numbers of a cursor, the first of which is the `seq` of its snapshot.
fn parse<const N: usize>(tag: &str, list: &str, cursor: &str) -> Result<[u64; N], RpcError> {
    let numbers = cursor.strip_prefix(tag).and_then(|numbers| {
        let numbers: Vec<u64> = numbers.split('.').map(|it| it.parse().ok()).collect::<Option<_>>()?;
        numbers.try_into().ok()
    });
    numbers.ok_or_else(|| {
        let shown: String = cursor.chars().take(40).collect();
        let shown = shown.escape_debug();
        let message =
            format!("`cursor`: `{shown}` is not a cursor of {list}; leave it out for the first page");
        RpcError::new(ErrorCode::BadParams, message)
    })
}

/// Returns the snapshot for a page: that of the page before, else the newest.
async fn page_snapshot(session: &Session, run: RunId, seq: Option<u64>) -> Result<Arc<RunState>, RpcError> {
    match session.recent.get(run).filter(|state| seq == Some(state.seq)) {
        Some(state) => Ok(state),
        None => state_of(&session.context, run).await,
    }
}

/// Keeps the snapshot, if another page of it may be requested.
fn keep(session: &Session, run: RunId, state: &Arc<RunState>, more: bool) {
    if more {
        session.recent.keep(run, Arc::clone(state));
    } else {
        session.recent.forget();
    }
}

pub(super) async fn items(session: &Arc<Session>, list: Items) -> Result<ItemPage, RpcError> {
    const TAG: &str = "items:";
    let cursor = list.cursor.as_deref().map(|cursor| parse::<2>(TAG, "runs.items", cursor)).transpose()?;
    let state = page_snapshot(session, list.run_id, cursor.map(|[seq, _]| seq)).await?;
    let node = state
        .nodes
        .get(&list.node)
        .ok_or_else(|| RpcError::not_found(format!("this run has no node `{}`", list.node)))?;
    let last = cursor.map(|[_, last]| u32::try_from(last).unwrap_or(u32::MAX));
    let mut budget = Budget::new(PART);
    let rows: Vec<Item> = node
        .items
        .range((last.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded))
        .take_while(|(_, instance)| budget.take("\"item\":\"[4294967295]\"".len(), instance))
        .map(|(index, instance)| Item { item: ItemPath::item(*index), instance: instance.clone() })
        .collect();
    let seq = state.seq;
    let more = rows
        .last()
        .and_then(|row| row.item.0)
        .filter(|last| node.items.range((Bound::Excluded(*last), Bound::Unbounded)).next().is_some());
    keep(session, list.run_id, &state, more.is_some());
    Ok(ItemPage { seq, rows, cursor: more.map(|last| format!("{TAG}{seq}.{last}")) })
}

pub(super) async fn nodes(session: &Arc<Session>, list: Nodes) -> Result<NodePage, RpcError> {
    const TAG: &str = "nodes:";
    let cursor = list.cursor.as_deref().map(|cursor| parse::<3>(TAG, "runs.nodes", cursor)).transpose()?;
    let state = page_snapshot(session, list.run_id, cursor.map(|[seq, ..]| seq)).await?;
    let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
    let from = cursor.map_or((0, 0), |[_, node, edge]| (place(node), place(edge)));
    let (nodes, edges, next) = hub::nodes(&state, from);
    let seq = state.seq;
    keep(session, list.run_id, &state, next.is_some());
    let cursor = next.map(|(node, edge)| format!("{TAG}{seq}.{node}.{edge}"));
    Ok(NodePage { seq, nodes, edges, cursor })
}
