//! Resume: what a new run reuses from an ended one, and what it runs again.

use fanlight_shared::environment::Environment;
use fanlight_shared::id::RunId;
use fanlight_shared::rpc::{RpcError, runs};
use fanlight_shared::run::{Run, RunStatus};
use fanlight_shared::value::Value;

use super::world::{Ended, World};

fn request(run: &Run) -> runs::Resume {
    runs::Resume {
        run: run.id,
        request_key: RunId::new().to_string(),
        document: None,
        environment: Environment::default(),
        at: None,
        params: indexmap::IndexMap::new(),
        afresh: false,
        missing_secrets: false,
        dry_run: false,
    }
}

/// Resumes a run, optionally with another version of its file, and waits for its end.
async fn resumed(world: &World, run: &Run, document: Option<&str>) -> Ended {
    let request = runs::Resume { document: document.map(str::to_owned), ..request(run) };
    let again = world.engine.resume(request).await.unwrap().runs.remove(0);
    world.idle().await;
    world.ended(again.id)
}

/// Returns what a resume would reuse and run again: `reused: a, b (1 of 2); rerun: c`.
async fn planned(world: &World, run: &Run, document: Option<&str>) -> Result<String, RpcError> {
    let request = runs::Resume { document: document.map(str::to_owned), dry_run: true, ..request(run) };
    let planned = world.engine.resume(request).await?;
    assert!(planned.runs.is_empty());
    let reuse = planned.reuse.unwrap();
    let reused = reuse.reused.iter().map(|it| match (it.items, it.of) {
        (Some(items), Some(of)) => format!("{} ({items} of {of})", it.node),
        _ => it.node.clone(),
    });
    Ok(format!("reused: {}; rerun: {}", reused.collect::<Vec<_>>().join(", "), reuse.rerun.join(", ")))
}

#[tokio::test]
async fn a_resumed_run_takes_over_finished_values() {
    let world = World::new().await;
    let failed = world
        .run(
            "
nodes:
  good: { uses: text.template, with: { template: fine } }
  items: { uses: text.template, each: '${{ range(3) }}', with: { template: '{{ i }}', i: '${{ item }}' } }
  bad: { uses: util.fail, needs: [good, items], with: { message: no } }
outputs: { good: '${{ good.text }}' }
",
        )
        .await;
    assert_eq!(planned(&world, &failed.run, None).await.unwrap(), "reused: good, items (3 of 3); rerun: bad");
    let again = resumed(&world, &failed.run, None).await;
    assert_eq!(again.run.resumed_from, Some(failed.run.id));
    assert_eq!(again.run.number, 2);
    assert_eq!(again.nodes(), "good cached, items completed, bad failed");
    assert!(again.items("items").iter().all(|item| item.word() == "cached"));
    assert_eq!(again.output("good").and_then(|it| it.as_text()), Some("fine"));
}

