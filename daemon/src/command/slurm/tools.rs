//! The commands of Slurm: `sbatch`, `squeue` and `scancel`, each with its own time limit.
//!
//! A controller that is down makes them wait for a long time, and then fail: that says nothing about any job.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;

use super::files;
use super::job::SeenJob;
use crate::command::text;
use crate::config::EngineSettings;

/// How long `sbatch` may take.
pub(super) const SUBMIT_TIMEOUT: Duration = Duration::from_secs(60);
/// How long the others may take.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// The commands that an engine needs.
pub(super) const PROGRAMS: [&str; 3] = ["sbatch", "squeue", "scancel"];

/// The fields of `squeue`, of which the last one may contain anything.
const FORMAT: &str = "%A|%T|%r|%N|%l|%M|%m|%k";

/// The fields of `sacct`, of which the last one may contain anything.
const ACCOUNT_FORMAT: &str = "JobIDRaw,State,NodeList,Timelimit,Elapsed,ReqMem,WorkDir";

/// The variables with which a user changes the defaults of these commands.
const OWN_VARIABLES: [&str; 4] = ["SBATCH_", "SQUEUE_", "SCANCEL_", "SACCT_"];

/// The commands of one cluster.
#[derive(Clone, Debug)]
pub(super) struct Tools {
    settings: EngineSettings,
}

/// A job to be submitted.
#[derive(Clone, Debug)]
pub(super) struct Request<'a> {
    /// The comment by which it is found again.
    pub(super) key: &'a str,
    /// Its name for people.
    pub(super) name: &'a str,
    /// The folder of the attempt.
    pub(super) files: &'a Path,
    /// The options for what it needs.
    pub(super) needs: &'a [String],
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
    pub(super) fn new(settings: EngineSettings) -> Self {
        Self { settings }
    }

    /// Submits a job and returns its id.
    pub(super) async fn submit(&self, request: &Request<'_>) -> Result<String, SubmitError> {
        let output = match call(self.sbatch(&["--parsable"], request), SUBMIT_TIMEOUT).await {
            Ok(output) => output,
            Err(Failure::Missing(why)) => return Err(SubmitError::Refused(why)),
            Err(Failure::Failed(why)) => return Err(classify(why)),
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
        let Err(failure) = call(self.sbatch(&["--test-only"], request), CALL_TIMEOUT).await else {
            return Ok(());
        };
        match classify(failure.sentence()) {
            // The options are right, and it takes the job later.
            SubmitError::Busy(_) => Ok(()),
            SubmitError::Refused(why) | SubmitError::Unknown(why) => Err(why),
        }
    }

    /// Returns the command that submits a job.
    fn sbatch(&self, options: &[&str], request: &Request<'_>) -> Command {
        let mut command = self.command("sbatch");
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
        let log = request.files.join(files::JOB_LOG);
        for (option, path) in [("--chdir=", request.files), ("--output=", &log), ("--error=", &log)] {
            let mut word = std::ffi::OsString::from(option);
            word.push(path);
            command.arg(word);
        }
        command.arg(files::runner(request.files)).arg(request.files);
        command
    }

    /// Returns all jobs of this user that the controller remembers.
    ///
    /// # Errors
    /// It can't be asked at the moment.
    pub(super) async fn jobs(&self) -> Result<Vec<SeenJob>, String> {
        let mut command = self.command("squeue");
        command.args(["-h", "--me", "-t", "all", "-o", FORMAT]);
        let output = call(command, CALL_TIMEOUT).await.map_err(Failure::sentence)?;
        Ok(output.lines().filter_map(SeenJob::parse).collect())
    }

    /// Returns what the accounting of the cluster knows of these jobs that have ended, each with the folder that it was
    /// started in; `None` if the cluster has none.
    ///
    /// # Errors
    /// It can't be asked at the moment.
    pub(super) async fn accounted(&self, jobs: &[String]) -> Result<Option<Vec<(SeenJob, String)>>, String> {
        let mut command = self.command("sacct");
        // An id may have belonged to several jobs.
        command.args(["-n", "-P", "-X", "-D", "-o", ACCOUNT_FORMAT, "-j"]).arg(jobs.join(","));
        match call(command, CALL_TIMEOUT).await {
            Ok(output) => Ok(Some(output.lines().filter_map(SeenJob::parse_accounted).collect())),
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
        let mut command = self.command("scancel");
        command.args(jobs);
        call(command, CALL_TIMEOUT).await.map(drop).map_err(Failure::sentence)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        // The commands' own variables would change what they do here.
        for (name, _) in std::env::vars_os() {
            let is_own =
                name.to_str().is_some_and(|name| OWN_VARIABLES.iter().any(|own| name.starts_with(own)));
            if is_own {
                command.env_remove(name);
            }
        }
        command.env("LC_ALL", "C").current_dir("/").stdin(Stdio::null()).kill_on_drop(true);
        command
    }
}

/// Why a command has no answer.
enum Failure {
    /// It is not installed.
    Missing(String),
    /// It failed with these words.
    Failed(String),
    /// It took too long.
    TimedOut(String),
}

impl Failure {
    fn sentence(self) -> String {
        match self {
            Self::Missing(why) | Self::Failed(why) | Self::TimedOut(why) => why,
        }
    }
}

async fn call(mut command: Command, limit: Duration) -> Result<String, Failure> {
    let program = command.as_std().get_program().to_string_lossy().into_owned();
    let unstarted = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => Failure::Missing(missing(&program)),
        _ => Failure::Failed(format!("`{program}` can't be started: {error}")),
    };
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(unstarted)?;
    let (mut stdout, mut stderr) = (child.stdout.take(), child.stderr.take());
    let (mut answer, mut complaint) = (Vec::new(), Vec::new());
    let ended = tokio::time::timeout(limit, async {
        tokio::try_join!(read(stdout.as_mut(), &mut answer), read(stderr.as_mut(), &mut complaint))?;
        child.wait().await
    });
    let ended = ended.await;
    let said = words(&program, &complaint);
    match ended {
        Ok(Ok(status)) if status.success() => Ok(String::from_utf8_lossy(&answer).into_owned()),
        Ok(Ok(status)) => {
            let said = said.unwrap_or_else(|| format!("it ended with {status}"));
            Err(Failure::Failed(format!("`{program}`: {said}")))
        }
        Ok(Err(error)) => Err(Failure::TimedOut(format!("`{program}` has no answer: {error}"))),
        Err(_) => {
            let said = said.map_or_else(String::new, |said| format!(": {said}"));
            Err(Failure::TimedOut(format!("`{program}` took longer than {} s{said}", limit.as_secs())))
        }
    }
}

