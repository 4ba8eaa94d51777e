//! Results that attempts compute which an earlier daemon started.

use fanlight_shared::id::RunId;
use fanlight_shared::run::RunStatus;

use super::commands::command;
use super::following::until_slots;
use super::*;

/// Starts runs of the same command, one of which leads and the others follow. Returns the leader first.
async fn start_together(world: &World, document: &str, count: usize) -> Vec<RunId> {
    let sets: Vec<&[(&str, Value)]> = vec![&[]; count];
    let runs = world.try_start(document, &sets).await.unwrap();
    let leads = |id| world.ended(id).state.nodes["a"].whole.attempt() == 1;
    world.until_stored(|_| runs.iter().any(|run| leads(run.id))).await;
    let mut runs: Vec<RunId> = runs.iter().map(|run| run.id).collect();
    runs.sort_by_key(|run| !leads(*run));
    runs
}

/// Asserts that the first run computed the result, and the others took it.
fn assert_shared(world: &World, runs: &[RunId]) {
    let ended: Vec<Ended> = runs.iter().map(|run| world.ended(*run)).collect();
    assert!(ended.iter().all(|it| it.output("said") == Some(&Value::from("hello!"))));
    let nodes: Vec<String> = ended.iter().map(Ended::nodes).collect();
    let (leader, followers) = nodes.split_first().unwrap();
    assert_eq!(leader, "a completed, b completed");
    assert!(followers.iter().all(|nodes| nodes == "a cached, b completed"), "{followers:?}");
    assert_eq!(starts(world), 1);
}

#[tokio::test]
async fn an_adopted_attempt_leads_again() {
    for document in [story("hang hello"), command("hang hello", "")] {
        let mut world = World::with_cap(8).await;
        let runs = start_together(&world, &document, 3).await;
        until_slots(&world, 1, 2).await;
        for _ in 0..2 {
            world.restart().await;
            let leader = world.ended(runs[0]).run.number;
            let reason = |run| world.hub.run_state(run).and_then(|state| state.nodes["a"].waits_for.clone());
            let waits = Some(format!("waits for #{leader} · a"));
            world.until_stored(|_| runs[1..].iter().all(|run| reason(*run) == waits)).await;
        }
        let later = world.start(&document).await.id;
        world.fake.finish("a");
        world.idle().await;
        assert_shared(&world, &[runs, vec![later]].concat());
        world.run(&document).await;
        assert_eq!(starts(&world), 1, "its result is kept");
        assert_eq!(world.store.attempt_keys().unwrap().len(), 0);
    }
}

#[tokio::test]
async fn a_follower_takes_over_from_an_adopted_attempt_that_is_cancelled() {
    let mut world = World::new().await;
    let runs = start_together(&world, &command("hang hello", ""), 2).await;
    world.restart().await;
    world.fake.until("adopt a").await;
    world.cancel(&runs[..1]).await;
    until_starts(&world, 2).await;
    world.fake.finish("a");
    world.idle().await;
    assert_eq!(world.ended(runs[0]).run.state, RunStatus::Cancelled);
    assert_eq!(world.ended(runs[1]).nodes(), "a completed, b completed");
}

#[tokio::test]
async fn the_result_of_an_adopted_command_is_not_shared_if_a_file_changed_since_it_started() {
    for changed in ["between", "after"] {
        let mut world = World::new().await;
        world.fake.set_file(Ok("one"), 1);
        let runs = start_together(&world, &command("hang hello", ""), 2).await;
        let change = |world: &World| world.fake.set_file(Ok("two"), 2);
        world
            .restart_after(|world| {
                if changed == "between" {
                    change(world)
                }
            })
            .await;
        let reason = |world: &World| Some(world.hub.run_state(runs[1])?.nodes["a"].waits_for.is_some());
        if changed == "after" {
            world.until_stored(|_| reason(&world) == Some(true)).await;
            change(&world);
            world.fake.finish("a");
        }
        until_starts(&world, 2).await;
        world.fake.until("adopt a").await;
        if changed == "between" {
            world.fake.finish("a");
        }
        world.fake.finish("a");
        world.idle().await;
        for run in runs {
            assert_eq!(world.ended(run).nodes(), "a completed, b completed", "{changed}");
        }
        world.fake.set_file(Ok("one"), 1);
        world.run(&command("done hello", "")).await;
        assert_eq!(starts(&world), 3, "the first result is not kept, {changed}");
    }
}

