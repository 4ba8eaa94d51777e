//! Attempts: from ready to ended, with pools, retries, timeouts and interruptions.

mod end;
mod execute;
mod spent;

use std::sync::Arc;
use std::time::Duration;

use fanlight_shared::event::{NodeError, NodeUpdate};
use fanlight_shared::id::AttemptId;
use fanlight_shared::item::ItemPath;
use fanlight_shared::resources::GpuSlot;
use fanlight_shared::run::{AttemptEnd, NodeStatus};
use fanlight_shared::value::Value;
use tokio_util::sync::CancellationToken;

use super::active::{ActiveRun, Live, Made, Prepared, Taken, enter};
use super::context::{After, Context};
use super::key::Key;
use super::message::Message;
use super::remembered;
use super::started::Started;
use crate::attempt::{Attempt, Outcome, TimeLimit};
use crate::content;
use crate::executor;
use crate::executor::Work;
use crate::hub::Reporting;
use crate::machine::look_for_gpus_again;
use crate::recorder::{Recorder, Watching};
use crate::secret::Secrets;
use crate::store::Op;

/// The ways in which an attempt begins.
pub(super) enum Begin {
    /// From nothing.
    Fresh,
    /// An earlier daemon may have started it: adopt it, or start it if it never was.
    Adopt,
}

impl ActiveRun {
    /// Returns what watches the metrics of an instance, if its run may be ended early for one.
    fn watch_of(&self, key: Key) -> Option<Watching> {
        let (watch, node) = (self.watch.clone()?, self.plan.nodes[key.node].name.clone());
        Some(Box::new(move |metric, step, value| watch.take(&node, metric, step, value)))
    }

    /// Runs an instance that has its inputs: immediately, or as soon as its pools have a place.
    pub(super) fn make_ready(&mut self, context: &mut Context, node: usize, item: ItemPath) {
        let key = self.key(node, item);
        if let Err(error) = self.lock(node) {
            return self.fail(context, node, item, NodeError::new(error));
        }
        let at_once = self.plan.nodes[node].is_inline() && self.resources(node, item).is_empty();
        let Some(instance) = self.instance_mut(node, item) else { return };
        enter(&mut instance.status, NodeStatus::Ready);
        if at_once { context.inline.push_back(key) } else { self.find_or_start(context, node, item) }
    }

    /// Starts the next attempt of an instance that holds its pools and locks.
    pub(super) fn start_attempt(&mut self, context: &mut Context, key: Key) {
        let started = Started::now();
        let id = AttemptId::new();
        let Some(instance) = self.instance_mut(key.node, key.item) else { return };
        let Some(prepared) = instance.prepared.clone() else { return };
        let waited = instance.ticket.take().is_some();
        instance.attempts += 1;
        instance.answered = false;
        enter(&mut instance.status, NodeStatus::Running);
        let number = instance.attempts;
        if waited {
            self.end_wait(context, key.node);
        }
        self.live += 1;
        let gpus = match &prepared.resources {
            Some(_) => context.pools.slots(key),
            None => Vec::new(),
        };
        let update = NodeUpdate {
            attempt: Some(number),
            attempt_id: Some(id),
            gpus: gpus.clone(),
            ..NodeUpdate::new(&self.plan.nodes[key.node].name, key.item, NodeStatus::Running, started.at)
        };
        if number > 1 {
            let (run, node) = (self.run.id, self.plan.nodes[key.node].name.clone());
            context.op(Op::DropSeries { run, node, item: key.item });
        }
        self.record_node(context, update);
        self.store_key(context, key, id);
        self.listing_changed = true;
        self.spawn(context, key, id, number, started, prepared, gpus, Begin::Fresh);
    }

    /// Returns the time limit of an attempt.
    fn time_limit(&self, node: usize, work: &Prepared) -> TimeLimit {
        let of_resources = || work.resources.as_ref().and_then(|needed| needed.time);
        match self.plan.nodes[node].timeout() {
            Some(timeout) => TimeLimit::new(Some(timeout)),
            None => of_resources().map_or_else(TimeLimit::default, TimeLimit::of_resources),
        }
    }