/// Reads all that comes; what has come is there even if the rest is not waited for.
async fn read(from: Option<&mut (impl AsyncRead + Unpin)>, into: &mut Vec<u8>) -> std::io::Result<()> {
    match from {
        Some(from) => from.read_to_end(into).await.map(drop),
        None => Ok(()),
    }
}

/// Returns in one line what a program wrote to standard error, if it did.
fn words(program: &str, stderr: &[u8]) -> Option<String> {
    let said = String::from_utf8_lossy(stderr);
    let lines: Vec<String> = said.lines().map(text::line).filter(|line| !line.is_empty()).collect();
    let prefix = format!("{program}: error: ");
    let lines: Vec<&str> = lines.iter().map(|line| line.strip_prefix(&prefix).unwrap_or(line)).collect();
    (!lines.is_empty()).then(|| fanlight_shared::value::cut(&lines.join("; "), 400))
}

/// Returns the sentence for a command that is not installed.
pub(super) fn missing(program: &str) -> String {
    format!(
        "there is no program `{program}` in the daemon's PATH; install Slurm's client on this machine (on Debian and Ubuntu \
         the package slurm-client)"
    )
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

    #[tokio::test]
    async fn what_a_program_said_before_its_time_was_over_is_known() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo full >&2; exec sleep 60"]).kill_on_drop(true);
        let failed = call(command, Duration::from_secs(2)).await.unwrap_err();
        assert!(
            matches!(&failed, Failure::TimedOut(why) if why.ends_with(": full")),
            "{}",
            failed.sentence()
        );
    }

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
