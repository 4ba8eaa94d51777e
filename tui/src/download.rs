//! Saves assets from the daemon's store to files.

mod new_file;

use std::collections::HashMap;
use std::path::{Component, Path};

use fanlight_shared::client::{Client, ClientError};
use fanlight_shared::id::{AssetId, BlobHash, RunId};
use fanlight_shared::media::{DirManifest, Media, MediaKind};
use fanlight_shared::rpc::assets;
use fanlight_shared::sanitise;

use crate::recipe::{self, Format};
pub(crate) use new_file::NewFile;

/// Saves an asset under a name that doesn't exist yet; a folder with all its files. `media` is its value, if that is
/// media. `recipe`: a file of a format that carries one gets it. Returns why it has none, if it should have one.
pub(crate) async fn to_path(
    client: &Client,
    asset: AssetId,
    media: Option<&Media>,
    path: &Path,
    recipe: bool,
) -> Result<Option<String>, String> {
    if media.is_some_and(|media| media.kind == MediaKind::Dir) {
        return to_folder(client, asset, path).await.map(|()| None);
    }
    let executable = media.is_some_and(|media| media.executable);
    let new = to_file(client, asset, None, executable, path).await?;
    let format = media.filter(|_| recipe).and_then(|media| Format::of_mime(&media.mime));
    let Some(format) = format else { return new.keep().map(|()| None) };
    let without = |why: String| format!("`{}` was saved without its recipe: {why}", path.display());
    match with_recipe(client, asset, format, &new, path).await {
        Ok(with) => {
            if executable {
                make_executable(with.temporary.as_file()).map_err(|error| with.says(&error))?;
            }
            with.keep().map(|()| None)
        }
        Err(why) => new.keep().map(|()| Some(without(why))),
    }
}

/// Returns a copy of a new file with the recipe of its asset.
async fn with_recipe(
    client: &Client,
    asset: AssetId,
    format: Format,
    new: &NewFile,
    path: &Path,
) -> Result<NewFile, String> {
    let lineage = client.call(assets::Lineage { asset: asset.to_string() }).await;
    let lineage = lineage.map_err(|error| error.to_string())?;
    let mut from = new.temporary.reopen().map_err(|error| error.to_string())?;
    let with = NewFile::beside(path)?;
    let mut to = with.temporary.reopen().map_err(|error| error.to_string())?;
    // It may be a long recording.
    let added = tokio::task::spawn_blocking(move || recipe::add(format, &mut from, &mut to, &lineage)).await;
    match added.map_err(|error| error.to_string())?.map_err(|error| error.to_string())? {
        true => Ok(with),
        false => Err("the file isn't built as its format says, or its recipe is too long".to_owned()),
    }
}

/// Returns a complete file that has no name yet.
async fn to_file(
    client: &Client,
    asset: AssetId,
    file: Option<BlobHash>,
    executable: bool,
    path: &Path,
) -> Result<NewFile, String> {
    let new = NewFile::beside(path)?;
    let copy = new.temporary.reopen().map_err(|error| new.says(&error))?;
    let mut writer = tokio::fs::File::from_std(copy);
    let read = assets::Read { asset, file, offset: 0, limit: None };
    client.read_asset_into(read, &mut writer).await.map_err(|error| match error {
        ClientError::Write(error) => new.says(&error),
        error => unread(asset, &error),
    })?;
    if executable {
        make_executable(new.temporary.as_file()).map_err(|error| new.says(&error))?;
    }
    Ok(new)
}

async fn to_folder(client: &Client, asset: AssetId, path: &Path) -> Result<(), String> {
    let says = |error: &dyn std::fmt::Display| format!("`{}` can't be written: {error}", path.display());
    let manifest = client.read_asset(asset, None).await.map_err(|error| unread(asset, &error))?;
    let manifest: DirManifest = serde_json::from_slice(&manifest).map_err(|error| says(&error))?;
    std::fs::create_dir(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            format!("`{}` exists already; it was left as it is", path.display())
        }
        _ => says(&error),
    })?;
    let inner = |text: &str| {
        let stays = Path::new(text).components().all(|part| matches!(part, Component::Normal(_)));
        let refused = || says(&format!("`{}` is not a path below a folder", sanitise::line(text)));
        if text.is_empty() || !stays { Err(refused()) } else { Ok(path.join(text)) }
    };
    for folder in &manifest.folders {
        std::fs::create_dir_all(inner(folder)?).map_err(|error| says(&error))?;
    }
    for entry in manifest.files {
        let target = inner(&entry.path)?;
        if let Some(parent) = target.parent() {
            std::fs::create_dir_all(parent).map_err(|error| says(&error))?;
        }
        to_file(client, asset, Some(entry.hash), entry.executable, &target).await?.keep()?;
    }
    Ok(())
}

/// Returns the error for an incomplete download, of which nothing was saved.
pub(crate) fn unread(asset: AssetId, error: &ClientError) -> String {
    format!("the asset {asset} can't be read: {error}")
}

/// Lets everyone who may read the file execute it.
fn make_executable(file: &std::fs::File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mut permissions = file.metadata()?.permissions();
    let mode = permissions.mode();
    permissions.set_mode(mode | (mode & 0o444) >> 2);
    file.set_permissions(permissions)
}

/// Returns the assets of a run by what is in them.
pub(crate) async fn ids_of_run(
    client: &Client,
    run: RunId,
) -> Result<HashMap<BlobHash, AssetId>, ClientError> {
    let mut ids = HashMap::new();
    let mut cursor = None;
    loop {
        let list = assets::List { run_id: Some(run), cursor, limit: Some(1000), ..assets::List::default() };
        let page = client.call(list).await?;
        for asset in page.rows {
            for media in asset.value.media() {
                // The newest first: of equal files it is the one that the others led to.
                ids.entry(media.hash).or_insert(asset.id);
            }
        }
        cursor = page.cursor;
        if cursor.is_none() {
            return Ok(ids);
        }
    }
}
