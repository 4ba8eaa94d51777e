//! Requests from clients: submissions, cancels, labels, settings of the queue.

use std::collections::HashSet;
use std::sync::Arc;

use fanlight_shared::event::{DaemonEvent, Numbered, RunUpdate, StateEvent};
use fanlight_shared::id::RunId;
use fanlight_shared::rpc::{queue, runs};
use fanlight_shared::run::{Run, RunStatus};
use fanlight_shared::time::Time;

use super::context::After;
use super::core::{Core, QueuedRun};
use super::errors::refused;
use super::message::{Message, Reply};
use super::place::{Place, project};
use super::plan::Plan;
use super::queue::Turn;
use super::submit;
use crate::store::{Batch, Committed, Numbers, Op, StoreError, Submitted, SweepOf};

/// Cuts a list of runs to the size of a response. Returns how many more there were.
fn cut(runs: &mut Vec<RunId>) -> u32 {
    let left = runs.len().saturating_sub(runs::CANCEL_LIMIT);
    runs.truncate(runs::CANCEL_LIMIT);
    u32::try_from(left).unwrap_or(u32::MAX)
}

impl Core {
    /// Stores a submission; the rest follows its commit.
    pub(super) fn submit(&mut self, prepared: submit::Prepared, reply: Reply<runs::Started>) {
        let submit::Prepared { mut submit, plan } = prepared;
        self.complete_child(&mut submit);
        let next = submit.next;
        let extends = match &submit.sweep {
            Some(SweepOf::Extended { name, .. }) => Some(name.clone()),
            _ => None,
        };
        if let Some(sweep) = &extends {
            self.sweeps.extending(sweep);
        }
        let environment = Arc::new(submit.environment.clone());
        let fresh = Arc::new(submit.fresh.clone());
        let place = Place { project: project(submit.path.as_deref()), environment, fresh };
        let messages = self.context.messages.clone();
        self.context.flush();
        self.context.store.write(Batch {
            ops: vec![Op::Submit(Box::new(submit))],
            // Whoever asked gets the response after the commit of what follows: the runs start, or wait.
            early: true,
            must: false,
            after: Some(Box::new(move |result| {
                let result = result.and_then(|committed: Committed| {
                    committed
                        .submitted
                        .ok_or_else(|| StoreError::Other("the submission got no response".into()))
                });
                let _ = messages.send(Message::Submitted { result, plan, next, extends, place, reply });
            })),
        });
    }

    /// Handles a committed submission: its runs wait or start, and the response is sent.
    pub(super) fn submitted(
        &mut self,
        result: Result<Submitted, StoreError>,
        plan: &Arc<Plan>,
        next: bool,
        extends: Option<&str>,
        place: &Place,
        reply: Reply<runs::Started>,
    ) {
        let submitted = match result {
            Ok(submitted) => submitted,
            Err(error) => {
                self.extended(extends);
                let _ = reply.send(Err(refused(&error)));
                return;
            }
        };
        let runs: Vec<Arc<Run>> = submitted.runs.into_iter().map(Arc::new).collect();
        if let Some(sweep) = submitted.sweep {
            self.searches.add(&sweep);
            self.add_sweep(*sweep);
        }
        if !submitted.repeated {
            self.enqueue(&runs, plan, next, place);
        }
        self.extended(extends);
        let hints = submitted.moved_from.map(|from| {
            format!("this version is known from {from}; a moved file is a new workflow unless it has `id:`")
        });
        tracing::debug!("submitted {} runs", runs.len());
        let runs = runs.into_iter().map(|run| match self.active.get(&run.id) {
            Some(active) => active.run.clone(),
            None => Run::clone(self.queued.get(&run.id).map_or(&run, |queued| &queued.run)),
        });
        let started =
            runs::Started { runs: runs.collect(), more: 0, hints: hints.into_iter().collect(), reuse: None };
        self.context.after(After::Do(Box::new(move || {
            let _ = reply.send(Ok(started));
        })));
    }

