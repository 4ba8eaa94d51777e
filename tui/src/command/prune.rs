//! `fanlight prune`: deletes ended runs by age, count, size or state.

use clap::ValueEnum;
use fanlight_shared::rpc::runs::{Prune, Pruned};
use fanlight_shared::run::RunStatus;
use fanlight_shared::time::Time;
use fanlight_shared::units;
use serde_json::json;

use super::find_workflow;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::style::Role;
use crate::output::table::{Cell, Table};
use crate::output::{self, Out, ask, json};
use crate::text;

/// How many runs are listed before the question.
const SHOWN_RUNS: usize = 20;

/// The arguments of `prune`.
#[derive(clap::Args, Debug)]
#[command(
    group = clap::ArgGroup::new("condition").required(true).multiple(true).args(["older_than", "keep", "max_size", "state"])
)]
pub(crate) struct Args {
    /// Only runs that ended longer ago than this: `30d`, `12h`.
    #[arg(long, value_name = "AGE")]
    older_than: Option<String>,
    /// Keep this many of the newest ended runs of each workflow.
    #[arg(long, value_name = "N")]
    keep: Option<u32>,
    /// Only the oldest runs, until everything that is stored has at most this size: `20GB`, `500 MiB`.
    #[arg(long, value_name = "SIZE")]
    max_size: Option<String>,
    /// Only runs that ended in this state; may be given several times.
    #[arg(long, value_name = "STATE", value_delimiter = ',')]
    state: Vec<State>,
    /// Only runs of this workflow: its name, or the path of its file.
    #[arg(short, long, value_name = "WORKFLOW")]
    workflow: Option<String>,
    /// Keep the assets of these runs; not with `--max-size`.
    #[arg(long, conflicts_with = "max_size")]
    keep_assets: bool,
    /// Delete nothing, and list what would be deleted.
    #[arg(long)]
    dry_run: bool,
    /// Don't ask for confirmation.
    #[arg(short, long)]
    yes: bool,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(ValueEnum, Clone, Copy, Debug)]
enum State {
    Completed,
    Failed,
    Cancelled,
}

impl From<State> for RunStatus {
    fn from(state: State) -> Self {
        match state {
            State::Completed => Self::Completed,
            State::Failed => Self::Failed,
            State::Cancelled => Self::Cancelled,
        }
    }
}

/// Runs `prune`.
pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let mut prune = request(&args)?;
    let client = Context::from_env()?.connect().await?;
    if let Some(name) = &args.workflow {
        prune.workflow_id = Some(find_workflow(&client, name).await?.workflow.id);
    }
    let found = client.call(Prune { dry_run: true, ..prune.clone() }).await?;
    if found.count == 0 {
        if args.json {
            return print(&args, &found);
        }
        output::note("nothing to prune");
        return Ok(());
    }
    if args.dry_run {
        return print(&args, &found);
    }
    let question = format!("Delete {} for good?", what(&found));
    if !args.yes && !args.json {
        list(&found)?;
    }
    ask::confirm(&question, args.yes).await?;
    let pruned = client.call(prune).await?;
    print(&args, &pruned)
}

/// Returns the request; ages count from now, so that no run is added to what the question names.
fn request(args: &Args) -> Result<Prune, Failure> {
    let age = |text: &String| {
        let age = units::duration(text).and_then(|age| i64::try_from(age.as_millis()).ok());
        let age = age.ok_or_else(|| {
            Failure::usage(format!("`{text}` is not an age"))
                .hint("write a number with a unit: `30d`, `12h`, `90m`")
        })?;
        Ok::<_, Failure>(Time(Time::now().0.saturating_sub(age)))
    };
    let size = |text: &String| {
        units::size(text).ok_or_else(|| {
            Failure::usage(format!("`{text}` is not a size"))
                .hint("write a number with a unit: `20GB`, `500 MiB`")
        })
    };
    Ok(Prune {
        workflow_id: None,
        states: args.state.iter().map(|state| (*state).into()).collect(),
        ended_before: args.older_than.as_ref().map(age).transpose()?,
        keep: args.keep,
        max_bytes: args.max_size.as_ref().map(size).transpose()?,
        keep_assets: args.keep_assets,
        dry_run: false,
    })
}

/// Returns `3 runs with 7 assets (up to 1.2 MB)`.
fn what(found: &Pruned) -> String {
    let runs = text::count(usize::try_from(found.count).unwrap_or(usize::MAX), "run");
    if found.assets == 0 {
        return format!("{runs}, whose assets stay or which have none");
    }
    let assets = text::count(usize::try_from(found.assets).unwrap_or(usize::MAX), "asset");
    format!("{runs} with {assets} (up to {})", text::size(found.bytes))
}

/// Lists the first runs on stderr, before the question.
fn list(found: &Pruned) -> Result<(), Failure> {
    for run in found.runs.iter().take(SHOWN_RUNS) {
        let ended = run.ended_at.map(text::clock).unwrap_or_default();
        output::note(&format!("  {}  {}  {ended}  {}", run.name, run.state.word(), text::size(run.bytes)));
    }
    if found.runs.len() > SHOWN_RUNS {
        output::note(&format!("  and {} more; `--dry-run` lists them", found.runs.len() - SHOWN_RUNS));
    }
    Ok(())
}

fn print(args: &Args, pruned: &Pruned) -> Result<(), Failure> {
    let mut out = Out::new();
    if args.json {
        let object = json!({
            "dry_run": args.dry_run,
            "runs": pruned.runs,
            "count": pruned.count,
            "assets": pruned.assets,
            "bytes": pruned.bytes,
        });
        json::print(&mut out, &object)?;
        return out.flush();
    }
    let mut table = Table::new(&["RUN", "STATE", "ENDED", "ASSETS", "SIZE"]);
    for run in &pruned.runs {
        table.row(vec![
            Cell::new(run.name.as_str(), Role::Strong),
            run.state.word().into(),
            run.ended_at.map(text::clock).unwrap_or_default().into(),
            run.assets.to_string().into(),
            text::size(run.bytes).into(),
        ]);
    }
    table.print(&mut out)?;
    out.flush()?;
    if args.dry_run {
        output::note(&format!("would delete {}", what(pruned)));
    } else {
        let runs = text::count(usize::try_from(pruned.count).unwrap_or(usize::MAX), "run");
        let assets = text::count(usize::try_from(pruned.assets).unwrap_or(usize::MAX), "asset");
        output::note(&format!("deleted {runs} and {assets}; freed {}", text::size(pruned.bytes)));
    }
    Ok(())
}
