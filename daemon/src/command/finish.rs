//! The end of an attempt: turns its exit and its files into its outcome. Blocks.

use std::borrow::Cow;
use std::io::{self, Write as _};
use std::path::Path;

use fanlight_shared::event::NodeError;
use fanlight_shared::large::Large;
use fanlight_shared::run::AttemptEnd;
use fanlight_shared::types::Type;
use fanlight_shared::value::Value;
use fanlight_shared::workflow::OutputSource;

use super::collect::{self, Claim, Collected, Sources};
use super::failure;
use super::folder::{Folder, sentence};
use super::prepare::Resources;
use super::reader::Reader;
use super::report::Reported;
use super::{record, separate, shown, text};
use crate::attempt::{Attempt, Outcome};
use crate::executor::{CommandWork, WorkDir};
use crate::file_error::FileError;
use crate::rooted::{create_own, inner_path};
use crate::store::blob::{Blobs, Published};
use crate::supervisor::client::{Exit, How};
use crate::supervisor::log::{self, Stdout};

/// Collects the outputs of an attempt that ended and returns its outcome. With `give_up`, a full disk is an ordinary
/// problem, because nobody waits for the outputs.
///
/// # Errors
/// [`FileError::Full`]: the files stay where they are, and can be collected when there is space.
pub(super) fn finish(
    attempt: &Attempt,
    work: &CommandWork,
    resources: &Resources<'_>,
    reader: &mut Reader,
    exit: &Exit,
    give_up: bool,
) -> Result<Outcome, FileError> {
    reader.finish(exit.log_end);
    let (stdout, collected) = match gather(attempt, work, resources, reader, exit) {
        Ok(gathered) => gathered,
        Err(full @ FileError::Full(_)) if !give_up => return Err(full),
        Err(problem) => {
            (Stdout::default(), Collected { problems: vec![problem.into()], ..Collected::default() })
        }
    };
    let stdout = match text_port(&stdout, resources.blobs) {
        Err(full @ FileError::Full(_)) if !give_up => return Err(full),
        port => port,
    };
    for note in separate::notes(&reader.folder).iter().chain(&collected.notes) {
        reader.report.note(note);
    }
    let ended = Ended::of(attempt, exit);
    let mut error = failure::error(
        exit,
        reader.folder.path(),
        &resources.environment.path(&attempt.run, &attempt.withheld, &work.env),
        attempt.resources.as_ref().map(|it| it.memory),
    );
    if let (Some(error), Err(FileError::Full(why))) = (&mut error, resources.blobs.check_reserve()) {
        // What the command could not write may be all that is wrong with it.
        error.message.push_str(&format!("; {why}"));
    }
    if ended == Ended::TimedOut {
        let last_line = error.and_then(|error| error.last_line);
        error = Some(NodeError { last_line, ..attempt.time_limit.error() });
    }
    let mut status = ended.status();
    if !collected.problems.is_empty() {
        if ended == Ended::ByItself(How::Code(0)) {
            error = Some(NodeError { exit_code: Some(0), ..NodeError::new(collected.problems.join("; ")) });
            status = "failed".into();
        } else {
            // Missing outputs of a failed command are expected, but may explain something.
            collected.problems.iter().for_each(|problem| reader.report.note(problem));
        }
    }
    if let Err(why) = reader.report.check_whole()
        && error.is_none()
    {
        error = Some(NodeError::new(why));
        status = "failed".into();
    }
    // It says more than the exit code of the script that records.
    if let Some(why) = record::problem(&reader.folder).filter(|_| ended == Ended::ByItself(exit.how)) {
        error = Some(NodeError::new(format!("what the command changes can't be recorded: {why}")));
        status = "failed".into();
    }
    let (mut values, mut published) = (collected.values, collected.blobs);
    if error.is_some() {
        // Missing outputs of a failed command are absent, lists of files too.
        let found_nothing = |name: &str, value: &Value| {
            let source = work.outputs.get(name).map(|output| &output.source);
            matches!(source, Some(OutputSource::Glob(_))) && value.as_list().is_some_and(<[Value]>::is_empty)
        };
        values.retain(|name, value| !found_nothing(name, value));
    }
    match stdout {
        Ok((value, beginning)) => {
            values.insert("stdout".into(), value);
            published.extend(beginning);
        }
        Err(problem) => {
            error = error.or_else(|| Some(NodeError::new(format!("stdout can't be stored: {problem}"))));
        }
    }
    values.insert("exit_code".into(), Value::Int(failure::exit_code(exit.how)));
    values.insert("status".into(), Value::Text(status));
    tell_notes(attempt, reader, exit.log_end);
    Ok(Outcome {
        end: ended.end(error.is_some()),
        error: error.filter(|_| ended != Ended::Cancelled),
        unchanged: collected.unchanged,
        cost_usd: reader.report.cost_usd,
        ..Outcome::completed(values, published)
    })
}

/// Appends the reader's notes to the log, which ends at `log_end` without them, and sends what it held back.
pub(super) fn tell_notes(attempt: &Attempt, reader: &mut Reader, log_end: u64) {
    let end = log_end + write_notes(reader);
    reader.pace.drain().for_each(|event| attempt.live(event));
    if end > log_end {
        let last_line = reader.report.notes().last().cloned();
        attempt.live(shown::log(attempt, end, last_line));
    }
}