/// Returns a workflow in which `test` reads a file that is missing until it is `fixed`; `report` and `rescue` check its
/// outcome.
fn stale(folder: &std::path::Path) -> String {
    let file = folder.join("fixed").display().to_string();
    format!(
        "
nodes:
  before: {{ uses: text.template, with: {{ template: fine }} }}
  test: {{ uses: file.read, with: {{ path: {file} }} }}
  report: {{ uses: text.template, if: always(), with: {{ template: 'v={{{{ v }}}}', v: \"${{{{ first(test.text, 'none') }}}}\" }} }}
  page: {{ uses: text.template, needs: report, with: {{ template: 'page' }} }}
  rescue: {{ uses: text.template, if: failure(), needs: test, with: {{ template: rescued }} }}
outputs: {{ report: '${{{{ report.text }}}}', rescue: '${{{{ rescue.text }}}}' }}
"
    )
}

#[tokio::test]
async fn readers_of_a_node_that_runs_again_run_again_including_conditions() {
    let (world, folder) = (World::new().await, tempfile::tempdir().unwrap());
    let failed = world.run(&stale(folder.path())).await;
    assert_eq!(failed.output("report"), Some(&Value::from("v=none")));
    assert_eq!(failed.output("rescue"), Some(&Value::from("rescued")));
    std::fs::write(folder.path().join("fixed"), "42").unwrap();
    let planned = planned(&world, &failed.run, None).await.unwrap();
    assert_eq!(planned, "reused: before; rerun: test, report, page, rescue");
    let again = resumed(&world, &failed.run, None).await;
    let nodes = "before cached, test completed, report completed, page completed, rescue skipped";
    assert_eq!(again.nodes(), nodes);
    assert_eq!(again.output("report"), Some(&Value::from("v=42")));
    assert_eq!(again.output("rescue"), None);
}

#[tokio::test]
async fn items_downstream_run_again_one_by_one_and_readers_of_the_whole_list_too() {
    let (world, folder) = (World::new().await, tempfile::tempdir().unwrap());
    std::fs::write(folder.path().join("a"), "a").unwrap();
    let document = format!(
        "
nodes:
  read: {{ uses: file.read, each: '${{{{ [\"{0}/a\", \"{0}/b\"] }}}}', with: {{ path: '${{{{ item }}}}' }} }}
  each: {{ uses: text.template, each: '${{{{ read.text }}}}', with: {{ template: '{{{{ t }}}}', t: '${{{{ item }}}}' }} }}
  all: {{ uses: text.template, if: always(), with: {{ template: x, n: '${{{{ first(each.text, []) | length }}}}' }} }}
",
        folder.path().display()
    );
    let failed = world.run(&document).await;
    std::fs::write(folder.path().join("b"), "b").unwrap();
    let planned = planned(&world, &failed.run, None).await.unwrap();
    assert_eq!(planned, "reused: read (1 of 2), each (1 of 2); rerun: read, each, all");
    let again = resumed(&world, &failed.run, None).await;
    assert_eq!(again.nodes(), "read completed, each completed, all completed");
    for node in ["read", "each"] {
        assert_eq!(again.items(node).iter().map(|it| it.word()).collect::<Vec<_>>(), ["cached", "completed"]);
    }
}

#[tokio::test]
async fn readers_of_a_node_that_stays_skipped_do_not_run_again() {
    let world = World::new().await;
    let failed = world
        .run(
            "
nodes:
  off: { uses: text.template, if: 'false', with: { template: x } }
  report: { uses: text.template, if: always(), needs: off, with: { template: done } }
  bad: { uses: util.fail, with: { message: no } }
",
        )
        .await;
    assert_eq!(planned(&world, &failed.run, None).await.unwrap(), "reused: report; rerun: bad");
    assert_eq!(resumed(&world, &failed.run, None).await.nodes(), "off skipped, report cached, bad failed");
}

const BROKEN: &str = "
params: { v: { type: int, default: 1 } }
nodes:
  slow: { uses: text.template, with: { template: data } }
  work: { uses: util.fail, with: { message: '${{ slow.text }} ${{ params.v }}' } }
  after: { uses: text.template, needs: work, with: { template: x } }
";

#[tokio::test]
async fn a_repaired_file_is_used_and_unaffected_values_are_kept() {
    let world = World::new().await;
    let run = world.try_start(BROKEN, &[&[("v", Value::Int(7))]]).await.unwrap().remove(0);
    world.idle().await;
    // A changed `retry` doesn't invalidate it.
    let repaired = "
params: { v: { type: int, default: 1 }, more: { type: text, default: m } }
nodes:
  slow: { uses: text.template, retry: { times: 3 }, with: { template: data } }
  work: { uses: text.template, with: { template: '{{ d }} {{ v }} {{ m }}', d: '${{ slow.text }}', v: '${{ params.v }}', m: '${{ params.more }}' } }
  after: { uses: text.template, needs: work, with: { template: x } }
outputs: { work: '${{ work.text }}' }
";
    let planned = planned(&world, &run, Some(repaired)).await.unwrap();
    assert_eq!(planned, "reused: slow; rerun: work, after");
    let again = resumed(&world, &run, Some(repaired)).await;
    assert_eq!(again.nodes(), "slow cached, work completed, after completed");
    assert_eq!(again.output("work"), Some(&Value::from("data 7 m")));
    assert_eq!((again.run.number, again.run.workflow_id), (2, run.workflow_id));
    assert_ne!(again.run.version, run.version);
    // A resume of the repaired run has nothing to do.
    let error =
        world.engine.resume(runs::Resume { document: Some(repaired.into()), ..request(&again.run) }).await;
    assert!(error.unwrap_err().message.contains("its file has not changed since"));
}

#[tokio::test]
async fn a_change_upstream_affects_its_readers() {
    let world = World::new().await;
    let failed = world.run(BROKEN).await;
    let other = BROKEN.replace("template: data", "template: other");
    assert_eq!(
        planned(&world, &failed.run, Some(&other)).await.unwrap(),
        "reused: ; rerun: slow, work, after"
    );
}

#[tokio::test]
async fn an_incompatible_new_version_is_refused_with_a_reason() {
    let world = World::new().await;
    let failed = world.run(BROKEN).await;
    for (from, to, part) in [
        ("util.fail", "util.fial", "the workflow file has errors"),
        (
            "default: 1 }",
            "default: 1 }, must: { type: text }",
            "param `must` (text) is required, and story#1 has no value for it",
        ),
        ("\nparams", "\nid: 01990000-0000-7000-8000-000000000001\nparams", "another `id:`"),
    ] {
        let error = planned(&world, &failed.run, Some(&BROKEN.replace(from, to))).await.unwrap_err();
        assert!(error.message.contains(part), "{}", error.message);
    }
}

#[tokio::test]
async fn a_hint_names_a_file_that_has_changed_since() {
    let (world, folder) = (World::new().await, tempfile::tempdir().unwrap());
    let path = folder.path().join("story.yaml");
    std::fs::write(&path, BROKEN).unwrap();
    let own_path = |start: &mut runs::Start| start.path = Some(path.display().to_string());
    let run = world.submit(BROKEN, &[&[]], own_path).await.unwrap().remove(0);
    world.idle().await;
    let hints = async || {
        let dry = runs::Resume { dry_run: true, ..request(&run) };
        world.engine.resume(dry).await.unwrap().hints
    };
    assert_eq!(hints().await, Vec::<String>::new());
    std::fs::write(&path, format!("{BROKEN}# repaired")).unwrap();
    let hint = hints().await.remove(0);
    assert!(
        hint.contains("has changed since story#1 was submitted") && hint.contains("--new-version"),
        "{hint}"
    );
}

#[tokio::test]
async fn only_an_ended_run_that_did_not_complete_can_be_resumed() {
    let world = World::new().await;
    let completed = world.run("nodes: { a: { uses: text.template, with: { template: x } } }").await;
    assert_eq!(completed.run.state, RunStatus::Completed);
    assert!(world.engine.resume(request(&completed.run)).await.unwrap_err().message.contains("completed"));
    let running = world.start("nodes: { a: { uses: util.sleep, with: { seconds: 3600 } } }").await;
    assert!(world.engine.resume(request(&running)).await.unwrap_err().message.contains("cancel it first"));
}

const CHAIN: &str = "
params: { word: { type: text, default: one } }
nodes:
  a: { uses: test.elsewhere, with: { script: done a } }
  b: { uses: test.remembered, with: { script: 'done ${{ a.stdout }}' } }
  c: { uses: text.template, with: { template: '{{ b }} {{ word }}', b: '${{ b.stdout }}', word: '${{ params.word }}' } }
outputs: { said: '${{ c.text }}' }
";

#[tokio::test]
async fn a_fork_of_a_completed_run_takes_over_what_is_before_its_node() {
    let world = World::new().await;
    let first = world.run(CHAIN).await;
    assert_eq!(first.nodes(), "a completed, b completed, c completed");
    let fork = |at: &str, word: Option<&str>| runs::Resume {
        at: Some(at.to_owned()),
        params: word.map(|word| ("word".to_owned(), Value::from(word))).into_iter().collect(),
        ..request(&first.run)
    };
    for (request, nodes, said) in [
        // It computes its result again, although that is known.
        (fork("b", None), "a cached, b completed, c completed", "a one"),
        (fork("c", Some("two")), "a cached, b cached, c completed", "a two"),
    ] {
        let run = world.engine.resume(request).await.unwrap().runs.remove(0);
        world.idle().await;
        let ended = world.ended(run.id);
        assert_eq!((ended.nodes().as_str(), ended.output("said")), (nodes, Some(&Value::from(said))));
        assert_eq!(run.resumed_from, Some(first.run.id));
    }
    let unknown = world.engine.resume(fork("bb", None)).await.unwrap_err().message;
    assert!(unknown.starts_with("`at`: the workflow has no node `bb`"), "{unknown}");
    let wrong = runs::Resume {
        params: [("wort".to_owned(), Value::from("x"))].into_iter().collect(),
        ..request(&first.run)
    };
    let wrong = world.engine.resume(wrong).await.unwrap_err().message;
    assert!(wrong.contains("did you mean `word`?"), "{wrong}");
}
