//! `fanlight engine list`

use fanlight_shared::rpc::engines::{Engine, List};
use fanlight_shared::sanitise;

use crate::context::Context;
use crate::failure::Failure;
use crate::output::style::Role;
use crate::output::table::{Cell, Table};
use crate::output::{self, Out, json};

/// The arguments of `engine list`.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Print JSON, one object per line.
    #[arg(long)]
    json: bool,
}

/// Runs `engine list`.
pub(super) async fn run(args: Args) -> Result<(), Failure> {
    let client = Context::from_env()?.connect().await?;
    let engines = client.call(List {}).await?.engines;
    let mut out = Out::new();
    if args.json {
        for engine in &engines {
            json::print(&mut out, engine)?;
        }
        return out.flush();
    }
    if engines.is_empty() {
        output::note("the config declares no engine; see `fanlight docs engines`");
        return Ok(());
    }
    let mut table = Table::new(&["ENGINE", "KIND", "VIA", "OPTIONS", "SUBMITTED", "WORKDIR"]);
    for engine in &engines {
        table.row(vec![
            Cell::new(&engine.engine, Role::Strong),
            sanitise::line(&engine.kind).into(),
            sanitise::line(&engine.via).into(),
            options(engine).into(),
            format!("{} of {}", engine.in_flight, engine.max_in_flight).into(),
            sanitise::line(&engine.workdir).into(),
        ]);
    }
    table.print(&mut out)?;
    out.flush()
}

/// Returns the options with which jobs are submitted.
fn options(engine: &Engine) -> String {
    let Engine { partition, account, qos, .. } = engine;
    let named = [("partition", partition), ("account", account), ("qos", qos)];
    let named: Vec<String> = named
        .iter()
        .filter_map(|(name, value)| Some(format!("{name} {}", sanitise::line(value.as_ref()?))))
        .collect();
    if named.is_empty() { "–".to_owned() } else { named.join(", ") }
}
