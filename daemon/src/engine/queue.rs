//! The queue: the waiting runs, their order, and the limits on running ones.

mod held;
mod order;

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::sync::Arc;

use fanlight_shared::id::{IdMap, RunId, WorkflowId};
use fanlight_shared::waiting::Waiting;
use indexmap::IndexMap;

use held::Held;
pub(crate) use order::Turn;
use order::{Order, Place, Places};

/// `concurrency:` of a workflow's file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Limit {
    /// The workflow.
    pub(crate) workflow: WorkflowId,
    /// The most of its runs that may run at once.
    pub(crate) runs: u32,
}

/// The waiting runs with a cap on running ones: those of a higher priority first, and within a priority first in, first out
/// within a sweep, while free slots rotate among sweeps and single runs. A run whose workflow is at its own limit is passed over and keeps its place; the runs of a sweep
/// that is held wait outside.
#[derive(Debug)]
pub(crate) struct RunQueue {
    waiting: Waiting,
    order: Order,
    /// Of every waiting run, also of a held one.
    entries: IdMap<RunId, Entry>,
    /// The same runs, in the same order, without those that are held: those without a limit, and those with one by
    /// workflow.
    groups: HashMap<Option<WorkflowId>, BTreeSet<(Place, RunId)>>,
    /// The same runs by sweep.
    sweeps: HashMap<Arc<str>, BTreeSet<(Place, RunId)>>,
    held: Held,
    /// The number of running runs per workflow.
    running: IdMap<WorkflowId, u32>,
    /// The most runs that may run at once.
    pub(crate) cap: u32,
    /// Whether waiting runs stay where they are.
    pub(crate) paused: bool,
    /// Whether they stay because the daemon is about to end.
    pub(crate) closed: bool,
}

#[derive(Clone, Debug)]
struct Entry {
    /// `None` while its sweep is held.
    place: Option<Place>,
    limit: Option<Limit>,
    sweep: Option<Arc<str>>,
}

impl RunQueue {
    pub(crate) fn new(cap: u32, paused: bool) -> Self {
        Self {
            waiting: Waiting::default(),
            order: Order::default(),
            entries: IdMap::default(),
            groups: HashMap::new(),
            sweeps: HashMap::new(),
            held: Held::default(),
            running: IdMap::default(),
            cap: cap.max(1),
            paused,
            closed: false,
        }
    }

    /// Adds the runs of one submission, which keep their order.
    pub(crate) fn add(&mut self, runs: &[RunId], sweep: Option<&str>, turn: Turn, limit: Option<Limit>) {
        let sweep: Option<Arc<str>> = sweep.map(|name| match self.sweeps.get_key_value(name) {
            Some((known, _)) => known.clone(),
            None => name.into(),
        });
        let entry = Entry { place: None, limit, sweep };
        if let Some(held) = entry.sweep.as_ref().and_then(|sweep| self.held.get_mut(sweep)) {
            held.extend(runs.iter().map(|run| (*run, turn)));
            self.entries.extend(runs.iter().map(|run| (*run, entry.clone())));
            return;
        }
        let places = self.places(entry.sweep.as_deref(), turn, runs.len());
        self.insert(
            runs.iter().copied().zip(places).map(|(run, place)| (run, place, entry.clone())).collect(),
        );
    }

    fn places(&mut self, sweep: Option<&str>, turn: Turn, count: usize) -> Places {
        match (turn, sweep) {
            (Turn::Next, _) => self.order.next(count),
            (Turn::Later, _) => self.order.later(count),
            (Turn::Round(_), None) => self.order.single(turn, count),
            (Turn::Round(_), Some(sweep)) => {
                let mut places = self.sweeps.get(sweep).into_iter().flatten().rev().map(|(place, _)| *place);
                let last = places.find(|place| place.turn == turn);
                self.order.turns(turn, last, count)
            }
        }
    }

