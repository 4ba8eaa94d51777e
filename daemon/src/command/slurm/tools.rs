//! The commands of Slurm: `sbatch`, `squeue` and `scancel`, each with its own time limit.
//!
//! A controller that is down makes them wait for a long time, and then fail: that says nothing about any job.

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use fanlight_shared::home::Home;
use fanlight_shared::ssh;
use tokio::sync::Semaphore;

use super::call::{self, Failure, Line, NOT_FOUND};
use super::files;
use super::job::SeenJob;
use super::login::{Login, SSH};
use crate::command::text;
use crate::config::EngineSettings;

/// How long `sbatch` may take.
pub(super) const SUBMIT_TIMEOUT: Duration = Duration::from_secs(60);
/// How long the others may take.
pub(super) const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// The commands that an engine needs.
pub(super) const PROGRAMS: [&str; 3] = ["sbatch", "squeue", "scancel"];

/// The fields of `squeue`, of which the last one may contain anything.
const FORMAT: &str = "%i|%T|%r|%N|%l|%M|%m|%k";

/// The fields of `sacct`, of which the last one may contain anything.
const ACCOUNT_FORMAT: &str = "JobID,State,NodeList,Timelimit,Elapsed,ReqMem,WorkDir";

/// How many calls carry files in each direction at once. OpenSSH lets one connection have 10 sessions by default, of which polls
/// and cancels need some.
const MAX_CARRYING: usize = 4;

/// The places of calls that carry files.
#[derive(Debug)]
pub(super) struct Lanes {
    pub(super) there: Semaphore,
    pub(super) back: Semaphore,
}

/// The commands of one cluster.
#[derive(Clone, Debug)]
pub(super) struct Tools {
    settings: EngineSettings,
    /// Where they are, if that is not this machine.
    login: Option<Login>,
    pub(super) lanes: Arc<Lanes>,
}

/// A job to be submitted.
#[derive(Clone, Debug)]
pub(super) struct Request<'a> {
    /// The comment by which it is found again.
    pub(super) key: &'a str,
    /// Its name for people.
    pub(super) name: &'a str,
    /// The folder of the attempt, as the cluster sees it; of an array, that of its first element.
    pub(super) files: &'a Path,
    /// The options for what it needs.
    pub(super) needs: &'a [String],
    /// The names of the folders of the elements, which are beside that one, if it is an array.
    pub(super) elements: &'a [OsString],
}

/// Why a job was not submitted, as far as that is known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum SubmitError {
    /// The cluster will never take it.
    Refused(String),
    /// The cluster takes no more jobs at the moment.
    Busy(String),
    /// It may have been submitted: the answer got lost.
    Unknown(String),
}

impl Tools {
    pub(super) fn new(settings: EngineSettings, home: &Home) -> Self {
        let login = settings.via.as_ref().map(|via| Login::new(via, home));
        let new = || Semaphore::new(MAX_CARRYING);
        Self { settings, login, lanes: Arc::new(Lanes { there: new(), back: new() }) }
    }

    /// Returns the login node, if they are not on this machine.
    pub(super) fn login(&self) -> Option<&Login> {
        self.login.as_ref()
    }

    /// Returns the machine that the commands are on, if that is not this one.
    pub(super) fn host(&self) -> Option<&str> {
        self.login.as_ref().map(Login::name)
    }

    /// Checks that a machine with the commands can be reached.
    ///
    /// # Errors
    /// It can't, and what to do.
    pub(super) async fn reach(&self) -> Result<(), String> {
        self.call(Line::new("true"), CALL_TIMEOUT).await.map(drop).map_err(Failure::sentence)
    }

    /// Checks that a command is there.
    ///
    /// # Errors
    /// It is not, or can't be called.
    pub(super) async fn find(&self, program: &'static str) -> Result<(), String> {
        let mut line = Line::new(program);
        line.arg("--version");
        self.call(line, CALL_TIMEOUT).await.map(drop).map_err(Failure::sentence)
    }

