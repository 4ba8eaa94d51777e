//! Messages to the engine's loop.

use std::sync::Arc;

use fanlight_shared::event::Queue;
use fanlight_shared::id::RunId;
use fanlight_shared::rpc::daemon::Interrupts;
use fanlight_shared::rpc::why::{Explanation, Why};
use fanlight_shared::rpc::{queue as queue_rpc, runs, sweeps as sweeps_rpc};
use tokio::sync::oneshot;

use super::key::Key;
#[cfg(feature = "llm")]
use super::lent;
use super::place::Place;
use super::{Reply, finish, plan, remembered, searches, submit};
use crate::attempt::Outcome;
use crate::store::{CacheKey, Lookup, StoreError};

/// A message to the engine's loop.
pub(super) enum Message {
    Submit {
        prepared: Box<submit::Prepared>,
        reply: Reply<runs::Started>,
    },
    Submitted {
        result: Result<crate::store::Submitted, StoreError>,
        plan: Arc<plan::Plan>,
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
    Lend(lent::Caller),
    /// It continues.
    #[cfg(feature = "llm")]
    Regain {
        caller: lent::Caller,
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
    },
    /// What the result of a command depends on is known.
    LookedAround {
        key: Key,
        attempts: u32,
        seen: remembered::Seen,
    },
    /// The outputs of a run were shortened for its last event.
    OutputsStored {
        run: RunId,
        outputs: Box<finish::Outputs>,
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
        next: searches::Next,
    },
    Stop {
        reply: oneshot::Sender<()>,
    },
}