    /// Moves waiting runs before or after all others, or after those of a priority. Returns those that wait.
    pub(crate) fn move_to(&mut self, runs: &[RunId], turn: Turn) -> Vec<RunId> {
        let mut moved = Vec::with_capacity(runs.len());
        // Before and after all rounds nobody takes turns.
        let mut free: IndexMap<Option<Arc<str>>, Vec<(RunId, Entry)>> = IndexMap::new();
        let mut held: IndexMap<Arc<str>, Vec<RunId>> = IndexMap::new();
        for run in runs {
            let Some(entry) = self.entries.get(run).cloned() else { continue };
            moved.push(*run);
            match (entry.place, &entry.sweep) {
                (Some(place), _) => {
                    self.leave(*run, place, &entry);
                    let sweep = entry.sweep.clone().filter(|_| matches!(turn, Turn::Round(_)));
                    free.entry(sweep).or_default().push((*run, entry));
                }
                (None, Some(sweep)) => held.entry(Arc::clone(sweep)).or_default().push(*run),
                (None, None) => {}
            }
        }
        held.iter().for_each(|(sweep, runs)| self.held.turn(sweep, runs, turn));
        for (sweep, runs) in free {
            let places = self.places(sweep.as_deref(), turn, runs.len());
            self.insert(
                runs.into_iter().zip(places).map(|((run, entry), place)| (run, place, entry)).collect(),
            );
        }
        moved
    }

    fn insert(&mut self, mut runs: Vec<(RunId, Place, Entry)>) {
        runs.sort_by_key(|(_, place, _)| *place);
        let positions = (1..).zip(&runs).map(|(number, (run, place, _))| {
            let before = |other: RunId| self.entries.get(&other).is_some_and(|it| it.place < Some(*place));
            (Some(self.waiting.partition_point(before) + number), *run)
        });
        let positions: Vec<(Option<u32>, RunId)> = positions.collect();
        self.waiting.insert_all(&positions);
        for (run, place, entry) in runs {
            self.groups.entry(entry.limit.map(|it| it.workflow)).or_default().insert((place, run));
            if let Some(sweep) = &entry.sweep {
                self.sweeps.entry(sweep.clone()).or_default().insert((place, run));
            }
            self.entries.insert(run, Entry { place: Some(place), ..entry });
        }
    }

    /// Records that a run of this workflow has a slot.
    pub(crate) fn started(&mut self, workflow: WorkflowId) {
        *self.running.entry(workflow).or_default() += 1;
    }

    /// Records that a run of this workflow has returned its slot.
    pub(crate) fn ended(&mut self, workflow: WorkflowId) {
        if let Some(running) = self.running.get_mut(&workflow) {
            *running = running.saturating_sub(1);
            if *running == 0 {
                self.running.remove(&workflow);
            }
        }
    }

    /// Returns whether a workflow has as many runs as it may have.
    pub(crate) fn is_at(&self, limit: Limit) -> bool {
        self.running.get(&limit.workflow).copied().unwrap_or_default() >= limit.runs
    }

    /// Returns the first run whose workflow is below its limit.
    fn first(&self) -> Option<(Place, RunId)> {
        let heads = self.groups.values().filter_map(|group| group.first());
        let may_start = |(_, run): &&(Place, RunId)| {
            let limit = self.entries.get(run).and_then(|entry| entry.limit);
            limit.is_none_or(|limit| !self.is_at(limit))
        };
        heads.filter(may_start).min().copied()
    }

    fn has_slot(&self, running: usize) -> bool {
        !self.paused && !self.closed && running < self.cap as usize
    }

    /// Returns whether a waiting run may start while `running` runs are running.
    pub(crate) fn may_start(&self, running: usize) -> bool {
        self.has_slot(running) && self.first().is_some()
    }

    /// Takes the next run, if one may start while `running` runs are running.
    pub(crate) fn take(&mut self, running: usize) -> Option<RunId> {
        if !self.has_slot(running) {
            return None;
        }
        let (place, next) = self.first()?;
        self.order.took(place);
        self.remove(next);
        Some(next)
    }

