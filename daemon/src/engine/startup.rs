//! Startup: reads the state that an earlier daemon stored, and recovers its runs before anything else happens.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use fanlight_shared::event::{DaemonEvent, RunUpdate, StateEvent};
use fanlight_shared::id::{AssetId, AttemptId, RunId, Version};
use fanlight_shared::media::Media;
use fanlight_shared::run::{Run, RunStatus};
use fanlight_shared::time::Time;
use tokio::sync::{mpsc, watch};

use super::active::ActiveRun;
use super::context::{After, GPUS};
use super::core::{Core, QueuedRun};
use super::delete::forget_deleted;
use super::message::Message;
use super::place::{Place, project};
use super::plan::Plan;
use super::queue::{RunQueue, Turn};
use super::unsettled::Unsettled;
use super::working::Working;
use super::{Activity, EngineParts, recover, submit};
use crate::executor::{Executors, Known, Leftovers};
use crate::machine::Machine;
use crate::node_type::NodeTypeSet;
use crate::store::{AttemptKey, DamagedRun, Numbers, Op, OpenRun, Spending, Store, StoreError, StoredSweep};
use crate::supervisor::record;

/// How often a daemon may crash on a run before the run fails.
const INTERRUPTION_LIMIT: u32 = 3;

/// The state that an earlier daemon stored.
pub(super) struct StartupState {
    pub(super) open: Vec<Result<OpenRun, DamagedRun>>,
    /// How often a daemon crashed on each run.
    pub(super) interruptions: HashMap<RunId, u32>,
    /// What the attempts have spent that ran when the last daemon ended.
    pub(super) spending: HashMap<AttemptId, Spending>,
    /// The results that these attempts compute.
    pub(super) attempt_keys: HashMap<AttemptId, AttemptKey>,
    pub(super) cap: Option<u32>,
    pub(super) paused: bool,
    /// Whether the machine has rebooted since: no process of ours can be alive, and the supervisor's knowledge may be
    /// lost.
    pub(super) rebooted: bool,
    /// Which GPUs the machine had.
    gpus: Option<String>,
    /// Media whose previews have not been made yet.
    pub(super) previews: Vec<(AssetId, Media)>,
    pub(super) last_start: u64,
    /// The sweeps with open runs.
    pub(super) sweeps: Vec<StoredSweep>,
    /// The leftovers of attempts in the executors.
    pub(super) attempts: Leftovers,
}

impl StartupState {
    /// Reads the state from the store and from the executors. Blocks.
    pub(super) fn read(store: &Store, executors: &Executors) -> Result<Self, StoreError> {
        if let Some(run) = Working::read(&store.home().working_file()) {
            tracing::warn!("the last daemon ended while it was working on the run {run}");
            store.commit_blocking(vec![Op::Interrupted { run }])?;
        }
        Ok(Self {
            interruptions: store.interruptions()?,
            spending: store.spending()?,
            attempt_keys: store.attempt_keys()?,
            attempts: executors.leftovers(),
            open: store.open_runs()?,
            cap: store.setting("max_concurrent_runs")?.and_then(|cap| cap.parse().ok()),
            paused: store.setting("paused")?.as_deref() == Some("true"),
            gpus: store.setting(GPUS)?,
            rebooted: store.setting("boot_id")? != record::boot_id(),
            previews: store
                .pending_previews()?
                .into_iter()
                .filter_map(|asset| Some((asset.id, asset.value.as_media()?.clone())))
                .collect(),
            last_start: store.last_start_order()?,
            sweeps: store.open_sweeps()?,
        })
    }

    /// Takes over which GPUs the machine had since it booted, and finds them if a run may use them, since the engine's loop
    /// can't wait for them. Blocks.
    pub(super) fn find_gpus(&self, machine: &Machine) {
        if let Some(stored) = &self.gpus {
            machine.remember_gpus(stored);
        }
        let wanted = self.open.iter().flatten().any(|open| open.document.contains("gpus"));
        if wanted && let Err(why) = machine.find_gpus() {
            tracing::warn!("runs that need GPUs wait or fail until a submission finds them: {why}");
        }
    }
}

