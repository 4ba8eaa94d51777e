//! What failed attempts made, when another attempt follows.

use fanlight_shared::environment::Environment;
use fanlight_shared::id::RunId;
use fanlight_shared::rpc::{assets, runs};
use fanlight_shared::run::{AttemptEnd, NodeStatus, RunStatus};
use fanlight_shared::run_state::RunState;
use fanlight_shared::value::Value;

use super::world::World;

/// A node whose first attempt fails and makes `ckpt`; its later attempts do what the script says.
fn node(script: &str, backoff: &str) -> String {
    format!(
        "nodes:
  a:
    run: once {script}
    keep: true
    allow_failure: true
    retry: {{ times: 2, backoff: {backoff} }}
    outputs: {{ ckpt: {{ path: ckpt.txt, type: text }} }}
  b:
    uses: text.template
    if: always()
    with: {{ template: \"read {{{{ ckpt }}}}\", ckpt: \"${{{{ a.ckpt }}}}\" }}
outputs: {{ said: \"${{{{ b.text }}}}\" }}
"
    )
}

/// Returns the attempts that made the assets of a port of `a`.
fn made_by(world: &World, run: RunId, port: &str) -> Vec<u32> {
    let page = world.store.assets(&assets::List::default()).unwrap();
    let of_port =
        page.rows.iter().filter(|it| (it.run_id, it.node.as_str(), it.port.as_str()) == (run, "a", port));
    of_port.map(|asset| world.store.asset(&asset.id.to_string()).unwrap().recipe.attempt).collect()
}

#[tokio::test]
async fn an_output_of_an_earlier_attempt_is_kept_if_the_node_fails() {
    let world = World::new().await;
    let ended = world.run(&node("fail", "1ms")).await;
    assert_eq!((ended.run.state, ended.error()), (RunStatus::Completed, ""));
    assert_eq!(ended.output("said"), Some(&Value::from("read half")), "later nodes can read it");
    let a = &ended.state.nodes["a"].whole;
    assert_eq!((a.status, a.attempts.len()), (NodeStatus::Failed, 3));
    assert_eq!(a.outputs["ckpt"], Value::from("half"));
    assert_eq!(world.values(ended.run.id, "a", "ckpt"), [Some("half".into())]);
    assert_eq!(made_by(&world, ended.run.id, "ckpt"), [1]);
    assert_eq!(made_by(&world, ended.run.id, "exit_code"), [3]);
}

#[tokio::test]
async fn only_what_the_last_attempt_made_counts_if_the_node_completes() {
    let world = World::new().await;
    let ended = world.run(&node("done", "1ms")).await;
    let a = &ended.state.nodes["a"].whole;
    assert_eq!((a.status, a.attempts.len()), (NodeStatus::Completed, 2));
    assert!(!a.outputs.contains_key("ckpt"));
    assert!(world.values(ended.run.id, "a", "ckpt").is_empty());
    assert!(made_by(&world, ended.run.id, "ckpt").is_empty());
}

#[tokio::test]
async fn what_was_made_before_a_cancel_is_kept_although_the_daemon_was_restarted() {
    let mut world = World::new().await;
    let run = world.start(&node("fail", "1h")).await;
    world.until_state(run.id, |state| state.nodes["a"].whole.retry_at.is_some()).await;
    world.restart().await;
    assert!(made_by(&world, run.id, "ckpt").is_empty(), "the node has not ended");
    world.cancel(&[run.id]).await;
    world.idle().await;
    assert_eq!(world.ended(run.id).run.state, RunStatus::Cancelled);
    assert_eq!(world.values(run.id, "a", "ckpt"), [Some("half".into())]);
    assert_eq!(made_by(&world, run.id, "ckpt"), [1]);
}

#[tokio::test]
async fn a_resumed_run_does_not_take_what_a_failed_attempt_made_for_a_result() {
    let mut world = World::new().await;
    let ended = world.run(&node("fail", "1ms").replace("    allow_failure: true\n", "")).await;
    assert_eq!(ended.run.state, RunStatus::Failed);
    let request = runs::Resume {
        run: ended.run.id,
        request_key: RunId::new().to_string(),
        document: Some(node("hang", "200ms")),
        environment: Environment::default(),
        at: None,
        params: Default::default(),
        afresh: false,
        missing_secrets: false,
        dry_run: false,
    };
    let again = world.engine.resume(request).await.unwrap().runs.remove(0);
    let first_failed = |state: &RunState| {
        state.nodes["a"].whole.attempts.first().is_some_and(|it| it.end == Some(AttemptEnd::Failed))
    };
    world.until_state(again.id, first_failed).await;
    world.restart().await;
    world.until_attempt(again.id, "a", 2).await;
    world.until_state(again.id, |state| state.nodes["a"].whole.status == NodeStatus::Running).await;
    world.cancel(&[again.id]).await;
    world.idle().await;
    let a = &world.ended(again.id).state.nodes["a"].whole;
    assert_eq!((a.status, a.attempts.len()), (NodeStatus::Cancelled, 2));
    assert_eq!(made_by(&world, again.id, "ckpt"), [1]);
}
