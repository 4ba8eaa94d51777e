//! A workflow made ready to run: nodes by number, who waits for whom, what runs each.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use fanlight_shared::expression::{Expression, Root};
use fanlight_shared::id::WorkflowId;
use fanlight_shared::lineage::MadeWith;
use fanlight_shared::node_type::{Effects, Place};
use fanlight_shared::run_state::Edges;
use fanlight_shared::types::Type;
use fanlight_shared::workflow::{Action, COMMAND_PORTS, Node, Template, Workflow};

use super::pools::{self, Needs, Resource};
use super::queue::Limit;
use crate::executor::{ENGINE_PREFIX, Placement};
use crate::node_type::{NodeType, NodeTypeSet};
use crate::store::NewVersion;

/// A workflow made ready to run; shared by all runs of its version.
pub(crate) struct Plan {
    /// As the file says it.
    pub(crate) workflow: Workflow,
    /// Nodes in the order of the file.
    pub(crate) nodes: Vec<PlanNode>,
    /// Numbers by name.
    pub(crate) index: HashMap<String, usize>,
    /// Its edges, for their activity.
    pub(crate) edges: Edges,
}

/// A node of a plan.
pub(crate) struct PlanNode {
    /// Its name.
    pub(crate) name: String,
    /// As the file says it.
    pub(crate) node: Node,
    /// Nodes it waits for, each once.
    pub(crate) deps: Vec<usize>,
    /// Those of them that are named in `needs`.
    pub(crate) needs: Vec<usize>,
    /// Nodes that wait for it, each once.
    pub(crate) readers: Vec<usize>,
    /// The node with `each` and its port whose items this node reads one by one, while others still run.
    pub(crate) straight: Option<(usize, String)>,
    /// The code that runs it.
    pub(crate) kind: Kind,
    /// The name of the executor of its attempts.
    pub(crate) executor: String,
    /// The pools its attempts count in.
    pub(crate) resources: Needs,
    /// Variables of the submitter that only other nodes ask for.
    pub(crate) withheld: Arc<[String]>,
    /// The effects of a second attempt.
    pub(crate) effects: Effects,
    /// Its ports that become outputs of the workflow as they are.
    pub(crate) output_ports: HashSet<String>,
    /// Whether inputs or variables of it are built from secrets.
    pub(crate) has_secrets: bool,
    /// Whether its condition reads `item` or `index`, so that it is asked once per item.
    pub(crate) condition_per_item: bool,
}

/// The code that runs a node.
#[derive(Clone)]
pub(crate) enum Kind {
    /// A native node type.
    Native(Arc<NodeType>),
    /// A process.
    Command,
}

impl Plan {
    /// Prepares a workflow that was checked against these node types.
    pub(crate) fn new(workflow: Workflow, types: &NodeTypeSet) -> Result<Self, String> {
        let index: HashMap<String, usize> =
            workflow.nodes.keys().enumerate().map(|(at, name)| (name.clone(), at)).collect();
        let mut nodes = Vec::with_capacity(workflow.nodes.len());
        for (name, node) in &workflow.nodes {
            nodes.push(PlanNode::new(name, node, &workflow, &index, types)?);
        }
        for at in 0..nodes.len() {
            for dep in nodes[at].deps.clone() {
                nodes[dep].readers.push(at);
            }
        }
        let edges = Edges::new(workflow.edges().iter().map(|edge| edge.id()));
        Ok(Self { workflow, nodes, index, edges })
    }

    /// Returns the version that is stored of the text of its file.
    pub(crate) fn version(&self, document: String) -> NewVersion {
        NewVersion {
            hash: self.workflow.version.clone(),
            document,
            nodes: self.nodes.iter().map(|node| node.name.clone()).collect(),
            edges: self.edges.names().to_vec(),
            concurrency: self.workflow.concurrency,
            on_end: self.workflow.on_end.clone(),
        }
    }

    /// Returns the versions of the program and of the types of its nodes.
    pub(crate) fn made_with(&self) -> MadeWith {
        let types = self.nodes.iter().filter_map(|node| match &node.kind {
            Kind::Native(native) => Some((native.spec.name.clone(), native.spec.version)),
            Kind::Command => None,
        });
        MadeWith { fanlight: env!("CARGO_PKG_VERSION").to_owned(), types: types.collect() }
    }

    /// Returns the limit on the runs of this workflow, which has this id.
    pub(crate) fn limit(&self, workflow: WorkflowId) -> Option<Limit> {
        self.workflow.concurrency.map(|runs| Limit { workflow, runs })
    }
}

