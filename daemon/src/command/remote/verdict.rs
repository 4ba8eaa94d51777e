//! Decides what became of an attempt, by what its runner said and by what the cluster says of its jobs.
//!
//! What the runner wrote is the truth: the controller may forget jobs, reuse their ids, or be down. Its states only explain an
//! end, or tell that there will be none.

use std::time::{Duration, Instant};

use super::cluster::Snapshot;
use super::files::{RunnerExit, Said};
use super::job::{JobState, SeenJob};

/// How many polls must agree before an end without the file `exit` is believed, which may be late on a network file
/// system.
const GRACE_POLLS: u32 = 3;
/// How long a job must have ended by itself before that is believed, also where polls are frequent.
const GRACE: Duration = Duration::from_secs(30);
/// How long after an end its cause may be unknown because the controller can't be reached, or its files can't be read.
const CAUSE_TIMEOUT: Duration = Duration::from_secs(60);
/// How long the runner of a job that the controller forgot may say nothing: several of its beats.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(90);
/// How often a job that the controller forgot before it started is submitted again.
const MAX_SUBMISSIONS: u32 = 5;

/// What became of an attempt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Verdict {
    /// It waits or runs.
    Lives(Lives),
    /// Its command ended by itself.
    Ended(RunnerExit),
    /// It was ended, or never began.
    Stopped(Stopped),
    /// Nobody saw how it ended; one sentence says why.
    Lost(String),
    /// No job of it exists, and none has started it: it is to be submitted.
    Absent,
}

/// A living attempt.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Lives {
    /// Its job.
    pub(super) job: Option<String>,
    /// The node of the cluster that it runs on.
    pub(super) host: Option<String>,
    /// What it waits for, to follow "waits for Slurm: ".
    pub(super) reason: Option<String>,
}

/// Why an attempt was ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Stopped {
    /// Fanlight wanted it.
    Asked,
    /// Somebody cancelled its job.
    BySomebody(String),
    /// It is a failure of its own, which this sentence explains; with its exit code, if it has one.
    Failed(String, Option<i32>),
}

/// What is remembered between two looks.
#[derive(Debug)]
pub(super) struct Judge {
    /// Only later polls say something about the newest submission.
    submitted_after: u64,
    /// The last poll that was looked at.
    seen: u64,
    submissions: u32,
    /// How many polls in a row saw no job.
    absent: u32,
    /// How many polls in a row saw the end of the job.
    ended: u32,
    /// When the first of them saw it.
    ended_at: Option<Instant>,
    /// The newest sign of life of the runner, and when it came.
    alive: (Option<String>, Instant),
    /// When its `exit` was first seen.
    exit_at: Option<Instant>,
    /// Since when only what can't be read keeps it from being decided.
    undecided: Option<Instant>,
}

impl Judge {
    /// Knows of a submission during a poll with this number or before it.
    pub(super) fn new(submitted_after: u64, now: Instant) -> Self {
        Self {
            submitted_after,
            seen: submitted_after,
            submissions: 1,
            absent: 0,
            ended: 0,
            ended_at: None,
            alive: (None, now),
            exit_at: None,
            undecided: None,
        }
    }

    /// Notes another submission, which the cluster took.
    pub(super) fn submitted(&mut self, after: u64) {
        self.submissions += 1;
        self.tried(after);
    }

    /// Notes that it was to be submitted: only later polls say whether it was.
    pub(super) fn tried(&mut self, after: u64) {
        self.submitted_after = after;
        self.recount();
    }

    /// Forgets what earlier polls agreed about.
    fn recount(&mut self) {
        (self.absent, self.ended, self.ended_at) = (0, 0, None);
    }

    /// Returns the verdict, but none from files that can't be read; `trouble` says why they can't.
    pub(super) fn decide(
        &mut self,
        key: &str,
        said: &Said,
        trouble: Option<&str>,
        snapshot: &Snapshot,
        stopping: bool,
        now: Instant,
    ) -> Verdict {
        if trouble.is_none() && self.undecided.take().is_some() {
            // What was written meanwhile may show late.
            self.recount();
        }
        let verdict = self.judge(key, said, snapshot, stopping, now);
        match (verdict, trouble) {
            (verdict @ Verdict::Lives(_), _) | (verdict, None) => verdict,
            (_, Some(why)) if now - *self.undecided.get_or_insert(now) > CAUSE_TIMEOUT => {
                Verdict::Lost(why.to_owned())
            }
            (_, Some(_)) => Verdict::Lives(lives(said, own_job(said, snapshot.jobs(key)))),
        }
    }

