//! Sweeps.

use fanlight_shared::rpc::runs::SweepOptions;
use fanlight_shared::value::Value;

use super::world::World;

/// Ends at once.
const QUICK: &str = "
params: { seed: { type: int, default: 1 } }
nodes:
  text: { uses: text.template, with: { template: 'seed {{ seed }}', seed: '${{ params.seed }}' } }
";

#[tokio::test]
async fn several_runs_are_a_sweep_and_one_run_only_if_it_is_named() {
    let world = World::new().await;
    assert_eq!(world.start(QUICK).await.sweep, None);
    let two: &[&[(&str, Value)]] = &[&[("seed", Value::Int(1))], &[("seed", Value::Int(2))]];
    let runs = world.try_start(QUICK, two).await.unwrap();
    assert_eq!(runs[1].sweep.as_deref(), Some("story/1"));
    let named = |name: &str| {
        let name = Some(name.to_owned());
        move |start: &mut fanlight_shared::rpc::runs::Start| start.sweep = Some(SweepOptions { name })
    };
    let one = world.submit(QUICK, &[&[]], named("single")).await.unwrap();
    assert_eq!(one[0].sweep.as_deref(), Some("single"));
    let error = world.submit(QUICK, &[&[]], named("story/1")).await.unwrap_err();
    assert!(error.message.contains("can't be the name of a sweep"), "{}", error.message);
    let error = world.submit(QUICK, &[&[]], named("single")).await.unwrap_err();
    assert!(error.message.contains("there is already a sweep `single`"), "{}", error.message);
    world.idle().await;
    assert_eq!(world.ended(runs[0].id).run.sweep.as_deref(), Some("story/1"));
}
