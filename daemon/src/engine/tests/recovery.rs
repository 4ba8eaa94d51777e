//! Recovery by the next daemon.

use fanlight_shared::id::AttemptId;
use fanlight_shared::rpc::watch::Watch;
use fanlight_shared::rpc::{queue, runs};
use fanlight_shared::run::{AttemptEnd, RunStatus};
use fanlight_shared::testing::in_time;

use super::world::World;
use crate::hub::Subscription;
use crate::store::Op;

const LONG: &str = "
nodes:
  before: { uses: text.template, with: { template: fine } }
  wait: { uses: util.sleep, needs: before, with: { seconds: 3600 } }
";

#[tokio::test]
async fn running_runs_continue_and_queued_runs_stay_queued() {
    let mut world = World::with_cap(1).await;
    let running = world.start(LONG).await;
    let waiting = world.start(LONG).await;
    world.until(|now| now.running == 1 && now.queued == 1).await;
    world.restart().await;
    world.until(|now| now.running == 1 && now.queued == 1).await;
    world.until_attempt(running.id, "wait", 2).await;
    let taken_up = world.ended(running.id);
    let attempts = &taken_up.state.nodes["wait"].whole.attempts;
    assert_eq!(attempts[0].end, Some(AttemptEnd::Lost));
    assert_eq!(taken_up.nodes(), "before completed, wait running");
    assert_eq!(taken_up.state.nodes["before"].whole.attempts.len(), 1, "what finished is not done again");
    assert_eq!(world.ended(waiting.id).run.state, RunStatus::Queued);
}

#[tokio::test]
async fn after_three_interruptions_a_node_fails() {
    let mut world = World::new().await;
    let run = world.start(LONG).await;
    for attempt in 1..=3 {
        world.until_attempt(run.id, "wait", attempt).await;
        world.restart().await;
    }
    world.idle().await;
    let ended = world.ended(run.id);
    assert_eq!(ended.run.state, RunStatus::Failed);
    assert!(ended.error().contains("interrupted"), "{}", ended.error());
}

#[tokio::test]
async fn items_of_an_each_continue_where_they_were() {
    let mut world = World::new().await;
    let run = world
        .start(
            "
nodes:
  slow: { uses: util.sleep, each: '${{ [0, 3600] }}', with: { seconds: '${{ item }}', value: '${{ item }}' } }
  after: { uses: text.template, each: '${{ slow.value }}', with: { template: 'after {{ v }}', v: '${{ item }}' } }
",
        )
        .await;
    world
        .until_state(run.id, |state| {
            state.nodes["after"].items.get(&0).is_some_and(|it| it.status.is_ended())
        })
        .await;
    world.restart().await;
    world
        .until_state(run.id, |state| state.nodes["slow"].items.get(&1).is_some_and(|it| it.attempt() == 2))
        .await;
    let state = world.ended(run.id).state;
    assert_eq!(state.nodes["slow"].items[&0].attempts.len(), 1);
    assert_eq!(state.nodes["after"].items[&0].attempts.len(), 1);
}

#[tokio::test]
async fn a_cancel_before_a_crash_takes_effect_after_it() {
    let mut world = World::new().await;
    let run = world.start(LONG).await;
    world.until(|now| now.running == 1).await;
    world.cancel(&[run.id]).await;
    world.restart().await;
    world.idle().await;
    assert_eq!(world.ended(run.id).run.state, RunStatus::Cancelled);
}

#[tokio::test]
async fn the_settings_of_the_queue_are_kept() {
    let mut world = World::with_cap(8).await;
    let set = queue::Set { max_concurrent_runs: Some(3), paused: Some(true) };
    world.engine.set_queue(set).await.unwrap();
    world.restart().await;
    let queue = world.engine.queue().await.unwrap();
    assert_eq!((queue.max_concurrent_runs, queue.paused), (3, true));
}