    /// Decides by what is known. `stopping`: whether Fanlight wants the end.
    fn judge(
        &mut self,
        key: &str,
        said: &Said,
        snapshot: &Snapshot,
        stopping: bool,
        now: Instant,
    ) -> Verdict {
        let is_new = snapshot.number > self.seen.max(self.submitted_after);
        self.seen = self.seen.max(snapshot.number);
        let jobs = if snapshot.number > self.submitted_after || said.started.is_some() {
            snapshot.jobs(key)
        } else {
            &[]
        };
        if self.alive.0 != said.alive {
            self.alive = (said.alive.clone(), now);
        }
        let job = own_job(said, jobs);
        let is_active = jobs.iter().any(|job| !job.state.is_ended());
        if is_new {
            self.absent = if job.is_none() && !is_active { self.absent + 1 } else { 0 };
            if job.is_none() || is_active {
                (self.ended, self.ended_at) = (0, None);
            } else {
                self.ended += 1;
                self.ended_at.get_or_insert(now);
            }
        }
        match &said.exit {
            Some(exit) => self.with_exit(exit, said, job, is_active, stopping, snapshot, now),
            None => self.without_exit(said, job, is_active, stopping, now),
        }
    }

    /// Decides about a command that has ended.
    #[allow(clippy::too_many_arguments)]
    fn with_exit(
        &mut self,
        exit: &RunnerExit,
        said: &Said,
        job: Option<&SeenJob>,
        is_active: bool,
        stopping: bool,
        snapshot: &Snapshot,
        now: Instant,
    ) -> Verdict {
        let waited = now - *self.exit_at.get_or_insert(now);
        // Whoever stops it wants nothing of it to be alive.
        if exit.code == 0 && !exit.told && !stopping {
            return Verdict::Ended(exit.clone());
        }
        let state = job.map(|job| job.state).filter(|state| state.is_ended());
        let is_gone = self.absent >= GRACE_POLLS;
        if state.is_none() && !is_gone {
            // A failure that needs no cause doesn't wait for a controller that is down.
            let unreachable = snapshot.stale.is_some() && waited > CAUSE_TIMEOUT;
            if !(unreachable && !exit.told && !stopping) {
                return Verdict::Lives(lives(said, job));
            }
        }
        if is_active {
            return Verdict::Lives(lives(said, job));
        }
        match (state, job) {
            _ if stopping && exit.told => Verdict::Stopped(Stopped::Asked),
            (Some(JobState::OutOfMemory), Some(job)) if exit.code != 0 => {
                Verdict::Stopped(Stopped::Failed(out_of_memory(job), Some(exit.code)))
            }
            _ if !exit.told => Verdict::Ended(exit.clone()),
            (Some(state), Some(job)) => ended_by(state, job).unwrap_or_else(|| Verdict::Ended(exit.clone())),
            _ => {
                let why = "its job was told to end, and the cluster no longer knows why";
                Verdict::Stopped(Stopped::Failed(why.into(), Some(exit.code)))
            }
        }
    }

    /// Decides about a command that has not ended, as far as it is known.
    fn without_exit(
        &self,
        said: &Said,
        job: Option<&SeenJob>,
        is_active: bool,
        stopping: bool,
        now: Instant,
    ) -> Verdict {
        let living = Verdict::Lives(lives(said, job));
        if is_active {
            return living;
        }
        let Some(job) = job else {
            return match &said.started {
                _ if self.absent < GRACE_POLLS => living,
                Some(_) if now - self.alive.1 < SILENCE_TIMEOUT => living,
                Some(started) => Verdict::Lost(format!(
                    "the cluster no longer knows the job {} on {}, and it does not report any more",
                    started.job, started.host
                )),
                None if stopping => Verdict::Stopped(Stopped::Asked),
                None => self.again(),
            };
        };
        // A job that never ran leaves nothing to wait for.
        if job.state == JobState::Expired && said.started.is_none() {
            return if stopping { Verdict::Stopped(Stopped::Asked) } else { Verdict::Absent };
        }
        // What still reports has its end before it.
        if job.state == JobState::Unattended && said.started.is_some() && now - self.alive.1 < SILENCE_TIMEOUT
        {
            return living;
        }
        let never_ran = job.state == JobState::Cancelled && said.started.is_none() && job.nodes.is_empty();
        if !never_ran && !self.has_ended(job, now) {
            return living;
        }
        if stopping {
            return Verdict::Stopped(Stopped::Asked);
        }
        // A node refuses a job with the number of one that it runs, and the controller then cancels it.
        if job.state == JobState::Cancelled && said.started.is_none() && !never_ran {
            return self.again();
        }
        ended_by(job.state, job).unwrap_or_else(|| match &said.started {
            Some(started) => Verdict::Lost(format!(
                "the job {} on {} ended without saying how its command did ({})",
                started.job, started.host, job.reason
            )),
            None => Verdict::Stopped(Stopped::Failed(
                format!(
                    "the job {} ended before its command started ({}); is `workdir` there on {}?",
                    job.id,
                    job.reason,
                    if job.nodes.is_empty() { "its node" } else { &job.nodes }
                ),
                None,
            )),
        })
    }
}

