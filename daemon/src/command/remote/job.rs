//! A job as `squeue` shows it.

use super::array;

/// The state of a job, as far as it makes a difference here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum JobState {
    /// It waits.
    Pending,
    /// It runs, starts or ends: something of it may be alive. Also every state that is not known here.
    Active,
    /// Its script exited with 0.
    Completed,
    /// Its script failed, or could not be started.
    Failed,
    /// It reached its time limit.
    TimedOut,
    /// It used more memory than it had asked for.
    OutOfMemory,
    /// Somebody cancelled it.
    Cancelled,
    /// Its node was lost, or did not start.
    NodeFailed,
    /// It made place for another job.
    Preempted,
    /// It waited for so long that the controller gave it up. It never ran.
    Expired,
    /// Who looked after it is gone; its command may still run.
    Unattended,
}

impl JobState {
    fn of(word: &str) -> Self {
        match word {
            "PENDING" | "REQUEUED" | "REQUEUE_FED" | "REQUEUE_HOLD" | "SPECIAL_EXIT" => Self::Pending,
            "COMPLETED" => Self::Completed,
            "FAILED" => Self::Failed,
            "TIMEOUT" | "DEADLINE" => Self::TimedOut,
            "OUT_OF_MEMORY" => Self::OutOfMemory,
            "CANCELLED" | "REVOKED" => Self::Cancelled,
            "NODE_FAIL" | "BOOT_FAIL" => Self::NodeFailed,
            "PREEMPTED" => Self::Preempted,
            _ => Self::Active,
        }
    }

    /// Returns whether nothing of the job is alive, and nothing will be.
    pub(super) fn is_ended(self) -> bool {
        !matches!(self, Self::Pending | Self::Active)
    }
}

/// A job that the controller remembers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct SeenJob {
    /// Its id, which may have belonged to another job before the controller crashed.
    pub(super) id: String,
    /// Its state.
    pub(super) state: JobState,
    /// Why it waits or ended, in Slurm's words.
    pub(super) reason: String,
    /// The nodes of the cluster.
    pub(super) nodes: String,
    /// Its time limit.
    pub(super) time_limit: String,
    /// How long it has run.
    pub(super) time_used: String,
    /// The memory that it asked for.
    pub(super) memory: String,
    /// Its comment; of an element of an array, with its index.
    pub(super) key: String,
}

impl SeenJob {
    /// Parses a line of `squeue`.
    pub(super) fn parse(line: &str) -> Option<Self> {
        let mut fields = line.splitn(8, '|').map(crate::command::text::line);
        let mut next = || fields.next();
        let (id, state, reason, nodes) = (next()?, next()?, next()?, next()?);
        let (time_limit, time_used, memory, key) = (next()?, next()?, next()?, next()?);
        let state = JobState::of(&state);
        let key = array::key_of(&id, key);
        Some(Self { id, state, reason, nodes, time_limit, time_used, memory, key })
    }

    /// Parses a line of `sacct` about a job that has ended, or about elements of an array that never ran. Returns also the
    /// folder that they were started in.
    pub(super) fn parse_accounted(line: &str) -> Vec<(Self, String)> {
        let Some((job, folder)) = Self::parse_account(line) else { return Vec::new() };
        let ids = array::expand(&job.id);
        ids.into_iter().map(|id| (Self { id, ..job.clone() }, folder.clone())).collect()
    }

    fn parse_account(line: &str) -> Option<(Self, String)> {
        let mut fields = line.splitn(7, '|');
        let mut next = || fields.next().map(crate::command::text::line);
        let (id, states, nodes) = (next()?, next()?, next()?);
        let (time_limit, time_used, memory) = (next()?, next()?, next()?);
        let folder = fields.next()?.to_owned();
        // Such as `CANCELLED by 1000`.
        let state = JobState::of(states.split(' ').next()?);
        let nodes = if nodes == "None assigned" { String::new() } else { nodes };
        let job =
            Self { id, state, reason: states, nodes, time_limit, time_used, memory, key: String::new() };
        // The accounts of a cluster that crashed have jobs that run for ever.
        state.is_ended().then_some((job, folder))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_squeue_is_a_job_and_its_comment_may_contain_anything() {
        let job = SeenJob::parse("41|NODE_FAIL|NodeDown|n1|1:00|0:32|4000M|fanlight:a|b").unwrap();
        assert_eq!(
            (job.id.as_str(), job.state, job.key.as_str()),
            ("41", JobState::NodeFailed, "fanlight:a|b")
        );
        assert!(job.state.is_ended());
        let job = SeenJob::parse("42|COMPLETING|None|n1|UNLIMITED|0:32|0|(null)").unwrap();
        assert!(!job.state.is_ended(), "something of it may be alive");
        assert!(!JobState::of("A_STATE_OF_A_LATER_VERSION").is_ended());
        assert_eq!(SeenJob::parse("squeue: an error"), None);
    }

    #[test]
    fn a_line_of_sacct_is_a_job_that_has_ended() {
        let line = "41|CANCELLED by 1000|None assigned|01:00:00|00:00:00|4G|/scratch/a|b";
        let [(job, folder)] = &SeenJob::parse_accounted(line)[..] else { panic!() };
        assert_eq!((job.id.as_str(), job.state, job.nodes.as_str()), ("41", JobState::Cancelled, ""));
        assert_eq!((job.reason.as_str(), folder.as_str()), ("CANCELLED by 1000", "/scratch/a|b"));
        assert_eq!(SeenJob::parse_accounted("41|RUNNING|n1|01:00:00|00:00:42|4G|/scratch/a"), []);
        assert_eq!(SeenJob::parse_accounted("sacct: error"), []);
        let elements = SeenJob::parse_accounted(&line.replace("41|", "41_[2-3]|"));
        assert_eq!(elements.iter().map(|(job, _)| job.id.as_str()).collect::<Vec<_>>(), ["41_2", "41_3"]);
    }
}
