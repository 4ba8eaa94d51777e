//! The engine's state: all runs that have not ended, the queue, and the context of decisions.

mod following;
mod searches;
mod sweeps;

use std::collections::HashSet;
use std::sync::Arc;

use fanlight_shared::event::Queue;
use fanlight_shared::id::{AttemptId, IdMap, RunId};
use fanlight_shared::run::Run;
use tokio::sync::{mpsc, oneshot, watch};

use super::active::ActiveRun;
use super::context::Context;
use super::key::Key;
use super::message::Message;
use super::place::Place;
use super::plan::Plan;
use super::queue::RunQueue;
use super::working::Working;
use super::{Activity, EngineParts};
use following::Following;
pub(super) use following::{Act, Due};
pub(super) use searches::ActiveSearch;
use searches::Searches;
pub(super) use sweeps::ActiveSweep;
use sweeps::Sweeps;

/// The most messages, and the most nodes computed in the loop, per batch.
pub(super) const BATCH_LIMIT: usize = 256;

/// A run that waits.
pub(super) struct QueuedRun {
    /// Shared with the hub: there may be 100,000 of them.
    pub(super) run: Arc<Run>,
    pub(super) plan: Arc<Plan>,
    pub(super) place: Place,
}

/// The engine's state.
pub(super) struct Core {
    pub(super) context: Context,
    pub(super) active: IdMap<RunId, ActiveRun>,
    pub(super) queued: IdMap<RunId, QueuedRun>,
    /// The active runs that wait for a person and hold no slot.
    pub(super) parked: HashSet<RunId>,
    /// The active runs that wait for the results of others and hold no slot.
    pub(super) following: Following,
    /// The parked runs that continue at a deadline, with or without an answer.
    pub(super) due: HashSet<RunId>,
    pub(super) queue: RunQueue,
    /// The sweeps with runs that have not ended.
    pub(super) sweeps: Sweeps,
    /// The searches of those.
    pub(super) searches: Searches,
    /// Runs that changed in this turn.
    pub(super) touched: HashSet<RunId>,
    /// How many more runs may start, and nodes be computed, in this batch.
    pub(super) room: usize,
    /// The number of active runs that nodes of others started.
    pub(super) children: usize,
    /// The executors that wait for the end of a run.
    pub(super) followers: IdMap<RunId, oneshot::Sender<()>>,
    /// By run: the executors that learn of the end of a child when the run has a slot again.
    pub(super) untold: IdMap<RunId, Vec<oneshot::Sender<()>>>,
    pub(super) activity: watch::Sender<Activity>,
    /// The last number given to a start; never less than the clock in microseconds.
    pub(super) last_start: u64,
    pub(super) stopping: Option<oneshot::Sender<()>>,
    /// Tells the next daemon which run this one crashed on.
    working: Option<Working>,
}

impl Core {
    /// Returns the state without runs.
    pub(super) fn new(
        parts: EngineParts,
        messages: mpsc::UnboundedSender<Message>,
        activity: watch::Sender<Activity>,
        queue: RunQueue,
        last_start: u64,
    ) -> Self {
        let working = Working::open(&parts.store.home().working_file());
        let working = working
            .inspect_err(|error| {
                tracing::warn!("a run that crashes the daemon will not be recorded: {error}")
            })
            .ok();
        Self {
            context: Context::new(parts, messages),
            active: IdMap::default(),
            parked: HashSet::new(),
            following: Following::default(),
            due: HashSet::new(),
            queued: IdMap::default(),
            queue,
            sweeps: Sweeps::default(),
            searches: Searches::default(),
            touched: HashSet::new(),
            room: BATCH_LIMIT,
            children: 0,
            followers: IdMap::default(),
            untold: IdMap::default(),
            activity,
            last_start,
            stopping: None,
            working,
        }
    }

    /// Does something with an active run, and handles the consequences; the caller must call [`Core::drain`]
    /// afterwards.
    pub(super) fn with(&mut self, id: RunId, act: impl FnOnce(&mut ActiveRun, &mut Context)) {
        let Some(run) = self.active.get_mut(&id) else { return };
        if let Some(working) = &self.working {
            working.record(id);
        }
        let spent = run.run.spent;
        act(run, &mut self.context);
        run.advance(&mut self.context);
        if let Some(working) = &self.working {
            working.clear();
        }
        self.touched.insert(id);
        let about = (run.run.sweep.is_some() && (run.run.state.is_ended() || run.run.spent != spent))
            .then(|| (run.run.clone(), std::mem::take(&mut run.numbers)));
        if run.run.state.is_ended()
            && let Some(run) = self.active.remove(&id)
        {
            self.due.remove(&id);
            if run.run.parent.is_some() {
                // It has no slot of its own.
            } else if self.following.remove(id) {
                // It had lent its slot.
            } else if self.parked.remove(&id) {
                self.queue.remove(id);
            } else {
                self.queue.ended(run.run.workflow_id);
            }
            self.child_ended(&run.run);
        }
        self.release_if_parked(id);
        if let Some((run, outputs)) = about {
            self.use_of_sweep(&run, &spent, outputs);
        }
        self.tell_ends(id);
    }

    /// Releases what an attempt held while it ran. `suspect` is the attempt if one of its GPUs may be lost.
    pub(super) fn free_pools(&mut self, key: Key, suspect: Option<AttemptId>) {
        #[cfg(feature = "llm")]
        self.end_lending(key);
        if let Some(attempt) = suspect {
            self.context.pools.suspect_gpus(attempt, key);
        }
        if let Some(run) = self.active.get(&key.run) {
            self.context.pools.leave(&run.resources(key.node, key.item), key);
        }
    }

    /// Starts attempts that waited for pools or a lock and now hold them.
    pub(super) fn start_waiting(&mut self) {
        while let Some((needs, key)) = self.context.pools.next() {
            let waits = self.active.get(&key.run).and_then(|run| run.instance(key.node, key.item));
            if waits.is_some_and(|it| it.status == fanlight_shared::run::NodeStatus::Ready) {
                self.with(key.run, |run, context| run.start_attempt(context, key));
            } else {
                #[cfg(feature = "llm")]
                if self.has_regained(key) {
                    continue;
                }
                self.context.pools.leave(&needs, key);
            }
        }
    }

    pub(super) fn queue_now(&self) -> Queue {
        Queue {
            max_concurrent_runs: self.queue.cap,
            paused: self.queue.paused,
            running: self.running() as u32,
            queued: self.queue.len() as u32,
        }
    }
}
