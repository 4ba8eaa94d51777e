//! The workflow as data: params, nodes, edges and outputs, each with its position in the file.
//!
//! Only [`crate::document`] parses files.

mod command;
mod dir;
mod item_by_item;
mod resources;

use std::collections::BTreeSet;
use std::time::Duration;

use indexmap::IndexMap;

use crate::expression::{Expression, Reference, Root};
use crate::id::{Version, WorkflowId};
use crate::node_type::{Effects, NodeTypeSpec, OutputSpec};
use crate::on_end::OnEnd;
use crate::problem::Span;
use crate::search::Search;
use crate::sweep::Matrix;
use crate::types::Type;
use crate::value::Value;

pub use crate::template::{Piece, Template};
pub use command::{CommandOutput, MetricSource, Metrics, OutputSource, Remember, Shell};
pub use dir::{Changes, Dir, check_revision};
pub use resources::Resources;

/// A workflow that passed its checks.
#[derive(Clone, Debug)]
pub struct Workflow {
    /// `id:` of the file, if it has one.
    pub id: Option<WorkflowId>,
    /// `name:`, for people.
    pub name: Option<String>,
    /// `description:`, for people.
    pub description: Option<String>,
    /// The content hash of the file.
    pub version: Version,
    /// Params by name.
    pub params: IndexMap<String, Param>,
    /// `matrix:`: the sweep that the file proposes.
    pub matrix: Matrix,
    /// `search:`: the search that the file proposes, of which the command line may give other parts.
    pub search: Option<Search>,
    /// `pass_env:`: names of the submitter's variables that every command gets.
    pub pass_env: Vec<String>,
    /// `concurrency:`: how many of its runs may run at once; `None` means as many as the queue allows.
    pub concurrency: Option<u32>,
    /// `engine:`: the engine of its commands, unless a node names another one.
    pub engine: Option<String>,
    /// `on_end:`: what to do when one of its runs or sweeps has ended.
    pub on_end: Vec<OnEnd>,
    /// Nodes by name, in the order of the file.
    pub nodes: IndexMap<String, Node>,
    /// Outputs by name.
    pub outputs: IndexMap<String, Output>,
}

/// The name of the engine that is this machine.
pub const LOCAL_ENGINE: &str = "local";

impl Workflow {
    /// Returns the workflow with the engine that a submitter chose for its commands, in place of those of the file. Nodes with
    /// `engine: local` stay on this machine.
    #[must_use]
    pub fn on_engine(mut self, chosen: Option<&str>) -> Self {
        let Some(chosen) = chosen else { return self };
        self.engine = Some(chosen.to_owned());
        for node in self.nodes.values_mut() {
            node.engine.take_if(|engine| engine != LOCAL_ENGINE);
        }
        self
    }

    /// Returns the engine of a node: `None` for this machine, where everything but commands runs.
    #[must_use]
    pub fn engine_of<'a>(&'a self, node: &'a Node) -> Option<&'a str> {
        let engine = node.engine.as_deref().or(self.engine.as_deref()).filter(|it| *it != LOCAL_ENGINE);
        engine.filter(|_| node.action.is_command())
    }
}

/// A param.
#[derive(Clone, PartialEq, Debug)]
pub struct Param {
    /// Its type.
    pub ty: Type,
    /// The default; without it the param is required.
    pub default: Option<Value>,
    /// Least number.
    pub min: Option<f64>,
    /// Greatest number.
    pub max: Option<f64>,
    /// The texts of a choice.
    pub choices: Vec<String>,
    /// For people.
    pub description: Option<String>,
    /// Whether a form offers several lines for its text.
    pub multiline: bool,
    /// Its place in the file.
    pub span: Span,
}

