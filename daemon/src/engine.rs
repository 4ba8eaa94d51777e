//! The engine owns all runs. It decides in memory, one message at a time, wakes only on changes, and sends its
//! decisions to the store. They become visible after their commit.
//!
//! # Layout
//!
//! Modules form layers: none uses one that uses it, which a test of the crate holds. Facts and rules come first, then the
//! messages, the context of decisions, an active run, and the core, which has all runs. A type is made of types of earlier
//! layers only. What is done with them is a method of `Context`, `ActiveRun` or `Core` in the module of its subject, and
//! methods may call those of any other subject.
//!
//! - Facts and rules: `key`, `place`, `started`; `queue`, `pools`, `in_flight`: waiting runs, attempts and results; `plan`: a
//!   compiled workflow; `requirements`, `child_files`, `submit`: from a request to runs; `sealed`, `cache_key`, `errors`,
//!   `elsewhere`; `unsettled`: what runs of an earlier daemon have spent; `working`: the run that a daemon crashed on;
//!   `backlog`: how far the store is behind
//! - `message`: what the loop is told; then `context`: the batch, with which all decisions are made
//! - `active`: a run that has a slot, with its instances; then `core`: all runs, sweeps and searches
//! - Nodes: `dataflow`, `items`: when they start; `inputs`; `wait`: those that wait for pools; `attempts`; `publish`: their
//!   results; `earlier`: results of attempts that are retried; `lent`: pools of attempts that wait for a run; `memory`;
//!   `finish`: the end of a run
//! - Results that are reused: `cached`; `remembered`: what those of commands depend on; `following`: runs that only wait
//!   for them; `misses`: why nodes were computed
//! - Runs: `start`: they leave the queue; `children`: those that nodes start; `questions` to people, and `parked` runs that
//!   wait for the answers; `sweeps`: limits and pauses; `searches`: their runs are proposed one after the other
//! - Clients: `requests`, `moves`, `delete`, `why`, `missing`, `interrupts`, `preview`; `resume`: what a new run reuses of
//!   an ended one
//! - `recover`, then `startup`: runs after the daemon died; `event_loop`; `stop`: the end of the daemon
//! - `simulator`: tests of the queue and the pools with thousands of runs, on a virtual clock

mod active;
mod attempts;
mod backlog;
mod cache_key;
mod cached;
mod child_files;
mod children;
mod context;
mod core;
mod dataflow;
mod delete;
mod earlier;
mod elsewhere;
mod errors;
mod event_loop;
mod finish;
mod following;
mod in_flight;
mod inputs;
mod interrupts;
mod items;
mod key;
#[cfg(feature = "llm")]
mod lent;
mod memory;
mod message;
mod misses;
mod missing;
mod moves;
mod parked;
mod place;
mod plan;
mod pools;
mod preview;
mod publish;
mod questions;
mod queue;
mod recover;
mod remembered;
mod requests;
mod requirements;
mod resume;
mod sealed;
mod searches;
#[cfg(test)]
mod simulator;
mod start;
mod started;
mod startup;
mod stop;
mod submit;
mod sweeps;
#[cfg(test)]
mod tests;
mod unsettled;
mod wait;
mod why;
mod working;

use std::sync::Arc;
use std::time::Duration;

use fanlight_shared::event::Queue;
use fanlight_shared::rpc::daemon::Interrupts;
use fanlight_shared::rpc::why::{Explanation, Why};
use fanlight_shared::rpc::{ErrorCode, RpcError, queue as queue_rpc, runs, sweeps as sweeps_rpc};
use tokio::sync::{mpsc, oneshot, watch};

#[cfg(feature = "llm")]
use crate::child::ChildRuns;
use crate::config::Config;
use crate::executor::{Executors, Previewer};
use crate::hub::Hub;
use crate::machine::Machine;
use crate::node_type::{CHILDREN, NodeTypes};
use crate::rate::Rates;
use crate::store::{Store, StoreError};
pub(crate) use delete::forget_deleted;
use message::{Message, Reply};
pub(crate) use misses::explain as explain_misses;
pub(crate) use preview::make as make_preview;

/// The parts of an engine.
pub struct EngineParts {
    /// The store.
    pub store: Store,
    /// Sends events to clients.
    pub hub: Arc<Hub>,
    /// Run attempts.
    pub executors: Executors,
    /// Gives nodes the means to start runs.
    #[cfg(feature = "llm")]
    pub(crate) child_runs: ChildRuns,
    /// The node types that `uses:` may name.
    pub node_types: NodeTypes,
    /// Makes previews of assets.
    pub previewer: Arc<dyn Previewer>,
    /// How often attempts of the pools of providers may start.
    pub rates: Rates,
    /// The configuration.
    pub config: Arc<Config>,
}

