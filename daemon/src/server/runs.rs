//! `runs.*`

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use fanlight_shared::document;
use fanlight_shared::id::RunId;
use fanlight_shared::rpc::frame::PAGE;
use fanlight_shared::rpc::runs::{
    Answer, Cancel, CancelResponse, Delete, Detail, Get, Label, List, Missing, MissingResponse, ParamSet,
    Prune, Pruned, Resume, Start, Started, Table, TableRow, Totals, TotalsResponse,
};
use fanlight_shared::rpc::{Done, ErrorCode, Page, RpcError};
use fanlight_shared::run::Run;
use fanlight_shared::value::{Value, Values};

use serde::Serialize;

use super::context::refusal;
use super::document::beginning;
use super::session::Session;
use super::state::state_of;
use super::values::params;
use crate::hub::{Budget, head};
use crate::prune::Pruning;

pub(super) async fn table(session: &Arc<Session>, table: Table) -> Result<Page<TableRow>, RpcError> {
    session.context.read(move |store| store.table(&table)).await
}

pub(super) async fn start(session: &Arc<Session>, mut start: Start) -> Result<Started, RpcError> {
    start.sets = fill_in(session, &start.document, start.sets).await?;
    session.context.engine.start(start).await.map(fit)
}

pub(super) async fn missing(
    session: &Arc<Session>,
    mut missing: Missing,
) -> Result<MissingResponse, RpcError> {
    missing.sets = fill_in(session, &missing.document, missing.sets).await?;
    session.context.engine.missing(missing).await
}

/// Adds the params of repeated runs to the sets, as far as the workflow still has them.
async fn fill_in(
    session: &Session,
    document: &str,
    mut sets: Vec<ParamSet>,
) -> Result<Vec<ParamSet>, RpcError> {
    let mut known: HashMap<RunId, Values> = HashMap::new();
    for id in sets.iter().filter_map(|set| set.like) {
        if let Entry::Vacant(vacant) = known.entry(id) {
            vacant.insert(params(session, id).await?);
        }
    }
    if known.is_empty() {
        return Ok(sets);
    }
    let types = session.context.node_types.now();
    let document = document.to_owned();
    let fill = move || {
        // Problems of the file are reported when it is submitted.
        let Ok(checked) = document::read(&document, types.catalogue()) else { return Ok(sets) };
        for set in &mut sets {
            let Some(params) = set.like.take().and_then(|like| known.get(&like)) else { continue };
            for (name, value) in params {
                if !checked.workflow.params.contains_key(name)
                    || set.params.contains_key(name)
                    || *value == Value::None
                {
                    continue;
                }
                if value.has_media() {
                    let message =
                        format!("param `{name}` takes a file, which is not copied from another run; set it");
                    return Err(RpcError::new(ErrorCode::BadParams, message));
                }
                set.params.insert(name.clone(), value.clone());
            }
        }
        Ok(sets)
    };
    let filled = tokio::task::spawn_blocking(fill).await;
    filled.map_err(|error| RpcError::internal(format!("the params can't be copied: {error}")))?
}

/// Cuts the runs of a submission to what fits into a message, and the reused nodes of a resumed run too.
fn fit(mut started: Started) -> Started {
    started.runs.iter_mut().for_each(Run::shorten);
    started.more = cut(&mut started.runs, PAGE);
    if let Some(reuse) = &mut started.reuse {
        reuse.reused_left = cut(&mut reuse.reused, PAGE / 4);
        reuse.rerun_left = cut(&mut reuse.rerun, PAGE / 4);
    }
    started
}

/// Cuts rows to this many bytes. Returns how many more there were.
fn cut<T: Serialize>(rows: &mut Vec<T>, bytes: usize) -> u32 {
    let mut budget = Budget::new(bytes);
    let fit = rows.iter().take_while(|row| budget.take(0, *row)).count();
    let left = u32::try_from(rows.len() - fit).unwrap_or(u32::MAX);
    rows.truncate(fit);
    left
}

