//! Inputs that are built from secrets.

use std::path::{Path, PathBuf};

use fanlight_shared::rpc::ErrorCode;
use fanlight_shared::run::NodeStatus;

use super::world::{Ended, World};
use crate::supervisor::log;

const VALUE: &str = "open sesame now";

/// Returns a node that writes this text word by word, so that a secret in it is split over chunks.
fn stream(text: &str, then: &str) -> String {
    format!("nodes: {{ a: {{ uses: test.stream, with: {{ text: \"{text}\", then: {then} }} }} }}")
}

fn error(ended: &Ended) -> String {
    ended.state.nodes["a"].whole.error.clone().unwrap_or_default().message
}

async fn world() -> World {
    let world = World::new().await;
    world.secrets().set("token", VALUE).unwrap();
    world
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.path() {
            path if path.is_dir() => files(&path, found),
            path => found.push(path),
        }
    }
}

/// Panics if a file of the home contains the text, except the file of secrets.
async fn assert_nowhere(world: &World, text: &str) {
    let all = || {
        let mut all = Vec::new();
        files(world.folder(), &mut all);
        all
    };
    // This node type writes a draft, which is removed with its scratch folder.
    world.until_stored(|_| !all().iter().any(|path| path.iter().any(|it| it == "scratch"))).await;
    for path in all().iter().filter(|path| *path != world.secrets().path()) {
        let bytes = std::fs::read(path).unwrap_or_default();
        assert!(!bytes.windows(text.len()).any(|it| it == text.as_bytes()), "{}", path.display());
    }
}

#[tokio::test]
async fn a_secret_in_what_a_node_reports_is_masked_and_an_output_with_it_fails_the_node() {
    let world = world().await;
    let ended = world.run(&stream("say ${{ secrets.token }} twice", "done")).await;
    assert_eq!(error(&ended), "output `text` contains the secret `token`, and outputs are stored");
    let node = &ended.state.nodes["a"].whole;
    assert_eq!((node.status, node.last_line.as_deref()), (NodeStatus::Failed, Some("***")));
    let attempt = node.attempts[0].id.unwrap();
    let log = log::read(&world.folder_of(attempt), 0, 1_000).unwrap();
    let text: Vec<u8> = log.pieces.into_iter().flat_map(|(_, bytes)| bytes).collect();
    assert_eq!(String::from_utf8(text).unwrap(), "info: begins\n***");
    assert_nowhere(&world, VALUE).await;
}

#[tokio::test]
async fn a_secret_in_an_error_is_masked() {
    let world = world().await;
    let ended = world.run(&stream("${{ secrets.token }}", "fail")).await;
    assert_eq!(error(&ended), "it does not like `***`");
    assert_nowhere(&world, VALUE).await;
}

#[tokio::test]
async fn what_an_expression_makes_of_a_secret_is_masked_too() {
    let world = world().await;
    let ended = world.run(&stream("${{ secrets.token | upper }}", "fail")).await;
    assert_eq!(error(&ended), "it does not like `***`");
    assert_nowhere(&world, "SESAME").await;
    let ended = world.run(&stream("${{ secrets.token[:4] }}", "fail")).await;
    assert!(
        error(&ended)
            .starts_with("input `text` is built from the secret `token`, and a text in it is shorter")
    );
    let ended = world.run(&stream("${{ secrets.token | int }}", "fail")).await;
    assert!(error(&ended).contains("the reason is left out"), "{}", error(&ended));
}

#[tokio::test]
async fn a_secret_is_looked_up_when_the_node_starts() {
    let world = world().await;
    let document = stream("${{ secrets.tokn }}", "fail");
    let refused = world.try_start(&document, &[&[]]).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::InvalidWorkflow as i32);
    assert_eq!(
        refused.message,
        "node `a`: there is no secret `tokn`; type `fanlight secrets set tokn`; did you mean `token`?"
    );
    world.secrets().set("tokn", "a first value").unwrap();
    let gated = format!(
        "nodes: {{ gate: {{ run: hang }}, b: {{ needs: [gate], if: always(), {} }} }}",
        "uses: test.stream, with: { text: \"${{ secrets.tokn }}\", then: fail }"
    );
    let run = world.start(&gated).await;
    world.fake.until("start gate").await;
    world.secrets().remove("tokn").unwrap();
    world.fake.finish("gate");
    world.idle().await;
    let ended = world.ended(run.id);
    let error = ended.state.nodes["b"].whole.error.clone().unwrap().message;
    assert!(error.starts_with("there is no secret `tokn`"), "{error}");
}

#[tokio::test]
async fn an_input_is_absent_if_what_it_reads_besides_a_secret_is() {
    let world = world().await;
    let document = "nodes:
  no: { uses: test.stream, with: { text: x }, if: \"1 == 2\" }
  a: { uses: test.stream, with: { text: \"${{ secrets.token }} ${{ no.text }}\" } }
";
    let ended = world.run(document).await;
    assert_eq!(ended.state.nodes["a"].whole.status, NodeStatus::Skipped);
}
