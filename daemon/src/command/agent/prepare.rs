//! Prepares the attempt of an agent for the supervisor. Blocks.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use fanlight_shared::environment::MAX_VALUE_BYTES;
use fanlight_shared::value::{Value, Values};
use indexmap::IndexMap;

use super::super::agent_output::{Dialect, MAX_OUTPUT};
use super::super::folder::{Folder, make_folder, sentence};
use super::super::prepare::{Resources, prepare as prepare_command};
use super::super::record;
use super::Agent;
use crate::attempt::Attempt;
use crate::content;
use crate::executor::{Argument, CommandWork, Program, WorkDir};
use crate::file_error::FileError;
use crate::store::blob::Blobs;
use crate::supervisor::client::StartSpec;

/// Prepares the folder of an attempt and returns the specification for the supervisor.
///
/// # Errors
/// An input can't be used, or the disk is full.
pub(in super::super) fn prepare(
    agent: &Agent,
    attempt: &Attempt,
    folder: &Folder,
    resources: &Resources<'_>,
) -> Result<StartSpec, FileError> {
    let work = agent.command(attempt, resources.blobs)?;
    let spec = prepare_command(attempt, &work, folder, resources)?;
    if let Some(Value::Media(project)) = agent.inputs.get("project") {
        let target = folder.work();
        let failed = |error: &io::Error| sentence("can't copy `project` to", &target, error);
        fs::remove_dir(&target).map_err(|error| failed(&error))?;
        resources.blobs.materialise(project, &target)?;
        make_writable(&target).map_err(|error| failed(&error))?;
    }
    let said = folder.said();
    make_folder(&said).map_err(|error| sentence("can't make", &said, &error))?;
    let kind = match work.dir {
        Some(WorkDir::Shared(_) | WorkDir::Worktree { .. }) => record::Kind::InRepository,
        Some(WorkDir::Copy { .. }) | None => record::Kind::Own,
    };
    let spec = record::wrap(spec, folder, kind, resources.environment)?;
    Ok(StartSpec { stdout_limit: MAX_OUTPUT, ..spec })
}

impl Agent {
    /// Returns the agent as a command.
    fn command(&self, attempt: &Attempt, blobs: &Blobs) -> Result<CommandWork, FileError> {
        let inputs = content::whole(self.inputs.clone(), blobs).map_err(|error| format!("input {error}"))?;
        let dialect = self.dialect();
        let dir = self.dir(attempt)?;
        if inputs.contains_key("project") && dir.is_some() {
            return Err(
                "`project` is copied to a folder of its own, so it excludes `folder`, `copy` and `worktree`"
                    .into(),
            );
        }
        let prompt = inputs.get("prompt").and_then(Value::as_text).ok_or("input `prompt` is absent")?;
        let (before, after) = dialect.arguments(self.given("model"), prompt);
        let mut words = words(&inputs, "command")?;
        if words.is_empty() {
            if dialect == Dialect::Plain {
                return Err("the agent `plain` has no program of its own: give its `command`".into());
            }
            words.push(dialect.word().to_owned());
        }
        words.extend(before);
        words.extend(self::words(&inputs, "arguments")?);
        words.extend(after);
        if let Some(word) = words.iter().find(|word| word.contains('\0') || word.len() > MAX_VALUE_BYTES) {
            let what = if word.contains(prompt) { "`prompt`" } else { "an argument" };
            let why = match word.contains('\0') {
                true => "it contains a NUL character".to_owned(),
                false => format!(
                    "it has {} bytes, and at most {MAX_VALUE_BYTES} fit; put it in a file",
                    word.len()
                ),
            };
            return Err(format!("{what} can't be passed to the agent: {why}").into());
        }
        Ok(CommandWork {
            program: Program::Arguments(words.into_iter().map(Argument::Text).collect()),
            inputs: Values::from([("prompt".to_owned(), prompt.into())]),
            env: environment(&inputs)?,
            dir,
            outputs: IndexMap::new(),
            metrics: Vec::new(),
            remember: None,
        })
    }
}

fn words(inputs: &Values, name: &str) -> Result<Vec<String>, String> {
    let Some(list) = inputs.get(name).and_then(Value::as_list) else { return Ok(Vec::new()) };
    let words = list.iter().map(Value::to_text).collect::<Result<_, _>>();
    words.map_err(|error| format!("input `{name}`: {error}"))
}

/// Returns the variables that the node gives.
pub(super) fn environment(inputs: &Values) -> Result<IndexMap<String, String>, String> {
    match inputs.get("env") {
        None | Some(Value::None) => Ok(IndexMap::new()),
        Some(Value::Object(fields)) => {
            let text = |(name, value): (&String, &Value)| Ok((name.clone(), value.to_text()?));
            fields
                .iter()
                .map(text)
                .collect::<Result<_, String>>()
                .map_err(|error| format!("input `env`: {error}"))
        }
        Some(_) => Err("input `env` is not an object of variables".to_owned()),
    }
}

/// Lets the owner write what was copied.
fn make_writable(path: &Path) -> io::Result<()> {
    let meta = fs::symlink_metadata(path)?;
    if meta.is_symlink() {
        return Ok(());
    }
    fs::set_permissions(path, fs::Permissions::from_mode(meta.permissions().mode() | 0o200))?;
    if meta.is_dir() {
        for entry in fs::read_dir(path)? {
            make_writable(&entry?.path())?;
        }
    }
    Ok(())
}
