//! What becomes of attempts, replayed as a real cluster did it.

use fanlight_shared::time::Time;

use super::super::files::Started;
use super::*;

const KEY: &str = "fanlight:a";

/// An attempt that was submitted during the first poll.
struct Story {
    judge: Judge,
    said: Said,
    trouble: Option<&'static str>,
    snapshot: Snapshot,
    stopping: bool,
    now: Instant,
}

impl Story {
    fn new() -> Self {
        let now = Instant::now();
        let snapshot = Snapshot::of(1, []);
        Self {
            judge: Judge::new(1, now),
            said: Said::default(),
            trouble: None,
            snapshot,
            stopping: false,
            now,
        }
    }

    /// The runner of this job started the command.
    fn started(mut self, job: &str) -> Self {
        self.said.started = Some(Started { job: job.into(), host: "n1".into(), at: Time(0) });
        self
    }

    /// The runner of this job wrote how the command ended.
    fn exits(mut self, job: &str, code: i32, told: bool) -> Self {
        let exit = RunnerExit { job: job.into(), code, told, at: Time(0), stdout: 0, stderr: 0, cut: false };
        self.said.exit = Some(exit);
        self
    }

    fn stopping(mut self) -> Self {
        self.stopping = true;
        self
    }

    /// A poll sees these jobs: id, state and reason.
    fn poll(&mut self, jobs: &[(&str, &str, &str)]) -> Verdict {
        let line = |(id, state, reason): &(&str, &str, &str)| {
            let nodes = if *state == "PENDING" || *reason == "never" { "" } else { "n1" };
            SeenJob::parse(&format!("{id}|{state}|{reason}|{nodes}|1:00|0:42|4G|{KEY}")).unwrap()
        };
        let number = self.snapshot.number + 1;
        self.snapshot = Snapshot::of(number, jobs.iter().map(line));
        self.look()
    }

    /// A poll sees one job in this state, as only Ray has it.
    fn sees(&mut self, state: JobState) -> Verdict {
        let job = SeenJob::parse(&format!("7|FAILED|why||1:00|0:42|4G|{KEY}")).unwrap();
        self.snapshot = Snapshot::of(self.snapshot.number + 1, [SeenJob { state, ..job }]);
        self.look()
    }

    fn unreachable(&mut self) -> Verdict {
        self.snapshot.stale = Some("Unable to contact slurm controller".into());
        self.look()
    }

    fn look(&mut self) -> Verdict {
        self.judge.decide(KEY, &self.said, self.trouble, &self.snapshot, self.stopping, self.now)
    }

    /// The verdict of a poll after enough of them that all see the same.
    fn at_last(&mut self, jobs: &[(&str, &str, &str)]) -> Verdict {
        self.polls(GRACE_POLLS, jobs);
        self.now += GRACE;
        self.poll(jobs)
    }

    /// The last verdict of this many polls that all see the same.
    fn polls(&mut self, count: u32, jobs: &[(&str, &str, &str)]) -> Verdict {
        (1..count).for_each(|_| drop(self.poll(jobs)));
        self.poll(jobs)
    }
}

fn lives(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Lives(_))
}

fn failure(verdict: Verdict) -> String {
    match verdict {
        Verdict::Stopped(Stopped::Failed(why, _)) => why,
        other => panic!("it should have failed: {other:?}"),
    }
}

fn loss(verdict: Verdict) -> String {
    match verdict {
        Verdict::Lost(why) => why,
        other => panic!("it should be lost: {other:?}"),
    }
}

#[test]
fn a_waiting_job_says_why_and_a_running_one_where() {
    let mut story = Story::new();
    let Verdict::Lives(waits) = story.poll(&[("7", "PENDING", "Resources")]) else { panic!() };
    assert_eq!(
        (waits.job.as_deref(), waits.host, waits.reason.as_deref()),
        (Some("7"), None, Some("Resources"))
    );
    let mut story = story.started("7");
    let Verdict::Lives(runs) = story.poll(&[("7", "RUNNING", "None")]) else { panic!() };
    assert_eq!((runs.host.as_deref(), runs.reason), (Some("n1"), None));
}

#[test]
fn success_needs_no_controller() {
    let mut story = Story::new().started("7").exits("7", 0, false);
    assert!(matches!(story.unreachable(), Verdict::Ended(exit) if exit.code == 0));
}

