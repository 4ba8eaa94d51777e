//! The end of an agent: turns its output, its exit and its folder into an outcome. Blocks.

use std::ffi::OsStr;
use std::path::Path;

use fanlight_shared::event::NodeError;
use fanlight_shared::value::{Value, Values};

use super::super::agent_output::{self, Stream};
use super::super::changed::MAX_FILES;
use super::super::finish::{Ended, tell_notes, text_port};
use super::super::folder::Folder;
use super::super::prepare::Resources;
use super::super::reader::Reader;
use super::super::record::{self, Nested, NoPatch};
use super::super::{failure, separate};
use super::{Agent, prepare};
use crate::attempt::{Attempt, Outcome};
use crate::content;
use crate::file_error::FileError;
use crate::media;
use crate::rooted::Refusal;
use crate::secret::Secrets;
use crate::store::blob::Published;
use crate::supervisor::client::{Exit, How};
use crate::supervisor::log::Stdout;

/// Collects the outputs of an agent that ended and returns its outcome. With `give_up`, a full disk is an ordinary problem,
/// because nobody waits for the outputs.
///
/// # Errors
/// [`FileError::Full`]: the files stay where they are, and can be collected when there is space.
pub(in super::super) fn finish(
    agent: &Agent,
    attempt: &Attempt,
    resources: &Resources<'_>,
    reader: &mut Reader,
    exit: &Exit,
    give_up: bool,
) -> Result<Outcome, FileError> {
    reader.finish(exit.log_end);
    let ended = Ended::of(attempt, exit);
    let Some(said) = &reader.agent else { return Err("the output of the agent was not read".into()) };
    let env = prepare::environment(&agent.inputs).unwrap_or_default();
    let path = resources.environment.path(&attempt.run, &attempt.withheld, &env);
    let mut error = failure_of(&said.stream, attempt, exit, ended, &reader.folder, &path);
    let mut made = Made::default();
    made.values.insert("exit_code".into(), Value::Int(failure::exit_code(exit.how)));
    spent(&said.stream, &mut made.values);
    let answer = said.stream.text().to_owned();
    let collected = made.answer(answer, exit.masked, resources).and_then(|()| {
        let only_patch = agent.works_in_a_copy();
        made.patch(&reader.folder, resources, reader.secrets(), error.is_none(), only_patch)?;
        if agent.has_own_folder() && error.is_none() {
            made.folder(&reader.folder, resources, reader.secrets())?;
        }
        Ok(())
    });
    match collected {
        Err(full @ FileError::Full(_)) if !give_up => return Err(full),
        Err(problem) if error.is_none() => error = Some(NodeError::new(problem)),
        // It says more than the exit code of the script that failed.
        Err(problem) if made.unrecorded && ended == Ended::ByItself(exit.how) => {
            error = Some(NodeError::new(problem));
        }
        Err(problem) => reader.report.note(&problem.to_string()),
        Ok(()) => {}
    }
    let notes = separate::notes(&reader.folder);
    notes.iter().chain(&made.notes).for_each(|note| reader.report.note(note));
    let status = match (ended, &error) {
        (Ended::ByItself(How::Code(0)), Some(_)) => "failed".to_owned(),
        _ => ended.status(),
    };
    made.values.insert("status".into(), status.into());
    let (values, error) = match content::check_bound(made.values, &agent.native.spec) {
        Ok(values) => (values, error),
        Err(why) => (Values::new(), error.or_else(|| Some(NodeError::new(why)))),
    };
    let streams_end = agent_output::end(&reader.folder);
    tell_notes(attempt, reader, streams_end);
    Ok(Outcome {
        end: ended.end(error.is_some()),
        error: error.filter(|_| ended != Ended::Cancelled),
        cost_usd: reader.cost_usd(),
        ..Outcome::completed(values, made.blobs)
    })
}

