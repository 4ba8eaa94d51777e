//! Commands with `remember:`: what their results depend on besides their inputs is looked at outside the engine's loop, before
//! they start and after they ended. Only results for which both looks saw the same are kept.

use std::sync::Arc;

use fanlight_shared::event::NodeError;
use fanlight_shared::item::ItemPath;
use fanlight_shared::run::NodeStatus;

use super::active::{ActiveRun, Key};
use super::cached::Needed;
use super::context::{After, Context};
use super::{Message, cache_key};
use crate::content;
use crate::executor::{CommandWork, Executor, Surroundings, Work};

impl ActiveRun {
    /// Returns the command of an instance, if its result may be reused.
    pub(super) fn remembered(&self, node: usize, item: ItemPath) -> Option<Arc<CommandWork>> {
        let prepared = self.instance(node, item)?.prepared.as_ref().filter(|it| it.sealed.is_none())?;
        match &*prepared.work {
            // Programs are looked up in the `PATH` of the environment, which such an input would replace.
            Work::Command(command) if command.remember.is_some() && !command.inputs.contains_key("PATH") => {
                Some(Arc::clone(command))
            }
            _ => None,
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
                let result = match executor {
                    Some(executor) => executor.surroundings(run, withheld, work).await,
                    None => Ok(None),
                };
                let _ = messages.send(Message::LookedAround { key, attempts, result });
            });
        })));
    }

    /// Continues with an instance whose surroundings are known.
    pub(super) fn looked_around(
        &mut self,
        context: &mut Context,
        key: Key,
        attempts: u32,
        result: Result<Option<Surroundings>, String>,
    ) {
        let (limit, cancelling) = (content::limit(key.item), self.cancelling);
        let command = self.remembered(key.node, key.item);
        let Some(instance) = self.instance_mut(key.node, key.item) else { return };
        if instance.status != NodeStatus::Ready || instance.attempts != attempts || cancelling {
            return;
        }
        match (result, command) {
            (Err(why), _) => return self.fail(context, key.node, key.item, NodeError::new(why)),
            (Ok(Some(seen)), Some(command)) => {
                let parts = cache_key::of_command(&command, &seen, limit);
                instance.needed = parts.map(|parts| Box::new(Needed::of_command(&parts, seen)));
            }
            (Ok(_), _) => {}
        }
        self.join_or_start(context, key);
    }
}

/// Returns whether everything that the result of a command depends on is still as it was `seen` before it started.
pub(super) async fn is_unchanged(
    executor: &dyn Executor,
    attempt: (Arc<crate::attempt::RunFacts>, Arc<[String]>),
    work: Arc<Work>,
    seen: &Surroundings,
) -> bool {
    let (run, withheld) = attempt;
    match executor.surroundings(run, withheld, work).await {
        Ok(Some(now)) => now == *seen,
        Ok(None) | Err(_) => false,
    }
}
