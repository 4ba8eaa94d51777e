//! A node type: its spec and its runner.

use std::fmt;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

#[cfg(test)]
use fanlight_shared::node_type::OutputSpec;
use fanlight_shared::node_type::{Effects, NodeTypeSpec, Place};
use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values};
use fanlight_shared::workflow::{Node, Template};
use indexmap::IndexMap;

use super::Workspace;
use crate::attempt::{Attempt, Made};
use crate::content::{self, TextOutput};
use crate::file_error::FileError;
use crate::services::DaemonServices;
use crate::store::blob::Blobs;

/// How long a worker may take for a node, unless its type says otherwise.
const WORKER_TIME: Duration = Duration::from_secs(5 * 60);

/// A node type: its spec and its runner.
#[derive(Clone, Debug)]
pub struct NodeType {
    /// As data.
    pub spec: NodeTypeSpec,
    /// The runner.
    pub run: Runner,
    /// The inputs that can make a node harmless to repeat, whatever the spec says.
    pub safe: Vec<Safe>,
    /// The input that names the pool of an attempt, and the prefix of that pool.
    pub pool: Option<(String, String)>,
    /// The input, and those of its values, with which a result depends on the inputs only; `None`: with all.
    pub(crate) alone: Option<(String, Vec<Value>)>,
    /// Whether a node declares the outputs of the spec.
    pub(crate) declared: bool,
    /// How long a worker may take for it.
    pub(crate) time: Duration,
}

/// An input of which some values make a node harmless to repeat.
#[derive(Clone, Debug)]
pub struct Safe {
    /// The input.
    pub input: String,
    /// Those values.
    pub values: Vec<Value>,
    /// What a second try does then.
    pub effects: Effects,
}

impl NodeType {
    /// Creates a type with this spec; its runner determines where it runs.
    #[must_use]
    pub fn new(mut spec: NodeTypeSpec, run: Runner) -> Self {
        spec.place = run.place();
        Self { spec, run, safe: Vec::new(), pool: None, alone: None, declared: false, time: WORKER_TIME }
    }

    /// Returns this type with the outputs that a node declares, if it declares any.
    #[must_use]
    pub(crate) fn of_node(self: &Arc<Self>, node: &Node) -> Arc<Self> {
        if node.native_outputs.is_empty() {
            return Arc::clone(self);
        }
        let mut own = Self { declared: true, ..Self::clone(self) };
        own.spec.outputs = node.outputs_of(&self.spec);
        Arc::new(own)
    }

    /// Returns this type with declared outputs.
    #[cfg(test)]
    pub(crate) fn declaring(&self, outputs: &[(&str, Type)]) -> Self {
        let output = |(name, ty): &(&str, Type)| {
            ((*name).to_owned(), OutputSpec { ty: ty.clone(), summary: String::new() })
        };
        let mut own = Self { declared: !outputs.is_empty(), ..self.clone() };
        if own.declared {
            own.spec.outputs = outputs.iter().map(output).collect();
        }
        own
    }

    /// Returns the outputs that its node declares; none for those of the type.
    pub(crate) fn declared_outputs(&self) -> IndexMap<String, Type> {
        let declared = self.spec.outputs.iter().filter(|_| self.declared);
        declared.map(|(name, output)| (name.clone(), output.ty.clone())).collect()
    }

    /// Returns the effects of a second try of a node with these inputs.
    pub(crate) fn effects(&self, with: &IndexMap<String, Template>) -> Effects {
        let holds = |safe: &&Safe| {
            self.known_input(with, &safe.input).is_some_and(|value| safe.values.contains(value))
        };
        self.safe.iter().find(holds).map_or(self.spec.effects, |safe| safe.effects)
    }

    /// Returns whether later nodes may reuse a result with these inputs.
    pub(crate) fn is_remembered(&self, inputs: &Values) -> bool {
        let is_alone =
            |(input, values): &(String, Vec<Value>)| inputs.get(input).is_some_and(|it| values.contains(it));
        self.spec.remember && self.alone.as_ref().is_none_or(is_alone)
    }

    /// Returns the input that is known to be one with which results are not reused.
    pub(crate) fn forgotten_input(&self, with: &IndexMap<String, Template>) -> Option<&str> {
        let (input, values) = self.alone.as_ref()?;
        self.known_input(with, input).filter(|value| !values.contains(value)).map(|_| input.as_str())
    }

    /// Returns the value of an input, if it is not computed.
    fn known_input<'a>(&'a self, with: &'a IndexMap<String, Template>, input: &str) -> Option<&'a Value> {
        match with.get(input) {
            Some(Template::Literal(value)) => Some(value),
            // What is computed may be anything.
            Some(_) => None,
            None => self.spec.inputs.get(input).and_then(|input| input.default.as_ref()),
        }
    }

    /// Returns the pool that the inputs of an attempt name.
    pub(crate) fn pool(&self, inputs: &Values) -> Option<String> {
        let (prefix, input) = self.pool.as_ref()?;
        Some(format!("{prefix}{}", inputs.get(input)?.as_text()?))
    }