/// A node.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its action.
    pub action: Action,
    /// Inputs by name.
    pub with: IndexMap<String, Template>,
    /// Nodes that must have ended first.
    pub needs: Vec<String>,
    /// Its condition; `success()` by default.
    pub condition: Option<Expression>,
    /// The list that it runs over, once per item.
    pub each: Option<Each>,
    /// Its retries.
    pub retry: Retry,
    /// How long one attempt may take.
    pub timeout: Option<Duration>,
    /// The resources of the machine that each attempt needs, if the node states them.
    pub resources: Option<Box<Resources>>,
    /// A pool from the config that its attempts count in, besides the pool of its kind.
    pub pool: Option<String>,
    /// `engine:`: the engine that this command runs on; `local` is this machine.
    pub engine: Option<String>,
    /// The lock that its attempts hold: attempts with the same lock never run at the same time, across runs and
    /// workflows.
    pub lock: Option<Template>,
    /// `pass_env:`: names of the submitter's variables that this command gets, besides those of the workflow.
    pub pass_env: Vec<String>,
    /// Environment variables of a command, besides its inputs.
    pub env: IndexMap<String, Template>,
    /// Where a command works instead of its private folder.
    pub dir: Option<Dir>,
    /// The outputs of a command besides its standard ports.
    pub outputs: IndexMap<String, CommandOutput>,
    /// The declared outputs of a native node; where there are none, it has those of its type.
    pub native_outputs: IndexMap<String, Type>,
    /// `false`: media of this node does not become an asset; `true`: its other values do too.
    pub keep: Option<bool>,
    /// What the result of a command depends on besides its inputs, if later nodes may reuse it.
    pub remember: Option<Remember>,
    /// Where a command writes numbers besides its events.
    pub metrics: Vec<Metrics>,
    /// Its side effects, if the node declares them.
    pub effects: Option<Effects>,
    /// `on_interrupt: again`: runs again after an interruption although its effects are external.
    pub again_on_interrupt: bool,
    /// `on_item_error: drop`: a failed item leaves a hole instead of failing the node.
    pub drop_failed_items: bool,
    /// Its failure does not fail the run.
    pub allow_failure: bool,
    /// The position of its name.
    pub span: Span,
}

/// The action of a node.
#[derive(Clone, PartialEq, Debug)]
pub enum Action {
    /// A native node of this type.
    Uses(String),
    /// A script for a shell.
    Run {
        /// The script, never interpolated.
        script: String,
        /// The shell that runs it.
        shell: Shell,
    },
    /// A program with arguments, without a shell.
    Cmd(Vec<Template>),
}

impl Action {
    /// Returns whether it is a command rather than a native node.
    #[must_use]
    pub fn is_command(&self) -> bool {
        !matches!(self, Self::Uses(_))
    }
    /// Returns the word for its kind: the type's name, `run` or `cmd`.
    #[must_use]
    pub fn word(&self) -> &str {
        match self {
            Self::Uses(name) => name,
            Self::Run { .. } => "run",
            Self::Cmd(_) => "cmd",
        }
    }
}

/// The port that every node has: its final state. It has a value even if the node failed or was skipped.
pub const STATUS_PORT: &str = "status";

/// The ports that every command has.
pub const COMMAND_PORTS: [(&str, Type); 3] =
    [("stdout", Type::Text), ("exit_code", Type::Int), (STATUS_PORT, Type::Text)];

/// `each:`.
#[derive(Clone, PartialEq, Debug)]
pub enum Each {
    /// One list; `item` is its element.
    List(Template),
    /// Several lists of equal length; `item` is an object of their elements.
    Zip(IndexMap<String, Template>),
}

impl Each {
    /// Returns the node and port if this iterates directly over that list.
    #[must_use]
    pub fn straight(&self) -> Option<(&str, &str)> {
        match self {
            Self::List(Template::Expression(expression)) => expression.straight(),
            _ => None,
        }
    }
    /// Returns the templates in it.
    pub fn templates(&self) -> Box<dyn Iterator<Item = &Template> + '_> {
        match self {
            Self::List(template) => Box::new(std::iter::once(template)),
            Self::Zip(lists) => Box::new(lists.values()),
        }
    }
}

/// `retry:`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Retry {
    /// The number of retries; 0 for none.
    pub times: u32,
    /// The wait before the first retry.
    pub backoff: Duration,
    /// The factor by which each further wait grows.
    pub factor: f64,
    /// The longest wait.
    pub max: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self { times: 0, backoff: Duration::from_secs(1), factor: 2.0, max: Duration::from_secs(60) }
    }
}

impl Retry {
    /// Returns the wait after `failed` failed attempts (1 after the first).
    #[must_use]
    pub fn wait(&self, failed: u32) -> Duration {
        let power = i32::try_from(failed.saturating_sub(1)).unwrap_or(i32::MAX);
        let seconds = self.backoff.as_secs_f64() * self.factor.powi(power);
        Duration::try_from_secs_f64(seconds).unwrap_or(self.max).min(self.max)
    }
}

/// An output of the workflow.
#[derive(Clone, Debug)]
pub struct Output {
    /// What it shows.
    pub value: Template,
    /// Its place in the file.
    pub span: Span,
}

