//! Failures: what they skip, retries, time-outs, `allow_failure`, resume.

use fanlight_shared::id::RunId;
use fanlight_shared::rpc::runs;
use fanlight_shared::run::{AttemptEnd, RunStatus};

use super::world::World;

#[tokio::test]
async fn siblings_of_a_failed_node_go_on_and_the_message_names_all() {
    let world = World::new().await;
    let ended = world
        .run(
            "
nodes:
  a: { uses: util.fail, with: { message: first } }
  b: { uses: util.fail, with: { message: second } }
  c: { uses: text.template, with: { template: fine } }
  d: { uses: text.template, needs: a, with: { template: never } }
  e: { uses: text.template, needs: d, with: { template: never } }
  report: { uses: text.template, needs: [a, c], if: always(), with: { template: done } }
  cry: { uses: text.template, needs: a, if: failure(), with: { template: oh } }
",
        )
        .await;
    assert_eq!(
        ended.nodes(),
        "a failed, b failed, c completed, d skipped, e skipped, report completed, cry completed"
    );
    assert_eq!(ended.error(), "node `a` failed: first; node `b` failed: second");
}

#[tokio::test]
async fn an_allowed_failure_does_not_fail_the_run() {
    let world = World::new().await;
    let ended = world
        .run(
            "
nodes:
  a: { uses: util.fail, allow_failure: true, with: { message: first } }
  b: { uses: text.template, needs: a, with: { template: fine } }
",
        )
        .await;
    assert_eq!((ended.run.state, ended.nodes().as_str()), (RunStatus::Completed, "a failed, b completed"));
}

#[tokio::test]
async fn a_retry_tries_again_and_every_attempt_is_kept() {
    let world = World::new().await;
    let ended = world
        .run("nodes: { a: { uses: util.fail, with: { message: no }, retry: { times: 2, backoff: 1ms } } }")
        .await;
    let attempts = &ended.state.nodes["a"].whole.attempts;
    assert_eq!(attempts.iter().map(|it| it.number).collect::<Vec<_>>(), [1, 2, 3]);
    assert!(attempts.iter().all(|it| it.end == Some(AttemptEnd::Failed)));
    assert_eq!(ended.run.state, RunStatus::Failed);
}

#[tokio::test]
async fn a_timeout_ends_the_attempt() {
    let world = World::new().await;
    let ended = world.run("nodes: { a: { uses: util.sleep, timeout: 10ms, with: { seconds: 3600 } } }").await;
    assert_eq!(ended.error(), "node `a` failed: timed out after 10ms");
}

#[tokio::test]
async fn a_resumed_run_takes_over_what_was_finished() {
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
    let request = runs::Resume { run: failed.run.id, request_key: RunId::new().to_string() };
    let again = world.engine.resume(request).await.unwrap().runs.remove(0);
    world.idle().await;
    let again = world.ended(again.id);
    assert_eq!(again.run.resumed_from, Some(failed.run.id));
    assert_eq!(again.run.number, 2);
    assert_eq!(again.nodes(), "good cached, items completed, bad failed");
    assert!(again.items("items").iter().all(|item| item.word() == "cached"));
    assert_eq!(again.output("good").and_then(|it| it.as_text()), Some("fine"));
}

#[tokio::test]
async fn only_an_ended_run_that_did_not_complete_is_resumed() {
    let world = World::new().await;
    let completed = world.run("nodes: { a: { uses: text.template, with: { template: x } } }").await;
    let request = |run| runs::Resume { run, request_key: RunId::new().to_string() };
    assert!(world.engine.resume(request(completed.run.id)).await.unwrap_err().message.contains("completed"));
    let running = world.start("nodes: { a: { uses: util.sleep, with: { seconds: 3600 } } }").await;
    assert!(world.engine.resume(request(running.id)).await.unwrap_err().message.contains("cancel it first"));
}
