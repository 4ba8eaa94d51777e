//! `fanlight assets get`

use std::io::{Read as _, Seek as _};
use std::path::{Path, PathBuf};

use fanlight_shared::asset::{Asset, AssetKind};
use fanlight_shared::client::{Client, ClientError};
use fanlight_shared::rpc::assets;
use fanlight_shared::sanitise;

use super::find;
use crate::download;
use crate::failure::Failure;
use crate::naming::{self, ASSET_NAMES, NameTemplate};
use crate::output::{self, Out};

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
    /// Name the file by a template, such as `{seed}-{place}`: params, and {workflow}, {run}, {label}, {node}, {item}, {port},
    /// {index} and {name}. PATH is its folder then, and a name that exists gets a number.
    #[arg(long = "as", value_name = "NAME")]
    name_as: Option<String>,
    /// Don't write the recipe into PNG, JPEG, WAV and FLAC files: how the asset was made. Standard output never has it.
    #[arg(long)]
    no_recipe: bool,
}

/// Runs `assets get`.
pub(super) async fn run(client: &Client, args: Args) -> Result<(), Failure> {
    let detail = find(client, &args.asset).await?;
    let mut out = Out::new();
    if let Some(template) = &args.name_as {
        if args.path.as_deref() == Some(Path::new("-")) {
            return Err(Failure::usage("`-` is standard output, which has no name").hint("leave out `--as`"));
        }
        let folder = args.path.as_deref().unwrap_or(Path::new("."));
        let path = named(client, &detail, template, folder).await?;
        save(client, &detail.asset, &path, !args.no_recipe).await?;
        out.line(&sanitise::line(&path.to_string_lossy()))?;
        return out.flush();
    }
    let asset = detail.asset;
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
    save(client, &asset, &path, !args.no_recipe).await?;
    out.line(&sanitise::line(&path.to_string_lossy()))?;
    out.flush()
}

/// Returns the free path that a template gives an asset.
async fn named(
    client: &Client,
    detail: &assets::Detail,
    template: &str,
    folder: &Path,
) -> Result<PathBuf, Failure> {
    let (asset, recipe) = (&detail.asset, &detail.recipe);
    let names = NameTemplate::read(template).map_err(Failure::usage)?;
    let checked = names.check(recipe.params.keys().map(String::as_str), &ASSET_NAMES);
    checked.map_err(|(message, hint)| Failure::usage(message).hint(hint))?;
    let params = if recipe.params_short { client.params(asset.run_id).await? } else { recipe.params.clone() };
    let own = own_name(asset);
    let own = Path::new(&own);
    let name = names.path(|name| match (name, params.get(name)) {
        (_, Some(value)) => naming::text_of(value),
        ("workflow", _) => asset.workflow.clone(),
        ("run", _) => asset.run.rsplit('#').next().unwrap_or_default().to_owned(),
        ("label", _) => recipe.label.clone(),
        ("node", _) => asset.node.clone(),
        ("item", _) => asset.item.0.map(|item| item.to_string()).unwrap_or_default(),
        ("port", _) => asset.port.clone(),
        ("index", _) => asset.ordinal.to_string(),
        _ => own.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
    });
    let path = folder.join(name);
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(|error| {
            Failure::failed(format!("the folder `{}` can't be made: {error}", parent.display()))
        })?;
    }
    let ending = own.extension().filter(|_| asset.kind != AssetKind::Dir);
    let ending = ending.map(|ending| ending.to_string_lossy().into_owned());
    naming::free(&path, ending.as_deref()).map_err(Failure::failed)
}

/// Saves an asset under a name that doesn't exist yet.
pub(super) async fn save(client: &Client, asset: &Asset, path: &Path, recipe: bool) -> Result<(), Failure> {
    let saved = download::to_path(client, asset.id, asset.value.as_media(), path, recipe).await;
    if let Some(note) = saved.map_err(Failure::failed)? {
        output::note(&note);
    }
    Ok(())
}

/// Returns the asset's own name as a single path component, which can't leave its folder.
pub(super) fn own_name(asset: &Asset) -> String {
    let name = sanitise::line(&asset.name);
    let plain = Path::new(&name).file_name().map(|name| name.to_string_lossy().into_owned());
    plain.filter(|plain| *plain == name && !name.starts_with('.')).unwrap_or_else(|| asset.id.to_string())
}

/// Prints the bytes of an asset once all of them are here and are what was stored: who reads a pipe can't give bytes back.
async fn pipe(client: &Client, asset: &Asset, mut out: Out) -> Result<(), Failure> {
    let unwritten = |error: std::io::Error| {
        let folder = std::env::temp_dir();
        Failure::failed(format!("a temporary file in {} can't be used: {error}", folder.display()))
    };
    // It has no name, and an asset may be larger than memory.
    let mut file = tempfile::tempfile().map_err(unwritten)?;
    let mut writer = tokio::fs::File::from_std(file.try_clone().map_err(unwritten)?);
    let read = assets::Read { asset: asset.id, file: None, offset: 0, limit: None };
    client.read_asset_into(read, &mut writer).await.map_err(|error| match error {
        ClientError::Broken { .. } | ClientError::Damaged => {
            Failure::failed(download::unread(asset.id, &error))
        }
        ClientError::Write(error) => unwritten(std::io::Error::other(error)),
        error => error.into(),
    })?;
    file.rewind().map_err(unwritten)?;
    let mut chunk = vec![0; 64 * 1024];
    loop {
        match file.read(&mut chunk).map_err(unwritten)? {
            0 => return out.flush(),
            got => out.bytes(&chunk[..got])?,
        }
    }
}

/// Creates a private file with the asset's bytes, for another program to open.
pub(super) fn temporary_path(asset: &Asset) -> std::io::Result<PathBuf> {
    let folder = tempfile::Builder::new().prefix("fanlight-").tempdir()?;
    Ok(folder.keep().join(own_name(asset)))
}