    /// Removes a run from the queue; returns `false` if it isn't there.
    pub(crate) fn remove(&mut self, run: RunId) -> bool {
        let Some(entry) = self.entries.remove(&run) else { return false };
        // A held run leaves when its sweep continues: searching for each of thousands would take too long.
        if let Some(place) = entry.place {
            self.leave(run, place, &entry);
        }
        if self.entries.is_empty() {
            // Release the memory of a long queue, and begin to count again.
            self.forget();
        }
        true
    }

    fn leave(&mut self, run: RunId, place: Place, entry: &Entry) {
        remove_from(&mut self.groups, &entry.limit.map(|limit| limit.workflow), (place, run));
        if let Some(sweep) = &entry.sweep {
            remove_from(&mut self.sweeps, sweep, (place, run));
        }
        self.waiting.remove(run);
    }

    /// Removes all runs. Sweeps that are held stay so.
    pub(crate) fn clear(&mut self) -> Vec<RunId> {
        let held = self.held.runs().filter(|run| self.entries.contains_key(run));
        let all = self.waiting.iter().chain(held).collect();
        self.forget();
        all
    }

    fn forget(&mut self) {
        self.waiting.clear();
        self.groups.clear();
        self.sweeps.clear();
        self.entries = IdMap::default();
        self.order.forget();
        self.held.empty();
    }

    /// Holds a sweep: its runs leave the order, and so do those that are added later.
    pub(crate) fn hold(&mut self, sweep: &str) {
        let runs = self.sweeps.get(sweep).cloned().unwrap_or_default();
        // The last one first, which moves the fewest.
        for (place, run) in runs.iter().rev() {
            let Some(entry) = self.entries.get_mut(run) else { continue };
            entry.place = None;
            let entry = entry.clone();
            self.leave(*run, *place, &entry);
        }
        self.held.add(sweep, runs.into_iter().map(|(place, run)| (run, place.turn)).collect());
    }

    /// Lets a sweep that was held continue: its runs take their turns from now on. Returns them.
    pub(crate) fn release(&mut self, sweep: &str) -> Vec<RunId> {
        let held: Vec<_> =
            self.held.take(sweep).into_iter().filter(|(run, _)| self.entries.contains_key(run)).collect();
        let mut released = Vec::with_capacity(held.len());
        let turns: BTreeSet<Turn> = held.iter().map(|(_, turn)| *turn).collect();
        for turn in turns {
            let runs: Vec<RunId> = held.iter().filter(|(_, its)| *its == turn).map(|(run, _)| *run).collect();
            let places = self.places(Some(sweep), turn, runs.len());
            let placed = runs.into_iter().zip(places);
            let placed: Vec<_> =
                placed.filter_map(|(run, place)| Some((run, place, self.entries.remove(&run)?))).collect();
            released.extend(placed.iter().map(|(run, ..)| *run));
            self.insert(placed);
        }
        released
    }

    /// Returns the position of a waiting run, from 1; a run that is held has none.
    pub(crate) fn position(&self, run: RunId) -> Option<u32> {
        self.waiting.position(run)
    }

    /// Returns whether a run of a sweep waits that is not held.
    pub(crate) fn waits(&self, sweep: &str) -> bool {
        self.sweeps.contains_key(sweep)
    }

    /// Returns whether a run waits, held or not.
    pub(crate) fn contains(&self, run: RunId) -> bool {
        self.entries.contains_key(&run)
    }

    /// Returns how many runs wait, those that are held included.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }
}

fn remove_from<K: Eq + Hash>(
    groups: &mut HashMap<K, BTreeSet<(Place, RunId)>>,
    key: &K,
    run: (Place, RunId),
) {
    if let Some(group) = groups.get_mut(key) {
        group.remove(&run);
        if group.is_empty() {
            groups.remove(key);
        }
    }
}

#[cfg(test)]
mod tests;
