//! Starts a program, sends a request or shows a notification at an end.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use fanlight_shared::on_end::{EndAction, WantedBy};
use fanlight_shared::run::RunStatus;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};

use crate::command::Environment;
#[cfg(feature = "http")]
use crate::http::{Http, Reach, Redirects};
use crate::on_end::{Due, End};
use crate::secret::{SecretSettings, Secrets};

/// How long it may take.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Does what is to be done at ends.
#[derive(Clone, Debug)]
pub(crate) struct Performer {
    /// Where secrets come from.
    pub(crate) secrets: SecretSettings,
    /// The clients for webhooks.
    #[cfg(feature = "http")]
    pub(crate) http: Http,
    /// The variables of the daemon that a command of a workflow file gets, as those of nodes do.
    pub(crate) environment: Arc<Environment>,
}

impl Performer {
    /// Does it once.
    ///
    /// # Errors
    /// A sentence without secrets.
    pub(super) async fn perform(&self, due: &Due) -> Result<(), String> {
        let token = match &due.on_end.action {
            EndAction::Webhook { token, .. } => token.as_ref(),
            EndAction::Command(_) | EndAction::Notify => None,
        };
        let names: BTreeSet<String> = due.on_end.secrets.iter().chain(token).cloned().collect();
        let secrets = self.secrets.resolve(&names).await?;
        let done = match &due.on_end.action {
            EndAction::Command(words) => self.start(words, due, &secrets).await,
            EndAction::Webhook { url, .. } => {
                self.send(url, due, token.and_then(|name| secrets.get(name))).await
            }
            EndAction::Notify => self.start(&notification(&due.end), due, &secrets).await,
        };
        done.map_err(|error| secrets.mask(error))
    }

    #[cfg(feature = "http")]
    async fn send(&self, url: &str, due: &Due, token: Option<&str>) -> Result<(), String> {
        let url = self.http.check(url, Reach::Listed).await?;
        let body = serde_json::json!({
            "key": due.id, "of": due.end.of.word(), "name": due.end.name, "workflow": due.end.workflow,
            "state": due.end.state.word(), "ended_at": due.end.at,
        });
        let mut request = self
            .http
            .client(Reach::Listed, Redirects::SameOrigin)?
            .post(url)
            .timeout(TIMEOUT)
            .header("Content-Type", "application/json")
            .header("Idempotency-Key", &due.id)
            .body(body.to_string());
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let response = request.send().await.map_err(|error| {
            let error = error.without_url();
            let cause =
                std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
            format!("the request failed: {error}{cause}")
        })?;
        match response.status() {
            status if status.is_success() => Ok(()),
            status => Err(format!("the server answered {status}")),
        }
    }

    #[cfg(not(feature = "http"))]
    async fn send(&self, _url: &str, _due: &Due, _token: Option<&str>) -> Result<(), String> {
        Err("this Fanlight was built without HTTP".to_owned())
    }

    /// Runs a program to its end. What it is about is in variables, never in its arguments.
    async fn start(&self, words: &[String], due: &Due, secrets: &Secrets) -> Result<(), String> {
        let (program, arguments) = words.split_first().ok_or("there is no program")?;
        let folder = match (&due.on_end.wanted_by, &due.on_end.action) {
            (WantedBy::File { folder }, EndAction::Command(_)) => folder.as_deref(),
            _ => None,
        };
        let path = match folder {
            // A name without a folder is looked for in `PATH`.
            Some(folder) if program.contains('/') => Path::new(folder).join(program),
            _ => PathBuf::from(program),
        };
        let mut command = Command::new(path);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.process_group(0).kill_on_drop(true).current_dir("/");
        if due.on_end.wanted_by != WantedBy::Config && due.on_end.action != EndAction::Notify {
            command.env_clear().envs(self.environment.passed());
        }
        if let Some(folder) = folder {
            command.env("FANLIGHT_PROJECT", folder).current_dir(folder);
        }
        command.envs(secrets.iter());
        command.env("FANLIGHT_END_KEY", &due.id).env("FANLIGHT_END_OF", due.end.of.word());
        command.env("FANLIGHT_NAME", &due.end.name).env("FANLIGHT_WORKFLOW", &due.end.workflow);
        command.env("FANLIGHT_STATE", due.end.state.word());
        end_of(program, command).await
    }
}

/// Returns the command that shows a notification.
fn notification(end: &End) -> Vec<String> {
    let text = format!("{} {}", end.name, end.state.word());
    let urgency = if end.state == RunStatus::Failed { "critical" } else { "normal" };
    let words = ["notify-send", "--app-name=fanlight", "--urgency", urgency, "--", "Fanlight", &text];
    words.map(str::to_owned).to_vec()
}

/// Starts a program and waits for its end.
async fn end_of(program: &str, mut command: Command) -> Result<(), String> {
    let mut child = command.spawn().map_err(|error| format!("`{program}` can't be started: {error}"))?;
    // Dropped before the child, so that its number is not another's yet.
    let mut group = Group::of(&child);
    match tokio::time::timeout(TIMEOUT, child.wait()).await {
        Ok(Ok(status)) => {
            group.0 = None;
            if status.success() { Ok(()) } else { Err(format!("`{program}` failed ({status})")) }
        }
        Ok(Err(error)) => Err(format!("the end of `{program}` is unknown: {error}")),
        Err(_) => Err(format!("`{program}` took longer than {} s", TIMEOUT.as_secs())),
    }
}

/// Kills a process group when it is dropped: a program that takes too long, or that the daemon leaves, ends with all that
/// it started.
struct Group(Option<Pid>);

impl Group {
    fn of(leader: &Child) -> Self {
        Self(leader.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}
