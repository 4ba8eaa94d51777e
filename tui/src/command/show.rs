//! `fanlight show`: one run with its params, nodes and outputs.

mod cache;
mod models;
mod questions;
mod totals;

use fanlight_shared::client::{Client, ClientError};
use fanlight_shared::event::NodeError;
use fanlight_shared::id::RunId;
use fanlight_shared::item::ItemPath;
use fanlight_shared::resources::GpuSlot;
use fanlight_shared::rpc::runs::{self, Detail, TotalsResponse};
use fanlight_shared::rpc::{ErrorCode, Page};
use fanlight_shared::run::{NodeStatus, Run, RunStatus};
use fanlight_shared::run_state::{CONDITION_IS_FALSE, InstanceState, NodeState};
use fanlight_shared::sanitise;
use fanlight_shared::time::{Time, human_duration};
use serde_json::{Value as Json, json};

use super::{find_items, find_params, find_run, ps};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::style::{Paint, Role, node_glyph};
use crate::output::table::{Cell, Table};
use crate::output::{Out, json};
use crate::{node_types, text};

/// How many items of a node that failed or were skipped are named.
const SHOWN_ITEMS: usize = 20;

/// The arguments of `show`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The run.
    #[arg(value_name = "RUN")]
    run: String,
    /// Show which nodes reused results, and for the others which part of the key differed.
    #[arg(long)]
    cache: bool,
    /// Print one JSON object; with `--cache` one per node.
    #[arg(long)]
    json: bool,
}

/// Runs `show`.
pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let client = Context::from_env()?.connect().await?;
    let mut detail = find_run(&client, &args.run).await?;
    if args.cache {
        return cache::print(&client, &detail.run, args.json).await;
    }
    find_items(&client, &mut detail).await?;
    find_params(&client, &mut detail.run).await?;
    let totals = client.call(runs::Totals { run_id: detail.run.id }).await?;
    let mut out = Out::new();
    if args.json {
        json::print(&mut out, &object(&client, &detail, &totals).await?)?;
    } else {
        let held = ps::held_back(&client, std::slice::from_ref(&detail.run)).await?;
        let list = runs::List { parent: Some(detail.run.id), ..runs::List::default() };
        let children = client.call(list).await?;
        let resumed = match detail.run.resumed_from {
            Some(id) => Some(name_of(&client, id).await?),
            None => None,
        };
        let absent = absent(&client, &detail).await;
        print(&mut out, &detail, &totals, &children, resumed.as_deref(), !held.is_empty(), &absent)?;
    }
    out.flush()
}

/// Returns the outputs that a completed run doesn't have, because what these read was skipped or has no such value.
async fn absent(client: &Client, detail: &Detail) -> Vec<String> {
    if detail.run.state != RunStatus::Completed {
        return Vec::new();
    }
    // A workflow that can't be checked here, such as one with types of a plugin that was removed, says nothing.
    let read = fanlight_shared::document::read(&detail.document, &node_types::of(Some(client)).await);
    let declared = read.map(|checked| checked.workflow.outputs).unwrap_or_default();
    declared.into_keys().filter(|name| !detail.state.outputs.contains_key(name)).collect()
}

/// Returns the name of a run, or its id if it was deleted.
async fn name_of(client: &Client, id: RunId) -> Result<String, Failure> {
    match client.call(runs::Get { run: id.to_string() }).await {
        Ok(detail) => Ok(detail.run.name()),
        Err(ClientError::Rpc(error)) if error.is(ErrorCode::NotFound) => Ok(format!("{id} (deleted)")),
        Err(error) => Err(error.into()),
    }
}

/// Returns the stable JSON of a run, with its `outputs` and `nodes`.
async fn object(client: &Client, detail: &Detail, totals: &TotalsResponse) -> Result<Json, Failure> {
    let mut run = json::run(&detail.run);
    let nodes: Vec<Json> = detail.state.nodes.iter().map(|(name, node)| node_object(name, node)).collect();
    if let Some(object) = run.as_object_mut() {
        object
            .insert("outputs".into(), Json::Object(json::full_values(client, &detail.state.outputs).await?));
        object.insert("nodes".into(), Json::Array(nodes));
        object.insert("totals".into(), totals::object(totals));
        object.insert("questions".into(), Json::Array(questions::objects(detail)));
        object.insert("path".into(), json!(detail.path));
        object.insert("environment".into(), json!(detail.environment));
        object.insert("version".into(), json!(detail.run.version));
        object.insert("resumed_from".into(), json!(detail.run.resumed_from));
    }
    Ok(run)
}

