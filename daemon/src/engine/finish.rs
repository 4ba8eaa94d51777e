//! The end of a run: its outputs, its state, its last event; and its cancellation.

use fanlight_shared::event::{DaemonEvent, RunUpdate};
use fanlight_shared::item::ItemPath;
use fanlight_shared::run::{NodeStatus, RunStatus};
use fanlight_shared::time::Time;
use fanlight_shared::value::{Value, Values};
use fanlight_shared::workflow::Template;
use tokio_util::sync::CancellationToken;

use super::active::{ActiveRun, Made, RunScope};
use super::context::{After, Context};
use super::message::{Message, Outputs};
use super::publish;
use crate::content;
use crate::store::blob::Blobs;
use crate::store::{Bodies, Op};

/// The approximate size of all outputs in the last event of a run; longer values become handles. As JSON it is at worst
/// six times as much, which still fits into an event.
const OUTPUTS_LIMIT: usize = 40 << 10;
/// The size below which an output is in the event unchanged, however many outputs there are.
const OUTPUT_LIMIT: usize = 1 << 10;

impl ActiveRun {
    /// Finishes a run in which every node has ended, or the last process is gone after a cancel. Long outputs are
    /// stored first, outside the engine's loop.
    pub(super) fn finish(&mut self, context: &mut Context) {
        if self.storing_outputs {
            return;
        }
        let (values, errors) = self.outputs();
        let outputs = Outputs { values, errors, copied: Vec::new(), blobs: Vec::new() };
        let limit = (OUTPUTS_LIMIT / outputs.values.len().max(4)).max(OUTPUT_LIMIT);
        if !outputs.values.values().any(|value| must_be_stored(value, limit)) {
            return self.conclude(context, outputs);
        }
        self.storing_outputs = true;
        let (run, blobs) = (self.run.id, context.store.blobs().clone());
        let (messages, runtime) = (context.messages.clone(), context.runtime.clone());
        context.after(After::Do(Box::new(move || {
            runtime.spawn(async move {
                let outputs = Box::new(store_outputs(outputs, limit, &blobs).await);
                let _ = messages.send(Message::OutputsStored { run, outputs });
            });
        })));
    }

    /// Ends the run: nothing more happens to it.
    pub(super) fn conclude(&mut self, context: &mut Context, outputs: Outputs) {
        let Outputs { values: outputs, mut errors, copied, blobs } = outputs;
        blobs.into_iter().for_each(|blob| context.op(Op::Blob(blob)));
        if self.run.parent.is_some() && !RunUpdate::holds(&outputs) {
            // Its parent takes them from the event.
            errors.push(
                "its outputs are too large together to be passed on; make fewer, or put some in a file"
                    .into(),
            );
        }
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
        let error = match status {
            RunStatus::Failed => Some(sentences.join("; ")),
            // Why it is cancelled, if no person did it.
            RunStatus::Cancelled => self.run.error.clone(),
            _ => None,
        };
        if status == RunStatus::Cancelled {
            self.publish_all_earlier(context);
        } else {
            self.publish_outputs(context, &outputs);
            self.publish_copied(context, copied);
        }
        if self.run.sweep.is_some() {
            let declared = self.plan.workflow.outputs.keys();
            let numbers = declared.map(|name| (name.clone(), number(outputs.get(name))));
            self.numbers = numbers.collect();
        }
        let update = RunUpdate { status, at: Time::now(), start_order: None, error, outputs };
        self.record_run(context, update);
        if self.run.parent.is_none() {
            // A parent takes the values of its children first; they are evicted with its own.
            context.op(Op::Evict { run: self.run.id, keep: context.config.keep_values });
        }
        context.after(After::End(self.run.id));
    }

    /// Returns the values of the workflow's outputs, and their errors.
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

    /// Makes assets of the run itself: of outputs that aren't simply a node's port, and of ports whose values had to be
    /// stored for this. Media in them are already assets of the nodes that made them.
    fn publish_outputs(&self, context: &mut Context, outputs: &Values) {
        let made = Made::default();
        for (name, value) in outputs.iter().filter(|(_, value)| **value != Value::None) {
            let port = match &self.plan.workflow.outputs[name.as_str()].value {
                Template::Expression(expression) => expression.straight(),
                _ => None,
            };
            // A derived port, such as `status`, has no value of its own.
            let port = port.filter(|(node, port)| self.value_of(node, port).is_some());
            let own = port.and_then(|(node, port)| self.value_of(node, port));
            if own == Some(value) || own.is_none() && value.has_media() {
                continue;
            }
            let values = Values::from([(name.clone(), value.clone())]);
            let (node, bodies) = (String::new(), Bodies::new());
            context.op(Op::Values {
                run: self.run.id,
                node,
                item: ItemPath::WHOLE,
                values,
                bodies,
                cache_key: None,
            });
            let media = value.as_large().is_some_and(|large| large.media);
            match port {
                _ if media => {}
                // Stored only for the message; the port's value itself is already an asset.
                Some(_) if !own.is_some_and(publish::is_deferred) => {}
                Some((node, port)) => {
                    self.add_asset(context, node, ItemPath::WHOLE, port, 0, value.clone(), &made);
                }
                None => self.add_asset(context, "", ItemPath::WHOLE, name, 0, value.clone(), &made),
            }
        }
    }