/// Returns why the agent did not do what it was asked; `None` if it did.
fn failure_of(
    stream: &Stream,
    attempt: &Attempt,
    exit: &Exit,
    ended: Ended,
    folder: &Folder,
    path: &OsStr,
) -> Option<NodeError> {
    let of_exit =
        || failure::error(exit, folder.path(), path, attempt.resources.as_ref().map(|it| it.memory));
    match ended {
        Ended::ByItself(How::Code(0)) => {
            let why = stream.check().err()?;
            Some(NodeError { exit_code: Some(0), ..NodeError::new(why) })
        }
        Ended::TimedOut => {
            let last_line = of_exit().and_then(|error| error.last_line);
            Some(NodeError { last_line, ..attempt.time_limit.error() })
        }
        Ended::ByItself(_) if stream.failure().is_some() => {
            let message = stream.check().err()?;
            Some(NodeError { message, ..of_exit()? })
        }
        Ended::ByItself(_) | Ended::Cancelled => of_exit(),
    }
}

/// Adds what it took from models.
fn spent(stream: &Stream, values: &mut Values) {
    let models = stream.spent().iter().map(crate::services::usage);
    values.insert("usage".into(), Value::List(models.collect()));
}

/// The outputs so far.
#[derive(Default)]
struct Made {
    values: Values,
    blobs: Vec<Published>,
    notes: Vec<String>,
    /// Whether the changes of the agent could not be recorded.
    unrecorded: bool,
}

impl Made {
    fn answer(&mut self, text: String, masked: bool, resources: &Resources<'_>) -> Result<(), FileError> {
        let stdout = Stdout { bytes: text.into_bytes(), truncated: false, masked };
        let (value, published) = text_port(&stdout, resources.blobs)?;
        self.values.insert("text".into(), value);
        self.blobs.extend(published);
        Ok(())
    }

    fn patch(
        &mut self,
        folder: &Folder,
        resources: &Resources<'_>,
        secrets: &Secrets,
        needed: bool,
        only_patch: bool,
    ) -> Result<(), FileError> {
        let patch = match record::patch(folder) {
            Ok(patch) => patch,
            Err(NoPatch::Unrecorded(why)) => {
                self.unrecorded = true;
                return Err(format!("what the agent changes can't be recorded: {why}").into());
            }
            Err(NoPatch::Note(note)) => {
                self.notes.push(note);
                return Ok(());
            }
            Err(NoPatch::Refused(Refusal::Absent)) if !needed => return Ok(()),
            Err(NoPatch::Refused(refusal)) => {
                return Err(format!("the patch of what the agent changed: {refusal}").into());
            }
        };
        let nested = record::nested(folder);
        let (media, published) =
            record::publish(patch, secrets, resources.blobs).map_err(|problem| match problem {
                FileError::Other(why) => FileError::Other(format!("output `patch`: {why}")),
                full => full,
            })?;
        self.values.insert("patch".into(), Value::from(media));
        self.blobs.push(published);
        let Some(Nested { path, was_there }) = nested else { return Ok(()) };
        let note = format!("`{path}` is a repository of its own, which the patch doesn't hold");
        if only_patch {
            // The folder is removed, so these changes are lost; the rest of the patch is kept.
            let remedy = if was_there { "change nothing in it" } else { "make none" };
            return Err(format!("{note}; tell the agent to {remedy}").into());
        }
        self.notes.push(note);
        Ok(())
    }

    /// Adds the folder that it worked in.
    fn folder(
        &mut self,
        folder: &Folder,
        resources: &Resources<'_>,
        secrets: &Secrets,
    ) -> Result<(), FileError> {
        let root = folder.open_work().map_err(|error| format!("output `dir`: {error}"))?;
        let check = |file: &std::fs::File| secrets.check_file(file);
        let taken = media::publish_folder(&root, Path::new(""), "work", MAX_FILES, resources.blobs, &check)
            .map_err(|problem| match problem {
            FileError::Other(why) => FileError::Other(format!("output `dir`: {why}")),
            full => full,
        })?;
        self.values.insert("dir".into(), Value::from(taken.media));
        self.blobs.extend(taken.published);
        self.notes
            .extend(taken.left_out.iter().map(|it| format!("`{}` was left out: it is {}", it.path, it.what)));
        Ok(())
    }
}
