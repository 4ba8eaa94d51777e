//! `fanlight assets list`

use clap::ValueEnum;
use fanlight_shared::asset::{Asset, AssetKind};
use fanlight_shared::client::Client;
use fanlight_shared::rpc::assets;
use fanlight_shared::sanitise;

use crate::command::{find_run, find_workflow};
use crate::failure::Failure;
use crate::output::style::Role;
use crate::output::table::{Cell, Table};
use crate::output::{Out, json};
use crate::{output, text};

/// The arguments of `assets list`.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Only assets of this workflow: its name, or the path of its file.
    #[arg(short, long, value_name = "WORKFLOW")]
    workflow: Option<String>,
    /// Only assets of this run.
    #[arg(short, long)]
    run: Option<String>,
    /// Only assets of this node.
    #[arg(short, long)]
    node: Option<String>,
    /// Only assets of this kind.
    #[arg(short, long)]
    kind: Option<Kind>,
    /// Only starred assets.
    #[arg(long)]
    starred: bool,
    /// Only assets whose name or text contains this.
    #[arg(short, long)]
    text: Option<String>,
    /// List at most this many.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Print JSON, one object per line.
    #[arg(long)]
    json: bool,
}

#[derive(ValueEnum, Clone, Copy, Debug)]
enum Kind {
    Image,
    Audio,
    Video,
    Text,
    Number,
    Json,
    File,
    Dir,
}

impl From<Kind> for AssetKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Image => Self::Image,
            Kind::Audio => Self::Audio,
            Kind::Video => Self::Video,
            Kind::Text => Self::Text,
            Kind::Number => Self::Number,
            Kind::Json => Self::Json,
            Kind::File => Self::File,
            Kind::Dir => Self::Dir,
        }
    }
}

/// Runs `assets list`, page by page.
pub(super) async fn run(client: &Client, args: Args) -> Result<(), Failure> {
    let mut list = assets::List {
        node: args.node,
        kind: args.kind.map(Into::into),
        starred: args.starred,
        text: args.text,
        limit: Some(1000),
        ..assets::List::default()
    };
    if let Some(name) = &args.workflow {
        list.workflow_id = Some(find_workflow(client, name).await?.workflow.id);
    }
    if let Some(name) = &args.run {
        list.run_id = Some(find_run(client, name).await?.run.id);
    }
    let mut left = args.limit.unwrap_or(usize::MAX);
    let mut found = 0;
    let mut out = Out::new();
    while left > 0 {
        let mut page = client.call(list.clone()).await?;
        page.rows.truncate(left);
        left -= page.rows.len();
        found += page.rows.len();
        if args.json {
            for asset in &page.rows {
                json::print(&mut out, &json::asset(asset))?;
            }
        } else if !page.rows.is_empty() {
            table(&page.rows).print(&mut out)?;
        }
        match page.cursor {
            Some(cursor) => list.cursor = Some(cursor),
            None => break,
        }
    }
    out.flush()?;
    if found == 0 && !args.json {
        output::note("no assets");
    }
    Ok(())
}

fn table(assets: &[Asset]) -> Table {
    let mut table = Table::new(&["ASSET", "RUN", "FROM", "KIND", "SIZE", "CREATED", "", "NAME"]);
    for asset in assets {
        let from = if asset.node.is_empty() {
            asset.port.clone()
        } else {
            format!("{}{}.{}", asset.node, asset.item, asset.port)
        };
        table.row(vec![
            asset.id.to_string().into(),
            Cell::new(&asset.run, Role::Strong),
            from.into(),
            asset.kind.word().into(),
            text::size(asset.bytes).into(),
            text::clock(asset.created_at).into(),
            if asset.starred { "*".into() } else { "".into() },
            sanitise::line(&asset.name).into(),
        ]);
    }
    table
}
