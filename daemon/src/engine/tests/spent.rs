//! The cost and the tokens of runs. `test.agent` reports $0.50, 200 input tokens and 12 output tokens.

use fanlight_shared::environment::Environment;
use fanlight_shared::event::{Activity, TaskStatus};
use fanlight_shared::id::RunId;
use fanlight_shared::rpc::runs;
use fanlight_shared::run::{AttemptEnd, NodeStatus, RunStatus};
use fanlight_shared::spent::Spent;

use super::world::World;

/// Returns the sum of this many attempts of an agent.
fn agents(count: u32) -> Spent {
    let tokens = u64::from(count);
    Spent {
        cost_usd: (count > 0).then(|| f64::from(count) * 0.5),
        input_tokens: tokens * 200,
        output_tokens: tokens * 12,
        unpriced: false,
    }
}

/// Checks the sum in the row of a run, and in the fold of its events.
#[track_caller]
fn has_spent(world: &World, run: RunId, spent: Spent) {
    let ended = world.ended(run);
    assert_eq!((ended.run.spent, ended.state.spent), (spent, spent));
}

#[tokio::test]
async fn every_attempt_and_every_item_counts_once() {
    let world = World::new().await;
    let agents_of_all_kinds = "
nodes:
  once: { uses: test.agent }
  retried: { uses: test.agent, with: { then: fail }, retry: { times: 2, backoff: 1ms }, allow_failure: true }
  crashed: { uses: test.agent, with: { then: panic }, allow_failure: true }
  items: { uses: test.agent, each: '${{ range(4) }}' }
";
    let run = world.run(agents_of_all_kinds).await.run;
    assert_eq!(run.state, RunStatus::Completed);
    has_spent(&world, run.id, agents(1 + 3 + 1 + 4));
}

#[tokio::test]
async fn a_cancelled_attempt_counts() {
    let world = World::new().await;
    let run = world.start("nodes: { a: { uses: test.agent, with: { then: hang } } }").await;
    world
        .until_stored(|_| {
            let state = world.hub.run_state(run.id);
            state.is_some_and(|state| state.nodes["a"].whole.activity.as_deref().is_some_and(has_worked))
        })
        .await;
    has_spent(&world, run.id, agents(0));
    world.cancel(&[run.id]).await;
    world.idle().await;
    assert_eq!(world.ended(run.id).run.state, RunStatus::Cancelled);
    has_spent(&world, run.id, agents(1));
}

#[tokio::test]
async fn what_a_child_spends_is_spent_by_its_parent_once() {
    let mut world = World::new().await;
    let child = "
nodes:
  good: { uses: test.agent }
  retried: { uses: test.agent, with: { then: fail }, retry: { times: 1, backoff: 1ms }, allow_failure: true }
  hangs: { run: hang, needs: [good, retried] }
  bad: { run: fail, needs: [hangs] }
";
    std::fs::write(world.folder().join("child.yaml"), child).unwrap();
    let path = world.folder().join("parent.yaml");
    let parent = "
nodes:
  own: { uses: test.agent }
  calls:
    uses: workflow.run
    with: { workflow: child.yaml }
    retry: { times: 1, backoff: 1ms }
    allow_failure: true
  then: { uses: test.agent, needs: [calls] }
";
    std::fs::write(&path, parent).unwrap();
    let path = path.canonicalize().unwrap().display().to_string();
    let run = world.submit(parent, &[&[]], |start| start.path = Some(path)).await.unwrap().remove(0);
    world.until_stored(|store| store.listed(run.id).unwrap().spent == agents(1)).await;
    // Each of the two attempts starts a run, and is adopted by a new daemon before that run ends.
    for number in 1..=2 {
        world.until_stored(|store| store.children(run.id).unwrap().len() == number).await;
        let child = world.store.children(run.id).unwrap()[number - 1];
        world.until_state(child, |state| state.nodes["hangs"].whole.status == NodeStatus::Running).await;
        world.restart().await;
        has_spent(&world, run.id, agents(1 + 3 * (number as u32 - 1)));
        world.fake.finish("hangs");
    }
    world.idle().await;
    assert_eq!(world.ended(run.id).run.state, RunStatus::Completed);
    has_spent(&world, run.id, agents(1 + 2 * 3 + 1));
    let calls = &world.ended(run.id).state.nodes["calls"];
    assert_eq!(calls.spent, agents(2 * 3));
    let models = &calls.whole.activity.as_ref().unwrap().predictions;
    assert_eq!(models.len(), 1, "the models of the run are those of the attempt: {models:?}");
    for child in world.store.children(run.id).unwrap() {
        has_spent(&world, child, agents(3));
    }
}

