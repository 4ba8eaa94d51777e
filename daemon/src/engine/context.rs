//! The context of every decision of the engine: the current batch, the pools, the executors.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use fanlight_shared::event::{DaemonEvent, Numbered};
use fanlight_shared::id::{AttemptId, RunId, WorkflowId};
use fanlight_shared::run::Run;
use fanlight_shared::run_state::RunState;
use tokio::sync::{mpsc, watch};

use super::backlog::Backlog;
use super::in_flight::InFlight;
use super::key::Key;
use super::message::Message;
use super::pools::Pools;
use super::unsettled::Unsettled;
use crate::config::Config;
use crate::executor::{Executors, Previewer};
use crate::hub::Hub;
use crate::machine::{Machine, look_for_gpus_again};
use crate::node_type::NodeTypes;
use crate::store::{AttemptKey, Batch, Op, Spending, Store};

/// The interval between two looks for a lost GPU.
const LOST_GPU_INTERVAL: Duration = Duration::from_secs(10);

/// The setting with the GPUs that were found.
pub(super) const GPUS: &str = "gpus";

/// An effect that follows the commit of its batch; effects keep their order.
// Most are of the large variant, an event: a box would be one more allocation for each.
#[allow(clippy::large_enum_variant)]
pub(super) enum After {
    /// A run became active.
    Begin { run: Box<Run>, state: Box<RunState> },
    /// A state event becomes visible.
    State { workflow_id: WorkflowId, run_id: RunId, event: Arc<Numbered> },
    /// Registry, queue or products changed.
    Daemon(DaemonEvent),
    /// Runs wait.
    Queued(Vec<Arc<Run>>),
    /// Waiting runs have moved to these places, some with a new priority.
    Moved(Vec<(Option<u32>, RunId)>, Vec<(RunId, i32)>),
    /// A run's last event was sent.
    End(RunId),
    /// Anything else: a response, the start of a process.
    Do(Box<dyn FnOnce() + Send>),
}

/// The context of every decision of the engine.
pub(super) struct Context {
    pub(super) store: Store,
    pub(super) hub: Arc<Hub>,
    pub(super) executors: Executors,
    pub(super) previewer: Arc<dyn Previewer>,
    pub(super) config: Arc<Config>,
    pub(super) node_types: NodeTypes,
    pub(super) pools: Pools<Key>,
    /// Results that are being looked for or computed.
    pub(super) in_flight: InFlight<Key>,
    /// What the attempts have spent that ran when an earlier daemon ended.
    pub(super) spending: HashMap<AttemptId, Spending>,
    /// The results that these attempts compute, until they are adopted.
    pub(super) attempt_keys: HashMap<AttemptId, AttemptKey>,
    /// What the runs have spent that these attempts had started.
    pub(super) unsettled: Unsettled,
    /// The time for which a timer is set, to let those start who wait for a rate.
    pools_due: Option<tokio::time::Instant>,
    /// Whether a lost GPU is being looked for.
    gpus_due: bool,
    /// Instances that are computed in the loop, when their turn comes.
    pub(super) inline: VecDeque<Key>,
    /// Receives messages from executors and timers.
    pub(super) messages: mpsc::UnboundedSender<Message>,
    /// Spawns executors from the writer's thread, after the commit.
    pub(super) runtime: tokio::runtime::Handle,
    /// How far the store is behind.
    pub(super) backlog: Backlog,
    /// The reason why the store can't be written, while it can't.
    outage: watch::Receiver<Option<String>>,
    /// The reason why attempts wait for space, while any do.
    shortage: watch::Receiver<Option<String>>,
    ops: Vec<Op>,
    after: Vec<After>,
}

impl Context {
    pub(super) fn new(parts: super::EngineParts, messages: mpsc::UnboundedSender<Message>) -> Self {
        Self {
            pools: Pools::new(&parts.config.pool_sizes(), &parts.rates, Machine::of(&parts.config.resources)),
            in_flight: InFlight::new(),
            spending: HashMap::new(),
            attempt_keys: HashMap::new(),
            unsettled: Unsettled::default(),
            pools_due: None,
            gpus_due: false,
            outage: parts.store.outage(),
            shortage: parts.store.shortage(),
            store: parts.store,
            hub: parts.hub,
            executors: parts.executors,
            previewer: parts.previewer,
            config: parts.config,
            node_types: parts.node_types,
            inline: VecDeque::new(),
            messages,
            runtime: tokio::runtime::Handle::current(),
            backlog: Backlog::default(),
            ops: Vec::new(),
            after: Vec::new(),
        }
    }

