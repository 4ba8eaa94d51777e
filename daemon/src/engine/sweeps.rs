//! Sweeps with runs that have not ended: what they have used, their limits, and whether they are paused.

use std::collections::HashMap;

use fanlight_shared::event::DaemonEvent;
use fanlight_shared::id::RunId;
use fanlight_shared::rpc::{RpcError, sweeps};
use fanlight_shared::run::{Run, RunStatus};
use fanlight_shared::spent::Spent;
use fanlight_shared::sweep::{Limits, Pause, Used};
use fanlight_shared::time::Time;

use super::context::After;
use super::core::Core;
use super::message::Reply;
use crate::store::{Numbers, Op, StoredSweep};

/// A sweep with runs that have not ended.
#[derive(Debug)]
struct ActiveSweep {
    limits: Limits,
    /// What it had used when it last continued after a limit.
    before: Used,
    /// What it has used, without the time of its active runs.
    used: Used,
    /// How many of its runs have not ended.
    open: u32,
    /// How many of them have started, and the sum of their starts.
    active: i64,
    started_sum: i64,
    paused: Option<Pause>,
}

impl ActiveSweep {
    /// Returns what it has used until now.
    fn used_now(&self) -> Used {
        let active = Time::now().0.saturating_mul(self.active).saturating_sub(self.started_sum);
        let time_ms = self.used.time_ms.saturating_add(u64::try_from(active).unwrap_or(0));
        Used { time_ms, ..self.used }
    }

    /// Returns how many runs wait.
    fn waiting(&self) -> u32 {
        self.open.saturating_sub(u32::try_from(self.active).unwrap_or(0))
    }

    fn reached(&self) -> Option<Pause> {
        self.limits.reached(&self.used_now().since(&self.before))
    }
}

/// The sweeps with runs that have not ended, by name.
#[derive(Debug, Default)]
pub(super) struct Sweeps {
    sweeps: HashMap<String, ActiveSweep>,
    /// How many submissions that extend a sweep are being stored. Until then the sweep is not forgotten, so that nothing that
    /// its runs use meanwhile is.
    extending: HashMap<String, u32>,
}

impl Sweeps {
    /// Adds a sweep, unless it is known.
    pub(super) fn add(&mut self, stored: StoredSweep) {
        let StoredSweep { name, limits, before, used, paused, search: _ } = stored;
        let (open, active, started_sum) = (0, 0, 0);
        let new = ActiveSweep { limits, before, used, open, active, started_sum, paused };
        self.sweeps.entry(name).or_insert(new);
    }

    /// Records that a submission that extends a sweep is being stored. If the sweep is not known, all of its runs have ended,
    /// and their ends are stored before.
    pub(super) fn extending(&mut self, name: &str) {
        *self.extending.entry(name.to_owned()).or_default() += 1;
    }

    fn of(&mut self, run: &Run) -> Option<&mut ActiveSweep> {
        self.sweeps.get_mut(run.sweep.as_ref()?)
    }

    /// Records that a run waits or, after a restart, has started.
    pub(super) fn opened(&mut self, run: &Run) {
        if let Some(sweep) = self.of(run) {
            sweep.open += 1;
        }
        if let Some(at) = run.started_at {
            self.started(run, at);
        }
    }

    /// Records that a run starts.
    pub(super) fn started(&mut self, run: &Run, at: Time) {
        if let Some(sweep) = self.of(run) {
            sweep.active += 1;
            sweep.started_sum = sweep.started_sum.saturating_add(at.0);
        }
    }

    /// Records what a run has used since `before`, and its end. Returns whether that may have reached a limit.
    pub(super) fn used(&mut self, run: &Run, before: &Spent) -> bool {
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
    pub(super) fn open(&self, name: &str) -> Option<(u32, u32)> {
        let sweep = self.sweeps.get(name).filter(|sweep| sweep.paused.is_none())?;
        Some((sweep.open, sweep.waiting()))
    }

    /// Returns the names of the sweeps that are paused.
    fn paused(&self) -> Vec<(String, Pause)> {
        self.sweeps.iter().filter_map(|(name, sweep)| Some((name.clone(), sweep.paused?))).collect()
    }
}

impl Core {
    /// Holds the sweeps that an earlier daemon had paused.
    pub(super) fn recover_pauses(&mut self) {
        for (name, pause) in self.sweeps.paused() {
            self.queue.hold(&name);
            self.notify_pause(name, Some(pause));
        }
    }

    /// Adds the sweep of new runs, unless it is known.
    pub(super) fn add_sweep(&mut self, stored: StoredSweep) {
        let (name, paused) = (stored.name.clone(), stored.paused);
        let is_new = !self.sweeps.sweeps.contains_key(&name);
        self.sweeps.add(stored);
        if let Some(why) = paused.filter(|_| is_new) {
            self.queue.hold(&name);
            self.notify_pause(name, Some(why));
        }
    }

