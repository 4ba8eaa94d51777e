//! `runs.*`

use std::sync::Arc;

use fanlight_shared::rpc::runs::{
    Cancel, CancelAnswer, Delete, Detail, Get, Label, List, Resume, Start, Started,
};
use fanlight_shared::rpc::{Done, Page, RpcError};
use fanlight_shared::run::Run;

use super::items::state_of;
use super::session::Session;
use crate::hub::head;

pub(super) async fn start(session: &Arc<Session>, start: Start) -> Result<Started, RpcError> {
    session.context.engine.start(start).await
}

pub(super) async fn list(session: &Arc<Session>, list: List) -> Result<Page<Run>, RpcError> {
    let mut page = session.context.read(move |store| store.runs(&list)).await?;
    session.context.hub.place(&mut page.rows);
    Ok(page)
}

pub(super) async fn get(session: &Arc<Session>, get: Get) -> Result<Detail, RpcError> {
    let context = &session.context;
    let mut run = context.read(move |store| store.find_run(&get.run)).await?;
    let id = run.id;
    let (document, path) = context.read(move |store| store.document(id)).await?;
    let environment = context.read(move |store| store.environment_names(id)).await?;
    let state = head(state_of(context, id).await?);
    context.hub.place(std::slice::from_mut(&mut run));
    Ok(Detail { run, state, document, path, environment })
}

pub(super) async fn cancel(session: &Arc<Session>, cancel: Cancel) -> Result<CancelAnswer, RpcError> {
    session.context.engine.cancel(cancel).await
}

pub(super) async fn resume(session: &Arc<Session>, resume: Resume) -> Result<Started, RpcError> {
    session.context.engine.resume(resume).await
}

pub(super) async fn delete(session: &Arc<Session>, delete: Delete) -> Result<Done, RpcError> {
    session.context.engine.delete(delete).await?;
    Ok(Done {})
}

pub(super) async fn label(session: &Arc<Session>, label: Label) -> Result<Done, RpcError> {
    session.context.engine.label(label).await?;
    Ok(Done {})
}
