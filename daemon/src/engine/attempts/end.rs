//! The end of an attempt.

use std::time::Duration;

use fanlight_shared::event::{NodeError, NodeUpdate};
use fanlight_shared::run::{AttemptEnd, NodeStatus};
use fanlight_shared::time::Time;

use super::spent::Spent;
use crate::attempt::Outcome;
use crate::engine::active::{ActiveRun, Made, enter};
use crate::engine::context::{After, Context};
use crate::engine::key::Key;
use crate::engine::started::Started;
use crate::hub::Reported;
use crate::store::Op;

/// The most interruptions of a node before it fails.
const MAX_INTERRUPTIONS: u32 = 3;

impl ActiveRun {
    /// Handles the outcome that an executor reported.
    pub(in crate::engine) fn attempt_ended(
        &mut self,
        context: &mut Context,
        key: Key,
        mut outcome: Outcome,
        lasts: bool,
    ) {
        self.forget_key(context, key);
        if !lasts {
            self.leave_flight(context, key);
            if let Some(instance) = self.instance_mut(key.node, key.item) {
                instance.needed = None;
            }
        }
        self.live = self.live.saturating_sub(1);
        if let Some(instance) = self.instance_mut(key.node, key.item) {
            instance.child_is_parked = false;
        }
        let reported = self.reported(context, key);
        let started = match self.instance_mut(key.node, key.item).and_then(|it| it.live.take()) {
            Some(live) => {
                outcome = context.settle_spending(&live, outcome);
                if let Some(executor) = context.executors.get(&self.plan.nodes[key.node].executor).cloned() {
                    let runtime = context.runtime.clone();
                    context.after(After::Do(Box::new(move || {
                        runtime.spawn(async move { executor.release(live.id).await });
                    })));
                }
                live.started
            }
            None => Started::now(),
        };
        self.end_attempt(context, key, started, outcome, reported);
    }

    /// Returns what the running attempt of an instance has reported so far.
    pub(in crate::engine) fn reported(&self, context: &Context, key: Key) -> Option<Reported> {
        let number = self.instance(key.node, key.item)?.attempts;
        context.hub.reported(key.run, &self.plan.nodes[key.node].name, key.item, number)
    }

    /// Ends an attempt: it leads to another one, to a question, or to the end of its instance. `reported`: what it has reported
    /// so far, if it could.
    pub(in crate::engine) fn end_attempt(
        &mut self,
        context: &mut Context,
        key: Key,
        started: Started,
        outcome: Outcome,
        reported: Option<Reported>,
    ) {
        let outcome = self.within_memory(outcome.checked_for_depth());
        let cached = match outcome.end {
            AttemptEnd::Completed => self.to_be_cached(key, &outcome),
            _ => {
                self.leave_flight(context, key);
                None
            }
        };
        let Outcome {
            end,
            error,
            values,
            blobs,
            bodies,
            unchanged,
            programs,
            cost_usd,
            unpriced,
            predictions,
            is_final,
            question,
        } = outcome;
        let plan = self.plan.clone();
        let plan = &plan.nodes[key.node];
        let cancelling = self.cancelling;
        let Some(instance) = self.instance_mut(key.node, key.item) else { return };
        if instance.status.is_ended() {
            return;
        }
        let number = instance.attempts;
        let again = match end {
            AttemptEnd::Failed => {
                instance.failures += 1;
                instance.failures <= plan.node.retry.times && !cancelling && !is_final
            }
            AttemptEnd::Lost => {
                instance.interruptions += 1;
                instance.lose(cost_usd);
                plan.runs_again() && instance.interruptions < MAX_INTERRUPTIONS && !cancelling
            }
            _ => false,
        };
        let wait =
            if end == AttemptEnd::Failed { plan.node.retry.wait(instance.failures) } else { Duration::ZERO };
        let fill = |update: &mut NodeUpdate| {
            update.attempt = Some(number);
            update.at = started.end();
            update.started_at = Some(started.at);
            update.ended = Some(end);
            if let Some(reported) = reported {
                update.metrics = reported.metrics;
                update.log_end = Some(reported.log_end);
                update.last_line = reported.last_line;
                update.activity = reported.activity;
                update.location = reported.location;
            }
            Spent { cost_usd, unpriced, predictions }.fill(update);
        };
        if end == AttemptEnd::Parked && !cancelling {
            let mut update = NodeUpdate::new(&plan.name, key.item, NodeStatus::Waiting, Time::now());
            fill(&mut update);
            update.question = question;
            return self.wait_for_answer(context, key, update);
        }
        if again {
            enter(&mut instance.status, NodeStatus::Waiting);
            let mut update = NodeUpdate::new(&plan.name, key.item, NodeStatus::Waiting, Time::now());
            fill(&mut update);
            update.error = error;
            update.retry_at = Some(Time::now().plus(wait));
            instance.retry_at = update.retry_at;
            let made = Made { number, duration: started.elapsed(), cost_usd, cache_key: None };
            self.keep_outputs(context, key, values, blobs, bodies, made);
            self.record_node(context, update);
            return context.retry_later(key, number, wait);
        }
        let status = match end {
            AttemptEnd::Completed => NodeStatus::Completed,
            AttemptEnd::Cancelled | AttemptEnd::Parked => NodeStatus::Cancelled,
            AttemptEnd::Failed | AttemptEnd::Lost if cancelling => NodeStatus::Cancelled,
            AttemptEnd::Failed | AttemptEnd::Lost => NodeStatus::Failed,
        };
        debug_assert!(end.leaves().contains(&status), "{end:?} leaves a node {}", status.word());
        let error = match end {
            AttemptEnd::Lost if !plan.runs_again() => error.map(|error| NodeError {
                message: format!("{}; it may have had effects, so it does not run again (set `on_interrupt: again` if it may)", error.message),
                ..error
            }),
            _ => error.filter(|_| status == NodeStatus::Failed),
        };
        let duration = started.elapsed();
        blobs.into_iter().for_each(|blob| context.op(Op::Blob(blob)));
        let cache_key = cached.as_ref().and_then(|_| self.needed_key(key));
        let made = Made { number, duration, cost_usd, cache_key };
        let shown = self.publish(context, key, values, bodies, made);
        self.keep_result(context, key, cached);
        self.end_instance(context, key.node, key.item, status, error, |update| {
            fill(update);
            update.unchanged = unchanged;
            update.programs = programs;
            update.outputs = shown;
        });
    }
}
