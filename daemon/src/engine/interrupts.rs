//! The running nodes that the end of this daemon interrupts.

use fanlight_shared::item::ItemPath;
use fanlight_shared::rpc::daemon::Interrupts;

use super::core::Core;

/// How many of them are named.
const MAX_NAMES: usize = 8;

impl Core {
    /// Returns the running nodes whose executors don't continue without this daemon.
    pub(super) fn interrupts(&self) -> Interrupts {
        let mut found = Interrupts::default();
        for run in self.active.values() {
            for (plan, node) in run.plan.nodes.iter().zip(&run.nodes) {
                let executor = self.context.executors.get(&plan.executor).map(|it| it.capabilities());
                if executor.is_some_and(|it| it.adopts) {
                    continue;
                }
                let items = node.items.iter().flat_map(|items| (0..).map(ItemPath::item).zip(&items.runs));
                for (item, instance) in items.chain([(ItemPath::WHOLE, &node.whole)]) {
                    if instance.live.is_none() {
                        continue;
                    }
                    if plan.runs_again() {
                        found.again += 1;
                        continue;
                    }
                    found.fail += 1;
                    if found.first.len() < MAX_NAMES {
                        found.first.push(format!("`{}{item}` of {}", plan.name, run.run.name()));
                    }
                }
            }
        }
        found
    }
}
