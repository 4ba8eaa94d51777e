//! Refusals, cuts and errors: none of them becomes an answer.

use std::time::Duration;

use super::*;
use crate::executor::Signal;
use crate::http::server::answer;

/// Returns what a chat with a server that streams this text ends with.
async fn after(text: &str) -> (Done, usize) {
    let text = text.to_owned();
    let server = Server::new(move |_, _| stream(&text)).await;
    let done = Place::new(ProviderKind::OpenAi, &server).chat(&[("retries", Value::Int(0))]).await;
    (done, server.requests().len())
}

#[tokio::test]
async fn an_answer_that_is_cut_or_withheld_fails_the_node_with_the_reason() {
    let begun = "data: {\"choices\":[{\"delta\":{\"content\":\"Half an ans\"}}]}\n\n";
    let ends = |reason: &str| {
        format!(
            "{begun}data: {{\"choices\":[{{\"delta\":{{}},\"finish_reason\":\"{reason}\"}}]}}\n\ndata: [DONE]\n\n"
        )
    };
    for (text, expected) in [
        (begun.to_owned(), "the connection was cut before the answer was complete"),
        (begun.trim_end().to_owned(), "the connection was cut before the answer was complete"),
        (ends("length"), "cut at the model's limit of tokens"),
        (ends("content_filter"), "the provider withheld the answer (content filter)"),
        (ends("tool_calls"), "another reason than the end of its answer (tool_calls)"),
        (
            format!("{begun}data: {{\"error\":{{\"message\":\"out of memory\"}}}}\n\n"),
            "reported an error: out of memory",
        ),
        (format!("{begun}data: {{oops\n\n"), "an event that is not JSON"),
        (
            "data: {\"choices\":[{\"delta\":{\"reasoning_content\":\"hm\"}}]}\n\ndata: [DONE]\n\n".to_owned(),
            "the connection was cut before the answer was complete",
        ),
        ("data: [DONE]\n\n".to_owned(), "the connection was cut before the answer was complete"),
    ] {
        let (done, _) = after(&text).await;
        assert!(done.error().contains(expected), "{text}: {}", done.error());
        assert!(!done.outcome.values.contains_key("text"));
    }
}

#[tokio::test]
async fn an_answer_that_ended_is_complete_whatever_follows() {
    let text = said("All of it").replace("data: [DONE]\n\n", "");
    assert_eq!(after(&text).await.0.text(), "All of it", "some servers leave out the last event");
}

#[tokio::test]
async fn a_busy_provider_is_asked_again_when_it_says() {
    let server = Server::new(|number, _| match number {
        0 => {
            answer("429 Too Many Requests", "Retry-After: 0\r\n", b"{\"error\":{\"message\":\"slow down\"}}")
        }
        1 => answer("503 Service Unavailable", "Retry-After: 0\r\n", b""),
        2 => stream("data: {\"error\":{\"message\":\"busy\",\"code\":529}}\n\n"),
        _ => stream(&said("At last")),
    })
    .await;
    let place = Place::new(ProviderKind::OpenAi, &server);
    let done = place.chat(&[]).await;
    assert_eq!((done.text(), server.requests().len()), ("At last", 4));
    let log = done.wrote(StreamTag::Stderr);
    assert!(log.contains("answered 429 Too Many Requests: slow down; retrying in 0.0 s"), "{log}");
    assert_eq!(done.wrote(StreamTag::Stdout), "At last");
}

