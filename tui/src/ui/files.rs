//! Files: reads and checks workflows, creates new ones, and writes files for other programs.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use fanlight_shared::document::FILE_LIMIT;
use fanlight_shared::home::Home;
use fanlight_shared::node_type::Catalogue;
use fanlight_shared::problem::{Problem, Span};
use fanlight_shared::rpc::workflows;
use fanlight_shared::sanitise;
use fanlight_shared::workflow::Workflow;

use crate::example;
use crate::ui::document::{Document, Source, Submission};
use crate::ui::message::Entry;

/// The maximum number of files of a folder that are listed.
const MAX_FILES: usize = 500;
/// The maximum number of names of a folder for path completion.
const MAX_NAMES: usize = 10_000;

/// Reads and checks a workflow without the daemon.
pub(in crate::ui) fn document(home: &Home, source: &Source, types: &Catalogue) -> Result<Document, String> {
    match source {
        Source::File(path) => read(path, types),
        Source::Example(name) => read_example(home, name, types),
        Source::New { example, path } => read(&new_file(example, path)?, types),
        Source::Stored(_) => Err("only the daemon has it".to_owned()),
    }
}

/// Checks a text; the caller sets its name and path.
fn check(source: Source, text: String, name: String, types: &Catalogue) -> Document {
    let (workflow, problems) = match fanlight_shared::document::read(&text, types) {
        Ok(checked) => (Some(Arc::new(checked.workflow)), checked.warnings),
        Err(problems) => (None, problems),
    };
    Document {
        source,
        path: None,
        example: None,
        workflow_id: None,
        name,
        text: text.into(),
        workflow,
        problems,
    }
}

/// Reads and checks a file.
pub(in crate::ui) fn read(path: &Path, types: &Catalogue) -> Result<Document, String> {
    let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let path = path.canonicalize().map_err(|error| failed(&error))?;
    let length = path.metadata().map_err(|error| failed(&error))?.len();
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let source = Source::File(path.clone());
    let mut document = if length > FILE_LIMIT as u64 {
        let mut too_long = check(source, String::new(), name, types);
        let words = format!("the file is {length} bytes long; at most {FILE_LIMIT} are read");
        too_long.problems = vec![Problem::error("too_large", Span::default(), words)];
        too_long
    } else {
        let text = crate::text_file::read(&path, FILE_LIMIT as u64)?;
        check(source, text, name, types)
    };
    document.path = Some(path);
    Ok(document)
}

/// Checks an example. Its path is where the file is written when it runs.
fn read_example(home: &Home, name: &str, types: &Catalogue) -> Result<Document, String> {
    let example = example::find(name).ok_or_else(|| format!("there is no example `{name}`"))?;
    let source = Source::Example(example.name.to_owned());
    let mut document = check(source, example.document.to_owned(), example.name.to_owned(), types);
    document.path = Some(example.path(home));
    document.example = Some(example.name.to_owned());
    Ok(document)
}

/// Updates a submission: reads its text from disk again, or writes an example to its path. Returns the document too if
/// it changed.
///
/// # Errors
/// The file is gone or can't run.
pub(in crate::ui) fn current(
    home: &Home,
    mut submission: Submission,
    types: &Catalogue,
) -> Result<(Submission, Option<Box<Document>>), String> {
    let mut changed = None;
    match &submission.source {
        Source::File(path) => {
            let document = read(path, types)?;
            if let Some(refusal) = document.refusal() {
                return Err(refusal);
            }
            if *document.text != submission.start.document {
                submission.start.document = document.text.to_string();
                changed = Some(Box::new(document));
            }
        }
        Source::Example(name) => {
            if let Some(example) = example::find(name) {
                example.place(home).map_err(|failure| failure.message().to_owned())?;
            }
        }
        Source::Stored(_) | Source::New { .. } => {}
    }
    Ok((submission, changed))
}

/// Returns the document of a workflow: its file where that is still there, else the version that ran last.
pub(in crate::ui) fn stored(detail: workflows::Detail, types: &Catalogue) -> Document {
    let info = detail.workflow;
    let path = info.path.map(PathBuf::from);
    let of_example = example::ALL.iter().find(|it| {
        it.name == info.slug
            && path
                .as_ref()
                .is_some_and(|path| path.ends_with(Path::new(it.name).join(format!("{}.yaml", it.name))))
    });
    let file = path.as_ref().filter(|_| of_example.is_none()).and_then(|path| read(path, types).ok());
    let mut document = file.unwrap_or_else(|| {
        let source = match of_example {
            Some(example) => Source::Example(example.name.to_owned()),
            None => Source::Stored(info.id),
        };
        let mut stored = check(source, detail.document, sanitise::line(&info.slug), types);
        stored.path = path;
        stored.example = of_example.map(|it| it.name.to_owned());
        stored
    });
    document.workflow_id = Some(info.id);
    document
}

/// Returns the workflow of a text that a run was submitted with.
pub(in crate::ui) fn workflow_of(text: &str, types: &Catalogue) -> Option<Arc<Workflow>> {
    fanlight_shared::document::read(text, types).ok().map(|checked| Arc::new(checked.workflow))
}

