//! `--out`: saves the outputs of ended runs while others still run.

use std::collections::HashMap;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use fanlight_shared::client::projection::Row;
use fanlight_shared::client::{Client, ClientError};
use fanlight_shared::id::{AssetId, BlobHash, RunId};
use fanlight_shared::run::Run;
use fanlight_shared::value::{Value, Values};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::files::{self, Content, File};
use crate::download::{self, NewFile, ids_of_run};
use crate::failure::Failure;

/// Makes the folder, before anything runs.
pub(super) fn prepare(folder: &Path) -> Result<PathBuf, Failure> {
    std::fs::create_dir_all(folder).map_err(|error| {
        let shown = folder.display();
        match error.kind() {
            ErrorKind::AlreadyExists | ErrorKind::NotADirectory => {
                Failure::usage(format!("`{shown}` can't hold the outputs: it is a file, or lies below one"))
                    .hint("`--out` wants a folder")
            }
            _ => Failure::usage(format!("the folder `{shown}` can't be made: {error}")),
        }
    })?;
    Ok(folder.to_owned())
}

/// What was saved and what was not.
#[derive(Debug, Default)]
pub(super) struct Saved {
    /// By run: output and path.
    pub(super) files: HashMap<RunId, Vec<(String, PathBuf)>>,
    /// Sentences.
    pub(super) errors: Vec<String>,
}

struct EndedRun {
    client: Client,
    run: Run,
    outputs: Values,
}

/// Saves the outputs of ended runs in the background, one run after the other.
pub(super) struct Saver {
    queue: mpsc::UnboundedSender<EndedRun>,
    task: JoinHandle<Saved>,
}

impl Saver {
    /// Saves below this folder.
    pub(super) fn new(folder: PathBuf) -> Self {
        let (queue, mut next) = mpsc::unbounded_channel::<EndedRun>();
        let task = tokio::spawn(async move {
            let mut saved = Saved::default();
            while let Some(ended) = next.recv().await {
                save_run(&folder, ended, &mut saved).await;
            }
            saved
        });
        Self { queue, task }
    }

    /// Queues the outputs of an ended run to be saved.
    pub(super) fn save(&self, client: &Client, row: Row<'_>) {
        let outputs = row.state.map(|state| state.outputs.clone()).unwrap_or_default();
        // The task lives until `finish`.
        let _ = self.queue.send(EndedRun { client: client.clone(), run: row.run.clone(), outputs });
    }

    /// Waits until everything is saved.
    pub(super) async fn finish(self) -> Saved {
        drop(self.queue);
        self.task.await.unwrap_or_else(|error| Saved {
            errors: vec![format!("the outputs could not be saved: {error}")],
            ..Saved::default()
        })
    }
}

async fn save_run(folder: &Path, ended: EndedRun, saved: &mut Saved) {
    let mut files: Vec<File> = Vec::new();
    for (name, value) in &ended.outputs {
        match whole_but_texts(&ended.client, value).await {
            Ok(value) => files.extend(files::of(name, &value)),
            Err(error) => {
                saved.errors.push(format!("output `{name}` of {} can't be read: {error}", ended.run.name()))
            }
        }
    }
    if files.is_empty() {
        return;
    }
    let folder = folder.join(format!("{}-{}", files::safe(&ended.run.workflow), ended.run.number));
    if let Err(error) = std::fs::create_dir_all(&folder) {
        saved.errors.push(format!("the folder `{}` can't be made: {error}", folder.display()));
        return;
    }
    let media = files.iter().any(|file| matches!(file.content, Content::Media(_)));
    let known = if media { ids_of_run(&ended.client, ended.run.id).await } else { Ok(HashMap::new()) };
    let known = match known {
        Ok(known) => known,
        Err(error) => {
            saved.errors.push(format!("the assets of {} can't be listed: {error}", ended.run.name()));
            return;
        }
    };
    for file in files {
        let path = folder.join(&file.name);
        match save_file(&ended, &known, &file, &path).await {
            Ok(()) => saved.files.entry(ended.run.id).or_default().push((file.output, path)),
            Err(error) => saved.errors.push(error),
        }
    }
}

/// Returns a value with complete lists and objects. Large texts are streamed to their files instead.
async fn whole_but_texts(client: &Client, value: &Value) -> Result<Value, ClientError> {
    match value {
        Value::Large(large) if !large.is_text() => client.full_value(value.clone()).await,
        Value::List(items) if items.iter().all(|item| !matches!(item, Value::List(_) | Value::Object(_))) => {
            let mut whole = Vec::with_capacity(items.len());
            for item in items {
                whole.push(match item {
                    Value::Large(large) if !large.is_text() => client.full_value(item.clone()).await?,
                    item => item.clone(),
                });
            }
            Ok(Value::List(whole))
        }
        Value::List(_) | Value::Object(_) => client.full_value(value.clone()).await,
        plain => Ok(plain.clone()),
    }
}

async fn save_file(
    ended: &EndedRun,
    known: &HashMap<BlobHash, AssetId>,
    file: &File,
    path: &Path,
) -> Result<(), String> {
    match &file.content {
        Content::Text(text) => {
            let mut new = NewFile::beside(path)?;
            new.temporary.write_all(text.as_bytes()).map_err(|error| new.says(&error))?;
            new.keep()
        }
        Content::Large(large) => {
            let new = NewFile::beside(path)?;
            let copy = new.temporary.reopen().map_err(|error| new.says(&error))?;
            let mut writer = tokio::fs::File::from_std(copy);
            ended.client.read_large_into(large, &mut writer).await.map_err(|error| new.says(&error))?;
            new.keep()
        }
        Content::Media(media) => {
            let asset = known.get(&media.hash).ok_or_else(|| {
                format!(
                    "output `{}` of {} is no asset any more: `{}` was not saved",
                    file.output,
                    ended.run.name(),
                    path.display()
                )
            })?;
            download::to_path(&ended.client, *asset, Some(media), path).await
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_may_be_empty() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "").unwrap();
        assert_eq!(prepare(&path).unwrap_err().code(), 2);
        assert_eq!(prepare(&path.join("below")).unwrap_err().code(), 2);
        assert!(prepare(&folder.path().join("a/b")).is_ok());
    }
}