impl Judge {
    /// Returns whether polls agree for long enough that this job has ended.
    fn has_ended(&self, job: &SeenJob, now: Instant) -> bool {
        let by_itself = matches!(job.state, JobState::Completed | JobState::Failed);
        let is_old = self.ended_at.is_some_and(|at| now - at >= GRACE);
        self.ended >= GRACE_POLLS && (is_old || !by_itself)
    }

    /// Decides about an attempt that no job began.
    fn again(&self) -> Verdict {
        if self.submissions < MAX_SUBMISSIONS {
            return Verdict::Absent;
        }
        Verdict::Lost(format!("the cluster took {MAX_SUBMISSIONS} jobs and started none of them"))
    }
}

/// Returns the job of an attempt: the one that runs it, else one that may still do so, else the last one that ended.
fn own_job<'a>(said: &Said, jobs: &'a [SeenJob]) -> Option<&'a SeenJob> {
    let id = said.started.as_ref().map(|it| it.job.as_str()).or(said.exit.as_ref().map(|it| it.job.as_str()));
    match id {
        // Another one of the same attempt lost the race for it.
        Some(id) => jobs.iter().find(|job| job.id == id),
        None => jobs.iter().find(|job| !job.state.is_ended()).or(jobs.last()),
    }
}

fn lives(said: &Said, job: Option<&SeenJob>) -> Lives {
    let started = said.started.as_ref();
    let id = started.map(|it| it.job.clone()).or(job.map(|job| job.id.clone()));
    let reason = job.filter(|job| started.is_none() && job.state == JobState::Pending);
    Lives {
        job: id,
        host: started.map(|it| it.host.clone()),
        reason: reason.map(|job| if job.reason.is_empty() { "None".into() } else { job.reason.clone() }),
    }
}

/// Returns what a state of a job that was not ended by its command means; `None` if the state explains nothing.
fn ended_by(state: JobState, job: &SeenJob) -> Option<Verdict> {
    let id = &job.id;
    Some(match state {
        JobState::TimedOut => Verdict::Stopped(Stopped::Failed(
            format!("the job {id} reached its time limit of {} after {}", job.time_limit, job.time_used),
            None,
        )),
        JobState::OutOfMemory => Verdict::Stopped(Stopped::Failed(out_of_memory(job), None)),
        JobState::Cancelled => Verdict::Stopped(Stopped::BySomebody(format!(
            "somebody cancelled the job {id} after {}",
            job.time_used
        ))),
        JobState::NodeFailed => {
            Verdict::Lost(format!("the node {} of the job {id} failed ({})", job.nodes, job.reason))
        }
        JobState::Unattended => Verdict::Lost(format!("the cluster lost the job {id} ({})", job.reason)),
        JobState::Preempted => {
            Verdict::Lost(format!("the job {id} made place for another one after {}", job.time_used))
        }
        JobState::Pending | JobState::Active | JobState::Completed | JobState::Failed | JobState::Expired => {
            return None;
        }
    })
}

fn out_of_memory(job: &SeenJob) -> String {
    let asked = if job.memory == "0" { "what its node has".to_owned() } else { job.memory.clone() };
    format!("the job {} used more memory than it had asked for ({asked})", job.id)
}

#[cfg(test)]
mod tests;