/// The engine's handle: cheap to clone.
#[derive(Clone)]
pub struct Engine {
    messages: mpsc::UnboundedSender<Message>,
    activity: watch::Receiver<Activity>,
    config: Arc<Config>,
    node_types: NodeTypes,
    store: Store,
}

/// The number of runs, for the idle shutdown of the daemon.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Activity {
    /// Runs that run and hold a slot.
    pub running: u32,
    /// Runs that wait for the results of others, without a slot.
    pub following: u32,
    /// Runs that wait.
    pub queued: u32,
    /// The number of parked runs with a question that has a deadline.
    pub due: u32,
    /// The number of searches that are about to propose a run.
    pub proposing: u32,
}

/// How long a request waits for the store while it can't be written.
const STORE_TIMEOUT: Duration = Duration::from_millis(250);

impl Engine {
    /// Recovers the runs of an earlier daemon, and starts the engine's loop on the current runtime.
    ///
    /// # Errors
    /// The store can't be read.
    pub async fn boot(mut parts: EngineParts) -> Result<Self, StoreError> {
        let (messages, receiver) = mpsc::unbounded_channel();
        let children = children::Children {
            messages: messages.clone(),
            store: parts.store.clone(),
            config: parts.config.clone(),
            node_types: parts.node_types.clone(),
        };
        #[cfg(feature = "llm")]
        parts.child_runs.set(Arc::new(children.clone()));
        parts.executors = parts.executors.with(CHILDREN, Arc::new(children));
        let (config, store) = (parts.config.clone(), parts.store.clone());
        let node_types = parts.node_types.clone();
        let (reading, executors) = (store.clone(), parts.executors.clone());
        let resources = config.resources.clone();
        let read = move || {
            let found = startup::StartupState::read(&reading, &executors)?;
            found.find_gpus(&Machine::of(&resources));
            Ok::<_, StoreError>(found)
        };
        let open = tokio::task::spawn_blocking(read)
            .await
            .map_err(|error| StoreError::Other(error.to_string()))??;
        let (sender, activity) = watch::channel(Activity::default());
        let core = core::Core::recovered(parts, messages.clone(), sender, open);
        let (work, failing) = (tokio::spawn(core.run(receiver)), store.clone());
        tokio::spawn(async move {
            if work.await.is_err_and(|error| error.is_panic()) {
                failing.fail("the engine panicked");
            }
        });
        Ok(Self { messages, activity, config, node_types, store })
    }

    /// Handles `runs.start`.
    ///
    /// # Errors
    /// The file has problems, params are wrong, or the disk is full.
    pub async fn start(&self, request: runs::Start) -> Result<runs::Started, RpcError> {
        let (config, store) = (self.config.clone(), self.store.clone());
        let types = self.node_types.now();
        let prepared = tokio::task::spawn_blocking(move || submit::prepare(request, &config, &store, &types))
            .await
            .map_err(|error| RpcError::internal(error.to_string()))??;
        self.ask(|reply| Message::Submit { prepared: Box::new(prepared), reply }).await
    }

    /// Handles `runs.missing`.
    ///
    /// # Errors
    /// The file has problems, or params are wrong.
    pub async fn missing(&self, request: runs::Missing) -> Result<runs::MissingResponse, RpcError> {
        let (config, store) = (self.config.clone(), self.store.clone());
        let types = self.node_types.now();
        tokio::task::spawn_blocking(move || missing::find(&request, &config, &store, &types))
            .await
            .map_err(|error| RpcError::internal(error.to_string()))?
    }

    /// Handles `runs.resume`.
    ///
    /// # Errors
    /// The run has not ended, or completed with this version of its file.
    pub async fn resume(&self, request: runs::Resume) -> Result<runs::Started, RpcError> {
        let (config, store) = (self.config.clone(), self.store.clone());
        let types = self.node_types.now();
        let dry_run = request.dry_run;
        let resume::Resumption { prepared, reuse, hints } =
            tokio::task::spawn_blocking(move || resume::prepare(request, &config, &store, &types))
                .await
                .map_err(|error| RpcError::internal(error.to_string()))??;
        let mut started = if dry_run {
            runs::Started::default()
        } else {
            self.ask(|reply| Message::Submit { prepared: Box::new(prepared), reply }).await?
        };
        started.hints.extend(hints);
        started.reuse = Some(reuse);
        Ok(started)
    }

    /// Handles `runs.answer`.
    ///
    /// # Errors
    /// The node asks nothing, the question has already been answered, or the answer doesn't fit it.
    pub async fn answer(&self, request: runs::Answer) -> Result<(), RpcError> {
        submit::check_request_key(&request.request_key)?;
        let request = Box::new(request);
        self.ask_or_report_outage(|reply| Message::Answer { request, reply }).await
    }