/// An edge: a port of one node that an expression of another names.
#[derive(Clone, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct Edge {
    /// The node it comes from.
    pub from: String,
    /// The port it comes from.
    pub port: String,
    /// The node that reads it.
    pub to: String,
    /// The part that reads it: an input's name, `if`, `each`, `env`, `cmd`, or `name` of an output.
    pub input: String,
}

impl Edge {
    /// Returns its name on the wire: `sky.image>framed.image`.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}.{}>{}.{}", self.from, self.port, self.to, self.input)
    }
}

impl Node {
    /// Returns the outputs of a native node of this type.
    #[must_use]
    pub fn outputs_of(&self, spec: &NodeTypeSpec) -> IndexMap<String, OutputSpec> {
        if self.native_outputs.is_empty() {
            return spec.outputs.clone();
        }
        let declared = |(name, ty): (&String, &Type)| {
            (name.clone(), OutputSpec { ty: ty.clone(), summary: String::new() })
        };
        self.native_outputs.iter().map(declared).collect()
    }

    /// Returns the values of a command that become texts, besides its inputs.
    pub fn texts(&self) -> impl Iterator<Item = &Template> {
        let arguments = match &self.action {
            Action::Cmd(arguments) => arguments.as_slice(),
            _ => &[],
        };
        let names = self.outputs.values().filter_map(|output| output.name.as_ref());
        let revision = self.dir.as_ref().and_then(Dir::revision);
        self.env.values().chain(arguments).chain(names).chain(revision)
    }

    /// Returns every expression of the node, with the name of the part that it is in.
    pub fn expressions(&self) -> Vec<(&str, &Expression)> {
        let mut found = Vec::new();
        for (name, template) in &self.with {
            found.extend(template.expressions().into_iter().map(|it| (name.as_str(), it)));
        }
        for template in self.env.values() {
            found.extend(template.expressions().into_iter().map(|it| ("env", it)));
        }
        if let Action::Cmd(arguments) = &self.action {
            found.extend(arguments.iter().flat_map(Template::expressions).map(|it| ("cmd", it)));
        }
        if let Some(lock) = &self.lock {
            found.extend(lock.expressions().into_iter().map(|it| ("lock", it)));
        }
        if let Some(revision) = self.dir.as_ref().and_then(Dir::revision) {
            found.extend(revision.expressions().into_iter().map(|it| ("dir", it)));
        }
        for (_, template) in self.resources.iter().flat_map(|resources| &resources.0) {
            found.extend(template.expressions().into_iter().map(|it| ("resources", it)));
        }
        for name in self.outputs.values().filter_map(|output| output.name.as_ref()) {
            found.extend(name.expressions().into_iter().map(|it| ("name", it)));
        }
        if let Some(each) = &self.each {
            found.extend(each.templates().flat_map(Template::expressions).map(|it| ("each", it)));
        }
        if let Some(condition) = &self.condition {
            found.push(("if", condition));
        }
        found
    }

    /// Returns the names of the secrets that it reads.
    #[must_use]
    pub fn secrets(&self) -> BTreeSet<&str> {
        self.expressions().into_iter().flat_map(|(_, expression)| expression.secrets()).collect()
    }

    /// Returns the references to ports of other nodes, with the name of the part that they are in.
    pub fn references(&self) -> impl Iterator<Item = (&str, &Reference)> {
        self.expressions()
            .into_iter()
            .flat_map(|(input, expression)| expression.references().iter().map(move |it| (input, it)))
            .filter(|(_, reference)| matches!(reference.root, Root::Node(_)))
    }
}

impl Workflow {
    /// Returns the edges, each once, in the order of the file.
    #[must_use]
    pub fn edges(&self) -> Vec<Edge> {
        let mut edges = indexmap::IndexSet::new();
        for (to, node) in &self.nodes {
            for (input, reference) in node.references() {
                if let (Root::Node(from), Some(port)) = (&reference.root, &reference.port) {
                    edges.insert(Edge {
                        from: from.clone(),
                        port: port.clone(),
                        to: to.clone(),
                        input: input.to_owned(),
                    });
                }
            }
        }
        edges.into_iter().collect()
    }

    /// Returns its name, else `untitled`.
    #[must_use]
    pub fn title(&self) -> &str {
        self.name.as_deref().unwrap_or("untitled")
    }
}
