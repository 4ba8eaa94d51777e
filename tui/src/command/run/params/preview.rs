//! What `--dry-run` prints.

use fanlight_shared::rpc::runs::ParamSet;
use fanlight_shared::sanitise;
use fanlight_shared::value::Value;
use indexmap::IndexSet;

use crate::failure::Failure;
use crate::output::table::Table;
use crate::output::{self, Out, json};
use crate::text;

/// Prints the given params of each run, and how many runs there are.
pub(in crate::command) fn print(sets: &[ParamSet], as_json: bool) -> Result<(), Failure> {
    let mut out = Out::new();
    let names: IndexSet<&String> = sets.iter().flat_map(|set| set.params.keys()).collect();
    if as_json {
        for set in sets {
            json::print(&mut out, &json::values(&set.params))?;
        }
    } else if !names.is_empty() {
        let headings: Vec<String> = names.iter().map(|name| sanitise::line(name)).collect();
        let headings: Vec<&str> = headings.iter().map(String::as_str).collect();
        let mut table = Table::new(&headings);
        for set in sets {
            let cell = |value: Option<&Value>| value.map(text::element_line).unwrap_or_default();
            table.row(names.iter().map(|name| cell(set.params.get(*name)).into()).collect());
        }
        table.print(&mut out)?;
    }
    out.flush()?;
    output::note(&format!("{}; nothing was started", text::count(sets.len(), "run")));
    Ok(())
}
