//! Messages to the engine's loop, and what they carry.

use std::sync::Arc;

use fanlight_shared::event::Queue;
use fanlight_shared::id::{AttemptId, RunId};
#[cfg(feature = "llm")]
use fanlight_shared::item::ItemPath;
use fanlight_shared::rpc::daemon::Interrupts;
use fanlight_shared::rpc::why::{Explanation, Why};
use fanlight_shared::rpc::{RpcError, queue as queue_rpc, runs, sweeps as sweeps_rpc};
use fanlight_shared::value::{Value, Values};
use tokio::sync::oneshot;

use super::key::Key;
use super::place::Place;
use super::plan::Plan;
use super::submit::Prepared;
#[cfg(feature = "llm")]
use crate::attempt::Attempt;
use crate::attempt::Outcome;
use crate::executor::Surroundings;
use crate::store::blob::Published;
use crate::store::{CacheKey, Lookup, StoreError};

/// Sends the response to a request.
pub(super) type Reply<T> = oneshot::Sender<Result<T, RpcError>>;

/// A message to the engine's loop.
pub(super) enum Message {
    Submit {
        prepared: Box<Prepared>,
        reply: Reply<runs::Started>,
    },
    Submitted {
        result: Result<crate::store::Submitted, StoreError>,
        plan: Arc<Plan>,
        next: bool,
        /// The sweep that it extends.
        extends: Option<String>,
        place: Place,
        reply: Reply<runs::Started>,
    },
    /// An executor waits for the end of this run.
    FollowChild {
        run: RunId,
        parent: RunId,
        tell: oneshot::Sender<()>,
    },
    /// The attempt that started this run was stopped.
    CancelChild {
        run: RunId,
    },
    /// An attempt waits for a run that it starts, and needs no place in pools meanwhile.
    #[cfg(feature = "llm")]
    Lend(Caller),
    /// It continues.
    #[cfg(feature = "llm")]
    Regain {
        caller: Caller,
        tell: oneshot::Sender<()>,
    },
    Resumed {
        run: RunId,
        result: Result<Box<crate::store::OpenRun>, StoreError>,
    },
    Ended {
        key: Key,
        number: u32,
        outcome: Box<Outcome>,
        /// Whether later nodes may reuse it: nothing that it depends on changed meanwhile.
        lasts: bool,
        /// The attempt, if its GPUs are kept from others until the system was asked for them.
        suspect: Option<AttemptId>,
    },
    /// The system was asked for the GPUs of an attempt that has failed.
    SuspectsAskedFor(AttemptId),
    /// What the result of a command depends on is known.
    LookedAround {
        key: Key,
        attempts: u32,
        seen: Seen,
    },
    /// The outputs of a run were shortened for its last event.
    OutputsStored {
        run: RunId,
        outputs: Box<Outputs>,
    },
    Retry {
        key: Key,
        failed: u32,
    },
    /// The system was asked for a lost GPU.
    GpusLookedFor,
    /// The store was asked for a result.
    ResultFound {
        key: CacheKey,
        found: Lookup,
    },
    /// A result that others wait for was stored.
    ResultStored(CacheKey),
    Answer {
        request: Box<runs::Answer>,
        reply: Reply<()>,
    },
    /// The rate of a pool allows another start.
    PoolsDue,
    /// The deadline of a question passed.
    Deadline {
        key: Key,
        attempt: u32,
    },
    Cancel {
        request: runs::Cancel,
        reply: Reply<runs::CancelResponse>,
    },
    Delete {
        request: runs::Delete,
        reply: Reply<()>,
    },
    Label {
        request: runs::Label,
        reply: Reply<()>,
    },
    Labelled {
        request: runs::Label,
        reply: Reply<()>,
    },
    /// Whether waiting runs stay where they are, because the daemon is about to end.
    Close(bool),
    Queue {
        request: queue_rpc::Set,
        reply: Reply<Queue>,
    },
    Move {
        request: queue_rpc::Move,
        reply: Reply<queue_rpc::Moved>,
    },
    Interrupts {
        reply: Reply<Interrupts>,
    },
    Why {
        request: Why,
        reply: Reply<Option<Explanation>>,
    },
    Sweep {
        request: sweeps_rpc::Set,
        reply: Reply<()>,
    },
    /// The outcome of a run of this search is stored.
    Observed {
        sweep: String,
    },
    /// The metric of a run of a search has reached a step at which its pruner decides.
    Measured {
        run: RunId,
        step: u64,
        value: f64,
    },
    /// A search has proposed a run, or could not.
    Proposed {
        sweep: String,
        next: Next,
    },
    Stop {
        reply: oneshot::Sender<()>,
    },
}

/// The outputs of a run as its last event carries them.
pub(super) struct Outputs {
    /// The values by name; long ones are handles.
    pub(super) values: Values,
    /// The errors of the others.
    pub(super) errors: Vec<String>,
    /// Media that was read from files of the user and was copied for these outputs, by output.
    pub(super) copied: Vec<(String, Vec<Value>)>,
    /// The content of handles that were created for this.
    pub(super) blobs: Vec<Published>,
}

/// What was seen of the surroundings of a command, if that could be done.
pub(super) type Seen = Result<Option<Surroundings>, String>;

/// What follows from a proposal.
#[derive(Debug)]
pub(super) enum Next {
    /// This run was submitted.
    Trial(RunId),
    /// The search has no further point, or was deleted.
    Nothing,
    /// No run has a value to learn from.
    Unmeasured,
    /// The store could not be written; the search tries again when it can.
    Later,
    /// No further run can be proposed.
    Stuck(String),
}

/// The attempt that starts a run.
#[cfg(feature = "llm")]
pub(super) struct Caller {
    pub(super) run: RunId,
    pub(super) node: String,
    pub(super) item: ItemPath,
    pub(super) number: u32,
}

#[cfg(feature = "llm")]
impl Caller {
    pub(super) fn of(attempt: &Attempt) -> Self {
        let Attempt { node, item, number, .. } = attempt;
        Self { run: attempt.run.id, node: node.clone(), item: *item, number: *number }
    }
}
