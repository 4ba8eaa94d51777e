//! Where the files of a list of changes are from.

use std::collections::HashMap;

use fanlight_shared::asset::Asset;
use fanlight_shared::id::AssetId;
use fanlight_shared::media::DirManifest;

use crate::ui::changes::{FileChange, between_folders, files_of_folder, files_of_patch};
use crate::ui::effect::{Effect, MAX_TEXT_BYTES};

/// Where files are from.
#[derive(Debug)]
pub(super) enum Source {
    /// A folder alone.
    Folder(AssetId),
    /// Two folders that are compared.
    Folders([AssetId; 2]),
    /// Patches.
    Patches(Vec<Patch>),
}

/// A patch.
#[derive(Debug)]
pub(super) struct Patch {
    asset: AssetId,
    /// The name of its run.
    run: String,
    /// Its size, in bytes.
    bytes: u64,
}

impl Source {
    pub(super) fn patch(asset: &Asset) -> Patch {
        // A text in its value is sanitised already, or only its beginning.
        Patch { asset: asset.id, run: asset.run.clone(), bytes: asset.bytes }
    }

    /// Returns the requests for what it needs.
    pub(super) fn requests(&self) -> Vec<Effect> {
        match self {
            Self::Folder(asset) => vec![Effect::GetManifest(*asset)],
            Self::Folders(assets) => assets.map(Effect::GetManifest).to_vec(),
            Self::Patches(patches) => patches.iter().map(|patch| Effect::GetText(patch.asset)).collect(),
        }
    }

    /// Returns whether it needs this product.
    pub(super) fn has(&self, asset: AssetId) -> bool {
        match self {
            Self::Folder(of) => *of == asset,
            Self::Folders(of) => of.contains(&asset),
            Self::Patches(of) => of.iter().any(|patch| patch.asset == asset),
        }
    }

    /// Returns the files, and how many are equal; `None` if something was not read yet.
    pub(super) fn files(
        &self,
        folders: &HashMap<AssetId, DirManifest>,
        texts: &HashMap<AssetId, String>,
    ) -> Option<(Vec<FileChange>, usize)> {
        match self {
            Self::Folder(asset) => Some((files_of_folder(*asset, folders.get(asset)?), 0)),
            Self::Folders([a, b]) => Some(between_folders((*a, folders.get(a)?), (*b, folders.get(b)?))),
            Self::Patches(patches) => {
                let mut files = Vec::new();
                for patch in patches {
                    let text = texts.get(&patch.asset)?;
                    files.extend(files_of_patch(text).into_iter().map(|file| (&patch.run, file)));
                }
                if patches.len() > 1 {
                    // What they make of a file is together.
                    files.sort_by(|(_, a), (_, b)| a.path.cmp(&b.path));
                    for (run, file) in &mut files {
                        file.path = format!("{run} · {}", file.path);
                    }
                }
                Some((files.into_iter().map(|(_, file)| file).collect(), 0))
            }
        }
    }

    /// Returns whether only the beginning of a patch was read.
    pub(super) fn is_cut(&self) -> bool {
        matches!(self, Self::Patches(patches) if patches.iter().any(|patch| patch.bytes > MAX_TEXT_BYTES))
    }

    /// Returns whether its files are compared.
    pub(super) fn is_compared(&self) -> bool {
        !matches!(self, Self::Folder(_))
    }
}
