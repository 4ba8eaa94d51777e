//! The services of a running native node, as a client sees them.

use fanlight_shared::event::{Activity, Prediction, TaskStatus, ToolResult};
use fanlight_shared::run::{AttemptEnd, NodeStatus, RunStatus};
use fanlight_shared::run_state::InstanceState;
use fanlight_shared::value::Value;

use super::world::World;
use crate::supervisor::log::{self, StreamTag};

/// Returns a node that writes a text word by word.
fn stream(then: &str) -> String {
    format!("nodes: {{ a: {{ uses: test.stream, with: {{ text: 'one two three', then: {then} }} }} }}")
}

fn attempt(
    world: &World,
    run: fanlight_shared::id::RunId,
    number: usize,
) -> fanlight_shared::run_state::Attempt {
    world.ended(run).state.nodes["a"].whole.attempts[number].clone()
}

/// Checks the recorded activity of `test.agent`.
fn did_its_work(activity: &Activity) {
    assert_eq!(activity.plan.as_deref(), Some("1. look\n2. tell"));
    let tasks: Vec<_> = activity.tasks.iter().map(|task| (task.number, task.status)).collect();
    assert_eq!(tasks, [(1, TaskStatus::Completed), (2, TaskStatus::Waiting)]);
    let [fetch, shell] = &activity.tool_calls[..] else { panic!("{activity:?}") };
    assert!(fetch.tool == "http.fetch" && fetch.arguments.len() < 300, "{fetch:?}");
    assert_eq!(fetch.result, Some(ToolResult { text: "found it".into(), failed: false }));
    assert_eq!(shell.result, Some(ToolResult { text: "the file does not allow it".into(), failed: true }));
    let total = Prediction {
        provider: "local".into(),
        model: "tiny".into(),
        input_tokens: 200,
        output_tokens: 12,
        cost_usd: Some(0.5),
    };
    assert_eq!(activity.predictions, [total]);
}

fn agent(then: &str) -> String {
    format!("nodes: {{ a: {{ uses: test.agent, with: {{ then: {then} }} }} }}")
}

#[tokio::test]
async fn the_activity_of_an_agent_is_shown_while_it_runs_and_kept_when_it_is_cancelled() {
    let world = World::new().await;
    let run = world.start(&agent("hang")).await;
    let first =
        |activity: &Activity| activity.tasks.first().is_some_and(|it| it.status == TaskStatus::Completed);
    until_shown(&world, run.id, |node| node.activity.as_deref().is_some_and(first)).await;
    did_its_work(world.hub.run_state(run.id).unwrap().nodes["a"].whole.activity.as_deref().unwrap());
    world.cancel(&[run.id]).await;
    world.idle().await;
    did_its_work(world.ended(run.id).state.nodes["a"].whole.activity.as_deref().unwrap());
    assert_eq!(attempt(&world, run.id, 0).cost_usd, Some(0.5));
}

#[tokio::test]
async fn the_activity_of_an_agent_is_stored_with_its_end_and_complete_in_its_log() {
    let world = World::new().await;
    for then in ["done", "fail"] {
        let run = world.run(&agent(then)).await.run;
        let node = world.ended(run.id).state.nodes["a"].whole.clone();
        did_its_work(node.activity.as_deref().unwrap());
        let attempt = attempt(&world, run.id, 0);
        assert_eq!(attempt.cost_usd, Some(0.5), "what predictions cost is counted once");
        let log = log::read(&world.folder_of(attempt.id.unwrap()), 0, 10_000).unwrap();
        assert_eq!(log.end, node.log_end);
        assert!(log.pieces.contains(&(StreamTag::Reasoning, b"it could be anywhere".to_vec())));
        let text: Vec<u8> = log.pieces.into_iter().flat_map(|(_, bytes)| bytes).collect();
        let text = String::from_utf8(text).unwrap();
        assert!(text.contains(&"long ".repeat(400)), "the log has all of it: {text}");
        assert!(text.contains("call 2 failed: the file does not allow it\n"), "{text}");
    }
}

/// Waits until the hub shows the node as `condition` says.
async fn until_shown(
    world: &World,
    run: fanlight_shared::id::RunId,
    condition: impl Fn(&InstanceState) -> bool,
) {
    world
        .until_stored(|_| world.hub.run_state(run).is_some_and(|state| condition(&state.nodes["a"].whole)))
        .await;
}

#[tokio::test]
async fn the_log_of_a_node_is_read_from_any_offset_and_its_cost_is_counted() {
    let world = World::new().await;
    let run = world.run(&stream("done")).await.run;
    assert_eq!(run.state, RunStatus::Completed);
    let attempt = attempt(&world, run.id, 0);
    assert_eq!(attempt.cost_usd, Some(0.75));
    let folder = world.folder_of(attempt.id.unwrap());
    let part = log::read(&folder, 0, 1000).unwrap();
    assert_eq!(part.pieces[0], (StreamTag::Stderr, b"info: begins\n".to_vec()));
    assert_eq!(part.pieces[1], (StreamTag::Stdout, b"one two three".to_vec()));
    let rest = log::read(&folder, 17, 1000).unwrap();
    assert_eq!((rest.offset, rest.next, rest.pieces[0].1.as_slice()), (17, 26, &b"two three"[..]));
    world.until_stored(|_| !folder.join("scratch").exists()).await;
}

#[tokio::test]
async fn a_running_node_shows_its_progress_and_its_values_so_far() {
    let world = World::new().await;
    let run = world.start(&stream("hang")).await;
    until_shown(&world, run.id, |node| node.progress.as_ref().is_some_and(|it| it.fraction == Some(1.0)))
        .await;
    let node = world.hub.run_state(run.id).unwrap().nodes["a"].whole.clone();
    assert_eq!(node.progress.unwrap().message.as_deref(), Some("writes"));
    assert_eq!((node.metrics["words"], &node.previews["text"]), (3.0, &Value::from("one two three")));
    assert_eq!((node.log_end, node.last_line.as_deref()), (26, Some("one two three")));
    world.cancel(&[run.id]).await;
    world.idle().await;
    let attempt = attempt(&world, run.id, 0);
    assert_eq!((attempt.end, attempt.cost_usd), (Some(AttemptEnd::Cancelled), Some(0.75)), "spent is spent");
}

#[tokio::test]
async fn the_next_daemon_removes_the_scratch_folder_of_a_node_and_keeps_its_log() {
    let mut world = World::new().await;
    let run = world.start(&stream("hang")).await;
    world.until_attempt(run.id, "a", 1).await;
    let folder = world.folder_of(attempt(&world, run.id, 0).id.unwrap());
    world.until_stored(|_| log::read(&folder, 0, 100).is_ok_and(|part| part.end == 26)).await;
    world.restart().await;
    world.until_state(run.id, |state| state.nodes["a"].whole.attempt() == 2).await;
    world.until_stored(|_| !folder.join("scratch").exists()).await;
    assert_eq!(log::read(&folder, 0, 100).unwrap().end, 26);
    assert_eq!(world.ended(run.id).state.nodes["a"].whole.status, NodeStatus::Running);
}