impl PlanNode {
    fn new(
        name: &str,
        node: &Node,
        workflow: &Workflow,
        index: &HashMap<String, usize>,
        types: &NodeTypeSet,
    ) -> Result<Self, String> {
        let number = |name: &str| index.get(name).copied().ok_or_else(|| format!("unknown node `{name}`"));
        let mut deps = Vec::new();
        let mut add = |dep: usize| {
            if !deps.contains(&dep) {
                deps.push(dep);
            }
        };
        for (_, reference) in node.references() {
            if let Root::Node(from) = &reference.root {
                add(number(from)?);
            }
        }
        let needs = node.needs.iter().map(|from| number(from)).collect::<Result<Vec<_>, _>>()?;
        needs.iter().for_each(|dep| add(*dep));
        let kind = match &node.action {
            Action::Uses(type_name) => {
                let native =
                    types.get(type_name).ok_or_else(|| format!("unknown node type `{type_name}`"))?;
                Kind::Native(native.of_node(node))
            }
            _ => Kind::Command,
        };
        let placement = match (workflow.engine_of(node), &kind) {
            (Some(engine), Kind::Command) => Placement::on_engine(engine),
            (None, Kind::Command) => Placement::of(None),
            (_, Kind::Native(native)) => Placement::of(Some(native)),
        };
        let pools = placement.pool.as_deref().into_iter().chain(node.pool.as_deref());
        let own = placement.at_once.map(|(name, size)| Resource::Own(name, size));
        let effects = node.effects.unwrap_or(match &kind {
            Kind::Native(native) => native.effects(&node.with),
            // Its outputs are all that it makes.
            Kind::Command if node.remember.is_some() => Effects::None,
            Kind::Command => Effects::External,
        });
        let output_ports = workflow
            .outputs
            .values()
            .filter_map(|output| match &output.value {
                Template::Expression(expression) => expression.straight(),
                _ => None,
            })
            .filter(|(from, _)| *from == name)
            .map(|(_, port)| port.to_owned())
            .collect();
        Ok(Self {
            name: name.to_owned(),
            straight: workflow
                .item_by_item(node)
                .map(|(from, port)| Ok::<_, String>((number(from)?, port.to_owned())))
                .transpose()?,
            has_secrets: !node.secrets().is_empty(),
            condition_per_item: node.condition.as_ref().is_some_and(reads_item),
            node: node.clone(),
            deps,
            needs,
            readers: Vec::new(),
            resources: pools::needs(pools.map(Resource::pool).chain(own)),
            kind,
            executor: placement.executor,
            withheld: workflow.withheld_variables(node).into(),
            effects,
            output_ports,
        })
    }

    /// Returns whether it runs on this machine, and so uses its resources.
    pub(crate) fn is_here(&self) -> bool {
        !self.executor.starts_with(ENGINE_PREFIX)
    }

    /// Returns its lock, if it names one.
    pub(crate) fn lock(&self) -> Option<&Template> {
        self.node.lock.as_ref()
    }

    /// Returns its ports with their types.
    pub(crate) fn ports(&self) -> Vec<(String, Type)> {
        match &self.kind {
            Kind::Native(native) => {
                native.spec.outputs.iter().map(|(name, it)| (name.clone(), it.ty.clone())).collect()
            }
            Kind::Command => {
                let declared =
                    self.node.outputs.iter().map(|(name, output)| (name.clone(), output.ty.clone()));
                let own = COMMAND_PORTS.into_iter().map(|(name, ty)| (name.to_owned(), ty));
                own.chain(declared).collect()
            }
        }
    }

    /// Returns whether it is computed at once, in the engine.
    pub(crate) fn is_inline(&self) -> bool {
        matches!(&self.kind, Kind::Native(native) if native.spec.place == Place::Inline)
    }

    /// Returns whether its outputs are files of the user.
    pub(crate) fn is_source(&self) -> bool {
        matches!(&self.kind, Kind::Native(native) if native.spec.source)
    }

    /// Returns whether media of this port becomes an asset. That of a node that reads files of the user does so only if the
    /// workflow says so.
    pub(crate) fn keeps_media(&self, port: &str) -> bool {
        self.node.keep.unwrap_or(!self.is_source()) || self.output_ports.contains(port)
    }

    /// Returns the time limit of an attempt.
    pub(crate) fn timeout(&self) -> Option<Duration> {
        self.node.timeout
    }

    /// Returns whether an interrupted attempt may run again.
    pub(crate) fn runs_again(&self) -> bool {
        self.effects != Effects::External || self.node.again_on_interrupt
    }
}

fn reads_item(expression: &Expression) -> bool {
    expression.references().iter().any(|it| matches!(it.root, Root::Item | Root::Index))
}