impl Core {
    /// Continues from what an earlier daemon stored.
    pub(super) fn recovered(
        parts: EngineParts,
        messages: mpsc::UnboundedSender<Message>,
        activity: watch::Sender<Activity>,
        found: StartupState,
    ) -> Self {
        let cap =
            found.cap.filter(|_| !parts.config.cap_is_forced).unwrap_or(parts.config.max_concurrent_runs);
        let types = parts.node_types.now();
        let queue = RunQueue::new(cap, found.paused);
        let mut core = Self::new(parts, messages, activity, queue, found.last_start);
        core.context.op(Op::Setting { name: "boot_id", value: record::boot_id() });
        let limit = core.context.config.cache_bytes;
        core.context.op(Op::CacheLimit(limit));
        core.context.store_gpus();
        for sweep in found.sweeps {
            core.searches.add(&sweep);
            core.sweeps.add(sweep);
        }
        core.recover_pauses();
        core.context.unsettled = Unsettled::new(&found.open, &found.spending);
        core.context.spending = found.spending;
        // The keys of those that are adopted are stored again.
        core.context.op(Op::ClearAttemptKeys);
        core.context.attempt_keys = found.attempt_keys;
        core.recover_runs(found.open, &found.interruptions, found.rebooted, &types);
        core.context.attempt_keys = HashMap::new();
        core.forget_spending();
        core.clean_up(found.attempts);
        for (asset, media) in found.previews {
            core.context.preview_later(asset, media);
        }
        core.context.hub.open_queue(core.queue_now());
        core.end_turn();
        core
    }

    /// Recovers the open runs: waiting ones wait again, running ones continue.
    pub(super) fn recover_runs(
        &mut self,
        open: Vec<Result<OpenRun, DamagedRun>>,
        interruptions: &HashMap<RunId, u32>,
        rebooted: bool,
        types: &NodeTypeSet,
    ) {
        let mut plans: HashMap<(Version, Option<String>), Arc<Plan>> = HashMap::new();
        let mut children = Vec::new();
        let (mut waiting, mut next, mut later) = (Vec::new(), Vec::new(), Vec::new());
        let counted = open.iter().map(|open| match open {
            Ok(open) => &open.run,
            Err(damaged) => &damaged.run,
        });
        counted.for_each(|run| self.sweeps.opened(run));
        for open in open {
            let open = match open {
                Ok(open) => open,
                Err(DamagedRun { run, why }) => {
                    tracing::error!("{} can't continue: {why}", run.name());
                    self.fail_damaged(
                        run,
                        format!("this run is damaged: {why}; its earlier results are still there"),
                    );
                    continue;
                }
            };
            // Parents start before their children, and so come first. No attempt of an agent outlives its daemon, so
            // nobody waits for the run of its tool.
            if open.run.parent.as_ref().is_some_and(|it| !self.waits_for_child(it)) {
                self.end_orphan(open);
                continue;
            }
            if interruptions.get(&open.run.id).is_some_and(|count| *count >= INTERRUPTION_LIMIT) {
                let why = format!(
                    "interrupted {INTERRUPTION_LIMIT} times: each time the daemon ended while it was working on this \
                     run, most likely for lack of memory"
                );
                self.fail_recorded(open, why);
                continue;
            }
            let engine = open.environment.engine().map(str::to_owned);
            let known = (open.run.version.clone(), engine);
            let plan = match plans.get(&known) {
                Some(plan) => plan.clone(),
                None => match submit::read(&open.document, types)
                    .map_err(|error| error.message)
                    .and_then(|workflow| Plan::new(workflow.on_engine(known.1.as_deref()), types))
                {
                    Ok(plan) => {
                        let plan = Arc::new(plan);
                        plans.insert(known, plan.clone());
                        plan
                    }
                    Err(error) => {
                        let why =
                            format!("this version of Fanlight can't read the workflow of this run: {error}");
                        self.fail_recorded(open, why);
                        continue;
                    }
                },
            };
            let environment = open.environment.clone();
            let fresh = open.fresh.clone();
            let place = Place { project: project(open.path.as_deref()), environment, fresh };
            if open.run.state == RunStatus::Queued && open.run.parent.is_some() {
                children.push(QueuedRun { run: Arc::new(open.run), plan, place });
                continue;
            }
            if open.run.state == RunStatus::Queued {
                let run = Arc::new(open.run);
                if open.next {
                    next.push(run.id);
                } else {
                    let turn = Turn::of(run.priority);
                    self.queue.add(&[run.id], run.sweep.as_deref(), turn, plan.limit(run.workflow_id));
                }
                if open.later {
                    later.push(run.id);
                }
                waiting.push(run.id);
                self.queued.insert(run.id, QueuedRun { run, plan, place });
                continue;
            }
            let state = recover::fold(&plan, &open);
            let id = open.run.id;
            let fresh =
                state.nodes.values().all(|node| node.whole.attempts.is_empty() && node.item_count.is_none());
            let watch = self.searches.watch(&open.run, &self.context.messages);
            let mut run = ActiveRun::new(open.run, plan, place, self.context.store.blobs());
            run.watch = watch;
            if run.run.resumed_from.is_some() {
                // Stored values of nodes without an attempt belong to the run that this one resumes.
                let mut values = open.values.clone();
                values.retain(|(node, item, ..)| !recover::has_attempts(&state, node, *item));
                run.take_values(values, open.origins.clone());
            }
            tracing::info!(
                "taking up {} ({})",
                run.run.name(),
                if fresh { "nothing had started" } else { "in the middle" }
            );
            if run.run.parent.is_none() {
                self.queue.started(run.run.workflow_id);
            } else {
                self.children += 1;
            }
            self.active.insert(id, run);
            self.with(id, |run, context| run.recover(context, state, open.values, rebooted));
            self.requeue(id);
        }
        for id in next.into_iter().rev() {
            let Some(QueuedRun { run, plan, .. }) = self.queued.get(&id) else { continue };
            self.queue.add(&[id], run.sweep.as_deref(), Turn::Next, plan.limit(run.workflow_id));
        }
        self.queue.move_to(&later, Turn::Later);
        // A run that failed above may have reached a limit of its sweep, none of whose runs waited yet.
        self.check_sweeps();
        self.announce(&waiting);
        children.into_iter().for_each(|child| self.start_child(child));
        self.lend_recovered();
        self.drain();
    }

