//! Runs that nodes of other runs start.

use std::path::PathBuf;

use fanlight_shared::id::RunId;
use fanlight_shared::rpc::runs;
use fanlight_shared::run::{Run, RunStatus};
use fanlight_shared::value::Value;

use super::world::World;

mod parked;
mod recovery;
mod sweeps;

/// Runs `child.yaml` and passes its output on.
const PARENT: &str = "
nodes:
  before: { uses: text.template, with: { template: fine } }
  child:
    uses: workflow.run
    needs: before
    with: { workflow: child.yaml, who: Ada }
    outputs: { words: text }
  after: { uses: text.template, with: { template: 'said {{ words }}', words: '${{ child.words }}' } }
outputs: { said: '${{ after.text }}' }
";
const GREETING: &str = "
params: { who: { type: text } }
nodes:
  greet: { uses: text.template, with: { template: 'hello {{ who }}', who: '${{ params.who }}' } }
outputs: { words: '${{ greet.text }}' }
";
const SLOW: &str = "
params: { who: { type: text } }
nodes:
  work: { run: hang }
  greet:
    uses: text.template
    needs: work
    with: { template: 'hello {{ who }}', who: '${{ params.who }}' }
outputs: { words: '${{ greet.text }}' }
";

/// Writes a file beside the others of a story.
fn write(world: &World, name: &str, document: &str) -> PathBuf {
    let path = world.folder().join(name);
    std::fs::write(&path, document).unwrap();
    path.canonicalize().unwrap()
}

/// Starts a file of a story.
async fn start(world: &World, document: &str) -> Run {
    try_start(world, document).await.unwrap()
}

async fn try_start(world: &World, document: &str) -> Result<Run, fanlight_shared::rpc::RpcError> {
    let path = write(world, "parent.yaml", document).display().to_string();
    let started = world.submit(document, &[&[]], |start| start.path = Some(path)).await;
    started.map(|mut runs| runs.remove(0))
}

/// Returns the runs that a run started, in order.
fn children(world: &World, run: RunId) -> Vec<RunId> {
    world.store.children(run).unwrap()
}

/// Waits until a run has started one, and returns that.
async fn child_of(world: &World, run: RunId) -> RunId {
    world.until_stored(|store| !store.children(run).unwrap().is_empty()).await;
    children(world, run)[0]
}

async fn until_ended(world: &World, run: RunId) -> RunStatus {
    world.until_stored(|store| store.listed(run).unwrap().state.is_ended()).await;
    world.ended(run).run.state
}

#[tokio::test]
async fn a_node_runs_another_workflow_and_passes_its_outputs_on() {
    let world = World::with_cap(1).await;
    write(&world, "child.yaml", GREETING);
    let run = start(&world, PARENT).await.id;
    world.idle().await;
    let ended = world.ended(run);
    assert_eq!(ended.nodes(), "before completed, child completed, after completed");
    assert_eq!(ended.output("said"), Some(&Value::from("said hello Ada")));
    let child = world.ended(children(&world, run)[0]).run;
    assert_eq!((child.name().as_str(), child.state), ("child#1", RunStatus::Completed));
    let parent = child.parent.unwrap();
    assert_eq!((parent.run, parent.name.as_str(), parent.node.as_str()), (run, "parent#1", "child"));
    assert_eq!(child.params["who"], Value::from("Ada"));
}

#[tokio::test]
async fn outputs_that_are_not_declared_are_fields_of_one_port() {
    let world = World::with_cap(1).await;
    write(&world, "child.yaml", GREETING);
    let run = start(
        &world,
        "
nodes:
  child: { uses: workflow.run, with: { workflow: child.yaml, who: Ada } }
outputs: { said: '${{ child.outputs.words }}' }
",
    )
    .await
    .id;
    world.idle().await;
    assert_eq!(world.ended(run).output("said"), Some(&Value::from("hello Ada")));
}

/// Three files, each of which runs the next one.
fn three_levels(world: &World) {
    let middle = PARENT.replace("child.yaml, who: Ada", "deep.yaml, who: Eve").replace("said:", "words:");
    write(world, "child.yaml", &format!("params: {{ who: {{ type: text, default: x }} }}\n{middle}"));
    write(world, "deep.yaml", SLOW);
}

