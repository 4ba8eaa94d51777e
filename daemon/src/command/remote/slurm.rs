//! Slurm: its commands `sbatch`, `squeue`, `scancel` and `sacct`.
//!
//! A controller that is down makes them wait for a long time, and then fail: that says nothing about any job.

use std::ffi::OsString;

use fanlight_shared::resources::{CPU_PARTS, Gpus, Resources};

use super::call::{Failure, Line};
use super::caller::Caller;
use super::files;
use super::job::SeenJob;
use super::request::{CALL_TIMEOUT, Request, SUBMIT_TIMEOUT, SubmitError};
use crate::command::text;
use crate::config::EngineSettings;

/// The commands that an engine needs.
pub(super) const PROGRAMS: [&str; 3] = ["sbatch", "squeue", "scancel"];

/// The fields of `squeue`, of which the last one may contain anything.
const FORMAT: &str = "%i|%T|%r|%N|%l|%M|%m|%k";

/// The fields of `sacct`, of which the last one may contain anything.
const ACCOUNT_FORMAT: &str = "JobID,State,NodeList,Timelimit,Elapsed,ReqMem,WorkDir";

/// Submits a job and returns its id.
pub(super) async fn submit(
    caller: &Caller,
    settings: &EngineSettings,
    request: &Request<'_>,
) -> Result<String, SubmitError> {
    let output = match caller.call(sbatch(settings, &["--parsable"], request), SUBMIT_TIMEOUT).await {
        Ok(output) => output,
        Err(Failure::Missing(why)) => return Err(SubmitError::Refused(why)),
        Err(Failure::Failed(why)) => return Err(classify(why)),
        Err(Failure::Unreachable(why)) => return Err(SubmitError::Unknown(why)),
        Err(Failure::NotRun(why)) => return Err(SubmitError::Busy(why)),
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
pub(super) async fn test(
    caller: &Caller,
    settings: &EngineSettings,
    request: &Request<'_>,
) -> Result<(), String> {
    let line = sbatch(settings, &["--test-only"], request);
    let Err(failure) = caller.call(line, CALL_TIMEOUT).await else {
        return Ok(());
    };
    match classify(failure.sentence()) {
        // The options are right, and it takes the job later.
        SubmitError::Busy(_) => Ok(()),
        SubmitError::Refused(why) | SubmitError::Unknown(why) => Err(why),
    }
}

/// Returns the command that submits a job.
fn sbatch(settings: &EngineSettings, options: &[&str], request: &Request<'_>) -> Line {
    let mut command = Line::new("sbatch");
    command.args(options).args(["--no-requeue", "--export=NIL", "--open-mode=append"]);
    for (option, value) in
        [("partition", &settings.partition), ("account", &settings.account), ("qos", &settings.qos)]
    {
        if let Some(value) = value {
            command.arg(format!("--{option}={value}"));
        }
    }
    command.args(needs(request.needs));
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

/// Returns the options of `sbatch` for these resources. The cluster counts whole CPUs, mebibytes and minutes; the exact time
/// limit is the daemon's, so that of the job is a little longer.
fn needs(resources: &Resources) -> Vec<String> {
    let mut options = Vec::new();
    if resources.cpus > 0 {
        options.push(format!("--cpus-per-task={}", resources.cpus.div_ceil(CPU_PARTS)));
    }
    if resources.memory > 0 {
        options.push(format!("--mem={}M", resources.memory.div_ceil(1 << 20)));
    }
    match resources.gpus {
        Gpus::None => {}
        // The cluster divides no GPU.
        Gpus::Part(_) => options.push("--gres=gpu:1".to_owned()),
        Gpus::Whole(count) => options.push(format!("--gres=gpu:{count}")),
    }
    if let Some(time) = resources.time {
        options.push(format!("--time={}", time.as_secs().div_ceil(60) + 1));
    }
    options
}

/// Returns all jobs of this user that the controller remembers.
///
/// # Errors
/// It can't be asked at the moment.
pub(super) async fn jobs(caller: &Caller) -> Result<Vec<SeenJob>, String> {
    let mut command = Line::new("squeue");
    command.args(["-h", "--me", "-r", "-t", "all", "-o", FORMAT]);
    let output = caller.call(command, CALL_TIMEOUT).await.map_err(Failure::sentence)?;
    Ok(output.lines().filter_map(SeenJob::parse).collect())
}

/// Returns what the accounting of the cluster knows of these jobs that have ended, each with the folder that it was
/// started in; `None` if the cluster has none.
///
/// # Errors
/// It can't be asked at the moment.
pub(super) async fn accounted(
    caller: &Caller,
    jobs: &[String],
) -> Result<Option<Vec<(SeenJob, String)>>, String> {
    let mut command = Line::new("sacct");
    // An id may have belonged to several jobs.
    command.args(["-n", "-P", "-X", "-D", "-o", ACCOUNT_FORMAT, "-j"]).arg(jobs.join(","));
    match caller.call(command, CALL_TIMEOUT).await {
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
pub(super) async fn cancel(caller: &Caller, jobs: &[String]) -> Result<(), String> {
    let mut command = Line::new("scancel");
    command.args(jobs);
    caller.call(command, CALL_TIMEOUT).await.map(drop).map_err(Failure::sentence)
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
    const FULL: [&str; 7] = [
        "MaxSubmit",
        "GrpSubmitJobsLimit",
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
    use std::time::Duration;

    use super::*;

    #[test]
    fn resources_become_options_that_are_large_enough() {
        let time = Some(Duration::from_secs(1801));
        let (cpus, memory, gpus, disk) = (1500, 4_000_000_000, Gpus::Whole(2), 1 << 40);
        let resources = Resources { cpus, memory, gpus, time, disk };
        let all = ["--cpus-per-task=2", "--mem=3815M", "--gres=gpu:2", "--time=32"];
        assert_eq!(needs(&resources), all);
        let part = Resources { gpus: Gpus::Part(250), ..Resources::default() };
        assert_eq!(needs(&part), ["--gres=gpu:1"]);
        assert_eq!(needs(&Resources::default()), [""; 0]);
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
        let group = "QOSGrpSubmitJobsLimit; Batch job submission failed: Job violates accounting/QOS policy (job submit limit, \
                     user's size and/or time limits)";
        assert!(matches!(of(group), SubmitError::Busy(_)));
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
