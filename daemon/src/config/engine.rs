//! The engines of the config: where commands run besides this machine.

use std::path::PathBuf;
use std::time::Duration;

use fanlight_shared::problem::near;
use fanlight_shared::workflow::LOCAL_ENGINE;

use super::Config;

/// The beginning of the names of engines among those of executors and of pools.
pub(crate) const ENGINE_PREFIX: &str = "engine.";

/// The most attempts that are submitted at once by default.
pub(crate) const MAX_IN_FLIGHT: u32 = 100;
/// How often an engine is asked by default.
pub(crate) const POLL: Duration = Duration::from_secs(2);
/// How long inputs stay on an engine after their last use by default.
pub(crate) const KEEP_INPUTS: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How files get to an engine and back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// Both see the same folder.
    Shared,
    /// rsync copies them.
    Rsync,
}

/// What takes the jobs of an engine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum EngineKind {
    /// A Slurm cluster whose commands are on this machine or on one that `ssh` reaches.
    Slurm,
    /// The head of a Ray cluster.
    Ray(RaySettings),
}

impl EngineKind {
    /// Returns its word in the config.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Slurm => "slurm",
            Self::Ray(_) => "ray",
        }
    }
}

/// The head of a Ray cluster.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RaySettings {
    /// The URL of its dashboard, without a slash at the end. It may be a private address.
    pub address: String,
    /// The place of its token, if it wants one.
    pub token: Option<TokenSource>,
}

/// The place of a token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TokenSource {
    /// The secret of this name.
    Secret(String),
    /// A variable of the daemon's environment.
    Variable(String),
    /// A file.
    File(PathBuf),
}

/// An engine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EngineSettings {
    /// What takes its jobs.
    pub kind: EngineKind,
    /// Where its commands are: a destination of `ssh`, as a URI; this machine if it is `None`.
    pub via: Option<String>,
    /// How its files get there.
    pub stage: Stage,
    /// The partition; the cluster's own choice if it is `None`.
    pub partition: Option<String>,
    /// The account that is charged.
    pub account: Option<String>,
    /// The quality of service.
    pub qos: Option<String>,
    /// The folder for the files of attempts, which the nodes of the cluster see at the same path.
    pub workdir: PathBuf,
    /// Lines of shell that run before each command, such as `module load cuda`.
    pub prelude: String,
    /// The most attempts that are submitted and have not ended.
    pub max_in_flight: u32,
    /// How often it is asked about all attempts together.
    pub poll: Duration,
    /// How long inputs that were sent stay there after their last use.
    pub keep_inputs: Duration,
}

impl Config {
    /// Checks that a file or a submitter can name this engine.
    ///
    /// # Errors
    /// There is none of this name; the sentence has a near match.
    pub(crate) fn check_engine(&self, name: &str) -> Result<(), String> {
        if name == LOCAL_ENGINE || self.engines.contains_key(name) {
            return Ok(());
        }
        let known = self.engines.keys().map(String::as_str).chain([LOCAL_ENGINE]);
        let hint = match near(name, known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => {
                format!("declare it there: `[engine.{name}]` and below it `kind = \"slurm\"` or `\"ray\"`")
            }
        };
        Err(format!("{} does not declare the engine `{name}`; {hint}", self.path.display()))
    }
}
