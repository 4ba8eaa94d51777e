//! `assets.*`

use std::sync::Arc;

use fanlight_shared::asset::{Asset, PreviewState};
use fanlight_shared::event::DaemonEvent;
use fanlight_shared::id::BlobHash;
use fanlight_shared::lineage::Lineage;
use fanlight_shared::media::{DirManifest, Media, MediaKind};
use fanlight_shared::rpc::assets::{Bytes, Delete, Detail, Get, List, Read, Star, Thumbnail};
use fanlight_shared::rpc::{Done, Page, RpcError, assets};
use fanlight_shared::value::Value;

use super::bytes::Source;
use super::context::{Context, refusal};
use super::session::Session;
use crate::store::Op;
use crate::{content, lineage};

pub(super) async fn list(session: &Arc<Session>, list: List) -> Result<Page<Asset>, RpcError> {
    let context = &session.context;
    context
        .read(move |store| {
            list.workflow_id.map_or(Ok(()), |workflow| store.check_workflow(workflow))?;
            list.run_id.map_or(Ok(()), |run| store.check_run(run))?;
            store.assets(&list)
        })
        .await
}

pub(super) async fn get(session: &Arc<Session>, get: Get) -> Result<Detail, RpcError> {
    session.context.read(move |store| store.asset(&get.asset)).await
}

pub(super) async fn lineage(session: &Arc<Session>, of: assets::Lineage) -> Result<Lineage, RpcError> {
    let types = session.context.node_types.now();
    session.context.read(move |store| lineage::of(store, &types, &of.asset)).await
}

pub(super) async fn read(session: &Arc<Session>, read: Read) -> Result<(Bytes, Source), RpcError> {
    let context = &session.context;
    let id = read.asset.to_string();
    let asset = context.read(move |store| store.asset(&id)).await?.asset;
    let (offset, limit) = (read.offset, read.limit);
    match &asset.value {
        Value::Media(media) => {
            let (hash, mime) = match read.file {
                Some(file) => (file_of(context, media, file).await?, "application/octet-stream".to_owned()),
                None => (media.hash, asset.mime.clone()),
            };
            Source::blob(session, hash, offset, limit, mime).await
        }
        _ if read.file.is_some() => Err(RpcError::refused("this asset is not a folder")),
        Value::Large(large) if !large.cut => {
            Source::blob(session, large.hash, offset, limit, asset.mime.clone()).await
        }
        value => {
            let bytes = plain(context, value, &asset).await?;
            Ok(Source::memory(session, bytes, offset, limit, asset.mime.clone()))
        }
    }
}

/// Returns a file of a folder; only files in its manifest can be read this way.
async fn file_of(context: &Context, media: &Media, file: BlobHash) -> Result<BlobHash, RpcError> {
    if media.kind != MediaKind::Dir {
        return Err(RpcError::refused("this asset is not a folder"));
    }
    let hash = media.hash;
    let manifest = context.read(move |store| store.blobs().read(hash)).await?;
    let manifest: DirManifest = serde_json::from_slice(&manifest)
        .map_err(|error| RpcError::internal(format!("the folder's list of files can't be read: {error}")))?;
    if manifest.files.iter().any(|entry| entry.hash == file) {
        return Ok(file);
    }
    Err(RpcError::not_found("this folder has no such file"))
}

/// Sends a value: text as it is, other values as JSON.
async fn plain(context: &Context, value: &Value, asset: &Asset) -> Result<Vec<u8>, RpcError> {
    let bytes = write_out(value)?;
    if bytes.len() as u64 >= asset.bytes {
        return Ok(bytes);
    }
    // An earlier version kept only the beginning of a long value in its asset; the value itself is stored separately.
    let (run, node, item, port) = (asset.run_id, asset.node.clone(), asset.item, asset.port.clone());
    let whole = context.read(move |store| store.port_value(run, &node, item, &port)).await?;
    let bytes = whole.as_ref().map(write_out).transpose()?.unwrap_or_default();
    if bytes.len() as u64 == asset.bytes {
        return Ok(bytes);
    }
    Err(RpcError::refused("only the beginning of this value was kept; run the workflow again"))
}

fn write_out(value: &Value) -> Result<Vec<u8>, RpcError> {
    content::written(value)
        .map_err(|error| RpcError::internal(format!("the value can't be written out: {error}")))
}

pub(super) async fn thumbnail(
    session: &Arc<Session>,
    thumbnail: Thumbnail,
) -> Result<(Bytes, Source), RpcError> {
    let context = &session.context;
    let asset = thumbnail.asset;
    let Some((mime, preview)) = context.read(move |store| store.preview(asset)).await? else {
        let asset = context.read(move |store| store.asset(&asset.to_string())).await?.asset;
        return Err(RpcError::not_found(match asset.preview {
            PreviewState::Pending => "the preview is still being made",
            _ => "this asset has no preview",
        }));
    };
    Ok(Source::memory(session, preview, 0, None, mime))
}

pub(super) async fn star(session: &Arc<Session>, star: Star) -> Result<Done, RpcError> {
    let context = &session.context;
    let op = Op::Star { assets: star.assets, starred: star.starred };
    let committed = context.store.commit(vec![op]).await.map_err(refusal)?;
    for asset in committed.changed_assets {
        context.hub.daemon(DaemonEvent::AssetUpdate { asset: Box::new(asset) });
    }
    Ok(Done {})
}

pub(super) async fn delete(session: &Arc<Session>, delete: Delete) -> Result<Done, RpcError> {
    let context = &session.context;
    let committed = context.store.commit(vec![Op::DeleteAssets(delete.assets)]).await.map_err(refusal)?;
    for (workflow_id, asset_id) in committed.deleted_assets {
        context.hub.daemon(DaemonEvent::AssetDelete { workflow_id, asset_id });
    }
    Ok(Done {})
}