    fn enqueue(&mut self, runs: &[Arc<Run>], plan: &Arc<Plan>, next: bool, place: &Place) {
        if runs.iter().any(|run| run.parent.is_some()) {
            for run in runs {
                self.start_child(QueuedRun { run: run.clone(), plan: plan.clone(), place: place.clone() });
            }
            return;
        }
        let ids: Vec<RunId> = runs.iter().map(|run| run.id).collect();
        let first = runs.first();
        let limit = first.and_then(|run| plan.limit(run.workflow_id));
        let sweep = first.and_then(|run| run.sweep.as_deref());
        let turn = match first {
            Some(first) if !next => Turn::of(first.priority),
            _ => Turn::Next,
        };
        self.queue.add(&ids, sweep, turn, limit);
        for run in runs {
            let queued = QueuedRun { run: run.clone(), plan: plan.clone(), place: place.clone() };
            self.sweeps.opened(run);
            self.queued.insert(run.id, queued);
        }
        if let Some(sweep) = sweep {
            self.check_sweep(sweep);
        }
        // Runs that start immediately never appear as waiting.
        self.drain();
        self.announce(&ids);
    }

    /// Sends waiting runs to the registry, each with its position. Clients insert them one after the other, so those that
    /// left the queue in this turn must be gone before.
    pub(super) fn announce(&mut self, runs: &[RunId]) {
        self.send_listings();
        let mut placed: Vec<(Option<u32>, RunId)> =
            runs.iter().map(|run| (self.queue.position(*run), *run)).collect();
        placed.sort_by_key(|(position, _)| *position);
        let mut runs = Vec::with_capacity(placed.len());
        for (position, run) in placed {
            let Some(queued) = self.queued.get_mut(&run) else { continue };
            if queued.run.position != position {
                Arc::make_mut(&mut queued.run).position = position;
            }
            runs.push(queued.run.clone());
        }
        if !runs.is_empty() {
            self.context.after(After::Queued(runs));
        }
    }

    /// Cancels exactly the given runs.
    pub(super) fn cancel(&mut self, request: &runs::Cancel, reply: Reply<runs::CancelResponse>) {
        let mut response = runs::CancelResponse::default();
        let mut running = request.runs.clone();
        self.end_searches(request);
        if request.running {
            // Children end with their parents.
            let all = self.active.values().filter(|run| run.run.parent.is_none());
            running.extend(all.map(|run| run.run.id));
        }
        if let Some(sweep) = &request.sweep {
            let is_of = |run: &Run| run.sweep.as_ref() == Some(sweep);
            let queued = self.queued.iter().filter(|(_, queued)| is_of(&queued.run)).map(|(id, _)| *id);
            running.extend(queued);
            running.extend(self.active.values().filter(|run| is_of(&run.run)).map(|run| run.run.id));
        }
        if request.queued {
            let (parked, queued): (Vec<RunId>, Vec<RunId>) =
                self.queue.clear().into_iter().partition(|id| self.parked.contains(id));
            for id in queued {
                self.cancel_queued(id);
                response.cancelled.push(id);
            }
            // They have been started before, and only wait for a slot to continue.
            parked.into_iter().rev().for_each(|id| self.continue_run(id));
        }
        let cancelled: HashSet<RunId> = response.cancelled.iter().copied().collect();
        for id in running {
            if self.queued.contains_key(&id) && self.queue.remove(id) {
                self.cancel_queued(id);
                response.cancelled.push(id);
            } else if self.active.contains_key(&id) {
                self.with(id, |run, context| run.cancel(context));
                response.cancelled.push(id);
                response.cancelling.push(id);
            } else if !cancelled.contains(&id) {
                response.ended.push(id);
            }
        }
        // Pools and locks of the cancelled runs go to other attempts.
        self.start_waiting();
        response.cancelled_left = cut(&mut response.cancelled);
        response.cancelling_left = cut(&mut response.cancelling);
        response.ended_left = cut(&mut response.ended);
        self.context.after(After::Do(Box::new(move || {
            let _ = reply.send(Ok(response));
        })));
    }

