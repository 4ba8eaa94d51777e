//! `fanlight assets`: the assets that runs have made.

mod get;
mod list;
mod open;
mod remove;
mod show;
mod star;

use fanlight_shared::client::Client;
use fanlight_shared::rpc::assets;

use crate::context::Context;
use crate::failure::Failure;

pub(super) use show::of_asset;

/// The arguments of `assets`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand, Debug)]
enum Action {
    /// List assets, newest first.
    #[command(visible_alias = "ls")]
    List(list::Args),
    /// Show everything that an asset was made of.
    Show(show::Args),
    /// Save an asset as a file, or write it to a pipe.
    Get(get::Args),
    /// Open an asset with the default program for its type.
    Open(open::Args),
    /// Star assets, or remove their stars.
    Star(star::Args),
    /// Delete assets for good.
    #[command(visible_alias = "remove")]
    Rm(remove::Args),
}

/// Runs `assets`.
pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let client = Context::from_env()?.connect().await?;
    match args.action {
        Action::List(args) => list::run(&client, args).await,
        Action::Show(args) => show::run(&client, args).await,
        Action::Get(args) => get::run(&client, args).await,
        Action::Open(args) => open::run(&client, args).await,
        Action::Star(args) => star::run(&client, args).await,
        Action::Rm(args) => remove::run(&client, args).await,
    }
}

/// Returns the asset that a person named: an id, the beginning of one, or `asset:ID` as `run` prints it.
async fn find(client: &Client, name: &str) -> Result<assets::Detail, Failure> {
    let asset = name.strip_prefix("asset:").unwrap_or(name).to_owned();
    Ok(client.call(assets::Get { asset }).await?)
}

/// Returns the assets that a person named, each once.
async fn find_all(client: &Client, names: &[String]) -> Result<Vec<fanlight_shared::asset::Asset>, Failure> {
    let mut found: Vec<fanlight_shared::asset::Asset> = Vec::new();
    for name in names {
        let asset = find(client, name).await?.asset;
        if !found.iter().any(|other| other.id == asset.id) {
            found.push(asset);
        }
    }
    Ok(found)
}