    /// Fails a run that can't continue but is fully known, with an event that says why.
    fn fail_recorded(&mut self, open: OpenRun, why: String) {
        self.end_recorded(open, failed(why));
    }

    /// Ends a run that does not continue, after its attempts that have spent something.
    pub(super) fn end_recorded(&mut self, open: OpenRun, update: RunUpdate) {
        let mut events = self.context.lost_attempts(&open);
        events.push(StateEvent::RunUpdate(update));
        let seq = open.events.last().map_or(0, |event| event.seq) + 1;
        self.end_inactive(open.run, seq, events);
    }

    /// Fails a run whose events can't be read, so that none follows them: its row alone says why. Its commands that are
    /// still alive are ended by the clean-up.
    fn fail_damaged(&mut self, mut run: Run, why: String) {
        let spent = run.spent;
        // What its attempts have spent since is not a part of its row.
        run.spent.unpriced |= run.state.is_active() && self.context.unsettled.has_strays;
        run.fold(&StateEvent::RunUpdate(failed(why)));
        self.context.op(Op::Row { run: run.id, summary: run.summary() });
        self.use_of_sweep(&run, &spent, Numbers::new());
        self.context.after(After::Daemon(DaemonEvent::RunUpdate { run: Box::new(run) }));
    }

    /// Forgets what attempts have spent that are not recovered, so that no event of an end will have it.
    pub(super) fn forget_spending(&mut self) {
        let living: HashSet<AttemptId> = self.active.values().flat_map(ActiveRun::living).collect();
        let known = self.context.spending.keys().copied();
        let gone: Vec<AttemptId> = known.filter(|attempt| !living.contains(attempt)).collect();
        for attempt in gone {
            self.context.take_spending(attempt);
        }
    }

    /// Cleans up in the background after attempts that ended under an earlier daemon; these leftovers existed before
    /// anything of this daemon.
    pub(super) fn clean_up(&self, leftovers: Leftovers) {
        let living = self.active.values().flat_map(ActiveRun::living).collect();
        let (store, executors) = (self.context.store.clone(), self.context.executors.clone());
        self.context.runtime.spawn(async move {
            forget_deleted(&store, &executors).await;
            let known: Known = Arc::new(move |attempts: Vec<AttemptId>| match store.known_attempts(&attempts) {
                Ok(known) => {
                    if known.len() < attempts.len() {
                        tracing::warn!(
                            "{} folders of attempts are not known to the database; they stay where they are",
                            attempts.len() - known.len()
                        );
                    }
                    known
                }
                Err(error) => {
                    tracing::warn!("the folders of attempts stay as they are: {error}");
                    Vec::new()
                }
            });
            leftovers.clean_up(living, known).await;
        });
    }
}

/// Returns the last event of a run that can't continue.
fn failed(why: String) -> RunUpdate {
    RunUpdate { error: Some(why), ..RunUpdate::new(RunStatus::Failed, Time::now()) }
}
