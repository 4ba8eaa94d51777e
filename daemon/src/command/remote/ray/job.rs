//! A job as the head of a Ray cluster lists it.

use std::time::Duration;

use serde::Deserialize;

use crate::command::remote::job::{JobState, SeenJob};
use crate::command::text;

/// What the ids of our jobs begin with.
const PREFIX: &str = "fanlight-";
/// What their keys begin with.
const KEY_PREFIX: &str = "fanlight:";
/// The longest reason that is shown, in characters.
const MAX_REASON: usize = 200;

/// An entry of the list.
#[derive(Deserialize)]
pub(super) struct Entry {
    /// Absent in the jobs of those who use Ray without its API of jobs.
    submission_id: Option<String>,
    #[serde(default)]
    status: String,
    message: Option<String>,
    error_type: Option<String>,
    driver_exit_code: Option<i64>,
    start_time: Option<i64>,
    end_time: Option<i64>,
}

/// Returns the id of the job with this key.
pub(super) fn id_of(key: &str) -> String {
    format!("{PREFIX}{}", key.strip_prefix(KEY_PREFIX).unwrap_or(key))
}

/// Returns a job, if it is one of ours.
pub(super) fn seen(entry: Entry) -> Option<SeenJob> {
    let state = state(&entry);
    let id = text::line(&entry.submission_id?);
    let key = format!("{KEY_PREFIX}{}", id.strip_prefix(PREFIX)?);
    let message = entry.message.unwrap_or_default();
    let reason = if state == JobState::Pending && message.contains("waiting for resources") {
        "resources".to_owned()
    } else {
        fanlight_shared::value::cut(&text::line(&message), MAX_REASON)
    };
    let lasted =
        entry.start_time.zip(entry.end_time).and_then(|(start, end)| u64::try_from(end - start).ok());
    let time_used = fanlight_shared::time::exact_duration(Duration::from_millis(lasted.unwrap_or_default()));
    // The head knows its nodes by ids of its own, and says nothing of limits.
    let (nodes, time_limit, memory) = (String::new(), String::new(), "0".to_owned());
    Some(SeenJob { id, state, reason, nodes, time_limit, time_used, memory, key })
}

/// Returns the state of a job, as far as it makes a difference here.
fn state(entry: &Entry) -> JobState {
    match (entry.status.as_str(), entry.error_type.as_deref()) {
        ("PENDING", _) => JobState::Pending,
        ("SUCCEEDED", _) => JobState::Completed,
        ("STOPPED", _) => JobState::Cancelled,
        ("FAILED", Some("JOB_SUPERVISOR_ACTOR_START_TIMEOUT")) => JobState::Expired,
        // Its runner ended by itself, or could not be started.
        ("FAILED", Some("JOB_ENTRYPOINT_COMMAND_ERROR" | "JOB_ENTRYPOINT_COMMAND_START_ERROR")) => {
            JobState::Failed
        }
        ("FAILED", _) if entry.driver_exit_code.is_some() => JobState::Failed,
        ("FAILED", _) => JobState::Unattended,
        _ => JobState::Active,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Option<SeenJob> {
        seen(serde_json::from_str(text).unwrap())
    }

    #[test]
    fn the_jobs_of_others_are_left_out_and_ours_have_their_keys() {
        assert_eq!(
            of(r#"{"type":"DRIVER","job_id":"01000000","submission_id":null,"status":"RUNNING"}"#),
            None
        );
        assert_eq!(of(r#"{"submission_id":"raysubmit_x","status":"RUNNING"}"#), None);
        let job =
            of(r#"{"submission_id":"fanlight-7","status":"STOPPED","start_time":1000,"end_time":3000}"#)
                .unwrap();
        assert_eq!(
            (job.id.as_str(), job.key.as_str(), job.time_used.as_str()),
            ("fanlight-7", "fanlight:7", "2s")
        );
        assert_eq!((job.state, id_of(&job.key)), (JobState::Cancelled, job.id));
    }

    #[test]
    fn a_command_that_failed_a_lost_node_and_a_job_that_waited_too_long_are_distinguished() {
        let state =
            |more: &str| of(&format!(r#"{{"submission_id":"fanlight-7","status":{more}}}"#)).unwrap().state;
        assert_eq!(
            state(r#""FAILED","error_type":"JOB_ENTRYPOINT_COMMAND_ERROR","driver_exit_code":7"#),
            JobState::Failed
        );
        assert_eq!(state(r#""FAILED","error_type":"JOB_SUPERVISOR_ACTOR_DIED""#), JobState::Unattended);
        assert_eq!(state(r#""FAILED","error_type":"JOB_SUPERVISOR_ACTOR_START_TIMEOUT""#), JobState::Expired);
        assert_eq!(state(r#""FAILED","driver_exit_code":1"#), JobState::Failed);
        assert_eq!(state(r#""A_LATER_STATE""#), JobState::Active);
        let pending = of(
            r#"{"submission_id":"fanlight-7","status":"PENDING","message":"Job has not started yet. It may be waiting for resources (CPUs)."}"#,
        );
        assert_eq!(pending.unwrap().reason, "resources");
    }
}
