//! `workflows.*` and `node_types.list`

use std::sync::Arc;

use fanlight_shared::document;
use fanlight_shared::node_type::Catalogue;
use fanlight_shared::rpc::assets::Bytes;
use fanlight_shared::rpc::workflows::{Check, Checked, Detail, Get, List, NodeTypes, Read, WorkflowInfo};
use fanlight_shared::rpc::{Page, RpcError};

use super::bytes::Source;
use super::document::beginning;
use super::session::Session;

pub(super) async fn list(session: &Arc<Session>, list: List) -> Result<Page<WorkflowInfo>, RpcError> {
    session.context.read(move |store| store.workflows(list.cursor.as_deref())).await
}

pub(super) async fn get(session: &Arc<Session>, get: Get) -> Result<Detail, RpcError> {
    let mut detail = session.context.read(move |store| store.workflow(&get.workflow)).await?;
    (detail.document, detail.document_bytes) = beginning(detail.document);
    Ok(detail)
}

pub(super) async fn read(session: &Arc<Session>, read: Read) -> Result<(Bytes, Source), RpcError> {
    let version = read.version;
    let text = session.context.read(move |store| store.known_version(&version)).await?;
    let text = text.ok_or_else(|| RpcError::not_found("no known run has this version"))?;
    let mime = "application/yaml; charset=utf-8".to_owned();
    Ok(Source::memory(session, text.into_bytes(), read.offset, read.limit, mime))
}

pub(super) async fn check(session: &Arc<Session>, check: Check) -> Result<Checked, RpcError> {
    let types = session.context.node_types.now();
    let checked =
        tokio::task::spawn_blocking(move || match document::read(&check.document, types.catalogue()) {
            Ok(checked) => checked.warnings,
            Err(problems) => problems,
        });
    let problems = checked.await.map_err(|error| RpcError::internal(format!("the check failed: {error}")))?;
    Ok(Checked { problems })
}

pub(super) async fn node_types(session: &Arc<Session>, _: NodeTypes) -> Result<Catalogue, RpcError> {
    Ok(session.context.node_types.now().catalogue().clone())
}
