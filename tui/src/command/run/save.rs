//! `--out`: saves the outputs of ended runs while others still run.

use std::collections::HashMap;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use fanlight_shared::client::projection::Row;
use fanlight_shared::client::{Client, ClientError};
use fanlight_shared::id::{AssetId, BlobHash, RunId};
use fanlight_shared::media::MediaKind;
use fanlight_shared::run::Run;
use fanlight_shared::value::{Value, Values};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::files::{self, Content, File};
use crate::command::find_params;
use crate::download::{self, NewFile, ids_of_run};
use crate::failure::Failure;
use crate::naming::{self, NameTemplate};

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

/// How outputs are saved.
#[derive(Debug)]
pub(in crate::command) struct Saving {
    /// The folder that everything is saved below.
    pub(in crate::command) folder: PathBuf,
    /// How files are named; by default after their run and their output.
    pub(in crate::command) names: Option<NameTemplate>,
    /// Whether files carry their recipes.
    pub(in crate::command) recipes: bool,
}

/// What was saved and what was not.
#[derive(Debug, Default)]
pub(in crate::command) struct Saved {
    /// By run: output and path.
    pub(in crate::command) files: HashMap<RunId, Vec<(String, PathBuf)>>,
    /// Sentences about files that were saved without their recipes.
    pub(in crate::command) notes: Vec<String>,
    /// Sentences about what was not saved.
    pub(in crate::command) errors: Vec<String>,
}

/// An ended run whose outputs are to be saved.
pub(in crate::command) struct EndedRun {
    /// The connection.
    pub(in crate::command) client: Client,
    /// The run.
    pub(in crate::command) run: Run,
    /// Its outputs, as its state has them.
    pub(in crate::command) outputs: Values,
}

/// Saves the outputs of ended runs in the background, one run after the other.
pub(super) struct Saver {
    queue: mpsc::UnboundedSender<EndedRun>,
    task: JoinHandle<Saved>,
}

impl Saver {
    /// Returns a saver.
    pub(super) fn new(saving: Saving) -> Self {
        let (queue, mut next) = mpsc::unbounded_channel::<EndedRun>();
        let task = tokio::spawn(async move {
            let mut saved = Saved::default();
            while let Some(ended) = next.recv().await {
                save_run(&saving, ended, &mut saved).await;
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

/// Saves the outputs of a run.
pub(in crate::command) async fn save_run(saving: &Saving, mut ended: EndedRun, saved: &mut Saved) {
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
    if saving.names.is_some()
        && let Err(error) = find_params(&ended.client, &mut ended.run).await
    {
        saved.errors.push(format!("the params of {} can't be read: {error}", ended.run.name()));
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
        let path = match path_of(saving, &ended.run, &file) {
            Ok(path) => path,
            Err(error) => {
                saved.errors.push(error);
                continue;
            }
        };
        match save_file(&ended, &known, &file, &path, saving.recipes).await {
            Ok(note) => {
                saved.notes.extend(note);
                saved.files.entry(ended.run.id).or_default().push((file.output, path));
            }
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

/// Returns the path of a file, in a folder that exists.
fn path_of(saving: &Saving, run: &Run, file: &File) -> Result<PathBuf, String> {
    let path = match &saving.names {
        None => {
            let folder = format!("{}-{}", files::safe(&run.workflow), run.number);
            saving.folder.join(folder).join(&file.name)
        }
        Some(names) => {
            let own = Path::new(&file.name).file_name().map(Path::new).unwrap_or(Path::new(""));
            let ending = match &file.content {
                Content::Media(media) if media.kind == MediaKind::Dir => None,
                _ => own.extension().map(|ending| ending.to_string_lossy().into_owned()),
            };
            let name = names.path(|name| match (name, run.params.get(name)) {
                (_, Some(value)) => naming::text_of(value),
                ("workflow", _) => run.workflow.clone(),
                ("run", _) => run.number.to_string(),
                ("label", _) => run.label.clone(),
                ("name", _) => match &file.content {
                    Content::Media(media) => media.stem().to_owned(),
                    _ => file.output.clone(),
                },
                ("index", _) => file.index.map(|index| index.to_string()).unwrap_or_default(),
                _ => file.of.clone(),
            });
            naming::free(&saving.folder.join(name), ending.as_deref())?
        }
    };
    let folder = path.parent().unwrap_or(&saving.folder);
    std::fs::create_dir_all(folder)
        .map_err(|error| format!("the folder `{}` can't be made: {error}", folder.display()))?;
    Ok(path)
}

async fn save_file(
    ended: &EndedRun,
    known: &HashMap<BlobHash, AssetId>,
    file: &File,
    path: &Path,
    recipe: bool,
) -> Result<Option<String>, String> {
    match &file.content {
        Content::Text(text) => {
            let mut new = NewFile::beside(path)?;
            new.temporary.write_all(text.as_bytes()).map_err(|error| new.says(&error))?;
            new.keep().map(|()| None)
        }
        Content::Large(large) => {
            let new = NewFile::beside(path)?;
            let copy = new.temporary.reopen().map_err(|error| new.says(&error))?;
            let mut writer = tokio::fs::File::from_std(copy);
            ended.client.read_large_into(large, &mut writer).await.map_err(|error| new.says(&error))?;
            new.keep().map(|()| None)
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
            download::to_path(&ended.client, *asset, Some(media), path, recipe).await
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