/// The reason why the command ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ended {
    /// By itself, or because of something other than Fanlight.
    ByItself(How),
    /// Fanlight ended it, because it exceeded its time limit.
    TimedOut,
    /// Fanlight ended it, because its run was cancelled.
    Cancelled,
}

impl Ended {
    /// Returns the end of the attempt.
    pub(super) fn end(self, has_error: bool) -> AttemptEnd {
        match self {
            Self::Cancelled => AttemptEnd::Cancelled,
            Self::ByItself(_) | Self::TimedOut if has_error => AttemptEnd::Failed,
            Self::ByItself(_) | Self::TimedOut => AttemptEnd::Completed,
        }
    }

    pub(super) fn of(attempt: &Attempt, exit: &Exit) -> Self {
        match exit.stopped {
            false => Self::ByItself(exit.how),
            // If it wasn't cancelled, an earlier daemon stopped it, which happens only for this reason.
            true if attempt.time_limit.is_exceeded() || !attempt.cancel.is_cancelled() => Self::TimedOut,
            true => Self::Cancelled,
        }
    }

    /// Returns the value of the port `status`.
    pub(super) fn status(self) -> String {
        match self {
            Self::ByItself(how) => failure::status(how),
            Self::TimedOut => "timed out".into(),
            Self::Cancelled => "cancelled".into(),
        }
    }
}

fn gather(
    attempt: &Attempt,
    work: &CommandWork,
    resources: &Resources<'_>,
    reader: &Reader,
    exit: &Exit,
) -> Result<(Stdout, Collected), FileError> {
    let folder = &reader.folder;
    let mut stdout = if exit.log_end == 0 {
        Stdout::default()
    } else {
        match log::stdout(folder.path()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Stdout::default(),
            other => {
                other.map_err(|error| sentence("can't read the standard output in", folder.path(), &error))?
            }
        }
    };
    stdout.masked = exit.masked;
    if let Some(WorkDir::Shared(dir)) = &work.dir {
        resources.shared.adopt(attempt, dir, &work.outputs, folder);
        let reported = reader.report.outputs.values().filter_map(|it| match it {
            Reported::Path(path) => inner_path(Path::new(path), dir).ok(),
            Reported::Value(_) | Reported::Secret => None,
        });
        resources.shared.ended(attempt.id, &reported.collect::<Vec<_>>());
    }
    let collected = if work.outputs.is_empty() && reader.report.outputs.is_empty() {
        Collected::default()
    } else {
        let ended_well = Ended::of(attempt, exit) == Ended::ByItself(How::Code(0));
        let claim = Claim { folders: resources.shared, attempt: attempt.id, ended_well };
        let sources = Sources {
            places: collect::places(folder, folder.dir(work.dir.as_ref()).as_deref(), claim)?,
            stdout: &stdout,
            reported: &reader.report.outputs,
            secrets: reader.secrets(),
            blobs: resources.blobs,
            attempt,
            folder,
            ended_well,
        };
        collect::collect(&work.outputs, &sources)?
    };
    Ok((stdout, collected))
}

/// Returns a port with what a command wrote: the text without its trailing newlines, as `$(…)` in a shell. If it was too long to be
/// kept, it holds only the beginning, and if a secret in it was masked or it isn't UTF-8, it isn't what the command wrote; in
/// these cases nodes that read it fail.
pub(super) fn text_port(stdout: &Stdout, blobs: &Blobs) -> Result<(Value, Option<Published>), FileError> {
    let text = String::from_utf8_lossy(&stdout.bytes);
    // The end of a beginning may be a part of a character.
    let not_utf8 = !stdout.truncated && matches!(text, Cow::Owned(_));
    let mut text = text.into_owned();
    if !stdout.truncated && !stdout.masked && !not_utf8 {
        text.truncate(text.trim_end_matches(['\n', '\r']).len());
        return Ok((Value::Text(text), None));
    }
    let (head, bytes) = (Large::head_of(&text), text.len() as u64);
    let published = blobs.publish(text.into_bytes())?;
    let (ty, hash) = (Type::Text, published.hash);
    let large = Large { ty, hash, bytes, head, media: false, cut: true, masked: stdout.masked, not_utf8 };
    Ok((Value::from(large), Some(published)))
}

/// Writes the notes for the log and returns their length in bytes.
fn write_notes(reader: &Reader) -> u64 {
    if reader.report.notes().is_empty() {
        return 0;
    }
    let lines: String = reader.report.notes().iter().map(|it| text::line(it) + "\n").collect();
    let folder = reader.folder.path();
    // An adopted attempt reads its events again from the beginning, so these lines replace the file.
    match create_own(folder, Folder::NOTES).and_then(|mut file| file.write_all(lines.as_bytes())) {
        Ok(()) => lines.len() as u64,
        Err(error) => {
            tracing::warn!(%error, folder = %folder.display(), "lines for a log could not be written");
            0
        }
    }
}
