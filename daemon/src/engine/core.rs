//! The engine's loop: one message at a time, then everything that was decided goes to the store in one batch.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fanlight_shared::event::{DaemonEvent, Queue, RunUpdate};
use fanlight_shared::id::{AssetId, AttemptId, RunId, Version};
use fanlight_shared::media::Media;
use fanlight_shared::run::{Run, RunStatus};
use fanlight_shared::run_state::RunState;
use fanlight_shared::time::Time;
use fanlight_shared::value::Values;
use tokio::sync::{mpsc, oneshot, watch};

use super::active::{ActiveRun, Key};
use super::context::{After, Context};
use super::delete::forget_deleted;
use super::plan::Plan;
use super::queue::RunQueue;
use super::{Activity, EngineParts, Message, recover, submit};
use crate::command::Commands;
use crate::store::{Op, OpenRun, Store, StoreError};
use crate::supervisor::record;

/// How many messages, and how many nodes computed at once, go into one batch at most.
const TURN: usize = 256;

/// Room for so many waiting runs is always kept.
const SHORT: usize = 1024;

/// A run that waits.
pub(super) struct QueuedRun {
    /// Shared with the hub: there may be 100,000 of them.
    pub(super) run: Arc<Run>,
    pub(super) plan: Arc<Plan>,
    pub(super) project: Option<PathBuf>,
}

/// What an earlier daemon left.
pub(super) struct Left {
    open: Vec<OpenRun>,
    cap: Option<u32>,
    paused: bool,
    /// The machine was started anew since: no process of ours can live, and what the supervisor knew may be lost.
    rebooted: bool,
    /// Media whose previews were not made yet.
    previews: Vec<(AssetId, Media)>,
    last_start: u64,
    /// Attempts of commands that have a folder.
    folders: Vec<AttemptId>,
}

impl Left {
    /// Blocks.
    pub(super) fn read(store: &Store, commands: &Commands) -> Result<Self, StoreError> {
        Ok(Self {
            folders: commands.folders(),
            open: store.open_runs()?,
            cap: store.setting("max_concurrent_runs")?.and_then(|cap| cap.parse().ok()),
            paused: store.setting("paused")?.as_deref() == Some("true"),
            rebooted: store.setting("boot_id")? != record::boot_id(),
            previews: store
                .pending_previews()?
                .into_iter()
                .filter_map(|asset| Some((asset.id, asset.value.as_media()?.clone())))
                .collect(),
            last_start: store.last_start_order()?,
        })
    }
}

/// The engine's state.
pub(super) struct Core {
    pub(super) context: Context,
    pub(super) active: HashMap<RunId, ActiveRun>,
    pub(super) queued: HashMap<RunId, QueuedRun>,
    pub(super) queue: RunQueue,
    /// Runs of which something changed in this turn.
    pub(super) touched: HashSet<RunId>,
    activity: watch::Sender<Activity>,
    /// The last number given to a start; never less than the clock in microseconds.
    last_start: u64,
    stopping: Option<oneshot::Sender<()>>,
}

impl Core {
    pub(super) fn new(
        parts: EngineParts,
        messages: mpsc::UnboundedSender<Message>,
        activity: watch::Sender<Activity>,
        left: Left,
    ) -> Self {
        let cap =
            left.cap.filter(|_| !parts.config.cap_is_forced).unwrap_or(parts.config.max_concurrent_runs);
        let mut core = Self {
            context: Context::new(parts, messages),
            active: HashMap::new(),
            queued: HashMap::new(),
            queue: RunQueue::new(cap, left.paused),
            touched: HashSet::new(),
            activity,
            last_start: left.last_start,
            stopping: None,
        };
        core.context.op(Op::Setting { name: "boot_id", value: record::boot_id() });
        core.take_up(left.open, left.rebooted);
        core.tidy_up(left.folders);
        for (asset, media) in left.previews {
            core.context.preview_later(asset, media);
        }
        core.context.hub.open_queue(core.queue_now());
        core.end_turn();
        core
    }

    pub(super) async fn run(mut self, mut messages: mpsc::UnboundedReceiver<Message>) {
        loop {
            if self.context.inline.is_empty() {
                match messages.recv().await {
                    Some(message) => self.handle(message),
                    None => break,
                }
            }
            for _ in 0..TURN {
                let Ok(message) = messages.try_recv() else { break };
                self.handle(message);
            }
            for _ in 0..TURN {
                let Some(key) = self.context.inline.pop_front() else { break };
                self.with(key.run, |run, context| run.run_inline(context, key));
            }
            self.end_turn();
            if let Some(reply) = self.stopping.take() {
                self.context.after(After::Do(Box::new(move || {
                    let _ = reply.send(());
                })));
                self.context.flush();
                break;
            }
            tokio::task::yield_now().await;
        }
    }

