//! One small job of a check, from its files to their removal.

use std::sync::Arc;
use std::time::Duration;

use fanlight_shared::id::{AttemptId, RunId, WorkflowId};
use fanlight_shared::item::ItemPath;
use fanlight_shared::resources::{Gpus, Resources};
use fanlight_shared::workflow::Shell;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use crate::attempt::{Attempt, Outcome, RunFacts};
use crate::command::remote::Remote;
use crate::command::remote::execution::RemoteExecution;
use crate::executor::{CommandWork, End, Execution as _, Program, Signal};

/// How long a job that is cancelled may live on.
pub(super) const CANCEL_TIMEOUT: Duration = Duration::from_secs(60);
/// The interval between two tries to remove its files.
const CLEAR_INTERVAL: Duration = Duration::from_millis(500);
/// The time limit of a job: also if nobody ends it, it is gone soon.
const TIME_LIMIT: Duration = Duration::from_secs(180);

/// One small job.
pub(super) struct Probe {
    remote: Remote,
    id: AttemptId,
    pub(super) execution: RemoteExecution,
}

/// What became of it.
#[derive(Default)]
pub(super) struct Tried {
    /// Its job.
    pub(super) job: Option<String>,
    /// The node of the cluster that it ran on.
    pub(super) host: Option<String>,
    /// What it waited for at last.
    pub(super) waits_for: Option<String>,
    /// Its outcome, unless it was stopped.
    pub(super) outcome: Option<Outcome>,
    /// Whether it was seen to run.
    pub(super) ran: bool,
    /// Whether it was seen to be gone after it was stopped; `None` if it ended before.
    pub(super) is_gone: Option<bool>,
}

impl Tried {
    /// Returns what became of a job that could not be made.
    pub(super) fn refused(why: String) -> Self {
        let outcome = Outcome::failed(fanlight_shared::event::NodeError::new(why));
        Self { outcome: Some(outcome), ..Self::default() }
    }

    /// Returns why it did not succeed, in one sentence.
    pub(super) fn error(&self) -> Option<String> {
        let error = self.outcome.as_ref()?.error.as_ref()?;
        Some(match &error.last_line {
            Some(line) => format!("{}: {line}", error.message),
            None => error.message.clone(),
        })
    }
}

impl Probe {
    /// Creates a job with this script.
    pub(super) fn new(remote: &Remote, name: &str, script: &str, gpus: Gpus) -> Self {
        let id = AttemptId::new();
        let resources = Resources { gpus, time: Some(TIME_LIMIT), ..Resources::default() };
        let attempt = Attempt {
            id,
            run: Arc::new(RunFacts {
                id: RunId::new(),
                number: 1,
                label: String::new(),
                workflow_id: WorkflowId::new(),
                workflow: "fanlight-check".into(),
                project: None,
                environment: Arc::default(),
            }),
            node: name.to_owned(),
            item: ItemPath::WHOLE,
            number: 1,
            failures: 0,
            spent_before: None,
            cancel: Default::default(),
            resources: Some(Arc::new(resources)),
            time_limit: Default::default(),
            gpus: Vec::new(),
            answer: None,
            secrets: Default::default(),
            has_secrets: false,
            withheld: Default::default(),
            recorder: Default::default(),
            hub: Arc::default(),
        };
        let work = CommandWork {
            program: Program::Script { text: script.to_owned(), shell: Shell::Default },
            inputs: Default::default(),
            env: [("CHECK_TOKEN".to_owned(), id.to_string())].into_iter().collect(),
            dir: None,
            outputs: Default::default(),
            metrics: Vec::new(),
            remember: None,
        };
        let execution = RemoteExecution::new(remote.clone(), attempt, Arc::new(work));
        Self { remote: remote.clone(), id, execution }
    }

    /// Returns what it was given.
    pub(super) fn token(&self) -> String {
        self.id.to_string()
    }

    /// Lays out its files.
    pub(super) async fn prepare(&self, deadline: Instant) -> Result<(), String> {
        match timeout_at(deadline, self.execution.prepare()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(outcome)) => {
                let tried = Tried { outcome: Some(outcome), ..Tried::default() };
                Err(tried.error().unwrap_or_else(|| "its files can't be written".to_owned()))
            }
            Err(_) => Err("its files could not be written in time; is the disk full?".to_owned()),
        }
    }

    /// Submits it and follows it, until it ends or the deadline has come; or until it runs, for one that is to be stopped
    /// then. What has not ended is stopped.
    pub(super) async fn run(&self, deadline: Instant, stop: bool) -> Tried {
        match timeout_at(deadline, self.execution.start()).await {
            Ok(Ok(())) => {}
            Ok(Err(outcome)) => return Tried { outcome: Some(outcome), ..self.seen() },
            Err(_) => return self.seen(),
        }
        let (mut ended, mut runs) = (self.execution.wait(), self.execution.runs());
        let (end, ran) = tokio::select! {
            biased;
            end = &mut ended => (Some(end), true),
            _ = &mut runs, if stop => (None, true),
            () = sleep_until(deadline) => (None, false),
        };
        if let Some(end) = end {
            let outcome = match end {
                End::Ended => self.execution.collect().await,
                End::Lost(why) => Outcome::lost(&why),
            };
            return Tried { outcome: Some(outcome), ..self.seen() };
        }
        let seen = self.seen();
        let mut signal = self.execution.signal(Signal::Stop);
        let stopped = timeout(CANCEL_TIMEOUT, async {
            tokio::select! {
                end = &mut ended => end == End::Ended,
                _ = &mut signal => false,
            }
        });
        Tried { ran, is_gone: Some(stopped.await.unwrap_or(false)), ..seen }
    }

    fn seen(&self) -> Tried {
        let location = self.execution.location();
        let waits_for = self.execution.waits_for();
        Tried { job: location.job, host: location.host, waits_for, ..Tried::default() }
    }

    /// Removes everything of it. Returns what is left, if something is.
    pub(super) async fn remove(self) -> Option<String> {
        drop(self.execution);
        let cleared = timeout(CANCEL_TIMEOUT, async {
            // What is left of a job that was cancelled may still write.
            while !self.remote.clear(self.id).await {
                tokio::time::sleep(CLEAR_INTERVAL).await;
            }
        });
        if cleared.await.is_ok() {
            return None;
        }
        let folder = self.remote.folder(self.id);
        Some(format!(
            "what is in {} could not be removed, and its job may live for {} minutes; the daemon tries again when it starts",
            folder.files().display(),
            TIME_LIMIT.as_secs() / 60 + 1
        ))
    }
}
