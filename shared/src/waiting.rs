//! The order of waiting runs.

use std::collections::VecDeque;

use crate::id::{IdMap, RunId};

/// The distance between the ranks of neighbours, so that a run fits between two without changing theirs.
const RANK_SPACING: i64 = 1 << 20;

/// The runs of a block; one of twice as many is split. Few, so that proptest finds what goes wrong between blocks.
const BLOCK: usize = if cfg!(test) { 4 } else { 512 };

/// From how many runs on the whole list is merged once, instead of moving a part of it for each.
const MERGED: usize = 64;

/// Waiting runs, the next one first. The place of a run is found by its rank, without scanning a list of 100,000 runs, and a
/// change moves only the runs of its block.
#[derive(Clone, Debug, Default)]
pub struct Waiting {
    /// Sorted by rank. No block is empty.
    blocks: Vec<VecDeque<(i64, RunId)>>,
    ranks: IdMap<RunId, i64>,
}

impl Waiting {
    /// Inserts a run at a place, counted from 1; without a place, or if the place is after the end, at the end. A run that
    /// is already waiting stays where it is.
    pub fn insert(&mut self, run: RunId, position: Option<u32>) {
        if self.ranks.contains_key(&run) {
            return;
        }
        let index = position.map_or(usize::MAX, |it| it.saturating_sub(1) as usize).min(self.len());
        let rank = self.rank_at(index).unwrap_or_else(|| {
            self.space();
            // Spaced ranks are as many gaps as there are runs, so there is one.
            self.rank_at(index).unwrap_or_default()
        });
        self.ranks.insert(run, rank);
        if let Some((block, at)) = self.locate(index) {
            self.blocks[block].insert(at, (rank, run));
            self.split(block);
        } else if let Some(last) = self.blocks.len().checked_sub(1) {
            self.blocks[last].push_back((rank, run));
            self.split(last);
        } else {
            self.blocks.push(VecDeque::from([(rank, run)]));
        }
    }

    /// Splits a block that has become too long.
    fn split(&mut self, block: usize) {
        if self.blocks[block].len() >= 2 * BLOCK {
            let rest = self.blocks[block].split_off(BLOCK);
            self.blocks.insert(block + 1, rest);
        }
    }

    /// Returns the block with the run at this index, and the place in it.
    fn locate(&self, mut index: usize) -> Option<(usize, usize)> {
        for (number, block) in self.blocks.iter().enumerate() {
            match index.checked_sub(block.len()) {
                Some(rest) => index = rest,
                None => return Some((number, index)),
            }
        }
        None
    }

    fn get(&self, index: usize) -> Option<(i64, RunId)> {
        self.locate(index).map(|(block, at)| self.blocks[block][at])
    }

    /// Returns how many runs are in the first blocks.
    fn before(&self, block: usize) -> usize {
        self.blocks[..block].iter().map(VecDeque::len).sum()
    }

    /// Does the same as inserting these runs one after the other; their places must ascend.
    pub fn insert_all(&mut self, runs: &[(Option<u32>, RunId)]) {
        if runs.len() < MERGED {
            return runs.iter().for_each(|(position, run)| self.insert(*run, *position));
        }
        let mut merged = Vec::with_capacity(self.len() + runs.len());
        let mut before = std::mem::take(&mut self.blocks).into_iter().flatten();
        for (position, run) in runs {
            if self.ranks.contains_key(run) {
                continue;
            }
            let place = position.map_or(usize::MAX, |it| it as usize);
            while merged.len() + 1 < place
                && let Some(known) = before.next()
            {
                merged.push(known);
            }
            merged.push((0, *run));
            self.ranks.insert(*run, 0);
        }
        merged.extend(before);
        self.blocks = merged.chunks(BLOCK).map(|block| block.iter().copied().collect()).collect();
        self.space();
    }

    /// Returns a rank for a run at this index, if one is free: the smallest, because runs that are put before others are
    /// inserted one after the other in their own order.
    fn rank_at(&self, index: usize) -> Option<i64> {
        let before = index.checked_sub(1).and_then(|it| self.get(it)).map(|(rank, _)| rank);
        let after = self.get(index).map(|(rank, _)| rank);
        match (before, after) {
            (None, None) => Some(0),
            (Some(before), None) => before.checked_add(RANK_SPACING),
            (None, Some(after)) => after.checked_sub(RANK_SPACING),
            (Some(before), Some(after)) => Some(before + 1).filter(|rank| *rank < after),
        }
    }

    /// Spreads the ranks evenly again.
    fn space(&mut self) {
        for ((rank, run), spaced) in
            self.blocks.iter_mut().flatten().zip((0..).step_by(RANK_SPACING as usize))
        {
            *rank = spaced;
            self.ranks.insert(*run, spaced);
        }
    }

    /// Returns the block with a run, and its place there.
    fn find(&self, run: RunId) -> Option<(usize, usize)> {
        let rank = self.ranks.get(&run)?;
        let not_after =
            |block: &VecDeque<(i64, RunId)>| block.front().is_some_and(|(first, _)| first <= rank);
        let block = self.blocks.partition_point(not_after).checked_sub(1)?;
        let at = self.blocks[block].binary_search_by_key(rank, |(rank, _)| *rank).ok()?;
        Some((block, at))
    }

    /// Removes a run. Returns the place that it had, counted from 1.
    pub fn remove(&mut self, run: RunId) -> Option<u32> {
        let (block, at) = self.find(run)?;
        let index = self.before(block) + at;
        self.blocks[block].remove(at);
        if self.blocks[block].is_empty() {
            self.blocks.remove(block);
        }
        self.ranks.remove(&run);
        if self.is_empty() {
            // Release the memory of a long queue.
            self.clear();
        }
        u32::try_from(index + 1).ok()
    }

