//! A job as `squeue` shows it.

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
    /// Its comment.
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
        Some(Self { id, state, reason, nodes, time_limit, time_used, memory, key })
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
}