#[tokio::test]
async fn without_a_readable_key_an_adopted_attempt_is_not_followed() {
    for damage in [
        "DELETE FROM attempt_key",
        "UPDATE attempt_key SET key = x'00'",
        "UPDATE attempt_key SET key = 'text', parts = 1",
        "UPDATE attempt_key SET seen = NULL",
        "UPDATE attempt_key SET seen = x'0102'",
        "UPDATE attempt_key SET attempt = 'no id'",
    ] {
        let mut world = World::new().await;
        let runs = start_together(&world, &command("hang hello", ""), 2).await;
        world.restart_after(|world| world.tamper(damage)).await;
        world.fake.until("adopt a").await;
        until_starts(&world, 2).await;
        world.fake.finish("a");
        world.fake.finish("a");
        world.idle().await;
        for run in runs {
            assert_eq!(world.ended(run).nodes(), "a completed, b completed", "{damage}");
        }
        world.store.commit(vec![Op::CacheRemoveOldest(u32::MAX)]).await.unwrap();
        assert_eq!(world.store.attempt_keys().unwrap().len(), 0, "{damage}");
    }
}

#[tokio::test]
async fn an_adopted_attempt_of_a_fresh_run_does_not_lead() {
    let mut world = World::new().await;
    let fresh = |start: &mut runs::Start| start.fresh = Fresh::All(true);
    world.submit(&command("hang hello", ""), &[&[]], fresh).await.unwrap();
    world.fake.until("start a").await;
    world.restart().await;
    world.fake.until("adopt a").await;
    world.start(&command("hang hello", "")).await;
    until_starts(&world, 2).await;
    world.fake.finish("a");
    world.fake.finish("a");
    world.idle().await;
    world.run(&command("hang hello", "")).await;
    assert_eq!(starts(&world), 2, "its result is kept");
}

#[tokio::test]
async fn recovered_followers_hold_no_slot_beyond_the_limit() {
    for document in [story("hang hello"), command("hang hello", "")] {
        let mut world = World::with_cap(2).await;
        let runs = start_together(&world, &document, 1).await;
        let mut runs = vec![runs[0]];
        for following in 1..=3 {
            runs.push(world.start(&document).await.id);
            until_slots(&world, 1, following).await;
        }
        let other = world.start("nodes: { c: { run: hang } }").await.id;
        world.fake.until("start c").await;
        until_slots(&world, 2, 3).await;
        world.restart().await;
        let now = *world.engine.activity().borrow();
        assert_eq!((now.running, now.following), (2, 3));
        let waiting = world.start("nodes: { d: { run: hang } }").await.id;
        world.fake.finish("a");
        for run in &runs {
            world.until_state(*run, |state| state.status == RunStatus::Completed).await;
        }
        world.fake.until("start d").await;
        world.cancel(&[other, waiting]).await;
        world.idle().await;
        let a = world.fake.calls().iter().filter(|call| *call == "start a").count();
        assert_eq!(a, 1);
    }
}

#[tokio::test]
async fn a_recovered_run_whose_files_cannot_be_looked_at_waits_for_a_slot_first() {
    let mut world = World::with_cap(2).await;
    let mut runs = start_together(&world, &command("hang hello", ", allow_failure: true"), 1).await;
    runs.push(world.start(&command("hang hello", ", allow_failure: true")).await.id);
    until_slots(&world, 1, 1).await;
    let other = world.start("nodes: { c: { run: hang } }").await.id;
    world.fake.until("start c").await;
    world.restart_after(|world| world.fake.set_file(Err("no file matches `a`"), 1)).await;
    let reason = || world.hub.run_state(runs[1]).and_then(|state| state.nodes["a"].waits_for.clone());
    world.until_stored(|_| reason().as_deref() == Some("waits for a slot")).await;
    let now = *world.engine.activity().borrow();
    assert_eq!((now.running, now.following), (2, 1));
    world.cancel(&[other]).await;
    world.until_state(runs[1], |state| state.status.is_ended()).await;
    assert!(world.ended(runs[1]).nodes().starts_with("a failed"));
    world.fake.finish("a");
    world.idle().await;
    assert_eq!(world.ended(runs[0]).nodes(), "a completed, b completed");
}