    /// Handles `runs.cancel`.
    ///
    /// # Errors
    /// There is no such run.
    pub async fn cancel(&self, request: runs::Cancel) -> Result<runs::CancelResponse, RpcError> {
        self.ask_or_report_outage(|reply| Message::Cancel { request, reply }).await
    }

    /// Handles `runs.delete`.
    ///
    /// # Errors
    /// A run has not ended.
    pub async fn delete(&self, request: runs::Delete) -> Result<(), RpcError> {
        self.ask(|reply| Message::Delete { request, reply }).await
    }

    /// Handles `runs.label`.
    ///
    /// # Errors
    /// There is no such run.
    pub async fn label(&self, request: runs::Label) -> Result<(), RpcError> {
        let label = submit::check_label(&request.label)?;
        self.ask(|reply| Message::Label { request: runs::Label { label, ..request }, reply }).await
    }

    /// Handles `runs.why`. Returns `None` for a run that is not open.
    ///
    /// # Errors
    /// The run has no such node.
    pub async fn why(&self, request: Why) -> Result<Option<Explanation>, RpcError> {
        self.ask(|reply| Message::Why { request, reply }).await
    }

    /// Returns the running nodes that the end of this daemon interrupts.
    ///
    /// # Errors
    /// The engine ended.
    pub async fn interrupts(&self) -> Result<Interrupts, RpcError> {
        self.ask(|reply| Message::Interrupts { reply }).await
    }

    /// Handles `queue.get`.
    ///
    /// # Errors
    /// The engine ended.
    pub async fn queue(&self) -> Result<Queue, RpcError> {
        self.set_queue(queue_rpc::Set::default()).await
    }

    /// Handles `queue.set`.
    ///
    /// # Errors
    /// The cap is 0.
    pub async fn set_queue(&self, request: queue_rpc::Set) -> Result<Queue, RpcError> {
        if request.max_concurrent_runs == Some(0) {
            return Err(RpcError::refused(
                "at least one run must be allowed; pause the queue to hold back all of them",
            ));
        }
        self.ask_or_report_outage(|reply| Message::Queue { request, reply }).await
    }

    /// Handles `queue.move`.
    ///
    /// # Errors
    /// There are too many runs.
    pub async fn move_runs(&self, request: queue_rpc::Move) -> Result<queue_rpc::Moved, RpcError> {
        if request.runs.len() > queue_rpc::MOVE_LIMIT {
            let most = queue_rpc::MOVE_LIMIT;
            return Err(RpcError::new(
                ErrorCode::BadParams,
                format!("at most {most} runs are moved at once"),
            ));
        }
        self.ask_or_report_outage(|reply| Message::Move { request, reply }).await
    }

    /// Handles `sweeps.set`, with the whole name of the sweep.
    ///
    /// # Errors
    /// The sweep has ended.
    pub async fn set_sweep(&self, request: sweeps_rpc::Set) -> Result<(), RpcError> {
        self.ask_or_report_outage(|reply| Message::Sweep { request, reply }).await
    }

    /// Returns a receiver of the engine's activity.
    #[must_use]
    pub fn activity(&self) -> watch::Receiver<Activity> {
        self.activity.clone()
    }

    /// Stops accepting requests and starting attempts; attempts that outlive a daemon continue. Returns when everything
    /// is stored.
    pub async fn stop(&self) {
        let (reply, done) = oneshot::channel();
        if self.messages.send(Message::Stop { reply }).is_ok() {
            let _ = done.await;
        }
    }

    /// Sends a request that takes effect immediately, even while the store can't be written. Until it can, the response
    /// is an error that says so: only stored requests are acknowledged.
    async fn ask_or_report_outage<T>(
        &self,
        message: impl FnOnce(Reply<T>) -> Message,
    ) -> Result<T, RpcError> {
        let mut outage = self.store.outage();
        let waits = async {
            loop {
                if outage.wait_for(Option::is_some).await.is_err() {
                    return std::future::pending().await;
                }
                tokio::time::sleep(STORE_TIMEOUT).await;
                let why = outage.borrow().clone();
                if let Some(why) = why {
                    return why;
                }
            }
        };
        tokio::select! {
            biased;
            answer = self.ask(message) => answer,
            why = waits => Err(RpcError::new(
                ErrorCode::Storage,
                format!("{why}: this takes effect immediately, but is lost if the daemon ends before there is space"),
            )),
        }
    }

    async fn ask<T>(&self, message: impl FnOnce(Reply<T>) -> Message) -> Result<T, RpcError> {
        let ended = || RpcError::refused("the daemon is stopping");
        let (reply, answer) = oneshot::channel();
        self.messages.send(message(reply)).map_err(|_| ended())?;
        answer.await.map_err(|_| ended())?
    }
}