    /// Keeps the runs for which `keep` returns true, in their order.
    pub fn retain(&mut self, keep: impl Fn(RunId) -> bool) {
        let ranks = &mut self.ranks;
        for block in &mut self.blocks {
            block.retain(|(_, run)| {
                let keeps = keep(*run);
                if !keeps {
                    ranks.remove(run);
                }
                keeps
            });
        }
        self.blocks.retain(|block| !block.is_empty());
        if self.is_empty() {
            self.clear();
        }
    }

    /// Returns the place of a run, counted from 1.
    #[must_use]
    pub fn position(&self, run: RunId) -> Option<u32> {
        let (block, at) = self.find(run)?;
        u32::try_from(self.before(block) + at + 1).ok()
    }
    /// Returns the run at a place, counted from 1.
    #[must_use]
    pub fn at(&self, position: u32) -> Option<RunId> {
        self.get((position as usize).checked_sub(1)?).map(|(_, run)| run)
    }
    /// Returns how many runs are at the beginning for which `before` holds; it holds for none after the first for which it
    /// does not.
    #[must_use]
    pub fn partition_point(&self, before: impl Fn(RunId) -> bool) -> u32 {
        let whole = |block: &VecDeque<(i64, RunId)>| block.back().is_some_and(|(_, run)| before(*run));
        let block = self.blocks.partition_point(whole);
        let within = self.blocks.get(block).map_or(0, |block| block.partition_point(|(_, run)| before(*run)));
        u32::try_from(self.before(block) + within).unwrap_or(u32::MAX)
    }
    /// Returns the runs, the next one first.
    pub fn iter(&self) -> impl Iterator<Item = RunId> + '_ {
        self.blocks.iter().flatten().map(|(_, run)| *run)
    }
    /// Returns the number of waiting runs.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ranks.len()
    }
    /// Returns whether no run is waiting.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ranks.is_empty()
    }
    /// Removes all runs.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Act {
        Insert(Option<u32>),
        /// As many runs behind each other, from this place on.
        Block(u32, u32),
        Remove(usize),
    }

    fn act() -> impl Strategy<Value = Act> {
        prop_oneof![
            proptest::option::of(0..20_u32).prop_map(Act::Insert),
            (1..20_u32, 1..6_u32).prop_map(|(at, count)| Act::Block(at, count)),
            (0..20_usize).prop_map(Act::Remove),
        ]
    }

    fn check(waiting: &Waiting, model: &[RunId]) {
        assert_eq!(waiting.iter().collect::<Vec<_>>(), model);
        for (run, place) in model.iter().zip(1..) {
            assert_eq!(waiting.position(*run), Some(place));
            assert_eq!(waiting.at(place), Some(*run));
        }
        assert_eq!(waiting.at(0), None);
        assert_eq!(waiting.len(), model.len());
    }

    proptest! {
        #[test]
        fn the_queue_behaves_like_a_list(acts in prop::collection::vec(act(), 0..40)) {
            let (mut waiting, mut model) = (Waiting::default(), Vec::new());
            let put = |waiting: &mut Waiting, model: &mut Vec<RunId>, at: Option<u32>| {
                let run = RunId::new();
                waiting.insert(run, at);
                let index = at.map_or(usize::MAX, |it| it.saturating_sub(1) as usize).min(model.len());
                model.insert(index, run);
                // It stays where it is.
                waiting.insert(run, Some(1));
            };
            for act in acts {
                match act {
                    Act::Insert(at) => put(&mut waiting, &mut model, at),
                    Act::Block(at, count) => {
                        (at..at + count).for_each(|at| put(&mut waiting, &mut model, Some(at)));
                    }
                    Act::Remove(index) if index < model.len() => {
                        let run = model.remove(index);
                        prop_assert_eq!(waiting.remove(run), u32::try_from(index + 1).ok());
                        prop_assert_eq!((waiting.remove(run), waiting.position(run)), (None, None));
                    }
                    Act::Remove(_) => {}
                }
                check(&waiting, &model);
            }
        }
    }

    proptest! {
        #[test]
        fn many_runs_come_where_they_would_one_after_the_other(
            known in 0..150_u32,
            steps in prop::collection::vec(1..4_u32, 1..150),
            last in prop::bool::ANY,
        ) {
            let mut one = Waiting::default();
            (0..known).for_each(|_| one.insert(RunId::new(), None));
            let mut all = one.clone();
            let mut place = 0;
            let mut runs: Vec<(Option<u32>, RunId)> = steps
                .into_iter()
                .map(|step| {
                    place += step;
                    (Some(place), RunId::new())
                })
                .collect();
            // One that waits already stays where it is, and one without a place comes last.
            runs.extend(one.at(1).map(|first| (Some(place), first)));
            runs.extend(last.then(|| (None, RunId::new())));
            runs.iter().for_each(|(place, run)| one.insert(*run, *place));
            all.insert_all(&runs);
            check(&all, &one.iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn ranks_are_spaced_again_when_a_gap_is_used_up() {
        let runs: Vec<RunId> = (0..4).map(|_| RunId::new()).collect();
        let mut waiting = Waiting {
            blocks: vec![VecDeque::from([(7, runs[0]), (8, runs[1])])],
            ranks: IdMap::from_iter([(runs[0], 7), (runs[1], 8)]),
        };
        waiting.insert(runs[2], Some(2));
        check(&waiting, &[runs[0], runs[2], runs[1]]);
        let mut waiting = Waiting {
            blocks: vec![VecDeque::from([(i64::MAX, runs[0])])],
            ranks: IdMap::from_iter([(runs[0], i64::MAX)]),
        };
        waiting.insert(runs[3], None);
        check(&waiting, &[runs[0], runs[3]]);
    }
}
