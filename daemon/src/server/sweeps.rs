//! `sweeps.*`

use std::sync::Arc;

use fanlight_shared::rpc::sweeps::{
    Detail, Find, Found, Get, List, Runs, Set, Stretch, Sweep, TrialRow, Trials,
};
use fanlight_shared::rpc::{Page, RpcError};

use super::session::Session;

pub(super) async fn list(session: &Arc<Session>, list: List) -> Result<Page<Sweep>, RpcError> {
    session
        .context
        .read(move |store| {
            list.workflow_id.map_or(Ok(()), |workflow| store.check_workflow(workflow))?;
            store.sweeps(&list)
        })
        .await
}

pub(super) async fn get(session: &Arc<Session>, get: Get) -> Result<Detail, RpcError> {
    session.context.read(move |store| store.sweep(&get.sweep)).await
}

pub(super) async fn runs(session: &Arc<Session>, runs: Runs) -> Result<Page<Stretch>, RpcError> {
    session.context.read(move |store| store.sweep_runs(&runs)).await
}

pub(super) async fn trials(session: &Arc<Session>, trials: Trials) -> Result<Page<TrialRow>, RpcError> {
    session.context.read(move |store| store.trials(&trials)).await
}

pub(super) async fn find(session: &Arc<Session>, find: Find) -> Result<Found, RpcError> {
    session.context.read(move |store| store.find_sweep(&find.sweep)).await
}

pub(super) async fn set(session: &Arc<Session>, set: Set) -> Result<Sweep, RpcError> {
    let context = &session.context;
    let name = context.read(move |store| store.find_sweep(&set.sweep)).await?.name;
    context.engine.set_sweep(Set { sweep: name.clone(), paused: set.paused }).await?;
    context.read(move |store| store.sweep_row(&name)).await
}