fn node_object(name: &str, node: &NodeState) -> Json {
    json!({
        "name": name,
        "state": node.whole.status,
        "attempts": node.whole.attempt(),
        "gpus": node.whole.attempts.last().map(|attempt| &attempt.gpus),
        "started_at": node.whole.started_at(),
        "ended_at": node.whole.ended_at,
        "error": node.whole.error,
        "origin": node.whole.origin,
        "location": node.whole.location(),
        "unchanged": node.whole.unchanged,
        "spent": json::spent(&node.spent),
        "items": node.item_count,
        "items_failed": node.items_failed,
        "items_dropped": node.items_dropped(),
        "items_skipped": node.items_skipped,
        "item_errors": errors(node, NodeStatus::Failed),
        "item_skips": errors(node, NodeStatus::Skipped),
    })
}

fn item_error(item: u32, error: &NodeError) -> Json {
    json!({ "item": item, "message": error.message, "exit_code": error.exit_code, "last_line": error.last_line })
}

fn errors(node: &NodeState, status: NodeStatus) -> Vec<Json> {
    items_with(node, status).map(|(item, error)| item_error(item, &error)).collect()
}

/// Returns the items with this status, and why, in their order.
fn items_with(node: &NodeState, status: NodeStatus) -> impl Iterator<Item = (u32, NodeError)> + '_ {
    let found = node.items.iter().filter(move |(_, item)| item.status == status);
    found.map(|(index, item)| (*index, item.error.clone().unwrap_or_default()))
}

fn print(
    out: &mut Out,
    detail: &Detail,
    totals: &TotalsResponse,
    children: &Page<Run>,
    resumed_from: Option<&str>,
    held: bool,
    absent: &[String],
) -> Result<(), Failure> {
    let paint = Paint::stdout();
    let run = &detail.run;
    let name = paint.apply(Role::Strong, &run.name());
    out.line(&format!("{name}  {}", sanitise::line(&run.label)))?;
    let mut facts = Table::new(&["", ""]);
    let mut fact = |name: &str, value: Cell| facts.row(vec![Cell::new(name, Role::Dim), value]);
    fact("state", ps::state(run, held));
    fact("workflow", sanitise::line(&run.title).into());
    if let Some(path) = &detail.path {
        fact("file", sanitise::line(path).into());
    }
    if !detail.environment.is_empty() {
        fact("environment", sanitise::line(&detail.environment.join(" ")).into());
    }
    fact("id", run.id.to_string().into());
    fact("submitted", text::clock(run.submitted_at).into());
    if run.started_at.is_some() {
        fact("time", ps::elapsed(run).into());
    }
    for (name, line) in totals::lines(run, totals) {
        fact(name, line.into());
    }
    let models = models::names(&detail.state);
    if !models.is_empty() {
        fact("models", models.into_iter().collect::<Vec<_>>().join(", ").into());
    }
    if let Some(parent) = &run.parent {
        let node = format!("{} · {}{}", parent.name, parent.node, parent.item);
        fact("started by", sanitise::line(&node).into());
    }
    if let Some(from) = resumed_from {
        fact("resumed from", sanitise::line(from).into());
    }
    for (name, value) in &run.params {
        for (name, line) in text::value_lines(&format!("-p {name}"), value) {
            fact(&name, line.into());
        }
    }
    for (name, value) in &detail.state.outputs {
        for (name, line) in text::value_lines(&format!("output {name}"), value) {
            fact(&name, line.into());
        }
    }
    for name in absent {
        fact(&format!("output {}", sanitise::line(name)), Cell::new("absent", Role::Dim));
    }
    if let Some(error) = &run.error {
        fact("error", Cell::new(sanitise::line(error), Role::Failed));
    }
    facts.print_body(out)?;
    out.line("")?;
    nodes(detail).print(out)?;
    print_children(out, children)?;
    questions::print(out, detail)?;
    for (name, node) in &detail.state.nodes {
        if node.items_failed > 0 {
            let failed = items_with(node, NodeStatus::Failed).collect();
            print_items(out, name, &failed_count(node), failed)?;
        }
        if !node.item_skips.is_empty() {
            let skipped = items_with(node, NodeStatus::Skipped);
            let skipped = skipped.filter(|(_, reason)| reason.message != CONDITION_IS_FALSE).collect();
            print_items(out, name, &skipped_count(node), skipped)?;
        }
    }
    Ok(())
}

/// Prints the runs that a run started, the first one first.
fn print_children(out: &mut Out, children: &Page<Run>) -> Result<(), Failure> {
    if children.rows.is_empty() {
        return Ok(());
    }
    out.line("")?;
    let mut table = Table::new(&["RUN", "STATE", "TIME", "NODE", "LABEL"]);
    for run in children.rows.iter().rev() {
        let node = run.parent.as_ref().map(|parent| format!("{}{}", parent.node, parent.item));
        table.row(vec![
            Cell::new(run.name(), Role::Strong),
            ps::state(run, false),
            ps::elapsed(run).into(),
            node.unwrap_or_default().into(),
            sanitise::line(&run.label).into(),
        ]);
    }
    table.print(out)?;
    if children.cursor.is_some() {
        out.line("  and earlier ones; `fanlight ps --all` lists them")
    } else {
        Ok(())
    }
}

