//! The workspace, in which a node type in a worker reads and writes media.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fanlight_shared::id::BlobHash;
use fanlight_shared::media::{Media, MediaKind};
use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, cut};
use image::DynamicImage;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::file_error::FileError;
use crate::picture;
use crate::services::NodeServices;

/// The workspace of a node type inside a worker process: it reads media by path and writes new media as files.
#[derive(Debug)]
pub struct Workspace {
    /// The folder of new files.
    folder: PathBuf,
    /// The paths of the bytes of inputs.
    files: BTreeMap<BlobHash, PathBuf>,
    made: MadeFiles,
    services: NodeServices,
    outputs: IndexMap<String, Type>,
    given_up: bool,
}

impl Workspace {
    /// Creates a workspace with an empty folder for new files; `files` holds the paths of input media.
    pub(crate) fn new(
        folder: PathBuf,
        files: BTreeMap<BlobHash, PathBuf>,
        made: MadeFiles,
        services: NodeServices,
    ) -> Self {
        Self { folder, files, made, services, outputs: IndexMap::new(), given_up: false }
    }

    /// Creates a workspace for tests, whose reports go nowhere.
    #[cfg(test)]
    pub(crate) fn of_test(folder: PathBuf, files: BTreeMap<BlobHash, PathBuf>) -> Self {
        struct Nowhere;
        impl crate::services::Carrier for Nowhere {
            fn report(&self, _: crate::services::Report) {}
        }
        let services = NodeServices::new(Box::new(Nowhere), Default::default(), folder.join("scratch"));
        Self::new(folder, files, MadeFiles::default(), services)
    }

    /// Returns a workspace whose node declares these outputs.
    pub(crate) fn with_outputs(self, outputs: IndexMap<String, Type>) -> Self {
        Self { outputs, ..self }
    }

    /// Returns the outputs that the node declares; none for those of its type.
    #[must_use]
    pub fn outputs(&self) -> &IndexMap<String, Type> {
        &self.outputs
    }

    /// Returns the services of the running node.
    #[must_use]
    pub fn services(&self) -> &NodeServices {
        &self.services
    }

    /// Returns the path of the bytes of an input, or of something just written.
    ///
    /// # Errors
    /// It isn't media, or not of this request.
    pub fn path(&self, value: &Value) -> Result<PathBuf, String> {
        let media = value.as_media().ok_or_else(|| format!("expected media, got {}", value.type_of()))?;
        if let Some(new) = self.made.files().get(&media.hash) {
            return Ok(self.folder.join(&new.file));
        }
        let path = self.files.get(&media.hash).map(PathBuf::as_path);
        path.map(Path::to_path_buf).ok_or_else(|| format!("the bytes of `{}` are not here", media.name))
    }

    /// Reads the bytes of a file.
    ///
    /// # Errors
    /// It isn't media, has more than `most` bytes, or can't be read; the sentence names it.
    pub fn read(&self, value: &Value, most: u64) -> Result<Vec<u8>, FileError> {
        let path = self.path(value)?;
        let name = value.as_media().map(|media| cut(&media.name, 60)).unwrap_or_default();
        let failed = |error| FileError::of(&format!("`{name}` can't be read"), &error);
        let mut bytes = Vec::new();
        File::open(path).and_then(|file| file.take(most + 1).read_to_end(&mut bytes)).map_err(failed)?;
        if bytes.len() as u64 > most {
            return Err(format!("`{name}` has more than {} MiB, which is too large", most >> 20).into());
        }
        Ok(bytes)
    }

    /// Decodes a picture under the limits of workers, and rotates it upright.
    ///
    /// # Errors
    /// It isn't a picture, is damaged or too large; the sentence names it.
    pub fn picture(&self, value: &Value) -> Result<DynamicImage, String> {
        let name = value.as_media().map(|media| media.name.clone()).unwrap_or_default();
        let picture = picture::decode(&self.path(value)?);
        picture.map_err(|error| format!("`{}`: {error}", cut(&name, 60)))
    }

    /// Writes a picture as a PNG; users see `name`, with a corrected extension.
    ///
    /// # Errors
    /// It is too large, or the disk is full.
    pub fn put_picture(&mut self, name: &str, picture: &DynamicImage) -> Result<Value, FileError> {
        let file = format!("{}.png", self.made.files().len());
        picture::encode(picture, &self.folder.join(&file))?;
        let name = match name.rsplit_once('.') {
            Some((stem, _)) if !stem.is_empty() => format!("{stem}.png"),
            _ => format!("{name}.png"),
        };
        Ok(self.announce(
            file,
            Media {
                kind: MediaKind::Image,
                hash: BlobHash::of(b""),
                mime: "image/png".into(),
                bytes: 0,
                name,
                width: Some(picture.width()),
                height: Some(picture.height()),
                executable: false,
                source: None,
            },
        ))
    }

    /// Creates a new file. `name` is what users see. The daemon finds its type from its bytes, and whether it is
    /// executable from its mode.
    ///
    /// # Errors
    /// It can't be created.
    pub fn create(&mut self, name: &str) -> Result<(File, Value), FileError> {
        let (path, value) = self.reserve(name);
        let open =
            picture::new_file(&path).map_err(|error| FileError::of("a file can't be created", &error))?;
        Ok((open, value))
    }

    /// Announces a new file that a program will write: its path, and its value. `name` is what users see.
    pub(crate) fn reserve(&mut self, name: &str) -> (PathBuf, Value) {
        let file = self.made.files().len().to_string();
        let path = self.folder.join(&file);
        let media = Media {
            kind: MediaKind::File,
            hash: BlobHash::of(b""),
            mime: "application/octet-stream".into(),
            bytes: 0,
            name: name.to_owned(),
            width: None,
            height: None,
            executable: false,
            source: None,
        };
        (path, self.announce(file, media))
    }

    /// Writes a new file with these bytes. `name` is what users see.
    ///
    /// # Errors
    /// It can't be written, or the disk is full.
    pub fn put_file(&mut self, name: &str, bytes: &[u8]) -> Result<Value, FileError> {
        let (mut file, value) = self.create(name)?;
        file.write_all(bytes).map_err(|error| FileError::of("a file can't be written", &error))?;
        Ok(value)
    }

    /// Returns a new file as a value, with a token for its hash: the daemon hashes the file itself and replaces the token
    /// by the hash.
    fn announce(&mut self, file: String, media: Media) -> Value {
        let token = BlobHash::of(format!("new file {file}").as_bytes());
        self.made.files().insert(token, NewFile { file, name: media.name.clone() });
        Value::from(Media { hash: token, ..media })
    }

    /// Tells that a thread still runs whose work was given up, so that the process must end after its response.
    pub fn give_up(&mut self) {
        self.given_up = true;
    }

    /// Returns whether the process must end after its response.
    pub(crate) fn was_given_up(&self) -> bool {
        self.given_up
    }

    /// Returns the name of an input, for outputs that are made from it.
    #[must_use]
    pub fn name_of(value: &Value) -> &str {
        value.as_media().map_or("picture.png", |media| media.name.as_str())
    }
}

/// The files that a node type made, by the tokens that stand for them: the same ones in every clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct MadeFiles(Arc<Mutex<BTreeMap<BlobHash, NewFile>>>);

impl MadeFiles {
    /// Each change is one step.
    pub(crate) fn files(&self) -> MutexGuard<'_, BTreeMap<BlobHash, NewFile>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
