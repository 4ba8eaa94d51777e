//! Writes how much each param matters for a column.

use fanlight_shared::client::table::{Importance, Table};
use serde_json::json;

use super::write::{Format, csv_record, markdown_row};
use crate::failure::Failure;
use crate::output::{self, Out, json, table};
use crate::text;

const NAMES: [&str; 4] = ["param", "importance", "correlation", "runs"];
/// With fewer runs a note says that they are few.
const FEW_RUNS: usize = 20;

/// Writes the importance of all params that vary in some rows.
pub(super) fn write(
    out: &mut Out,
    of: &Table,
    rows: &[usize],
    target: usize,
    format: Format,
) -> Result<(), Failure> {
    let target_name = &of.columns()[target].name;
    let found = of.importance(rows, target);
    if found.is_empty() {
        return Err(Failure::failed(format!(
            "nothing can be said about `{target_name}`: no param that varies has several runs with a number there for each value, \
             or more than five values"
        ))
        .hint("run it again with `--repeat 2`, or with more values"));
    }
    let names = NAMES.map(str::to_owned);
    match format {
        Format::Text => {
            let mut lines = table::Table::new(&NAMES);
            found.iter().for_each(|it| lines.row(words(of, it).map(table::Cell::from).into()));
            lines.print(out)?;
        }
        Format::Csv => {
            csv_record(out, names)?;
            found.iter().try_for_each(|it| csv_record(out, numbers(of, it)))?;
        }
        Format::Json => {
            for it in &found {
                let name = &of.columns()[it.column].name;
                let found = json!({
                    "param": name, "importance": it.share, "correlation": it.correlation, "runs": it.runs,
                });
                json::print(out, &found)?;
            }
        }
        Format::Markdown => {
            markdown_row(out, names)?;
            out.line("|---|---|---|---|")?;
            found.iter().try_for_each(|it| markdown_row(out, words(of, it)))?;
        }
    }
    let runs = found.iter().map(|it| it.runs).max().unwrap_or(0);
    if runs < FEW_RUNS {
        output::note(&format!("{} are few: these numbers may change with more", text::count(runs, "run")));
    }
    Ok(())
}

fn words(of: &Table, it: &Importance) -> [String; 4] {
    let correlation = it.correlation.map_or_else(|| "–".to_owned(), |it| format!("{it:+.2}"));
    [of.columns()[it.column].name.clone(), format!("{:.2}", it.share), correlation, it.runs.to_string()]
}

fn numbers(of: &Table, it: &Importance) -> [String; 4] {
    let correlation = it.correlation.map_or_else(String::new, |it| it.to_string());
    [of.columns()[it.column].name.clone(), it.share.to_string(), correlation, it.runs.to_string()]
}
