//! Results that are reused instead of computed again.

mod commands;
mod following;
mod properties;
mod recovered;

use fanlight_shared::origin::Fresh;
use fanlight_shared::rpc::{assets, runs};
use fanlight_shared::run::{NodeStatus, RunStatus};
use fanlight_shared::value::Value;

use super::world::{Ended, World};
use crate::config::Config;
use crate::store::Op;

/// A node whose result is reused, and one that reads it.
fn story(script: &str) -> String {
    format!(
        "nodes:
  a: {{ uses: test.remembered, with: {{ script: {script} }} }}
  b: {{ uses: text.template, with: {{ template: '{{{{ text }}}}!', text: '${{{{ a.stdout }}}}' }} }}
outputs: {{ said: '${{{{ b.text }}}}', first: '${{{{ a.stdout }}}}' }}
"
    )
}

fn starts(world: &World) -> usize {
    world.fake.calls().iter().filter(|call| call.starts_with("start")).count()
}

/// Returns the name of the run that computed the result of `a`.
fn origin(ended: &Ended) -> Option<&str> {
    Some(ended.state.nodes["a"].whole.origin.as_ref()?.run.as_str())
}

#[tokio::test]
async fn a_later_run_reuses_a_result_and_says_where_it_comes_from() {
    let mut world = World::new().await;
    let first = world.run(&story("done hello")).await;
    assert_eq!((first.nodes().as_str(), origin(&first)), ("a completed, b completed", None));
    let second = world.run(&story("done hello")).await;
    assert_eq!((second.nodes().as_str(), origin(&second)), ("a cached, b completed", Some("story#1")));
    assert_eq!(second.output("said"), Some(&Value::from("hello!")));
    assert_eq!(second.state.nodes["a"].whole.attempt(), 0, "it has no attempt");
    world.restart().await;
    let third = world.run(&story("done hello")).await;
    assert_eq!((origin(&third), starts(&world)), (Some("story#1"), 1), "it outlives the daemon");
    let other = world.run(&story("done hi")).await;
    assert_eq!((other.nodes().as_str(), starts(&world)), ("a completed, b completed", 2));
}

#[tokio::test]
async fn a_cached_node_has_values_and_assets_like_any_other() {
    let world = World::new().await;
    world.run(&story("done hello")).await;
    let run = world.run(&story("done hello")).await.run;
    assert_eq!(world.values(run.id, "a", "stdout"), [Some(Value::from("hello"))]);
    let rows = world.store.assets(&assets::List::default()).unwrap().rows;
    let own: Vec<&str> = rows.iter().filter(|it| it.run_id == run.id).map(|it| it.node.as_str()).collect();
    assert_eq!(own, ["b", "a"]);
    assert_eq!(crate::doctor::check(&world.store, true).problems, [""; 0]);
}

#[tokio::test]
async fn a_fresh_run_computes_everything_or_the_nodes_that_it_names() {
    let world = World::new().await;
    world.run(&story("done hello")).await;
    for (fresh, count) in [
        (Fresh::All(true), 2),
        (Fresh::Nodes(vec!["a".into()]), 3),
        (Fresh::Nodes(vec!["b".into()]), 3),
        (Fresh::All(false), 3),
    ] {
        world.submit(&story("done hello"), &[&[]], |start| start.fresh = fresh.clone()).await.unwrap();
        world.idle().await;
        assert_eq!(starts(&world), count, "{fresh:?}");
    }
    let unknown = |start: &mut runs::Start| start.fresh = Fresh::Nodes(vec!["aa".into()]);
    let error = world.submit(&story("done hello"), &[&[]], unknown).await.unwrap_err().message;
    assert_eq!(error, "`fresh`: the workflow has no node `aa`; did you mean `a`?");
}

