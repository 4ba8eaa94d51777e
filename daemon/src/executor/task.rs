//! An attempt that is a task of this process: it ends with the daemon, so there is nothing to adopt.

use std::panic::AssertUnwindSafe;
use std::sync::{Mutex, MutexGuard, PoisonError};

use fanlight_shared::event::NodeError;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use super::{End, Execution, Signal, Signalled, Work};
use crate::attempt::{Attempt, Outcome};
use crate::content;
use crate::file_error::FileError;
use crate::store::blob::Blobs;

/// A future as an execution. It ends early when the token that it was given is cancelled.
pub(crate) struct Task {
    /// Cancelled by [`Signal::Stop`].
    stop: CancellationToken,
    /// It waits until there is room on their disk; `None` where nothing is done.
    blobs: Option<Blobs>,
    work: Mutex<Option<BoxFuture<'static, Outcome>>>,
    outcome: Mutex<Option<Outcome>>,
}

impl Task {
    /// Returns the execution of an attempt that `work` does once there is room for one more; it is given the attempt
    /// with the token to obey.
    pub(crate) fn open(
        attempt: Attempt,
        blobs: &Blobs,
        work: impl FnOnce(Attempt) -> BoxFuture<'static, Outcome>,
    ) -> Box<dyn Execution> {
        let stop = attempt.cancel.child_token();
        let work = work(Attempt { cancel: stop.clone(), ..attempt });
        Box::new(Self {
            stop,
            blobs: Some(blobs.clone()),
            work: Mutex::new(Some(work)),
            outcome: Mutex::default(),
        })
    }
}

/// Each change leaves the value consistent, so a poisoned lock is harmless.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Execution for Task {
    fn prepare(&self) -> BoxFuture<'_, Result<(), Outcome>> {
        Box::pin(async {
            let Some(blobs) = &self.blobs else { return Ok(()) };
            match content::with_space(blobs, &self.stop, Blobs::check_reserve).await {
                Err(FileError::Full(_)) => Err(Outcome::cancelled()),
                Err(error) => Err(Outcome::failed(NodeError::new(error))),
                Ok(()) => Ok(()),
            }
        })
    }

    fn start(&self) -> BoxFuture<'_, Result<(), Outcome>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn wait(&self) -> BoxFuture<'_, End> {
        Box::pin(async {
            let work = lock(&self.work).take();
            let Some(work) = work else { return End::Lost("its work was begun before".into()) };
            let outcome = without_panics(work).await;
            *lock(&self.outcome) = Some(outcome);
            End::Ended
        })
    }

    fn signal(&self, signal: Signal) -> BoxFuture<'_, Signalled> {
        match signal {
            Signal::Stop => self.stop.cancel(),
        }
        Box::pin(std::future::ready(Signalled::Delivered))
    }

    fn collect(&self) -> BoxFuture<'_, Outcome> {
        let outcome = lock(&self.outcome).take();
        Box::pin(std::future::ready(outcome.unwrap_or_else(|| Outcome::lost("it did not end"))))
    }
}

/// Turns a panic into a failure: a node type that panics ends its attempt, and nothing else.
pub(super) async fn without_panics(work: impl Future<Output = Outcome>) -> Outcome {
    AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(|panic| {
        let why = panic_message(panic.as_ref());
        Outcome::failed(NodeError::new(format!("the node type crashed, which is a bug in it: {why}")))
    })
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let what = panic.downcast_ref::<&str>().copied();
    let what = what.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    fanlight_shared::value::cut(&fanlight_shared::sanitise::line(what.unwrap_or("it gave no reason")), 200)
}

/// Returns the execution of work that its executor can't do.
pub(crate) fn misplaced(work: &Work) -> Box<dyn Execution> {
    let what = match work {
        Work::Native(native, _) => format!("`{}`", native.spec.name),
        Work::Command(_) => "a command".to_owned(),
    };
    let outcome = Outcome::failed(NodeError::new(format!("{what} can't run on this executor")));
    Box::new(Task {
        stop: CancellationToken::new(),
        blobs: None,
        work: Mutex::new(Some(Box::pin(std::future::ready(outcome)))),
        outcome: Mutex::default(),
    })
}
