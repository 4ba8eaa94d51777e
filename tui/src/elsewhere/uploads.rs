//! Sends the files that params name.

use std::collections::HashMap;
use std::io::Cursor;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use fanlight_shared::client::{Client, ClientError};
use fanlight_shared::id::BlobHash;
use fanlight_shared::media::{Media, MediaKind};
use fanlight_shared::rpc::{ErrorCode, RpcError};
use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values};
use fanlight_shared::workflow::Workflow;

use crate::{embedded, output};

/// The MIME type of what only the daemon looks into.
const UNKNOWN_MIME: &str = "application/octet-stream";

/// The files of one submission, each sent once.
pub(super) struct Uploads<'a> {
    client: &'a Client,
    workflow: &'a Workflow,
    sent: HashMap<(PathBuf, MediaKind), Media>,
}

/// A file that was hashed.
struct Hashed {
    hash: BlobHash,
    bytes: u64,
    executable: bool,
}

impl<'a> Uploads<'a> {
    pub(super) fn new(client: &'a Client, workflow: &'a Workflow) -> Self {
        Self { client, workflow, sent: HashMap::new() }
    }

    /// Adds the defaults that name files in the folder of the workflow file.
    pub(super) fn fill_in(&self, params: &mut Values, folder: &Path) {
        for (name, param) in &self.workflow.params {
            let missing = params.get(name).is_none_or(|value| *value == Value::None);
            if let Some(default) = param.default.as_ref().filter(|_| missing && param.ty.has_media()) {
                params.insert(name.clone(), joined(folder, default));
            }
        }
    }

    /// Sends the files of params, and puts their media into the place of their paths.
    ///
    /// # Errors
    /// One can't be read or sent; the error names the param.
    pub(super) async fn send(&mut self, params: &mut Values) -> Result<(), ClientError> {
        for (name, value) in params {
            let Some(param) = self.workflow.params.get(name).filter(|param| param.ty.has_media()) else {
                continue;
            };
            let ty = param.ty.clone();
            self.replace(value, &ty).await.map_err(|error| match error {
                ClientError::Read(why) => {
                    RpcError::new(ErrorCode::BadParams, format!("param `{name}`: {why}")).into()
                }
                other => other,
            })?;
        }
        Ok(())
    }

    async fn replace(&mut self, value: &mut Value, ty: &Type) -> Result<(), ClientError> {
        match (ty, value) {
            (Type::List(of), Value::List(items)) => {
                for item in items {
                    Box::pin(self.replace(item, of)).await?;
                }
            }
            (Type::Media(kind), value @ Value::Text(_)) => {
                let path = PathBuf::from(value.as_text().unwrap_or_default());
                let key = (path, *kind);
                let media = match self.sent.get(&key) {
                    Some(media) => media.clone(),
                    None => {
                        let media = self.media(&key.0, *kind).await?;
                        self.sent.insert(key, media.clone());
                        media
                    }
                };
                *value = Value::from(media);
            }
            _ => {}
        }
        Ok(())
    }

    /// Sends a file or folder.
    async fn media(&self, path: &Path, kind: MediaKind) -> Result<Media, ClientError> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let described = |hash, bytes, executable| Media {
            kind,
            hash,
            mime: UNKNOWN_MIME.to_owned(),
            bytes,
            name: name.clone(),
            width: None,
            height: None,
            executable,
            source: None,
        };
        if kind == MediaKind::Dir {
            let folder = path.to_owned();
            let manifest = blocking(move || embedded::folder_manifest(&folder)).await?;
            for entry in &manifest.files {
                self.file(&path.join(&entry.path), entry.hash, entry.bytes).await?;
            }
            let json = serde_json::to_vec(&manifest).map_err(|error| ClientError::Read(error.to_string()))?;
            let (hash, bytes) = (BlobHash::of(&json), json.len() as u64);
            self.client.upload(hash, bytes, &mut Cursor::new(json), &mut |_| ()).await?;
            return Ok(described(hash, manifest.files.iter().map(|it| it.bytes).sum(), false));
        }
        let file = path.to_owned();
        let Hashed { hash, bytes, executable } = blocking(move || hashed(&file)).await?;
        self.file(path, hash, bytes).await?;
        Ok(described(hash, bytes, executable))
    }

    async fn file(&self, path: &Path, hash: BlobHash, bytes: u64) -> Result<(), ClientError> {
        let shown = path.display();
        let unreadable = |error| ClientError::Read(format!("{shown} can't be read: {error}"));
        let mut file = tokio::fs::File::open(path).await.map_err(unreadable)?;
        let mut progress = output::Sending::new(path, bytes);
        let sent = self.client.upload(hash, bytes, &mut file, &mut |arrived| progress.arrived(arrived)).await;
        sent.map_err(|error| match error {
            ClientError::Rpc(error) if error.is(ErrorCode::BadParams) => {
                ClientError::Read(format!("{shown} was changed while it was sent ({error})"))
            }
            ClientError::Read(why) => ClientError::Read(format!("{shown}: {why}")),
            other => other,
        })
    }
}

/// Joins relative paths to a folder, in lists too.
fn joined(folder: &Path, value: &Value) -> Value {
    match value {
        Value::Text(path) => Value::from(folder.join(path).to_string_lossy().into_owned()),
        Value::List(items) => Value::List(items.iter().map(|item| joined(folder, item)).collect()),
        other => other.clone(),
    }
}

/// Hashes a regular file. Blocks.
fn hashed(path: &Path) -> Result<Hashed, String> {
    let shown = path.display();
    let unreadable = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => format!("there is no {shown}"),
        _ => format!("{shown} can't be read: {error}"),
    };
    // Opening a FIFO would block.
    let meta = std::fs::metadata(path).map_err(unreadable)?;
    if !meta.is_file() {
        return Err(format!("{shown} is not a regular file"));
    }
    let (hash, bytes) = std::fs::File::open(path).and_then(BlobHash::of_reader).map_err(unreadable)?;
    Ok(Hashed { hash, bytes, executable: meta.permissions().mode() & 0o100 != 0 })
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, ClientError> {
    let done =
        tokio::task::spawn_blocking(work).await.map_err(|error| ClientError::Read(error.to_string()))?;
    done.map_err(ClientError::Read)
}
