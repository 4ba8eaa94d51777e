//! Instances that are ready and wait for pools or a lock, and what their node shows meanwhile.

use fanlight_shared::event::LiveEvent;

use super::active::{ActiveRun, Key};
use super::context::{After, Context};
use super::pools::{Entry, Ticket};

impl ActiveRun {
    /// Starts the attempt of an instance that is ready, as soon as its pools have a place.
    pub(super) fn enter_pools(&mut self, context: &mut Context, key: Key) {
        let needs = self.resources(key.node, key.item);
        let Some(instance) = self.instance_mut(key.node, key.item) else { return };
        match context.pools.enter(&needs, key) {
            Entry::Starts(key) => self.start_attempt(context, key),
            Entry::Waits(ticket) => {
                instance.ticket = Some(ticket);
                self.tell_waiting(context, key.node, ticket);
            }
        }
    }

    /// Shows what a node waits for, once however many of its instances wait.
    fn tell_waiting(&mut self, context: &mut Context, node: usize, ticket: Ticket) {
        self.nodes[node].in_line += 1;
        if self.nodes[node].in_line == 1 {
            let reason = context.pools.wait(ticket).map(|wait| wait.text);
            self.tell_wait(context, node, reason);
        }
    }

    pub(super) fn tell_wait(&self, context: &mut Context, node: usize, reason: Option<String>) {
        let event = LiveEvent::WaitUpdate { node: self.plan.nodes[node].name.clone(), reason };
        let (hub, workflow_id, run_id) = (context.hub.clone(), self.run.workflow_id, self.run.id);
        context.after(After::Do(Box::new(move || hub.live(workflow_id, run_id, event))));
    }

    /// Shows that an instance waits no longer, if it was the last one of its node.
    pub(super) fn end_wait(&mut self, context: &mut Context, node: usize) {
        self.nodes[node].in_line = self.nodes[node].in_line.saturating_sub(1);
        if self.nodes[node].in_line == 0 {
            self.tell_wait(context, node, None);
        }
    }
}
