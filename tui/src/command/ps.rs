//! `fanlight ps`: lists runs.

use std::collections::{HashMap, HashSet};

use fanlight_shared::client::Client;
use fanlight_shared::client::projection::Projection;
use fanlight_shared::id::RunId;
use fanlight_shared::rpc::runs;
use fanlight_shared::run::{Run, RunStatus};
use fanlight_shared::sanitise;
use fanlight_shared::time::{Time, human_duration};

use super::{choice, find_workflow};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::style::{Role, run_glyph};
use crate::output::table::{Cell, Table};
use crate::output::{Out, json};
use crate::{output, text};

/// The arguments of `ps`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Also list ended runs.
    #[arg(short, long)]
    all: bool,
    /// Only list failed runs.
    #[arg(long)]
    failed: bool,
    /// Only list runs of this workflow: its name, or the path of its file.
    #[arg(short, long, value_name = "WORKFLOW")]
    workflow: Option<String>,
    /// Only list runs of this sweep.
    #[arg(long, value_name = "SWEEP", conflicts_with = "workflow")]
    sweep: Option<String>,
    /// Print JSON, one object per line.
    #[arg(long)]
    json: bool,
}

/// Runs `ps`.
pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let client = Context::from_env()?.connect().await?;
    let workflow_id = match &args.workflow {
        Some(name) => Some(find_workflow(&client, name).await?.workflow.id),
        None => None,
    };
    let sweep = choice::sweep(&client, args.sweep).await?;
    let states = match (args.failed, args.all) {
        (true, _) => vec![RunStatus::Failed],
        (false, true) => Vec::new(),
        (false, false) => {
            vec![RunStatus::Running, RunStatus::Parked, RunStatus::Cancelling, RunStatus::Queued]
        }
    };
    let list = runs::List { workflow_id, sweep, states, limit: Some(1000), ..runs::List::default() };
    let mut out = Out::new();
    let Found { runs: found, asking } = print(&client, list, args.json, &mut out).await?;
    out.flush()?;
    if asking > 0 && !args.json {
        let waits = if asking == 1 { "waits" } else { "wait" };
        output::note(&format!(
            "{} {waits} for an answer: `fanlight answer` lists what is asked",
            text::count(asking, "run")
        ));
    }
    if found == 0 && !args.json {
        output::note(match (args.failed, args.all) {
            (true, _) => "no run failed",
            (false, true) => "no runs yet: `fanlight run poster` makes the first",
            (false, false) => "nothing runs and nothing waits; `fanlight ps --all` lists what has ended",
        });
    }
    Ok(())
}

/// How many runs were printed.
#[derive(Default)]
struct Found {
    runs: usize,
    /// Those of them that wait for a person.
    asking: usize,
}

/// Prints page after page, so that any number of runs takes little memory.
async fn print(
    client: &Client,
    mut list: runs::List,
    as_json: bool,
    out: &mut Out,
) -> Result<Found, Failure> {
    let mut found = Found::default();
    loop {
        let page = client.call(list.clone()).await?;
        found.runs += page.rows.len();
        found.asking += page.rows.iter().filter(|run| run.asks.is_some()).count();
        if as_json {
            for run in &page.rows {
                json::print(out, &json::run(run))?;
            }
        } else if !page.rows.is_empty() {
            let held = held_back(client, &page.rows).await?;
            table(&page.rows, &held).print(out)?;
        }
        match page.cursor {
            Some(cursor) => list.cursor = Some(cursor),
            None => return Ok(found),
        }
    }
}

/// Returns those of these runs that wait because their workflow has as many runs as its file allows.
pub(super) async fn held_back(client: &Client, runs: &[Run]) -> Result<HashSet<RunId>, Failure> {
    let waits = |run: &&Run| run.state == RunStatus::Queued && run.concurrency.is_some();
    if !runs.iter().any(|run| waits(&run)) {
        return Ok(HashSet::new());
    }
    let states = vec![RunStatus::Running, RunStatus::Cancelling];
    let list = runs::List { states, limit: Some(1000), ..runs::List::default() };
    let mut projection = Projection::default();
    projection.add(client.call(list).await?.rows);
    let held = runs.iter().filter(waits).filter(|run| projection.held_back(run).is_some());
    Ok(held.map(|run| run.id).collect())
}

fn table(runs: &[Run], held: &HashSet<RunId>) -> Table {
    let mut table = Table::new(&["RUN", "STATE", "NODES", "TIME", "SUBMITTED", "LABEL"]);
    for (depth, run) in family_order(runs) {
        let indent = if depth == 0 { String::new() } else { format!("{}└ ", "  ".repeat(depth - 1)) };
        table.row(vec![
            Cell::new(indent + &run.name(), Role::Strong),
            state(run, held.contains(&run.id)),
            format!("{}/{}", run.nodes_done, run.nodes).into(),
            elapsed(run).into(),
            text::clock(run.submitted_at).into(),
            sanitise::line(&run.label).into(),
        ]);
    }
    table
}

/// Returns runs with those that they started below them, the first one first, each with its depth. A run whose parent is not
/// among them has its own place.
fn family_order(runs: &[Run]) -> Vec<(usize, &Run)> {
    let known: HashSet<RunId> = runs.iter().map(|run| run.id).collect();
    let parent = |run: &Run| run.parent.as_ref().map(|parent| parent.run).filter(|id| known.contains(id));
    let mut children: HashMap<RunId, Vec<&Run>> = HashMap::new();
    // The newest is last, so that it is taken first.
    let mut waiting: Vec<(usize, &Run)> = Vec::new();
    for run in runs.iter().rev() {
        match parent(run) {
            Some(parent) => children.entry(parent).or_default().push(run),
            None => waiting.push((0, run)),
        }
    }
    let mut ordered = Vec::with_capacity(runs.len());
    while let Some((depth, run)) = waiting.pop() {
        ordered.push((depth, run));
        let below = children.remove(&run.id).unwrap_or_default();
        waiting.extend(below.into_iter().rev().map(|child| (depth + 1, child)));
    }
    ordered
}

/// Returns the state of a run with its glyph, its place in the queue with its priority, and whether a pause of its sweep or the
/// limit of its workflow keeps it there, or nothing of it works.
pub(super) fn state(run: &Run, held: bool) -> Cell {
    let mut text = format!("{} {}", run_glyph(run.state), run.state.word());
    if let Some(place) = run.position.filter(|_| run.state == RunStatus::Queued) {
        text.push_str(&format!(" {place}"));
    }
    let mut notes = Vec::new();
    if run.paused.is_some() {
        notes.push("paused".to_owned());
    } else if run.waits_for.is_some() {
        notes.push("waits".to_owned());
    } else if let Some(limit) = run.concurrency.filter(|_| held) {
        notes.push(format!("limit {limit}"));
    }
    if run.state == RunStatus::Queued && run.priority != 0 {
        notes.push(format!("priority {}", run.priority));
    }
    if !notes.is_empty() {
        text.push_str(&format!(" ({})", notes.join(", ")));
    }
    Cell::new(text, Role::of_run(run.state))
}

/// Returns how long a run took, or has taken so far.
pub(super) fn elapsed(run: &Run) -> String {
    let end = run.ended_at.unwrap_or_else(Time::now);
    run.started_at.map(|begin| human_duration(end.since(begin))).unwrap_or_default()
}
