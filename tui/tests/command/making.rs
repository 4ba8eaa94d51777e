//! Commands with outputs.

use std::fs;

use fanlight_daemon::executor::Executor;
use fanlight_shared::media::{Media, MediaKind};
use fanlight_shared::rpc::logs::Stream;
use fanlight_shared::run::AttemptEnd;
use fanlight_shared::value::Value;

use crate::story::{arguments, script, story};

#[tokio::test]
async fn values_reach_a_script_as_data_and_are_returned_with_types() {
    let story = story();
    let attempt = story.attempt();
    let evil = "$(touch pwned); `touch pwned` \"' \\ ü\n";
    let work = script(
        "printf %s \"$text\" > out.txt; echo $((n + 1)) > n; echo \"$FANLIGHT_NODE:$FANLIGHT_ATTEMPT\"",
    )
    .with("text", evil)
    .with("n", 41_i64)
    .path("text", "out.txt", "text")
    .path("n", "n", "int");
    let outcome = story.run(&attempt, work.work()).await;
    assert_eq!(outcome.end, AttemptEnd::Completed, "{:?}", outcome.error);
    assert_eq!(outcome.values["text"], Value::from(evil));
    assert_eq!(outcome.values["n"], Value::Int(42));
    assert_eq!(outcome.values["stdout"], Value::from(format!("step:{}", attempt.id)));
    assert_eq!(
        (&outcome.values["exit_code"], &outcome.values["status"]),
        (&Value::Int(0), &"completed".into())
    );
    assert!(!story.folder(&attempt).join("work/pwned").exists());
    story.end().await;
}

#[tokio::test]
async fn the_environment_has_only_the_allowed_variables_of_the_daemon() {
    let story = story();
    let work = arguments(&["env"]).with("x", 1_i64).env("GREETING", "hi");
    let outcome = story.run(&story.attempt(), work.work()).await;
    let text = outcome.values["stdout"].as_text().unwrap();
    let names: Vec<&str> =
        text.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name).collect();
    // Cargo sets many variables for tests; none may be inherited.
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some());
    assert!(!names.iter().any(|it| it.starts_with("CARGO")), "{names:?}");
    for name in
        ["PATH", "x", "GREETING", "FANLIGHT_KEY", "FANLIGHT_WORK", "FANLIGHT_EVENTS", "FANLIGHT_ATTEMPT"]
    {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
    story.end().await;
}

#[tokio::test]
async fn media_are_passed_as_files_and_collected_as_media() {
    let story = story();
    let published = story.store.blobs().publish(vec![b'x'; 100_000]).unwrap();
    let media = Media {
        kind: MediaKind::File,
        hash: published.hash,
        mime: "text/plain".into(),
        bytes: published.bytes,
        name: "big file.txt".into(),
        width: None,
        height: None,
        executable: false,
        source: None,
    };
    let work = script("cat \"$big\" \"$big\" > out.txt; basename \"$big\"")
        .with("big", media)
        .path("double", "out.txt", "file");
    let attempt = story.attempt();
    let outcome = story.run(&attempt, work.work()).await;
    assert_eq!(outcome.end, AttemptEnd::Completed, "{:?}", outcome.error);
    assert_eq!(outcome.values["double"].as_media().unwrap().bytes, 200_000);
    assert_eq!(outcome.values["stdout"], Value::from("big file.txt"));
    assert_eq!(outcome.blobs.len(), 1);

    story.commands.release(attempt.id).await;
    let left = story.folder(&attempt);
    assert!(left.exists() && !left.join("work").exists() && !left.join("inputs").exists());
    assert_eq!(story.log(&attempt, 0).await.pieces[0].text, "big file.txt\n");
    story.commands.forget(vec![attempt.id]).await;
    assert!(!left.exists());
    story.end().await;
}

#[tokio::test]
async fn in_a_shared_folder_what_a_command_changed_or_left_unchanged_is_its_output() {
    let story = story();
    let project = story.temp.path().join("project");
    fs::create_dir(&project).unwrap();
    fs::write(project.join("old.txt"), "old").unwrap();
    let work = || script("echo new > new.txt; echo \"$PWD\"").dir(&project);
    let outcome = story.run(&story.attempt(), work().path("new", "new.txt", "text").work()).await;
    assert_eq!(outcome.values["new"], Value::from("new\n"));
    assert_eq!(outcome.values["stdout"], Value::from(project.display().to_string()));
    assert_eq!(outcome.unchanged, Vec::<String>::new());
    let outcome = story.run(&story.attempt(), work().path("old", "old.txt", "text").work()).await;
    assert_eq!(outcome.end, AttemptEnd::Completed, "{:?}", outcome.error);
    assert_eq!(
        (outcome.values["old"].clone(), outcome.unchanged),
        (Value::from("old"), vec!["old".to_owned()])
    );
    let failing = script("exit 3").dir(&project).path("old", "old.txt", "text");
    let outcome = story.run(&story.attempt(), failing.work()).await;
    assert_eq!(outcome.end, AttemptEnd::Failed);
    assert!(!outcome.values.contains_key("old"), "it may be of another time");
    story.end().await;
}

#[tokio::test]
async fn reports_of_a_command_become_outputs_cost_and_log() {
    let story = story();
    let attempt = story.attempt();
    let work = script(
        r#"
        echo '{"type":"output","name":"best","value":7}' >> "$FANLIGHT_EVENTS"
        echo '{"type":"cost","usd":0.5}' >> "$FANLIGHT_EVENTS"
        echo '{"type":"log","level":"warn","message":"mind the gap"}' >> "$FANLIGHT_EVENTS"
        echo 'no json' >> "$FANLIGHT_EVENTS"
        printf 'said'
        "#,
    );
    let outcome = story.run(&attempt, work.work()).await;
    assert_eq!(outcome.end, AttemptEnd::Completed, "{:?}", outcome.error);
    assert_eq!((outcome.values["best"].clone(), outcome.cost_usd), (Value::Int(7), Some(0.5)));
    let said = story.log(&attempt, 0).await;
    assert_eq!((said.pieces[0].text.as_str(), said.next), ("said", 4));
    assert!(said.end > said.next);
    let notes = story.log(&attempt, said.next).await;
    assert_eq!((notes.pieces[0].stream, notes.next), (Stream::Log, notes.end));
    assert_eq!(
        notes.pieces[0].text,
        "warn: mind the gap\na line of $FANLIGHT_EVENTS was ignored: it is not JSON\n"
    );
    story.end().await;
}