#[tokio::test]
async fn a_fresh_run_stays_fresh_across_a_restart() {
    let mut world = World::with_cap(1).await;
    world.run(&story("done hello")).await;
    let hangs = world.start("nodes: { c: { run: hang } }").await;
    world.fake.until("start c").await;
    let fresh = |start: &mut runs::Start| start.fresh = Fresh::All(true);
    world.submit(&story("done hello"), &[&[]], fresh).await.unwrap();
    world.restart().await;
    world.cancel(&[hangs.id]).await;
    world.idle().await;
    assert_eq!(starts(&world), 3);
}

#[tokio::test]
async fn a_result_is_computed_once_however_many_runs_need_it_at_once() {
    let world = World::with_cap(100).await;
    let sets: Vec<&[(&str, Value)]> = vec![&[]; 100];
    let runs = world.try_start(&story("hang hello"), &sets).await.unwrap();
    world.fake.until("start a").await;
    world.fake.finish("a");
    world.idle().await;
    assert_eq!(starts(&world), 1);
    let ended: Vec<Ended> = runs.iter().map(|run| world.ended(run.id)).collect();
    let cached = ended.iter().filter(|run| run.nodes() == "a cached, b completed").count();
    assert_eq!(cached, 99);
    assert!(ended.iter().all(|run| run.output("said") == Some(&Value::from("hello!"))));
}

#[tokio::test]
async fn items_with_the_same_input_are_computed_once() {
    let world = World::new().await;
    let document = "nodes:
  a: { uses: test.remembered, each: [done x, done y, done x, done x], with: { script: '${{ item }}' } }
outputs: { all: '${{ a.stdout }}' }
";
    let ended = world.run(document).await;
    assert_eq!((ended.run.state, starts(&world)), (RunStatus::Completed, 2));
    let all = ["x", "y", "x", "x"].map(Value::from);
    assert_eq!(ended.output("all"), Some(&Value::List(all.into())));
    let cached = ended.items("a").into_iter().filter(|it| *it == NodeStatus::Cached).count();
    assert_eq!(cached, 2);
}

/// Starts two runs that need the same result, the second one of which waits.
async fn leader_and_follower(world: &World, script: &str) -> [fanlight_shared::id::RunId; 2] {
    let sets: Vec<&[(&str, Value)]> = vec![&[]; 2];
    let runs = world.try_start(&story(script), &sets).await.unwrap();
    world.fake.until("start a").await;
    let leads = |id| world.ended(id).state.nodes["a"].whole.attempt() == 1;
    world.until_stored(|_| runs.iter().any(|run| leads(run.id))).await;
    let [first, second] = [runs[0].id, runs[1].id];
    if leads(first) { [first, second] } else { [second, first] }
}

async fn until_starts(world: &World, count: usize) {
    world.until_stored(|_| starts(world) >= count).await;
}

#[tokio::test]
async fn a_follower_takes_over_when_the_leader_is_cancelled() {
    let world = World::new().await;
    let [leader, follower] = leader_and_follower(&world, "hang hello").await;
    world.cancel(&[leader]).await;
    until_starts(&world, 2).await;
    world.fake.finish("a");
    world.idle().await;
    assert_eq!(world.ended(leader).run.state, RunStatus::Cancelled);
    assert_eq!(world.ended(follower).nodes(), "a completed, b completed");
}

#[tokio::test]
async fn failures_are_not_shared() {
    let world = World::new().await;
    let sets: Vec<&[(&str, Value)]> = vec![&[]; 3];
    let runs = world.try_start(&story("fail"), &sets).await.unwrap();
    world.idle().await;
    assert_eq!(starts(&world), 3, "each one tried itself");
    assert!(runs.iter().all(|run| world.ended(run.id).nodes() == "a failed, b skipped"));
    world.run(&story("fail")).await;
    assert_eq!(starts(&world), 4, "and nothing is kept of them");
}

#[tokio::test]
async fn a_cancelled_follower_leaves_the_others_waiting() {
    let world = World::new().await;
    let [leader, follower] = leader_and_follower(&world, "hang hello").await;
    let other = world.start(&story("hang hello")).await;
    world.cancel(&[follower]).await;
    world.fake.finish("a");
    world.idle().await;
    assert_eq!((world.ended(leader).nodes().as_str(), starts(&world)), ("a completed, b completed", 1));
    assert_eq!(world.ended(follower).run.state, RunStatus::Cancelled);
    assert_eq!(world.ended(other.id).nodes(), "a cached, b completed");
}

