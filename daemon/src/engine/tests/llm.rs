//! Language models as the engine runs them: pools, interruptions, many at once.

use fanlight_shared::run::{NodeStatus, RunStatus};
use fanlight_shared::value::Value;

use serde_json::json;

use super::world::World;
use crate::comfy::fake::{Beat, Fake, Script};
use crate::config::{Config, KeySource, ProviderKind, ProviderSettings};
use crate::http::server::{Server, Step};
use crate::supervisor::log::{self, StreamTag};

const ASK: &str = "nodes: { a: { uses: llm.chat, with: { provider: house, model: m, prompt: hi } } }";

/// Returns an engine whose provider `house` is a server of the test.
async fn world(server: &Server, change: impl FnOnce(&mut ProviderSettings)) -> World {
    let mut house = ProviderSettings::new(ProviderKind::OpenAi, &server.url("/v1"));
    change(&mut house);
    let mut config = Config::default();
    config.providers.insert("house".into(), house);
    World::with(config).await
}

/// Waits until the node of a run shows this message.
async fn until_shown(world: &World, run: fanlight_shared::id::RunId, message: &str) {
    let shows = || Some(world.hub.run_state(run)?.nodes["a"].waits_for.as_ref()? == message);
    world.until_stored(|_| shows() == Some(true)).await;
}

#[tokio::test]
async fn the_progress_of_a_graph_and_its_picture_so_far_are_shown_while_it_is_computed() {
    let mut picture = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(4, 2).write_to(&mut picture, image::ImageFormat::Png).unwrap();
    let beats = vec![
        Beat::Say("execution_cached", json!({"nodes": ["6"]})),
        Beat::Say("executing", json!({"node": "3"})),
        Beat::Say("progress", json!({"value": 10, "max": 20, "node": "3"})),
        Beat::Preview(picture.into_inner()),
        Beat::Hold,
    ];
    let fake = Fake::new(Script { beats, ..Script::default() }).await;
    let mut config = Config::default();
    config.providers.insert("house".into(), ProviderSettings::new(ProviderKind::Comfy, &fake.url()));
    let world = World::with(config).await;
    let graph = "
nodes:
  a:
    uses: comfy.run
    with:
      provider: house
      graph:
        '3': { class_type: KSampler, inputs: { positive: ['6', 0] } }
        '6': { class_type: CLIPTextEncode, inputs: { text: a fox } }
";
    let run = world.start(graph).await;
    world
        .until_stored(|_| {
            let Some(state) = world.hub.run_state(run.id) else { return false };
            let node = &state.nodes["a"].whole;
            let progress = node.progress.as_ref();
            progress.is_some_and(|it| it.fraction == Some(0.75) && it.message.as_deref() == Some("KSampler"))
                && node
                    .previews
                    .get("images")
                    .is_some_and(|it| it.as_media().is_some_and(|it| it.width == Some(4)))
        })
        .await;
    world.cancel(&[run.id]).await;
    world.idle().await;
}

#[tokio::test]
async fn a_request_shows_how_much_of_its_response_has_come() {
    let server = Server::new(|_, _| {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", 4 << 20);
        vec![Step::Write(head.into_bytes()), Step::Write(vec![b'x'; 2 << 20]), Step::Hang]
    })
    .await;
    let world = World::new().await;
    let url = server.url("/file");
    let run = world
        .start(&format!("nodes: {{ a: {{ uses: http.request, with: {{ url: '{url}', local: true }} }} }}"))
        .await;
    world
        .until_stored(|_| {
            let Some(state) = world.hub.run_state(run.id) else { return false };
            let progress = state.nodes["a"].whole.progress.as_ref();
            progress.is_some_and(|it| {
                it.fraction.is_some_and(|it| it > 0.0 && it <= 0.5)
                    && it.message.as_deref().is_some_and(|it| it.ends_with(" KB"))
            })
        })
        .await;
    world.cancel(&[run.id]).await;
    server.until_closed(1).await;
    world.idle().await;
}

#[tokio::test]
async fn attempts_wait_for_their_provider_across_runs_and_say_so() {
    let server = Server::new(|_, _| vec![Step::Hang]).await;
    let world = world(&server, |house| house.concurrent = Some(1)).await;
    let first = world.start(ASK).await;
    server.until_asked(1).await;
    let second = world.start(ASK).await;
    until_shown(&world, second.id, "waits for `api.house`: 1 at once").await;
    assert_eq!(world.ended(second.id).state.nodes["a"].whole.status, NodeStatus::Waiting);
    world.cancel(&[first.id]).await;
    server.until_asked(2).await;
    server.until_closed(1).await;
    world.cancel(&[second.id]).await;
    world.idle().await;
}

