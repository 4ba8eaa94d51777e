//! Selects the runs for a command: those the user named, or all that match.

use std::collections::HashSet;

use fanlight_shared::client::Client;
use fanlight_shared::id::{RunId, WorkflowId};
use fanlight_shared::rpc::{runs, sweeps};
use fanlight_shared::run::{Run, RunStatus};

use super::{find_run, find_workflow};
use crate::failure::Failure;

/// Returns the runs with these names, each once. All are looked up before anything is done, so that a typo in one name
/// changes nothing.
pub(super) async fn named(client: &Client, names: &[String]) -> Result<Vec<Run>, Failure> {
    let mut runs: Vec<Run> = Vec::new();
    for name in names {
        let run = find_run(client, name).await?.run;
        if runs.iter().all(|known| known.id != run.id) {
            runs.push(run);
        }
    }
    Ok(runs)
}

/// Returns the workflow with this name, if one is given.
pub(super) async fn workflow(client: &Client, name: Option<&str>) -> Result<Option<WorkflowId>, Failure> {
    match name {
        None => Ok(None),
        Some(name) => Ok(Some(find_workflow(client, name).await?.workflow.id)),
    }
}

/// Returns the whole name of the sweep that a person named, if one is given.
pub(super) async fn sweep(client: &Client, name: Option<String>) -> Result<Option<String>, Failure> {
    match name {
        None => Ok(None),
        Some(sweep) => Ok(Some(client.call(sweeps::Find { sweep }).await?.name)),
    }
}

/// Returns all runs in these states, newest first; of one workflow where it is given. Without states in any.
pub(super) async fn all(
    client: &Client,
    workflow_id: Option<WorkflowId>,
    states: &[RunStatus],
) -> Result<Vec<Run>, Failure> {
    listed(client, runs::List { workflow_id, states: states.to_vec(), ..runs::List::default() }).await
}

/// Returns the runs of a sweep in these states, newest first; its name is whole.
pub(super) async fn of_sweep(
    client: &Client,
    sweep: String,
    states: &[RunStatus],
) -> Result<Vec<Run>, Failure> {
    let states = states.to_vec();
    listed(client, runs::List { sweep: Some(sweep), states, ..runs::List::default() }).await
}

/// Returns the runs of all pages of a list.
async fn listed(client: &Client, list: runs::List) -> Result<Vec<Run>, Failure> {
    let mut list = runs::List { limit: Some(1000), ..list };
    let mut runs = Vec::new();
    loop {
        let page = client.call(list.clone()).await?;
        runs.extend(page.rows);
        match page.cursor {
            Some(cursor) => list.cursor = Some(cursor),
            None => return Ok(runs),
        }
    }
}

/// Returns the runs in one of these states that have not been resumed, oldest first.
pub(super) async fn not_resumed(
    client: &Client,
    workflow_id: Option<WorkflowId>,
    states: &[RunStatus],
) -> Result<Vec<Run>, Failure> {
    let mut runs = all(client, workflow_id, &[]).await?;
    let resumed: HashSet<RunId> = runs.iter().filter_map(|run| run.resumed_from).collect();
    runs.retain(|run| states.contains(&run.state) && !resumed.contains(&run.id));
    runs.reverse();
    Ok(runs)
}
