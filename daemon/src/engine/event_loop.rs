//! The engine's loop: it handles messages one at a time, then sends all decisions to the store in one batch.

use fanlight_shared::event::DaemonEvent;
use tokio::sync::mpsc;

use super::Activity;
use super::context::After;
use super::core::{BATCH_LIMIT, Core};
use super::message::Message;

impl Core {
    /// Handles messages until there are none any more, or one of them ends the engine.
    pub(super) async fn run(mut self, mut messages: mpsc::UnboundedReceiver<Message>) {
        loop {
            let first = if !self.has_work() {
                let Some(message) = messages.recv().await else { break };
                Some(message)
            } else if self.context.must_wait() {
                // Further decisions would only wait in memory. Requests are still handled meanwhile.
                tokio::select! {
                    message = messages.recv() => {
                        let Some(message) = message else { break };
                        Some(message)
                    }
                    () = self.context.until_ready() => None,
                }
            } else {
                None
            };
            self.turn(first, &mut messages);
            if let Some(reply) = self.stopping.take() {
                self.context.after(After::Do(Box::new(move || {
                    let _ = reply.send(());
                })));
                self.context.flush();
                break;
            }
            tokio::task::yield_now().await;
        }
    }

    /// Returns whether there is work to do without a new message.
    fn has_work(&self) -> bool {
        !self.context.inline.is_empty()
            || self.context.in_flight.has_turns()
            || self.queue.may_start(self.running())
            || self.may_return()
            || !self.due_searches().is_empty()
    }

    /// Handles the waiting messages and their consequences, in one batch.
    fn turn(&mut self, first: Option<Message>, messages: &mut mpsc::UnboundedReceiver<Message>) {
        self.room = if self.context.must_wait() { 0 } else { BATCH_LIMIT };
        if let Some(message) = first {
            self.handle(message);
        }
        for _ in 0..BATCH_LIMIT {
            let Ok(message) = messages.try_recv() else { break };
            self.handle(message);
        }
        self.drain();
        self.share_results();
        while self.room > 0
            && let Some(key) = self.context.inline.pop_front()
        {
            self.room -= 1;
            self.with(key.run, |run, context| run.run_inline(context, key));
            self.drain();
        }
        self.end_turn();
    }

    fn handle(&mut self, message: Message) {
        // Before the GPUs of a failed attempt are given to others: it may have lost one.
        if self.context.pools.look_at_gpus() {
            self.context.store_gpus();
            self.start_waiting();
            self.tell_gpu_waits();
        }
        match message {
            Message::Submit { prepared, reply } => self.submit(*prepared, reply),
            Message::Submitted { result, plan, next, extends, place, reply } => {
                self.submitted(result, &plan, next, extends.as_deref(), &place, reply);
            }
            Message::FollowChild { run, parent, tell } => self.follow_child(run, parent, tell),
            Message::CancelChild { run } => self.cancel_child(run),
            #[cfg(feature = "llm")]
            Message::Lend(caller) => self.lend(&caller),
            #[cfg(feature = "llm")]
            Message::Regain { caller, tell } => self.regain(&caller, tell),
            Message::Resumed { run, result } => self.resumed(run, result),
            Message::Ended { key, number, outcome, lasts, suspect } => {
                let current = self.active.get(&key.run).and_then(|run| run.instance(key.node, key.item));
                if current.is_some_and(|instance| instance.attempts == number && instance.live.is_some()) {
                    self.free_pools(key, suspect);
                    self.with(key.run, |run, context| run.attempt_ended(context, key, *outcome, lasts));
                    self.start_waiting();
                }
            }
            Message::LookedAround { key, attempts, seen } => {
                if self.may_use(key, &seen) {
                    self.with(key.run, |run, context| run.looked_around(context, key, attempts, seen));
                }
            }
            Message::OutputsStored { run, outputs } => {
                self.with(run, |run, context| run.conclude(context, *outputs));
                self.start_waiting();
            }
            Message::Retry { key, failed } => {
                self.with(key.run, |run, context| run.retry(context, key, failed))
            }
            Message::PoolsDue => {
                self.context.admit_to_pools();
                self.start_waiting();
            }
            Message::SuspectsAskedFor(attempt) => {
                self.context.pools.trust_gpus(attempt);
                self.start_waiting();
            }
            Message::GpusLookedFor => self.context.gpus_looked_for(),
            Message::ResultFound { key, found } => self.context.in_flight.looked(key, found),
            Message::ResultStored(key) => self.context.in_flight.stored(key),
            Message::Answer { request, reply } => self.answer(*request, reply),
            Message::Deadline { key, attempt } => self.deadline(key, attempt),
            Message::Cancel { request, reply } => self.cancel(&request, reply),
            Message::Delete { request, reply } => self.delete(request, reply),
            Message::Label { request, reply } => self.label(request, reply),
            Message::Labelled { request, reply } => self.labelled(request, reply),
            Message::Close(closed) => self.close_queue(closed),
            Message::Queue { request, reply } => self.set_queue(request, reply),
            Message::Move { request, reply } => self.move_runs(request, reply),
            Message::Interrupts { reply } => drop(reply.send(Ok(self.interrupts()))),
            Message::Why { request, reply } => drop(reply.send(self.why(&request))),
            Message::Sweep { request, reply } => self.set_sweep(&request, reply),
            Message::Observed { sweep } => self.searches.observed(&sweep),
            Message::Measured { run, step, value } => self.measured(run, step, value),
            Message::Proposed { sweep, next } => self.proposed(&sweep, next),
            Message::Stop { reply } => self.stopping = Some(reply),
        }
    }

    /// Ends a turn: sends its decisions to the store, and changed listings to the registry.
    pub(super) fn end_turn(&mut self) {
        #[cfg(test)]
        for run in self.touched.iter().filter_map(|id| self.active.get(id)) {
            self.assert_explained(run);
        }
        self.lend_slots();
        self.advance_searches();
        self.send_listings();
        self.context.schedule_pools();
        self.context.schedule_gpus();
        self.context.look_for_results();
        let activity = self.activity_now();
        let changed = *self.activity.borrow() != activity;
        if changed {
            self.context.after(After::Daemon(DaemonEvent::QueueUpdate { queue: self.queue_now() }));
        }
        self.context.flush();
        // When this becomes visible, everything that led to it is on its way to the store.
        if changed {
            self.activity.send_replace(activity);
        }
    }

    /// Sends the runs that changed in this turn to the registry.
    pub(super) fn send_listings(&mut self) {
        for id in std::mem::take(&mut self.touched) {
            #[cfg(test)]
            if let Some(run) = self.active.get(&id) {
                run.assert_recoverable();
            }
            if let Some(run) = self.active.get_mut(&id).filter(|run| run.listing_changed) {
                run.send_listing(&mut self.context);
            }
        }
    }

    fn activity_now(&self) -> Activity {
        Activity {
            running: self.running() as u32,
            following: self.following.len() as u32,
            queued: self.queue.len() as u32,
            due: self.due.len() as u32,
            proposing: self.searches.proposing(),
        }
    }
}
