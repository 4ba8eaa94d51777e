//! `fanlight assets rm`

use fanlight_shared::client::Client;
use fanlight_shared::rpc::assets;
use fanlight_shared::sanitise;

use super::find_all;
use crate::failure::Failure;
use crate::output::{Out, ask};
use crate::text;

/// The arguments of `assets rm`.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// The assets: their ids or the beginnings of the ids.
    #[arg(value_name = "ASSET", required = true)]
    assets: Vec<String>,
    /// Don't ask for confirmation.
    #[arg(short, long)]
    yes: bool,
}

/// Runs `assets rm`.
pub(super) async fn run(client: &Client, args: Args) -> Result<(), Failure> {
    let found = find_all(client, &args.assets).await?;
    let what = match found.as_slice() {
        [asset] => format!("{} of {}", sanitise::line(&asset.name), asset.run),
        all => text::count(all.len(), "asset"),
    };
    ask::confirm(&format!("Delete {what} for good?"), args.yes).await?;
    client.call(assets::Delete { assets: found.iter().map(|asset| asset.id).collect() }).await?;
    let mut out = Out::new();
    for asset in &found {
        out.line(&format!("{}\tdeleted", asset.id))?;
    }
    out.flush()
}