#[tokio::test]
async fn a_rate_is_kept_across_runs_and_said() {
    let server = Server::new(|_, _| vec![Step::Hang]).await;
    let world = world(&server, |house| house.requests_per_minute = Some(2)).await;
    for count in 1..=2 {
        world.start(ASK).await;
        server.until_asked(count).await;
    }
    let third = world.start(ASK).await;
    until_shown(&world, third.id, "waits for `api.house`: 2 requests a minute").await;
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn an_interrupted_request_is_not_repeated_and_one_that_waited_is_sent() {
    let server = Server::new(|_, _| vec![Step::Hang]).await;
    let mut world = world(&server, |house| house.concurrent = Some(1)).await;
    let asked = world.start(ASK).await;
    server.until_asked(1).await;
    let waiting = world.start(ASK).await;
    until_shown(&world, waiting.id, "waits for `api.house`: 1 at once").await;
    world.restart().await;
    server.until_asked(2).await;
    world.until_state(asked.id, |state| state.status.is_ended()).await;
    let ended = world.ended(asked.id);
    assert_eq!(ended.run.state, RunStatus::Failed);
    assert!(ended.error().contains("it may have had effects"), "{}", ended.error());
    world.cancel(&[waiting.id]).await;
    world.idle().await;
}

#[tokio::test]
async fn a_request_with_a_key_is_repeated_with_the_same_key() {
    let server = Server::new(|_, _| vec![Step::Hang]).await;
    let mut world = world(&server, |_| {}).await;
    let run = world.start(&ASK.replace("prompt: hi", "prompt: hi, idempotent: true")).await;
    server.until_asked(1).await;
    world.restart().await;
    server.until_asked(2).await;
    let key = |request: &String| {
        request.lines().find(|line| line.starts_with("idempotency-key: ")).map(str::to_owned)
    };
    let keys: Vec<_> = server.requests().iter().map(key).collect();
    assert!(keys[0].is_some() && keys[0] == keys[1], "{keys:?}");
    world.cancel(&[run.id]).await;
    world.idle().await;
}

#[tokio::test]
async fn a_key_may_be_a_secret_and_an_answer_that_shows_it_fails_the_node() {
    let answer = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n\
                  data: {\"choices\":[{\"delta\":{\"content\":\"The key is correct-horse.\"}}]}\n\n\
                  data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
    let server = Server::new(move |_, _| vec![Step::Write(answer.into())]).await;
    let world = world(&server, |house| house.key = Some(KeySource::Secret("house".into()))).await;
    let missing = world.run(ASK).await;
    assert!(missing.error().contains("there is no secret `house`"), "{}", missing.error());
    assert!(server.requests().is_empty());
    world.secrets().set("house", "correct-horse").unwrap();
    let ended = world.run(ASK).await;
    assert!(server.requests()[0].contains("authorization: Bearer correct-horse"));
    assert!(ended.error().contains("the secret `house`"), "{}", ended.error());
    let folder = world.folder_of(ended.state.nodes["a"].whole.attempts[0].id.unwrap());
    let pieces = log::read(&folder, 0, 10_000).unwrap().pieces;
    let said: Vec<u8> = pieces.into_iter().flat_map(|(_, text)| text).collect();
    assert!(String::from_utf8(said).unwrap().contains("The key is ***."));
}

#[tokio::test]
async fn a_thousand_chats_at_once_lose_and_reorder_nothing() {
    let world = World::new().await;
    let document = "nodes: { a: { each: '${{ range(1000) }}', uses: llm.chat, with: { provider: offline, prompt: hi, \
                    offline: 'This is answer ${{ item }} of a thousand, word by word.' } } }\n\
                    outputs: { texts: '${{ a.text }}' }";
    let run = world.run(document).await.run;
    assert_eq!(run.state, RunStatus::Completed, "{:?}", run.error);
    let expected = |item: usize| format!("This is answer {item} of a thousand, word by word.");
    let texts = world.values(run.id, "a", "text");
    let mut found: Vec<Value> = texts.into_iter().flatten().collect();
    let mut wanted: Vec<Value> = (0..1000).map(|item| expected(item).into()).collect();
    assert_eq!(found.len(), 1000);
    found.sort_by_key(|value| value.as_text().map(str::to_owned));
    wanted.sort_by_key(|value| value.as_text().map(str::to_owned));
    assert_eq!(found, wanted);
    let state = world.ended(run.id).state;
    for (index, item) in &state.nodes["a"].items {
        let folder = world.folder_of(item.attempts[0].id.unwrap());
        let pieces = log::read(&folder, 0, 10_000).unwrap().pieces;
        let said: Vec<u8> = pieces
            .into_iter()
            .filter(|(tag, _)| *tag == StreamTag::Stdout)
            .flat_map(|(_, text)| text)
            .collect();
        assert_eq!(String::from_utf8(said).unwrap(), expected(*index as usize));
        assert_eq!(item.outputs["text"], expected(*index as usize).into());
    }
    assert_eq!(state.nodes["a"].items.len(), 1000);
}
