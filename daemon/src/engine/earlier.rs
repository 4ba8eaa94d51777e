//! Outputs of failed attempts that are followed by another one. They are stored at once, so that neither the next attempt
//! nor the end of the daemon loses them, and are published with the end of their node: if it completes, only what its last
//! attempt made counts; otherwise each output is the newest that any attempt made.

use std::collections::HashSet;

use fanlight_shared::event::{DaemonEvent, NodeUpdate};
use fanlight_shared::id::BlobHash;
use fanlight_shared::item::ItemPath;
use fanlight_shared::run::NodeStatus;
use fanlight_shared::value::{Value, Values};
use fanlight_shared::workflow::COMMAND_PORTS;

use super::active::{ActiveRun, Made};
use super::context::{After, Context};
use super::key::Key;
use super::publish;
use crate::store::blob::Published;
use crate::store::{Bodies, Op};

impl ActiveRun {
    /// Stores the outputs of a failed attempt that another one follows. What a command says of itself (`stdout` and the
    /// like) belongs to its attempt and is in its log.
    pub(super) fn keep_outputs(
        &mut self,
        context: &mut Context,
        key: Key,
        mut values: Values,
        mut blobs: Vec<Published>,
        mut bodies: Bodies,
        made: Made,
    ) {
        let (mut dropped, mut gone) = (Values::new(), HashSet::<BlobHash>::new());
        for (port, _) in COMMAND_PORTS {
            dropped.extend(values.shift_remove(port).map(|value| (port.to_owned(), value)));
            gone.extend(bodies.shift_remove(port).map(|body| body.hash));
        }
        self.release(&dropped);
        if values.is_empty() {
            return;
        }
        let hashes = |values: &Values| -> HashSet<BlobHash> {
            values.values().flat_map(Value::blobs).map(|(hash, _)| hash).collect()
        };
        gone.extend(hashes(&dropped));
        let kept = hashes(&values);
        blobs.retain(|blob| kept.contains(&blob.hash) || !gone.contains(&blob.hash));
        blobs.into_iter().for_each(|blob| context.op(Op::Blob(blob)));
        let node = self.plan.nodes[key.node].name.clone();
        context.op(Op::Values {
            run: self.run.id,
            node,
            item: key.item,
            values: values.clone(),
            bodies,
            cache_key: None,
        });
        let Some(instance) = self.instance_mut(key.node, key.item) else { return };
        let earlier = instance.earlier.get_or_insert_default();
        let mut replaced = Values::new();
        for (port, value) in values {
            if let Some((old, _)) = earlier.0.insert(port.clone(), (value, made)) {
                replaced.insert(port, old);
            }
        }
        self.release(&replaced);
    }

    /// Publishes the outputs of failed attempts with the end of their instance, or removes them if it completed.
    pub(super) fn end_earlier(
        &mut self,
        context: &mut Context,
        node: usize,
        item: ItemPath,
        status: NodeStatus,
        update: &mut NodeUpdate,
    ) {
        let Some(instance) = self.instance_mut(node, item) else { return };
        let Some(earlier) = instance.earlier.take() else { return };
        let made_again = |port: &String| instance.values.as_ref().is_some_and(|it| it.contains_key(port));
        let (replaced, left): (Vec<_>, Vec<_>) =
            earlier.0.into_iter().partition(|(port, _)| made_again(port));
        let values = |outputs: Vec<(String, (Value, Made))>| -> Values {
            outputs.into_iter().map(|(port, (value, _))| (port, value)).collect()
        };
        if !status.has_values() {
            for (port, (value, made)) in left {
                self.publish_earlier(context, node, item, &port, &value, &made);
                update.outputs.insert(port.clone(), publish::shorten(&value));
                let Some(instance) = self.instance_mut(node, item) else { return };
                instance.values.get_or_insert_default().insert(port, value);
            }
            return self.release(&values(replaced));
        }
        let ports: Vec<String> = left.iter().map(|(port, _)| port.clone()).collect();
        self.release(&values(replaced));
        self.release(&values(left));
        if !ports.is_empty() {
            let node = self.plan.nodes[node].name.clone();
            context.op(Op::DropValues { run: self.run.id, node, item, ports });
        }
    }

    /// Publishes the outputs of failed attempts of nodes that a cancel ends between two attempts.
    pub(super) fn publish_all_earlier(&mut self, context: &mut Context) {
        for node in 0..self.nodes.len() {
            let items = self.nodes[node].items.as_ref().map_or(0, |items| items.runs.len());
            let items = (0..items).map(|index| ItemPath::item(index as u32));
            for item in items.chain([ItemPath::WHOLE]) {
                let earlier = self.instance_mut(node, item).and_then(|instance| instance.earlier.take());
                for (port, (value, made)) in earlier.into_iter().flat_map(|earlier| earlier.0) {
                    self.publish_earlier(context, node, item, &port, &value, &made);
                }
            }
        }
    }

    /// Publishes an output whose value is stored already.
    fn publish_earlier(
        &mut self,
        context: &mut Context,
        node: usize,
        item: ItemPath,
        port: &str,
        value: &Value,
        made: &Made,
    ) {
        context.after(After::Daemon(DaemonEvent::OutputUpdate {
            workflow_id: self.run.workflow_id,
            run_id: self.run.id,
            node: self.plan.nodes[node].name.clone(),
            item,
            port: port.to_owned(),
            value: publish::shorten(value),
        }));
        let values = Values::from([(port.to_owned(), value.clone())]);
        self.publish_assets(context, node, item, &values, made);
    }
}
