//! `fanlight metrics`: what runs measured, as a table with small curves, or point by point.

mod sparkline;

use std::collections::HashMap;

use fanlight_shared::client::{Client, ClientError};
use fanlight_shared::id::RunId;
use fanlight_shared::item::ItemPath;
use fanlight_shared::metric::Point;
use fanlight_shared::rpc::metrics::{Curve, List, MAX_RUNS, Points, Read, Series};
use fanlight_shared::run::Run;
use fanlight_shared::sanitise;
use fanlight_shared::value::float::Number;
use serde_json::json;

use super::find_run;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::style::Role;
use crate::output::table::{Cell, Table};
use crate::output::{self, Out, json};
use crate::text;

/// The width of the curve in the table, in characters.
const CURVE_WIDTH: u32 = 24;
/// Rows per page.
const PAGE: u32 = 1000;

/// The arguments of `metrics`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The runs.
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<String>,
    /// Only the metric with this name.
    #[arg(short, long)]
    name: Option<String>,
    /// Only the metrics of this node.
    #[arg(long)]
    node: Option<String>,
    /// Print all points as CSV.
    #[arg(long)]
    csv: bool,
    /// Print all points as JSON, one object per line.
    #[arg(long, conflicts_with = "csv")]
    json: bool,
}

/// Runs `metrics`.
pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    if args.runs.len() > MAX_RUNS {
        return Err(Failure::usage(format!(
            "{} runs are given; at most {MAX_RUNS} can be shown at once",
            args.runs.len()
        )));
    }
    let client = Context::from_env()?.connect().await?;
    let mut runs: Vec<Run> = Vec::new();
    for name in &args.runs {
        let run = find_run(&client, name).await?.run;
        if runs.iter().all(|known| known.id != run.id) {
            runs.push(run);
        }
    }
    let names: HashMap<RunId, String> = runs.iter().map(|run| (run.id, run.name())).collect();
    let found = list(&client, &args, &runs).await?;
    let mut out = Out::new();
    let mut damaged: Vec<String> = found.iter().filter_map(|series| series.damaged.clone()).collect();
    if args.csv || args.json {
        if args.csv {
            out.line("run,node,item,name,step,time,value")?;
        }
        for series in found.iter().filter(|series| series.damaged.is_none()) {
            damaged.extend(points(&client, series, &names[&series.run_id], args.csv, &mut out).await?);
        }
    } else if !found.is_empty() {
        table(&client, &args, &found, &names, &mut damaged).await?.print(&mut out)?;
    }
    out.flush()?;
    if found.is_empty() {
        let of = if runs.len() == 1 { "this run" } else { "these runs" };
        output::note(&match &args.name {
            Some(name) => format!("{of} reported no metric `{}`", sanitise::line(name)),
            None => format!("{of} reported no metrics; `fanlight docs metrics` says how a command does"),
        });
    }
    let replaced: u64 = found.iter().map(|series| series.replaced).sum();
    if replaced > 0 && !args.json && !args.csv {
        let points = text::count(usize::try_from(replaced).unwrap_or(usize::MAX), "point");
        let is = if replaced == 1 { "was" } else { "were" };
        output::note(&format!(
            "{points} {is} replaced, because a step was reported again or went back; let steps count over the whole node"
        ));
    }
    damaged.sort_unstable();
    damaged.dedup();
    match damaged.split_last() {
        None => Ok(()),
        Some((last, others)) => {
            others.iter().for_each(|why| output::note(&sanitise::line(why)));
            Err(Failure::failed(sanitise::line(last)))
        }
    }
}

async fn list(client: &Client, args: &Args, runs: &[Run]) -> Result<Vec<Series>, Failure> {
    let mut list = List {
        run_ids: runs.iter().map(|run| run.id).collect(),
        node: args.node.clone(),
        item: None,
        name: args.name.clone(),
        cursor: None,
        limit: Some(PAGE),
    };
    let mut found = Vec::new();
    loop {
        let page = client.call(list.clone()).await?;
        found.extend(page.rows);
        list.cursor = page.cursor;
        if list.cursor.is_none() {
            return Ok(found);
        }
    }
}

/// A series, as its curve names it.
type Place = (RunId, String, ItemPath);

