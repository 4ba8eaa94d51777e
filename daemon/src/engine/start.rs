//! Starts runs from the queue.

use std::sync::Arc;

use fanlight_shared::event::{RunUpdate, StateEvent};
use fanlight_shared::id::RunId;
use fanlight_shared::run::RunStatus;
use fanlight_shared::run_state::RunState;
use fanlight_shared::time::Time;

use super::active::ActiveRun;
use super::context::After;
use super::core::{Core, QueuedRun};
use super::message::Message;
use crate::store::{OpenRun, StoreError};

/// The capacity that is retained for waiting runs.
const RETAINED_CAPACITY: usize = 1024;

impl Core {
    /// Starts runs while there are slots, and room in this batch: a run with nothing to do ends immediately, and so may
    /// thousands after it.
    pub(super) fn drain(&mut self) {
        self.return_followers();
        if self.queue.may_start(self.running()) {
            self.check_times();
        }
        while self.room > 0
            && let Some(id) = self.queue.take(self.running())
        {
            self.room -= 1;
            if let Some(queued) = self.queued.remove(&id) {
                self.start(queued);
            } else {
                self.start_parked(id);
            }
        }
        if self.queued.is_empty() {
            // Release the memory of a long queue.
            self.queued.shrink_to(RETAINED_CAPACITY);
        }
    }

    pub(super) fn start(&mut self, queued: QueuedRun) {
        let QueuedRun { run, plan, place } = queued;
        let run = Arc::unwrap_or_clone(run);
        let at = Time::now();
        let micros = u64::try_from(at.0).unwrap_or(0) * 1000;
        self.last_start = micros.max(self.last_start + 1);
        let (id, workflow, resumes) = (run.id, run.workflow_id, run.resumed_from.is_some());
        let update =
            RunUpdate { start_order: Some(self.last_start), ..RunUpdate::new(RunStatus::Running, at) };
        let mut started = run.clone();
        started.fold(&StateEvent::RunUpdate(update.clone()));
        let names: Vec<&str> = plan.nodes.iter().map(|node| node.name.as_str()).collect();
        self.context.after(After::Begin {
            run: Box::new(started),
            state: Box::new(RunState::new(names).with_edges(&plan.edges)),
        });
        if run.parent.is_none() {
            self.queue.started(workflow);
        } else {
            self.children += 1;
        }
        self.sweeps.started(&run, at);
        let watch = self.searches.watch(&run, &self.context.messages);
        let mut active = ActiveRun::new(run, plan, place, self.context.store.blobs());
        active.watch = watch;
        active.record_run(&mut self.context, update);
        self.active.insert(id, active);
        if resumes {
            self.load(id);
        } else {
            self.with(id, |run, context| run.begin(context));
        }
    }

    /// Reads the values that a resumed run reuses; it begins when they are loaded.
    fn load(&self, id: RunId) {
        let (store, messages) = (self.context.store.clone(), self.context.messages.clone());
        self.context.runtime.spawn_blocking(move || {
            let _ = messages.send(Message::Resumed { run: id, result: store.run(id).map(Box::new) });
        });
    }

    pub(super) fn resumed(&mut self, id: RunId, result: Result<Box<OpenRun>, StoreError>) {
        match result {
            Ok(open) => self.with(id, |run, context| {
                run.take_values(open.values, open.origins);
                run.begin(context);
            }),
            Err(error) => {
                tracing::error!("the values of the resumed run {id} can't be read, it starts over: {error}");
                self.with(id, |run, context| run.begin(context));
            }
        }
    }
}
