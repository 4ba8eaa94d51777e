//! A run that has a slot: what the engine holds of it in memory.

mod earlier;
mod instance;
#[cfg(feature = "llm")]
mod lent;
mod made;
mod needed;
mod prepared;
mod watch;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use fanlight_shared::document::children::starts_runs;
use fanlight_shared::document::lock_name;
use fanlight_shared::event::{NodeUpdate, Numbered, RunUpdate, StateEvent};
use fanlight_shared::expression::{Load, Outcome as Upstream, Root, Scope};
use fanlight_shared::id::AttemptId;
use fanlight_shared::item::ItemPath;
use fanlight_shared::origin::{Fresh, Origin};
use fanlight_shared::run::{NodeStatus, Run};
use fanlight_shared::transition::{self, State};
use fanlight_shared::value::{Value, Values};
use fanlight_shared::workflow::STATUS_PORT;

pub(super) use instance::{ActiveInstance, Live};
#[cfg(feature = "llm")]
pub(super) use lent::Lent;
pub(super) use made::Made;
pub(super) use needed::Needed;
pub(super) use prepared::Prepared;
pub(super) use watch::Watch;

use super::context::{After, Context};
use super::key::Key;
use super::place::Place;
use super::plan::Plan;
use super::pools::{self, Need, Needs, Resource};
use crate::attempt::RunFacts;
use crate::content::Loader;
use crate::store::blob::Blobs;
use crate::store::{Numbers, Op};

/// How many other runs a run starts at once. The limit is not shared by runs: one that waited for the end of another
/// could be what that waits for.
const MAX_CHILDREN: u32 = 16;

/// A run that has a slot.
pub(crate) struct ActiveRun {
    /// The constant facts, for executors.
    pub(super) facts: Arc<RunFacts>,
    /// As lists show it.
    pub(super) run: Run,
    pub(super) plan: Arc<Plan>,
    pub(super) nodes: Vec<NodeRun>,
    /// The nodes that reuse no results.
    pub(super) fresh: Arc<Fresh>,
    /// The number of its last state event.
    pub(super) seq: u64,
    /// A person ended it; nothing new starts.
    pub(super) cancelling: bool,
    /// Nodes that have not ended.
    pub(super) left: usize,
    /// Attempts that run, or will as soon as their commit is done.
    pub(super) live: usize,
    /// Instances that ask a person.
    pub(super) asking: usize,
    /// Those of them that wait until a deadline only.
    pub(super) due: usize,
    /// Instances made by `each`, against the limit of a run.
    pub(super) instances: usize,
    /// Finished values that this run takes over from the one it resumes.
    pub(super) taken: HashMap<(String, ItemPath), Taken>,
    /// Nodes that ended and whose dependents were not notified yet.
    pub(super) settled: VecDeque<usize>,
    /// Items that ended and whose item-by-item dependents were not notified yet.
    pub(super) settled_items: VecDeque<(usize, u32)>,
    /// About how many bytes its values take in memory.
    pub(super) memory: usize,
    /// Reads large values for its expressions.
    pub(super) loader: Arc<dyn Load>,
    /// Its outputs are being stored; then it ends.
    pub(super) storing_outputs: bool,
    /// Its listing changed since it was last sent to the registry.
    pub(super) listing_changed: bool,
    /// Its outputs once it has ended, if it belongs to a sweep.
    pub(super) numbers: Numbers,
    /// Watches its metric, if it may be ended early for it.
    pub(super) watch: Option<Arc<Watch>>,
    /// The fold of its events, which tests compare it with.
    #[cfg(test)]
    pub(super) folded: fanlight_shared::run_state::RunState,
}

/// The values of a node or item that a run takes over from the one it resumes.
#[derive(Default)]
pub(super) struct Taken {
    pub(super) values: Values,
    /// Where they were computed.
    pub(super) origin: Option<Origin>,
}

/// A node of a run that has a slot.
#[derive(Default)]
pub(super) struct NodeRun {
    /// The node itself; of a node with `each` only its status counts.
    pub(super) whole: ActiveInstance,
    /// Nodes it waits for that have not ended.
    pub(super) pending: usize,
    /// Its items, once their list is known.
    pub(super) items: Option<Items>,
    /// The values of its ports once it has ended; for a node with `each`, lists.
    pub(super) values: Option<Values>,
    /// Readers with the default condition are skipped: it failed and may not, or was skipped for that reason.
    pub(super) tainted: bool,
    /// An item was skipped because the item it reads failed.
    pub(super) item_upstream_failed: bool,
    /// How many of its instances wait for pools or a lock.
    pub(super) in_line: u32,
}

impl NodeRun {
    /// Returns the value of a port of an ended node.
    pub(super) fn port(&self, port: &str) -> Option<&Value> {
        self.values.as_ref()?.get(port)
    }

    /// Returns the value of the derived port `status`: for a node with `each`, a list.
    fn status(&self) -> Option<Value> {
        let word = |instance: &ActiveInstance| {
            Value::from(match instance.status {
                // A reused value comes from a completed node, and conditions depend on that.
                NodeStatus::Cached => NodeStatus::Completed.word(),
                status => status.word(),
            })
        };
        match &self.items {
            Some(items) => Some(Value::List(items.runs.iter().map(word).collect())),
            None => self.whole.status.is_ended().then(|| word(&self.whole)),
        }
    }
}

