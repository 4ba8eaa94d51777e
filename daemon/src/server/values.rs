//! `values.*`

use std::sync::Arc;

use fanlight_shared::rpc::assets::Bytes;
use fanlight_shared::rpc::values::{Content, List, PortValue, Read};
use fanlight_shared::rpc::{Page, RpcError};

use super::bytes::Source;
use super::session::Session;
use crate::store::StoredValue;

pub(super) async fn list(session: &Arc<Session>, list: List) -> Result<Page<PortValue>, RpcError> {
    let context = &session.context;
    context
        .read(move |store| {
            store.check_workflow(list.workflow_id)?;
            store.values(&list)
        })
        .await
}

pub(super) async fn read(session: &Arc<Session>, read: Read) -> Result<(Bytes, Source), RpcError> {
    let Read { run_id, of, offset, limit } = read;
    let stored = session.context.read(move |store| store.stored_value(run_id, &of)).await?;
    let mime = "application/json".to_owned();
    match stored {
        StoredValue::Inline(json) => Ok(Source::memory(session, json.into_bytes(), offset, limit, mime)),
        StoredValue::Blob(hash) => Source::blob(session, hash, offset, limit, mime).await,
    }
}

/// Sends the content of a large value, in binary frames.
pub(super) async fn content(session: &Arc<Session>, content: Content) -> Result<(Bytes, Source), RpcError> {
    let Content { hash, offset, limit } = content;
    Source::blob(session, hash, offset, limit, "application/octet-stream".to_owned()).await
}