    /// Submits a job and returns its id.
    pub(super) async fn submit(&self, request: &Request<'_>) -> Result<String, SubmitError> {
        let output = match self.call(self.sbatch(&["--parsable"], request), SUBMIT_TIMEOUT).await {
            Ok(output) => output,
            Err(Failure::Missing(why)) => return Err(SubmitError::Refused(why)),
            Err(Failure::Failed(why)) => return Err(classify(why)),
            Err(Failure::Unreachable(why)) => return Err(SubmitError::Unknown(why)),
            // It waits by itself for a cluster that is full.
            Err(Failure::TimedOut(why)) => {
                return Err(match classify(why) {
                    SubmitError::Refused(why) => SubmitError::Unknown(why),
                    known => known,
                });
            }
        };
        // In a federation, the name of the cluster follows.
        let id = output.trim().split(';').next().unwrap_or_default().trim();
        if !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(id.to_owned());
        }
        Err(SubmitError::Unknown(format!("`sbatch` printed `{}` instead of an id", text::line(&output))))
    }

    /// Asks whether the cluster would take a job. Submits nothing.
    ///
    /// # Errors
    /// It would not, or can't be asked at the moment.
    pub(super) async fn test(&self, request: &Request<'_>) -> Result<(), String> {
        let line = self.sbatch(&["--test-only"], request);
        let Err(failure) = self.call(line, CALL_TIMEOUT).await else {
            return Ok(());
        };
        match classify(failure.sentence()) {
            // The options are right, and it takes the job later.
            SubmitError::Busy(_) => Ok(()),
            SubmitError::Refused(why) | SubmitError::Unknown(why) => Err(why),
        }
    }

    /// Returns the command that submits a job.
    fn sbatch(&self, options: &[&str], request: &Request<'_>) -> Line {
        let mut command = Line::new("sbatch");
        command.args(options).args(["--no-requeue", "--export=NIL", "--open-mode=append"]);
        for (option, value) in [
            ("partition", &self.settings.partition),
            ("account", &self.settings.account),
            ("qos", &self.settings.qos),
        ] {
            if let Some(value) = value {
                command.arg(format!("--{option}={value}"));
            }
        }
        command.args(request.needs);
        command.arg(format!("--job-name={}", request.name)).arg(format!("--comment={}", request.key));
        let is_array = !request.elements.is_empty();
        // An element finds its own log.
        let log = if is_array { "/dev/null".into() } else { request.files.join(files::JOB_LOG) };
        for (option, path) in [("--chdir=", request.files), ("--output=", &log), ("--error=", &log)] {
            let mut word = OsString::from(option);
            word.push(path);
            command.arg(word);
        }
        if is_array {
            command.arg(format!("--array=0-{}", request.elements.len() - 1));
            command.arg(files::runner(request.files));
            command.arg(request.files.parent().unwrap_or(request.files)).args(request.elements);
        } else {
            command.arg(files::runner(request.files)).arg(request.files);
        }
        command
    }

    /// Returns all jobs of this user that the controller remembers.
    ///
    /// # Errors
    /// It can't be asked at the moment.
    pub(super) async fn jobs(&self) -> Result<Vec<SeenJob>, String> {
        let mut command = Line::new("squeue");
        command.args(["-h", "--me", "-r", "-t", "all", "-o", FORMAT]);
        let output = self.call(command, CALL_TIMEOUT).await.map_err(Failure::sentence)?;
        Ok(output.lines().filter_map(SeenJob::parse).collect())
    }

    /// Returns what the accounting of the cluster knows of these jobs that have ended, each with the folder that it was
    /// started in; `None` if the cluster has none.
    ///
    /// # Errors
    /// It can't be asked at the moment.
    pub(super) async fn accounted(&self, jobs: &[String]) -> Result<Option<Vec<(SeenJob, String)>>, String> {
        let mut command = Line::new("sacct");
        // An id may have belonged to several jobs.
        command.args(["-n", "-P", "-X", "-D", "-o", ACCOUNT_FORMAT, "-j"]).arg(jobs.join(","));
        match self.call(command, CALL_TIMEOUT).await {
            Ok(output) => Ok(Some(output.lines().flat_map(SeenJob::parse_accounted).collect())),
            Err(Failure::Missing(_)) => Ok(None),
            Err(Failure::Failed(why)) if why.contains("accounting storage is disabled") => Ok(None),
            Err(failure) => Err(failure.sentence()),
        }
    }

    /// Cancels these jobs. That it succeeds says nothing: the jobs show it.
    ///
    /// # Errors
    /// It can't be asked at the moment.
    pub(super) async fn cancel(&self, jobs: &[String]) -> Result<(), String> {
        let mut command = Line::new("scancel");
        command.args(jobs);
        self.call(command, CALL_TIMEOUT).await.map(drop).map_err(Failure::sentence)
    }

    /// Calls a program, wherever they are.
    pub(super) async fn call(&self, line: Line, limit: Duration) -> Result<String, Failure> {
        let program = line.program;
        let Some(login) = &self.login else {
            return call::run(call::here(&line), program, limit).await?.text(program);
        };
        let command = login.command(program, &line.words).map_err(Failure::Failed)?;
        let output = call::run(command, program, limit).await.map_err(|failure| match failure {
            Failure::Missing(_) => Failure::Missing(call::missing(SSH)),
            other => other,
        })?;
        match output.status.code() {
            Some(0) => login.output(&output.stdout).map_err(Failure::Unreachable),
            Some(ssh::FAILED) => Err(Failure::Unreachable(login.failure(&output.stderr))),
            Some(NOT_FOUND) => Err(Failure::Missing(format!(
                "there is no program `{program}` in the PATH of commands at `{}`",
                login.name()
            ))),
            _ => output.text(program),
        }
    }
}

