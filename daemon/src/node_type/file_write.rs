//! `file.write`

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fanlight_shared::expression::Content;
use fanlight_shared::folder::create;
use fanlight_shared::media::MediaKind;
use fanlight_shared::node_type::Effects;
use fanlight_shared::types::Type;
use fanlight_shared::value::Value;

use super::build::Build;
use super::typed_inputs::{TypedInputs, one};
use super::{Made, NodeCall, NodeType, Runner, file};
use crate::content::{self, Loader};

pub(super) fn node_type() -> NodeType {
    Build::new(
        "file.write",
        "Writes a file below the folder of the workflow file, or below one that the config allows.",
    )
    .effects(Effects::Idempotent)
    .input("content", Type::Any, "The content to write: text and media as they are, all else as JSON.")
    .input(
        "path",
        Type::Text,
        "The path to write to: absolute, or relative to the workflow file; missing folders are created.",
    )
    .input("overwrite", Type::Bool, "Whether to replace an existing file.")
    .default(false)
    .output("path", Type::Text, "The absolute path of the file.")
    .run(Runner::daemon(run))
}

async fn run(call: NodeCall) -> Made {
    let services = call.services.clone();
    let work = move || {
        let target = target(&call, call.inputs.text("path")?)?;
        let content = call.inputs.value("content")?;
        let overwrite = call.inputs.flag("overwrite")?;
        let name = format!(".{}.fanlight-{}", file::name(&target), call.attempt.id);
        let temporary = Temporary(target.with_file_name(name));
        put(&call, content, &temporary.0)?;
        if call.attempt.cancel.is_cancelled() {
            return Err("cancelled".into());
        }
        place(&temporary.0, &target, overwrite)?;
        Ok((one("path", target.to_string_lossy().into_owned()), Vec::new()))
    };
    services.blocking(work).await
}

/// A temporary file, removed when dropped.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Returns the path to write, below an allowed folder with symlinks followed, and creates its folder.
fn target(call: &NodeCall, path: &str) -> Result<PathBuf, String> {
    let given = Path::new(path);
    let project = call.attempt.run.project.as_ref();
    let full = match project {
        _ if given.is_absolute() => given.to_path_buf(),
        Some(project) => project.join(given),
        None => return Err(format!("`{path}` is relative, but this workflow was submitted without a file")),
    };
    let (Some(name), Some(folder)) = (full.file_name(), full.parent()) else {
        return Err(format!("`{path}` is not the path of a file"));
    };
    if file::climbs(given) || path.ends_with('/') {
        return Err(format!("`{path}` must name a file without `..` in its path"));
    }
    let mut allowed: Vec<PathBuf> =
        project.into_iter().chain(&call.writable).filter_map(|it| it.canonicalize().ok()).collect();
    allowed.sort();
    allowed.dedup();
    let below = |folder: &Path| allowed.iter().any(|root| folder.starts_with(root));
    let refused = || {
        let mut roots: Vec<String> = allowed.iter().map(|it| it.display().to_string()).collect();
        if roots.is_empty() {
            roots.push("no folder".into());
        }
        let roots = roots.join(", ");
        format!("`{path}` is not below an allowed folder ({roots}); allow more by `writable` in the config")
    };
    // Check before creating anything: the existing part decides where the rest will be.
    let existing = folder.ancestors().find(|it| it.exists()).ok_or_else(refused)?;
    let existing = existing.canonicalize().map_err(|error| file::sentence(existing, &error))?;
    if !below(&existing) {
        return Err(refused());
    }
    create(folder, 0o777).map_err(|error| file::sentence(folder, &error))?;
    let folder = folder.canonicalize().map_err(|error| file::sentence(folder, &error))?;
    if below(&folder) { Ok(folder.join(name)) } else { Err(refused()) }
}

fn put(call: &NodeCall, content: &Value, path: &Path) -> Result<(), String> {
    let failed = |error: io::Error| file::sentence(path, &error);
    match content {
        Value::Media(media) if media.kind == MediaKind::Dir => {
            return Err("a folder can't be written as a file".into());
        }
        Value::Media(media) => {
            call.blobs.materialise(media, path).map_err(|error| error.to_string())?;
        }
        Value::Large(large) if large.is_text() => {
            let mut file = File::create_new(path).map_err(failed)?;
            content::copy(large, &call.blobs, &mut file).map_err(|error| error.to_string())?;
        }
        other => {
            let reading = Content::new(Some(Arc::new(Loader(call.blobs.clone()))));
            let other = &reading.resolve(other.clone())?;
            let text = match other {
                Value::Text(text) => text.clone(),
                other if other.has_media() => {
                    return Err("a value that contains files can't be written as one file; use `each`".into());
                }
                other => {
                    serde_json::to_string_pretty(&other.to_json()).map_err(|error| error.to_string())? + "\n"
                }
            };
            let mut file = File::create_new(path).map_err(failed)?;
            file.write_all(text.as_bytes()).map_err(failed)?;
        }
    }
    File::open(path).and_then(|file| file.sync_all()).map_err(failed)
}

/// Moves the finished file to its place atomically. Without `overwrite` an existing file stays; if it has the same
/// bytes, this node probably wrote it before.
fn place(temporary: &Path, target: &Path, overwrite: bool) -> Result<(), String> {
    let failed = |error: io::Error| file::sentence(target, &error);
    if target.is_dir() {
        return Err(format!("{} is a folder", target.display()));
    }
    if overwrite {
        fs::rename(temporary, target).map_err(failed)?;
    } else if let Err(error) = fs::hard_link(temporary, target) {
        if error.kind() != io::ErrorKind::AlreadyExists {
            return Err(failed(error));
        }
        if !same(temporary, target)? {
            return Err(format!("{} exists; set `overwrite: true` to replace it", target.display()));
        }
    }
    let folder = target.parent().map(File::open).transpose().map_err(failed)?;
    folder.map_or(Ok(()), |folder| folder.sync_all()).map_err(failed)
}

fn same(one: &Path, other: &Path) -> Result<bool, String> {
    let (mut a, mut b) = (file::open(one)?, file::open(other)?);
    let length = |file: &File| file.metadata().map(|it| it.len()).unwrap_or(0);
    if length(&a) != length(&b) {
        return Ok(false);
    }
    let (mut left, mut right) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    loop {
        let n = a.read(&mut left).map_err(|error| file::sentence(one, &error))?;
        if n == 0 {
            return Ok(true);
        }
        b.read_exact(&mut right[..n]).map_err(|error| file::sentence(other, &error))?;
        if left[..n] != right[..n] {
            return Ok(false);
        }
    }
}
