//! `runs.items`: the items of a node, page by page.

use std::ops::Bound;
use std::sync::Arc;

use fanlight_shared::id::RunId;
use fanlight_shared::item::ItemPath;
use fanlight_shared::rpc::runs::{Item, ItemPage, Items};
use fanlight_shared::rpc::{ErrorCode, RpcError};
use fanlight_shared::run_state::RunState;

use super::Context;
use super::session::Session;
use crate::hub::Room;

/// Behind which item of which moment a page begins.
#[derive(Clone, Copy)]
struct Cursor {
    seq: u64,
    last: u32,
}

impl Cursor {
    fn parse(text: &str) -> Result<Self, RpcError> {
        text.split_once('.')
            .and_then(|(seq, last)| Some(Self { seq: seq.parse().ok()?, last: last.parse().ok()? }))
            .ok_or_else(|| {
                RpcError::new(ErrorCode::BadParams, "this is no cursor of this list; ask for its first page")
            })
    }
}

pub(super) async fn items(session: &Arc<Session>, list: Items) -> Result<ItemPage, RpcError> {
    let cursor = list.cursor.as_deref().map(Cursor::parse).transpose()?;
    let run = list.run_id;
    let same = |state: &Arc<RunState>| cursor.is_some_and(|cursor| cursor.seq == state.seq);
    let state = match session.recent.get(run).filter(same) {
        Some(state) => state,
        None => state_of(&session.context, run).await?,
    };
    let node = state
        .nodes
        .get(&list.node)
        .ok_or_else(|| RpcError::not_found(format!("this run has no node `{}`", list.node)))?;
    let from = cursor.map_or(Bound::Unbounded, |cursor| Bound::Excluded(cursor.last));
    let rows: Vec<Item> = Room::new()
        .fill(node.items.range((from, Bound::Unbounded)))
        .map(|(index, instance)| Item { item: ItemPath::item(index), instance: instance.clone() })
        .collect();
    let seq = state.seq;
    let last = rows.last().and_then(|row| row.item.0);
    let more =
        last.filter(|last| node.items.range((Bound::Excluded(*last), Bound::Unbounded)).next().is_some());
    match more {
        Some(_) => session.recent.keep(run, Arc::clone(&state)),
        None => session.recent.forget(),
    }
    Ok(ItemPage { seq, rows, cursor: more.map(|last| format!("{seq}.{last}")) })
}

/// What is known of a run; of an active one the hub knows more: progress, logs, edges.
pub(super) async fn state_of(context: &Context, run: RunId) -> Result<Arc<RunState>, RpcError> {
    match context.hub.run_state(run) {
        Some(state) => Ok(state),
        None => context.read(move |store| store.run_state(run)).await.map(Arc::new),
    }
}