#[tokio::test]
async fn a_deleted_run_leaves_its_assets() {
    let world = World::new().await;
    let document = "
nodes: { a: { uses: text.template, with: { template: fine } } }
outputs: { a: '${{ a.text }}' }
";
    let ended = world.run(document).await;
    let running = world.start(LONG).await;
    let delete = |run| runs::Delete { runs: vec![run], assets: false };
    assert!(world.engine.delete(delete(running.id)).await.unwrap_err().message.contains("cancel it first"));
    world.engine.delete(delete(ended.run.id)).await.unwrap();
    assert!(world.store.listed(ended.run.id).is_err());
    assert_eq!(world.store.assets(&fanlight_shared::rpc::assets::List::default()).unwrap().rows.len(), 1);
}

/// Returns an ended run with an attempt that has leftovers in its executor.
async fn with_leftovers(world: &World) -> (fanlight_shared::id::RunId, AttemptId) {
    let ended = world.run("nodes: { a: { run: done } }").await;
    let attempt = ended.state.nodes["a"].whole.attempts[0].id.unwrap();
    world.fake.leave(attempt, true);
    (ended.run.id, attempt)
}

#[tokio::test]
async fn the_next_daemon_completes_an_interrupted_deletion() {
    let mut world = World::new().await;
    let (deleted, attempt) = with_leftovers(&world).await;
    let (kept, other) = with_leftovers(&world).await;
    // The deletion is committed, but the attempt's leftovers still exist.
    world.store.commit(vec![Op::DeleteRun { run: deleted, assets: false }]).await.unwrap();
    world.restart().await;
    world.until_stored(|store| store.attempts_to_remove().unwrap().is_empty()).await;
    assert!(!world.fake.has(attempt));
    assert!(world.fake.has(other), "the other run was not deleted");

    world.engine.delete(runs::Delete { runs: vec![kept], assets: false }).await.unwrap();
    assert!(!world.fake.has(other));
    assert!(world.store.attempts_to_remove().unwrap().is_empty());
}

#[tokio::test]
async fn the_next_daemon_removes_what_could_not_be_removed() {
    let mut world = World::new().await;
    let (run, attempt) = with_leftovers(&world).await;
    world.fake.leave(attempt, false);
    world.engine.delete(runs::Delete { runs: vec![run], assets: false }).await.unwrap();
    assert_eq!(world.store.attempts_to_remove().unwrap(), [attempt]);
    world.fake.leave(attempt, true);
    world.restart().await;
    world.until_stored(|store| store.attempts_to_remove().unwrap().is_empty()).await;
    assert!(!world.fake.has(attempt));
}

#[tokio::test]
async fn a_run_that_crashed_three_daemons_fails_and_the_others_continue() {
    let mut world = World::new().await;
    let (bomb, other) = (world.start(LONG).await, world.start(LONG).await);
    world.until(|now| now.running == 2).await;
    for _ in 0..2 {
        world.crash_during(bomb.id).await;
        world.until(|now| now.running == 2).await;
    }
    world.crash_during(bomb.id).await;
    world.until(|now| now.running <= 1).await;
    world.until_stored(|store| store.listed(bomb.id).unwrap().state == RunStatus::Failed).await;
    assert!(world.ended(bomb.id).error().contains("interrupted 3 times"), "{}", world.ended(bomb.id).error());
    assert_ne!(world.ended(other.id).error(), world.ended(bomb.id).error());
}

