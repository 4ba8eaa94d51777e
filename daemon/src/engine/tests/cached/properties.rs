//! Property tests of results that are reused.

use proptest::prelude::*;

use super::*;

/// Nodes with and without items, whose results depend on some of the params.
const CHAIN: &str = "
params: { x: { type: text }, y: { type: text } }
nodes:
  a: { uses: test.remembered, with: { script: 'done a${{ params.x }}' } }
  b: { uses: test.remembered, with: { script: 'done b${{ params.y }}' } }
  c: { uses: test.remembered, with: { script: 'done ${{ a.stdout }}${{ b.stdout }}' } }
  d: { uses: test.remembered, each: '${{ range(3) }}', with: { script: 'done ${{ c.stdout }}-${{ item % 2 }}' } }
outputs: { all: '${{ d.stdout }}' }
";

#[derive(Clone, Debug)]
enum Act {
    Run { x: u8, y: u8, fresh: bool },
    Cancel(usize),
    Forget,
    Restart,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        8 => (0..3u8, 0..3u8, prop::bool::weighted(0.2)).prop_map(|(x, y, fresh)| Act::Run { x, y, fresh }),
        2 => (0..8usize).prop_map(Act::Cancel),
        1 => Just(Act::Forget),
        1 => Just(Act::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]
    /// Whether results are computed, reused or shared, and whatever happens meanwhile, every run has the outputs of its own
    /// params.
    #[test]
    fn reused_and_computed_results_are_the_same(acts in prop::collection::vec(act(), 1..16)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut world = World::new().await;
            let mut runs = Vec::new();
            for act in acts {
                match act {
                    Act::Run { x, y, fresh } => {
                        let params = [("x", Value::from(x.to_string())), ("y", Value::from(y.to_string()))];
                        let set = |start: &mut runs::Start| start.fresh = Fresh::All(fresh);
                        let run = world.submit(CHAIN, &[&params], set).await.unwrap().remove(0);
                        let item = |item: u8| Value::from(format!("a{x}b{y}-{item}"));
                        runs.push((run.id, Value::List([0, 1, 0].map(item).into())));
                    }
                    Act::Cancel(at) if at < runs.len() => {
                        world.cancel(&[runs.remove(at).0]).await;
                    }
                    Act::Cancel(_) => {}
                    Act::Forget => {
                        world.store.commit(vec![Op::CacheRemoveOldest(2)]).await.unwrap();
                    }
                    Act::Restart => world.restart().await,
                }
            }
            world.idle().await;
            for (run, all) in runs {
                let ended = world.ended(run);
                assert_eq!((ended.run.state, ended.output("all")), (RunStatus::Completed, Some(&all)), "{}", ended.error());
            }
            assert_eq!(crate::doctor::check(&world.store, true).problems, [""; 0]);
        });
    }
}
