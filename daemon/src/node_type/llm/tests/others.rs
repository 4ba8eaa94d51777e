//! Other protocols, and embeddings.

use super::*;
use crate::http::server::answer;
use crate::node_type::fixture::json;

#[tokio::test]
async fn anthropics_messages_are_streamed() {
    let text = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":5,\"output_tokens\":1}}}\n\n\
                event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"Hello\"}}\n\n\
                event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":4}}\n\n\
                event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
    let server = Server::new(move |_, _| stream(text)).await;
    let place = Place::new(ProviderKind::Anthropic, &server);
    let done = place.chat(&[("model", "priced".into()), ("system", "Be brief".into())]).await;
    assert_eq!((done.text(), done.outcome.cost_usd), ("Hello", Some(9.0)));
    let request = server.requests().remove(0);
    assert!(request.starts_with("POST /v1/messages HTTP/1.1\r\n"), "{request}");
    assert!(
        request.contains("x-api-key: fanlight-daemon\r\n")
            && request.contains("anthropic-version: 2023-06-01\r\n")
    );
    let body = body(&request);
    assert_eq!(
        (&body["system"], &body["messages"][0]["content"][0]["text"]),
        (&"Be brief".into(), &"Say it".into())
    );
}

#[tokio::test]
async fn an_overloaded_provider_charges_what_it_says_and_is_asked_again() {
    let started = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":5}}}\n\n";
    let overloaded = format!(
        "{started}event: error\ndata: {{\"type\":\"error\",\"error\":{{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}}}\n\n"
    );
    let good = format!(
        "{started}data: {{\"type\":\"content_block_delta\",\"delta\":{{\"type\":\"text_delta\",\"text\":\"Hi\"}}}}\n\ndata: {{\"type\":\"message_delta\",\"delta\":{{\"stop_reason\":\"end_turn\"}},\"usage\":{{\"output_tokens\":1}}}}\n\n"
    );
    let server = Server::new(move |number, _| stream(if number == 0 { &overloaded } else { &good })).await;
    let done = Place::new(ProviderKind::Anthropic, &server).chat(&[("model", "priced".into())]).await;
    assert_eq!((done.text(), done.outcome.cost_usd), ("Hi", Some(11.0)));
}

#[tokio::test]
async fn geminis_content_is_streamed() {
    let text = "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"Hel\"}]}}]}\r\n\r\n\
                data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"lo\"}]},\"finishReason\":\"STOP\"}],\"usageMetadata\":{\"promptTokenCount\":2,\"candidatesTokenCount\":1}}\r\n\r\n";
    let server = Server::new(move |_, _| stream(text)).await;
    let done = Place::new(ProviderKind::Gemini, &server).chat(&[("model", "priced".into())]).await;
    assert_eq!((done.text(), done.outcome.cost_usd), ("Hello", Some(3.0)));
    let request = server.requests().remove(0);
    assert!(
        request.starts_with("POST /v1/models/priced:streamGenerateContent?alt=sse HTTP/1.1\r\n"),
        "{request}"
    );
    assert!(request.contains("x-goog-api-key: fanlight-daemon\r\n"), "{request}");
}

#[tokio::test]
async fn embeddings_come_in_the_order_of_their_texts_batch_by_batch() {
    let server = Server::new(|number, _| {
        let body = [
            r#"{"data":[{"index":1,"embedding":[0,2]},{"index":0,"embedding":[0,1]}],"usage":{"prompt_tokens":4}}"#,
            r#"{"data":[{"index":0,"embedding":[0,3]}],"usage":{"prompt_tokens":2}}"#,
        ][number];
        answer("200 OK", "Content-Type: application/json\r\n", body.as_bytes())
    })
    .await;
    let place = Place::new(ProviderKind::OpenAi, &server);
    let given = [("texts", json(r#"["a","b","c"]"#)), ("batch", Value::Int(2)), ("model", "priced".into())];
    let done = place.run("llm.embed", &given).await;
    assert_eq!(done.value("vectors"), &json("[[0.0,1.0],[0.0,2.0],[0.0,3.0]]"));
    assert_eq!((done.value("dimensions"), done.outcome.cost_usd), (&Value::Int(2), Some(6.0)));
    assert_eq!(body(&server.requests()[0])["input"], serde_json::json!(["a", "b"]));
}

#[tokio::test]
async fn embeddings_that_are_missing_or_uneven_are_an_error() {
    for (body, expected) in [
        (r#"{"data":[{"index":0,"embedding":[1]}]}"#, "1 embeddings for 2 texts"),
        (r#"{"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[1]}]}"#, "not one for each"),
        (r#"{"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":[1,2]}]}"#, "different lengths"),
        (
            r#"{"data":[{"index":0,"embedding":["x"]},{"index":1,"embedding":[1]}]}"#,
            "something else than numbers",
        ),
        ("[]", "no list `data`"),
    ] {
        let server = Server::new(move |_, _| answer("200 OK", "", body.as_bytes())).await;
        let place = Place::new(ProviderKind::OpenAi, &server);
        let done = place.run("llm.embed", &[("texts", json(r#"["a","b"]"#))]).await;
        assert!(done.error().contains(expected), "{body}: {}", done.error());
    }
}

#[tokio::test]
async fn several_answers_are_never_mixed_into_one() {
    let choice = |index: u32, text: &str| {
        format!("data: {{\"choices\":[{{\"index\":{index},\"delta\":{{\"content\":\"{text}\"}}}}]}}\n\n")
    };
    let text = [choice(0, "A0 "), choice(1, "B0 "), choice(0, "A1"), choice(1, "B1")].concat() + &said("");
    let server = Server::new(move |_, _| stream(&text)).await;
    let done = Place::new(ProviderKind::OpenAi, &server).chat(&[("options", json(r#"{"n":2}"#))]).await;
    assert!(done.error().contains("leave `n` out of `options`"), "{}", done.error());

    let candidate = |index: u32| {
        format!(
            "data: {{\"candidates\":[{{\"index\":{index},\"content\":{{\"parts\":[{{\"text\":\"a\"}}]}},\"finishReason\":\"STOP\"}}]}}\n\n"
        )
    };
    let text = [candidate(0), candidate(1)].concat();
    let server = Server::new(move |_, _| stream(&text)).await;
    let done = Place::new(ProviderKind::Gemini, &server).chat(&[]).await;
    assert!(done.error().contains("leave `candidateCount` out"), "{}", done.error());
}

#[tokio::test]
async fn a_cost_that_can_be_none_is_not_taken() {
    for cost in ["-0.5", "1e12"] {
        let usage = format!(
            "data: {{\"choices\":[],\"usage\":{{\"prompt_tokens\":7,\"completion_tokens\":3,\"cost\":{cost}}}}}\n\ndata: [DONE]\n\n"
        );
        let text = said("Hi").replace("data: [DONE]\n\n", &usage);
        let server = Server::new(move |_, _| stream(&text)).await;
        let done = Place::new(ProviderKind::OpenAi, &server).chat(&[]).await;
        assert_eq!((done.text(), done.outcome.cost_usd), ("Hi", None));
        assert_eq!(done.value("usage").to_json().get("cost_usd"), None, "{cost}");
    }
}
