//! Sweeps with runs that have not ended: what they have used, their limits, and whether they are paused.

use fanlight_shared::event::DaemonEvent;
use fanlight_shared::id::RunId;
use fanlight_shared::rpc::{RpcError, sweeps};
use fanlight_shared::run::Run;
use fanlight_shared::spent::Spent;
use fanlight_shared::sweep::Pause;

use super::context::After;
use super::core::{ActiveSweep, Core};
use super::message::Reply;
use crate::store::{Numbers, Op, StoredSweep};

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