    /// Returns whether decisions that can wait should wait: the store is far behind, it can't be written, or attempts
    /// wait for space.
    pub(super) fn must_wait(&self) -> bool {
        self.backlog.is_long() || self.has_outage() || self.shortage.borrow().is_some()
    }

    /// Returns whether the store can't be written at the moment.
    pub(super) fn has_outage(&self) -> bool {
        self.outage.borrow().is_some()
    }

    /// Returns why the store keeps new decisions from being made.
    pub(super) fn halted_by(&self) -> Option<String> {
        self.outage.borrow().clone().or_else(|| self.shortage.borrow().clone())
    }

    /// Waits until [`Self::must_wait`] is over.
    pub(super) fn until_ready(&self) -> impl Future<Output = ()> + Send + 'static {
        let (backlog, mut outage) = (self.backlog.clone(), self.outage.clone());
        let mut shortage = self.shortage.clone();
        async move {
            loop {
                backlog.shortens().await;
                if outage.wait_for(Option::is_none).await.is_err()
                    || shortage.wait_for(Option::is_none).await.is_err()
                {
                    // The store is closed: nothing continues.
                    return std::future::pending().await;
                }
                if !backlog.is_long() && outage.borrow().is_none() {
                    return;
                }
            }
        }
    }

    /// Sets a timer for the next attempt that waits for the rate of a pool.
    pub(super) fn schedule_pools(&mut self) {
        let Some(at) = self.pools.next_start().filter(|at| self.pools_due.is_none_or(|due| *at < due)) else {
            return;
        };
        self.pools_due = Some(at);
        let messages = self.messages.clone();
        self.runtime.spawn(async move {
            tokio::time::sleep_until(at).await;
            let _ = messages.send(Message::PoolsDue);
        });
    }

    /// Lets those start whose pool has a place again.
    pub(super) fn admit_to_pools(&mut self) {
        self.pools_due = None;
        self.pools.admit_all();
    }

    /// Stores which GPUs were found: one that is lost when the next daemon starts is waited for.
    pub(super) fn store_gpus(&mut self) {
        if let Some(gpus) = self.pools.remembered_gpus() {
            self.op(Op::Setting { name: GPUS, value: Some(gpus) });
        }
    }

    /// Has a lost GPU looked for after a while.
    pub(super) fn schedule_gpus(&mut self) {
        if self.gpus_due || !self.pools.lacks_gpus() {
            return;
        }
        self.gpus_due = true;
        let (messages, config) = (self.messages.clone(), self.config.clone());
        self.runtime.spawn(async move {
            tokio::time::sleep(LOST_GPU_INTERVAL).await;
            look_for_gpus_again(&config.resources).await;
            let _ = messages.send(Message::GpusLookedFor);
        });
    }

    /// Notes that lost GPUs were looked for.
    pub(super) fn gpus_looked_for(&mut self) {
        self.gpus_due = false;
    }

    /// Adds an operation to the batch.
    pub(super) fn op(&mut self, op: Op) {
        self.ops.push(op);
    }

    /// Adds an effect that follows the commit of the batch.
    pub(super) fn after(&mut self, after: After) {
        self.after.push(after);
    }

    /// Sends all decisions to the store, in one batch.
    pub(super) fn flush(&mut self) {
        if self.ops.is_empty() && self.after.is_empty() {
            return;
        }
        // Batches that follow each other are of about the same size.
        let (ops, after) = (Vec::with_capacity(self.ops.len()), Vec::with_capacity(self.after.len()));
        let ops = std::mem::replace(&mut self.ops, ops);
        let after = std::mem::replace(&mut self.after, after);
        let hub = self.hub.clone();
        let waits = self.backlog.add(ops.len());
        let after = Box::new(move |result| {
            match result {
                Ok(_) => after.into_iter().for_each(|it| it.apply(&hub)),
                // The store is closed, or makes the daemon end: the next daemon decides again.
                Err(error) => tracing::warn!("a batch of the engine was not stored: {error}"),
            }
            drop(waits);
        });
        self.store.write(Batch { ops, must: true, after: Some(after), ..Batch::default() });
    }
}

impl After {
    fn apply(self, hub: &Hub) {
        match self {
            Self::Begin { run, state } => hub.begin(&run, *state),
            Self::State { workflow_id, run_id, event } => hub.state(workflow_id, run_id, event),
            Self::Daemon(event) => hub.daemon(event),
            Self::Queued(runs) => hub.queued(runs),
            Self::Moved(places, priorities) => hub.moved(&places, &priorities),
            Self::End(run) => hub.end(run),
            Self::Do(act) => act(),
        }
    }
}
