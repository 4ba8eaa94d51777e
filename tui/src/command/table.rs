//! `fanlight table`: runs as rows, with their params, outputs and metrics as columns.

mod importance;
mod write;

use fanlight_shared::client::Client;
use fanlight_shared::client::table::{Condition, Table};
use fanlight_shared::rpc::metrics::MAX_RUNS;
use fanlight_shared::rpc::{runs, sweeps};
use fanlight_shared::time::Time;

use super::{choice, find_workflow};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{self, Out};
use crate::text;
use write::{Format, Shown};

/// The arguments of `table`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// A workflow (its name, or the path of its file), a sweep, or runs.
    #[arg(value_name = "WORKFLOW|SWEEP|RUN", required = true)]
    of: Vec<String>,
    /// Sort by a column; `-COLUMN` begins with the largest. May be repeated: the first one counts most.
    #[arg(long, value_name = "[-]COLUMN", allow_hyphen_values = true)]
    sort: Vec<String>,
    /// Show only these columns, in this order. By default all that differ but those of `system/`.
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',')]
    columns: Vec<String>,
    /// Show only rows that meet a condition, such as `acc>0.9`, `state=failed` or `name~part`. May be repeated.
    #[arg(long = "where", value_name = "CONDITION")]
    conditions: Vec<String>,
    /// Show how much each param matters for a column with numbers, instead of the runs.
    #[arg(long, value_name = "COLUMN", conflicts_with_all = ["sort", "columns"])]
    importance: Option<String>,
    /// The most runs, the newest ones.
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    limit: u32,
    /// Print CSV, with all columns.
    #[arg(long, conflicts_with_all = ["json", "md"])]
    csv: bool,
    /// Print JSON, one object per run, with all columns.
    #[arg(long, conflicts_with = "md")]
    json: bool,
    /// Print a table in Markdown.
    #[arg(long)]
    md: bool,
}

/// Runs `table`.
pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let client = Context::from_env()?.connect().await?;
    let request = find(&client, &args.of).await?;
    let (table, more) = read(&client, request, args.limit as usize).await?;
    let usage = |why: String| Failure::usage(why);
    let conditions =
        args.conditions.iter().map(|text| Condition::read(text, &table)).collect::<Result<Vec<_>, _>>();
    let conditions = conditions.map_err(usage)?;
    let places = args.columns.iter().map(|name| table.named(name.trim())).collect::<Result<Vec<_>, _>>();
    let places = places.map_err(usage)?;
    let mut keys = Vec::new();
    for key in &args.sort {
        let (name, descending) = key.strip_prefix('-').map_or((key.as_str(), false), |name| (name, true));
        keys.push((table.named(name).map_err(usage)?, descending));
    }
    let mut rows = table.matching(&conditions);
    for (column, descending) in keys.into_iter().rev() {
        table.sort(&mut rows, column, descending);
    }
    let format = match (args.csv, args.json, args.md) {
        (true, ..) => Format::Csv,
        (_, true, _) => Format::Json,
        (.., true) => Format::Markdown,
        _ => Format::Text,
    };
    let varying = matches!(format, Format::Text | Format::Markdown);
    let mut out = Out::new();
    match &args.importance {
        Some(name) => {
            let target = table.named(name).map_err(usage)?;
            importance::write(&mut out, &table, &rows, target, format)?;
        }
        None => {
            let columns = if places.is_empty() { table.ordered(varying) } else { places };
            format.write(&mut out, &Shown { table: &table, rows, columns })?;
        }
    }
    out.flush()?;
    if more {
        let runs = text::count(args.limit as usize, "run");
        output::note(&format!("these are the newest {runs}; `--limit` shows more"));
    }
    if table.left_out() > 0 {
        let values = text::count(table.left_out(), "value");
        output::note(&format!(
            "{values} left out: there are too many columns, metrics or long params, or a metric is damaged"
        ));
    }
    Ok(())
}

/// Returns the request for what the user named: a workflow, else a sweep, else runs.
pub(super) async fn find(client: &Client, names: &[String]) -> Result<runs::Table, Failure> {
    if let [name] = names
        && !name.contains(['#', ':'])
    {
        if let Ok(workflow) = find_workflow(client, name).await {
            return Ok(runs::Table { workflow_id: Some(workflow.workflow.id), ..runs::Table::default() });
        }
        if let Ok(found) = client.call(sweeps::Get { sweep: name.clone() }).await
            && found.sweep.name == *name
        {
            return Ok(runs::Table { sweep: Some(found.sweep.name), ..runs::Table::default() });
        }
    }
    let found = choice::named(client, names).await?;
    if found.len() > MAX_RUNS {
        return Err(Failure::usage(format!("{} runs are named; at most {MAX_RUNS} can be", found.len())));
    }
    Ok(runs::Table { run_ids: found.iter().map(|run| run.id).collect(), ..runs::Table::default() })
}

/// Reads the newest runs, and returns whether there are more.
async fn read(client: &Client, request: runs::Table, limit: usize) -> Result<(Table, bool), Failure> {
    let (rows, more) = rows(client, request, limit).await?;
    let mut table = Table::default();
    table.add(&rows, Time::now());
    table.name_columns();
    Ok((table, more))
}

/// Returns the newest runs with their outputs, and whether there are more.
pub(super) async fn rows(
    client: &Client,
    request: runs::Table,
    limit: usize,
) -> Result<(Vec<runs::TableRow>, bool), Failure> {
    let (mut rows, mut request) = (Vec::new(), request);
    loop {
        request.limit = u32::try_from(limit.saturating_sub(rows.len()).min(1000)).ok();
        let page = client.call(request.clone()).await?;
        rows.extend(page.rows);
        let is_full = rows.len() >= limit;
        if page.cursor.is_none() || is_full {
            return Ok((rows, page.cursor.is_some()));
        }
        request.cursor = page.cursor;
    }
}