    /// Runs a type in the engine's loop; returns `None` if it must run beside the loop, because values are large.
    pub(crate) fn run_at_once(&self, inputs: &Values, limit: usize) -> Option<Result<Values, FileError>> {
        let made = match &self.run {
            Runner::Inline(run) if !content::needs_reading(inputs, &self.spec, false) => {
                run(inputs.clone()).map_err(FileError::from)
            }
            Runner::Handles(run) if !content::needs_reading(inputs, &self.spec, true) => {
                run(inputs.clone()).map_err(FileError::from)
            }
            Runner::Text(run) => {
                let mut output = TextOutput::short(self.spec.max_bytes, limit);
                match run(&mut output, inputs.clone()) {
                    Err(_) if output.was_too_long() => return None,
                    Err(error) => Err(error),
                    Ok(()) => output.finish().map(|(text, _)| self.only_output(text)),
                }
            }
            _ => return None,
        };
        let made = made.and_then(|values| Ok(content::check_bound(values, &self.spec)?));
        let long = made.as_ref().is_ok_and(|values| values.values().any(|it| content::is_long(it, limit)));
        if long { None } else { Some(made) }
    }

    /// Runs such a type outside the engine's loop. Blocks. Where the disk is full it may run again.
    pub(crate) fn run_off_loop(&self, inputs: Values, blobs: &Blobs) -> Made {
        let made = match &self.run {
            Runner::Inline(run) => run(content::read_inputs(inputs, &self.spec, false, blobs)?)?,
            Runner::Handles(run) => run(content::read_inputs(inputs, &self.spec, true, blobs)?)?,
            Runner::Text(run) => {
                let mut output = TextOutput::stored(self.spec.max_bytes, blobs);
                run(&mut output, inputs)?;
                let (text, published) = output.finish()?;
                return Ok((self.only_output(text), published.into_iter().collect()));
            }
            Runner::Daemon(_) | Runner::Worker(_) | Runner::Command | Runner::Executor { .. } => {
                return Err("this type does not run here".into());
            }
        };
        Ok((content::check_bound(made, &self.spec)?, Vec::new()))
    }

    fn only_output(&self, value: Value) -> Values {
        self.spec.outputs.keys().take(1).map(|name| (name.clone(), value.clone())).collect()
    }
}

/// The future of a node type that runs in the daemon.
pub type Making = Pin<Box<dyn Future<Output = Made> + Send>>;

/// Computes the values of a node.
type Compute = dyn Fn(Values) -> Result<Values, String> + Send + Sync;
/// Writes the text of a node.
type Write = dyn Fn(&mut TextOutput, Values) -> Result<(), FileError> + Send + Sync;
/// Starts the work of a node.
type Start = dyn Fn(NodeCall) -> Making + Send + Sync;
/// Works on files in a worker.
type Work = dyn Fn(&mut Workspace, Values) -> Result<Values, FileError> + Send + Sync;

/// The runner of a node type. Its inputs are converted, checked against the spec, and include defaults.
#[derive(Clone)]
pub enum Runner {
    /// In the engine's loop: pure and quick. Beside the loop if values are large.
    Inline(Arc<Compute>),
    /// As `Inline`, but passes large values on without looking into them.
    Handles(Arc<Compute>),
    /// As `Inline`, for a type that writes one text, which may be larger than memory.
    Text(Arc<Write>),
    /// In the daemon, beside the loop. Stops when the attempt's token is cancelled.
    Daemon(Arc<Start>),
    /// In a worker process: see [`crate::worker`]. The worker finds it by name, so it must be built in.
    Worker(Arc<Work>),
    /// As a command under the supervisor.
    Command,
    /// By its own executor, which gets the type and the inputs.
    Executor {
        /// The name of the executor.
        name: String,
        /// The pool that its attempts count in.
        pool: Option<String>,
        /// How many attempts of it the executor takes at once, all types with the same key together.
        at_once: Option<(String, u32)>,
    },
}

impl Runner {
    /// Creates the runner of a type that is computed at once.
    pub fn inline(run: impl Fn(Values) -> Result<Values, String> + Send + Sync + 'static) -> Self {
        Self::Inline(Arc::new(run))
    }

    /// Creates a runner in the loop that does not look into large values.
    pub fn handles(run: impl Fn(Values) -> Result<Values, String> + Send + Sync + 'static) -> Self {
        Self::Handles(Arc::new(run))
    }

    /// Makes one text.
    pub fn text(
        run: impl Fn(&mut TextOutput, Values) -> Result<(), FileError> + Send + Sync + 'static,
    ) -> Self {
        Self::Text(Arc::new(run))
    }

    /// Creates a runner in the daemon, beside the loop.
    pub fn daemon<F: Future<Output = Made> + Send + 'static>(
        run: impl Fn(NodeCall) -> F + Send + Sync + 'static,
    ) -> Self {
        Self::Daemon(Arc::new(move |call| Box::pin(run(call))))
    }

    /// Creates a runner in a worker process.
    pub fn worker(
        run: impl Fn(&mut Workspace, Values) -> Result<Values, FileError> + Send + Sync + 'static,
    ) -> Self {
        Self::Worker(Arc::new(run))
    }

    /// Returns where it runs, as data.
    fn place(&self) -> Place {
        match self {
            Self::Inline(_) | Self::Handles(_) | Self::Text(_) => Place::Inline,
            Self::Daemon(_) => Place::Daemon,
            Self::Worker(_) => Place::Worker,
            Self::Command | Self::Executor { .. } => Place::Executor,
        }
    }
}

impl fmt::Debug for Runner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.place().fmt(f)
    }
}

/// The input of a node that runs in the daemon.
pub struct NodeCall {
    /// The attempt.
    pub attempt: Attempt,
    /// The services of the running node.
    pub services: DaemonServices,
    /// The inputs.
    pub inputs: Values,
    /// For reading and publishing bytes.
    pub blobs: Blobs,
    /// Folders that `file.write` may write below.
    pub writable: Vec<PathBuf>,
}
