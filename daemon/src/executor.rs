//! Executors: everything that runs work outside of the engine, behind one trait.
//!
//! An [`Executor`] knows how to run attempts of some kind: commands under the supervisor, native nodes in workers or
//! outside the engine's loop. For each attempt it gives an [`Execution`], whose steps [`run`] takes in order: prepare,
//! start, wait, collect; or adopt instead of the first two, where an earlier daemon may have started it. The engine finds
//! an executor by the name in a node's [`Placement`] and knows nothing else about it.

#[cfg(test)]
pub(crate) mod fake;
mod native;
mod placement;
mod run;
mod set;
mod store_outcome;
mod surroundings;
mod task;
mod work;

use std::collections::HashSet;
use std::sync::Arc;

use fanlight_shared::id::AttemptId;
use fanlight_shared::media::Media;
use fanlight_shared::rpc::logs::{Part, Read};
use fanlight_shared::time::Time;
use futures_util::future::BoxFuture;

pub(crate) use native::NativeNodes;
pub use placement::Placement;
pub(crate) use placement::{COMMANDS, ENGINE_PREFIX, NATIVE, PLUGINS, WORKERS};
#[cfg(feature = "llm")]
pub(crate) use run::drive;
pub use run::{adopt, run};
pub use set::Executors;
pub(crate) use set::Leftovers;
pub(crate) use store_outcome::store_outcome;
pub use surroundings::Surroundings;
pub(crate) use task::{Task, misplaced};
pub use work::{Argument, CommandWork, Program, Work, WorkDir};

use crate::attempt::{Attempt, Outcome, RunFacts};

/// The capabilities of an executor.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Capabilities {
    /// Its attempts outlive the daemon, and the next daemon can adopt them.
    pub adopts: bool,
    /// They outlive a restart of this machine too, because they run on another one.
    pub survives_reboot: bool,
    /// It reads and writes the file system of the daemon, so that no file must be sent.
    pub shares_files: bool,
}

/// A signal to a running attempt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Signal {
    /// End, with everything that was started. Comes at most once.
    Stop,
}

/// Whether a signal reached its attempt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Signalled {
    /// It did, or the attempt ended by itself: [`Execution::wait`] will say so.
    Delivered,
    /// The executor no longer knows the attempt, so its end will not be seen.
    Unknown,
}

/// The fate of an attempt that an earlier daemon was to start.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Adopted {
    /// It was started: it runs or has ended, and [`Execution::wait`] continues from there.
    Known,
    /// It was never started, and may be.
    Unknown,
}

/// How the execution of an attempt ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum End {
    /// It was seen to end; [`Execution::collect`] says with what.
    Ended,
    /// Nobody saw how it ended; one sentence says why.
    Lost(String),
}

/// Returns which of these attempts belong to a run that the database knows. Blocks.
pub type Known = Arc<dyn Fn(Vec<AttemptId>) -> Vec<AttemptId> + Send + Sync>;

/// Runs attempts of one kind.
pub trait Executor: Send + Sync {
    /// Returns what it can do.
    fn capabilities(&self) -> Capabilities;

    /// Opens an attempt; nothing happens to it yet. The attempt's id is the key: an attempt that is opened and started
    /// twice, by one daemon or two, runs once.
    fn open(&self, attempt: Attempt, work: Arc<Work>) -> Box<dyn Execution>;

    /// Looks at what the result of this work depends on besides the work itself, so that later nodes can reuse it. Returns
    /// `None` if that is not known, and the result is not reused.
    ///
    /// # Errors
    /// Something that it depends on is missing or can't be read.
    fn surroundings(
        &self,
        _run: Arc<RunFacts>,
        _withheld: Arc<[String]>,
        _work: Arc<Work>,
    ) -> BoxFuture<'_, Result<Option<Surroundings>, String>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    /// Reads a part of the log of an attempt, which has `ended` or not. Returns `None` if this executor has no log of it.
    ///
    /// # Errors
    /// The log is gone or can't be read.
    fn log<'a>(
        &'a self,
        _attempt: AttemptId,
        _number: u32,
        _read: &'a Read,
        _ended: bool,
    ) -> BoxFuture<'a, Result<Option<Part>, String>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    /// Removes what only a running attempt needs; its outcome is stored. Its log stays.
    fn release(&self, _attempt: AttemptId) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }

    /// Removes everything of attempts whose runs were deleted, including logs. Returns those of which nothing is left; the
    /// others are passed again later.
    fn forget(&self, attempts: Vec<AttemptId>) -> BoxFuture<'_, Vec<AttemptId>> {
        Box::pin(std::future::ready(attempts))
    }

    /// Returns the attempts of earlier daemons of which it still has something. Called once, before anything is started.
    /// Blocks.
    fn leftovers(&self) -> Vec<AttemptId> {
        Vec::new()
    }

    /// Ends and cleans up those of the [leftovers](Self::leftovers) that are not among the `living`, but only those that are
    /// `known`: the others may belong to a database that was lost.
    fn clean_up(
        &self,
        _leftovers: Vec<AttemptId>,
        _living: Arc<HashSet<AttemptId>>,
        _known: Known,
    ) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

/// One attempt at its executor. Its steps are called in the order of [`run`]. An error of the first steps is the outcome of
/// the attempt.
pub trait Execution: Send + Sync {
    /// Prepares what the attempt needs: inputs, folders, an environment. May be called again after a crash.
    ///
    /// # Errors
    /// The outcome of an attempt that can't start.
    fn prepare(&self) -> BoxFuture<'_, Result<(), Outcome>> {
        Box::pin(std::future::ready(Ok(())))
    }

    /// Starts it: once, however often this is called.
    ///
    /// # Errors
    /// The outcome of an attempt that did not start.
    fn start(&self) -> BoxFuture<'_, Result<(), Outcome>>;

    /// Finds out whether an earlier daemon started it.
    ///
    /// # Errors
    /// That can't be known: the outcome is [lost](Outcome::lost).
    fn adopt(&self) -> BoxFuture<'_, Result<Adopted, Outcome>> {
        Box::pin(std::future::ready(Ok(Adopted::Unknown)))
    }

    /// Waits until it runs, for an executor where it may wait first: its time limit counts from then. Returns since when, if
    /// that may be long ago. Called while [`Self::wait`] waits.
    fn runs(&self) -> BoxFuture<'_, Option<Time>> {
        Box::pin(std::future::ready(None))
    }

    /// Waits until it has ended, and reports its progress meanwhile.
    fn wait(&self) -> BoxFuture<'_, End>;

    /// Sends it a signal, and retries until that has arrived. Called while [`Self::wait`] waits.
    fn signal(&self, signal: Signal) -> BoxFuture<'_, Signalled>;

    /// Collects its outcome, after its [end](End::Ended).
    fn collect(&self) -> BoxFuture<'_, Outcome>;

    /// Returns the cost in US dollars that it has reported so far. It is added to an outcome without one, because the cost
    /// of a failed or lost attempt is spent too.
    fn cost_usd(&self) -> Option<f64> {
        None
    }
}

/// Makes the previews of stored media.
pub trait Previewer: Send + Sync {
    /// Makes a preview: its MIME type and bytes, or `None` if there is nothing to show.
    fn preview(&self, media: Media) -> BoxFuture<'_, Option<(String, Vec<u8>)>>;
}