/// Prints the items of a node that are missing from its lists, and their reasons.
fn print_items(out: &mut Out, name: &str, count: &str, items: Vec<(u32, NodeError)>) -> Result<(), Failure> {
    out.line("")?;
    out.line(&format!("{name}: {count}"))?;
    let mut table = Table::new(&["", "", ""]);
    for (item, error) in items.iter().take(SHOWN_ITEMS) {
        let at = ItemPath::item(*item).to_string();
        table.row(vec!["".into(), Cell::new(at, Role::Dim), reason(error).into()]);
    }
    table.print_body(out)?;
    let more = items.len().saturating_sub(SHOWN_ITEMS);
    if more > 0 { out.line(&format!("  and {more} more; `--json` has them all")) } else { Ok(()) }
}

/// Returns `11 of 15 items dropped`, or the same with `failed`.
fn failed_count(node: &NodeState) -> String {
    let word = if node.items_dropped() > 0 { "dropped" } else { "failed" };
    let of = node.item_count.unwrap_or(node.items_failed);
    format!("{} of {} {word}", node.items_failed, text::count(of as usize, "item"))
}

/// Returns `2 of 4 items skipped`.
fn skipped_count(node: &NodeState) -> String {
    let of = node.item_count.unwrap_or(node.items_skipped);
    format!("{} of {} skipped", node.items_skipped, text::count(of as usize, "item"))
}

/// Returns a reason with the last line that a command wrote.
fn reason(error: &NodeError) -> String {
    let last = error.last_line.iter().map(|line| format!(" ({line})")).collect::<String>();
    sanitise::line(&format!("{}{last}", error.message))
}

fn nodes(detail: &Detail) -> Table {
    let all = &detail.state.nodes;
    let has_gpus = all.values().any(|node| gpus(node).is_some());
    let columns = ["NODE", "STATE", "TRIES", "ITEMS", "TIME", "GPU", "NOTE"];
    let columns: Vec<&str> = columns.into_iter().filter(|it| *it != "GPU" || has_gpus).collect();
    let mut table = Table::new(&columns);
    for (name, node) in all {
        let status = node.whole.status;
        let items = node.item_count.map(|items| format!("{}/{items}", node.items_done));
        let mut row = vec![
            name.as_str().into(),
            Cell::new(format!("{} {}", node_glyph(status), status.word()), Role::of_node(status)),
            if node.whole.attempt() > 1 { node.whole.attempt().to_string().into() } else { "".into() },
            items.unwrap_or_default().into(),
            elapsed(&node.whole).into(),
        ];
        if has_gpus {
            row.push(gpus(node).unwrap_or_default().into());
        }
        row.push(note(node).into());
        table.row(row);
    }
    table
}

/// Returns the GPUs of the newest attempt of a node, or of its items that run.
fn gpus(node: &NodeState) -> Option<String> {
    let live = node.items.values().filter(|item| item.is_live());
    let attempts = live.chain([&node.whole]).filter_map(|instance| instance.attempts.last());
    let slots: Vec<GpuSlot> = attempts.flat_map(|attempt| attempt.gpus.iter().cloned()).collect();
    // The column is called so already.
    GpuSlot::shown(&slots).map(|shown| sanitise::line(shown.trim_start_matches("GPU ")))
}

fn elapsed(node: &InstanceState) -> String {
    let end = node.ended_at.unwrap_or_else(Time::now);
    node.started_at().map(|begin| human_duration(end.since(begin))).unwrap_or_default()
}

/// Returns the error of a node, else the items it dropped or skipped, else its progress, else its outputs and the run that
/// computed them.
fn note(node: &NodeState) -> String {
    let whole = &node.whole;
    if let Some(error) = &whole.error {
        return reason(error);
    }
    if node.items_failed > 0 {
        return failed_count(node);
    }
    if !node.item_skips.is_empty() {
        return skipped_count(node);
    }
    if let Some(question) = &whole.question {
        return format!("asks: {}", sanitise::line(&question.text));
    }
    if let Some(line) =
        whole.last_line.as_ref().or(node.waits_for.as_ref()).filter(|_| !whole.status.is_ended())
    {
        return sanitise::line(line);
    }
    let location = whole.location().map(|location| sanitise::line(&location.describe()));
    let origin = whole.origin.iter().map(|origin| format!("≡ {}", sanitise::line(&origin.run)));
    let outputs = whole.outputs.iter().map(|(port, value)| {
        let unchanged = if whole.unchanged.contains(port) { " (unchanged)" } else { "" };
        let input = value.as_media().and_then(text::input);
        let words = input.unwrap_or_else(|| sanitise::line(&value.summary(24)));
        format!("{port}={words}{unchanged}")
    });
    location.into_iter().chain(origin).chain(outputs).collect::<Vec<_>>().join("  ")
}
