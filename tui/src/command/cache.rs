//! `fanlight cache`: the results that later runs reuse.

use fanlight_shared::client::Client;
use fanlight_shared::rpc::cache::{Entry, List, Remove, Stats};
use fanlight_shared::sanitise;

use crate::context::Context;
use crate::failure::Failure;
use crate::output::style::Role;
use crate::output::table::{Cell, Table};
use crate::output::{self, Out, json};
use crate::text;

/// How much of a key is shown.
const KEY_DIGITS: usize = 12;

/// The arguments of `cache`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Option<Action>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(clap::Subcommand, Debug)]
enum Action {
    /// Show how many results there are, and how often they were reused.
    Stats {
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// List the results, the most recently used first.
    #[command(visible_alias = "list")]
    Ls {
        /// The most rows.
        #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
        /// Print JSON, one object per line.
        #[arg(long)]
        json: bool,
    },
    /// Remove results, so that they are computed again. Assets and the values of runs stay.
    #[command(visible_alias = "remove")]
    Rm {
        /// The keys of the results, or the beginnings of their keys.
        #[arg(value_name = "KEY", required_unless_present = "all")]
        keys: Vec<String>,
        /// Remove all of them.
        #[arg(long, conflicts_with = "keys")]
        all: bool,
    },
}

/// Runs `cache`.
pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let client = Context::from_env()?.connect().await?;
    match args.action {
        None => stats(&client, args.json).await,
        Some(Action::Stats { json }) => stats(&client, json || args.json).await,
        Some(Action::Ls { limit, json }) => list(&client, limit, json || args.json).await,
        Some(Action::Rm { keys, .. }) => {
            let keys = (!keys.is_empty()).then_some(keys);
            let removed = client.call(Remove { keys }).await?.entries;
            let count = text::count(usize::try_from(removed).unwrap_or(usize::MAX), "result");
            output::note(&format!("{count} removed"));
            Ok(())
        }
    }
}

async fn stats(client: &Client, as_json: bool) -> Result<(), Failure> {
    let stats = client.call(Stats {}).await?;
    let mut out = Out::new();
    if as_json {
        json::print(&mut out, &stats)?;
    } else {
        let entries = text::count(usize::try_from(stats.entries).unwrap_or(usize::MAX), "result");
        let (bytes, limit) = (text::size(stats.bytes), text::size(stats.limit));
        out.line(&format!("{entries}, {bytes} of at most {limit}, reused {} times", stats.uses))?;
    }
    out.flush()
}

async fn list(client: &Client, limit: u32, as_json: bool) -> Result<(), Failure> {
    let mut out = Out::new();
    let mut table = Table::new(&["KEY", "TYPE", "COMPUTED BY", "SIZE", "REUSED", "CREATED"]);
    let (mut cursor, mut left) = (None, limit);
    loop {
        let page = client.call(List { cursor, limit: Some(left) }).await?;
        left = left.saturating_sub(u32::try_from(page.rows.len()).unwrap_or(u32::MAX));
        for entry in &page.rows {
            if as_json { json::print(&mut out, entry)? } else { table.row(row(entry)) }
        }
        cursor = page.cursor.filter(|_| left > 0);
        if cursor.is_none() {
            break;
        }
    }
    if !as_json {
        table.print(&mut out)?;
    }
    out.flush()
}

fn row(entry: &Entry) -> Vec<Cell> {
    let origin = format!("{} · {}{}", entry.origin.run, entry.origin.node, entry.origin.item);
    let key: String = entry.key.chars().take(KEY_DIGITS).collect();
    vec![
        Cell::new(key, Role::Dim),
        sanitise::line(&entry.node_type).into(),
        sanitise::line(&origin).into(),
        text::size(entry.bytes).into(),
        entry.uses.to_string().into(),
        text::clock(entry.created_at).into(),
    ]
}
