//! `fanlight plugin list`

use fanlight_shared::rpc::plugins::{self, Origin, Plugin};
use fanlight_shared::sanitise;

use crate::context::Context;
use crate::failure::Failure;
use crate::output::style::Role;
use crate::output::table::{Cell, Table};
use crate::output::{self, Out, json};

/// The arguments of `plugin list`.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Print JSON, one object per line.
    #[arg(long)]
    json: bool,
}

/// Runs `plugin list`.
pub(super) async fn run(args: Args) -> Result<(), Failure> {
    let client = Context::from_env()?.connect().await?;
    let all = client.call(plugins::List {}).await?.plugins;
    let mut out = Out::new();
    if args.json {
        for plugin in &all {
            json::print(&mut out, plugin)?;
        }
        return out.flush();
    }
    let mut table = Table::new(&["PLUGIN", "VERSION", "NODE TYPES", "FROM"]);
    for plugin in &all {
        table.row(vec![
            Cell::new(&plugin.name, Role::Strong),
            plugin.version.as_str().into(),
            plugin.node_types.join(" ").into(),
            from(plugin).into(),
        ]);
    }
    if !all.is_empty() {
        table.print(&mut out)?;
    }
    out.flush()?;
    for plugin in &all {
        if let Some(problem) = &plugin.problem {
            output::note(&format!("the nodes of `{}` can't run: {}", plugin.name, sanitise::line(problem)));
        }
    }
    Ok(())
}

/// Returns where a plugin came from.
fn from(plugin: &Plugin) -> String {
    match &plugin.origin {
        Some(Origin { url, commit }) => format!("{} at {commit:.12}", sanitise::line(url)),
        None => sanitise::line(&plugin.folder),
    }
}