    fn handle(&mut self, message: Message) {
        match message {
            Message::Submit { prepared, reply } => self.submit(*prepared, reply),
            Message::Submitted { result, plan, next, project, reply } => {
                self.submitted(result, &plan, next, project, reply);
            }
            Message::Resumed { run, result } => self.resumed(run, result),
            Message::Ended { key, number, outcome } => {
                let current = self.active.get(&key.run).and_then(|run| run.instance(key.node, key.item));
                if current.is_some_and(|instance| instance.attempts == number && instance.live.is_some()) {
                    self.free_pools(key);
                    self.with(key.run, |run, context| run.attempt_ended(context, key, *outcome));
                    self.start_waiting();
                }
            }
            Message::Retry { key, failed } => {
                self.with(key.run, |run, context| run.retry(context, key, failed))
            }
            Message::Cancel { request, reply } => self.cancel(&request, reply),
            Message::Delete { request, reply } => self.delete(request, reply),
            Message::Label { request, reply } => self.label(request, reply),
            Message::Queue { request, reply } => self.set_queue(request, reply),
            Message::Stop { reply } => self.stopping = Some(reply),
        }
    }

    /// What ended under an earlier daemon is tidied up beside everything else; these folders were there before anything
    /// of this daemon's own.
    fn tidy_up(&self, folders: Vec<AttemptId>) {
        let living = self.active.values().flat_map(ActiveRun::living).collect();
        let (store, commands) = (self.context.store.clone(), self.context.commands.clone());
        self.context.runtime.spawn(async move {
            forget_deleted(&store, &commands).await;
            commands.tidy_left(folders, living).await;
        });
    }

    /// Does something with an active run, and follows what comes of it.
    pub(super) fn with(&mut self, id: RunId, act: impl FnOnce(&mut ActiveRun, &mut Context)) {
        let Some(run) = self.active.get_mut(&id) else { return };
        act(run, &mut self.context);
        run.advance(&mut self.context);
        self.touched.insert(id);
        if run.run.state.is_ended() {
            self.active.remove(&id);
            self.drain();
        }
    }

    fn free_pools(&mut self, key: Key) {
        if let Some(run) = self.active.get(&key.run) {
            self.context.pools.leave(&run.plan.nodes[key.node].pools);
        }
    }

    /// Attempts that waited for a place get it.
    fn start_waiting(&mut self) {
        while let Some((pools, key)) = self.context.pools.next() {
            let waits = self.active.get(&key.run).and_then(|run| run.instance(key.node, key.item));
            let waits = waits.is_some_and(|it| it.status == fanlight_shared::run::NodeStatus::Ready);
            if waits && !self.active[&key.run].cancelling {
                self.with(key.run, |run, context| run.start_attempt(context, key));
            } else {
                self.context.pools.leave(&pools);
            }
        }
    }

    /// Starts runs while there are slots.
    pub(super) fn drain(&mut self) {
        while let Some(id) = self.queue.take(self.active.len()) {
            if let Some(queued) = self.queued.remove(&id) {
                self.start(queued);
            }
        }
        if self.queued.is_empty() {
            // What a long queue took is given back.
            self.queued.shrink_to(SHORT);
        }
    }

    fn start(&mut self, queued: QueuedRun) {
        let QueuedRun { run, plan, project } = queued;
        let mut run = Arc::unwrap_or_clone(run);
        let at = Time::now();
        let micros = u64::try_from(at.0).unwrap_or(0) * 1000;
        self.last_start = micros.max(self.last_start + 1);
        run.state = RunStatus::Running;
        run.started_at = Some(at);
        run.start_order = Some(self.last_start);
        run.position = None;
        let id = run.id;
        let names: Vec<&str> = plan.nodes.iter().map(|node| node.name.as_str()).collect();
        self.context.after(After::Begin {
            run: Box::new(run.clone()),
            state: Box::new(RunState::new(names)),
            edges: plan.edges.clone(),
        });
        let resumes = run.resumed_from.is_some();
        let start_order = run.start_order;
        let mut active = ActiveRun::new(run, plan, project);
        let update =
            RunUpdate { status: RunStatus::Running, at, start_order, error: None, outputs: Values::new() };
        active.tell_run(&mut self.context, update);
        active.store_listing(&mut self.context);
        self.active.insert(id, active);
        if resumes {
            self.load(id);
        } else {
            self.with(id, |run, context| run.begin(context));
        }
    }

    /// Reads the values that a resumed run takes over; it begins when they are there.
    fn load(&self, id: RunId) {
        let (store, messages) = (self.context.store.clone(), self.context.messages.clone());
        self.context.runtime.spawn_blocking(move || {
            let _ = messages.send(Message::Resumed { run: id, result: store.run(id).map(Box::new) });
        });
    }

