//! The report that `run` prints on stdout when all runs have ended.

use std::collections::HashMap;

use fanlight_shared::client::Client;
use fanlight_shared::client::projection::{Projection, Row};
use fanlight_shared::id::{AssetId, BlobHash};
use fanlight_shared::run::RunStatus;
use fanlight_shared::run_state::RunState;
use fanlight_shared::sanitise;
use fanlight_shared::value::Value;
use serde_json::{Map, Value as Json, json};

use super::save::Saved;
use crate::command::find_params;
use crate::download::ids_of_run;
use crate::failure::Failure;
use crate::output::{Out, json};
use crate::text;

/// The most absent outputs that are named.
const MAX_ABSENT: usize = 10;

/// `RUN<tab>OUTPUT<tab>VALUE`, a line per output; lists with media or texts have a line per element (`poster[0]`).
///
/// With `--out` the value is the path of the file that was written. Else media is `asset:ID NAME`, a text its first
/// line (`…` behind it where there is more), and everything else JSON.
pub(super) async fn lines(
    out: &mut Out,
    client: &Client,
    projection: &Projection,
    saved: Option<&Saved>,
) -> Result<(), Failure> {
    for row in in_order(projection) {
        let name = row.run.name();
        if let Some(saved) = saved {
            for (output, path) in saved.files.get(&row.run.id).into_iter().flatten() {
                out.line(&format!("{name}\t{output}\t{}", sanitise::line(&path.to_string_lossy())))?;
            }
            continue;
        }
        let ids = asset_ids(client, row).await?;
        for (output, value) in row.state.iter().flat_map(|state| &state.outputs) {
            for (output, value) in spread(output, value) {
                out.line(&format!("{name}\t{output}\t{}", shown(value, &ids)))?;
            }
        }
    }
    Ok(())
}

/// Returns the runs in the order of their numbers: those of a search were heard of in any order.
fn in_order(projection: &Projection) -> Vec<Row<'_>> {
    let mut rows: Vec<Row<'_>> = projection.rows().collect();
    rows.sort_by_key(|row| row.run.number);
    rows
}

/// Returns the outputs that completed runs don't have, because what these read was skipped or has no such value.
pub(super) fn absent<'a>(
    projection: &Projection,
    outputs: impl Iterator<Item = &'a String>,
) -> Option<String> {
    let completed = projection.rows().filter(|row| row.run.state == RunStatus::Completed);
    let states: Vec<&RunState> = completed.filter_map(|row| row.state).collect();
    let absent: Vec<String> = outputs
        .filter_map(|name| {
            let missing = states.iter().filter(|state| !state.outputs.contains_key(name)).count();
            match missing {
                0 => None,
                _ if states.len() == 1 => Some(name.clone()),
                _ => Some(format!("{name} (in {missing} of {} completed runs)", states.len())),
            }
        })
        .collect();
    let more = absent.len().saturating_sub(MAX_ABSENT);
    let shown = sanitise::line(&absent[..absent.len() - more].join(", "));
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    (!absent.is_empty()).then(|| format!("absent outputs: {shown}{more}"))
}

/// Prints the last object, `{"type": "end", "runs": […]}`: each run with its `outputs` and, with `--out`, its `files`.
pub(super) async fn json(
    out: &mut Out,
    client: &Client,
    projection: &Projection,
    saved: Option<&Saved>,
) -> Result<(), Failure> {
    let mut runs: Vec<Json> = Vec::new();
    for row in in_order(projection) {
        runs.push(run_json(client, row, saved).await?);
    }
    json::print(out, &json!({ "type": "end", "runs": runs }))
}

async fn run_json(client: &Client, row: Row<'_>, saved: Option<&Saved>) -> Result<Json, Failure> {
    let mut run = row.run.clone();
    find_params(client, &mut run).await?;
    let mut run = json::run(&run);
    if let Some(object) = run.as_object_mut() {
        let outputs = match row.state {
            Some(state) => json::full_values(client, &state.outputs).await?,
            None => Map::new(),
        };
        object.insert("outputs".into(), Json::Object(outputs));
        if let Some(saved) = saved {
            let files = saved.files.get(&row.run.id).into_iter().flatten();
            let files: Vec<Json> = files
                .map(|(output, path)| json!({ "output": output, "path": path.to_string_lossy() }))
                .collect();
            object.insert("files".into(), Json::Array(files));
        }
    }
    Ok(run)
}

async fn asset_ids(client: &Client, row: Row<'_>) -> Result<HashMap<BlobHash, AssetId>, Failure> {
    let media = row.state.iter().flat_map(|state| state.outputs.values()).any(Value::has_media);
    if media { Ok(ids_of_run(client, row.run.id).await?) } else { Ok(HashMap::new()) }
}

fn spread<'a>(output: &str, value: &'a Value) -> Vec<(String, &'a Value)> {
    match value {
        Value::List(items)
            if items.iter().any(|it| it.has_media() || it.has_large() || it.as_text().is_some()) =>
        {
            items.iter().enumerate().map(|(at, item)| (format!("{output}[{at}]"), item)).collect()
        }
        value => vec![(output.to_owned(), value)],
    }
}

fn shown(value: &Value, ids: &HashMap<BlobHash, AssetId>) -> String {
    let name = text::value_line(value);
    match value.as_media().and_then(|media| ids.get(&media.hash)) {
        Some(id) => format!("asset:{id} {name}"),
        None => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_texts_has_a_line_each_and_numbers_stay_together() {
        let texts = Value::List(vec![Value::from("a"), Value::from("b\nc")]);
        let lines: Vec<String> = spread("said", &texts)
            .into_iter()
            .map(|(output, value)| format!("{output} {}", shown(value, &HashMap::new())))
            .collect();
        assert_eq!(lines, ["said[0] a", "said[1] b …"]);
        let numbers = Value::List(vec![Value::Int(1), Value::Int(2)]);
        assert_eq!(spread("n", &numbers).len(), 1);
        assert_eq!(shown(&numbers, &HashMap::new()), "[1,2]");
    }
}
