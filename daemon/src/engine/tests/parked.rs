//! Runs that wait for a person.

use fanlight_shared::id::RunId;
use fanlight_shared::item::ItemPath;
use fanlight_shared::rpc::{queue, runs};
use fanlight_shared::run::{AttemptEnd, NodeStatus, RunStatus};
use fanlight_shared::value::Value;

use super::world::World;

const ASK: &str = "
nodes:
  before: { uses: text.template, with: { template: fine } }
  ask: { uses: test.ask, needs: before, with: { question: 'This one?' } }
outputs: { answer: '${{ ask.answer }}' }
";
const HANG: &str = "nodes: { a: { run: hang } }";
const QUICK: &str = "nodes: { a: { uses: text.template, with: { template: x } } }";

/// Starts a run and waits until it is parked.
async fn parked(world: &World, document: &str) -> RunId {
    let run = world.start(document).await.id;
    world.until_stored(|store| store.listed(run).unwrap().state == RunStatus::Parked).await;
    run
}

async fn answer(world: &World, run: RunId, value: &str) {
    world.engine.answer(run, "ask", ItemPath::WHOLE, Value::from(value)).await.unwrap();
}

async fn until_ended(world: &World, run: RunId) -> RunStatus {
    world.until_stored(|store| store.listed(run).unwrap().state.is_ended()).await;
    world.ended(run).run.state
}

#[tokio::test]
async fn a_run_that_waits_for_a_person_holds_no_slot_and_goes_on_with_the_answer() {
    let world = World::with_cap(1).await;
    let run = parked(&world, ASK).await;
    let state = world.ended(run).state;
    assert_eq!(state.status, RunStatus::Parked);
    assert_eq!(state.nodes["ask"].whole.question.as_deref(), Some("This one?"));
    world.until(|now| now.running == 0 && now.queued == 0).await;
    let other = world.start(QUICK).await;
    assert_eq!(until_ended(&world, other.id).await, RunStatus::Completed);

    answer(&world, run, "yes").await;
    assert_eq!(until_ended(&world, run).await, RunStatus::Completed);
    let ended = world.ended(run);
    assert_eq!(ended.output("answer"), Some(&Value::from("yes")));
    let ends: Vec<_> = ended.state.nodes["ask"].whole.attempts.iter().map(|it| it.end.unwrap()).collect();
    assert_eq!(ends, [AttemptEnd::Parked, AttemptEnd::Completed]);
    assert_eq!(
        (&ended.state.nodes["ask"].whole.question, &ended.state.nodes["ask"].whole.answer),
        (&None, &None)
    );
    assert!(
        world.engine.answer(run, "ask", ItemPath::WHOLE, Value::from("no")).await.is_err(),
        "it asks nothing any more"
    );
}

#[tokio::test]
async fn with_its_answer_it_is_the_next_to_get_a_slot() {
    let world = World::with_cap(1).await;
    let run = parked(&world, ASK).await;
    let first = world.start(HANG).await;
    world.fake.until("start a").await;
    let second = world.start(HANG).await;
    answer(&world, run, "yes").await;
    world.until(|now| now.running == 1 && now.queued == 2).await;
    assert_eq!(world.ended(run).run.state, RunStatus::Parked, "the only slot is taken");
    world.fake.finish("a");
    assert_eq!(until_ended(&world, first.id).await, RunStatus::Completed);
    // The second one never ends by itself.
    assert_eq!(until_ended(&world, run).await, RunStatus::Completed);
    world.cancel(&[second.id]).await;
    world.idle().await;
}

#[tokio::test]
async fn a_parked_run_and_an_answer_that_waits_survive_a_restart() {
    let mut world = World::with_cap(1).await;
    let run = parked(&world, ASK).await;
    world.restart().await;
    world.until(|now| now.running == 0 && now.queued == 0).await;
    assert_eq!(world.ended(run).run.state, RunStatus::Parked);
    let paused = |paused| queue::Set { paused: Some(paused), ..queue::Set::default() };
    world.engine.set_queue(paused(true)).await.unwrap();
    answer(&world, run, "later").await;
    world.restart().await;
    world.until(|now| now.running == 0 && now.queued == 1).await;
    world.engine.set_queue(paused(false)).await.unwrap();
    assert_eq!(until_ended(&world, run).await, RunStatus::Completed);
    let ended = world.ended(run);
    assert_eq!(ended.output("answer"), Some(&Value::from("later")));
    assert_eq!(ended.state.nodes["before"].whole.attempts.len(), 1, "what finished is not done again");
}

