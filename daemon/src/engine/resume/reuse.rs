//! Decides what a resumed run reuses: everything finished that doesn't depend on anything that runs again, including
//! its conditions.

use std::collections::{BTreeSet, HashMap, HashSet};

use fanlight_shared::expression::Root;
use fanlight_shared::item::ItemPath;
use fanlight_shared::origin::Origin;
use fanlight_shared::rpc::runs::{Reuse, ReusedNode};
use fanlight_shared::run::{NodeStatus, Run};
use fanlight_shared::run_state::{InstanceState, NodeState, RunState};
use fanlight_shared::value::{Value, Values};
use fanlight_shared::workflow::{CommandOutput, Node};
use indexmap::IndexMap;

use crate::engine::plan::{Plan, PlanNode};
use crate::store::Finished;

/// The part of a node that runs again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Rerun {
    Nothing,
    /// These items.
    Items(BTreeSet<u32>),
    All,
}

impl Rerun {
    fn has(&self, item: ItemPath) -> bool {
        match (self, item.0) {
            (Self::Nothing, _) => false,
            (Self::Items(items), Some(index)) => items.contains(&index),
            (Self::Items(_) | Self::All, _) => true,
        }
    }
}

/// An ended run: its state, and its stored values.
pub(super) struct Ended<'a> {
    state: &'a RunState,
    /// Instances whose values are all stored.
    stored: HashSet<(&'a str, ItemPath)>,
    /// Nodes of which a value is no longer kept.
    gone: HashSet<&'a str>,
}

impl<'a> Ended<'a> {
    /// Decides what a new run reuses. `is_there` returns whether the stored value of a port may be taken over.
    pub(super) fn new(
        state: &'a RunState,
        values: &'a [(String, ItemPath, String, Option<Value>)],
        is_there: impl Fn(&str, &str, &Value) -> bool,
    ) -> Self {
        let mut whole: HashMap<(&str, ItemPath), bool> = HashMap::new();
        for (node, item, port, value) in values {
            *whole.entry((node.as_str(), *item)).or_insert(true) &=
                value.as_ref().is_some_and(|value| is_there(node, port, value));
        }
        let gone =
            values.iter().filter(|(.., value)| value.is_none()).map(|(node, ..)| node.as_str()).collect();
        let stored = whole.into_iter().filter(|(_, whole)| *whole).map(|(instance, _)| instance).collect();
        Self { state, stored, gone }
    }

    /// Returns the instances of this run whose values are reused.
    pub(super) fn finished(&self, run: &Run, plan: &Plan, again: &[Rerun]) -> Vec<Finished> {
        let mut finished = Vec::new();
        for (node, again) in plan.nodes.iter().zip(again) {
            let Some(seen) = self.state.nodes.get(&node.name) else { continue };
            let kept = instances(seen).filter(|(item, seen)| {
                !again.has(*item)
                    && seen.status.has_values()
                    && self.stored.contains(&(node.name.as_str(), *item))
            });
            finished.extend(kept.map(|(item, seen)| {
                let own = || Origin { run_id: run.id, run: run.name(), node: node.name.clone(), item };
                let origin = seen.origin.as_deref().cloned().unwrap_or_else(own);
                Finished { node: node.name.clone(), item, origin }
            }));
        }
        finished
    }

    /// Returns a summary for people. `finished`: see [`Self::finished`].
    pub(super) fn reuse(&self, plan: &Plan, again: &[Rerun], finished: &[Finished]) -> Reuse {
        let mut reuse = Reuse::default();
        let mut kept: HashMap<&str, u32> = HashMap::new();
        for it in finished {
            *kept.entry(&it.node).or_default() += 1;
        }
        for (node, again) in plan.nodes.iter().zip(again) {
            if let Some(count) = kept.get(node.name.as_str()) {
                let of = self.state.nodes.get(&node.name).and_then(|seen| seen.item_count);
                reuse.reused.push(ReusedNode { node: node.name.clone(), items: of.map(|_| *count), of });
            }
            if *again != Rerun::Nothing {
                reuse.rerun.push(node.name.clone());
            }
        }
        reuse
    }

