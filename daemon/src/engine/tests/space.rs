//! A disk that is full while runs continue.

use fanlight_shared::run::RunStatus;
use fanlight_shared::testing::in_time;
use fanlight_shared::value::Value;

use super::world::World;

async fn until_it_waits(world: &World) {
    let mut shortage = world.store.shortage();
    let waits = shortage.wait_for(Option::is_some);
    let why = in_time("a reason", waits).await.unwrap().clone();
    assert!(why.unwrap().contains("is full"));
}

#[tokio::test]
async fn a_native_node_starts_once_the_full_disk_has_space_again() {
    let world = World::new().await;
    world.store.blobs().set_full(true);
    let run = world.start("nodes: { a: { uses: test.stream, with: { text: hello } } }").await;
    until_it_waits(&world).await;
    assert!(!world.ended(run.id).state.status.is_ended());
    let folder = world.ended(run.id).state.nodes["a"].whole.attempts.last().and_then(|it| it.id);
    assert!(folder.is_none_or(|id| !world.folder_of(id).exists()), "nothing of it takes space");
    world.store.blobs().set_full(false);
    world.idle().await;
    assert_eq!(world.ended(run.id).run.state, RunStatus::Completed);
    assert_eq!(*world.store.shortage().borrow(), None);
}

#[tokio::test]
async fn a_cancel_ends_the_wait_of_a_native_node_for_space() {
    let world = World::new().await;
    world.store.blobs().set_full(true);
    let run = world.start("nodes: { a: { uses: test.stream, with: { text: hello } } }").await;
    until_it_waits(&world).await;
    world.cancel(&[run.id]).await;
    world.idle().await;
    assert_eq!(world.ended(run.id).run.state, RunStatus::Cancelled);
}

#[tokio::test]
async fn a_large_value_is_stored_once_the_full_disk_has_space_again() {
    let world = World::new().await;
    let text = "word ".repeat(40_000);
    let document =
        format!("nodes: {{ a: {{ run: hang {text} }} }}\noutputs: {{ said: '${{{{ a.stdout }}}}' }}");
    let run = world.start(&document).await;
    world.fake.until("start a").await;
    world.store.blobs().set_full(true);
    world.fake.finish("a");
    until_it_waits(&world).await;
    world.store.blobs().set_full(false);
    world.idle().await;
    let ended = world.ended(run.id);
    assert_eq!(ended.error(), "");
    assert_eq!(ended.output("said").and_then(Value::as_large).unwrap().bytes, text.trim().len() as u64);
}

#[tokio::test]
async fn a_cancel_discards_a_large_value_that_waits_for_space() {
    let world = World::new().await;
    let run = world.start(&format!("nodes: {{ a: {{ run: hang {} }} }}", "word ".repeat(40_000))).await;
    world.fake.until("start a").await;
    world.store.blobs().set_full(true);
    world.fake.finish("a");
    until_it_waits(&world).await;
    world.cancel(&[run.id]).await;
    world.idle().await;
    assert_eq!(world.ended(run.id).run.state, RunStatus::Cancelled);
}
