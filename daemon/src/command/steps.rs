//! The steps that commands take wherever they run: laying out a folder, reading reports, collecting outputs. While the disk is
//! full, they wait.

use std::sync::{Arc, Mutex};

use fanlight_shared::event::NodeError;
use fanlight_shared::run::AttemptEnd;

use super::Inner;
use super::folder::{Folder, sentence};
use super::follow::lock;
use super::reader::Reader;
use crate::attempt::{Attempt, Outcome};
use crate::file_error::FileError;

/// Lays out the folder of an attempt with `lay_out`, which starts over when there is space again.
///
/// # Errors
/// The outcome of an attempt that can't start.
pub(super) async fn lay_out<T: Send + 'static>(
    inner: &Arc<Inner>,
    attempt: &Attempt,
    folder: &Folder,
    lay_out: impl Fn(&Inner) -> Result<T, FileError> + Clone + Send + 'static,
) -> Result<T, Outcome> {
    let prepared = inner.blobs.space().retry(&attempt.cancel, || {
        let (inner, id, lay_out, folder) = (Arc::clone(inner), attempt.id, lay_out.clone(), folder.clone());
        let preparing = tokio::task::spawn_blocking(move || {
            let prepared = inner.blobs.check_reserve().and_then(|()| lay_out(&inner));
            if let Err(FileError::Full(_)) = &prepared {
                // The next try starts over, and these files take up the missing space.
                inner.shared.leave(id);
                folder.remove().map_err(|error| sentence("can't remove", folder.path(), &error))?;
            }
            prepared
        });
        async {
            preparing
                .await
                .unwrap_or_else(|_| Err("preparing the command failed; see the daemon's log".into()))
        }
    });
    prepared.await.map_err(|problem| match problem {
        FileError::Full(_) => Outcome::cancelled(),
        // Nobody waits for what it lays out.
        _ if attempt.cancel.is_cancelled() => Outcome::cancelled(),
        problem @ FileError::Other(_) => Outcome::failed(NodeError::new(problem)),
    })
}

/// Collects the outcome of an attempt with `finish`; its argument is whether to give up what there is no space for.
pub(super) async fn collect(
    inner: &Arc<Inner>,
    attempt: &Attempt,
    reader: &Arc<Mutex<Reader>>,
    finish: impl Fn(&Inner, &mut Reader, bool) -> Result<Outcome, FileError> + Clone + Send + 'static,
) -> Outcome {
    let collect = |give_up| {
        let (inner, reader, finish) = (Arc::clone(inner), Arc::clone(reader), finish.clone());
        let finishing = tokio::task::spawn_blocking(move || {
            let mut reader = lock(&reader);
            let outcome = finish(&inner, &mut reader, give_up)?;
            Ok(outcome.without(reader.secrets()))
        });
        async {
            finishing
                .await
                .unwrap_or_else(|_| Ok(failed("collecting the outputs failed; see the daemon's log")))
        }
    };
    let collected = match inner.blobs.space().retry(&attempt.cancel, || collect(false)).await {
        // It was cancelled meanwhile, so don't wait for its outputs.
        Err(FileError::Full(_)) => {
            let outcome = collect(true).await;
            outcome.map(|outcome| Outcome { end: AttemptEnd::Cancelled, error: None, ..outcome })
        }
        collected => collected,
    };
    collected.unwrap_or_else(|problem| failed(&problem.to_string()))
}

/// Reads the reports of a lost attempt to their end: what it spent is spent.
pub(super) async fn read_reports(attempt: &Attempt, reader: &Arc<Mutex<Reader>>) {
    let (reader, attempt) = (Arc::clone(reader), attempt.clone());
    let reading = tokio::task::spawn_blocking(move || {
        let mut reader = lock(&reader);
        reader.finish(0);
        reader.pace.drain().for_each(|event| attempt.live(event));
    });
    // A reader that panicked has nothing to report.
    let _ = reading.await;
}

/// Returns the outcome of an attempt that failed.
pub(super) fn failed(sentence: &str) -> Outcome {
    Outcome::failed(NodeError::new(sentence))
}
