//! Dataflow, conditions and absent ports.

use fanlight_shared::run::RunStatus;
use fanlight_shared::value::Value;

use super::world::World;

#[tokio::test]
async fn values_flow_along_edges_and_outputs_come_out() {
    let world = World::new().await;
    let ended = world
        .run(
            "
params: { who: { type: text, default: Hove } }
nodes:
  title: { uses: text.template, with: { template: 'Greetings from {{ who }}', who: '${{ params.who }}' } }
  loud: { uses: text.template, with: { template: '{{ t | upper }}!', t: '${{ title.text }}' } }
outputs:
  loud: '${{ loud.text }}'
  both: '${{ title.text }} / ${{ run.number }}'
",
        )
        .await;
    assert_eq!(ended.run.state, RunStatus::Completed);
    assert_eq!(ended.output("loud"), Some(&Value::from("GREETINGS FROM HOVE!")));
    assert_eq!(ended.output("both"), Some(&Value::from("Greetings from Hove / 1")));
    assert_eq!((ended.run.nodes_done, ended.run.nodes), (2, 2));
}

#[tokio::test]
async fn an_if_chooses_a_branch_and_first_takes_what_is_there() {
    let world = World::new().await;
    let document = "
params: { warm: { type: bool, default: true } }
nodes:
  sun: { uses: text.template, if: params.warm, with: { template: sun } }
  snow: { uses: text.template, if: not params.warm, with: { template: snow } }
  weather: { uses: text.template, with: { template: '{{ w }}', w: '${{ first(sun.text, snow.text) }}' } }
  reader: { uses: text.template, with: { template: '{{ w }}', w: '${{ snow.text }}' } }
outputs: { weather: '${{ weather.text }}' }
";
    let ended = world.run(document).await;
    assert_eq!(ended.nodes(), "sun completed, snow skipped, weather completed, reader skipped");
    assert_eq!(ended.output("weather"), Some(&Value::from("sun")));
    assert_eq!(ended.run.state, RunStatus::Completed, "skipping is no failure");
}

#[tokio::test]
async fn needs_orders_nodes_and_a_skipped_need_skips() {
    let world = World::new().await;
    let ended = world
        .run(
            "
nodes:
  a: { uses: text.template, if: false, with: { template: a } }
  b: { uses: text.template, needs: a, with: { template: b } }
  c: { uses: text.template, needs: [a], if: always(), with: { template: c } }
",
        )
        .await;
    assert_eq!(ended.error(), "");
    assert_eq!(ended.nodes(), "a skipped, b skipped, c completed");
}

#[tokio::test]
async fn a_run_with_ten_thousand_nodes_works() {
    let world = World::new().await;
    let mut document = String::from("nodes:\n  n0: { uses: text.template, with: { template: x } }\n");
    for at in 1..10_000 {
        let before = if at % 100 == 0 { at - 100 } else { at - 1 };
        document.push_str(&format!(
            "  n{at}: {{ uses: text.template, needs: n{before}, with: {{ template: x }} }}\n"
        ));
    }
    let ended = world.run(&document).await;
    assert_eq!((ended.run.state, ended.run.nodes_done), (RunStatus::Completed, 10_000));
}

#[tokio::test]
async fn ten_thousand_queued_runs_work() {
    let world = World::with_cap(4).await;
    let document = "
params: { seed: { type: int } }
nodes: { a: { uses: text.template, with: { template: '{{ s }}', s: '${{ params.seed }}' } } }
";
    let seeds: Vec<_> = (0..10_000).map(|seed| [("seed", Value::Int(seed))]).collect();
    let sets: Vec<_> = seeds.iter().map(|set| &set[..]).collect();
    let runs = world.try_start(document, &sets).await.unwrap();
    world.idle().await;
    let last = world.ended(runs[9_999].id);
    assert_eq!((last.run.state, last.run.number), (RunStatus::Completed, 10_000));
}
