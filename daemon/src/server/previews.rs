//! `previews.*`

use std::sync::Arc;

use fanlight_shared::rpc::RpcError;
use fanlight_shared::rpc::assets::Bytes;
use fanlight_shared::rpc::previews::Thumbnail;

use super::bytes::Source;
use super::session::Session;

/// What the command wrote is foreign, so a worker makes a picture of it, as of any asset. It is kept nowhere: the next
/// preview replaces it.
pub(super) async fn thumbnail(
    session: &Arc<Session>,
    thumbnail: Thumbnail,
) -> Result<(Bytes, Source), RpcError> {
    let Thumbnail { run_id, node, item, port } = thumbnail;
    let context = &session.context;
    let state = context.hub.run_state(run_id).ok_or_else(|| RpcError::not_found("this run is not active"))?;
    let media = state
        .instance(&node, item)
        .and_then(|instance| instance.previews.get(&port)?.as_media())
        .cloned()
        .ok_or_else(|| RpcError::not_found("the node shows no picture of this name at the moment"))?;
    let (mime, picture) = context
        .workers
        .preview(media)
        .await
        .ok_or_else(|| RpcError::refused("nothing can be shown of this preview"))?;
    Ok(Source::memory(session, picture, 0, None, mime))
}