    /// Records that a submission that extends a sweep has been stored, or could not be.
    pub(super) fn extended(&mut self, sweep: Option<&str>) {
        let Some(name) = sweep else { return };
        if let Some(count) = self.sweeps.extending.get_mut(name) {
            *count -= 1;
            if *count == 0 {
                self.sweeps.extending.remove(name);
            }
        }
        self.check_sweep(name);
    }

    /// Records what a run has used since `before`, and its end with its outputs.
    pub(super) fn use_of_sweep(&mut self, run: &Run, before: &Spent, outputs: Numbers) {
        if self.sweeps.used(run, before)
            && let Some(sweep) = &run.sweep
        {
            if run.state.is_ended() {
                self.observe(sweep, run, outputs);
            }
            self.check_sweep(sweep);
        }
    }

    /// Forgets a sweep whose runs have all ended, or pauses it if it has reached a limit.
    pub(super) fn check_sweep(&mut self, name: &str) {
        let Some(sweep) = self.sweeps.sweeps.get(name) else { return };
        if sweep.open == 0 && !self.searches.has_more(name) {
            if self.sweeps.extending.contains_key(name) {
                return;
            }
            if self.searches.remove(name) {
                self.context.op(Op::EndSearch { name: name.to_owned() });
            }
            self.context.op(Op::SweepEnded { name: name.to_owned() });
            if self.sweeps.sweeps.remove(name).is_some_and(|sweep| sweep.paused.is_some()) {
                self.queue.release(name);
                self.context.op(Op::PauseSweep { name: name.to_owned(), paused: None, before: None });
                self.notify_pause(name.to_owned(), None);
            }
            return;
        }
        if sweep.paused.is_none()
            && (self.queue.waits(name) || self.searches.has_more(name))
            && let Some(reached) = sweep.reached()
        {
            self.pause(name, reached);
        }
    }

    /// Returns the sweep of a waiting run and why it is paused, if it is.
    pub(super) fn pause_of(&self, run: RunId) -> Option<(&str, Pause)> {
        let name = self.queued.get(&run)?.run.sweep.as_deref()?;
        Some((name, self.sweeps.sweeps.get(name)?.paused?))
    }

    /// Pauses the sweeps that have reached a limit.
    pub(super) fn check_sweeps(&mut self) {
        let names: Vec<String> = self.sweeps.sweeps.keys().cloned().collect();
        names.iter().for_each(|name| self.check_sweep(name));
    }

    /// Pauses the sweeps that have used up their time, before their next run would start.
    pub(super) fn check_times(&mut self) {
        let is_timed = |sweep: &ActiveSweep| sweep.limits.time_ms.is_some() && sweep.paused.is_none();
        let timed = self.sweeps.sweeps.iter().filter(|(_, sweep)| is_timed(sweep));
        let names: Vec<String> = timed.map(|(name, _)| name.clone()).collect();
        names.iter().for_each(|name| self.check_sweep(name));
    }

    pub(super) fn pause(&mut self, name: &str, why: Pause) {
        let Some(sweep) = self.sweeps.sweeps.get_mut(name) else { return };
        sweep.paused = Some(why);
        self.queue.hold(name);
        tracing::info!("the sweep {name} is paused: {why}");
        self.context.op(Op::PauseSweep { name: name.to_owned(), paused: Some(why), before: None });
        self.notify_pause(name.to_owned(), Some(why));
    }

    /// Lets a paused sweep continue. What it used until a limit was reached does not count any more.
    fn unpause(&mut self, name: &str) {
        let Some(sweep) = self.sweeps.sweeps.get_mut(name) else { return };
        let Some(why) = sweep.paused.take() else { return };
        self.searches.insist(name);
        if why.is_limit() {
            sweep.before = sweep.used_now();
        }
        let before = Some(sweep.before);
        let released: Vec<RunId> = self.queue.release(name);
        self.context.op(Op::PauseSweep { name: name.to_owned(), paused: None, before });
        self.notify_pause(name.to_owned(), None);
        self.check_sweep(name);
        self.drain();
        self.announce(&released);
    }

    fn notify_pause(&mut self, sweep: String, paused: Option<Pause>) {
        self.context.after(After::Daemon(DaemonEvent::SweepUpdate { sweep, paused }));
    }

    /// Pauses or continues a sweep.
    pub(super) fn set_sweep(&mut self, request: &sweeps::Set, reply: Reply<()>) {
        let name = &request.sweep;
        let Some(sweep) = self.sweeps.sweeps.get(name) else {
            let _ = reply
                .send(Err(RpcError::refused(format!("the sweep `{name}` has ended; none of its runs wait"))));
            return;
        };
        match (request.paused, sweep.paused) {
            (true, None) => self.pause(name, Pause::Person),
            (false, Some(_)) => self.unpause(name),
            _ => {}
        }
        self.context.after(After::Do(Box::new(move || drop(reply.send(Ok(()))))));
    }
}