#[tokio::test]
async fn an_unreadable_run_fails_and_the_others_continue() {
    let mut world = World::new().await;
    let (damaged, gap, fine) = (world.start(LONG).await, world.start(LONG).await, world.start(LONG).await);
    world.until(|now| now.running == 3).await;
    for run in [&damaged, &gap, &fine] {
        world.until_attempt(run.id, "wait", 1).await;
    }
    world.engine.stop().await;
    let deep = format!("{{\"v\":{}{}}}", "[".repeat(200), "]".repeat(200));
    world.tamper(&format!("UPDATE event SET body = '{deep}' WHERE seq = 2 AND run = 1"));
    world.tamper("DELETE FROM event WHERE seq = 2 AND run = 2");
    world.restart().await;
    world.until_stored(|store| store.listed(damaged.id).unwrap().state == RunStatus::Failed).await;
    let error = |id| world.store.listed(id).unwrap().error.unwrap_or_default();
    assert!(error(damaged.id).contains("this run is damaged: event 2 of"), "{}", error(damaged.id));
    assert!(error(gap.id).contains("is missing"), "{}", error(gap.id));
    for id in [damaged.id, gap.id] {
        let state = world.store.readable_state(id).unwrap();
        assert_eq!((state.status, state.error), (RunStatus::Failed, Some(error(id))));
        let request = runs::Resume {
            run: id,
            request_key: id.to_string(),
            document: None,
            environment: Default::default(),
            at: None,
            params: Default::default(),
            missing_secrets: false,
            afresh: false,
            dry_run: false,
        };
        let answer = world.engine.resume(request).await;
        let said = answer.unwrap_err().message;
        assert!(said.contains("can't be resumed, because it is damaged: event 2 of"), "{said}");
    }
    world.until_attempt(fine.id, "wait", 2).await;
}

#[tokio::test]
async fn a_label_is_visible_only_after_it_is_stored() {
    let world = World::with_cap(1).await;
    let run = world.start(LONG).await;
    world.until(|now| now.running == 1).await;
    let refused =
        world.engine.label(runs::Label { run: fanlight_shared::id::RunId::new(), label: "x".into() });
    assert!(refused.await.is_err());
    let registry = || {
        let subscription = Subscription::new(world.hub.clone());
        subscription.watch(Watch { registry: true, ..Watch::default() });
        std::iter::from_fn(|| subscription.try_next()?.text())
            .map(|text| text.to_string())
            .collect::<String>()
    };
    let disk = world.hold_the_disk();
    let (engine, label) = (world.engine.clone(), runs::Label { run: run.id, label: "my own".into() });
    let labelled = tokio::spawn(async move { engine.label(label).await });
    // On one thread every yield is a turn of the engine.
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    assert!(!labelled.is_finished(), "it was answered before it was stored");
    assert!(!registry().contains("my own"), "it was shown before it was stored");
    assert_ne!(world.store.listed(run.id).unwrap().label, "my own");
    drop(disk);
    labelled.await.unwrap().unwrap();
    assert!(registry().contains("my own"));
    assert_eq!(world.store.listed(run.id).unwrap().label, "my own");
}

#[tokio::test]
async fn the_queue_responds_while_the_disk_is_full_and_runs_start_when_there_is_space() {
    let world = World::with_cap(1).await;
    world.engine.set_queue(queue::Set { paused: Some(true), ..queue::Set::default() }).await.unwrap();
    let runs = world.try_start(LONG, &[&[], &[]]).await.unwrap();
    world.store.limit_pages(1);
    let cause = async || {
        while world.store.outage().borrow().is_none() {
            let text = "x".repeat(500);
            let label = runs::Label { run: runs[1].id, label: text[..200].to_owned() };
            let _ = world.engine.label(label).await;
            let sets: [&[(&str, fanlight_shared::value::Value)]; 50] = [&[]; 50];
            let _ = world.try_start(LONG, &sets).await;
        }
    };
    in_time("the disk is full", cause()).await;
    let asked = async {
        let queue = world.engine.queue().await;
        let set = world.engine.set_queue(queue::Set { paused: Some(false), ..queue::Set::default() }).await;
        let cancelled =
            world.engine.cancel(runs::Cancel { runs: vec![runs[0].id], ..runs::Cancel::default() }).await;
        (queue.is_ok(), set.err().map(|it| it.message), cancelled.err().map(|it| it.message))
    };
    let (queue, set, cancelled) = in_time("they answer", asked).await;
    assert!(queue);
    for said in [set, cancelled].into_iter().flatten() {
        assert!(said.contains("is full") && said.contains("takes effect at once"), "{said}");
    }
    world.store.limit_pages(u32::MAX - 1);
    world.until(|now| now.running == 1).await;
    assert_eq!(world.store.listed(runs[0].id).unwrap().state, RunStatus::Cancelled);
}
