//! A run that an attempt starts: it waits for its end and takes its outputs. An attempt of `workflow.run` does nothing else; a
//! tool of an agent does it too.

use std::sync::{Arc, Mutex, PoisonError};

use fanlight_shared::document::children::FILE_INPUT;
use fanlight_shared::event::{LiveEvent, NodeError, Prediction, Source as Sender};
use fanlight_shared::id::RunId;
use fanlight_shared::rpc::runs::List;
use fanlight_shared::run::{Run, RunStatus};
use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values};
use futures_util::future::BoxFuture;
use indexmap::IndexMap;
use tokio::sync::{mpsc, oneshot};

use super::prepare::{Source, prepare, request_key};
use crate::attempt::{Attempt, Outcome};
use crate::config::Config;
use crate::content;
use crate::engine::message::Message;
use crate::engine::unsettled;
use crate::executor::{Adopted, Capabilities, End, Execution, Executor, Signal, Signalled, Work, misplaced};
use crate::file_error::FileError;
use crate::node_type::NodeTypes;
use crate::store::blob::{Blobs, Published};
use crate::store::{Spending, Store, StoreError};

/// Runs attempts of `workflow.run`.
#[derive(Clone)]
pub(in crate::engine) struct Children {
    pub(in crate::engine) messages: mpsc::UnboundedSender<Message>,
    pub(in crate::engine) store: Store,
    pub(in crate::engine) config: Arc<Config>,
    pub(in crate::engine) node_types: NodeTypes,
}

impl Executor for Children {
    fn capabilities(&self) -> Capabilities {
        // The runs that it starts are recovered like all others.
        Capabilities { adopts: true, survives_reboot: true, shares_files: true }
    }

    fn open(&self, attempt: Attempt, work: Arc<Work>) -> Box<dyn Execution> {
        let Work::Native(native, inputs) = &*work else { return misplaced(&work) };
        let mut params = inputs.clone();
        let file = params.shift_remove(FILE_INPUT);
        let file = file.as_ref().and_then(Value::as_text).unwrap_or_default().to_owned();
        let (source, report) = (Source::File(file), Box::new(live(attempt.clone())));
        let request_key = request_key(&attempt);
        let declared = native.declared_outputs();
        let parts = Parts { source, params, is_tool: false, request_key, declared, report };
        Box::new(ChildRun::new(attempt, parts, self.clone()))
    }
}

/// Takes what a run has taken from a model.
pub(super) type Report = dyn Fn(Prediction) + Send + Sync;

/// Returns what reports the use of models as that of an attempt which does nothing else.
fn live(attempt: Attempt) -> impl Fn(Prediction) {
    move |prediction| {
        let source = Sender { node: attempt.node.clone(), item: attempt.item, attempt: attempt.number };
        attempt.live(LiveEvent::Prediction { source, prediction });
    }
}

/// What is run, and what is taken from it.
pub(super) struct Parts {
    pub(super) source: Source,
    pub(super) params: Values,
    /// Whether it is the call of a tool.
    pub(super) is_tool: bool,
    pub(super) request_key: String,
    /// The outputs that are taken; none for all of them as one object.
    pub(super) declared: IndexMap<String, Type>,
    pub(super) report: Box<Report>,
}

/// One attempt, and the run that it has started.
pub(super) struct ChildRun {
    attempt: Attempt,
    parts: Arc<Parts>,
    of: Children,
    child: Mutex<Option<RunId>>,
}

impl ChildRun {
    pub(super) fn new(attempt: Attempt, parts: Parts, of: Children) -> Self {
        Self { attempt, parts: Arc::new(parts), of, child: Mutex::default() }
    }

    fn child(&self) -> Option<RunId> {
        *self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, run: RunId) {
        *self.child.lock().unwrap_or_else(PoisonError::into_inner) = Some(run);
    }

    /// Does blocking work.
    async fn blocking<T: Send + 'static>(
        work: impl FnOnce() -> Result<T, String> + Send + 'static,
    ) -> Result<T, String> {
        tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(error.to_string()))
    }

    async fn submit(&self) -> Result<RunId, String> {
        let (attempt, parts, of) = (self.attempt.clone(), Arc::clone(&self.parts), self.of.clone());
        let prepared = Self::blocking(move || {
            let (params, key) = (parts.params.clone(), parts.request_key.clone());
            prepare(&attempt, &parts.source, params, parts.is_tool, key, &of)
        })
        .await?;
        let (reply, started) = oneshot::channel();
        let prepared = Box::new(prepared);
        if self.of.messages.send(Message::Submit { prepared, reply }).is_err() {
            // The daemon ends; the next one decides again.
            return std::future::pending().await;
        }
        match started.await {
            Ok(Ok(started)) => {
                started.runs.first().map(|run| run.id).ok_or_else(|| "no run was started".to_owned())
            }
            Ok(Err(error)) => Err(error.message),
            Err(_) => std::future::pending().await,
        }
    }
}

