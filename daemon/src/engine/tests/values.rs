use fanlight_shared::environment::Environment;
use fanlight_shared::id::RunId;
use fanlight_shared::rpc::{assets, runs};
use fanlight_shared::run::RunStatus;
use fanlight_shared::types::Type;
use fanlight_shared::value::{DEPTH_LIMIT, Value};

use super::world::World;

/// A text of 168,890 bytes that is made by a template.
const LONG: &str = "nodes:
  t: { uses: text.template, with: { template: \"{% for i in range(20000) %}{{ i }}ü\\n{% endfor %}\" } }
  j: { uses: text.join, with: { items: [\"${{ t.text }}\", \"${{ t.text }}\"], separator: \"\" } }
  n: { uses: list.of, with: { length: \"${{ t.text | length }}\", same: \"${{ t.text == j.text }}\" } }
outputs: { joined: \"${{ j.text }}\", list: \"${{ [t.text, 1] }}\", n: \"${{ n.items }}\" }
";

fn text() -> String {
    (0..20_000).map(|i| format!("{i}ü\n")).collect()
}

/// Returns the content of a large value.
fn content(world: &World, value: Option<&Value>, ty: &Type) -> String {
    let large = value.and_then(Value::as_large).unwrap();
    assert_eq!(&large.ty, ty);
    let bytes = world.store.blobs().read(large.hash).unwrap();
    assert_eq!(bytes.len() as u64, large.bytes);
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn a_long_text_passes_through_a_workflow_as_a_handle_unchanged() {
    let world = World::new().await;
    let ended = world.run(LONG).await;
    assert_eq!(ended.error(), "");
    assert!(content(&world, ended.output("joined"), &Type::Text) == text().repeat(2));
    let list = content(&world, ended.output("list"), &Type::Any.list());
    assert!(serde_json::from_str::<serde_json::Value>(&list).unwrap() == serde_json::json!([text(), 1]));
    let length = i64::try_from(text().chars().count()).unwrap();
    assert_eq!(ended.output("n"), Some(&vec![Value::Int(length), Value::Bool(false)].into()));
    let page = world.store.assets(&assets::List::default()).unwrap();
    let mut bytes: Vec<u64> =
        page.rows.iter().filter(|it| it.value.as_large().is_some()).map(|it| it.bytes).collect();
    bytes.sort_unstable();
    assert_eq!(bytes, [list.len() as u64, 2 * text().len() as u64]);
    assert!(matches!(&world.values(ended.run.id, "t", "text")[..], [Some(Value::Large(_))]));
}

#[tokio::test]
async fn a_recovered_run_finds_its_long_values() {
    let mut world = World::new().await;
    let document = LONG.replace(
        "  n: {",
        "  wait: { uses: util.sleep, with: { seconds: 0.2 }, needs: [j] }\n  n: { needs: [wait],",
    );
    let run = world.start(&document).await;
    world.until_attempt(run.id, "wait", 1).await;
    world.restart().await;
    world.idle().await;
    let ended = world.ended(run.id);
    assert_eq!(ended.error(), "");
    assert!(content(&world, ended.output("joined"), &Type::Text) == text().repeat(2));
}

#[tokio::test]
async fn many_items_hold_handles_to_values_longer_than_a_line() {
    let world = World::new().await;
    let ended = world
        .run(
            "nodes:
  t: { each: \"${{ range(3) }}\", uses: text.template, with: { template: \"{% for i in range(3000) %}{{ i }} {% endfor %}\" } }
  j: { uses: text.join, with: { items: \"${{ t.text }}\", separator: \"\" } }
outputs: { n: \"${{ t.text | length }}\", first: \"${{ t.text[0] | length }}\", all: \"${{ j.text | length }}\" }
",
        )
        .await;
    assert_eq!(ended.error(), "");
    let length: i64 = (0..3000).map(|i: i64| i64::try_from(i.to_string().len()).unwrap() + 1).sum();
    let outputs = ["n", "first", "all"].map(|name| ended.output(name).and_then(Value::as_int).unwrap());
    assert_eq!(outputs, [3, length, 3 * length]);
    assert!(world.values(ended.run.id, "t", "text").iter().all(|it| matches!(it, Some(Value::Large(_)))));
}

#[tokio::test]
async fn an_endlessly_doubling_list_fails_by_name() {
    let world = World::new().await;
    let mut document = "nodes:\n  n0: { uses: list.of, with: { a: 1, b: 2 } }\n".to_owned();
    for n in 1..40 {
        let before = n - 1;
        document += &format!(
            "  n{n}: {{ uses: list.of, with: {{ a: '${{{{ n{before}.items }}}}', b: '${{{{ n{before}.items }}}}' }} }}\n"
        );
    }
    let ended = world.run(&document).await;
    assert!(ended.error().contains("failed: it makes more than 64 MiB of values"), "{}", ended.error());
}

#[tokio::test]
async fn an_output_that_is_nested_too_deeply_fails_its_node_by_name() {
    let world = World::new().await;
    let deep = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
    let document = |levels: usize| {
        format!("nodes: {{ a: {{ uses: list.of, with: {{ it: \"${{{{ {} }}}}\" }} }} }}", deep(levels))
    };
    assert_eq!(world.run(&document(DEPTH_LIMIT - 1)).await.error(), "");
    let ended = world.run(&document(DEPTH_LIMIT)).await;
    assert!(ended.error().contains("output `items`: lists and objects are nested 65"), "{}", ended.error());
}

#[tokio::test]
async fn a_large_param_is_held_as_a_handle_read_whole_and_removed_with_its_runs() {
    let world = World::new().await;
    let document = "params: { text: { type: text }, list: { type: json } }
nodes:
  n: { uses: list.of, with: { length: '${{ params.text | length }}', last: '${{ params.list[9999] }}' } }
  j: { uses: text.join, with: { items: ['${{ params.text }}', '!'], separator: '' } }
  f: { run: fail }
outputs: { n: '${{ n.items }}', joined: '${{ j.text }}' }
";
    let list: Value = (0..10_000).map(Value::Int).collect::<Vec<_>>().into();
    let set = [("text", text().into()), ("list", list)];
    let failed = world.try_start(document, &[&set]).await.unwrap().remove(0);
    world.idle().await;
    let request = runs::Resume {
        run: failed.id,
        request_key: RunId::new().to_string(),
        document: Some(document.replace("run: fail", "run: done")),
        environment: Environment::default(),
        at: None,
        params: indexmap::IndexMap::new(),
        afresh: false,
        missing_secrets: false,
        dry_run: false,
    };
    let again = world.engine.resume(request).await.unwrap().runs.remove(0);
    world.idle().await;
    let length = i64::try_from(text().chars().count()).unwrap();
    for (run, state) in [(failed.id, RunStatus::Failed), (again.id, RunStatus::Completed)] {
        let ended = world.ended(run);
        assert_eq!(ended.run.state, state, "{}", ended.error());
        assert_eq!(ended.output("n"), Some(&vec![Value::Int(length), Value::Int(9999)].into()));
        assert!(content(&world, ended.output("joined"), &Type::Text) == text() + "!");
        assert!(ended.run.params_short && ended.run.params["text"].as_text().unwrap().len() < 400);
        let held = world.store.run(run).unwrap().run.params;
        assert!(held.values().all(|value| value.as_large().is_some()), "{held:?}");
        assert!(content(&world, held.get("text"), &Type::Text) == text());
    }
    let hash = world.store.run(again.id).unwrap().run.params["text"].as_large().unwrap().hash;
    for (run, left) in [(failed.id, true), (again.id, false)] {
        world.engine.delete(runs::Delete { runs: vec![run], assets: true }).await.unwrap();
        world.until_stored(|store| store.blobs().read(hash).is_ok() == left).await;
    }
}