fn has_worked(activity: &Activity) -> bool {
    activity.tasks.first().is_some_and(|task| task.status == TaskStatus::Completed)
}

#[tokio::test]
async fn a_resumed_run_does_not_count_what_it_takes_over() {
    let world = World::new().await;
    let failed = world
        .run(
            "
nodes:
  good: { uses: test.agent }
  bad: { uses: test.agent, needs: [good], with: { then: fail } }
",
        )
        .await
        .run;
    has_spent(&world, failed.id, agents(2));
    let resume = runs::Resume {
        run: failed.id,
        request_key: RunId::new().to_string(),
        document: None,
        environment: Environment::default(),
        at: None,
        params: indexmap::IndexMap::new(),
        afresh: false,
        missing_secrets: false,
        dry_run: false,
    };
    let again = world.engine.resume(resume).await.unwrap().runs.remove(0);
    world.idle().await;
    assert_eq!(world.ended(again.id).nodes(), "good cached, bad failed");
    has_spent(&world, again.id, agents(1));
    let totals = world.store.totals(again.id).unwrap();
    assert_eq!((totals.submission.runs, totals.submission.spent), (1, agents(1)));
    assert_eq!((totals.workflow.runs, totals.workflow.spent), (2, agents(3)));
}

#[tokio::test]
async fn a_restart_of_the_daemon_counts_nothing_twice() {
    let mut world = World::new().await;
    let run = world
        .start(
            "
nodes:
  done: { uses: test.agent }
  hangs: { run: hang, needs: [done] }
  then: { uses: test.agent, needs: [hangs] }
",
        )
        .await;
    world.fake.until("start hangs").await;
    has_spent(&world, run.id, agents(1));
    for _ in 0..2 {
        world.restart().await;
        has_spent(&world, run.id, agents(1));
    }
    world.fake.finish("hangs");
    world.idle().await;
    has_spent(&world, run.id, agents(2));
}

#[tokio::test]
async fn what_an_attempt_has_spent_survives_its_daemon() {
    let mut world = World::new().await;
    let run = world.start("nodes: { a: { uses: test.agent, with: { then: hang } } }").await;
    for attempt in 1..=2 {
        world.until_attempt(run.id, "a", attempt).await;
        world
            .until_stored(|_| {
                let spending = world.store.spending().unwrap();
                spending.values().any(|it| it.cost_usd == Some(0.5) && it.predictions[0].output_tokens == 12)
            })
            .await;
        world.restart().await;
    }
    world.until_attempt(run.id, "a", 3).await;
    let attempts = world.ended(run.id).state.nodes["a"].whole.attempts.clone();
    for lost in &attempts[..2] {
        assert_eq!((lost.end, lost.cost_usd), (Some(AttemptEnd::Lost), Some(0.5)));
    }
    assert_eq!(world.ended(run.id).run.spent, agents(2));
    world
        .until_stored(|_| {
            let state = world.hub.run_state(run.id);
            state.is_some_and(|state| state.nodes["a"].whole.activity.as_deref().is_some_and(has_worked))
        })
        .await;
    world.cancel(&[run.id]).await;
    world.idle().await;
    has_spent(&world, run.id, agents(3));
    assert!(world.store.spending().unwrap().is_empty(), "the events have it now");
}

#[tokio::test]
async fn a_cost_that_was_stored_and_cannot_be_read_is_not_known() {
    let mut world = World::new().await;
    for damage in ["UPDATE spending SET sums = '{'", "UPDATE spending SET sums = x'ff'"] {
        let run = world.start("nodes: { a: { uses: test.agent, with: { then: hang } } }").await;
        world.until_attempt(run.id, "a", 1).await;
        world.until_stored(|_| !world.store.spending().unwrap().is_empty()).await;
        world.restart_after(|world| world.tamper(damage)).await;
        world.until_attempt(run.id, "a", 2).await;
        let unknown = Spent { unpriced: true, ..Spent::default() };
        world.until_stored(|store| store.listed(run.id).unwrap().spent == unknown).await;
        has_spent(&world, run.id, unknown);
        assert_eq!(unknown.to_string(), "cost not known");
        world.cancel(&[run.id]).await;
        world.idle().await;
        assert!(world.ended(run.id).run.spent.unpriced, "nothing makes it known later");
        assert!(world.store.spending().unwrap().is_empty());
    }
}