#[tokio::test]
async fn while_a_provider_asks_for_a_pause_nothing_starts() {
    let server = Server::new(|_, _| answer("429 Too Many Requests", "Retry-After: 200\r\n", b"")).await;
    let place = Place::new(ProviderKind::OpenAi, &server);
    let (_, execution) = place.open("llm.chat", &[("prompt", "x".into())]);
    let execution = Arc::<dyn Execution>::from(execution);
    let waiting = tokio::spawn({
        let execution = Arc::clone(&execution);
        async move { execution.wait().await }
    });
    let rate = place.rates.get("api.house").unwrap();
    let until_paused = async {
        while !rate.is_paused() {
            tokio::task::yield_now().await;
        }
    };
    in_time("it is paused", until_paused).await;
    assert!(rate.start().unwrap_err() > tokio::time::Instant::now() + Duration::from_secs(150));
    execution.signal(Signal::Stop).await;
    in_time("its end", waiting).await.unwrap();
    assert_eq!(execution.collect().await.end, AttemptEnd::Cancelled);
}

#[tokio::test]
async fn a_pause_of_the_provider_is_not_mistaken_for_a_slow_answer() {
    let server = Server::new(|_, _| stream(&said("Hi"))).await;
    let place = Place::new(ProviderKind::OpenAi, &server);
    place.rates.get("api.house").unwrap().pause(Duration::from_secs(200));
    let done = place.chat(&[("timeout", Value::Float(1.0))]).await;
    assert_eq!(
        done.error(),
        "it took longer than 1 s, the limit set by `timeout`; the last trouble: the provider `house` asked for a \
         pause, which holds for all"
    );
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn what_never_gets_better_is_not_tried_again() {
    for (status, headers, body, expected) in [
        (
            "401 Unauthorized",
            "",
            r#"{"error":{"message":"bad key fanlight-daemon"}}"#,
            "bad key …; is the key the right one for http",
        ),
        (
            "404 Not Found",
            "",
            r#"{"error":{"message":"no model m"}}"#,
            "no model m; `fanlight models house` lists its models",
        ),
        ("400 Bad Request", "", "what?", "answered 400 Bad Request: what?"),
        ("429 Too Many Requests", "", r#"{"error":{"code":"insufficient_quota","message":"pay"}}"#, ": pay"),
        ("302 Found", "Location: http://elsewhere/\r\n", "", "redirects to http://elsewhere/"),
        ("429 Too Many Requests", "Retry-After: 9999\r\n", "", "asks to wait 9999 s before the next request"),
    ] {
        let server = Server::new(move |_, _| answer(status, headers, body.as_bytes())).await;
        let done = Place::new(ProviderKind::OpenAi, &server).chat(&[]).await;
        assert!(done.error().contains(expected), "{status}: {}", done.error());
        assert_eq!(server.requests().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn a_connection_that_is_cut_before_the_answer_begins_is_tried_again_and_later_not() {
    let server = Server::new(|number, _| match number {
        0 => stream(": nothing yet\n\n"),
        1 => Vec::new(),
        _ => stream("data: {\"choices\":[{\"delta\":{\"content\":\"Half\"}}]}\n\n"),
    })
    .await;
    let done = Place::new(ProviderKind::OpenAi, &server).chat(&[]).await;
    assert!(done.error().contains("connection was cut before the answer was complete"), "{}", done.error());
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn who_is_asked_must_be_known() {
    let server = Server::new(|_, _| Vec::new()).await;
    let place = Place::with(ProviderKind::OpenAi, &server, |house| {
        house.key = Some(crate::config::KeySource::Variable("FANLIGHT_TEST_KEY_THAT_IS_NOT_SET".into()));
    });
    let no_key = place.chat(&[]).await;
    assert!(
        no_key.error().contains("`house` needs a key: set `FANLIGHT_TEST_KEY_THAT_IS_NOT_SET`"),
        "{}",
        no_key.error()
    );
    let unknown = place.chat(&[("provider", "hause".into())]).await;
    assert!(unknown.error().contains("did you mean `house`?"), "{}", unknown.error());
    let no_model = place.chat(&[("provider", "ollama".into()), ("model", "".into())]).await;
    assert!(no_model.error().contains("`fanlight models ollama` lists them"), "{}", no_model.error());
    assert!(server.requests().is_empty());
}
