//! How busy the servers of a provider are, as far as this daemon makes them so.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The attempts that use each server, by its URL; cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Loads {
    by_url: Arc<Mutex<HashMap<String, u32>>>,
}

/// The place of an attempt at a server, until it is dropped.
#[derive(Debug)]
pub(crate) struct Lease {
    of: Loads,
    pub(crate) url: String,
}

impl Loads {
    /// Locks it. Each change leaves the counts whole.
    fn counts(&self) -> MutexGuard<'_, HashMap<String, u32>> {
        self.by_url.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a place at the least busy of these servers, at the first of equals.
    pub(crate) fn take<'a>(&self, urls: impl Iterator<Item = &'a str>) -> Option<Lease> {
        let mut counts = self.counts();
        let url = urls.min_by_key(|url| counts.get(*url).copied().unwrap_or(0))?.to_owned();
        *counts.entry(url.clone()).or_default() += 1;
        Some(Lease { of: self.clone(), url })
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut counts = self.of.counts();
        if let Some(count) = counts.get_mut(&self.url) {
            *count = count.saturating_sub(1);
        }
        counts.retain(|_, count| *count > 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_attempt_gets_the_least_busy_server() {
        let loads = Loads::default();
        let take = |urls: &[&str]| loads.take(urls.iter().copied()).unwrap();
        let (one, two, three) = (take(&["a", "b"]), take(&["a", "b"]), take(&["a", "b"]));
        assert_eq!((one.url.as_str(), two.url.as_str(), three.url.as_str()), ("a", "b", "a"));
        drop((one, three));
        assert_eq!(take(&["b", "a"]).url, "a");
        drop(two);
        assert!(loads.take(std::iter::empty()).is_none());
        assert!(loads.counts().is_empty());
    }
}
