//! Node types for lists, texts and tables within runs: large values, absent ports, code.

use fanlight_shared::run::RunStatus;
use fanlight_shared::value::Value;

use super::world::World;

#[tokio::test]
async fn a_switch_skips_the_other_branches() {
    let document = "
params: { kind: { type: text, default: drawing } }
nodes:
  route: { uses: control.switch, with: { value: '${{ params.kind }}', cases: [photo, drawing], input: a picture } }
  photo: { uses: text.template, if: route.index == 0, with: { template: 'photo of {{ it }}', it: '${{ route.matched }}' } }
  drawing: { uses: text.template, if: route.index == 1, with: { template: 'drawing of {{ it }}', it: '${{ route.matched }}' } }
  other: { uses: text.template, with: { template: '{{ it }}', it: '${{ route.default }}' } }
outputs: { made: '${{ first(photo.text, drawing.text, other.text) }}' }
";
    let ended = World::new().await.run(document).await;
    assert_eq!(ended.nodes(), "route completed, photo skipped, drawing completed, other skipped");
    assert_eq!(ended.output("made"), Some(&Value::from("drawing of a picture")));
}

#[tokio::test]
async fn a_long_list_is_filtered_by_an_expression_and_a_value() {
    let document = "
nodes:
  numbers: { uses: list.range, with: { to: 20000 } }
  even: { uses: list.filter, with: { items: '${{ numbers.items }}', where: item % inputs.by == 0, by: 5000 } }
  hash: { uses: text.hash, with: { value: '${{ even.rest }}', algorithm: blake3 } }
outputs: { even: '${{ even.items }}', rest: '${{ even.rest | length }}', hash: '${{ hash.hash | length }}' }
";
    let ended = World::new().await.run(document).await;
    assert_eq!(ended.run.state, RunStatus::Completed);
    let even = [5_000, 10_000, 15_000, 20_000].map(Value::Int).to_vec();
    assert_eq!(ended.output("even"), Some(&Value::List(even)));
    assert_eq!(
        (ended.output("rest"), ended.output("hash")),
        (Some(&Value::Int(19_996)), Some(&Value::Int(64)))
    );
}

#[tokio::test]
async fn no_value_is_evaluated_as_a_condition() {
    let world = World::new().await;
    let document = "
params: { least: { type: text, default: '1 or true' } }
nodes: { a: { uses: list.filter, with: { items: [1, 2], where: 'item > ${{ params.least }}' } } }
";
    let error = world.try_start(document, &[&[]]).await.unwrap_err();
    assert!(format!("{error:?}").contains("no value becomes code"), "{error:?}");
}
