//! Commands that fail.

use std::fs;

use fanlight_shared::run::AttemptEnd;
use fanlight_shared::value::Value;

use crate::story::{arguments, run, script, story, until};

#[tokio::test]
async fn a_failed_command_names_its_code_and_its_last_line_and_leaves_its_outputs() {
    let story = story();
    let work = script("echo report > r.txt; echo fine; printf '\\033[31mboom\\033[0m\\n\\n' >&2; exit 3")
        .path("report", "r.txt", "text")
        .path("other", "none.txt", "text");
    let outcome = story.run(&story.attempt(), work.work()).await;
    let error = outcome.error.unwrap();
    assert_eq!(outcome.end, AttemptEnd::Failed);
    assert_eq!((error.message.as_str(), error.exit_code), ("exit code 3", Some(3)));
    assert_eq!(error.last_line.as_deref(), Some("boom"));
    assert_eq!(outcome.values["report"], Value::from("report\n"));
    assert_eq!(outcome.values["exit_code"], Value::Int(3));
    assert!(!outcome.values.contains_key("other"));
    story.end().await;
}

#[tokio::test]
async fn a_pipe_fails_with_its_first_part() {
    let story = story();
    let outcome = story.run(&story.attempt(), script("false | cat; echo never").work()).await;
    assert_eq!((outcome.end, &outcome.values["stdout"]), (AttemptEnd::Failed, &Value::from("")));
    story.end().await;
}

#[tokio::test]
async fn a_killed_command_reports_its_signal() {
    let story = story();
    let outcome = story.run(&story.attempt(), script("kill -9 $$").work()).await;
    let error = outcome.error.unwrap();
    assert!(error.message.starts_with("killed by SIGKILL (9)"), "{}", error.message);
    assert_eq!(
        (&outcome.values["status"], &outcome.values["exit_code"]),
        (&"signal:9".into(), &Value::Int(137))
    );
    story.end().await;
}

#[tokio::test]
async fn a_command_that_cannot_start_says_why() {
    let story = story();
    let outcome = story.run(&story.attempt(), arguments(&["no-such-program-here"]).work()).await;
    let message = outcome.error.unwrap().message;
    assert_eq!(outcome.end, AttemptEnd::Failed);
    assert!(message.contains("no-such-program-here"), "{message}");
    let outcome = story.run(&story.attempt(), script("true").with("x", "a\0b").work()).await;
    assert!(outcome.error.unwrap().message.contains("NUL"));
    let outcome = story.run(&story.attempt(), script("true").env("FANLIGHT_KEY", "x").work()).await;
    assert!(outcome.error.unwrap().message.contains("Fanlight's own"));
    story.end().await;
}

#[tokio::test]
async fn an_output_that_is_not_a_file_of_the_attempt_fails_it_and_never_hangs() {
    let story = story();
    for (make, path, part) in [
        ("true", "out.png", "nothing is there"),
        ("ln -s /etc/passwd out.png", "out.png", "leads out of the folder"),
        ("mkfifo out.png", "out.png", "a fifo"),
        ("ln -s /etc sub", "sub/passwd", "leads out of the folder"),
        ("true", "../exit", "climbs out"),
        ("true", "/etc/passwd", "climbs out"),
        ("echo text > out.png", "out.png", "image is declared"),
    ] {
        let outcome = story.run(&story.attempt(), script(make).path("image", path, "image").work()).await;
        let message = outcome.error.map(|it| it.message).unwrap_or_default();
        assert_eq!(outcome.end, AttemptEnd::Failed, "{make}");
        assert!(message.contains("output `image`") && message.contains(part), "{make}: {message}");
        assert_eq!(outcome.values["status"], Value::from("failed"));
        assert!(outcome.blobs.is_empty() || part == "image is declared");
    }
    story.end().await;
}

#[tokio::test]
async fn a_cancelled_command_leaves_no_process_of_its_tree() {
    let story = story();
    let attempt = story.attempt();
    let pids = story.temp.path().join("pids");
    let work = script(
        "setsid sh -c 'trap \"\" TERM; echo $$ >> \"$pids\"; sleep 600' & echo $$ >> \"$pids\"; sleep 600",
    )
    .with("pids", pids.display().to_string());
    let (commands, running) = (story.commands.clone(), attempt.clone());
    let outcome = tokio::spawn(async move { run(&commands, running, work.work()).await });
    let started = || fs::read_to_string(&pids).unwrap_or_default().lines().count() == 2;
    until("both processes run", started).await;
    attempt.cancel.cancel();
    assert_eq!(outcome.await.unwrap().end, AttemptEnd::Cancelled);
    for pid in fs::read_to_string(&pids).unwrap().lines() {
        assert!(!crate::alive::is_alive(pid), "{pid} is alive");
    }
    story.end().await;
}

#[tokio::test]
async fn files_made_before_a_timeout_or_a_cancel_are_collected() {
    let story = story();
    for (times_out, end, status) in
        [(true, AttemptEnd::Failed, "timed out"), (false, AttemptEnd::Cancelled, "cancelled")]
    {
        let attempt = story.attempt();
        // Exiting with 0 after a stop doesn't make it completed.
        let work = script("trap 'exit 0' TERM; echo hello; echo partial > checkpoint.txt; sleep 600 & wait")
            .path("checkpoint", "checkpoint.txt", "text")
            .path("never", "never.txt", "text");
        let (commands, running) = (story.commands.clone(), attempt.clone());
        let outcome = tokio::spawn(async move { run(&commands, running, work.work()).await });
        let checkpoint = story.folder(&attempt).join("work/checkpoint.txt");
        until("the checkpoint is written", || fs::read(&checkpoint).is_ok_and(|it| it == b"partial\n")).await;
        if times_out {
            attempt.time_limit.exceed();
        }
        attempt.cancel.cancel();
        let outcome = outcome.await.unwrap();
        assert_eq!(outcome.end, end);
        assert_eq!(outcome.error.map(|it| it.message), times_out.then(|| "timed out".to_owned()));
        assert_eq!(outcome.values["checkpoint"], Value::from("partial\n"));
        assert_eq!(outcome.values["stdout"], Value::from("hello"));
        assert_eq!(outcome.values["status"], Value::from(status));
        assert!(!outcome.values.contains_key("never"));
    }
    story.end().await;
}

#[tokio::test]
async fn a_cancelled_attempt_never_starts() {
    let story = story();
    let attempt = story.attempt();
    attempt.cancel.cancel();
    let outcome = story.run(&attempt, script("true").work()).await;
    assert_eq!(outcome.end, AttemptEnd::Cancelled);
    assert!(!story.folder(&attempt).exists());
    story.store.close();
}

#[tokio::test]
async fn truncated_output_is_never_passed_on_as_complete() {
    let story = story();
    let outcome = story.run(&story.attempt(), script("head -c 20000000 /dev/zero; echo end").work()).await;
    assert_eq!(outcome.end, AttemptEnd::Completed, "{:?}", outcome.error);
    let stdout = outcome.values["stdout"].as_large().unwrap();
    assert_eq!((stdout.cut, stdout.bytes), (true, 1 << 20));
    assert!(stdout.check_whole().unwrap_err().contains("`path:`"));
    story.end().await;
}
