//! Commands with `remember:`: what their results depend on besides their inputs is looked at outside the engine's loop, before
//! they start and after they ended. Only results for which both looks saw the same are kept.

use std::sync::Arc;

use fanlight_shared::event::NodeError;
use fanlight_shared::item::ItemPath;
use fanlight_shared::run::NodeStatus;

use super::active::{ActiveInstance, ActiveRun, Needed};
use super::cache_key;
use super::cache_key::KeyParts;
use super::context::{After, Context};
use super::key::Key;
use super::message::{Message, Seen};
use crate::content;
use crate::executor::{CommandWork, Executor, Surroundings, Work};

impl ActiveInstance {
    /// Returns the command, if its result may be reused.
    fn remembered(&self) -> Option<&Arc<CommandWork>> {
        let prepared = self.prepared.as_ref().filter(|it| it.sealed.is_none())?;
        match &*prepared.work {
            // Programs are looked up in the `PATH` of the environment, which such an input would replace.
            Work::Command(command) if command.remember.is_some() && !command.inputs.contains_key("PATH") => {
                Some(command)
            }
            _ => None,
        }
    }

    /// Returns whether the surroundings of its command are being looked at, if it is ready.
    pub(super) fn is_looking(&self) -> bool {
        self.needed.is_none() && self.ticket.is_none() && self.remembered().is_some()
    }
}

impl ActiveRun {
    /// Returns the command of an instance, if its result may be reused.
    pub(super) fn remembered(&self, node: usize, item: ItemPath) -> Option<Arc<CommandWork>> {
        self.instance(node, item)?.remembered().map(Arc::clone)
    }

    /// Returns the parts of the key of the result of a command with these surroundings.
    fn parts_of(&self, key: Key, seen: &Surroundings) -> Option<KeyParts> {
        let command = self.instance(key.node, key.item)?.remembered()?;
        cache_key::of_command(command, seen, content::limit(key.item))
    }

    /// Returns whether an instance shares its result, now that its surroundings were looked at: otherwise it starts or fails.
    pub(super) fn shares(&self, key: Key, seen: &Seen) -> bool {
        let Ok(Some(seen)) = seen else { return false };
        !self.is_fresh(key.node) && self.parts_of(key, seen).is_some()
    }

    /// Looks again at the surroundings of an instance that had to wait after it had looked.
    pub(super) fn look_again(&mut self, context: &mut Context, key: Key) {
        let instance = self.instance(key.node, key.item);
        if !self.cancelling && instance.is_some_and(|it| it.status == NodeStatus::Ready && it.is_looking()) {
            self.find_or_start(context, key.node, key.item);
        }
    }

    /// Looks at what the result of a command that is ready depends on.
    pub(super) fn look_around(&self, context: &mut Context, key: Key, command: Arc<CommandWork>) {
        let plan = &self.plan.nodes[key.node];
        let Some(instance) = self.instance(key.node, key.item) else { return };
        let attempts = instance.attempts;
        let executor = context.executors.get(&plan.executor).cloned();
        let (run, withheld) = (Arc::clone(&self.facts), Arc::clone(&plan.withheld));
        let (messages, runtime) = (context.messages.clone(), context.runtime.clone());
        context.after(After::Do(Box::new(move || {
            runtime.spawn(async move {
                let work = Arc::new(Work::Command(command));
                let seen = match executor {
                    Some(executor) => executor.surroundings(run, withheld, work).await,
                    None => Ok(None),
                };
                let _ = messages.send(Message::LookedAround { key, attempts, seen });
            });
        })));
    }

    /// Continues with an instance whose surroundings are known.
    pub(super) fn looked_around(&mut self, context: &mut Context, key: Key, attempts: u32, seen: Seen) {
        let waits = |it: &ActiveInstance| it.status == NodeStatus::Ready && it.attempts == attempts;
        if self.cancelling || !self.instance(key.node, key.item).is_some_and(waits) {
            return;
        }
        let needed = match seen {
            Err(why) => return self.fail(context, key.node, key.item, NodeError::new(why)),
            Ok(Some(seen)) => {
                self.parts_of(key, &seen).map(|parts| Box::new(Needed::of_command(&parts, &seen)))
            }
            Ok(None) => None,
        };
        if let Some(instance) = self.instance_mut(key.node, key.item) {
            instance.needed = needed;
        }
        self.join_or_start(context, key);
    }
}

/// Returns whether everything that the result of a command depends on is still as it was `seen` before it started.
pub(super) async fn is_unchanged(
    executor: &dyn Executor,
    attempt: (Arc<crate::attempt::RunFacts>, Arc<[String]>),
    work: Arc<Work>,
    seen: &[u8; 32],
) -> bool {
    let (run, withheld) = attempt;
    match executor.surroundings(run, withheld, work).await {
        Ok(Some(now)) => now.hash() == *seen,
        Ok(None) | Err(_) => false,
    }
}
