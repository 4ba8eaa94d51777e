//! Runs that only wait for results which other runs compute: they hold no slot meanwhile. Such a run stays *running*. When it
//! can take a result, or is to compute one itself, it is the next to get a slot, before the queue and also while that is
//! paused: it has started already.

use fanlight_shared::id::RunId;
use fanlight_shared::run::{NodeStatus, RunStatus};

use super::active::ActiveRun;
use super::core::{Act, Core, Due};
use super::in_flight::Turn;
use super::key::Key;
use super::message::Seen;
use crate::store::CacheKey;

/// The most runs that follow without a slot. They come back before the queue, which must not wait for thousands of them.
const MAX_FOLLOWING: usize = 32;

impl ActiveRun {
    /// Returns whether all that the run does now is to wait for results of others. `looks`: or for those that are looked for in
    /// the store, and for what their keys are made from. A child has no slot of its own, and its parent's attempt runs.
    fn only_follows(&self, looks: bool) -> bool {
        let is_idle = self.live == 0 && self.asking == 0 && !self.is_cancelling() && !self.storing_outputs;
        if !is_idle || self.run.state != RunStatus::Running || self.run.parent.is_some() {
            return false;
        }
        let mut follows = false;
        // The last items wait longest: one that waits for its turn in the loop is found at once.
        for instance in self.instances().rev() {
            match instance.status {
                NodeStatus::Ready => {
                    let needed = instance.needed.as_deref().filter(|_| instance.ticket.is_none());
                    let waits = needed.is_some_and(|it| it.follows() || looks && it.is_in_flight());
                    if !(waits || looks && instance.is_looking()) {
                        return false;
                    }
                    follows = true;
                }
                // It is tried again by itself.
                NodeStatus::Waiting if instance.attempts > 0 => return false,
                _ => {}
            }
        }
        follows
    }
}

impl Core {
    /// Takes the slots of the runs that changed in this turn and only follow now.
    pub(super) fn lend_slots(&mut self) {
        let follows = |id: &&RunId| self.active.get(id).is_some_and(|run| run.only_follows(false));
        let runs: Vec<RunId> = self.touched.iter().filter(follows).copied().collect();
        for run in runs {
            if self.following.len() < MAX_FOLLOWING {
                self.lend_slot(run);
            }
        }
    }

    /// Takes the slots of recovered runs that followed under an earlier daemon, as far as there are too few for all.
    pub(super) fn lend_recovered(&mut self) {
        let mut runs: Vec<(Option<u64>, RunId)> =
            self.active.iter().map(|(id, run)| (run.run.start_order, *id)).collect();
        runs.sort_unstable();
        for (_, run) in runs.into_iter().rev() {
            if self.running() <= self.queue.cap as usize {
                break;
            }
            if self.active.get(&run).is_some_and(|run| run.only_follows(true)) {
                self.lend_slot(run);
            }
        }
    }

    fn lend_slot(&mut self, id: RunId) {
        let Some(run) = self.active.get(&id).filter(|_| !self.following.contains(id)) else { return };
        self.queue.ended(run.run.workflow_id);
        self.following.insert(id);
    }

    /// Returns whether there is a slot for a run that follows.
    fn has_slot_for(&self, id: RunId) -> bool {
        let limit = self.active.get(&id).and_then(|run| run.plan.limit(run.run.workflow_id));
        let is_free = !self.queue.closed && self.running() < self.queue.cap as usize;
        is_free && !limit.is_some_and(|limit| self.queue.is_at(limit))
    }

    /// Returns the next run that gets its slot back.
    fn next_to_return(&self) -> Option<RunId> {
        self.following.returning().find(|run| self.has_slot_for(*run))
    }

    /// Returns whether a run gets its slot back now.
    pub(super) fn may_return(&self) -> bool {
        self.next_to_return().is_some()
    }

    /// Gives a run its slot back. Returns what it does with it.
    fn return_slot(&mut self, id: RunId) -> Vec<Due> {
        let due = self.following.take(id);
        if let Some(run) = self.active.get(&id).filter(|_| due.is_some()) {
            self.queue.started(run.run.workflow_id);
        }
        due.unwrap_or_default()
    }

    /// Returns whether a turn can be taken now. If its run has no slot and gets none, it is remembered.
    pub(super) fn may_take(&mut self, cache_key: CacheKey, key: Key, turn: &Turn<Key>) -> bool {
        let act = match turn {
            Turn::Follow(_) => return true,
            Turn::Lead => Act::Lead(cache_key),
            Turn::Take(_) => Act::Take(cache_key),
        };
        self.may_act(Due { key, act })
    }

    /// Returns whether an instance can use now what was seen of its surroundings. If it starts or fails with that, and its run
    /// has no slot and gets none, it looks again later.
    pub(super) fn may_use(&mut self, key: Key, seen: &Seen) -> bool {
        let shares = |run: &ActiveRun| run.shares(key, seen);
        !self.following.contains(key.run)
            || self.active.get(&key.run).is_some_and(shares)
            || self.may_act(Due { key, act: Act::Look })
    }

    fn may_act(&mut self, due: Due) -> bool {
        let key = due.key;
        if !self.following.contains(key.run) {
            return true;
        }
        if self.following.returning().next().is_none() && self.has_slot_for(key.run) {
            self.return_slot(key.run);
            return true;
        }
        self.following.add(due);
        if let Some(run) = self.active.get(&key.run) {
            run.tell_wait(&mut self.context, key.node, Some("waits for a slot".to_owned()));
        }
        false
    }

    /// Continues runs that follow no longer, while there are slots.
    pub(super) fn return_followers(&mut self) {
        while self.room > 0
            && let Some(id) = self.next_to_return()
        {
            self.room -= 1;
            for Due { key, act } in self.return_slot(id) {
                self.with(id, |run, context| match act {
                    Act::Lead(cache_key) => run.take_turn(context, key, cache_key, Turn::Lead, None),
                    // The result may have been removed meanwhile.
                    Act::Take(cache_key) => run.join_again(context, key, cache_key),
                    Act::Look => run.look_again(context, key),
                });
            }
        }
    }
}