/// Returns the table of series, each with its curve on the axis that all runs share.
async fn table(
    client: &Client,
    args: &Args,
    found: &[Series],
    names: &HashMap<RunId, String>,
    damaged: &mut Vec<String>,
) -> Result<Table, Failure> {
    let mut curves: HashMap<(String, Place), Curve> = HashMap::new();
    let mut metrics: Vec<&str> = found.iter().map(|series| series.name.as_str()).collect();
    metrics.sort_unstable();
    metrics.dedup();
    for name in metrics {
        let mut read = Read {
            run_ids: names.keys().copied().collect(),
            name: name.to_owned(),
            node: args.node.clone(),
            width: CURVE_WIDTH,
            ..Read::default()
        };
        loop {
            let page = client.call(read.clone()).await?;
            for mut curve in page.rows {
                damaged.extend(curve.damaged.take());
                let place = (curve.run_id, curve.node.clone(), curve.item);
                curves.insert((name.to_owned(), place), curve);
            }
            read.cursor = page.cursor;
            if read.cursor.is_none() {
                break;
            }
        }
    }
    let mut table = Table::new(&["RUN", "METRIC", "LAST", "BEST", "MIN", "MAX", "POINTS", "CURVE"]);
    for series in found {
        let place = (series.run_id, series.node.clone(), series.item);
        let curve = curves.get(&(series.name.clone(), place));
        let at = |point: Option<Point>| point.map(|it| text::number(it.value)).unwrap_or_default();
        let best = series.best().map(|it| format!("{} at {}", text::number(it.value), it.step));
        let unit = series.unit.as_ref().map(|unit| format!(" {}", sanitise::line(unit))).unwrap_or_default();
        table.row(vec![
            Cell::new(names[&series.run_id].clone(), Role::Strong),
            sanitise::line(&format!("{}{}.{}", series.node, series.item, series.name)).into(),
            match &series.damaged {
                Some(_) => Cell::new("damaged", Role::Failed),
                None => format!("{}{unit}", text::number(series.last.value)).into(),
            },
            Cell::new(best.unwrap_or_default(), Role::Completed),
            at(series.min).into(),
            at(series.max).into(),
            series.count.to_string().into(),
            curve.map(|curve| sparkline::of(curve, CURVE_WIDTH)).unwrap_or_default().into(),
        ]);
    }
    Ok(table)
}

/// Prints all points of a series, page by page. Returns why some of them can't be read.
async fn points(
    client: &Client,
    series: &Series,
    run: &str,
    as_csv: bool,
    out: &mut Out,
) -> Result<Option<String>, Failure> {
    let mut of = Points {
        run_id: series.run_id,
        node: series.node.clone(),
        item: series.item,
        name: series.name.clone(),
        from: 0,
        to: None,
        cursor: None,
        limit: Some(PAGE),
    };
    loop {
        let page = match client.call(of.clone()).await {
            Err(ClientError::Rpc(error)) => return Ok(Some(error.message)),
            page => page?,
        };
        for point in &page.rows {
            if as_csv {
                out.line(&csv_line(run, series, point))?;
            } else {
                json::print(
                    out,
                    &json!({
                        "run": run,
                        "node": series.node,
                        "item": series.item.0,
                        "name": series.name,
                        "step": point.step,
                        "time": point.at,
                        "value": Number(point.value),
                    }),
                )?;
            }
        }
        of.cursor = page.cursor;
        if of.cursor.is_none() {
            return Ok(None);
        }
    }
}

#[allow(clippy::cast_precision_loss)]
fn csv_line(run: &str, series: &Series, point: &Point) -> String {
    let item = series.item.0.map(|item| item.to_string()).unwrap_or_default();
    let value =
        fanlight_shared::value::float::word(point.value).map_or_else(|| point.value.to_string(), Into::into);
    let name = csv_field(&series.name);
    let seconds = point.at.0 as f64 / 1000.0;
    format!("{run},{},{item},{name},{},{seconds},{value}", series.node, point.step)
}

/// Returns a field of CSV, in quotes where it needs them.
fn csv_field(text: &str) -> String {
    let text = sanitise::line(text);
    if text.contains([',', '"']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fanlight_shared::time::Time;

    #[test]
    fn fields_with_commas_are_quoted() {
        let last = Point { step: 3, at: Time(1500), value: f64::NAN };
        let series = Series {
            run_id: RunId::new(),
            node: "train".into(),
            item: ItemPath::item(2),
            name: "a, \"b\"".into(),
            attempt: 1,
            unit: None,
            goal: None,
            count: 1,
            stored: 1,
            replaced: 0,
            first_step: 3,
            last,
            damaged: None,
            min: None,
            max: None,
        };
        assert_eq!(csv_line("w#1", &series, &last), "w#1,train,2,\"a, \"\"b\"\"\",3,1.5,NaN");
    }
}