impl Execution for ChildRun {
    fn prepare(&self) -> BoxFuture<'_, Result<(), Outcome>> {
        Box::pin(async {
            let blobs = self.of.store.blobs();
            match content::with_space(blobs, &self.attempt.cancel, Blobs::check_reserve).await {
                Err(FileError::Full(_)) => Err(Outcome::cancelled()),
                Err(error) => Err(Outcome::failed(NodeError::new(error))),
                Ok(()) => Ok(()),
            }
        })
    }

    fn start(&self) -> BoxFuture<'_, Result<(), Outcome>> {
        Box::pin(async {
            let run = self.submit().await.map_err(|why| Outcome::failed(NodeError::new(why)))?;
            self.set(run);
            Ok(())
        })
    }

    fn adopt(&self) -> BoxFuture<'_, Result<Adopted, Outcome>> {
        Box::pin(async {
            let (store, key) = (self.of.store.clone(), self.parts.request_key.clone());
            let list = List { request_key: Some(key), limit: Some(1), ..List::default() };
            let found = Self::blocking(move || store.runs(&list).map_err(|error| error.to_string())).await;
            match found {
                Ok(page) => Ok(page.rows.first().map_or(Adopted::Unknown, |run| {
                    self.set(run.id);
                    Adopted::Known
                })),
                Err(why) => Err(Outcome::lost(&format!("its run can't be found: {why}"))),
            }
        })
    }

    fn wait(&self) -> BoxFuture<'_, End> {
        Box::pin(async {
            let Some(run) = self.child() else { return End::Lost("it started no run".to_owned()) };
            let (tell, ended) = oneshot::channel();
            let follow = Message::FollowChild { run, parent: self.attempt.run.id, tell };
            if self.of.messages.send(follow).is_err() || ended.await.is_err() {
                // The daemon ends, and the run continues under the next one.
                return std::future::pending().await;
            }
            End::Ended
        })
    }

    fn signal(&self, signal: Signal) -> BoxFuture<'_, Signalled> {
        if let (Signal::Stop, Some(run)) = (signal, self.child()) {
            let _ = self.of.messages.send(Message::CancelChild { run });
        }
        Box::pin(std::future::ready(Signalled::Delivered))
    }

    fn collect(&self) -> BoxFuture<'_, Outcome> {
        Box::pin(async {
            let Some(run) = self.child() else { return Outcome::lost("it started no run") };
            let (store, parts) = (self.of.store.clone(), Arc::clone(&self.parts));
            let stopped = self.attempt.cancel.is_cancelled() || self.attempt.time_limit.is_exceeded();
            let work = move || Ok(outcome(&store, run, &parts, stopped));
            Self::blocking(work).await.unwrap_or_else(|why| Outcome::lost(&why))
        })
    }
}

/// Returns the outcome of an attempt whose run has ended: completed only if the run's last event says so. What the run
/// spent becomes a part of what the attempt spent, once, because only its end is stored. Blocks.
fn outcome(store: &Store, id: RunId, parts: &Parts, stopped: bool) -> Outcome {
    // What it spent is not known then.
    let unknown = |outcome: Outcome| Outcome { unpriced: true, ..outcome };
    let run = match store.listed(id) {
        Ok(run) => run,
        Err(StoreError::NotFound(_)) => {
            return unknown(Outcome::failed(NodeError::new("the run that it started was deleted")));
        }
        Err(error) => return unknown(Outcome::lost(&format!("its run can't be read: {error}"))),
    };
    let (spent, unreadable) = match spent(store, &run) {
        Ok(spent) => (spent, None),
        Err(error) => (unsettled::whole(&run), Some(error)),
    };
    spent.predictions.into_iter().for_each(&parts.report);
    let (cost_usd, unpriced) = (spent.cost_usd, spent.unpriced);
    if let Some(error) = unreadable {
        // Another attempt after an interruption would find the same run, and count it again.
        let why = format!("the events of its run can't be read: {error}");
        return Outcome { cost_usd, unpriced, ..Outcome::failed(NodeError::new(why)) };
    }
    let name = run.name();
    let failed = |why: &str| Outcome::failed(NodeError::new(format!("{name} {why}")));
    let outcome = match run.state {
        RunStatus::Completed => made(store, &run, &parts.declared).unwrap_or_else(|why| failed(&why)),
        RunStatus::Failed => {
            failed(&format!("failed: {}", run.error.as_deref().unwrap_or("for no known reason")))
        }
        RunStatus::Cancelled if stopped => Outcome::cancelled(),
        RunStatus::Cancelled => Outcome { is_final: true, ..failed("was cancelled") },
        state => Outcome::lost(&format!("{name} is {}, and nobody saw its end", state.word())),
    };
    Outcome { cost_usd, unpriced, ..outcome }
}

/// Returns what a run has spent, all of its attempts together.
fn spent(store: &Store, run: &Run) -> Result<Spending, StoreError> {
    if run.spent.is_nothing() {
        return Ok(Spending::default());
    }
    let events = store.events(run.id, 0, u64::MAX)?;
    Ok(unsettled::of_run(run, events.iter().map(|event| &event.event)))
}

/// Returns the outputs of a completed run as the node passes them on.
fn made(store: &Store, run: &Run, declared: &IndexMap<String, Type>) -> Result<Outcome, String> {
    let state = store.run_state(run.id).map_err(|error| format!("can't be read: {error}"))?;
    if state.status != RunStatus::Completed {
        return Err(format!("is {}, as its events say", state.status.word()));
    }
    let mut values = Values::new();
    if declared.is_empty() {
        values.insert("outputs".to_owned(), Value::Object(state.outputs));
    } else {
        for (output, ty) in declared {
            let Some(value) = state.outputs.get(output).cloned() else { continue };
            let value = value.convert(ty).map_err(|why| format!("made the output `{output}`: {why}"))?;
            values.insert(output.clone(), value);
        }
    }
    // They stay, whatever happens to that run before this one refers to them.
    let mut blobs: Vec<Published> = Vec::new();
    for (hash, _) in values.values().flat_map(Value::blobs) {
        if blobs.iter().any(|known| known.hash == hash) {
            continue;
        }
        let published = store.blobs().republish(hash).map_err(|error| format!("can't be read: {error}"))?;
        blobs.push(published.ok_or_else(|| "lost an output: its bytes are gone or damaged".to_owned())?);
    }
    Ok(Outcome::completed(values, blobs))
}
