//! `workflows.*` and `node_types.list`

use std::sync::Arc;

use fanlight_shared::document;
use fanlight_shared::node_type::Catalogue;
use fanlight_shared::rpc::workflows::{Check, Checked, Detail, Get, List, NodeTypes, WorkflowInfo};
use fanlight_shared::rpc::{Page, RpcError};

use super::session::Session;
use crate::node_type::catalogue;

pub(super) async fn list(session: &Arc<Session>, list: List) -> Result<Page<WorkflowInfo>, RpcError> {
    session.context.read(move |store| store.workflows(list.cursor.as_deref())).await
}

pub(super) async fn get(session: &Arc<Session>, get: Get) -> Result<Detail, RpcError> {
    session.context.read(move |store| store.workflow(&get.workflow)).await
}

pub(super) async fn check(_: &Arc<Session>, check: Check) -> Result<Checked, RpcError> {
    let checked = tokio::task::spawn_blocking(move || match document::read(&check.document, &catalogue()) {
        Ok(checked) => checked.warnings,
        Err(problems) => problems,
    });
    let problems = checked.await.map_err(|error| RpcError::internal(format!("the check failed: {error}")))?;
    Ok(Checked { problems })
}

pub(super) async fn node_types(_: &Arc<Session>, _: NodeTypes) -> Result<Catalogue, RpcError> {
    Ok(catalogue())
}
