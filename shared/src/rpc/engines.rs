//! `engines.*`

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::request;

/// The default of [`Check::seconds`].
pub const CHECK_SECONDS: u32 = 120;
/// The most that [`Check::seconds`] may be.
pub const MAX_CHECK_SECONDS: u32 = 3600;

/// `engines.list`: the engines of the config.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct List {}

/// The response of `engines.list`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Engines {
    /// By name; `local`, which is the machine of the daemon, is not among them.
    pub engines: Vec<Engine>,
}

/// An engine of the config.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Engine {
    /// Its name.
    pub engine: String,
    /// What it is: `slurm` or `ray`.
    pub kind: String,
    /// How it is reached: `local` or a destination of `ssh`, or the URL of the head of a Ray cluster.
    pub via: String,
    /// The folder for the files of attempts.
    pub workdir: String,
    /// The partition, if the config names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<String>,
    /// The account that is charged, if the config names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The quality of service, if the config names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qos: Option<String>,
    /// The most attempts that are submitted at once.
    pub max_in_flight: u32,
    /// How many are at the moment.
    pub in_flight: u32,
}

/// `engines.check`: tries every step of an engine with small jobs, and removes what it made. The response comes at the end.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// The engine.
    pub engine: String,
    /// Whether a job asks for a GPU too.
    #[serde(default)]
    pub gpu: bool,
    /// How long its jobs may take, in seconds, with the time in the queue of the engine: 120 by default, at most 3600.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u32>,
}

/// The response of `engines.check`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Checked {
    /// The steps, in order.
    pub steps: Vec<Step>,
}

/// A step of a check.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Step {
    /// Its name, such as `submit`.
    pub step: String,
    /// What came of it.
    pub result: StepResult,
    /// What was found, what is wrong, or why it was not tried, in one sentence.
    pub message: String,
    /// What to do, if it failed and that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// What came of a step.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum StepResult {
    /// It works.
    Ok,
    /// It does not.
    Failed,
    /// It was not tried: it was not asked for, or a step before it failed.
    Skipped,
}

request!(List, "engines.list", Engines);
request!(Check, "engines.check", Checked);
