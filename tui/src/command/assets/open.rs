//! `fanlight assets open`

use std::process::Stdio;

use fanlight_shared::client::Client;

use super::{find, get};
use crate::failure::Failure;
use crate::output;

/// The desktop's program that opens a file.
#[cfg(target_os = "macos")]
const OPENER: &str = "open";
#[cfg(not(target_os = "macos"))]
const OPENER: &str = "xdg-open";

/// The arguments of `assets open`.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// The asset: its id or the beginning of the id.
    #[arg(value_name = "ASSET")]
    asset: String,
}

/// Runs `assets open` on a copy, so that the program can't damage the stored asset.
pub(super) async fn run(client: &Client, args: Args) -> Result<(), Failure> {
    let asset = find(client, &args.asset).await?.asset;
    let path = get::temporary_path(&asset)
        .map_err(|error| Failure::failed(format!("a copy of the asset can't be made: {error}")))?;
    get::save(client, &asset, &path, false).await?;
    let opened = tokio::process::Command::new(OPENER)
        .arg(&path)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .await;
    let by_hand = format!("a copy of it is {}", path.display());
    match opened {
        Ok(status) if status.success() => {
            output::note(&format!("opened {}", path.display()));
            Ok(())
        }
        Ok(status) => Err(Failure::failed(format!("`{OPENER}` could not open it ({status})")).hint(by_hand)),
        Err(error) => Err(Failure::failed(format!("`{OPENER}` can't be started: {error}")).hint(by_hand)),
    }
}
