//! The sweeps with runs that have not ended: what they have used, and their limits.

use std::collections::HashMap;

use fanlight_shared::run::{Run, RunStatus};
use fanlight_shared::spent::Spent;
use fanlight_shared::sweep::{Limits, Pause, Used};
use fanlight_shared::time::Time;

use crate::store::StoredSweep;

/// A sweep with runs that have not ended.
#[derive(Debug)]
pub(in crate::engine) struct ActiveSweep {
    pub(in crate::engine) limits: Limits,
    /// What it had used when it last continued after a limit.
    pub(in crate::engine) before: Used,
    /// What it has used, without the time of its active runs.
    used: Used,
    /// How many of its runs have not ended.
    pub(in crate::engine) open: u32,
    /// How many of them have started, and the sum of their starts.
    active: i64,
    started_sum: i64,
    pub(in crate::engine) paused: Option<Pause>,
}

impl ActiveSweep {
    /// Returns what it has used until now.
    pub(in crate::engine) fn used_now(&self) -> Used {
        let active = Time::now().0.saturating_mul(self.active).saturating_sub(self.started_sum);
        let time_ms = self.used.time_ms.saturating_add(u64::try_from(active).unwrap_or(0));
        Used { time_ms, ..self.used }
    }

    /// Returns how many runs wait.
    fn waiting(&self) -> u32 {
        self.open.saturating_sub(u32::try_from(self.active).unwrap_or(0))
    }

    /// Returns the limit that it has reached.
    pub(in crate::engine) fn reached(&self) -> Option<Pause> {
        self.limits.reached(&self.used_now().since(&self.before))
    }
}

/// The sweeps with runs that have not ended, by name.
#[derive(Debug, Default)]
pub(in crate::engine) struct Sweeps {
    pub(in crate::engine) sweeps: HashMap<String, ActiveSweep>,
    /// How many submissions that extend a sweep are being stored. Until then the sweep is not forgotten, so that nothing that
    /// its runs use meanwhile is.
    pub(in crate::engine) extending: HashMap<String, u32>,
}

impl Sweeps {
    /// Adds a sweep, unless it is known.
    pub(in crate::engine) fn add(&mut self, stored: StoredSweep) {
        let StoredSweep { name, limits, before, used, paused, search: _ } = stored;
        let (open, active, started_sum) = (0, 0, 0);
        let new = ActiveSweep { limits, before, used, open, active, started_sum, paused };
        self.sweeps.entry(name).or_insert(new);
    }

    /// Records that a submission that extends a sweep is being stored. If the sweep is not known, all of its runs have ended,
    /// and their ends are stored before.
    pub(in crate::engine) fn extending(&mut self, name: &str) {
        *self.extending.entry(name.to_owned()).or_default() += 1;
    }

    fn of(&mut self, run: &Run) -> Option<&mut ActiveSweep> {
        self.sweeps.get_mut(run.sweep.as_ref()?)
    }

    /// Records that a run waits or, after a restart, has started.
    pub(in crate::engine) fn opened(&mut self, run: &Run) {
        if let Some(sweep) = self.of(run) {
            sweep.open += 1;
        }
        if let Some(at) = run.started_at {
            self.started(run, at);
        }
    }

    /// Records that a run starts.
    pub(in crate::engine) fn started(&mut self, run: &Run, at: Time) {
        if let Some(sweep) = self.of(run) {
            sweep.active += 1;
            sweep.started_sum = sweep.started_sum.saturating_add(at.0);
        }
    }

    /// Records what a run has used since `before`, and its end. Returns whether that may have reached a limit.
    pub(in crate::engine) fn used(&mut self, run: &Run, before: &Spent) -> bool {
        let Some(sweep) = self.of(run).filter(|_| run.spent != *before || run.state.is_ended()) else {
            return false;
        };
        let cost = |spent: &Spent| spent.cost_usd.unwrap_or_default();
        let tokens = |spent: &Spent| spent.input_tokens.saturating_add(spent.output_tokens);
        sweep.used.cost_usd += cost(&run.spent) - cost(before);
        sweep.used.tokens =
            sweep.used.tokens.saturating_add(tokens(&run.spent).saturating_sub(tokens(before)));
        if run.state.is_ended() {
            sweep.used.failures += u32::from(run.state == RunStatus::Failed);
            sweep.open = sweep.open.saturating_sub(1);
            if let Some(started) = run.started_at {
                let ended = run.ended_at.unwrap_or_else(Time::now);
                let time = u64::try_from(ended.since(started).as_millis()).unwrap_or(u64::MAX);
                sweep.used.time_ms = sweep.used.time_ms.saturating_add(time);
                sweep.active -= 1;
                sweep.started_sum = sweep.started_sum.saturating_sub(started.0);
            }
        }
        true
    }

    /// Returns how many runs of a sweep have not ended, and how many of them wait; `None` if it is paused.
    pub(in crate::engine) fn open(&self, name: &str) -> Option<(u32, u32)> {
        let sweep = self.sweeps.get(name).filter(|sweep| sweep.paused.is_none())?;
        Some((sweep.open, sweep.waiting()))
    }

    /// Returns the names of the sweeps that are paused.
    pub(in crate::engine) fn paused(&self) -> Vec<(String, Pause)> {
        self.sweeps.iter().filter_map(|(name, sweep)| Some((name.clone(), sweep.paused?))).collect()
    }
}
