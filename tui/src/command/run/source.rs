//! What `fanlight run FILE|NAME` means: a file, a workflow that ran before, or an example.

use std::path::{Path, PathBuf};

use fanlight_shared::host_path;
use fanlight_shared::problem::near;
use fanlight_shared::rpc::ErrorCode;
use fanlight_shared::sanitise;

use crate::command::{is_path, read_document};
use crate::context::Context;
use crate::example;
use crate::failure::Failure;
use crate::output;

/// A workflow to run.
#[derive(Debug)]
pub(in crate::command) struct Source {
    /// Its name in messages.
    pub(in crate::command) shown: String,
    /// The text of its file.
    pub(in crate::command) document: String,
    /// The canonical path of its file, if it has one.
    pub(in crate::command) path: Option<String>,
}

/// Finds it.
pub(super) async fn find(context: &Context, what: &str) -> Result<Source, Failure> {
    let path = Path::new(what);
    if is_path(what) {
        return if path.exists() { of_file(path, what) } else { Err(no_file(path)) };
    }
    if let Some(known) = of_known(context, what).await? {
        return Ok(known);
    }
    if let Some(example) = example::find(what) {
        output::note(&format!("fanlight: `{what}` is the example that comes with this program"));
        return of_file(&example.place(&context.home)?, what);
    }
    if path.exists() {
        return of_file(path, what);
    }
    let hint = match example::near_name(what) {
        Some(near) => format!("did you mean the example `{near}`?"),
        None => format!("give the path of a workflow file, or one of the examples: {}", example::names()),
    };
    Err(Failure::usage(format!("there is no file, workflow or example `{what}`")).hint(hint))
}

fn of_file(path: &Path, shown: &str) -> Result<Source, Failure> {
    let document = read_document(path)?;
    let canonical = path
        .canonicalize()
        .map_err(|error| Failure::usage(format!("`{}` can't be found: {error}", path.display())))?;
    let path = canonical.to_str().ok_or_else(|| {
        Failure::usage(format!("the path `{}` is not UTF-8", canonical.display())).hint("rename the file")
    })?;
    Ok(Source { shown: shown.to_owned(), document, path: Some(path.to_owned()) })
}

/// Returns a workflow that ran before: its file where that is still there, else the version that ran last.
async fn of_known(context: &Context, slug: &str) -> Result<Option<Source>, Failure> {
    // Without a database nothing has run yet, so that there is no need to ask a daemon.
    if context.host.is_none() && !context.home.database().exists() {
        return Ok(None);
    }
    let client = context.connect().await?;
    let detail = match client.workflow(slug).await {
        Ok(detail) => detail,
        Err(fanlight_shared::client::ClientError::Rpc(error)) if error.is(ErrorCode::NotFound) => {
            return Ok(None);
        }
        Err(error) => return Err(error.into()),
    };
    let Some(path) = detail.workflow.path.map(|path| client.path_here(&path)) else { return Ok(None) };
    let of_example = example::find(slug).is_some_and(|it| it.path(&context.home) == Path::new(&path));
    if of_example {
        return Ok(None);
    }
    let shown = sanitise::line(&path);
    if Path::new(&path).is_file() {
        if !is_in_current_folder(Path::new(&path)) {
            output::note(&format!("fanlight: `{slug}` is {shown}"));
        }
        return of_file(Path::new(&path), &shown).map(Some);
    }
    let away = if host_path::split(&path).is_some() { "on another computer" } else { "gone" };
    output::note(&format!("fanlight: {shown} is {away}; this is the version of it that ran last"));
    Ok(Some(Source { shown, document: detail.document, path: Some(path) }))
}

/// Returns whether a file is below the current folder, so that whoever names its workflow has it in view.
fn is_in_current_folder(path: &Path) -> bool {
    std::env::current_dir()
        .and_then(|folder| folder.canonicalize())
        .is_ok_and(|folder| path.starts_with(folder))
}

fn no_file(path: &Path) -> Failure {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let missing = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let names: Vec<String> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| is_path(name))
        .collect();
    let hint = near(&missing, names.iter().map(String::as_str)).map(|near| {
        let near: PathBuf = if folder == Path::new(".") { near.into() } else { folder.join(near) };
        format!("did you mean `{}`?", near.display())
    });
    Failure::usage(format!("there is no file `{}`", path.display())).maybe_hint(hint)
}
