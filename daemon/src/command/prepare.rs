//! Prepares an attempt for the supervisor. Blocks: creates folders, writes files, copies.

use std::cell::RefCell;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use fanlight_shared::environment::MAX_VALUE_BYTES;
use fanlight_shared::workflow::{Changes, MetricSource, OutputSource};

use super::changed::Snapshot;
use super::environment::{self, Environment};
use super::folder::{Folder, new_file, sentence};
use super::input::{self, folder_at};
use super::metrics;
use super::placing::{Later, Placing};
use super::program::{self, Invocation};
use super::record;
use super::separate;
use super::shared::SharedFolders;
use crate::attempt::Attempt;
use crate::executor::{Argument, CommandWork, Program, WorkDir};
use crate::file_error::FileError;
use crate::media::file_name;
use crate::store::blob::Blobs;
use crate::supervisor::client::StartSpec;
use crate::supervisor::log;

/// The resources that preparing and finishing an attempt need, besides its work.
pub(super) struct Resources<'a> {
    pub(super) environment: &'a Environment,
    pub(super) blobs: &'a Blobs,
    pub(super) grace: Duration,
    pub(super) shared: &'a SharedFolders,
    /// Receives the media that are placed later; without it all are copied now.
    pub(super) later: Option<&'a RefCell<Vec<Later>>>,
}

impl Resources<'_> {
    fn placing(&self) -> Placing<'_> {
        Placing { blobs: self.blobs, later: self.later }
    }
}

/// Prepares the folder of an attempt and returns the specification for the supervisor. The caller makes sure that
/// nothing is running in the folder.
///
/// # Errors
/// The disk is full, a shell or folder is missing, or an environment can't hold a value.
pub(super) fn prepare(
    attempt: &Attempt,
    work: &CommandWork,
    folder: &Folder,
    resources: &Resources<'_>,
) -> Result<StartSpec, FileError> {
    folder.make().map_err(|error| sentence("can't make", folder.files(), &error))?;
    let inputs =
        input::lay_out(&work.inputs, resources.placing(), &folder.inputs(), &folder.seen(&folder.inputs()))?;
    let mut variables = resources.environment.of(attempt, work, folder, inputs)?;
    if matches!(work.dir, Some(WorkDir::Copy { .. } | WorkDir::Worktree { .. })) {
        // The home may be within a repository, which must not be taken for that of the copy.
        let ceilings = variables.entry("GIT_CEILING_DIRECTORIES".into()).or_default();
        let before = std::mem::take(ceilings);
        ceilings.push(folder.seen(folder.files()));
        if !before.is_empty() {
            ceilings.push(":");
            ceilings.push(before);
        }
    }
    let path = variables.get(OsStr::new("PATH")).cloned().unwrap_or_default();
    let invocation = match &work.program {
        Program::Script { text, shell } => {
            let script = folder.script();
            new_file(&script)
                .and_then(|mut file| file.write_all(text.as_bytes()))
                .map_err(|error| sentence("can't write", &script, &error))?;
            if resources.environment.is_here() {
                program::of_script(shell, &script, &path)?
            } else {
                program::by_name(shell, &folder.seen(&script))?
            }
        }
        Program::Arguments(arguments) => invocation(arguments, folder, resources.placing())?,
    };
    environment::check_size(&variables, &invocation.arguments)?;
    let cwd = match &work.dir {
        None => folder.seen(&folder.work()),
        Some(WorkDir::Shared(dir)) => {
            check_dir(dir)?;
            resources.shared.begin(attempt, dir, &work.outputs)?.save(&folder.before())?;
            dir.clone()
        }
        Some(own @ (WorkDir::Copy { .. } | WorkDir::Worktree { .. })) => {
            separate::make(own, attempt, folder, resources.blobs)?;
            let dir = folder.separate();
            let sources: Vec<_> = work.outputs.values().map(|output| output.source.clone()).collect();
            Snapshot::of(&dir, &sources)?.save(&folder.before())?;
            folder.seen(&dir)
        }
    };
    let spec = StartSpec {
        id: attempt.id,
        program: invocation.program,
        arguments: invocation.arguments,
        env: variables.into_iter().collect(),
        cwd,
        folder: folder.path().to_owned(),
        grace: resources.grace,
        secrets: attempt.secrets.clone(),
        // All of it is needed to find metrics in it; the port `stdout` keeps its own limit.
        stdout_limit: if reads_stdout(work) { metrics::MAX_BYTES } else { log::STDOUT },
    };
    let kind = match &work.dir {
        Some(WorkDir::Copy { .. }) if has_patch(work) => record::Kind::Own,
        Some(WorkDir::Worktree { .. }) if has_patch(work) => record::Kind::InRepository,
        _ => return Ok(spec),
    };
    // What an engine has installed is seen where its command runs.
    if resources.environment.is_here() {
        record::check_git(&spec)?;
    }
    record::wrap(spec, folder, kind, resources.environment)
}

fn has_patch(work: &CommandWork) -> bool {
    work.outputs.values().any(|output| output.source == OutputSource::Changes(Changes::Patch))
}

fn check_dir(dir: &PathBuf) -> Result<(), FileError> {
    match fs::metadata(dir) {
        Ok(it) if it.is_dir() => Ok(()),
        Ok(_) => Err(format!("`dir:` names {}, which is not a folder", dir.display()).into()),
        Err(error) => Err(sentence("`dir:` names a folder that can't be entered:", dir, &error)),
    }
}

fn invocation(
    arguments: &[Argument],
    folder: &Folder,
    placing: Placing<'_>,
) -> Result<Invocation, FileError> {
    let mut words = Vec::with_capacity(arguments.len());
    for (number, argument) in arguments.iter().enumerate() {
        words.push(match argument {
            Argument::Text(text) => word(number, text)?,
            Argument::Media(media) => {
                let path =
                    folder_at(&folder.arguments())?.join(format!("{number:03}_{}", file_name(&media.name)));
                placing.place(media, &path, number == 0)?;
                folder.seen(&path).into()
            }
        });
    }
    let mut words = words.into_iter();
    match words.next() {
        Some(program) if !program.is_empty() => Ok(Invocation { program, arguments: words.collect() }),
        _ => Err("`cmd:` has no program".into()),
    }
}

fn word(number: usize, text: &str) -> Result<OsString, String> {
    if text.contains('\0') {
        return Err(format!(
            "argument {number} of `cmd:` contains a NUL character, which an argument can't hold"
        ));
    }
    if text.len() > MAX_VALUE_BYTES {
        return Err(format!(
            "argument {number} of `cmd:` is {} bytes long; an argument holds at most {}: pass it by `with:`, where a \
             long value becomes a file",
            text.len(),
            MAX_VALUE_BYTES
        ));
    }
    Ok(text.into())
}

fn reads_stdout(work: &CommandWork) -> bool {
    work.metrics.iter().any(|metrics| matches!(metrics.source, MetricSource::Stdout(_)))
}
