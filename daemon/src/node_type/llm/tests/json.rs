//! Answers in JSON, and the types that are made of them.

use super::*;
use crate::node_type::fixture::json;

fn schema() -> (&'static str, Value) {
    ("schema", json(r#"{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]}"#))
}

#[tokio::test]
async fn an_answer_that_does_not_fit_is_corrected_once_in_the_open() {
    let server =
        Server::new(|number, _| stream(&said(["{\"n\": \"two\"}", "```json\n{\"n\": 2}\n```"][number])))
            .await;
    let done = Place::new(ProviderKind::OpenAi, &server).chat(&[schema()]).await;
    assert_eq!(done.value("json"), &json(r#"{"n":2}"#));
    let log = done.wrote(StreamTag::Stderr);
    assert!(
        log.contains("does not fit the schema: `/n`: ") && log.contains("asks for a correction"),
        "{log}"
    );
    let requests = server.requests();
    assert_eq!(body(&requests[0])["response_format"]["json_schema"]["schema"]["required"][0], "n");
    let messages = body(&requests[1])["messages"].clone();
    assert_eq!(messages[2]["content"], "{\"n\": \"two\"}");
    assert!(messages[3]["content"].as_str().unwrap().contains("- `/n`: "), "{messages}");
}

#[tokio::test]
async fn a_number_that_would_be_rounded_is_corrected() {
    let answers = ["{\"n\": 12345678901234567890}", "{\"n\": 1234567890123456789}"];
    let server = Server::new(move |number, _| stream(&said(answers[number]))).await;
    let done = Place::new(ProviderKind::OpenAi, &server).chat(&[schema()]).await;
    assert_eq!(done.value("json"), &json(answers[1]));
    let messages = body(&server.requests()[1])["messages"].clone();
    assert!(
        messages[3]["content"].as_str().unwrap().contains("12345678901234567890 is too large"),
        "{messages}"
    );
    let server = Server::new(move |_, _| stream(&said("{\"n\": NaN}"))).await;
    let done = Place::new(ProviderKind::OpenAi, &server).chat(&[schema()]).await;
    assert!(done.error().contains("it is not JSON"), "{}", done.error());
}

#[tokio::test]
async fn an_answer_that_never_fits_fails_the_node() {
    for (answer, expected) in
        [("{}", "\"n\" is a required property"), ("Well, two", "it is not JSON"), ("", "it is not JSON")]
    {
        let server = Server::new(move |_, _| stream(&said(answer))).await;
        let done = Place::new(ProviderKind::OpenAi, &server).chat(&[schema()]).await;
        assert!(
            done.error().starts_with("neither the answer nor its correction fits the schema: "),
            "{}",
            done.error()
        );
        assert!(done.error().contains(expected), "{}", done.error());
        assert_eq!(server.requests().len(), 2);
    }
}

#[tokio::test]
async fn a_schema_that_is_wrong_costs_no_request() {
    let server = Server::new(|_, _| stream(&said("{}"))).await;
    let done =
        Place::new(ProviderKind::OpenAi, &server).chat(&[("schema", json(r#"{"type":"intger"}"#))]).await;
    assert!(done.error().starts_with("input `schema`: "), "{}", done.error());
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn data_is_extracted_and_texts_are_classified_listed_and_ranked() {
    let server = Server::new(|number, _| {
        stream(&said(
            [
                r#"{"n": 3}"#,
                r#"{"category": "good"}"#,
                r#"{"categories": []}"#,
                r#"{"items": ["a", "b"]}"#,
                r#"{"scores": [{"index": 0, "score": 10}, {"index": 1, "score": 90}]}"#,
            ][number],
        ))
    })
    .await;
    let place = Place::new(ProviderKind::OpenAi, &server);
    let done = place.run("llm.extract", &[schema(), ("text", "three pens".into())]).await;
    assert_eq!(done.value("json"), &json(r#"{"n":3}"#));
    let categories = ("categories", json(r#"["bad","good"]"#));
    let done = place.run("llm.classify", &[categories.clone(), ("text", "fine".into())]).await;
    assert_eq!(done.value("category"), &Value::from("good"));
    let done =
        place.run("llm.classify", &[categories, ("text", "x".into()), ("multiple", true.into())]).await;
    assert_eq!((done.value("categories"), done.outcome.values.get("category")), (&json("[]"), None));
    let done = place.run("llm.list", &[("prompt", "letters".into()), ("count", Value::Int(2))]).await;
    assert_eq!(done.value("items"), &json(r#"["a","b"]"#));
    let items = ("items", json(r#"["first","second"]"#));
    let done = place.run("llm.rank", &[items, ("criterion", "good".into()), ("top", Value::Int(1))]).await;
    assert_eq!((done.value("items"), done.value("indexes")), (&json(r#"["second"]"#), &json("[1]")));
}

#[tokio::test]
async fn every_type_works_with_the_stand_in() {
    let server = Server::new(|_, _| Vec::new()).await;
    let place = Place::new(ProviderKind::OpenAi, &server);
    let offline = ("provider", Value::from("offline"));
    let done = place.run("llm.extract", &[offline.clone(), schema(), ("text", "x".into())]).await;
    assert_eq!(done.value("json"), &json(r#"{"n":1}"#));
    let categories = ("categories", json(r#"["rain","sun"]"#));
    let done =
        place.run("llm.classify", &[offline.clone(), categories, ("text", "The Sun shines".into())]).await;
    assert_eq!(done.value("category"), &Value::from("sun"));
    let done =
        place.run("llm.list", &[offline.clone(), ("prompt", "x".into()), ("count", Value::Int(3))]).await;
    assert_eq!(done.value("items").as_list().unwrap().len(), 3);
    let items = ("items", json(r#"["rain today","a blue pen"]"#));
    let done = place.run("llm.rank", &[offline.clone(), items, ("criterion", "blue pen".into())]).await;
    assert_eq!(done.value("indexes"), &json("[1,0]"));
    let scripted = ("offline", json(r#"["no JSON", {"n": 7}]"#));
    let done = place.run("llm.extract", &[offline, schema(), ("text", "x".into()), scripted]).await;
    assert_eq!(done.value("json"), &json(r#"{"n":7}"#), "the second request has the second answer");
}
