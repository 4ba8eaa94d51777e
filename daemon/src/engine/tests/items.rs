//! `each`: items, zips, gaps, item by item.

use fanlight_shared::run::{NodeStatus, RunStatus};
use fanlight_shared::value::Value;

use super::world::World;

fn texts(list: &[&str]) -> Value {
    Value::List(list.iter().map(|text| Value::from(*text)).collect())
}

#[tokio::test]
async fn each_runs_once_per_item_and_collects_in_order() {
    let world = World::new().await;
    let ended = world
        .run(
            "
nodes:
  one: { uses: text.template, each: '${{ range(3) }}', with: { template: '{{ n }}@{{ i }}', n: '${{ item }}', i: '${{ index }}' } }
  two: { uses: text.template, each: '${{ one.text }}', with: { template: '<{{ t }}>', t: '${{ item }}' } }
  all: { uses: text.join, with: { items: '${{ two.text }}', separator: ' ' } }
outputs: { all: '${{ all.text }}', two: '${{ two.text }}' }
",
        )
        .await;
    assert_eq!(ended.error(), "");
    assert_eq!(ended.output("all"), Some(&Value::from("<0@0> <1@1> <2@2>")));
    assert_eq!(ended.output("two"), Some(&texts(&["<0@0>", "<1@1>", "<2@2>"])));
    assert_eq!(ended.state.nodes["one"].item_count, Some(3));
}

#[tokio::test]
async fn an_empty_list_completes_with_empty_lists() {
    let world = World::new().await;
    let ended = world
        .run(
            "
nodes:
  nothing: { uses: text.template, each: '${{ [] }}', with: { template: x } }
  after: { uses: text.template, each: '${{ nothing.text }}', with: { template: '{{ t }}', t: '${{ item }}' } }
outputs: { out: '${{ after.text }}' }
",
        )
        .await;
    assert_eq!(ended.nodes(), "nothing completed, after completed");
    assert_eq!(ended.output("out"), Some(&Value::List(Vec::new())));
}

#[tokio::test]
async fn a_zip_pairs_items_and_requires_equal_lengths() {
    let world = World::new().await;
    let document = |b: &str| {
        format!(
            "
nodes:
  pair:
    uses: text.template
    each: {{ a: '${{{{ [1, 2] }}}}', b: '${{{{ {b} }}}}' }}
    with: {{ template: '{{{{ a }}}}{{{{ b }}}}', a: '${{{{ item.a }}}}', b: '${{{{ item.b }}}}' }}
outputs: {{ pair: '${{{{ pair.text }}}}' }}
"
        )
    };
    let ended = world.run(&document(r#"["x", "y"]"#)).await;
    assert_eq!(ended.output("pair"), Some(&texts(&["1x", "2y"])));
    let ended = world.run(&document(r#"["x"]"#)).await;
    assert!(ended.error().contains("`a` has 2, `b` has 1"), "{}", ended.error());
}

#[tokio::test]
async fn a_failed_item_fails_the_node_but_not_its_siblings() {
    let world = World::new().await;
    let ended = world
        .run(
            "
nodes:
  gate: { uses: util.fail, each: '${{ range(3) }}', if: 'item == 1', with: { message: 'no {{ 1 }}' }, on_item_error: drop }
  work: { uses: list.range, each: '${{ [1, 0, 2] }}', with: { from: 1, to: 3, step: '${{ item }}' } }
  after: { uses: list.of, each: '${{ work.items }}', with: { a: '${{ item }}' } }
  whole: { uses: list.of, with: { a: '${{ work.items }}' } }
",
        )
        .await;
    assert_eq!(ended.items("work"), [NodeStatus::Completed, NodeStatus::Failed, NodeStatus::Completed]);
    assert_eq!(ended.items("after"), [NodeStatus::Completed, NodeStatus::Skipped, NodeStatus::Completed]);
    assert_eq!(ended.nodes(), "gate completed, work failed, after skipped, whole skipped");
    assert_eq!(ended.run.state, RunStatus::Failed);
    assert!(ended.error().contains("1 of 3 items failed; [1]:"), "{}", ended.error());
}

#[tokio::test]
async fn a_dropped_item_is_left_out_of_the_lists() {
    let world = World::new().await;
    let ended = world
        .run(
            "
nodes:
  work:
    uses: list.range
    each: '${{ [1, 0, 2] }}'
    on_item_error: drop
    with: { from: 1, to: 3, step: '${{ item }}' }
  odd: { uses: list.of, each: '${{ work.items }}', if: 'index != 1', with: { a: '${{ item }}' } }
outputs: { work: '${{ work.items }}', odd: '${{ odd.items }}' }
",
        )
        .await;
    assert_eq!(ended.error(), "");
    assert_eq!(ended.items("odd"), [NodeStatus::Completed, NodeStatus::Skipped], "of the two items left");
    assert_eq!(ended.output("work").and_then(Value::as_list).map(<[Value]>::len), Some(2));
    assert_eq!(ended.output("odd").and_then(Value::as_list).map(<[Value]>::len), Some(1));
}

#[tokio::test]
async fn a_later_each_starts_item_by_item() {
    let world = World::new().await;
    // The second item never ends, so the node after the first can only have run item by item.
    let run = world
        .start(
            "
nodes:
  slow: { uses: util.sleep, each: '${{ [0, 3600] }}', with: { seconds: '${{ item }}', value: '${{ item }}' } }
  after: { uses: text.template, each: '${{ slow.value }}', with: { template: 'after {{ v }}', v: '${{ item }}' } }
",
        )
        .await;
    world
        .until_state(run.id, |state| {
            state.nodes["after"].items.get(&0).is_some_and(|it| it.status.is_ended())
        })
        .await;
    let state = world.ended(run.id).state;
    assert_eq!(state.nodes["after"].items[&0].status, NodeStatus::Completed);
    assert_eq!(state.nodes["slow"].whole.status, NodeStatus::Running);
    world.cancel(&[run.id]).await;
    world.idle().await;
    assert_eq!(world.ended(run.id).nodes(), "slow cancelled, after cancelled");
}
