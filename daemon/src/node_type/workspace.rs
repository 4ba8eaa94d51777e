//! The workspace, in which a node type in a worker reads and writes media.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use fanlight_shared::id::BlobHash;
use fanlight_shared::media::{Media, MediaKind};
use fanlight_shared::value::Value;
use image::DynamicImage;
use serde::{Deserialize, Serialize};

use crate::file_error::FileError;
use crate::picture;

/// The workspace of a node type inside a worker process: it reads media by path and writes new media as files.
#[derive(Debug)]
pub struct Workspace {
    /// The folder of new files.
    folder: PathBuf,
    /// The paths of the bytes of inputs.
    files: BTreeMap<BlobHash, PathBuf>,
    made: BTreeMap<BlobHash, NewFile>,
}

impl Workspace {
    /// Creates a workspace with an empty folder for new files; `files` holds the paths of input media.
    #[must_use]
    pub fn new(folder: PathBuf, files: BTreeMap<BlobHash, PathBuf>) -> Self {
        Self { folder, files, made: BTreeMap::new() }
    }

    /// Returns the path of the bytes of an input, or of something just written.
    ///
    /// # Errors
    /// It isn't media, or not of this request.
    pub fn path(&self, value: &Value) -> Result<PathBuf, String> {
        let media = value.as_media().ok_or_else(|| format!("expected media, got {}", value.type_of()))?;
        if let Some(new) = self.made.get(&media.hash) {
            return Ok(self.folder.join(&new.file));
        }
        let path = self.files.get(&media.hash).map(PathBuf::as_path);
        path.map(Path::to_path_buf).ok_or_else(|| format!("the bytes of `{}` are not here", media.name))
    }

    /// Decodes a picture under the limits of workers, and rotates it upright.
    ///
    /// # Errors
    /// It isn't a picture, is damaged or too large; the sentence names it.
    pub fn picture(&self, value: &Value) -> Result<DynamicImage, String> {
        let name = value.as_media().map(|media| media.name.clone()).unwrap_or_default();
        let picture = picture::decode(&self.path(value)?);
        picture.map_err(|error| format!("`{}`: {error}", fanlight_shared::value::cut(&name, 60)))
    }

    /// Writes a picture as a PNG; users see `name`, with a corrected extension.
    ///
    /// # Errors
    /// It is too large, or the disk is full.
    pub fn put_picture(&mut self, name: &str, picture: &DynamicImage) -> Result<Value, FileError> {
        let file = format!("{}.png", self.made.len());
        picture::encode(picture, &self.folder.join(&file))?;
        let name = match name.rsplit_once('.') {
            Some((stem, _)) if !stem.is_empty() => format!("{stem}.png"),
            _ => format!("{name}.png"),
        };
        // The daemon hashes the file itself and replaces the token by the hash.
        let token = BlobHash::of(format!("new file {file}").as_bytes());
        self.made.insert(token, NewFile { file, name: name.clone() });
        Ok(Value::from(Media {
            kind: MediaKind::Image,
            hash: token,
            mime: "image/png".into(),
            bytes: 0,
            name,
            width: Some(picture.width()),
            height: Some(picture.height()),
            executable: false,
        }))
    }

    /// Returns the name of an input, for outputs that are made from it.
    #[must_use]
    pub fn name_of(value: &Value) -> &str {
        value.as_media().map_or("picture.png", |media| media.name.as_str())
    }

    pub(crate) fn into_made(self) -> BTreeMap<BlobHash, NewFile> {
        self.made
    }
}

/// A file that a node type has written.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct NewFile {
    /// Its name in the workspace.
    pub(crate) file: String,
    /// The name that users see.
    pub(crate) name: String,
}