    /// Makes assets of the run from files of the user that are workflow outputs: they are not assets of the node that read
    /// them.
    fn publish_copied(&self, context: &mut Context, copied: Vec<(String, Vec<Value>)>) {
        let made = Made::default();
        for (name, media) in copied {
            for (ordinal, value) in media.into_iter().enumerate() {
                self.add_asset(context, "", ItemPath::WHOLE, &name, ordinal, value, &made);
            }
        }
    }

    /// Returns the value of a port.
    fn value_of(&self, node: &str, port: &str) -> Option<&Value> {
        self.nodes[*self.plan.index.get(node)?].values.as_ref()?.get(port)
    }

    /// Sends the state of the run to the registry.
    pub(super) fn send_listing(&mut self, context: &mut Context) {
        self.listing_changed = false;
        self.run.asks = self.asks().map(Box::new);
        context.after(After::Daemon(DaemonEvent::RunUpdate { run: Box::new(self.run.clone()) }));
    }

    /// Cancels the run: nothing new starts, and running attempts are ended.
    pub(super) fn cancel(&mut self, context: &mut Context) {
        self.cancel_because(context, None);
    }

    /// Returns whether it is being cancelled.
    pub(super) fn is_cancelling(&self) -> bool {
        self.cancelling
    }

    /// Cancels the run, and says why if no person did it.
    pub(super) fn cancel_because(&mut self, context: &mut Context, why: Option<String>) {
        if self.cancelling || self.run.state.is_ended() {
            return;
        }
        self.cancelling = true;
        let update = RunUpdate { error: why, ..RunUpdate::new(RunStatus::Cancelling, Time::now()) };
        self.record_run(context, update);
        self.leave_all_flights(context);
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

/// Returns an output as a number.
fn number(output: Option<&Value>) -> Result<f64, &'static str> {
    let value = output.filter(|value| **value != Value::None).ok_or("has no value")?;
    value.as_float().ok_or("is not a number")
}

/// Returns whether an output must be stored before the run ends: because it is long, because its large values must become
/// one file, or because it names files of the user.
fn must_be_stored(value: &Value, limit: usize) -> bool {
    match value {
        Value::Large(large) => large.cut,
        value => value.has_large() || value.has_source() || value.memory() > limit,
    }
}

/// Stores the outputs of a run. While the disk is full it waits.
async fn store_outputs(mut outputs: Outputs, limit: usize, blobs: &Blobs) -> Outputs {
    copy_sources(&mut outputs, blobs).await;
    let long = |(_, value): &(&String, &Value)| must_be_stored(value, limit);
    let names: Vec<String> = outputs.values.iter().filter(long).map(|(name, _)| name.clone()).collect();
    for name in names {
        let Some(value) = outputs.values.get_mut(&name) else { continue };
        let whole = std::mem::take(value);
        let store = move |blobs: &Blobs| content::stored(&whole, blobs);
        match content::with_space(blobs, &CancellationToken::new(), store).await {
            Ok((handle, published)) => {
                *value = handle;
                outputs.blobs.push(published);
            }
            Err(problem) => {
                outputs.errors.push(format!("output `{name}`: {problem}"));
                outputs.values.shift_remove(&name);
            }
        }
    }
    outputs
}

/// Copies files of the user that outputs name, so that the outputs outlast them.
async fn copy_sources(outputs: &mut Outputs, blobs: &Blobs) {
    let named = |(_, value): &(&String, &Value)| value.has_source();
    let names: Vec<String> = outputs.values.iter().filter(named).map(|(name, _)| name.clone()).collect();
    for name in names {
        let Some(value) = outputs.values.get(&name).cloned() else { continue };
        let sources = value.media().into_iter().map(|media| media.source.is_some()).collect::<Vec<_>>();
        let copy = move |blobs: &Blobs| content::with_copies(&value, blobs);
        match content::with_space(blobs, &CancellationToken::new(), copy).await {
            Ok((copied, published)) => {
                let media = copied.media().into_iter().zip(sources).filter(|(_, of_user)| *of_user);
                let media = media.map(|(media, _)| Value::from(media.clone())).collect();
                outputs.copied.push((name.clone(), media));
                outputs.values.insert(name, copied);
                outputs.blobs.extend(published);
            }
            Err(problem) => {
                outputs.errors.push(format!("output `{name}`: {problem}"));
                outputs.values.shift_remove(&name);
            }
        }
    }
}