/// Returns the files of a folder, and of its folders called `workflows`, that may be workflows: by their file extension
/// and `nodes:`.
pub(in crate::ui) fn list(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in [folder.to_owned(), folder.join("workflows"), folder.join(".fanlight")] {
        let Ok(entries) = std::fs::read_dir(folder) else { continue };
        for entry in entries.flatten().take(10_000) {
            let path = entry.path();
            let ending = path.extension().and_then(|it| it.to_str());
            if matches!(ending, Some("yaml" | "yml")) && has_nodes(&path) {
                found.extend(path.canonicalize());
            }
        }
    }
    found.sort();
    found.dedup();
    found.truncate(MAX_FILES);
    found
}

/// Returns the names in a folder that can be shown and typed; none if it can't be read.
pub(in crate::ui) fn names(folder: &Path) -> Vec<Entry> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<Entry> = entries
        .flatten()
        .take(MAX_NAMES)
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok().filter(|name| sanitise::line(name) == *name)?;
            // Follows links.
            Some(Entry { name, folder: entry.path().is_dir() })
        })
        .collect();
    names.sort();
    names
}

/// Tells workflows from other YAML files: a workflow has `nodes:` at the beginning of a line.
fn has_nodes(path: &Path) -> bool {
    let small = path.metadata().is_ok_and(|meta| meta.is_file() && meta.len() <= FILE_LIMIT as u64);
    small
        && std::fs::read(path)
            .is_ok_and(|text| text.split(|byte| *byte == b'\n').any(|line| line.starts_with(b"nodes:")))
}

/// Writes an example to a new file.
fn new_file(example: &str, path: &Path) -> Result<PathBuf, String> {
    let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let example = example::find(example).ok_or_else(|| format!("there is no example `{example}`"))?;
    let path = match path.extension() {
        Some(_) => path.to_owned(),
        None => path.with_extension("yaml"),
    };
    let mut file = std::fs::File::create_new(&path).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            format!("{} exists already; nothing was written", path.display())
        }
        _ => failed(&error),
    })?;
    file.write_all(example.document.as_bytes()).map_err(|error| failed(&error))?;
    example.write_companions(path.parent().unwrap_or(Path::new(""))).inspect_err(|_| {
        // Without them it is of no use.
        let _ = std::fs::remove_file(&path);
    })?;
    Ok(path)
}

/// Saves a copied text to a file, for terminals without clipboard access. Returns the path.
pub(in crate::ui) fn keep_copied(home: &Home, text: &str) -> Result<PathBuf, String> {
    let failed = |error: std::io::Error| error.to_string();
    std::fs::create_dir_all(&home.state).map_err(failed)?;
    let mut file = tempfile::NamedTempFile::new_in(&home.state).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    let path = home.state.join("copied.txt");
    file.persist(&path).map_err(|error| error.to_string())?;
    Ok(path)
}

/// Opens a copy of an asset with the desktop's program.
pub(in crate::ui) fn open_outside(name: &str, bytes: &[u8]) -> Result<(), String> {
    let name = Path::new(name).file_name().ok_or_else(|| "the asset has no file name".to_owned())?;
    // The program reads it later: the folder stays until the system removes it.
    let folder = tempfile::Builder::new().prefix("fanlight-").tempdir().map_err(|error| error.to_string())?;
    let path = folder.keep().join(name);
    std::fs::write(&path, bytes).map_err(|error| format!("{}: {error}", path.display()))?;
    let opener = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    std::process::Command::new(opener)
        .arg(&path)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map(|_| ())
        .map_err(|error| format!("{opener} can't be started ({error}); a copy is in {}", path.display()))
}

#[cfg(test)]
mod tests {
    use fanlight_shared::rpc::runs;

    use super::*;

    const FIRST: &str = "name: One\nnodes: { a: { run: 'echo v1' } }\n";

    fn submission(path: &Path) -> Submission {
        let start = runs::Start { document: FIRST.to_owned(), ..runs::Start::default() };
        Submission { start, source: Source::File(path.to_owned()) }
    }

    fn current(home: &Home, submission: Submission) -> Result<(Submission, Option<Box<Document>>), String> {
        super::current(home, submission, &Catalogue::default())
    }

    #[test]
    fn the_file_on_disk_is_submitted() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::below(folder.path()).unwrap();
        let path = folder.path().join("one.yaml");
        std::fs::write(&path, FIRST).unwrap();
        let (same, changed) = current(&home, submission(&path)).unwrap();
        assert!(same.start.document == FIRST && changed.is_none());
        let second = FIRST.replace("v1", "v2");
        std::fs::write(&path, &second).unwrap();
        let (now, changed) = current(&home, submission(&path)).unwrap();
        assert_eq!(now.start.document, second);
        assert_eq!(&*changed.unwrap().text, second);
    }

    #[test]
    fn a_file_that_was_broken_or_removed_since_it_was_shown_is_not_submitted() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::below(folder.path()).unwrap();
        let path = folder.path().join("one.yaml");
        std::fs::write(&path, "nodes: { a: { with: 1 } }").unwrap();
        let refusal = current(&home, submission(&path)).unwrap_err();
        assert!(refusal.starts_with("one.yaml can't run"), "{refusal}");
        std::fs::remove_file(&path).unwrap();
        assert!(current(&home, submission(&path)).unwrap_err().contains("one.yaml"));
    }
}
