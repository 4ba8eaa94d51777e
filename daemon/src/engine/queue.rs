//! The queue: which runs wait, in which order, and how many may run.

use fanlight_shared::id::RunId;
use fanlight_shared::registry::Waiting;

/// Runs that wait, first in first out, below the cap on runs at once.
#[derive(Debug)]
pub(crate) struct RunQueue {
    waiting: Waiting,
    /// How many runs may run at once.
    pub(crate) cap: u32,
    /// Whether waiting runs stay where they are.
    pub(crate) paused: bool,
}

impl RunQueue {
    pub(crate) fn new(cap: u32, paused: bool) -> Self {
        Self { waiting: Waiting::default(), cap: cap.max(1), paused }
    }

    /// Puts runs of one submission behind all others, or with `next` before them; their own order stays.
    pub(crate) fn add(&mut self, runs: &[RunId], next: bool) {
        if next {
            // From the last on, so that each is put at the very head, which moves nothing.
            runs.iter().rev().for_each(|run| self.waiting.insert(*run, Some(1)));
        } else {
            runs.iter().for_each(|run| self.waiting.insert(*run, None));
        }
    }

    /// Whether a run waits that may start while `running` run.
    pub(crate) fn may_start(&self, running: usize) -> bool {
        !self.paused && running < self.cap as usize && !self.waiting.is_empty()
    }

    /// Takes the next run if one may start while `running` run.
    pub(crate) fn take(&mut self, running: usize) -> Option<RunId> {
        if !self.may_start(running) {
            return None;
        }
        let next = self.waiting.at(1)?;
        self.waiting.remove(next);
        Some(next)
    }

    /// Takes a run out of the queue; `false` if it isn't there.
    pub(crate) fn remove(&mut self, run: RunId) -> bool {
        self.waiting.remove(run).is_some()
    }

    /// Takes all out.
    pub(crate) fn clear(&mut self) -> Vec<RunId> {
        let all = self.waiting.iter().collect();
        self.waiting.clear();
        all
    }

    /// The place of a run that waits, from 1.
    pub(crate) fn position(&self, run: RunId) -> Option<u32> {
        self.waiting.position(run)
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn runs(n: usize) -> Vec<RunId> {
        (0..n).map(|_| RunId::new()).collect()
    }

    #[test]
    fn overflow_queues_and_drains_first_in_first_out() {
        let mut queue = RunQueue::new(2, false);
        let all = runs(4);
        queue.add(&all, false);
        assert_eq!(queue.take(0), Some(all[0]));
        assert_eq!(queue.take(1), Some(all[1]));
        assert_eq!(queue.take(2), None);
        assert_eq!(queue.take(1), Some(all[2]));
    }

    #[test]
    fn next_goes_to_the_head_in_its_own_order() {
        let mut queue = RunQueue::new(1, false);
        let (first, urgent) = (runs(2), runs(2));
        queue.add(&first, false);
        queue.add(&urgent, true);
        let order: Vec<_> = std::iter::from_fn(|| queue.take(0)).collect();
        assert_eq!(order, [urgent[0], urgent[1], first[0], first[1]]);
    }

    #[test]
    fn a_paused_queue_keeps_its_runs() {
        let mut queue = RunQueue::new(8, true);
        queue.add(&runs(3), false);
        assert_eq!((queue.take(0), queue.len()), (None, 3));
    }

    #[derive(Clone, Debug)]
    enum Act {
        Add(usize, bool),
        Start,
        End,
        Cancel(usize),
        Cap(u32),
    }

    fn act() -> impl Strategy<Value = Act> {
        prop_oneof![
            (1..4usize, any::<bool>()).prop_map(|(n, next)| Act::Add(n, next)),
            Just(Act::Start),
            Just(Act::End),
            (0..8usize).prop_map(Act::Cancel),
            (1..5u32).prop_map(Act::Cap),
        ]
    }

    proptest! {
        /// Whatever happens: never more starts than the cap allows, no run is lost or started twice, and the order is
        /// that of a plain list.
        #[test]
        fn the_queue_is_a_list_below_a_cap(acts in prop::collection::vec(act(), 0..60)) {
            let mut queue = RunQueue::new(2, false);
            let mut model: Vec<RunId> = Vec::new();
            let mut running = 0usize;
            for act in acts {
                match act {
                    Act::Add(n, next) => {
                        let new = runs(n);
                        queue.add(&new, next);
                        let at = if next { 0 } else { model.len() };
                        model.splice(at..at, new);
                    }
                    Act::Start => {
                        let taken = queue.take(running);
                        if running < queue.cap as usize && !model.is_empty() {
                            prop_assert_eq!(taken, Some(model.remove(0)));
                            running += 1;
                        } else {
                            prop_assert_eq!(taken, None);
                        }
                    }
                    Act::End => running = running.saturating_sub(1),
                    Act::Cancel(at) => {
                        if let Some(run) = model.get(at).copied() {
                            prop_assert!(queue.remove(run));
                            prop_assert!(!queue.remove(run));
                            model.remove(at);
                        }
                    }
                    Act::Cap(cap) => queue.cap = cap,
                }
                prop_assert_eq!(queue.len(), model.len());
            }
        }
    }
}
