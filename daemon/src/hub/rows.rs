//! The rows of the registry: active runs, waiting runs, the queue, and the banners.

use std::collections::HashSet;
use std::sync::Arc;

use fanlight_shared::event::{DaemonEvent, Queue};
use fanlight_shared::id::{IdMap, RunId};
use fanlight_shared::run::{Asks, Run, RunStatus};
use fanlight_shared::sweep::Pause;
use fanlight_shared::waiting::Waiting;
use indexmap::IndexMap;

/// How many waiting runs the registry shows.
const WINDOW: u32 = 200;
/// The capacity for runs that stays allocated.
const RETAINED_CAPACITY: usize = 1024;

/// Returns a run as lists show it: the same one, unless it has long params.
pub(super) fn short(run: Arc<Run>) -> Arc<Run> {
    if run.is_short() {
        return run;
    }
    let mut short = Arc::unwrap_or_clone(run);
    short.shorten();
    Arc::new(short)
}

/// Active and waiting runs.
#[derive(Debug, Default)]
pub(super) struct Rows {
    runs: IdMap<RunId, Arc<Run>>,
    waiting: Waiting,
    queue: Queue,
    /// The sweeps that are paused. Their waiting runs have no place.
    paused: IndexMap<String, Pause>,
    banners: Vec<String>,
}

impl Rows {
    pub(super) fn queue(&self) -> Queue {
        self.queue
    }

    pub(super) fn paused(&self) -> &IndexMap<String, Pause> {
        &self.paused
    }

    /// Returns why the sweep of a waiting run is paused, if it is.
    pub(super) fn pause(&self, run: &Run) -> Option<Pause> {
        let sweep = run.sweep.as_ref().filter(|_| run.state == RunStatus::Queued)?;
        self.paused.get(sweep).copied()
    }

    pub(super) fn banners(&self) -> &[String] {
        &self.banners
    }

    pub(super) fn position(&self, run: RunId) -> Option<u32> {
        self.runs.get(&run).filter(|run| run.state == RunStatus::Queued)?;
        self.waiting.position(run)
    }

    /// Returns the questions of a run.
    pub(super) fn asks(&self, run: RunId) -> Option<Box<Asks>> {
        self.runs.get(&run)?.asks.clone()
    }

    /// Returns what an active run waits for.
    pub(super) fn waits_for(&self, run: RunId) -> Option<String> {
        self.runs.get(&run)?.waits_for.clone()
    }

    /// Sets what an active run waits for. Returns the event for watchers, if that has changed.
    pub(super) fn set_waits_for(&mut self, run: RunId, reason: Option<String>) -> Option<DaemonEvent> {
        let known = self.runs.get_mut(&run).filter(|run| run.state != RunStatus::Queued)?;
        if known.waits_for == reason {
            return None;
        }
        Arc::make_mut(known).waits_for = reason;
        Some(DaemonEvent::RunUpdate { run: Box::new(Run::clone(known)) })
    }

    /// Returns the runs that ask a person, in the order of their starts.
    pub(super) fn asking(&self) -> Vec<Arc<Run>> {
        let mut asking: Vec<_> = self.runs.values().filter(|run| run.asks.is_some()).cloned().collect();
        asking.sort_by_key(|run| (run.start_order, run.id));
        asking
    }

    /// Applies an event. Returns the events for watchers: the event itself, unless it is about a waiting run after the
    /// first 200, and the run that thereby moves into the first 200.
    pub(super) fn apply(&mut self, event: DaemonEvent) -> Vec<DaemonEvent> {
        match event {
            DaemonEvent::RunUpdate { run } => self.update(run),
            DaemonEvent::RunDelete { run_id, .. } => {
                let entered = self.remove(run_id);
                std::iter::once(event).chain(entered).collect()
            }
            DaemonEvent::QueueUpdate { queue } => {
                self.queue = queue;
                vec![event]
            }
            DaemonEvent::SweepUpdate { sweep, paused } => {
                let entered = match paused {
                    Some(why) => self.hold(&sweep, why),
                    None => {
                        self.paused.shift_remove(&sweep);
                        Vec::new()
                    }
                };
                std::iter::once(DaemonEvent::SweepUpdate { sweep, paused }).chain(entered).collect()
            }
            DaemonEvent::BannerUpdate { banners } => {
                if banners == self.banners {
                    return Vec::new();
                }
                self.banners.clone_from(&banners);
                vec![DaemonEvent::BannerUpdate { banners }]
            }
            other => vec![other],
        }
    }