#[tokio::test]
async fn three_levels_share_the_only_slot() {
    let world = World::with_cap(1).await;
    three_levels(&world);
    let run = start(&world, PARENT).await.id;
    let other = world.start("nodes: { a: { uses: text.template, with: { template: x } } }").await.id;
    world.fake.until("start work").await;
    world.until(|now| now.running == 1 && now.queued == 1).await;
    world.fake.finish("work");
    world.idle().await;
    assert_eq!(world.ended(run).output("said"), Some(&Value::from("said said hello Eve")));
    assert_eq!(world.ended(other).run.state, RunStatus::Completed);
    let middle = children(&world, run)[0];
    assert_eq!(world.ended(children(&world, middle)[0]).run.parent.unwrap().name, "child#1");
}

#[tokio::test]
async fn a_child_that_a_person_cancels_is_not_started_again_by_retry() {
    let world = World::with_cap(1).await;
    write(&world, "child.yaml", SLOW);
    let parent = "nodes: { c: { uses: workflow.run, retry: { times: 3, backoff: 1ms }, with: { workflow: child.yaml, who: A } } }";
    let run = start(&world, parent).await.id;
    world.fake.until("start work").await;
    let child = child_of(&world, run).await;
    world.cancel(&[child]).await;
    assert_eq!(until_ended(&world, run).await, RunStatus::Failed);
    assert_eq!(children(&world, run), [child], "it was cancelled on purpose");
}

#[tokio::test]
async fn a_child_that_fails_fails_its_node_by_name() {
    let world = World::with_cap(1).await;
    write(&world, "child.yaml", "nodes: { bad: { uses: util.fail, with: { message: oh no } } }");
    let run = start(&world, "nodes: { c: { uses: workflow.run, with: { workflow: child.yaml } } }").await.id;
    world.idle().await;
    assert_eq!(world.ended(run).run.state, RunStatus::Failed);
    assert_eq!(world.ended(run).error(), "node `c` failed: child#1 failed: node `bad` failed: oh no");
}

#[tokio::test]
async fn a_retry_runs_the_other_workflow_again() {
    let world = World::with_cap(1).await;
    write(&world, "child.yaml", "nodes: { bad: { uses: util.fail, with: { message: oh no } } }");
    let document = "nodes: { c: { uses: workflow.run, retry: { times: 1, backoff: 1ms }, with: { workflow: child.yaml } } }";
    let run = start(&world, document).await.id;
    world.idle().await;
    assert_eq!(children(&world, run).len(), 2);
    assert_eq!(world.ended(run).run.state, RunStatus::Failed);
}

#[tokio::test]
async fn a_cancel_of_the_parent_cancels_its_child() {
    let world = World::with_cap(1).await;
    three_levels(&world);
    let run = start(&world, PARENT).await.id;
    world.fake.until("start work").await;
    let middle = child_of(&world, run).await;
    let deep = child_of(&world, middle).await;
    world.cancel(&[run]).await;
    world.idle().await;
    for run in [run, middle, deep] {
        assert_eq!(world.ended(run).run.state, RunStatus::Cancelled);
    }
    assert_eq!(world.ended(run).nodes(), "before completed, child cancelled, after cancelled");
}

#[tokio::test]
async fn a_cancel_of_the_child_alone_fails_its_node() {
    let world = World::with_cap(1).await;
    write(&world, "child.yaml", SLOW);
    let run = start(&world, PARENT).await.id;
    world.fake.until("start work").await;
    world.cancel(&children(&world, run)).await;
    world.idle().await;
    assert_eq!(world.ended(run).run.state, RunStatus::Failed);
    assert_eq!(world.ended(run).error(), "node `child` failed: child#1 was cancelled");
}

#[tokio::test]
async fn a_timeout_of_the_node_cancels_its_child() {
    let world = World::with_cap(1).await;
    write(&world, "child.yaml", SLOW);
    let run = start(&world, &PARENT.replace("needs: before", "needs: before\n    timeout: 20ms")).await.id;
    world.idle().await;
    assert_eq!(world.ended(run).error(), "node `child` failed: timed out after 20ms");
    assert_eq!(world.ended(children(&world, run)[0]).run.state, RunStatus::Cancelled);
}