/// Decides by the words of `sbatch` whether another try makes sense.
fn classify(why: String) -> SubmitError {
    const LOST: [&str; 7] = [
        "ontact slurm controller",
        "ocket timed out",
        "onnection refused",
        "ommunications connection failure",
        "Zero Bytes were transmitted",
        "ontroller in standby mode",
        "onnection reset",
    ];
    const FULL: [&str; 6] = [
        "MaxSubmit",
        "artition not available (inactive or drain)",
        "temporarily unable to accept job",
        "esource temporarily unavailable",
        "reached jobs limit",
        "MaxJobCount",
    ];
    if FULL.iter().any(|words| why.contains(words)) {
        SubmitError::Busy(why)
    } else if LOST.iter().any(|words| why.contains(words)) {
        SubmitError::Unknown(why)
    } else {
        SubmitError::Refused(why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_answer_a_full_cluster_and_a_refusal_are_distinguished() {
        let of = |why: &str| classify(why.to_owned());
        let down = "Batch job submission failed: Unable to contact slurm controller (connect failure)";
        assert!(matches!(of(down), SubmitError::Unknown(_)));
        let timed_out = "Batch job submission failed: Socket timed out on send/recv operation";
        assert!(matches!(of(timed_out), SubmitError::Unknown(_)));
        let limit = "QOSMaxSubmitJobPerUserLimit; Batch job submission failed: Job violates accounting/QOS policy (job submit \
                     limit, user's size and/or time limits)";
        assert!(matches!(of(limit), SubmitError::Busy(_)));
        let association = "AssocMaxSubmitJobLimit; Batch job submission failed: Job violates accounting/QOS policy (job submit \
                           limit, user's size and/or time limits)";
        assert!(matches!(of(association), SubmitError::Busy(_)));
        let drained = "Batch job submission failed: Required partition not available (inactive or drain)";
        assert!(matches!(of(drained), SubmitError::Busy(_)));
        let too_large = "QOSMaxCpuPerJobLimit; Batch job submission failed: Job violates accounting/QOS policy (job submit limit, \
                         user's size and/or time limits)";
        assert!(matches!(of(too_large), SubmitError::Refused(_)), "it would wait for ever");
        let never = "Batch job submission failed: Requested node configuration is not available";
        assert!(matches!(of(never), SubmitError::Refused(_)));
        let partition = "invalid partition specified: gpux; Batch job submission failed: Invalid partition name specified";
        assert!(matches!(of(partition), SubmitError::Refused(_)));
    }
}
