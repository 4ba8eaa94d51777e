//! Searches: sweeps whose runs are proposed one after the other, each when there is a slot for it.
//!
//! A proposal follows from the search, the number of the trial, and what came of earlier runs in the order in which the store
//! recorded it. It is stored together with its run, so that a daemon that dies changes no decision: the next one proposes the
//! same, or finds the run.

mod propose;
mod prune;

use fanlight_shared::id::RunId;
use fanlight_shared::rpc::{ErrorCode, runs};
use fanlight_shared::run::Run;
use fanlight_shared::sweep::Pause;
use tokio::sync::oneshot;

use super::context::After;
use super::core::{ActiveSearch, Core};
use super::message::{Message, Next};
use crate::store::{Numbers, Op};
use propose::Proposal;

impl Core {
    /// Records what came of a run that has ended, if its sweep is a search.
    pub(super) fn observe(&mut self, sweep: &str, run: &Run, mut outputs: Numbers) {
        let Some(search) = self.searches.searches.get_mut(sweep) else { return };
        search.uncommitted += 1;
        outputs.retain(|name, _| search.search.objectives.iter().any(|objective| objective.name == *name));
        self.context.op(Op::Observe { run: run.id, state: run.state, outputs });
        let (messages, sweep) = (self.context.messages.clone(), sweep.to_owned());
        self.context.after(After::Do(Box::new(move || drop(messages.send(Message::Observed { sweep })))));
    }

    /// Proposes a trial for each search that has a slot for one. A trial that waits is enough: what is known when it starts
    /// should be known when it is proposed.
    pub(super) fn advance_searches(&mut self) {
        if self.context.must_wait() {
            return;
        }
        for name in self.due_searches() {
            // The time of a budget may be used up since the last run started.
            self.check_sweep(&name);
            if self.sweeps.open(&name).is_some() {
                self.propose(name);
            }
        }
    }

    /// Returns the searches that have a slot for a trial.
    pub(super) fn due_searches(&self) -> Vec<String> {
        if self.searches.searches.is_empty() || self.queue.paused || self.queue.closed {
            return Vec::new();
        }
        let cap = self.queue.cap;
        let is_due = |name: &String, search: &ActiveSearch| {
            let most = search.search.parallel.unwrap_or(cap).min(cap);
            let more = !search.proposing && search.uncommitted == 0 && search.proposed < search.length;
            more && self.sweeps.open(name).is_some_and(|(open, waiting)| waiting == 0 && open < most)
        };
        let all = self.searches.searches.iter();
        all.filter(|(name, search)| is_due(name, search)).map(|(name, _)| name.clone()).collect()
    }

    fn propose(&mut self, name: String) {
        let Some(search) = self.searches.searches.get_mut(&name) else { return };
        search.proposing = true;
        let insists = search.insists;
        let (store, messages) = (self.context.store.clone(), self.context.messages.clone());
        let types = self.context.node_types.now();
        self.context.runtime.spawn(async move {
            let sweep = name.clone();
            let proposal =
                tokio::task::spawn_blocking(move || propose::prepare(&store, &sweep, &types, insists)).await;
            let next = match proposal {
                Ok(Proposal::Trial(prepared)) => {
                    let (reply, started) = oneshot::channel();
                    let _ = messages.send(Message::Submit { prepared, reply });
                    match started.await {
                        Ok(Ok(started)) => {
                            started.runs.first().map_or(Next::Nothing, |run| Next::Trial(run.id))
                        }
                        Ok(Err(error)) if error.is(ErrorCode::Storage) => Next::Later,
                        Ok(Err(error)) => Next::Stuck(error.message),
                        // The daemon stops.
                        Err(_) => return,
                    }
                }
                Ok(Proposal::Next(next)) => next,
                Err(error) => Next::Stuck(error.to_string()),
            };
            let _ = messages.send(Message::Proposed { sweep: name, next });
        });
    }

    /// Handles a proposal.
    pub(super) fn proposed(&mut self, name: &str, next: Next) {
        let Some(search) = self.searches.searches.get_mut(name) else { return };
        search.proposing = false;
        match next {
            Next::Trial(run) if search.proposed >= search.length => {
                // The search was ended meanwhile.
                search.proposed += 1;
                search.length = search.proposed;
                self.cancel_run(run);
            }
            Next::Trial(_) => search.proposed += 1,
            Next::Nothing => search.length = search.proposed,
            Next::Later => {}
            // A person has paused it meanwhile. It proposes again when they let it continue.
            Next::Unmeasured | Next::Stuck(_) if self.sweeps.open(name).is_none() => {}
            Next::Unmeasured => self.pause(name, Pause::Unmeasured),
            Next::Stuck(why) => {
                tracing::error!("the search {name} can't propose another run: {why}");
                self.pause(name, Pause::Stuck);
            }
        }
        self.check_sweep(name);
    }

    /// Cancels a run, wherever it is.
    fn cancel_run(&mut self, run: RunId) {
        let (reply, _) = oneshot::channel();
        self.cancel(&runs::Cancel { runs: vec![run], ..runs::Cancel::default() }, reply);
    }

    /// Ends the search of the sweep that a request cancels; with all runs all of them.
    pub(super) fn end_searches(&mut self, request: &runs::Cancel) {
        let all = request.queued && request.running;
        let names = self.searches.searches.keys().filter(|name| all || request.sweep.as_ref() == Some(name));
        for name in names.cloned().collect::<Vec<String>>() {
            if let Some(search) = self.searches.searches.get_mut(&name)
                && search.proposed < search.length
            {
                search.length = search.proposed;
                self.context.op(Op::EndSearch { name: name.clone() });
                self.check_sweep(&name);
            }
        }
    }
}