#[tokio::test]
async fn a_cancel_of_everything_names_only_the_runs_that_a_person_started() {
    let world = World::with_cap(1).await;
    write(&world, "child.yaml", SLOW);
    let run = start(&world, PARENT).await.id;
    world.fake.until("start work").await;
    let all = runs::Cancel { running: true, ..runs::Cancel::default() };
    assert_eq!(world.engine.cancel(all).await.unwrap().cancelled, [run]);
    world.idle().await;
    assert_eq!(world.ended(run).run.state, RunStatus::Cancelled);
}

#[tokio::test]
async fn a_child_is_the_file_as_it_was_when_its_parent_was_submitted() {
    let world = World::with_cap(1).await;
    write(&world, "child.yaml", GREETING);
    let document = PARENT.replace("uses: text.template, with: { template: fine }", "run: hang");
    let run = start(&world, &document).await.id;
    world.fake.until("start before").await;
    std::fs::remove_file(write(&world, "child.yaml", "nodes: 1")).unwrap();
    world.fake.finish("before");
    world.idle().await;
    assert_eq!(world.ended(run).output("said"), Some(&Value::from("said hello Ada")));
}

#[tokio::test]
async fn files_that_can_not_be_run_are_refused_at_the_submission() {
    let world = World::new().await;
    let run = |name: &str| format!("nodes: {{ c: {{ uses: workflow.run, with: {{ workflow: {name} }} }} }}");
    write(&world, "loop.yaml", &run("parent.yaml"));
    write(&world, "self.yaml", &run("self.yaml"));
    write(&world, "bad.yaml", "nodes: { a: { uses: text.joni, with: { texts: [a] } } }");
    write(&world, "limited.yaml", "concurrency: 1\nnodes: { a: { uses: util.sleep, with: { seconds: 0 } } }");
    write(&world, "needy.yaml", GREETING);
    for level in 0..9 {
        write(&world, &format!("level{level}.yaml"), &run(&format!("level{}.yaml", level + 1)));
    }
    write(&world, "level9.yaml", "nodes: { a: { run: done } }");
    for (file, expected) in [
        ("none.yaml", "node `c`: `none.yaml` does not exist"),
        ("loop.yaml", "`parent.yaml` leads back to itself"),
        ("self.yaml", "`self.yaml` leads back to itself"),
        ("bad.yaml", "`bad.yaml` line 1, column 21: there is no node type `text.joni`"),
        ("limited.yaml", "`limited.yaml` has `concurrency:`"),
        ("needy.yaml", "`needy.yaml` needs its param `who` (text)"),
        ("'needy.yaml', whom: Ada", "`needy.yaml` needs its param `who` (text)"),
        ("'needy.yaml', who: Ada, whom: Ada", "has no param `whom`; did you mean `who`?"),
        ("'needy.yaml', who: Ada }, outputs: { word: text", "has no output `word`; did you mean `words`?"),
        (
            "'needy.yaml', who: Ada }, outputs: { words: int",
            "has the output `words` (text), but the node declares int",
        ),
        ("level0.yaml", "is too deep: runs start runs at most 8 deep"),
        ("'${{ run.label }}'", "can't be computed"),
        (
            "'needy.yaml', who: Ada }, pool: cpu, outputs: { words: text",
            "`pool` does not belong to `workflow.run`",
        ),
    ] {
        let error = try_start(&world, &run(file)).await.unwrap_err();
        assert!(error.message.contains(expected), "{file}: {}", error.message);
    }
    assert!(try_start(&world, &run("level3.yaml")).await.is_ok());
}

#[tokio::test]
async fn a_child_is_deleted_with_its_parent_and_not_alone() {
    let world = World::with_cap(1).await;
    write(&world, "child.yaml", GREETING);
    let run = start(&world, PARENT).await.id;
    world.idle().await;
    let child = children(&world, run)[0];
    let delete = |run| world.engine.delete(runs::Delete { runs: vec![run], assets: true });
    let error = delete(child).await.unwrap_err();
    assert_eq!(error.message, "child#1 was started by parent#1; delete that run");
    delete(run).await.unwrap();
    assert!(world.store.listed(child).is_err() && world.store.listed(run).is_err());
    let left = rusqlite::Connection::open(world.store.home().database()).unwrap();
    let files: u32 = left.query_row("SELECT count(*) FROM run_file", [], |row| row.get(0)).unwrap();
    assert_eq!(files, 0);
}

