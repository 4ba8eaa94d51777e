//! `cache.*`

use std::sync::Arc;

use fanlight_shared::rpc::cache::{Entry, Explain, Explained, List, Remove, Removed, Stats, StatsResponse};
use fanlight_shared::rpc::{Page, RpcError};

use super::context::refusal;
use super::session::Session;
use crate::engine;
use crate::store::Op;

/// How many results are removed at once, so that other writes don't wait for long.
const REMOVED_AT_ONCE: u32 = 500;

pub(super) async fn list(session: &Arc<Session>, list: List) -> Result<Page<Entry>, RpcError> {
    session.context.read(move |store| store.cache_entries(&list)).await
}

pub(super) async fn explain(session: &Arc<Session>, explain: Explain) -> Result<Page<Explained>, RpcError> {
    let types = session.context.node_types.now();
    session.context.read(move |store| engine::explain_misses(store, &types, &explain)).await
}

pub(super) async fn stats(session: &Arc<Session>, _: Stats) -> Result<StatsResponse, RpcError> {
    let limit = session.context.cache_bytes;
    session.context.read(move |store| Ok(StatsResponse { limit, ..store.cache_stats()? })).await
}

pub(super) async fn remove(session: &Arc<Session>, remove: Remove) -> Result<Removed, RpcError> {
    let context = &session.context;
    if let Some(names) = remove.keys {
        let keys = context.read(move |store| store.cache_keys(&names)).await?;
        let committed = context.store.commit(vec![Op::CacheRemove(keys)]).await.map_err(refusal)?;
        return Ok(Removed { entries: committed.removed_entries });
    }
    let mut removed = Removed::default();
    loop {
        let op = Op::CacheRemoveOldest(REMOVED_AT_ONCE);
        let entries = context.store.commit(vec![op]).await.map_err(refusal)?.removed_entries;
        if entries == 0 {
            return Ok(removed);
        }
        removed.entries += entries;
    }
}
