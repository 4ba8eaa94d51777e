//! Node types that are added and removed while the daemon runs, and types with their own executor.

use fanlight_shared::run::RunStatus;
use fanlight_shared::value::Value;

use super::world::World;
use crate::node_type::fake;

const ELSEWHERE: &str = "
nodes:
  a: { run: hang }
  b: { uses: test.elsewhere, needs: a, with: { script: done well } }
outputs: { said: '${{ b.stdout }}' }
";

#[tokio::test]
async fn a_type_can_run_on_an_executor_that_the_engine_does_not_know() {
    let world = World::new().await;
    let ended = world
        .run("nodes: { a: { uses: test.elsewhere, with: { script: done well } } }\noutputs: { said: '${{ a.stdout }}' }")
        .await;
    assert_eq!((ended.run.state, ended.output("said")), (RunStatus::Completed, Some(&Value::from("well"))));
    world.fake.until("release").await;
    assert_eq!(world.fake.calls(), ["prepare a", "start a", "collect a", "release"]);
}

#[tokio::test]
async fn an_attempt_on_such_an_executor_is_adopted_by_the_next_daemon() {
    let mut world = World::new().await;
    let run = world.start("nodes: { a: { uses: test.elsewhere, with: { script: hang } } }").await;
    world.fake.until("start a").await;
    world.restart().await;
    world.fake.until("adopt a").await;
    world.fake.finish("a");
    world.idle().await;
    let ended = world.ended(run.id);
    assert_eq!((ended.run.state, ended.state.nodes["a"].whole.attempts.len()), (RunStatus::Completed, 1));
}

#[tokio::test]
async fn a_run_keeps_a_type_that_was_removed_and_a_new_run_does_not_get_it() {
    let world = World::new().await;
    let run = world.start(ELSEWHERE).await;
    world.fake.until("start a").await;
    world.node_types.remove(&["test.elsewhere".to_owned()]);
    world.fake.finish("a");
    world.idle().await;
    let ended = world.ended(run.id);
    assert_eq!((ended.run.state, ended.output("said")), (RunStatus::Completed, Some(&Value::from("well"))));
    let error = world.try_start(ELSEWHERE, &[&[]]).await.unwrap_err();
    assert!(error.message.contains("test.elsewhere"), "{}", error.message);
}

#[tokio::test]
async fn a_type_that_was_added_to_a_running_daemon_is_used_by_the_next_run() {
    let world = World::new().await;
    world.node_types.remove(&["test.elsewhere".to_owned()]);
    assert!(world.try_start(ELSEWHERE, &[&[]]).await.is_err());
    let elsewhere = crate::node_type::fake::types().into_iter().filter(|it| it.spec.name == "test.elsewhere");
    world.node_types.add(elsewhere).unwrap();
    let run = world.start(ELSEWHERE).await;
    world.fake.until("start a").await;
    world.fake.finish("a");
    world.idle().await;
    assert_eq!(world.ended(run.id).run.state, RunStatus::Completed);
}

#[tokio::test]
async fn a_run_whose_type_is_missing_after_a_restart_fails_with_its_name() {
    let mut world = World::new().await;
    let run = world.start(ELSEWHERE).await;
    world.fake.until("start a").await;
    world.restart_after(|world| world.node_types.remove(&["test.elsewhere".to_owned()])).await;
    world.idle().await;
    let ended = world.ended(run.id);
    assert_eq!(ended.run.state, RunStatus::Failed);
    assert!(ended.error().contains("test.elsewhere"), "{}", ended.error());
}

#[tokio::test]
async fn a_type_that_crashes_fails_its_node_and_nothing_else() {
    let world = World::new().await;
    let ended = world.run("nodes: { a: { uses: test.crash }, b: { run: done } }").await;
    assert_eq!(ended.nodes(), "a failed, b completed");
    assert!(ended.error().contains("crashed, which is a bug in it: no luck"), "{}", ended.error());
}

#[tokio::test]
async fn a_type_whose_pool_the_config_does_not_declare_is_refused_before_the_start() {
    let world = World::new().await;
    world.node_types.add([fake::in_pool("test.pooled", "gpu")]).unwrap();
    let error = world.try_start("nodes: { a: { uses: test.pooled } }", &[&[]]).await.unwrap_err();
    assert!(error.message.contains("does not declare the pool `gpu`"), "{}", error.message);
}
