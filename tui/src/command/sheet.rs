//! `fanlight sheet`: products of past runs, arranged by two params.

mod draw;
mod product;
mod write;

use std::path::{Path, PathBuf};

use fanlight_shared::client::Client;
use fanlight_shared::client::sheet::{RunOfSheet, Sheet};
use fanlight_shared::client::table::{Condition, Table};
use fanlight_shared::rpc::runs::TableRow;
use fanlight_shared::run::{Run, RunStatus};
use fanlight_shared::sanitise;
use fanlight_shared::time::Time;

use super::find_params;
use super::table::{find, rows};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{self, Out};
use crate::text;
use product::{Cell, Choice};

/// The arguments of `sheet`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// A workflow (its name, or the path of its file), a sweep, or runs.
    #[arg(value_name = "WORKFLOW|SWEEP|RUN", required = true)]
    of: Vec<String>,
    /// The param whose values are the columns.
    #[arg(long, value_name = "PARAM")]
    x: String,
    /// The param whose values are the rows; without it there is one row.
    #[arg(long, value_name = "PARAM")]
    y: Option<String>,
    /// Which product is shown: an output of the workflow, or `NODE.PORT`. Only needed if there are several outputs.
    #[arg(long, value_name = "OUTPUT")]
    output: Option<String>,
    /// Use only runs that meet a condition, such as `steps=20` or `acc>0.9`, as in `table`. May be repeated.
    #[arg(long = "where", value_name = "CONDITION")]
    conditions: Vec<String>,
    /// Write the sheet to this file, as a PNG.
    #[arg(short, long, value_name = "FILE.png")]
    out: Option<PathBuf>,
    /// The width of a cell of the PNG, in pixels.
    #[arg(long, value_name = "PIXELS", default_value_t = 256, requires = "out")]
    width: u32,
    /// Print JSON, one object per cell, row by row.
    #[arg(long, conflicts_with = "out")]
    json: bool,
    /// The most runs, the newest ones.
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    limit: u32,
}

/// Runs `sheet`.
pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    if let Some(path) = &args.out {
        check_path(path)?;
    }
    let client = Context::from_env()?.connect().await?;
    let (rows, more) = rows(&client, find(&client, &args.of).await?, args.limit as usize).await?;
    // Conditions read long params, and JSON has them.
    let is_whole = args.json || !args.conditions.is_empty();
    let rows = with_params(&client, rows, is_whole).await?;
    let (mut table, usage) = (Table::default(), |why: String| Failure::usage(why));
    table.add(&rows, Time::now());
    table.name_columns();
    let conditions =
        args.conditions.iter().map(|text| Condition::read(text, &table)).collect::<Result<Vec<_>, _>>();
    let kept: Vec<_> = table.matching(&conditions.map_err(usage)?).into_iter().map(|at| &rows[at]).collect();
    let runs: Vec<&Run> = kept.iter().map(|row| &row.run).collect();
    if runs.is_empty() {
        return Err(Failure::failed("no run meets these conditions"));
    }
    let of: Vec<RunOfSheet<'_>> = kept.iter().map(|row| RunOfSheet::from(*row)).collect();
    let sheet = Sheet::of(&of, &args.x, args.y.as_deref()).map_err(|why| {
        let hint = why.contains("cells").then_some("`--where` leaves runs out");
        Failure::usage(why).maybe_hint(hint.map(str::to_owned))
    })?;
    let completed = kept.iter().filter(|row| row.run.state == RunStatus::Completed);
    let outputs = completed.flat_map(|row| row.outputs.keys().map(String::as_str));
    let choice = Choice::of(outputs, args.output.as_deref())?;
    let cells = product::read(&client, &sheet, &runs, &choice).await?;
    let mut out = Out::new();
    let problems = match &args.out {
        Some(path) => {
            let problems = draw::png(&client, &sheet, &cells, args.width, path).await?;
            out.line(&sanitise::line(&path.to_string_lossy()))?;
            problems
        }
        None if args.json => write::json(&mut out, &sheet, &cells).map(|()| Vec::new())?,
        None => write::text(&mut out, &sheet, &cells).map(|()| Vec::new())?,
    };
    out.flush()?;
    say(&sheet, more.then_some(args.limit as usize));
    problems.iter().for_each(|problem| output::note(&sanitise::line(problem)));
    if problems.is_empty() {
        return Ok(());
    }
    let count = text::count(problems.len(), "picture");
    Err(Failure::failed(format!("the sheet lacks {count} that could not be read")))
}

/// Reads the params that rows lack; if `is_whole`, also those that they have only shortened. Runs that were deleted meanwhile
/// are left out.
async fn with_params(client: &Client, rows: Vec<TableRow>, is_whole: bool) -> Result<Vec<TableRow>, Failure> {
    let mut found = Vec::with_capacity(rows.len());
    for mut row in rows {
        if row.params_left == 0 && !is_whole {
            found.push(row);
            continue;
        }
        match find_params(client, &mut row.run).await {
            Err(error) if error.is_unknown() => {}
            read => {
                read?;
                found.push(row.with_all_params());
            }
        }
    }
    Ok(found)
}

/// Says on stderr what is not in the sheet.
fn say(sheet: &Sheet, limit: Option<usize>) {
    if let Some(limit) = limit {
        let runs = text::count(limit, "run");
        output::note(&format!("these are the newest {runs}; `--limit` uses more"));
    }
    if sheet.left_out > 0 {
        let runs = text::count(sheet.left_out, "run");
        output::note(&format!("{runs} left out: one of the params is missing"));
    }
}

/// Checks the name of the file before anything is read.
fn check_path(path: &Path) -> Result<(), Failure> {
    let shown = path.display();
    let is_png = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("png"));
    if !is_png {
        return Err(Failure::usage(format!("`{shown}`: a sheet is a PNG, so its name ends in `.png`")));
    }
    if std::fs::symlink_metadata(path).is_ok() {
        return Err(Failure::usage(format!("`{shown}` exists already; it was left as it is")));
    }
    Ok(())
}

/// Returns the name of the run of a cell, and how many others have the same values.
fn name(run: &Run, others: usize) -> String {
    match others {
        0 => run.name(),
        others => format!("{} (+{others})", run.name()),
    }
}

/// Returns why a cell shows nothing.
fn reason(cell: &Cell<'_>) -> String {
    match cell {
        Cell::Nothing => "no run".to_owned(),
        Cell::NotDone(run) => format!("{}: {}", run.state.word(), run.name()),
        Cell::Deleted(run) => format!("deleted: {}", run.name()),
        Cell::Product { run, .. } => format!("nothing from {}", run.name()),
    }
}