#[test]
fn a_controller_that_is_down_fails_nothing() {
    let mut story = Story::new().started("7");
    story.poll(&[("7", "RUNNING", "None")]);
    for _ in 0..100 {
        story.now += Duration::from_secs(60);
        assert!(lives(&story.unreachable()));
    }
}

#[test]
fn a_failure_waits_for_its_cause_but_not_for_ever() {
    let mut story = Story::new().started("7").exits("7", 137, false);
    assert!(lives(&story.poll(&[("7", "COMPLETING", "None")])));
    assert!(
        failure(story.poll(&[("7", "OUT_OF_MEMORY", "OutOfMemory")]))
            .contains("more memory than it had asked for (4G)")
    );
    let mut story = Story::new().started("7").exits("7", 3, false);
    assert!(lives(&story.unreachable()));
    story.now += CAUSE_TIMEOUT * 2;
    assert!(matches!(story.unreachable(), Verdict::Ended(exit) if exit.code == 3));
}

#[test]
fn a_time_limit_is_a_failure_even_if_the_command_then_exits_with_0() {
    let mut story = Story::new().started("7").exits("7", 0, true);
    assert!(lives(&story.poll(&[("7", "COMPLETING", "None")])));
    let why = failure(story.poll(&[("7", "TIMEOUT", "TimeLimit")]));
    assert_eq!(why, "the job 7 reached its time limit of 1:00 after 0:42");
}

#[test]
fn a_command_that_was_told_to_end_for_a_reason_nobody_knows_did_not_succeed() {
    let mut story = Story::new().started("7").exits("7", 0, true);
    assert!(failure(story.polls(GRACE_POLLS, &[])).contains("no longer knows why"));
}

#[test]
fn a_lost_node_and_preemption_are_interruptions() {
    for (state, words) in [("NODE_FAIL", "the node n1 of the job 7 failed"), ("PREEMPTED", "made place")] {
        let mut story = Story::new().started("7");
        assert!(loss(story.polls(GRACE_POLLS, &[("7", state, "NodeDown")])).contains(words));
        // Its command ended by itself before.
        let mut story = Story::new().started("7").exits("7", 0, false);
        assert!(matches!(story.poll(&[("7", state, "NodeDown")]), Verdict::Ended(_)));
    }
}

#[test]
fn somebody_else_who_cancels_a_job_is_named_and_fanlight_is_not() {
    let mut story = Story::new().started("7").exits("7", 143, true);
    let cancelled = [("7", "CANCELLED", "None")];
    assert!(matches!(story.poll(&cancelled), Verdict::Stopped(Stopped::BySomebody(_))));
    let mut story = Story::new().started("7").exits("7", 143, true).stopping();
    assert!(lives(&story.poll(&[("7", "COMPLETING", "None")])), "something of it may be alive");
    assert_eq!(story.poll(&cancelled), Verdict::Stopped(Stopped::Asked));
    let mut story = Story::new().stopping();
    assert_eq!(story.poll(&[("7", "CANCELLED", "never")]), Verdict::Stopped(Stopped::Asked));
    let mut story = Story::new();
    assert!(matches!(story.poll(&[("7", "CANCELLED", "never")]), Verdict::Stopped(Stopped::BySomebody(_))));
}

#[test]
fn an_exit_that_comes_late_counts() {
    let mut story = Story::new().started("7");
    assert!(lives(&story.poll(&[("7", "COMPLETED", "None")])));
    let mut story = story.exits("7", 0, false);
    assert!(matches!(story.poll(&[("7", "COMPLETED", "None")]), Verdict::Ended(_)));
    let mut story = Story::new().started("7");
    assert!(lives(&story.polls(10 * GRACE_POLLS, &[("7", "COMPLETED", "None")])), "polls may be frequent");
    assert!(loss(story.at_last(&[("7", "COMPLETED", "None")])).contains("without saying how"));
}

#[test]
fn nothing_is_decided_by_files_that_can_not_be_read() {
    let ends = [("7", "COMPLETED", "None")];
    let unreadable = || Story { trouble: Some("can't read exit: Stale file handle"), ..Story::new() };
    let mut story = unreadable();
    assert!(lives(&story.at_last(&ends)));
    let mut forgotten = unreadable();
    assert!(lives(&forgotten.polls(GRACE_POLLS, &[])), "it may have run, so it is not submitted again");
    // They can be read again.
    let mut story = Story { trouble: None, ..story };
    assert!(lives(&story.poll(&ends)), "the file `exit` may show late");
    assert!(matches!(story.exits("7", 0, false).poll(&ends), Verdict::Ended(_)));
    forgotten.now += CAUSE_TIMEOUT * 2;
    assert_eq!(loss(forgotten.poll(&[])), "can't read exit: Stale file handle");
}

