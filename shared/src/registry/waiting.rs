//! The order of runs that wait.

use std::collections::{HashMap, VecDeque};

use crate::id::RunId;

/// The room between two neighbours, for those that come between them.
const ROOM: i64 = 1 << 20;

/// Runs that wait, the next one first. Tens of thousands may: every question is answered without going through all.
#[derive(Clone, Debug, Default)]
pub struct Waiting {
    /// In the order of their tickets.
    runs: VecDeque<(i64, RunId)>,
    tickets: HashMap<RunId, i64>,
}

impl Waiting {
    /// Puts a run at a place, counted from 1; at the end where none is said or the place is behind it. A run that
    /// waits already stays where it is.
    pub fn insert(&mut self, run: RunId, position: Option<u32>) {
        if self.tickets.contains_key(&run) {
            return;
        }
        let index = position.map_or(usize::MAX, |it| it.saturating_sub(1) as usize).min(self.runs.len());
        let ticket = match self.between(index) {
            Some(ticket) => ticket,
            None => {
                self.renumber();
                self.between(index).unwrap_or_default()
            }
        };
        self.runs.insert(index, (ticket, run));
        self.tickets.insert(run, ticket);
    }

    /// A ticket for this place, if there is room.
    fn between(&self, index: usize) -> Option<i64> {
        let before = index.checked_sub(1).and_then(|it| self.runs.get(it)).map(|(ticket, _)| *ticket);
        let after = self.runs.get(index).map(|(ticket, _)| *ticket);
        match (before, after) {
            (None, None) => Some(0),
            (Some(before), None) => before.checked_add(ROOM),
            (None, Some(after)) => after.checked_sub(ROOM),
            (Some(before), Some(after)) => (after - before > 1).then_some(before + (after - before) / 2),
        }
    }

    fn renumber(&mut self) {
        for (ticket, (of, run)) in (0..).map(|it: i64| it * ROOM).zip(&mut self.runs) {
            *of = ticket;
            self.tickets.insert(*run, ticket);
        }
    }

    fn index(&self, run: RunId) -> Option<usize> {
        let ticket = self.tickets.get(&run)?;
        self.runs.binary_search_by_key(ticket, |(ticket, _)| *ticket).ok()
    }

    /// Takes a run out; answers the place it had, counted from 1.
    pub fn remove(&mut self, run: RunId) -> Option<u32> {
        let index = self.index(run)?;
        self.runs.remove(index);
        self.tickets.remove(&run);
        u32::try_from(index + 1).ok()
    }

    /// The place of a run, counted from 1.
    #[must_use]
    pub fn position(&self, run: RunId) -> Option<u32> {
        self.index(run).and_then(|index| u32::try_from(index + 1).ok())
    }

    /// The run at a place, counted from 1.
    #[must_use]
    pub fn at(&self, position: u32) -> Option<RunId> {
        self.runs.get((position as usize).checked_sub(1)?).map(|(_, run)| *run)
    }

    /// The runs, the next one first.
    pub fn iter(&self) -> impl Iterator<Item = RunId> + '_ {
        self.runs.iter().map(|(_, run)| *run)
    }

    /// How many wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.runs.len()
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Nobody waits any more.
    pub fn clear(&mut self) {
        self.runs.clear();
        self.tickets.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_those_of_the_order_however_often_runs_come_between() {
        let mut waiting = Waiting::default();
        let mut order: Vec<RunId> = Vec::new();
        for step in 0..200_usize {
            let run = RunId::new();
            // Mostly between the same two: the room there runs out.
            let place = if step.is_multiple_of(7) { order.len() } else { order.len().min(1) };
            waiting.insert(run, u32::try_from(place + 1).ok());
            order.insert(place, run);
            if step.is_multiple_of(11) {
                let gone = order.remove(order.len() / 2);
                assert!(waiting.remove(gone).is_some());
            }
        }
        assert_eq!(waiting.iter().collect::<Vec<_>>(), order);
        for (index, run) in order.iter().enumerate() {
            assert_eq!(waiting.position(*run), u32::try_from(index + 1).ok());
            assert_eq!(waiting.at(index as u32 + 1), Some(*run));
        }
    }
}
