//! Children that wait for a person.

use fanlight_shared::item::ItemPath;

use super::*;

const PARENT: &str = "
nodes:
  child: { uses: workflow.run, with: { workflow: child.yaml }, outputs: { answer: text } }
outputs: { answer: '${{ child.answer }}' }
";
const ASK: &str = "
nodes: { ask: { uses: test.ask, with: { question: 'This one?' } } }
outputs: { answer: '${{ ask.answer }}' }
";
const QUICK: &str = "nodes: { a: { uses: text.template, with: { template: x } } }";

async fn answer(world: &World, run: RunId, value: &str) {
    let answer = runs::Answer {
        run_id: run,
        node: "ask".to_owned(),
        item: ItemPath::WHOLE,
        attempt: None,
        value: Value::from(value),
        request_key: RunId::new().to_string(),
    };
    world.engine.answer(answer).await.unwrap();
}

async fn until_parked(world: &World, run: RunId) {
    world.until_stored(|store| store.listed(run).unwrap().state == RunStatus::Parked).await;
}

/// Starts a parent whose child's child asks, and returns all three once they are parked.
async fn parked(world: &World) -> [RunId; 3] {
    write(world, "child.yaml", &PARENT.replace("child.yaml", "deep.yaml"));
    write(world, "deep.yaml", ASK);
    let run = start(world, PARENT).await.id;
    until_parked(world, run).await;
    let child = children(world, run)[0];
    [run, child, children(world, child)[0]]
}

#[tokio::test]
async fn a_question_of_a_child_parks_its_parents_and_the_answer_continues_all() {
    let world = World::with_cap(1).await;
    let [run, child, deep] = parked(&world).await;
    assert_eq!(world.ended(child).run.state, RunStatus::Parked);
    let other = world.start(QUICK).await.id;
    assert_eq!(until_ended(&world, other).await, RunStatus::Completed, "the slot is free");
    answer(&world, deep, "yes").await;
    assert_eq!(until_ended(&world, run).await, RunStatus::Completed);
    assert_eq!(world.ended(run).output("answer"), Some(&Value::from("yes")));
    world.idle().await;
}

#[tokio::test]
async fn an_answered_child_waits_for_the_slot_of_its_outermost_parent() {
    let world = World::with_cap(1).await;
    let [run, _, deep] = parked(&world).await;
    let busy = world.start("nodes: { a: { run: hang } }").await.id;
    world.fake.until("start a").await;
    answer(&world, deep, "yes").await;
    world.until(|now| now.running == 1 && now.queued == 1).await;
    assert_eq!(world.ended(deep).run.state, RunStatus::Parked);
    // It has been started before, so it is none of the waiting runs that this cancels.
    let queued = runs::Cancel { queued: true, ..runs::Cancel::default() };
    assert_eq!(world.engine.cancel(queued).await.unwrap().cancelled, []);
    world.fake.finish("a");
    assert_eq!(until_ended(&world, run).await, RunStatus::Completed);
    assert_eq!(world.ended(busy).run.state, RunStatus::Completed);
}

#[tokio::test]
async fn parked_children_survive_a_restart() {
    let mut world = World::with_cap(1).await;
    let [run, child, deep] = parked(&world).await;
    world.restart().await;
    world.until(|now| now.running == 0 && now.queued == 0).await;
    for run in [run, child, deep] {
        assert_eq!(world.ended(run).run.state, RunStatus::Parked);
    }
    answer(&world, deep, "later").await;
    assert_eq!(until_ended(&world, run).await, RunStatus::Completed);
    assert_eq!(world.ended(run).output("answer"), Some(&Value::from("later")));
}

#[tokio::test]
async fn a_parked_parent_is_cancelled_with_its_children() {
    let world = World::with_cap(1).await;
    let all = parked(&world).await;
    world.cancel(&all[..1]).await;
    world.idle().await;
    for run in all {
        assert_eq!(until_ended(&world, run).await, RunStatus::Cancelled);
    }
}

#[tokio::test]
async fn a_cancel_of_a_parked_child_fails_its_parents_once_they_have_a_slot() {
    let world = World::with_cap(1).await;
    let [run, child, deep] = parked(&world).await;
    let busy = world.start("nodes: { a: { run: hang } }").await.id;
    world.fake.until("start a").await;
    world.cancel(&[deep]).await;
    world.until(|now| now.running == 1 && now.queued == 1).await;
    assert_eq!(world.ended(deep).run.state, RunStatus::Cancelled);
    assert_eq!(world.ended(child).run.state, RunStatus::Parked);
    world.fake.finish("a");
    assert_eq!(until_ended(&world, run).await, RunStatus::Failed);
    assert_eq!(
        world.ended(run).error(),
        "node `child` failed: child#1 failed: node `child` failed: deep#1 was cancelled"
    );
    assert_eq!(world.ended(busy).run.state, RunStatus::Completed);
    world.idle().await;
}

#[tokio::test]
async fn a_child_that_ended_while_its_parent_was_parked_is_taken_by_the_next_daemon() {
    let mut world = World::with_cap(1).await;
    let [run, _, deep] = parked(&world).await;
    world.start("nodes: { a: { run: hang } }").await;
    world.fake.until("start a").await;
    world.cancel(&[deep]).await;
    world.until(|now| now.queued == 1).await;
    world.restart().await;
    world.until(|now| now.running == 1 && now.queued == 1).await;
    assert_eq!(world.ended(run).run.state, RunStatus::Parked);
    world.fake.finish("a");
    assert_eq!(until_ended(&world, run).await, RunStatus::Failed);
}

#[tokio::test]
async fn a_parent_with_other_work_keeps_its_slot() {
    let world = World::with_cap(1).await;
    write(&world, "child.yaml", ASK);
    let document = PARENT.replace("nodes:\n", "nodes:\n  work: { run: hang }\n");
    let run = start(&world, &document).await.id;
    let child = child_of(&world, run).await;
    until_parked(&world, child).await;
    world.until(|now| now.running == 1).await;
    answer(&world, child, "yes").await;
    assert_eq!(until_ended(&world, child).await, RunStatus::Completed);
    assert_eq!(world.ended(run).run.state, RunStatus::Running);
    world.fake.finish("work");
    assert_eq!(until_ended(&world, run).await, RunStatus::Completed);
}

#[tokio::test]
async fn more_asking_items_than_run_at_once_are_asked_in_turn() {
    let world = World::with_cap(1).await;
    write(&world, "child.yaml", ASK);
    let document = "
nodes:
  child: { uses: workflow.run, each: '${{ range(20) }}', with: { workflow: child.yaml }, outputs: { answer: text } }
outputs: { all: '${{ child.answer }}' }
";
    let run = start(&world, document).await.id;
    until_parked(&world, run).await;
    let mut answered = 0;
    while answered < 20 {
        world.until_stored(|store| store.children(run).unwrap().len() > answered).await;
        let child = children(&world, run)[answered];
        until_parked(&world, child).await;
        answer(&world, child, "yes").await;
        answered += 1;
    }
    assert_eq!(until_ended(&world, run).await, RunStatus::Completed);
    assert_eq!(world.ended(run).output("all"), Some(&Value::List(vec![Value::from("yes"); 20])));
    world.idle().await;
}