/// The items of a node with `each`.
pub(super) struct Items {
    /// `item` by index; of straight readers filled in when the item upstream ends.
    pub(super) inputs: Vec<Option<Value>>,
    pub(super) runs: Vec<ActiveInstance>,
    /// Items that have not ended.
    pub(super) left: usize,
}

/// Moves on to a state. A transition that the table does not have is a fault of the engine: it is logged, and the state
/// stays as it is.
pub(super) fn enter<S: State>(state: &mut S, next: S) {
    debug_assert!(state.may_become(next), "{} can't become {}", state.word(), next.word());
    if let Err(error) = transition::enter(state, next) {
        tracing::error!(%error, "an illegal change of state was ignored");
    }
}

impl ActiveRun {
    pub(super) fn new(run: Run, plan: Arc<Plan>, place: Place, blobs: &Blobs) -> Self {
        let nodes = plan
            .nodes
            .iter()
            .map(|node| NodeRun { pending: node.deps.len(), ..NodeRun::default() })
            .collect::<Vec<_>>();
        Self {
            #[cfg(test)]
            folded: fanlight_shared::run_state::RunState::new(plan.nodes.iter().map(|it| it.name.clone())),
            facts: Arc::new(RunFacts {
                id: run.id,
                number: run.number,
                label: run.label.clone(),
                workflow_id: run.workflow_id,
                workflow: run.workflow.clone(),
                project: place.project,
                environment: place.environment,
            }),
            run,
            left: nodes.len(),
            nodes,
            plan,
            fresh: place.fresh,
            seq: 0,
            cancelling: false,
            live: 0,
            asking: 0,
            due: 0,
            instances: 0,
            taken: HashMap::new(),
            settled: VecDeque::new(),
            settled_items: VecDeque::new(),
            memory: 0,
            loader: Arc::new(Loader(blobs.clone())),
            storing_outputs: false,
            listing_changed: false,
            numbers: Numbers::new(),
            watch: None,
        }
    }

    pub(super) fn key(&self, node: usize, item: ItemPath) -> Key {
        Key { run: self.run.id, node, item }
    }

    pub(super) fn instance(&self, node: usize, item: ItemPath) -> Option<&ActiveInstance> {
        match item.0 {
            None => Some(&self.nodes[node].whole),
            Some(index) => self.nodes[node].items.as_ref()?.runs.get(index as usize),
        }
    }

    pub(super) fn instance_mut(&mut self, node: usize, item: ItemPath) -> Option<&mut ActiveInstance> {
        match item.0 {
            None => Some(&mut self.nodes[node].whole),
            Some(index) => self.nodes[node].items.as_mut()?.runs.get_mut(index as usize),
        }
    }

    /// Returns every instance that may have attempts: the items of a node if it has some, else the node itself.
    pub(super) fn instances_mut(&mut self) -> impl Iterator<Item = &mut ActiveInstance> {
        self.nodes.iter_mut().flat_map(|node| match &mut node.items {
            Some(items) => items.runs.iter_mut(),
            None => std::slice::from_mut(&mut node.whole).iter_mut(),
        })
    }

    /// Returns what an attempt of this instance holds while it runs.
    pub(super) fn resources(&self, node: usize, item: ItemPath) -> Needs {
        let plan = &self.plan.nodes[node];
        // A lock without a name fails the node before it asks for anything.
        let lock = self.lock(node).ok().flatten().map(Resource::Lock);
        let prepared = self.instance(node, item).and_then(|instance| instance.prepared.as_ref());
        let pool = prepared.and_then(|it| it.work.pool()).map(|pool| Resource::pool(&pool));
        let needed = prepared.and_then(|it| it.resources.as_deref()).filter(|_| plan.is_here());
        let child = starts_runs(&plan.node)
            .then(|| Resource::Children(format!("runs of {}", self.run.name()), MAX_CHILDREN));
        if lock.is_none() && pool.is_none() && needed.is_none() && child.is_none() {
            return plan.resources.clone();
        }
        let machine = needed.into_iter().flat_map(Need::of).map(Resource::Machine);
        pools::needs(plan.resources.iter().cloned().chain(lock).chain(pool).chain(machine).chain(child))
    }

    /// Returns the name of the lock that this node holds: its params are known from the start, so it never changes.
    ///
    /// # Errors
    /// The name is not valid.
    pub(super) fn lock(&self, node: usize) -> Result<Option<String>, String> {
        let Some(template) = self.plan.nodes[node].lock() else { return Ok(None) };
        let scope = RunScope { run: self, item: None, upstream: Upstream::default() };
        let wrong = |why: &str| format!("`lock` {why}");
        let value = template.evaluate(&scope).map_err(|error| format!("`lock`: {error}"))?;
        let name = value.ok_or_else(|| wrong("is empty: a param in it is absent"))?.to_text()?;
        lock_name(&name).map_err(|why| wrong(&why))?;
        Ok(Some(name))
    }

