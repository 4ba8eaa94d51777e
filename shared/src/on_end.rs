//! What to do when a run or a sweep has ended: `[[on_end]]` of the config, `on_end:` of a workflow file.

use serde::{Deserialize, Serialize};

use crate::run::RunStatus;

/// Something to do at the ends of runs and sweeps.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OnEnd {
    /// At the ends of these; by default of sweeps, and of single runs.
    #[serde(default)]
    pub of: Option<EndOf>,
    /// Only for these states; empty is all.
    #[serde(default)]
    pub states: Vec<RunStatus>,
    /// What to do.
    #[serde(rename = "do")]
    pub action: EndAction,
    /// The names of the secrets that a command gets as variables.
    #[serde(default)]
    pub secrets: Vec<String>,
    /// Who wants it.
    #[serde(default, skip_serializing_if = "WantedBy::is_config")]
    pub wanted_by: WantedBy,
}

/// Who wants something to be done.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WantedBy {
    /// The config of the daemon.
    #[default]
    Config,
    /// A workflow file. Its command gets no more of the daemon's variables than those of nodes.
    File {
        /// The folder of the file, if it is on the daemon's computer; a command works there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        folder: Option<String>,
    },
}

impl WantedBy {
    fn is_config(&self) -> bool {
        *self == Self::Config
    }
}

/// What has ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndOf {
    /// A run that no node started.
    Run,
    /// A sweep.
    Sweep,
}

impl EndOf {
    /// Returns its word in the config, the database and what is sent.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Sweep => "sweep",
        }
    }
}

/// What to do at an end.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndAction {
    /// Start a program with these arguments.
    Command(Vec<String>),
    /// Send a request to a URL.
    Webhook {
        /// The URL.
        url: String,
        /// The name of the secret that is its bearer token.
        #[serde(default)]
        token: Option<String>,
    },
    /// Show a notification on the desktop.
    Notify,
}

impl OnEnd {
    /// Returns whether it is to be done at an end with this state. `in_sweep`: the run is of a sweep.
    #[must_use]
    pub fn wants(&self, of: EndOf, state: RunStatus, in_sweep: bool) -> bool {
        let is_of = self.of.map_or(of == EndOf::Sweep || !in_sweep, |only| only == of);
        is_of && (self.states.is_empty() || self.states.contains(&state))
    }

    /// Returns a description for messages, without anything that may be secret.
    #[must_use]
    pub fn describe(&self) -> String {
        match &self.action {
            EndAction::Command(words) => format!("the command {}", words.first().map_or("", String::as_str)),
            // Its path may be a secret, as those of chat services are.
            EndAction::Webhook { url, .. } => {
                let rest = url.split_once("://").map_or("", |(_, rest)| rest);
                let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
                format!("the webhook at {}", authority.rsplit('@').next().unwrap_or_default())
            }
            EndAction::Notify => "the notification".to_owned(),
        }
    }
}
