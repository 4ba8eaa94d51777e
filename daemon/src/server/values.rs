//! `values.*`

use std::sync::Arc;

use fanlight_shared::id::RunId;
use fanlight_shared::rpc::assets::Bytes;
use fanlight_shared::rpc::values::{self, Content, List, PortValue, Read};
use fanlight_shared::rpc::{Page, RpcError};
use fanlight_shared::value::Values;

use super::bytes::Source;
use super::session::Session;
use crate::content;
use crate::store::{Store, StoreError, StoredValue};

pub(super) async fn list(session: &Arc<Session>, list: List) -> Result<Page<PortValue>, RpcError> {
    let context = &session.context;
    context
        .read(move |store| {
            store.check_workflow(list.workflow_id)?;
            store.values(&list)
        })
        .await
}

/// Returns all params of a run, with their whole content.
pub(super) async fn params(session: &Session, run: RunId) -> Result<Values, RpcError> {
    let read = move |store: &Store| {
        content::whole(store.params(run)?, store.blobs())
            .map_err(|error| StoreError::Unreadable(format!("the param {error}")))
    };
    session.context.read(read).await
}

pub(super) async fn read(session: &Arc<Session>, read: Read) -> Result<(Bytes, Source), RpcError> {
    let Read { run_id, of, offset, limit } = read;
    let mime = "application/json".to_owned();
    if of == values::Source::Params {
        let json = serde_json::to_vec(&params(session, run_id).await?)
            .map_err(|error| RpcError::internal(error.to_string()))?;
        return Ok(Source::memory(session, json, offset, limit, mime));
    }
    let stored = session.context.read(move |store| store.stored_value(run_id, &of)).await?;
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
