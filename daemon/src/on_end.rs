//! `[[on_end]]` of the config: what to do when a run or a sweep has ended. The store keeps it from the commit of the end until
//! it has succeeded, so it happens at least once, also across restarts.

mod perform;

use std::sync::Arc;
use std::time::Duration;

use fanlight_shared::run::RunStatus;
use fanlight_shared::time::Time;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tokio::task::JoinSet;

pub(crate) use perform::Performer;

use crate::store::{Op, Store};

/// How many are done at the same time.
const CONCURRENT: u32 = 8;
/// How often one is tried.
const MAX_TRIES: u32 = 10;
/// The delay before the second try; it doubles from try to try, up to the longest.
const FIRST_DELAY: Duration = Duration::from_secs(1);
const LONGEST_DELAY: Duration = Duration::from_secs(600);
/// How long to wait before a result is stored again that could not be.
const STORE_DELAY: Duration = Duration::from_secs(5);

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
            EndAction::Webhook { url, .. } => {
                let end = url.find('?').unwrap_or(url.len());
                format!("the webhook {}", &url[..end])
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
    /// How often it was tried.
    pub tries: u32,
}

/// Does what is due, forever. `added` is notified when something is added.
pub(crate) async fn deliver(store: Store, performer: Performer, added: Arc<Notify>) {
    let performer = Arc::new(performer);
    loop {
        // What was added before is committed now.
        let _ = store.commit(Vec::new()).await;
        let reader = store.clone();
        let read = tokio::task::spawn_blocking(move || {
            let due = reader.due_on_end(Time::now(), CONCURRENT)?;
            Ok::<_, crate::store::StoreError>((due, reader.next_on_end()?))
        });
        let (due, next) = match read.await {
            Ok(Ok(read)) => read,
            Ok(Err(error)) => {
                tracing::warn!(%error, "what is to be done at ends can't be read");
                (Vec::new(), Some(Time(Time::now().0.saturating_add(60_000))))
            }
            Err(_) => return,
        };
        if due.is_empty() {
            let wait = next.map(|at| Duration::from_millis(u64::try_from(at.0 - Time::now().0).unwrap_or(0)));
            tokio::select! {
                () = added.notified() => {}
                () = tokio::time::sleep(wait.unwrap_or_default()), if wait.is_some() => {}
            }
            continue;
        }
        let mut doing = JoinSet::new();
        for due in due {
            let performer = Arc::clone(&performer);
            doing.spawn(async move {
                let result = performer.perform(&due).await;
                (due, result)
            });
        }
        while let Some(done) = doing.join_next().await {
            let Ok((due, result)) = done else { continue };
            record(&store, &due, result).await;
        }
    }
}

/// Stores the result of a try. It must be stored before the next try, or a full disk would repeat it at once.
async fn record(store: &Store, due: &Due, result: Result<(), String>) {
    let op = || match &result {
        Ok(()) => Op::OnEndDone { key: due.key },
        Err(error) => {
            let tries = due.tries + 1;
            let delay = FIRST_DELAY.saturating_mul(1 << due.tries.min(16)).min(LONGEST_DELAY);
            let delay = i64::try_from(delay.as_millis()).unwrap_or(i64::MAX);
            let next = (tries < MAX_TRIES).then(|| Time(Time::now().0.saturating_add(delay)));
            Op::OnEndFailed { key: due.key, error: error.clone(), next }
        }
    };
    if let Err(error) = &result {
        tracing::warn!("{} at the end of {} failed: {error}", due.on_end.describe(), due.end.name);
    }
    while store.commit(vec![op()]).await.is_err() {
        if store.failure().borrow().is_some() {
            return;
        }
        tokio::time::sleep(STORE_DELAY).await;
    }
}