    /// Passes an attempt to its executor, once earlier decisions are committed.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn spawn(
        &mut self,
        context: &mut Context,
        key: Key,
        id: AttemptId,
        number: u32,
        started: Started,
        work: Prepared,
        gpus: Vec<GpuSlot>,
        begin: Begin,
    ) {
        let cancel = CancellationToken::new();
        let time_limit = self.time_limit(key.node, &work);
        let reporting = Reporting {
            workflow: self.run.workflow_id,
            run: self.run.id,
            node: self.plan.nodes[key.node].name.clone(),
            item: key.item,
            attempt: number,
        };
        let attempt = Attempt {
            id,
            run: self.facts.clone(),
            node: self.plan.nodes[key.node].name.clone(),
            item: key.item,
            number,
            failures: self.instance(key.node, key.item).map_or(0, |instance| instance.failures),
            spent_before: self.instance(key.node, key.item).and_then(|instance| instance.lost_usd),
            cancel: cancel.clone(),
            resources: work.resources.clone(),
            time_limit: time_limit.clone(),
            gpus,
            answer: self.instance(key.node, key.item).and_then(|it| it.answer.clone()),
            secrets: Secrets::default(),
            has_secrets: work.sealed.is_some(),
            withheld: self.plan.nodes[key.node].withheld.clone(),
            recorder: Recorder::new(
                context.store.clone(),
                context.hub.clone(),
                context.runtime.clone(),
                reporting,
                self.watch_of(key),
            ),
            hub: context.hub.clone(),
        };
        let recorder = attempt.recorder.clone();
        if let Some(instance) = self.instance_mut(key.node, key.item) {
            instance.live = Some(Live {
                id,
                recorder,
                cancel,
                started,
                #[cfg(feature = "llm")]
                lent: Default::default(),
            });
        }
        let left = time_limit.get().map(|limit| limit.saturating_sub(started.elapsed()));
        let plan = &self.plan.nodes[key.node];
        let executor = context.executors.get(&plan.executor).cloned();
        let executor = executor.ok_or_else(|| format!("this daemon has no executor `{}`", plan.executor));
        let (messages, runtime) = (context.messages.clone(), context.runtime.clone());
        let (blobs, home) = (context.store.blobs().clone(), context.store.home().data.clone());
        let (plan, config) = (self.plan.clone(), context.config.clone());
        let has_gpus = !attempt.gpus.is_empty() && config.resources.gpus.is_none();
        let needed = self.instance(key.node, key.item).and_then(|it| it.needed.as_ref());
        let seen = needed.and_then(|needed| needed.seen);
        let keeps_media = move |port: &str| plan.nodes[key.node].keeps_media(port);
        context.after(After::Do(Box::new(move || {
            runtime.spawn(async move {
                let recorder = attempt.recorder.clone();
                let (outcome, lasts) = match executor {
                    Ok(executor) => {
                        let (cancel, limit) = (attempt.cancel.clone(), content::limit(attempt.item));
                        let again = (Arc::clone(&attempt.run), Arc::clone(&attempt.withheld));
                        let command = Arc::clone(&work.work);
                        let outcome =
                            execute::execute(&*executor, attempt, work, begin, left, &config, home).await;
                        let outcome =
                            executor::store_outcome(outcome, limit, keeps_media, &blobs, &cancel).await;
                        let lasts = match seen.filter(|_| outcome.end == AttemptEnd::Completed) {
                            Some(seen) => remembered::is_unchanged(&*executor, again, command, &seen).await,
                            None => true,
                        };
                        (outcome, lasts)
                    }
                    Err(missing) => (Outcome::failed(NodeError::new(missing)), true),
                };
                // Before the end of the attempt, so that a node that has ended misses no point.
                recorder.finish();
                // Perhaps because one is lost: nobody else is to get it. The answer may take long, the end doesn't wait for it.
                let failed = matches!(outcome.end, AttemptEnd::Failed | AttemptEnd::Lost);
                let suspect = (failed && has_gpus).then_some(id);
                let outcome = Box::new(outcome);
                let _ = messages.send(Message::Ended { key, number, outcome, lasts, suspect });
                if let Some(attempt) = suspect {
                    look_for_gpus_again(&config.resources).await;
                    let _ = messages.send(Message::SuspectsAskedFor(attempt));
                }
            });
        })));
    }

    /// Computes an instance in the loop.
    pub(super) fn run_inline(&mut self, context: &mut Context, key: Key) {
        let Some(instance) = self.instance_mut(key.node, key.item) else { return };
        if instance.status != NodeStatus::Ready {
            return;
        }
        let Some(prepared) = instance.prepared.clone() else { return };
        let Work::Native(native, inputs) = &*prepared.work else { return };
        let started = Started::now();
        let Some(made) = native.run_at_once(inputs, content::limit(key.item)) else {
            // It reads or makes large values, which takes time: run it beside the loop, like other work.
            return self.find_or_start(context, key.node, key.item);
        };
        let plan = &self.plan.nodes[key.node];
        let copies = |(port, value): (&String, &Value)| value.has_source() && plan.keeps_media(port);
        if made.as_ref().is_ok_and(|values| values.iter().any(copies)) {
            // Files of the user are copied first.
            return self.start_attempt(context, key);
        }
        let Some(instance) = self.instance_mut(key.node, key.item) else { return };
        instance.attempts += 1;
        let outcome = Outcome::of(made.map(|values| (values, Vec::new())));
        self.end_attempt(context, key, started, outcome, None);
    }

    /// Starts another attempt after its wait.
    pub(super) fn retry(&mut self, context: &mut Context, key: Key, failed: u32) {
        let Some(instance) = self.instance(key.node, key.item) else { return };
        if instance.status != NodeStatus::Waiting || instance.attempts != failed || self.cancelling {
            return;
        }
        if instance.prepared.is_some() {
            return self.make_ready(context, key.node, key.item);
        }
        // Recovered from an earlier daemon: its inputs exist, but have not been evaluated yet.
        if let Some(index) = key.item.0 {
            let input = self.restored_item(key.node, index);
            if let Some(items) = &mut self.nodes[key.node].items {
                items.inputs[index as usize] = Some(input);
            }
        }
        self.prepare(context, key.node, key.item);
    }

    /// Reuses the values that the resumed run finished, which are already in the store.
    pub(super) fn take_over(&mut self, context: &mut Context, node: usize, item: ItemPath, taken: Taken) {
        let Taken { values, origin } = taken;
        self.hold(&values);
        let shown = super::publish::shorten_all(&values);
        let made = Made::default();
        self.publish_assets(context, node, item, &values, &made);
        if let Some(instance) = self.instance_mut(node, item) {
            instance.values = Some(values);
        }
        self.end_instance(context, node, item, NodeStatus::Cached, None, |update| {
            update.outputs = shown;
            update.origin = origin.map(Box::new);
        });
    }
}

impl Context {
    /// Schedules another attempt after a wait, which starts once the decision is committed.
    pub(super) fn retry_later(&mut self, key: Key, failed: u32, wait: Duration) {
        let (messages, runtime) = (self.messages.clone(), self.runtime.clone());
        self.after(After::Do(Box::new(move || {
            runtime.spawn(async move {
                tokio::time::sleep(wait).await;
                let _ = messages.send(Message::Retry { key, failed });
            });
        })));
    }
}