    /// Cancels a run that has not started; it ends immediately.
    fn cancel_queued(&mut self, id: RunId) {
        let Some(QueuedRun { run, .. }) = self.queued.remove(&id) else { return };
        let update = RunUpdate::new(RunStatus::Cancelled, Time::now());
        self.end_inactive(Arc::unwrap_or_clone(run), 1, vec![StateEvent::RunUpdate(update)]);
    }

    /// Ends a run that is not active, with these as its last events, of which the first has this number.
    pub(super) fn end_inactive(&mut self, mut run: Run, seq: u64, events: Vec<StateEvent>) {
        let spent = run.spent;
        for (seq, mut event) in (seq..).zip(events) {
            event.shorten();
            run.fold(&event);
            let (workflow_id, run_id, event) = (run.workflow_id, run.id, Arc::new(Numbered { seq, event }));
            self.context.op(Op::Event { run: run_id, event: event.clone() });
            self.context.after(After::State { workflow_id, run_id, event });
        }
        self.use_of_sweep(&run, &spent, Numbers::new());
        self.context.after(After::Daemon(DaemonEvent::RunUpdate { run: Box::new(run) }));
    }

    /// Stores the user's own label; the run in memory gets it after the commit.
    pub(super) fn label(&mut self, request: runs::Label, reply: Reply<()>) {
        let messages = self.context.messages.clone();
        self.context.flush();
        let op = Op::Label { run: request.run, label: request.label.clone() };
        self.context.store.write(Batch {
            ops: vec![op],
            after: Some(Box::new(move |result| match result {
                Ok(_) => drop(messages.send(Message::Labelled { request, reply })),
                Err(error) => drop(reply.send(Err(refused(&error)))),
            })),
            ..Batch::default()
        });
    }

    /// Handles a committed label: clients may see it now.
    pub(super) fn labelled(&mut self, request: runs::Label, reply: Reply<()>) {
        let runs::Label { run: id, label } = request;
        let run = match (self.active.get_mut(&id), self.queued.get_mut(&id)) {
            (Some(active), _) => Some(&mut active.run),
            (None, Some(queued)) => Some(Arc::make_mut(&mut queued.run)),
            (None, None) => None,
        };
        if let Some(run) = run {
            run.label = label;
            let run = Box::new(run.clone());
            self.context.after(After::Daemon(DaemonEvent::RunUpdate { run }));
            self.context.after(After::Do(Box::new(move || drop(reply.send(Ok(()))))));
            return;
        }
        let (store, hub) = (self.context.store.clone(), self.context.hub.clone());
        self.context.runtime.spawn_blocking(move || {
            if let Ok(run) = store.listed(id) {
                hub.daemon(DaemonEvent::RunUpdate { run: Box::new(run) });
            }
            let _ = reply.send(Ok(()));
        });
    }

    /// Lets no waiting run start any more, or lets them start again.
    pub(super) fn close_queue(&mut self, closed: bool) {
        self.queue.closed = closed;
        self.drain();
    }

    /// Changes the given settings, and returns the state of the queue.
    pub(super) fn set_queue(&mut self, request: queue::Set, reply: Reply<fanlight_shared::event::Queue>) {
        if let Some(cap) = request.max_concurrent_runs {
            self.queue.cap = cap;
            self.context.op(Op::Setting { name: "max_concurrent_runs", value: Some(cap.to_string()) });
        }
        if let Some(paused) = request.paused {
            self.queue.paused = paused;
            self.context.op(Op::Setting { name: "paused", value: Some(paused.to_string()) });
        }
        self.drain();
        let queue = self.queue_now();
        if request == queue::Set::default() && self.context.has_outage() {
            // Nothing is changed, so nothing needs to be stored first.
            let _ = reply.send(Ok(queue));
            return;
        }
        if request != queue::Set::default() {
            self.context.after(After::Daemon(DaemonEvent::QueueUpdate { queue }));
        }
        self.context.after(After::Do(Box::new(move || {
            let _ = reply.send(Ok(queue));
        })));
    }
}