#[tokio::test]
async fn a_parked_run_can_be_cancelled_and_cancelling_what_is_queued_leaves_it() {
    let world = World::with_cap(1).await;
    let (run, other) = (parked(&world, ASK).await, parked(&world, ASK).await);
    world.cancel(&[run]).await;
    assert_eq!(until_ended(&world, run).await, RunStatus::Cancelled);
    let busy = world.start(HANG).await;
    world.fake.until("start a").await;
    answer(&world, other, "yes").await;
    let queued = runs::Cancel { queued: true, ..runs::Cancel::default() };
    assert!(world.engine.cancel(queued).await.unwrap().cancelled.is_empty(), "it was started long ago");
    world.cancel(&[busy.id]).await;
    assert_eq!(until_ended(&world, other).await, RunStatus::Completed);
}

#[tokio::test]
async fn a_run_is_not_parked_while_another_node_of_it_runs() {
    let world = World::with_cap(1).await;
    let document = format!("{}  a: {{ run: hang }}\n", ASK.split("outputs").next().unwrap());
    let run = world.start(&document).await.id;
    world.until_state(run, |state| state.nodes["ask"].whole.question.is_some()).await;
    world.until(|now| now.running == 1).await;
    assert_eq!(world.ended(run).run.state, RunStatus::Running);
    world.fake.finish("a");
    world.until_stored(|store| store.listed(run).unwrap().state == RunStatus::Parked).await;
    answer(&world, run, "yes").await;
    assert_eq!(until_ended(&world, run).await, RunStatus::Completed);
}

#[tokio::test]
async fn each_item_asks_for_itself() {
    let world = World::with_cap(1).await;
    let document =
        "nodes: { ask: { uses: test.ask, each: '${{ [1, 2] }}', with: { question: 'Item ${{ item }}?' } } }";
    let run = parked(&world, document).await;
    let give = |index, value: &'static str| {
        world.engine.answer(run, "ask", ItemPath::item(index), Value::from(value))
    };
    give(1, "second").await.unwrap();
    world
        .until_state(run, |state| {
            state.status == RunStatus::Parked && state.nodes["ask"].items[&1].status == NodeStatus::Completed
        })
        .await;
    give(0, "first").await.unwrap();
    assert_eq!(until_ended(&world, run).await, RunStatus::Completed);
    assert_eq!(world.values(run, "ask", "answer"), [Some(Value::from("first")), Some(Value::from("second"))]);
}

mod properties {
    use fanlight_shared::rpc::runs;
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Act {
        Ask,
        Quick,
        Answer(usize),
        Cancel(usize),
        CancelQueued,
        Restart,
        Cap(u32),
    }

    fn act() -> impl Strategy<Value = Act> {
        prop_oneof![
            3 => Just(Act::Ask),
            2 => Just(Act::Quick),
            3 => (0..4usize).prop_map(Act::Answer),
            1 => (0..4usize).prop_map(Act::Cancel),
            1 => Just(Act::CancelQueued),
            1 => Just(Act::Restart),
            1 => (1..3u32).prop_map(Act::Cap),
        ]
    }

    /// Runs everything that can go on without a person.
    async fn settle(world: &World) {
        world.until(|now| now.running == 0 && now.queued == 0).await;
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]
        /// Whatever happens, no run is lost: each ends as it should, or is parked and can be answered; slots are never
        /// held by a run that waits for a person.
        #[test]
        fn no_run_that_waits_for_a_person_is_lost_or_holds_a_slot(acts in prop::collection::vec(act(), 1..12)) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let mut world = World::with_cap(1).await;
                let mut asking: Vec<RunId> = Vec::new();
                for act in acts {
                    match act {
                        Act::Ask => asking.push(parked(&world, ASK).await),
                        Act::Quick => {
                            let run = world.start(QUICK).await.id;
                            assert_eq!(until_ended(&world, run).await, RunStatus::Completed);
                        }
                        Act::Answer(at) if at < asking.len() => {
                            let run = asking.remove(at);
                            answer(&world, run, "yes").await;
                            assert_eq!(until_ended(&world, run).await, RunStatus::Completed);
                        }
                        Act::Cancel(at) if at < asking.len() => {
                            let run = asking.remove(at);
                            world.cancel(&[run]).await;
                            assert_eq!(until_ended(&world, run).await, RunStatus::Cancelled);
                        }
                        Act::CancelQueued => {
                            let queued = runs::Cancel { queued: true, ..runs::Cancel::default() };
                            assert!(world.engine.cancel(queued).await.unwrap().cancelled.is_empty());
                        }
                        Act::Restart => world.restart().await,
                        Act::Cap(cap) => {
                            let set = queue::Set { max_concurrent_runs: Some(cap), ..queue::Set::default() };
                            world.engine.set_queue(set).await.unwrap();
                        }
                        Act::Answer(_) | Act::Cancel(_) => {}
                    }
                    settle(&world).await;
                    for run in &asking {
                        assert_eq!(world.ended(*run).run.state, RunStatus::Parked);
                    }
                }
                for run in asking {
                    answer(&world, run, "yes").await;
                    assert_eq!(until_ended(&world, run).await, RunStatus::Completed);
                }
            });
        }
    }
}
