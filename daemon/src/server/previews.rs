//! `previews.*`

use std::sync::Arc;

use fanlight_shared::rpc::RpcError;
use fanlight_shared::rpc::assets::Bytes;
use fanlight_shared::rpc::previews::Thumbnail;

use super::bytes::Source;
use super::session::Session;

/// Returns a thumbnail of a preview. A worker makes it, since the bytes are untrusted, as for any asset. It isn't
/// stored: the next preview replaces it.
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
        .ok_or_else(|| RpcError::not_found("the node has no preview with this name at the moment"))?;
    let (mime, picture) = context
        .workers
        .preview(media)
        .await
        .ok_or_else(|| RpcError::refused("this preview can't be shown"))?;
    Ok(Source::memory(session, picture, 0, None, mime))
}
