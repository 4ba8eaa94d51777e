//! Where the files of a list of changes are from.

use std::collections::HashMap;

use fanlight_shared::asset::Asset;
use fanlight_shared::id::AssetId;
use fanlight_shared::media::DirManifest;

use crate::ui::changes::{FileChange, between_folders, between_texts, files_of_folder, files_of_patch};
use crate::ui::effect::{Effect, MAX_TEXT_BYTES};

/// Where files are from.
#[derive(Debug)]
pub(super) enum Source {
    /// A folder alone.
    Folder(AssetId),
    /// Two folders that are compared.
    Folders([AssetId; 2]),
    /// Patches.
    Patches(Vec<Text>),
    /// Two texts that are compared line by line.
    Texts([Text; 2]),
}

/// A patch or another text.
#[derive(Debug)]
pub(super) struct Text {
    asset: AssetId,
    /// The name of its run.
    run: String,
    /// Its file name.
    name: String,
    /// Its size, in bytes.
    bytes: u64,
}

impl Text {
    fn is_cut(&self) -> bool {
        self.bytes > MAX_TEXT_BYTES
    }
}

impl Source {
    pub(super) fn text(asset: &Asset) -> Text {
        // A text in its value is sanitised already, or only its beginning.
        Text { asset: asset.id, run: asset.run.clone(), name: asset.name.clone(), bytes: asset.bytes }
    }

    /// Returns the patches or texts.
    fn texts(&self) -> &[Text] {
        match self {
            Self::Patches(texts) => texts,
            Self::Texts(texts) => texts,
            Self::Folder(_) | Self::Folders(_) => &[],
        }
    }

    /// Returns the requests for what it needs.
    pub(super) fn requests(&self) -> Vec<Effect> {
        match self {
            Self::Folder(asset) => vec![Effect::GetManifest(*asset)],
            Self::Folders(assets) => assets.map(Effect::GetManifest).to_vec(),
            Self::Patches(_) | Self::Texts(_) => {
                self.texts().iter().map(|text| Effect::GetText(text.asset)).collect()
            }
        }
    }

    /// Returns whether it needs this product.
    pub(super) fn has(&self, asset: AssetId) -> bool {
        match self {
            Self::Folder(of) => *of == asset,
            Self::Folders(of) => of.contains(&asset),
            Self::Patches(_) | Self::Texts(_) => self.texts().iter().any(|text| text.asset == asset),
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
            Self::Texts([a, b]) => {
                let (before, after) = (texts.get(&a.asset)?, texts.get(&b.asset)?);
                let is_cut = [a.is_cut(), b.is_cut()];
                Some((vec![between_texts([&a.name, &b.name], [before, after], is_cut)], 0))
            }
        }
    }

    /// Returns whether only the beginning of a patch or text was read.
    pub(super) fn is_cut(&self) -> bool {
        self.texts().iter().any(Text::is_cut)
    }

    /// Returns whether it has one diff, which needs no list.
    pub(super) fn is_one(&self) -> bool {
        matches!(self, Self::Texts(_))
    }

    /// Returns whether its files are compared.
    pub(super) fn is_compared(&self) -> bool {
        !matches!(self, Self::Folder(_))
    }
}
