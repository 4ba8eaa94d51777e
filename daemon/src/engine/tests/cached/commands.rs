//! Results of commands with `remember:`.

use super::*;

pub(super) fn command(script: &str, more: &str) -> String {
    format!(
        "nodes:
  a: {{ run: {script}, remember: {{ files: a }}{more} }}
  b: {{ uses: text.template, with: {{ template: '{{{{ text }}}}!', text: '${{{{ a.stdout }}}}' }} }}
outputs: {{ said: '${{{{ b.text }}}}' }}
"
    )
}

#[tokio::test]
async fn a_command_that_is_remembered_runs_once_while_its_files_are_the_same() {
    let mut world = World::new().await;
    world.fake.set_file(Ok("one"), 1);
    world.run(&command("done hello", "")).await;
    let second = world.run(&command("done hello", "")).await;
    assert_eq!((second.nodes().as_str(), origin(&second)), ("a cached, b completed", Some("story#1")));
    assert_eq!(second.output("said"), Some(&Value::from("hello!")));
    world.restart().await;
    world.fake.set_file(Ok("one"), 2);
    let third = world.run(&command("done hello", "")).await;
    assert_eq!((origin(&third), starts(&world)), (Some("story#1"), 1), "it was only written again");

    world.fake.set_file(Ok("two"), 3);
    world.run(&command("done hello", "")).await;
    assert_eq!(starts(&world), 2, "the file is different");
    world.fake.set_file(Ok("one"), 4);
    let back = world.run(&command("done hello", "")).await;
    assert_eq!(origin(&back), Some("story#1"), "and as it was");
    for other in [
        command("done hi", ""),
        command("done hello", ", shell: sh"),
        command("done hello", ", with: { x: 1 }"),
        command("done hello", ", with: { x: '1' }"),
        command("done hello", ", env: { x: '1' }"),
        command("done hello", ", outputs: { x: { event: true, type: text } }"),
        command("done hello", ", outputs: { x: { event: true, type: any } }"),
    ] {
        let before = starts(&world);
        world.run(&other).await;
        assert_eq!(starts(&world), before + 1, "{other}");
    }
}

#[tokio::test]
async fn without_remember_a_command_always_runs() {
    let world = World::new().await;
    for remember in ["", ", remember: false"] {
        let document = format!("nodes: {{ a: {{ run: done hello{remember} }} }}");
        world.run(&document).await;
        world.run(&document).await;
    }
    assert_eq!(starts(&world), 4);
    assert!(!world.fake.calls().contains(&"look".to_owned()));
}

#[tokio::test]
async fn a_result_is_not_kept_if_a_file_changes_before_the_command_ends() {
    let world = World::new().await;
    for (then, written) in [("two", 2), ("one", 3)] {
        world.fake.set_file(Ok("one"), 1);
        let before = starts(&world);
        let run = world.start(&command("hang hello", "")).await;
        until_starts(&world, before + 1).await;
        // Even if it ends up as it was.
        world.fake.set_file(Ok(then), written);
        world.fake.finish("a");
        world.idle().await;
        assert_eq!(world.ended(run.id).nodes(), "a completed, b completed");
        world.fake.set_file(Ok("one"), 1);
        world.run(&command("done hello", "")).await;
        assert_eq!(starts(&world), before + 2);
        world.store.commit(vec![Op::CacheRemoveOldest(u32::MAX)]).await.unwrap();
    }
}

#[tokio::test]
async fn a_follower_computes_itself_if_a_file_changed_under_the_leader() {
    let world = World::new().await;
    let sets: Vec<&[(&str, Value)]> = vec![&[]; 2];
    let runs = world.try_start(&command("hang hello", ""), &sets).await.unwrap();
    until_starts(&world, 1).await;
    world.until_stored(|_| world.fake.calls().iter().filter(|call| *call == "look").count() >= 2).await;
    world.fake.set_file(Ok("two"), 2);
    world.fake.finish("a");
    until_starts(&world, 2).await;
    world.fake.finish("a");
    world.idle().await;
    let nodes: Vec<String> = runs.iter().map(|run| world.ended(run.id).nodes()).collect();
    assert_eq!(nodes, ["a completed, b completed"; 2]);
    world.run(&command("done hello", "")).await;
    assert_eq!(starts(&world), 3, "the second one saw the file before it changed too");
}

#[tokio::test]
async fn commands_that_start_together_share_a_result() {
    let world = World::with_cap(50).await;
    let sets: Vec<&[(&str, Value)]> = vec![&[]; 50];
    let runs = world.try_start(&command("hang hello", ""), &sets).await.unwrap();
    until_starts(&world, 1).await;
    world.fake.finish("a");
    world.idle().await;
    assert_eq!(starts(&world), 1);
    assert!(runs.iter().all(|run| world.ended(run.id).output("said") == Some(&Value::from("hello!"))));
}

#[tokio::test]
async fn what_cannot_be_looked_at_fails_the_node_and_starts_nothing() {
    let world = World::new().await;
    world.fake.set_file(Err("no file matches `a`"), 1);
    let ended = world.run(&command("done hello", "")).await;
    assert_eq!((ended.nodes().as_str(), starts(&world)), ("a failed, b skipped", 0));
    assert_eq!(ended.run.error.as_deref(), Some("node `a` failed: no file matches `a`"));
}

#[tokio::test]
async fn fresh_commands_run_and_replace_what_is_kept() {
    let world = World::new().await;
    world.run(&command("done hello", "")).await;
    let fresh = |start: &mut runs::Start| start.fresh = Fresh::All(true);
    world.submit(&command("done hello", ""), &[&[]], fresh).await.unwrap();
    world.idle().await;
    let third = world.run(&command("done hello", "")).await;
    assert_eq!((origin(&third), starts(&world)), (Some("story#2"), 2));
}

#[tokio::test]
async fn a_retried_command_is_kept_with_what_its_last_attempt_saw() {
    let world = World::new().await;
    let document = command("once done hello", ", retry: { times: 1, backoff: 1ms }");
    world.run(&document).await;
    assert_eq!(starts(&world), 2);
    let second = world.run(&document).await;
    assert_eq!((origin(&second), starts(&world)), (Some("story#1"), 2));
}

#[tokio::test]
async fn patterns_are_checked_when_a_run_is_submitted() {
    let world = World::new().await;
    let document = "nodes: { a: { run: done, remember: { files: 'a[' } } }";
    let error = world.submit(document, &[&[]], |_| {}).await.unwrap_err();
    assert!(error.message.contains("node `a`: `files` of `remember`: `a[` is not a valid glob"), "{error:?}");
}
