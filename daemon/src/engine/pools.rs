//! Pools: how many attempts of a kind run at once, over all runs. Waiting and backoff hold no place.

use std::collections::{BTreeMap, HashMap, VecDeque};

/// The pools of the config, and who waits for a place in them. `T` names an attempt to be.
#[derive(Debug)]
pub(crate) struct Pools<T> {
    /// May fall below zero: attempts adopted at start take their places without asking.
    free: HashMap<String, i64>,
    /// Those who wait for the same set of pools, first come first served; the number orders the sets among each other.
    waiting: BTreeMap<Vec<String>, VecDeque<(u64, T)>>,
    arrivals: u64,
}

impl<T> Pools<T> {
    pub(crate) fn new(sizes: &BTreeMap<String, u32>) -> Self {
        Self {
            free: sizes.iter().map(|(name, size)| (name.clone(), i64::from(*size).max(1))).collect(),
            waiting: BTreeMap::new(),
            arrivals: 0,
        }
    }

    fn all_free(&self, pools: &[String]) -> bool {
        pools.iter().all(|pool| self.free.get(pool).is_none_or(|free| *free > 0))
    }

    /// Takes places without waiting: what runs already must be counted.
    pub(crate) fn occupy(&mut self, pools: &[String]) {
        for pool in pools {
            if let Some(free) = self.free.get_mut(pool) {
                *free -= 1;
            }
        }
    }

    /// Gives back `who` if it may start now; else it waits.
    pub(crate) fn enter(&mut self, pools: &[String], who: T) -> Option<T> {
        let nobody_before = self.waiting.get(pools).is_none_or(VecDeque::is_empty);
        if nobody_before && self.all_free(pools) {
            self.occupy(pools);
            return Some(who);
        }
        self.arrivals += 1;
        self.waiting.entry(pools.to_vec()).or_default().push_back((self.arrivals, who));
        None
    }

    /// An attempt ended: its places are free again.
    pub(crate) fn leave(&mut self, pools: &[String]) {
        for pool in pools {
            if let Some(free) = self.free.get_mut(pool) {
                *free += 1;
            }
        }
    }

    /// The one that came first among those who may start now, with its places taken.
    pub(crate) fn next(&mut self) -> Option<(Vec<String>, T)> {
        let pools = self
            .waiting
            .iter()
            .filter(|(pools, _)| self.all_free(pools))
            .filter_map(|(pools, waiting)| waiting.front().map(|(arrival, _)| (*arrival, pools)))
            .min()
            .map(|(_, pools)| pools.clone())?;
        let (_, who) = self.waiting.get_mut(&pools)?.pop_front()?;
        if self.waiting.get(&pools).is_some_and(VecDeque::is_empty) {
            self.waiting.remove(&pools);
        }
        self.occupy(&pools);
        Some((pools, who))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pools() -> Pools<u32> {
        Pools::new(&BTreeMap::from([("process".to_owned(), 2), ("gpu".to_owned(), 1)]))
    }

    fn of(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_full_pool_makes_wait_and_frees_in_order() {
        let mut pools = pools();
        let process = of(&["process"]);
        assert_eq!((pools.enter(&process, 1), pools.enter(&process, 2)), (Some(1), Some(2)));
        assert_eq!((pools.enter(&process, 3), pools.enter(&process, 4)), (None, None));
        assert_eq!(pools.next(), None);
        pools.leave(&process);
        assert_eq!(pools.next(), Some((process.clone(), 3)));
        assert_eq!(pools.next(), None);
    }

    #[test]
    fn who_waits_for_the_gpu_holds_no_process() {
        let mut pools = pools();
        let both = of(&["process", "gpu"]);
        assert_eq!(pools.enter(&both, 1), Some(1));
        assert_eq!(pools.enter(&both, 2), None);
        assert_eq!(pools.enter(&of(&["process"]), 3), Some(3));
        pools.leave(&both);
        assert_eq!(pools.next(), Some((both, 2)));
    }
}