pub(super) async fn list(session: &Arc<Session>, list: List) -> Result<Page<Run>, RpcError> {
    let mut page = session
        .context
        .read(move |store| {
            list.workflow_id.map_or(Ok(()), |workflow| store.check_workflow(workflow))?;
            list.sweep.as_deref().map_or(Ok(()), |sweep| store.check_sweep(sweep))?;
            list.parent.map_or(Ok(()), |run| store.check_run(run))?;
            store.runs(&list)
        })
        .await?;
    session.context.hub.place(&mut page.rows);
    Ok(page)
}

pub(super) async fn totals(session: &Arc<Session>, totals: Totals) -> Result<TotalsResponse, RpcError> {
    session.context.read(move |store| store.totals(totals.run_id)).await
}

pub(super) async fn get(session: &Arc<Session>, get: Get) -> Result<Detail, RpcError> {
    let context = &session.context;
    let mut run = context.read(move |store| store.find_run(&get.run)).await?;
    let id = run.id;
    let (document, path) = context.read(move |store| store.document(id)).await?;
    let environment = context.read(move |store| store.environment_names(id)).await?;
    let state = head(state_of(context, id).await?);
    context.hub.place(std::slice::from_mut(&mut run));
    if run.error.is_none() {
        // A run that completed may be damaged.
        run.error.clone_from(&state.error);
    }
    let (document, document_bytes) = beginning(document);
    Ok(Detail { run, state, document, document_bytes, path, environment })
}

pub(super) async fn cancel(session: &Arc<Session>, cancel: Cancel) -> Result<CancelResponse, RpcError> {
    let context = &session.context;
    let named = cancel.runs.clone();
    // If one of them is not a run, cancel nothing.
    let sweep = cancel.sweep.clone();
    context
        .read(move |store| {
            store.check_runs(&named)?;
            sweep.map_or(Ok(()), |sweep| store.check_sweep(&sweep))
        })
        .await?;
    context.engine.cancel(cancel).await
}

pub(super) async fn answer(session: &Arc<Session>, answer: Answer) -> Result<Done, RpcError> {
    session.context.engine.answer(answer).await?;
    Ok(Done {})
}

pub(super) async fn resume(session: &Arc<Session>, resume: Resume) -> Result<Started, RpcError> {
    session.context.engine.resume(resume).await.map(fit)
}

pub(super) async fn delete(session: &Arc<Session>, delete: Delete) -> Result<Done, RpcError> {
    session.context.engine.delete(delete).await?;
    Ok(Done {})
}

pub(super) async fn prune(session: &Arc<Session>, prune: Prune) -> Result<Pruned, RpcError> {
    let context = &session.context;
    if let Some(state) = prune.states.iter().find(|state| !state.is_ended()) {
        let message = format!("`states`: runs that are {} have not ended", state.word());
        return Err(RpcError::new(ErrorCode::BadParams, message));
    }
    if !prune.is_limited() {
        let message = "`runs.prune` needs a condition: `states`, `ended_before`, `keep` or `max_bytes`";
        return Err(RpcError::new(ErrorCode::BadParams, message.to_owned()));
    }
    if prune.keep_assets && prune.max_bytes.is_some() {
        let message = "`max_bytes` with `keep_assets` would free next to nothing, and delete run after run";
        return Err(RpcError::new(ErrorCode::BadParams, message.to_owned()));
    }
    let pruning = Pruning {
        store: context.store.clone(),
        hub: context.hub.clone(),
        executors: context.executors.clone(),
    };
    // A client that goes away meanwhile leaves nothing half-done.
    let pruning = tokio::spawn(async move { pruning.prune(&prune).await });
    let pruned = pruning.await.map_err(|error| RpcError::internal(format!("pruning failed: {error}")))?;
    pruned.map_err(refusal)
}

pub(super) async fn label(session: &Arc<Session>, label: Label) -> Result<Done, RpcError> {
    session.context.engine.label(label).await?;
    Ok(Done {})
}
