//! `fanlight assets star`

use fanlight_shared::client::Client;
use fanlight_shared::rpc::assets;

use super::find_all;
use crate::failure::Failure;

/// The arguments of `assets star`.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// The assets: their ids or the beginnings of the ids.
    #[arg(value_name = "ASSET", required = true)]
    assets: Vec<String>,
    /// Remove the stars.
    #[arg(long)]
    off: bool,
}

/// Runs `assets star`.
pub(super) async fn run(client: &Client, args: Args) -> Result<(), Failure> {
    let assets = find_all(client, &args.assets).await?.iter().map(|asset| asset.id).collect();
    client.call(assets::Star { assets, starred: !args.off }).await?;
    Ok(())
}
