//! Instances that are ready and wait for pools or a lock, and what their node shows meanwhile.

use fanlight_shared::event::LiveEvent;

use super::active::ActiveRun;
use super::context::{After, Context};
use super::core::Core;
use super::key::Key;
use super::pools::{Entry, Need, Resource, Ticket};

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

impl Core {
    /// Shows again what nodes wait for that wait for GPUs: other ones are lost now.
    pub(super) fn tell_gpu_waits(&mut self) {
        for run in self.active.values() {
            for (node, state) in run.nodes.iter().enumerate().filter(|(_, state)| state.in_line > 0) {
                let items = state.items.iter().flat_map(|items| items.runs.iter());
                let ticket = items.chain([&state.whole]).find_map(|instance| instance.ticket);
                let wait = ticket.and_then(|ticket| self.context.pools.wait(ticket));
                if let Some(wait) = wait
                    && matches!(wait.resource, Resource::Machine(Need::Gpus(_)))
                {
                    run.tell_wait(&mut self.context, node, Some(wait.text));
                }
            }
        }
    }
}
