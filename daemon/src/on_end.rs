//! `[[on_end]]` of the config: what to do when a run or a sweep has ended. The store keeps it from the commit of the end until
//! it has succeeded, so it happens at least once, also across restarts.

use fanlight_shared::run::RunStatus;
use fanlight_shared::time::Time;
use serde::{Deserialize, Serialize};

/// What to do at an end.
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
    pub(crate) const fn word(self) -> &'static str {
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

/// The end of a run or a sweep.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct End {
    /// What has ended.
    pub of: EndOf,
    /// Its name: `poster#12`, `poster/3`.
    pub name: String,
    /// The slug of its workflow.
    pub workflow: String,
    /// Its state. A sweep has failed if one of its runs has, else it is cancelled if one of them is.
    pub state: RunStatus,
    /// When it ended.
    pub at: Time,
}

impl OnEnd {
    /// Returns whether it is to be done at this end. `in_sweep`: the run is of a sweep.
    pub(crate) fn wants(&self, end: &End, in_sweep: bool) -> bool {
        let of = self.of.map_or(end.of == EndOf::Sweep || !in_sweep, |of| of == end.of);
        of && (self.states.is_empty() || self.states.contains(&end.state))
    }

    /// Returns a description for messages, without anything that may be secret.
    pub(crate) fn describe(&self) -> String {
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

/// What is to be done because of an end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Due {
    /// Its row.
    pub key: i64,
    /// The same for each try, and different for each end and each thing to do.
    pub id: String,
    /// What to do.
    pub on_end: OnEnd,
    /// The end.
    pub end: End,
    /// How many times it was tried.
    pub tries: u32,
}

/// What is due.
#[derive(Clone, Default, Debug)]
pub struct DueRows {
    /// What is to be done.
    pub due: Vec<Due>,
    /// The rows that can't be read, with the reason.
    pub unreadable: Vec<(i64, String)>,
}
