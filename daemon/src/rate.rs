//! How often requests to a provider may start: this many in any minute, and none while it wants to be left alone.
//!
//! The engine asks before it starts an attempt of a pool; the attempt asks before each further request.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::config::{Config, POOL_PREFIX};

const MINUTE: Duration = Duration::from_secs(60);

/// The rates of all pools of providers, by the name of the pool: cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Rates {
    by_pool: Arc<BTreeMap<String, Arc<Rate>>>,
}

/// How often something may start.
#[derive(Debug, Default)]
pub struct Rate {
    per_minute: Option<u32>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The starts of the last minute, in order.
    starts: VecDeque<Instant>,
    /// Nothing starts before this time.
    paused_until: Option<Instant>,
}

impl Rates {
    /// Creates the rates of the providers of a config.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let rate = |per_minute| Arc::new(Rate { per_minute, state: Mutex::default() });
        let by_pool = config
            .providers
            .iter()
            .map(|(name, it)| (format!("{POOL_PREFIX}{name}"), rate(it.requests_per_minute)))
            .collect();
        Self { by_pool: Arc::new(by_pool) }
    }

    /// Returns the rate of a pool.
    #[must_use]
    pub fn get(&self, pool: &str) -> Option<&Arc<Rate>> {
        self.by_pool.get(pool)
    }
}

impl Rate {
    /// Returns how many may start in a minute, if that is limited.
    #[must_use]
    pub fn per_minute(&self) -> Option<u32> {
        self.per_minute
    }

    /// Records a start, unless it is too early.
    ///
    /// # Errors
    /// When to ask again.
    pub fn start(&self) -> Result<(), Instant> {
        let now = Instant::now();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(until) = state.paused_until {
            if until > now {
                return Err(until);
            }
            state.paused_until = None;
        }
        let Some(limit) = self.per_minute else { return Ok(()) };
        while state.starts.front().is_some_and(|start| *start + MINUTE <= now) {
            state.starts.pop_front();
        }
        if state.starts.len() >= limit as usize
            && let Some(first) = state.starts.front()
        {
            return Err(*first + MINUTE);
        }
        state.starts.push_back(now);
        Ok(())
    }

    /// Waits until it may start, and records that.
    pub async fn wait(&self) {
        while let Err(at) = self.start() {
            tokio::time::sleep_until(at).await;
        }
    }

    /// Lets nothing start for this long.
    pub fn pause(&self, time: Duration) {
        let until = Instant::now() + time;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.paused_until = Some(state.paused_until.map_or(until, |known| known.max(until)));
    }

    /// Waits until no pause holds.
    pub async fn until_resumed(&self) {
        loop {
            let until = self.state.lock().unwrap_or_else(PoisonError::into_inner).paused_until;
            match until.filter(|until| *until > Instant::now()) {
                Some(until) => tokio::time::sleep_until(until).await,
                None => return,
            }
        }
    }

    /// Returns whether a pause holds.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        let until = self.state.lock().unwrap_or_else(PoisonError::into_inner).paused_until;
        until.is_some_and(|until| until > Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(per_minute: Option<u32>) -> Rate {
        Rate { per_minute, state: Mutex::default() }
    }

    #[tokio::test(start_paused = true)]
    async fn no_minute_has_more_starts_than_the_rate_allows() {
        let rate = rate(Some(3));
        let begin = Instant::now();
        let mut starts = Vec::new();
        for _ in 0..10 {
            rate.wait().await;
            starts.push(begin.elapsed());
            tokio::time::advance(Duration::from_secs(7)).await;
        }
        let busiest = starts.windows(4).map(|of| of[3] - of[0]).min().unwrap();
        assert!(busiest >= MINUTE, "{starts:?}");
        assert!(starts[9] < Duration::from_secs(200), "nothing waits longer than it must: {starts:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_starts_during_a_pause() {
        let rate = rate(None);
        rate.pause(Duration::from_secs(20));
        rate.pause(Duration::from_secs(5));
        let begin = Instant::now();
        assert!(rate.start().is_err() && rate.is_paused());
        rate.wait().await;
        assert_eq!(begin.elapsed(), Duration::from_secs(20));
        rate.until_resumed().await;
    }
}