#[tokio::test]
async fn a_follower_says_what_it_waits_for() {
    let world = World::new().await;
    let [leader, follower] = leader_and_follower(&world, "hang hello").await;
    let number = world.ended(leader).run.number;
    let reason = || world.hub.run_state(follower).and_then(|state| state.nodes["a"].waits_for.clone());
    world.until_stored(|_| reason().is_some()).await;
    assert_eq!(reason(), Some(format!("waits for #{number} · a")));
    world.fake.finish("a");
    world.idle().await;
}

#[tokio::test]
async fn deleting_an_asset_forgets_its_result() {
    let world = World::new().await;
    world.run(&story("done hello")).await;
    // The asset of a run that reused the result, and computed nothing.
    let second = world.run(&story("done hello")).await.run.id;
    let rows = world.store.assets(&assets::List::default()).unwrap().rows;
    let asset = rows.iter().find(|it| it.run_id == second && it.node == "a").unwrap().id;
    world.store.commit(vec![Op::DeleteAssets(vec![asset])]).await.unwrap();
    let third = world.run(&story("done hello")).await;
    assert_eq!((origin(&third), starts(&world)), (None, 2));
    assert_eq!(crate::doctor::check(&world.store, true).problems, [""; 0]);
}

#[tokio::test]
async fn the_results_used_longest_ago_go_first_and_products_stay() {
    let world = World::with(Config { cache_bytes: 1200, ..Config::default() }).await;
    for word in ["one", "two"] {
        world.run(&story(&format!("done {word}"))).await;
    }
    world.run(&story("done one")).await;
    assert_eq!(starts(&world), 2);
    world.run(&story("done three")).await;
    assert_eq!(starts(&world), 3);
    world.run(&story("done one")).await;
    assert_eq!(starts(&world), 3, "it was used more recently than `two`");
    world.run(&story("done two")).await;
    assert_eq!(starts(&world), 4);
    let assets = world.store.assets(&assets::List::default()).unwrap().rows;
    assert_eq!(assets.len(), 12, "two of each run");
    assert_eq!(crate::doctor::check(&world.store, true).problems, [""; 0]);
}

/// Deletes the assets of this node of a run.
async fn delete_assets(world: &World, run: fanlight_shared::id::RunId, node: &str) {
    let rows = world.store.assets(&assets::List::default()).unwrap().rows;
    let assets: Vec<_> =
        rows.iter().filter(|it| it.run_id == run && it.node == node).map(|it| it.id).collect();
    assert!(!assets.is_empty());
    world.store.commit(vec![Op::DeleteAssets(assets)]).await.unwrap();
}

#[tokio::test]
async fn deleting_an_asset_forgets_its_result_although_a_fresh_run_computed_it_again() {
    let world = World::new().await;
    let first = world.run(&story("done hello")).await.run.id;
    let fresh = |start: &mut runs::Start| start.fresh = Fresh::All(true);
    world.submit(&story("done hello"), &[&[]], fresh).await.unwrap();
    world.idle().await;
    delete_assets(&world, first, "a").await;
    let third = world.run(&story("done hello")).await;
    assert_eq!((origin(&third), starts(&world)), (None, 3));
}

#[tokio::test]
async fn deleting_a_list_forgets_the_results_of_its_items_wherever_they_were_computed() {
    let world = World::new().await;
    let list = "nodes:
  a: { uses: test.remembered, each: [done x, done y], with: { script: '${{ item }}' } }
outputs: { all: '${{ a.stdout }}' }
";
    world.run(list).await;
    let second = world.run(list).await.run.id;
    assert_eq!(starts(&world), 2);
    delete_assets(&world, second, "a").await;
    world.run(list).await;
    assert_eq!(starts(&world), 4);
    assert_eq!(crate::doctor::check(&world.store, true).problems, [""; 0]);
}
