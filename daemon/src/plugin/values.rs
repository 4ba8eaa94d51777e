//! The values of an attempt as the plugin sees them: plain JSON, with media as objects that name a file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use fanlight_shared::media::{Media, MediaKind};
use fanlight_shared::node_type::NodeTypeSpec;
use fanlight_shared::sanitise;
use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values, cut};
use serde_json::{Map, Value as Json, json};

use crate::command::place_media;
use crate::content;
use crate::file_error::FileError;
use crate::media::{self, file_name};
use crate::rooted::{Entry, Root};
use crate::secret::Secrets;
use crate::store::blob::{Blobs, Published};

/// The most files of a folder that is an output.
const MAX_FILES: usize = 10_000;
/// The most files of an attempt's outputs.
const MAX_MEDIA: usize = 10_000;

/// Writes the media among the inputs below `folder`, and returns the inputs as JSON. Blocks.
///
/// # Errors
/// The disk is full, or bytes are gone.
pub(super) fn lay_out(inputs: &Values, blobs: &Blobs, folder: &Path) -> Result<Json, FileError> {
    let mut layout = Layout { blobs, folder: folder.to_owned(), files: 0 };
    let mut laid_out = Map::new();
    for (name, value) in inputs.iter().filter(|(_, value)| **value != Value::None) {
        laid_out.insert(name.clone(), layout.json(value)?);
    }
    Ok(Json::Object(laid_out))
}

struct Layout<'a> {
    blobs: &'a Blobs,
    folder: PathBuf,
    files: usize,
}

impl Layout<'_> {
    fn json(&mut self, value: &Value) -> Result<Json, FileError> {
        Ok(match value {
            Value::Media(media) => self.place(media)?,
            Value::List(items) => {
                Json::Array(items.iter().map(|item| self.json(item)).collect::<Result<_, _>>()?)
            }
            Value::Object(fields) => {
                let mut object = Map::new();
                for (key, field) in fields {
                    object.insert(key.clone(), self.json(field)?);
                }
                Json::Object(object)
            }
            plain => plain.to_json(),
        })
    }

    fn place(&mut self, media: &Media) -> Result<Json, FileError> {
        // A folder each, so that names may be the same.
        let folder = self.folder.join(self.files.to_string());
        self.files += 1;
        super::make_folder(&folder).map_err(|error| FileError::of("an input can't be written", &error))?;
        let path = folder.join(file_name(&media.name));
        place_media(self.blobs, media, &path, false)?;
        let mut object = json!({
            "path": path, "name": media.name, "kind": media.kind, "mime": media.mime, "bytes": media.bytes,
        });
        for (key, pixels) in [("width", media.width), ("height", media.height)] {
            if let Some(pixels) = pixels {
                object[key] = pixels.into();
            }
        }
        Ok(object)
    }
}

/// The outputs of an attempt, on their way from the plugin's folder into the store.
pub(super) struct Outputs {
    pub(super) given: BTreeMap<String, Json>,
    pub(super) spec: NodeTypeSpec,
    /// The folder of the attempt, in which the plugin writes files.
    pub(super) folder: PathBuf,
    pub(super) secrets: Secrets,
}

impl Outputs {
    /// Checks them against the declared ports, and publishes their files. Blocks.
    ///
    /// # Errors
    /// A sentence that names the output: it is missing, has another type, or its file can't be used.
    pub(super) fn publish(&self, blobs: &Blobs) -> Result<(Values, Vec<Published>), FileError> {
        let parent = self.folder.parent().unwrap_or(&self.folder);
        let name = self.folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let root = Root::open_own(parent, name)
            .map_err(|error| format!("the folder of the attempt can't be read: {error}"))?;
        let mut taking = Taking { of: self, blobs, root, published: Vec::new() };
        let mut values = Values::new();
        for (port, declared) in &self.spec.outputs {
            let named = |why: FileError| match why {
                FileError::Other(why) => FileError::Other(format!("output `{port}`: {why}")),
                full @ FileError::Full(_) => full,
            };
            let Some(given) = self.given.get(port) else {
                return Err(format!("it gave no output `{port}`").into());
            };
            values.insert(port.clone(), taking.value(given, &declared.ty).map_err(named)?);
        }
        Ok((content::check_bound(values, &self.spec)?, taking.published))
    }
}

struct Taking<'a> {
    of: &'a Outputs,
    blobs: &'a Blobs,
    root: Root,
    published: Vec<Published>,
}

impl Taking<'_> {
    fn value(&mut self, given: &Json, ty: &Type) -> Result<Value, FileError> {
        match (ty, given) {
            (Type::Media(kind), given) => self.media(given, *kind),
            (Type::List(of), Json::Array(items)) if of.has_media() => {
                Ok(Value::List(items.iter().map(|item| self.value(item, of)).collect::<Result<_, _>>()?))
            }
            (ty, given) => Ok(Value::from_json(given.clone()).convert(ty)?),
        }
    }

    fn media(&mut self, given: &Json, kind: MediaKind) -> Result<Value, FileError> {
        let ty = Type::Media(kind);
        let Some(path) = given.get("path").and_then(Json::as_str) else {
            return Err(format!(
                "{ty} is declared, so it must be an object such as {{\"path\": \"out.png\"}}"
            )
            .into());
        };
        if self.published.len() >= MAX_MEDIA {
            return Err(format!("there are more than {MAX_MEDIA} files").into());
        }
        let path = Path::new(path);
        let shown = cut(&sanitise::line(&path.to_string_lossy()), 200);
        let name = given.get("name").and_then(Json::as_str);
        let own = || path.file_name().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default();
        let name = name.map_or_else(own, str::to_owned);
        let entry = self.root.entry(path).map_err(|refusal| format!("`{shown}`: {refusal}"))?;
        match (entry, kind) {
            (Entry::File(_), MediaKind::Dir) => {
                Err(format!("`{shown}` is a file, but dir is declared").into())
            }
            (Entry::File(file), _) => {
                self.of.secrets.check_file(&file)?;
                let (media, published) = media::publish(self.blobs, file, &name)?;
                let media = media::check(media, &ty)?;
                self.published.push(published);
                Ok(Value::from(media))
            }
            (Entry::Folder(_), MediaKind::Dir) => {
                let check = |file: &std::fs::File| self.of.secrets.check_file(file);
                let taken = media::publish_folder(&self.root, path, &name, MAX_FILES, self.blobs, &check)?;
                if let Some(other) = taken.left_out.first() {
                    return Err(
                        format!("`{}` in `{shown}` is {}", sanitise::line(&other.path), other.what).into()
                    );
                }
                self.published.extend(taken.published);
                Ok(Value::from(taken.media))
            }
            (Entry::Folder(_), _) => Err(format!("`{shown}` is a folder, but {ty} is declared").into()),
        }
    }
}
