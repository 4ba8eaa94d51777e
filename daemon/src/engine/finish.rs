//! The end of a run: its outputs, its state, its last event; and how it is cancelled.

use fanlight_shared::event::{DaemonEvent, RunUpdate};
use fanlight_shared::item::ItemPath;
use fanlight_shared::run::{NodeStatus, RunStatus};
use fanlight_shared::time::Time;
use fanlight_shared::value::{Value, Values};
use fanlight_shared::workflow::Template;

use super::active::{ActiveRun, RunScope, enter};
use super::context::{After, Context};
use super::publish;
use crate::store::Op;

/// The longest JSON of an output that the run's last event carries whole, in bytes.
const OUTPUT_LIMIT: usize = 64 * 1024;

impl ActiveRun {
    /// Every node ended, or the last process of a cancelled run is gone.
    pub(super) fn finish(&mut self, context: &mut Context) {
        let (outputs, mut errors) = self.outputs();
        let failed = self
            .plan
            .nodes
            .iter()
            .zip(&self.nodes)
            .filter(|(plan, node)| node.whole.status == NodeStatus::Failed && !plan.node.allow_failure);
        let mut sentences: Vec<String> = failed
            .map(|(plan, node)| {
                let message = node.whole.error.as_ref().map_or("failed", |error| error.message.as_str());
                format!("node `{}` failed: {message}", plan.name)
            })
            .collect();
        sentences.append(&mut errors);
        let status = match (self.cancelling, sentences.is_empty()) {
            (true, _) => RunStatus::Cancelled,
            (false, false) => RunStatus::Failed,
            (false, true) => RunStatus::Completed,
        };
        let error = (status == RunStatus::Failed).then(|| sentences.join("; "));
        if status != RunStatus::Cancelled {
            self.publish_computed_outputs(context, &outputs);
        }
        let at = Time::now();
        enter(&mut self.run.state, status);
        self.run.ended_at = Some(at);
        self.run.error.clone_from(&error);
        let outputs =
            outputs.iter().map(|(name, value)| (name.clone(), publish::shorten(value, OUTPUT_LIMIT)));
        let update = RunUpdate { status, at, start_order: None, error, outputs: outputs.collect() };
        self.tell_run(context, update);
        self.store_listing(context);
        context.op(Op::Evict { workflow: self.run.workflow_id, keep: context.config.keep_values });
        context.after(After::End(self.run.id));
    }

    /// The values of the workflow's outputs, and what was wrong with them.
    fn outputs(&self) -> (Values, Vec<String>) {
        let scope =
            RunScope { run: self, item: None, upstream: fanlight_shared::expression::Outcome::default() };
        let (mut outputs, mut errors) = (Values::new(), Vec::new());
        for (name, output) in &self.plan.workflow.outputs {
            match output.value.evaluate(&scope) {
                Ok(Some(value)) => {
                    outputs.insert(name.clone(), value);
                }
                Ok(None) => {}
                Err(error) => errors.push(format!("output `{name}`: {error}")),
            }
        }
        (outputs, errors)
    }

    /// Outputs that are no node's port as it is become assets of the run itself; media in them are assets already,
    /// those of the nodes that made them.
    fn publish_computed_outputs(&self, context: &mut Context, outputs: &Values) {
        let made = publish::Made { number: 0, duration: std::time::Duration::ZERO, cost_usd: None };
        for (name, value) in outputs {
            let as_it_is = match &self.plan.workflow.outputs[name.as_str()].value {
                Template::Expression(expression) => expression.straight().is_some_and(|(node, port)| {
                    let node = self.plan.index.get(node).map(|at| &self.nodes[*at]);
                    node.is_some_and(|node| node.port(port).is_some())
                }),
                _ => false,
            };
            if !as_it_is && !value.has_media() && *value != Value::None {
                let values = Values::from([(name.clone(), value.clone())]);
                context.op(Op::Values {
                    run: self.run.id,
                    node: String::new(),
                    item: ItemPath::WHOLE,
                    values,
                });
                self.add_asset(context, "", ItemPath::WHOLE, name, 0, value.clone(), &made);
            }
        }
    }

    /// The run as lists show it goes to the store and the registry.
    pub(super) fn store_listing(&mut self, context: &mut Context) {
        self.count_nodes();
        context.op(Op::Run {
            run: self.run.id,
            status: self.run.state,
            started_at: self.run.started_at,
            start_order: self.run.start_order,
            ended_at: self.run.ended_at,
            error: self.run.error.clone(),
            nodes_done: self.run.nodes_done,
        });
        self.tell_listing(context);
    }

    /// The registry learns how the run stands.
    pub(super) fn tell_listing(&mut self, context: &mut Context) {
        self.listing_changed = false;
        self.count_nodes();
        context.after(After::Daemon(DaemonEvent::RunUpdate { run: Box::new(self.run.clone()) }));
    }

    fn count_nodes(&mut self) {
        let done = self.nodes.len() - self.left;
        self.run.nodes_done = u32::try_from(done).unwrap_or(u32::MAX);
    }

    /// A person ends the run: nothing new starts, what runs is ended.
    pub(super) fn cancel(&mut self, context: &mut Context) {
        if self.cancelling || self.run.state.is_ended() {
            return;
        }
        self.cancelling = true;
        enter(&mut self.run.state, RunStatus::Cancelling);
        let update = RunUpdate {
            status: RunStatus::Cancelling,
            at: Time::now(),
            start_order: None,
            error: None,
            outputs: Values::new(),
        };
        self.tell_run(context, update);
        self.store_listing(context);
        for instance in self.instances_mut() {
            if let Some(live) = &instance.live {
                live.cancel.cancel();
            }
            if let Some(ticket) = instance.ticket.take() {
                context.pools.withdraw(ticket);
            }
        }
        self.advance(context);
    }
}
