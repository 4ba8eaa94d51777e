//! Commands whose daemon died.

use fanlight_daemon::attempt::Attempt;
use fanlight_shared::run::AttemptEnd;
use fanlight_shared::value::Value;

use crate::story::{adopt, run, script, story, until};

/// Waits for a file, so that the test decides when the command ends.
const WAITING: &str = "echo begun; while ! test -e go; do sleep 0.02; done; echo done > out.txt; echo ended";

#[tokio::test]
async fn a_living_command_is_followed_to_its_end_by_the_next_daemon() {
    let story = story();
    let attempt = story.attempt();
    let work = script(WAITING).path("out", "out.txt", "text");
    let (commands, first, given) = (story.commands.clone(), attempt.clone(), work.clone().work());
    let daemon = tokio::spawn(async move { run(&commands, first, given).await });
    let log = story.folder(&attempt).join("stdout");
    until("the command runs", || std::fs::read(&log).is_ok_and(|it| it.starts_with(b"begun"))).await;
    daemon.abort();
    assert!(daemon.await.unwrap_err().is_cancelled());

    let (next, adopted, given) = (story.next_daemon(), attempt.clone(), work.work());
    let adoption = tokio::spawn(async move { adopt(&next, adopted, given).await });
    std::fs::write(story.folder(&attempt).join("work/go"), "").unwrap();
    let outcome = adoption.await.unwrap().expect("the supervisor knows it");
    assert_eq!(outcome.end, AttemptEnd::Completed, "{:?}", outcome.error);
    assert_eq!(outcome.values["out"], Value::from("done\n"));
    assert_eq!(outcome.values["stdout"], Value::from("begun\nended"));
    assert_eq!(story.log(&attempt, 0).await.pieces[0].text, "begun\nended\n");
    story.end().await;
}

#[tokio::test]
async fn a_command_that_ended_meanwhile_is_collected_with_the_same_result() {
    let story = story();
    let attempt = story.attempt();
    let report = r#"echo '{"type":"cost","usd":1}' >> "$FANLIGHT_EVENTS"; echo x > out.txt; exit 4"#;
    let work = script(report).path("out", "out.txt", "text");
    let first = story.run(&attempt, work.clone().work()).await;
    let again = adopt(&story.next_daemon(), attempt.clone(), work.clone().work()).await.expect("it is known");
    assert_eq!((again.end, again.error, again.values), (first.end, first.error, first.values));
    assert_eq!(again.cost_usd, Some(1.0));
    // It is forgotten once its outcome is stored: from then on nothing is left to adopt.
    story.supervisor.forget(attempt.id).await.unwrap();
    assert!(adopt(&story.next_daemon(), attempt, work.work()).await.is_none());
    story.end().await;
}

#[tokio::test]
async fn an_attempt_that_was_never_started_can_be_started() {
    let story = story();
    let attempt = story.attempt();
    let work = script("echo hi");
    assert!(adopt(&story.commands, attempt.clone(), work.clone().work()).await.is_none());
    // The leftovers of a daemon that died between creating the folder and starting the command.
    std::fs::create_dir_all(story.folder(&attempt).join("work/left")).unwrap();
    assert!(adopt(&story.commands, attempt.clone(), work.clone().work()).await.is_none());
    let outcome = story.run(&attempt, work.work()).await;
    assert_eq!(outcome.values["stdout"], Value::from("hi"));
    // The same attempt isn't started twice.
    let again = story.run(&attempt, script("echo other").work()).await;
    assert_eq!(again.values["stdout"], Value::from("hi"));
    story.end().await;
}

#[tokio::test]
async fn a_command_that_timed_out_under_one_daemon_has_timed_out_for_the_next() {
    let story = story();
    let attempt = story.attempt();
    let work = script("echo begun; sleep 600");
    let (commands, first, given) = (story.commands.clone(), attempt.clone(), work.clone().work());
    let daemon = tokio::spawn(async move { run(&commands, first, given).await });
    let log = story.folder(&attempt).join("stdout");
    until("the command runs", || std::fs::read(&log).is_ok_and(|it| it.starts_with(b"begun"))).await;
    attempt.time_limit.exceed();
    attempt.cancel.cancel();
    daemon.await.unwrap();
    let adopted = Attempt { cancel: Default::default(), time_limit: Default::default(), ..attempt };
    let outcome = adopt(&story.next_daemon(), adopted, work.work()).await.expect("the supervisor knows it");
    assert_eq!((outcome.end, &outcome.values["status"]), (AttemptEnd::Failed, &Value::from("timed out")));
    assert_eq!(outcome.values["stdout"], Value::from("begun"));
    story.end().await;
}