    /// Takes the waiting runs of a sweep out of the queue. Returns the runs that thereby move into the first 200.
    fn hold(&mut self, sweep: &str, why: Pause) -> Vec<DaemonEvent> {
        self.paused.insert(sweep.to_owned(), why);
        let window: HashSet<RunId> = self.waiting.iter().take(WINDOW as usize).collect();
        let runs = &self.runs;
        let is_of_sweep = |run| runs.get(&run).is_some_and(|run| run.sweep.as_deref() == Some(sweep));
        self.waiting.retain(|run| !is_of_sweep(run));
        let entered = self.waiting.iter().zip(1..=WINDOW).filter(|(run, _)| !window.contains(run));
        let placed = entered.filter_map(|(run, position)| {
            let run = Run { position: Some(position), ..Run::clone(self.runs.get(&run)?) };
            Some(DaemonEvent::RunUpdate { run: Box::new(run) })
        });
        placed.collect()
    }

    /// Adds queued runs, which may be 100,000, in the order of their positions: only the first 200, which clients see, are
    /// copied.
    pub(super) fn wait(&mut self, runs: Vec<Arc<Run>>) -> Vec<DaemonEvent> {
        let (held, runs): (Vec<_>, Vec<_>) = runs.into_iter().partition(|run| self.pause(run).is_some());
        self.runs.extend(held.into_iter().map(|run| (run.id, short(run))));
        let positions: Vec<_> = runs.iter().map(|run| (run.position, run.id)).collect();
        self.waiting.insert_all(&positions);
        let mut events = Vec::new();
        for run in runs {
            let run = short(run);
            let position = self.waiting.position(run.id);
            if position.is_some_and(|position| position <= WINDOW) {
                let run = Run { position, ..(*run).clone() };
                events.push(DaemonEvent::RunUpdate { run: Box::new(run) });
            }
            self.runs.insert(run.id, run);
        }
        events
    }

    /// Moves waiting runs to these places, in the order of the places.
    pub(super) fn move_to(&mut self, places: &[(Option<u32>, RunId)]) {
        let moved: HashSet<RunId> = places.iter().map(|(_, run)| *run).collect();
        self.waiting.retain(|run| !moved.contains(&run));
        self.waiting.insert_all(places);
    }

    /// Sets the priorities of waiting runs.
    pub(super) fn set_priorities(&mut self, priorities: &[(RunId, i32)]) {
        for (run, priority) in priorities {
            if let Some(run) = self.runs.get_mut(run) {
                Arc::make_mut(run).priority = *priority;
            }
        }
    }

    fn update(&mut self, mut run: Box<Run>) -> Vec<DaemonEvent> {
        if run.state == RunStatus::Queued {
            return self.wait(vec![Arc::new(*run)]);
        }
        // The engine doesn't know it.
        run.waits_for = self.waits_for(run.id).filter(|_| !run.state.is_ended());
        let entered = self.remove(run.id);
        run.position = None;
        if !run.state.is_ended() {
            self.runs.insert(run.id, Arc::new((*run).clone()));
        }
        std::iter::once(DaemonEvent::RunUpdate { run }).chain(entered).collect()
    }

    /// Removes a run. Returns the run that thereby moves into the first 200.
    fn remove(&mut self, run: RunId) -> Option<DaemonEvent> {
        let known = self.runs.remove(&run)?;
        if self.waiting.is_empty() && self.runs.len() < RETAINED_CAPACITY {
            // Release the memory of a long queue.
            self.runs.shrink_to(RETAINED_CAPACITY);
        }
        if known.state != RunStatus::Queued {
            return None;
        }
        let position = self.waiting.remove(run)?;
        if position > WINDOW {
            return None;
        }
        let entered = self.runs.get(&self.waiting.at(WINDOW)?)?;
        let mut run = Box::new((**entered).clone());
        run.position = Some(WINDOW);
        Some(DaemonEvent::RunUpdate { run })
    }

    /// Returns active runs in the order of their starts, then the first 200 waiting runs with their positions.
    pub(super) fn window(&self) -> Vec<(Arc<Run>, Option<u32>)> {
        let mut active: Vec<_> =
            self.runs.values().filter(|run| run.state != RunStatus::Queued).map(Arc::clone).collect();
        active.sort_by_key(|run| (run.start_order, run.id));
        let waiting = self.waiting.iter().zip(1..=WINDOW);
        let waiting =
            waiting.filter_map(|(id, position)| Some((Arc::clone(self.runs.get(&id)?), Some(position))));
        active.into_iter().map(|run| (run, None)).chain(waiting).collect()
    }
}
