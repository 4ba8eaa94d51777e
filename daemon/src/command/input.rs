//! Passes inputs to a command: as environment variables, and as files if a value is media or long.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fanlight_shared::expression::Content;
use fanlight_shared::media::Media;
use fanlight_shared::value::{Value, Values};
use indexmap::IndexMap;
use serde_json::Value as Json;

use super::folder::{make_folder, new_file, sentence};
use super::placing::Placing;
use crate::content::{self, Loader};
use crate::file_error::FileError;
use crate::media::file_name;
use crate::store::blob::Blobs;

/// The longest value of a variable, in bytes; a longer one is passed only as a file.
const MAX_VARIABLE: usize = 64 * 1024;

/// Writes inputs below `folder` (which is created if needed) and returns their variables; the command sees the folder as `seen`.
///
/// # Errors
/// The disk is full, a blob is gone, or two inputs need the same variable.
pub(super) fn lay_out(
    inputs: &Values,
    placing: Placing<'_>,
    folder: &Path,
    seen: &Path,
) -> Result<IndexMap<String, OsString>, FileError> {
    let mut layout = Layout { placing, folder, seen, variables: IndexMap::new(), derived: Vec::new() };
    for (name, value) in inputs {
        layout.input(name, value)?;
    }
    let taken = |form: &String| inputs.get(form).is_some_and(|it| *it != Value::None);
    if let Some((name, form)) = layout.derived.iter().find(|(_, form)| taken(form)) {
        return Err(
            format!("the inputs `{name}` and `{form}` both need the variable `{form}`; rename one").into()
        );
    }
    Ok(layout.variables)
}

struct Layout<'a> {
    placing: Placing<'a>,
    folder: &'a Path,
    seen: &'a Path,
    variables: IndexMap<String, OsString>,
    /// The additional variables of inputs.
    derived: Vec<(String, String)>,
}

impl Layout<'_> {
    fn input(&mut self, name: &str, value: &Value) -> Result<(), FileError> {
        match value {
            Value::None => Ok(()),
            Value::Text(text) => self.text(name, text, "txt"),
            Value::Media(media) => {
                let path = self.subfolder(name)?.join(file_name(&media.name));
                self.place(media, &path)?;
                self.set(name.to_owned(), self.seen(&path).into());
                Ok(())
            }
            // A large value, but short enough for a variable.
            value
                if value.has_large()
                    && !value.has_media()
                    && value.content_bytes() <= MAX_VARIABLE as u64 =>
            {
                let content = Content::new(Some(Arc::new(Loader(self.placing.blobs.clone()))));
                self.input(name, &content.resolve(value.clone())?)
            }
            Value::Large(large) if large.is_text() => {
                self.file(name, "txt", |blobs, file| Ok(content::copy(large, blobs, file)?))
            }
            value if value.has_large() && !value.has_media() => {
                self.file(name, "json", |blobs, file| Ok(content::write_json(value, blobs, file)?))
            }
            Value::List(_) | Value::Object(_) if value.has_media() => {
                let folder = self.subfolder(name)?;
                let width = leaves(value).saturating_sub(1).to_string().len().max(3);
                let json = self.files(value, &folder, width, &mut 0)?;
                self.derive(name, "dir", self.seen(&folder).into());
                self.text(name, &json.to_string(), "json")
            }
            Value::List(_) | Value::Object(_) => self.text(name, &value.to_json().to_string(), "json"),
            plain => self.text(name, &plain.to_text()?, "txt"),
        }
    }

    /// Writes the media of a list or object, numbered so that name order is list order; gaps keep their number.
    fn files(&self, value: &Value, folder: &Path, width: usize, next: &mut usize) -> Result<Json, FileError> {
        Ok(match value {
            Value::List(items) => Json::Array(
                items.iter().map(|it| self.files(it, folder, width, next)).collect::<Result<_, _>>()?,
            ),
            Value::Object(fields) => Json::Object(
                fields
                    .iter()
                    .map(|(key, it)| Ok((key.clone(), self.files(it, folder, width, next)?)))
                    .collect::<Result<_, FileError>>()?,
            ),
            leaf => {
                let number = *next;
                *next += 1;
                match leaf {
                    Value::Media(media) => {
                        let path = folder.join(format!("{number:0width$}_{}", file_name(&media.name)));
                        self.place(media, &path)?;
                        Json::String(self.seen(&path).display().to_string())
                    }
                    // Large values next to media; a list of texts only is written directly to its file.
                    plain if plain.has_large() => {
                        Content::new(Some(Arc::new(Loader(self.placing.blobs.clone()))))
                            .resolve(plain.clone())?
                            .to_json()
                    }
                    plain => plain.to_json(),
                }
            }
        })
    }

    fn text(&mut self, name: &str, text: &str, ending: &str) -> Result<(), FileError> {
        if text.len() <= MAX_VARIABLE {
            self.set(name.to_owned(), text.into());
            return Ok(());
        }
        self.file(name, ending, |_, file| {
            file.write_all(text.as_bytes()).map_err(|error| sentence("can't write", Path::new(name), &error))
        })
    }

    /// Passes a value only as a file, which `write` writes.
    fn file(
        &mut self,
        name: &str,
        ending: &str,
        write: impl FnOnce(&Blobs, &mut BufWriter<File>) -> Result<(), FileError>,
    ) -> Result<(), FileError> {
        let path = self.inputs_folder()?.join(format!("{name}.{ending}"));
        let failed = |error: &io::Error| sentence("can't write", &path, error);
        let mut file = BufWriter::new(new_file(&path).map_err(|error| failed(&error))?);
        write(self.placing.blobs, &mut file).map_err(|problem| match problem {
            FileError::Full(_) => problem,
            FileError::Other(sentence) => FileError::Other(format!("input `{name}`: {sentence}")),
        })?;
        file.flush().map_err(|error| failed(&error))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).map_err(|error| failed(&error))?;
        self.derive(name, "file", self.seen(&path).into());
        Ok(())
    }

    /// Returns the path at which the command sees a file of the folder.
    fn seen(&self, path: &Path) -> PathBuf {
        path.strip_prefix(self.folder).map_or_else(|_| path.to_owned(), |rest| self.seen.join(rest))
    }

    fn set(&mut self, name: String, value: OsString) {
        self.variables.insert(name, value);
    }

    fn derive(&mut self, name: &str, form: &str, value: OsString) {
        let form = format!("{name}_{form}");
        self.derived.push((name.to_owned(), form.clone()));
        self.set(form, value);
    }

    fn place(&self, media: &Media, path: &Path) -> Result<(), FileError> {
        self.placing.place(media, path, false)
    }

    fn inputs_folder(&self) -> Result<PathBuf, FileError> {
        folder_at(self.folder)
    }

    fn subfolder(&self, name: &str) -> Result<PathBuf, FileError> {
        // Names of inputs are checked with the document; this is a second line of defence for the path.
        folder_at(&self.inputs_folder()?.join(file_name(name)))
    }
}

fn leaves(value: &Value) -> usize {
    match value {
        Value::List(items) => items.iter().map(leaves).sum(),
        Value::Object(fields) => fields.values().map(leaves).sum(),
        _ => 1,
    }
}

/// Creates the folder if it does not exist, and returns it.
pub(super) fn folder_at(path: &Path) -> Result<PathBuf, FileError> {
    match make_folder(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(sentence("can't make", path, &error))
        }
        _ => Ok(path.to_owned()),
    }
}

#[cfg(test)]
mod tests;
