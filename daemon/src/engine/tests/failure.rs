//! Failures: skipped nodes, retries, timeouts, `allow_failure`.

use fanlight_shared::run::{AttemptEnd, RunStatus};

use super::world::World;

#[tokio::test]
async fn siblings_of_a_failed_node_continue_and_the_message_names_all_failures() {
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
