//! `fanlight assets get`

use std::path::{Path, PathBuf};

use fanlight_shared::asset::{Asset, AssetKind};
use fanlight_shared::client::{Client, ClientError};
use fanlight_shared::rpc::assets;
use fanlight_shared::sanitise;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::find;
use crate::download;
use crate::failure::Failure;
use crate::output::Out;

/// The arguments of `assets get`.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// The asset: its id or the beginning of the id.
    #[arg(value_name = "ASSET")]
    asset: String,
    /// A new file or an existing folder; `-` is standard output. By default, standard output if it is a pipe or file,
    /// else a file with the asset's name in the current folder.
    #[arg(value_name = "PATH")]
    path: Option<PathBuf>,
}

/// Runs `assets get`.
pub(super) async fn run(client: &Client, args: Args) -> Result<(), Failure> {
    let asset = find(client, &args.asset).await?.asset;
    let mut out = Out::new();
    let to_stdout = match &args.path {
        Some(path) => path == Path::new("-"),
        None => !out.is_terminal(),
    };
    if to_stdout {
        if asset.kind == AssetKind::Dir {
            return Err(Failure::usage(format!("`{}` is a folder", own_name(&asset)))
                .hint("give the path of a new folder to save it"));
        }
        return pipe(client, &asset, out).await;
    }
    let path = match args.path {
        None => PathBuf::from(own_name(&asset)),
        Some(folder) if folder.is_dir() => folder.join(own_name(&asset)),
        Some(path) => path,
    };
    save(client, &asset, &path).await?;
    out.line(&sanitise::line(&path.to_string_lossy()))?;
    out.flush()
}

/// Saves an asset under a name that doesn't exist yet.
pub(super) async fn save(client: &Client, asset: &Asset, path: &Path) -> Result<(), Failure> {
    download::to_path(client, asset.id, asset.value.as_media(), path).await.map_err(Failure::failed)
}

/// Returns the asset's own name as a single path component, which can't leave its folder.
pub(super) fn own_name(asset: &Asset) -> String {
    let name = sanitise::line(&asset.name);
    let plain = Path::new(&name).file_name().map(|name| name.to_string_lossy().into_owned());
    plain.filter(|plain| *plain == name && !name.starts_with('.')).unwrap_or_else(|| asset.id.to_string())
}

async fn pipe(client: &Client, asset: &Asset, mut out: Out) -> Result<(), Failure> {
    // In chunks: an asset may be larger than memory.
    let (mut writer, mut reader) = tokio::io::duplex(256 * 1024);
    let read = assets::Read { asset: asset.id, file: None, offset: 0, limit: None };
    let fetch = async move {
        let fetched = client.read_asset_into(read, &mut writer).await;
        let _ = writer.shutdown().await;
        fetched
    };
    // Owns its end of the pipe, so that fetching stops when the reader is gone.
    let print = async move {
        let mut chunk = vec![0; 64 * 1024];
        loop {
            let got = reader.read(&mut chunk).await.unwrap_or(0);
            if got == 0 {
                return out.flush();
            }
            out.bytes(&chunk[..got])?;
        }
    };
    let (fetched, printed) = tokio::join!(fetch, print);
    printed?;
    fetched.map(drop).map_err(|error| match error {
        ClientError::Broken { .. } | ClientError::Damaged => {
            Failure::failed(download::unread(asset.id, &error))
        }
        error => error.into(),
    })
}

/// Creates a private file with the asset's bytes, for another program to open.
pub(super) fn temporary_path(asset: &Asset) -> std::io::Result<PathBuf> {
    let folder = tempfile::Builder::new().prefix("fanlight-").tempdir()?;
    Ok(folder.keep().join(own_name(asset)))
}