#[test]
fn a_job_that_the_controller_forgot_is_submitted_again_unless_it_runs() {
    let mut story = Story::new();
    assert!(lives(&story.poll(&[])));
    assert_eq!(story.polls(GRACE_POLLS - 1, &[]), Verdict::Absent);
    story.judge.submitted(story.snapshot.number);
    assert!(lives(&story.look()), "the polls before say nothing about it");
    let mut story = Story::new().started("3");
    assert!(lives(&story.polls(10, &[])), "its runner may still report");
    story.now += SILENCE_TIMEOUT / 2;
    story.said.alive = Some("1".into());
    assert!(lives(&story.poll(&[])));
    story.now += SILENCE_TIMEOUT / 2;
    assert!(lives(&story.poll(&[])), "it has reported since");
    story.now += SILENCE_TIMEOUT;
    assert!(loss(story.poll(&[])).contains("does not report any more"));
    let mut story = Story::new().started("3").exits("3", 5, false);
    assert!(
        matches!(story.polls(GRACE_POLLS, &[]), Verdict::Ended(exit) if exit.code == 5),
        "what it wrote is true"
    );
}

#[test]
fn a_job_that_its_node_refused_is_submitted_again_but_not_for_ever() {
    let refused = [("7", "CANCELLED", "None")];
    let mut story = Story::new();
    for _ in 1..MAX_SUBMISSIONS {
        assert_eq!(story.polls(GRACE_POLLS, &refused), Verdict::Absent);
        story.judge.submitted(story.snapshot.number);
    }
    assert!(loss(story.polls(GRACE_POLLS, &refused)).contains("started none of them"));
}

#[test]
fn a_cluster_that_takes_no_jobs_loses_no_attempt() {
    let mut story = Story::new();
    for _ in 0..3 * MAX_SUBMISSIONS {
        assert_eq!(story.polls(GRACE_POLLS, &[]), Verdict::Absent);
        story.judge.tried(story.snapshot.number);
        assert!(lives(&story.look()), "the polls before say nothing about it");
    }
}

#[test]
fn of_two_jobs_of_one_attempt_the_one_that_started_counts() {
    let mut story = Story::new().started("8");
    let verdict = story.polls(GRACE_POLLS, &[("7", "FAILED", "NonZeroExitCode"), ("8", "RUNNING", "None")]);
    assert!(matches!(verdict, Verdict::Lives(Lives { job: Some(job), .. }) if job == "8"));
    let mut story = story.exits("8", 4, false);
    let verdict = story.poll(&[("7", "FAILED", "NonZeroExitCode"), ("8", "FAILED", "NonZeroExitCode")]);
    assert!(matches!(verdict, Verdict::Ended(exit) if exit.code == 4));
}

#[test]
fn a_job_that_fails_before_its_command_asks_about_the_folder() {
    let mut story = Story::new();
    let why = failure(story.at_last(&[("7", "FAILED", "JobLaunchFailure")]));
    assert!(why.contains("before its command started") && why.contains("`workdir`"), "{why}");
}

#[test]
fn a_job_that_waited_for_too_long_is_submitted_again_as_often_as_that_takes() {
    let mut story = Story::new();
    for after in 2..20 {
        assert_eq!(story.sees(JobState::Expired), Verdict::Absent);
        story.judge.submitted(after);
    }
    assert_eq!(story.stopping().sees(JobState::Expired), Verdict::Stopped(Stopped::Asked));
}

#[test]
fn a_command_that_nobody_looks_after_is_lost_only_when_it_says_nothing_any_more() {
    let mut story = Story::new().started("7");
    for beat in 0..20 {
        story.said.alive = Some(beat.to_string());
        story.now += GRACE;
        assert!(lives(&story.sees(JobState::Unattended)), "it reports");
    }
    story.now += SILENCE_TIMEOUT;
    assert_eq!(loss(story.sees(JobState::Unattended)), "the cluster lost the job 7 (why)");
    // One that never began is lost after a few polls.
    let mut story = Story::new();
    (1..GRACE_POLLS).for_each(|_| assert!(lives(&story.sees(JobState::Unattended))));
    assert!(loss(story.sees(JobState::Unattended)).contains("lost the job 7"));
}