    fn resumed(&mut self, id: RunId, result: Result<Box<OpenRun>, StoreError>) {
        match result {
            Ok(open) => self.with(id, |run, context| {
                run.take_values(open.values);
                run.begin(context);
            }),
            Err(error) => {
                tracing::error!("the values of the resumed run {id} can't be read, it starts over: {error}");
                self.with(id, |run, context| run.begin(context));
            }
        }
    }

    /// Takes up what an earlier daemon left: waiting runs wait again, running ones go on.
    fn take_up(&mut self, open: Vec<OpenRun>, rebooted: bool) {
        let mut plans: HashMap<Version, Arc<Plan>> = HashMap::new();
        let (mut waiting, mut position) = (Vec::new(), 0);
        for mut open in open {
            let plan = match plans.get(&open.run.version) {
                Some(plan) => plan.clone(),
                None => match submit::read(&open.document).map_err(|error| error.message).and_then(Plan::new)
                {
                    Ok(plan) => {
                        let plan = Arc::new(plan);
                        plans.insert(open.run.version.clone(), plan.clone());
                        plan
                    }
                    Err(error) => {
                        self.unreadable(open, &error);
                        continue;
                    }
                },
            };
            let project = project(open.path.as_deref());
            if open.run.state == RunStatus::Queued {
                position += 1;
                open.run.position = Some(position);
                waiting.push(open.run.id);
                let run = Arc::new(open.run);
                self.context.after(After::Queued(run.clone()));
                self.queued.insert(run.id, QueuedRun { run, plan, project });
                continue;
            }
            let state = recover::fold(&plan, &open);
            let id = open.run.id;
            let fresh =
                state.nodes.values().all(|node| node.whole.attempts.is_empty() && node.item_count.is_none());
            let mut run = ActiveRun::new(open.run, plan, project);
            if run.run.resumed_from.is_some() {
                // Values that are stored but have no event yet are those of the run that this one resumes.
                run.take_values(open.values.clone());
            }
            tracing::info!(
                "taking up {} ({})",
                run.run.name(),
                if fresh { "nothing had started" } else { "in the middle" }
            );
            self.active.insert(id, run);
            self.with(id, |run, context| run.take_up(context, state, open.values, rebooted));
        }
        self.queue.add(&waiting, false);
        self.drain();
    }

    /// A run whose file this version of Fanlight can't read any more.
    fn unreadable(&mut self, open: OpenRun, error: &str) {
        let mut run = open.run;
        let seq = open.events.last().map_or(0, |event| event.seq) + 1;
        run.state = RunStatus::Failed;
        run.ended_at = Some(Time::now());
        run.error = Some(format!("this version of Fanlight can't read the workflow of this run: {error}"));
        let update = RunUpdate {
            status: RunStatus::Failed,
            at: Time::now(),
            start_order: None,
            error: run.error.clone(),
            outputs: Values::new(),
        };
        let event = fanlight_shared::event::StateEvent::RunUpdate(update);
        let event = fanlight_shared::event::Numbered { seq, event };
        self.context.op(Op::Event { run: run.id, event });
        self.context.op(Op::Run {
            run: run.id,
            status: run.state,
            started_at: run.started_at,
            start_order: run.start_order,
            ended_at: run.ended_at,
            error: run.error.clone(),
            nodes_done: run.nodes_done,
        });
        self.context.after(After::Daemon(DaemonEvent::RunUpdate { run: Box::new(run) }));
    }

    /// What was decided goes to the store; listings that changed go to the registry.
    fn end_turn(&mut self) {
        for id in std::mem::take(&mut self.touched) {
            if let Some(run) = self.active.get_mut(&id).filter(|run| run.listing_changed) {
                run.tell_listing(&mut self.context);
            }
        }
        let activity = self.activity_now();
        let changed = *self.activity.borrow() != activity;
        if changed {
            self.context.after(After::Daemon(DaemonEvent::QueueUpdate { queue: self.queue_now() }));
        }
        self.context.flush();
        // Whoever sees this finds everything that led to it on its way to the store.
        if changed {
            self.activity.send_replace(activity);
        }
    }

    fn activity_now(&self) -> Activity {
        Activity { running: self.active.len() as u32, queued: self.queue.len() as u32 }
    }

    pub(super) fn queue_now(&self) -> Queue {
        Queue {
            max_concurrent_runs: self.queue.cap,
            paused: self.queue.paused,
            running: self.active.len() as u32,
            queued: self.queue.len() as u32,
        }
    }
}

/// The folder of a workflow's file.
pub(super) fn project(path: Option<&str>) -> Option<PathBuf> {
    Path::new(path?).parent().map(Path::to_owned)
}
