//! Dataflow, conditions and absent ports.

use fanlight_shared::run::RunStatus;
use fanlight_shared::value::Value;

use super::world::World;

#[tokio::test]
async fn values_flow_along_edges_to_the_outputs() {
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
async fn an_if_chooses_a_branch_and_first_takes_the_present_value() {
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
async fn needs_orders_nodes_and_passes_on_skips() {
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
async fn a_reader_of_an_absent_port_is_skipped_and_has_no_outputs() {
    let world = World::new().await;
    let ended = world
        .run(
            "
nodes:
  sk: { uses: text.template, if: false, with: { template: '1' } }
  len: { uses: text.template, with: { template: '{{ n }}', n: '${{ sk.text | length }}' } }
  cmp: { uses: text.template, with: { template: '{{ n }}', n: \"${{ sk.text == '3' }}\" } }
  texts: { uses: text.template, with: { template: '{{ n }}', n: 'got ${{ sk.text }}' } }
  lists: { uses: text.join, with: { items: ['${{ sk.text }}', 'b'] } }
  each: { uses: text.template, each: '${{ [sk.text, 1] }}', with: { template: '{{ n }}', n: '${{ item }}' } }
  ifs: { uses: text.template, if: \"sk.text == '1' or true\", with: { template: entered } }
  knows: { uses: text.template, with: { template: '{{ n }}', n: '${{ sk.text | default(7) }}' } }
  anyway: { uses: text.template, if: always(), with: { template: '{{ n is none }}', n: '${{ sk.text | length }}' } }
outputs:
  len: '${{ sk.text | length }}'
  cmp: '${{ not sk.text }}'
  txt: 'got ${{ sk.text }}'
  plain: '${{ sk.text }}'
  known: '${{ first(sk.text, 1) }}'
",
        )
        .await;
    assert_eq!(ended.error(), "");
    assert_eq!(
        ended.nodes(),
        "sk skipped, len skipped, cmp skipped, texts skipped, lists skipped, each skipped, ifs skipped, \
         knows completed, anyway completed"
    );
    assert_eq!(ended.state.outputs.keys().collect::<Vec<_>>(), ["known"]);
    assert_eq!(world.values(ended.run.id, "anyway", "text"), [Some(Value::from("true"))]);
}

#[tokio::test]
async fn the_status_of_a_node_that_may_fail_tells_how_it_ended() {
    let world = World::new().await;
    let ended = world
        .run(
            "
nodes:
  lint: { uses: util.fail, allow_failure: true }
  fine: { uses: text.template, with: { template: ok } }
  off: { uses: text.template, if: false, with: { template: off } }
  some: { uses: util.fail, each: '${{ [0, 9] }}', with: { times: '${{ item }}' }, allow_failure: true }
  helps: { uses: text.template, if: lint.status == 'failed', with: { template: helped } }
  goes_on: { uses: text.template, needs: [lint], with: { template: on } }
  sees_none: { uses: text.template, if: failure(), needs: [lint], with: { template: never } }
outputs:
  words: '${{ [lint.status, fine.status, off.status] }}'
  items: '${{ some.status }}'
  one: '${{ off.status }}'
",
        )
        .await;
    assert_eq!(ended.run.state, RunStatus::Completed, "{}", ended.error());
    assert_eq!(
        ended.nodes(),
        "lint failed, fine completed, off skipped, some failed, helps completed, goes_on completed, \
         sees_none skipped"
    );
    let texts = |words: &[&str]| Value::List(words.iter().map(|word| Value::from(*word)).collect());
    assert_eq!(ended.output("words"), Some(&texts(&["failed", "completed", "skipped"])));
    assert_eq!(ended.output("items"), Some(&texts(&["completed", "failed"])));
    assert_eq!(ended.output("one"), Some(&Value::from("skipped")));
}

#[tokio::test]
async fn a_run_can_have_ten_thousand_nodes() {
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
async fn ten_thousand_runs_can_be_queued() {
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