    /// Returns every instance that may have attempts, to read.
    pub(super) fn instances(&self) -> impl DoubleEndedIterator<Item = &ActiveInstance> {
        self.nodes.iter().flat_map(|node| match &node.items {
            Some(items) => items.runs.as_slice(),
            None => std::slice::from_ref(&node.whole),
        })
    }

    /// Returns the running attempts.
    pub(super) fn living(&self) -> impl Iterator<Item = AttemptId> {
        self.instances().filter_map(|instance| instance.live.as_ref().map(|live| live.id))
    }

    /// Records a change of a node, which is sent once it is stored.
    pub(super) fn record_node(&mut self, context: &mut Context, update: NodeUpdate) {
        self.emit(context, StateEvent::NodeUpdate(update));
    }

    /// Moves the run to another state, which is sent to its watchers and to the registry once it is stored.
    pub(super) fn record_run(&mut self, context: &mut Context, update: RunUpdate) {
        let mut state = self.run.state;
        enter(&mut state, update.status);
        if state != update.status {
            return;
        }
        self.emit(context, StateEvent::RunUpdate(update));
        self.send_listing(context);
    }

    fn emit(&mut self, context: &mut Context, mut event: StateEvent) {
        event.shorten();
        self.seq += 1;
        self.run.fold(&event);
        let event = Arc::new(Numbered { seq: self.seq, event });
        #[cfg(test)]
        self.folded.fold(&event);
        context.op(Op::Event { run: self.run.id, event: event.clone() });
        context.after(After::State { workflow_id: self.run.workflow_id, run_id: self.run.id, event });
    }

    /// Asserts that a daemon that recovered the run from its events now would have the same run.
    #[cfg(test)]
    pub(super) fn assert_recoverable(&self) {
        assert_eq!(self.run.summary(), self.folded.summary(), "{}", self.run.name());
        for (plan, node) in self.plan.nodes.iter().zip(&self.nodes) {
            let state = &self.folded.nodes[&plan.name];
            node.whole.assert_agrees(&state.whole, &plan.name);
            let none = fanlight_shared::run_state::InstanceState::default();
            for (index, item) in (0..).zip(node.items.iter().flat_map(|items| &items.runs)) {
                item.assert_agrees(
                    state.items.get(&index).unwrap_or(&none),
                    &format!("{}[{index}]", plan.name),
                );
            }
        }
    }

    /// Returns what `success()` and `failure()` read about this node. A node with `allow_failure` that failed counts as
    /// one that went well; its port `status` says what happened. The node that is read item by item is left out: its
    /// items count one by one.
    pub(super) fn upstream(&self, node: usize) -> Upstream {
        let plan = &self.plan.nodes[node];
        let straight = plan.straight.as_ref().map(|(from, _)| *from);
        Upstream {
            failed: plan.deps.iter().any(|dep| Some(*dep) != straight && self.nodes[*dep].tainted),
            skipped: plan.needs.iter().any(|need| self.nodes[*need].whole.status == NodeStatus::Skipped),
        }
    }
}

/// The scope of an expression of a run.
pub(super) struct RunScope<'a> {
    pub(super) run: &'a ActiveRun,
    pub(super) item: Option<(&'a Value, u32)>,
    pub(super) upstream: Upstream,
}

impl Scope for RunScope<'_> {
    fn get(&self, root: &Root, field: Option<&str>) -> Option<Value> {
        match (root, field) {
            (Root::Params, Some(name)) => {
                self.run.run.params.get(name).filter(|it| **it != Value::None).cloned()
            }
            (Root::Params, None) => Some(Value::Object(self.run.run.params.clone())),
            (Root::Run, field) => {
                let run = &self.run.run;
                let facts = [
                    ("id", Value::from(run.id.to_string())),
                    ("number", Value::Int(i64::from(run.number))),
                    ("label", Value::from(run.label.clone())),
                    ("workflow", Value::from(run.workflow.clone())),
                ];
                match field {
                    Some(name) => facts.into_iter().find(|(known, _)| *known == name).map(|(_, value)| value),
                    None => Some(Value::Object(facts.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())),
                }
            }
            (Root::Item, None) => self.item.map(|(value, _)| value.clone()),
            (Root::Item, Some(name)) => match self.item?.0 {
                Value::Object(map) => map.get(name).cloned(),
                _ => None,
            },
            (Root::Index, _) => self.item.map(|(_, index)| Value::Int(i64::from(index))),
            // Only whether something else is absent is evaluated here: the engine knows no secret.
            (Root::Secrets, _) => Some(Value::from("secret")),
            (Root::Node(name), field) => {
                let node = &self.run.nodes[*self.run.plan.index.get(name)?];
                match field {
                    Some(port) => {
                        let value = node.port(port).filter(|it| **it != Value::None).cloned();
                        value.or_else(|| (port == STATUS_PORT).then(|| node.status())?)
                    }
                    None => node.values.clone().map(Value::Object),
                }
            }
        }
    }

    fn outcome(&self) -> Upstream {
        self.upstream
    }

    fn loader(&self) -> Option<Arc<dyn Load>> {
        Some(self.run.loader.clone())
    }
}
