//! What an attempt does, with everything evaluated.

use std::path::PathBuf;
use std::sync::Arc;

use fanlight_shared::media::Media;
use fanlight_shared::value::Values;
use fanlight_shared::workflow::{CommandOutput, Metrics, Remember, Shell};
use indexmap::IndexMap;

use crate::node_type::NodeType;

/// The work of an attempt, with everything evaluated.
#[derive(Debug)]
pub enum Work {
    /// A native node with its checked inputs.
    Native(Arc<NodeType>, Values),
    /// A command.
    Command(Arc<CommandWork>),
}

impl Work {
    /// Returns the pool that its inputs name, besides those of its node.
    pub(crate) fn pool(&self) -> Option<String> {
        match self {
            Self::Native(native, inputs) => native.pool(inputs),
            Self::Command(_) => None,
        }
    }
}

/// A command to run: everything evaluated, nothing to interpolate.
#[derive(Clone, Debug)]
pub struct CommandWork {
    /// What runs.
    pub program: Program,
    /// Inputs by name: they become environment variables and files.
    pub inputs: Values,
    /// `env:`, evaluated.
    pub env: IndexMap<String, String>,
    /// `dir:`, resolved; `None` is the private work folder.
    pub dir: Option<WorkDir>,
    /// Declared outputs.
    pub outputs: IndexMap<String, CommandOutput>,
    /// Where it writes numbers besides its events.
    pub metrics: Vec<Metrics>,
    /// What its result depends on besides this, if later nodes may reuse it.
    pub remember: Option<Remember>,
}

/// The folder in which a command works instead of its private one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum WorkDir {
    /// This folder, which others use too.
    Shared(PathBuf),
    /// A copy of a folder, for each attempt its own.
    Copy {
        /// The folder.
        from: PathBuf,
        /// Patterns of what is not copied.
        exclude: Vec<String>,
    },
    /// A work tree of a git repository, for each attempt its own.
    Worktree {
        /// A folder of the repository.
        repo: PathBuf,
        /// The revision that is checked out.
        revision: String,
    },
}

/// What runs.
#[derive(Clone, Debug)]
pub enum Program {
    /// A script, as it is in the file.
    Script {
        /// Its text.
        text: String,
        /// The shell that runs it.
        shell: Shell,
    },
    /// A program with its arguments, each one argument. Media are given as `Argument::Media` and become paths.
    Arguments(Vec<Argument>),
}

/// One argument of a `cmd:`.
#[derive(Clone, Debug)]
pub enum Argument {
    /// Text as it is.
    Text(String),
    /// The path of a file with these bytes.
    Media(Media),
}