    /// Returns the nodes that run again because their values are no longer kept, and not because of what they read.
    pub(super) fn gone<'p>(&self, plan: &'p Plan, all: &[Rerun], touched: &HashSet<usize>) -> Vec<&'p str> {
        let nodes = plan.nodes.iter().zip(all).enumerate();
        let gone = nodes.filter(|(at, (node, again))| {
            **again != Rerun::Nothing
                && !touched.contains(at)
                && self.gone.contains(node.name.as_str())
                && node.deps.iter().all(|dep| all[*dep] == Rerun::Nothing)
        });
        gone.map(|(_, (node, _))| node.name.as_str()).collect()
    }

    /// Returns what runs again because of the end of the node itself.
    fn own(&self, node: &PlanNode) -> Rerun {
        let Some(seen) = self.state.nodes.get(&node.name) else { return Rerun::All };
        let skipped = seen.whole.status == NodeStatus::Skipped;
        match (node.node.each.is_some(), seen.item_count) {
            (false, _) if self.stays(node, ItemPath::WHOLE, &seen.whole) => Rerun::Nothing,
            (true, Some(count)) => {
                let stays = |index: &u32| {
                    let item = seen.items.get(index);
                    item.is_some_and(|item| self.stays(node, ItemPath::item(*index), item))
                };
                let again: BTreeSet<u32> = (0..count).filter(|index| !stays(index)).collect();
                if again.is_empty() { Rerun::Nothing } else { Rerun::Items(again) }
            }
            (true, None) if skipped => Rerun::Nothing,
            _ => Rerun::All,
        }
    }

    /// Returns whether the result of an instance stays valid as long as its inputs do.
    fn stays(&self, node: &PlanNode, item: ItemPath, seen: &InstanceState) -> bool {
        match seen.status {
            NodeStatus::Skipped => true,
            status => status.has_values() && self.stored.contains(&(node.name.as_str(), item)),
        }
    }
}

fn instances(seen: &NodeState) -> impl Iterator<Item = (ItemPath, &InstanceState)> {
    let items = seen.items.iter().map(|(index, item)| (ItemPath::item(*index), item));
    items.chain(seen.item_count.is_none().then_some((ItemPath::WHOLE, &seen.whole)))
}

/// Returns what runs again in each node: unfinished instances, nodes `touched` by a change of the file, and everything
/// that reads something that runs again.
pub(super) fn again(plan: &Plan, ended: &Ended<'_>, touched: &HashSet<usize>) -> Vec<Rerun> {
    let mut again = vec![Rerun::All; plan.nodes.len()];
    let mut waits: Vec<usize> = plan.nodes.iter().map(|node| node.deps.len()).collect();
    let mut next: Vec<usize> = (0..waits.len()).filter(|at| waits[*at] == 0).collect();
    while let Some(at) = next.pop() {
        let node = &plan.nodes[at];
        let straight = node.straight.as_ref().map(|(from, _)| *from);
        let reads_again = node.deps.iter().any(|dep| Some(*dep) != straight && again[*dep] != Rerun::Nothing);
        again[at] = match (ended.own(node), straight.map(|from| &again[from])) {
            _ if reads_again || touched.contains(&at) => Rerun::All,
            (Rerun::All, _) | (_, Some(Rerun::All)) => Rerun::All,
            (own, None | Some(Rerun::Nothing)) => own,
            (Rerun::Nothing, Some(Rerun::Items(read))) => Rerun::Items(read.clone()),
            (Rerun::Items(own), Some(Rerun::Items(read))) => Rerun::Items(own.union(read).copied().collect()),
        };
        for reader in &node.readers {
            waits[*reader] -= 1;
            if waits[*reader] == 0 {
                next.push(*reader);
            }
        }
    }
    again
}

/// Returns the nodes of the new plan that do something different from the old one, or that read a param with a new
/// value.
pub(super) fn touched(old: (&Plan, &Values), new: (&Plan, &Values)) -> HashSet<usize> {
    let ((old, old_params), (new, new_params)) = (old, new);
    let other = |name: &str| old_params.get(name) != new_params.get(name);
    let is_touched = |node: &PlanNode| {
        let same =
            old.index.get(&node.name).is_some_and(|at| is_equivalent(&old.nodes[*at].node, &node.node));
        let references = node.node.expressions().into_iter().flat_map(|(_, it)| it.references());
        let reads_other = references.filter(|it| it.root == Root::Params).any(|it| match &it.port {
            Some(param) => other(param),
            None => old_params != new_params,
        });
        !same || reads_other
    };
    (0..new.nodes.len()).filter(|at| is_touched(&new.nodes[*at])).collect()
}

/// Returns whether both compute the same from the same inputs, under the same conditions. Retries, timeouts, resources,
/// pools, locks, engines and metrics make no difference.
fn is_equivalent(one: &Node, other: &Node) -> bool {
    let Node {
        action,
        with,
        needs,
        condition,
        each,
        env,
        pass_env,
        dir,
        outputs,
        native_outputs,
        drop_failed_items,
        retry: _,
        timeout: _,
        resources: _,
        pool: _,
        lock: _,
        engine: _,
        keep: _,
        metrics: _,
        remember: _,
        effects: _,
        again_on_interrupt: _,
        allow_failure: _,
        span: _,
    } = one;
    let declared = |outputs: &IndexMap<String, CommandOutput>| {
        let declared = outputs.iter().map(|(name, it)| {
            let CommandOutput { source, ty, name: file, take_unchanged, span: _ } = it;
            (name.clone(), source.clone(), ty.clone(), file.clone(), *take_unchanged)
        });
        declared.collect::<Vec<_>>()
    };
    *action == other.action
        && *with == other.with
        && *needs == other.needs
        && *condition == other.condition
        && *each == other.each
        && *env == other.env
        && *pass_env == other.pass_env
        && *dir == other.dir
        && *drop_failed_items == other.drop_failed_items
        && declared(outputs) == declared(&other.outputs)
        && *native_outputs == other.native_outputs
}
