//! Property tests of parked runs.

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

/// Runs everything that can continue without a person.
async fn settle(world: &World) {
    world.until(|now| now.running == 0 && now.queued == 0).await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]
    /// Whatever happens, no run is lost: each ends as it should, or is parked and can be answered. A run that waits
    /// for a person never holds a slot.
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
