//! `fanlight sweep list`

use fanlight_shared::client::Client;
use fanlight_shared::rpc::sweeps::{List, Sweep};
use fanlight_shared::sanitise;

use crate::command::choice;
use crate::failure::Failure;
use crate::output::style::Role;
use crate::output::table::{Cell, Table};
use crate::output::{self, Out, json};
use crate::text;

/// The arguments of `sweep list`.
#[derive(clap::Args, Debug, Default)]
pub(super) struct Args {
    /// Only list sweeps of this workflow: its name, or the path of its file.
    #[arg(short, long, value_name = "WORKFLOW")]
    workflow: Option<String>,
    /// Print JSON, one object per line.
    #[arg(long)]
    json: bool,
}

/// Runs `sweep list`.
pub(super) async fn run(client: &Client, args: Args, as_json: bool) -> Result<(), Failure> {
    let workflow_id = choice::workflow(client, args.workflow.as_deref()).await?;
    let as_json = as_json || args.json;
    let mut list = List { workflow_id, ..List::default() };
    let mut out = Out::new();
    let mut table = Table::new(&["SWEEP", "STATE", "RUNS", "SWEPT", "TIME", "COST", "SUBMITTED"]);
    let mut found = 0;
    loop {
        let page = client.call(list.clone()).await?;
        found += page.rows.len();
        for sweep in &page.rows {
            if as_json { json::print(&mut out, &json::sweep(sweep))? } else { table.row(row(sweep)) }
        }
        match page.cursor {
            Some(cursor) => list.cursor = Some(cursor),
            None => break,
        }
    }
    if !as_json && found > 0 {
        table.print(&mut out)?;
    }
    out.flush()?;
    if found == 0 && !as_json {
        output::note("no sweeps yet: `fanlight run poster --sweep seed=1..6` makes the first");
    }
    Ok(())
}

fn row(sweep: &Sweep) -> Vec<Cell> {
    vec![
        Cell::new(sanitise::line(&sweep.name), Role::Strong),
        super::state(sweep),
        super::counts(&sweep.runs).into(),
        sanitise::line(&sweep.swept.join(" ")).into(),
        super::time(sweep).into(),
        sweep.spent.cost_usd.and(sweep.spent.brief()).unwrap_or_default().into(),
        text::clock(sweep.created_at).into(),
    ]
}
