//! `fanlight secrets list`

use serde_json::json;

use crate::embedded::SecretSettings;
use crate::failure::Failure;
use crate::output::table::{Cell, Table};
use crate::output::{Out, json};

/// The arguments of `secrets list`.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
}

/// Runs `secrets list`.
pub(super) fn run(settings: &SecretSettings, args: &Args) -> Result<(), Failure> {
    let all = settings.list().map_err(|error| Failure::failed(error.to_string()))?;
    let mut out = Out::new();
    let mut table = Table::new(&["NAME", "SOURCE"]);
    for (name, source) in &all {
        let source = source.describe();
        if args.json {
            json::print(&mut out, &json!({ "name": name, "source": source }))?;
        } else {
            table.row(vec![name.as_str().into(), Cell::from(fanlight_shared::sanitise::line(&source))]);
        }
    }
    if !args.json && !all.is_empty() {
        table.print(&mut out)?;
    }
    out.flush()
}