#[tokio::test]
async fn the_costs_of_attempts_that_nobody_knows_are_not_kept() {
    let mut world = World::new().await;
    let stray = format!(
        "INSERT INTO spending VALUES ('{}', '{{\"cost_usd\":1.0,\"predictions\":[]}}'), ('no id', '{{}}')",
        fanlight_shared::id::AttemptId::new()
    );
    world.restart_after(|world| world.tamper(&stray)).await;
    world.idle().await;
    world.until_stored(|store| store.spending().unwrap().is_empty()).await;
}

/// Starts an agent whose tool is a workflow: one node of it has ended, and one is still spending.
#[cfg(feature = "llm")]
async fn agent_with_a_busy_tool(world: &World) -> (RunId, RunId) {
    let child = "
nodes:
  good: { uses: test.agent }
  busy: { uses: test.agent, needs: good, with: { then: hang } }
";
    std::fs::write(world.folder().join("child.yaml"), child).unwrap();
    let path = world.folder().join("parent.yaml");
    let parent = "
nodes:
  asks:
    uses: llm.agent
    with:
      provider: offline
      prompt: Go
      tools: [{ workflow: child.yaml }]
      offline: [{ tool: child, arguments: {} }, Done]
";
    std::fs::write(&path, parent).unwrap();
    let path = path.canonicalize().unwrap().display().to_string();
    let run = world.submit(parent, &[&[]], |start| start.path = Some(path)).await.unwrap().remove(0).id;
    world.until_stored(|store| store.children(run).unwrap().len() == 1).await;
    let child = world.store.children(run).unwrap()[0];
    world
        .until_stored(|store| {
            let spending = store.spending().unwrap();
            store.listed(child).unwrap().spent == agents(1)
                && spending.values().any(|it| it.cost_usd == Some(0.5))
        })
        .await;
    (run, child)
}

#[cfg(feature = "llm")]
#[tokio::test]
async fn what_the_run_of_a_tool_has_spent_counts_when_the_daemon_is_killed_and_when_it_is_cancelled() {
    for killed in [true, false] {
        let mut world = World::new().await;
        let (run, child) = agent_with_a_busy_tool(&world).await;
        if killed {
            world.restart().await;
        } else {
            world.cancel(&[run]).await;
        }
        world.idle().await;
        assert_eq!(world.ended(child).run.state, RunStatus::Cancelled);
        has_spent(&world, child, agents(2));
        let ended = world.ended(run);
        let state = if killed { RunStatus::Failed } else { RunStatus::Cancelled };
        assert_eq!((ended.run.state, ended.run.spent.cost_usd), (state, Some(1.0)));
        assert_eq!(ended.run.spent, ended.state.spent);
        assert!(!ended.run.spent.unpriced);
        let models = &ended.state.nodes["asks"].whole.activity.as_ref().unwrap().predictions;
        let used: u64 = models.iter().filter(|it| it.provider != "offline").map(|it| it.output_tokens).sum();
        assert_eq!(used, 24, "{models:?}");
        assert!(world.store.spending().unwrap().is_empty());
        world.restart().await;
        assert_eq!(world.ended(run).run.spent, ended.run.spent, "nothing is counted twice");
    }
}

#[tokio::test]
async fn a_damaged_run_says_that_it_has_spent_at_least_what_is_known_and_so_does_its_parent() {
    let mut world = World::new().await;
    let child = "
nodes:
  good: { uses: test.agent }
  busy: { uses: test.agent, needs: good, with: { then: hang } }
";
    std::fs::write(world.folder().join("child.yaml"), child).unwrap();
    let path = world.folder().join("parent.yaml");
    let parent = "nodes: { calls: { uses: workflow.run, with: { workflow: child.yaml } } }";
    std::fs::write(&path, parent).unwrap();
    let path = path.canonicalize().unwrap().display().to_string();
    let run = world.submit(parent, &[&[]], |start| start.path = Some(path)).await.unwrap().remove(0).id;
    world.until_stored(|store| store.children(run).unwrap().len() == 1).await;
    let child = world.store.children(run).unwrap()[0];
    world
        .until_stored(|store| {
            store.listed(child).unwrap().spent == agents(1) && !store.spending().unwrap().is_empty()
        })
        .await;
    let damage = "UPDATE event SET body = '{' \
                  WHERE seq = 2 AND run = (SELECT key FROM run WHERE parent IS NOT NULL)";
    world.restart_after(|world| world.tamper(damage)).await;
    world.idle().await;
    let least = Spent { unpriced: true, ..agents(1) };
    assert_eq!(world.store.listed(child).unwrap().spent, least);
    has_spent(&world, run, least);
    assert!(least.to_string().starts_with("at least $0.5000"), "{least}");
    assert!(world.store.spending().unwrap().is_empty());
}