#[tokio::test]
async fn a_child_with_more_outputs_than_can_be_passed_on_fails_and_drops_none() {
    let world = World::new().await;
    let outputs: String = (0..400).map(|at| format!("  o{at}: '${{{{ text.text }}}}'\n")).collect();
    let long = "x".repeat(900);
    let child = format!(
        "params: {{ who: {{ type: text }} }}\nnodes:\n  text: {{ uses: text.template, with: {{ template: '{long}' }} }}\noutputs:\n  words: '${{{{ text.text }}}}'\n{outputs}"
    );
    write(&world, "child.yaml", &child);
    let run = start(&world, PARENT).await.id;
    assert_eq!(until_ended(&world, run).await, RunStatus::Failed);
    let ended = world.ended(run);
    assert!(ended.error().contains("too large together to be passed on"), "{}", ended.error());
}

#[tokio::test]
async fn a_new_version_of_a_parent_runs_a_child_again_whose_file_has_changed() {
    let world = World::new().await;
    write(&world, "child.yaml", GREETING);
    let run = start(&world, PARENT).await.id;
    assert_eq!(until_ended(&world, run).await, RunStatus::Completed);
    let resume = || runs::Resume {
        run,
        environment: fanlight_shared::environment::Environment::default(),
        request_key: RunId::new().to_string(),
        document: Some(PARENT.to_owned()),
        at: None,
        params: indexmap::IndexMap::new(),
        afresh: false,
        missing_secrets: false,
        dry_run: false,
    };
    let error = world.engine.resume(resume()).await.unwrap_err();
    assert!(error.message.contains("there is nothing to resume"), "{}", error.message);
    write(&world, "child.yaml", &GREETING.replace("hello", "good morning"));
    let again = world.engine.resume(resume()).await.unwrap().runs[0].id;
    assert_eq!(until_ended(&world, again).await, RunStatus::Completed);
    assert_eq!(world.ended(again).nodes(), "before cached, child completed, after completed");
}

#[tokio::test]
async fn a_parent_is_resumed_with_a_new_child_and_a_child_is_not_resumed_alone() {
    let world = World::with_cap(1).await;
    write(&world, "child.yaml", SLOW);
    let run = start(&world, PARENT).await.id;
    world.fake.until("start work").await;
    let child = children(&world, run)[0];
    world.cancel(&[run]).await;
    world.idle().await;
    std::fs::remove_file(world.folder().join("child.yaml")).unwrap();
    let resume = |run| runs::Resume {
        run,
        environment: fanlight_shared::environment::Environment::default(),
        request_key: RunId::new().to_string(),
        document: None,
        at: None,
        params: indexmap::IndexMap::new(),
        afresh: false,
        missing_secrets: false,
        dry_run: false,
    };
    let error = world.engine.resume(resume(child)).await.unwrap_err();
    assert_eq!(error.message, "child#1 was started by parent#1; resume that run");
    let again = world.engine.resume(resume(run)).await.unwrap().runs[0].id;
    child_of(&world, again).await;
    world.fake.until_times("start work", 2).await;
    world.fake.finish("work");
    assert_eq!(until_ended(&world, again).await, RunStatus::Completed);
    assert_eq!(world.ended(again).nodes(), "before cached, child completed, after completed");
}

#[tokio::test]
async fn items_run_a_child_each_and_some_at_once() {
    let world = World::with_cap(1).await;
    write(&world, "child.yaml", GREETING);
    let run = start(
        &world,
        "
nodes:
  child:
    uses: workflow.run
    each: ${{ range(40) }}
    with: { workflow: child.yaml, who: 'number ${{ item }}' }
    outputs: { words: text }
outputs: { all: '${{ child.words }}' }
",
    )
    .await
    .id;
    world.idle().await;
    let ended = world.ended(run);
    assert_eq!(children(&world, run).len(), 40);
    let expected = (0..40).map(|it| Value::from(format!("hello number {it}"))).collect();
    assert_eq!(ended.output("all"), Some(&Value::List(expected)));
}

#[tokio::test]
async fn a_node_says_which_run_it_waits_for() {
    let world = World::with_cap(1).await;
    write(&world, "child.yaml", SLOW);
    let run = start(&world, PARENT).await.id;
    world.fake.until("start work").await;
    let request = fanlight_shared::rpc::why::Why { run, node: None };
    let reasons = world.engine.why(request).await.unwrap().unwrap().reasons;
    assert_eq!(reasons[0].text, "waits for the end of child#1");
    world.fake.finish("work");
    world.idle().await;
}
