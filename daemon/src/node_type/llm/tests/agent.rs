//! Agents: a model that calls tools, in each protocol.

use serde_json::{Value as Json, json};

use super::*;

fn value(json: Json) -> Value {
    Value::from_json(json)
}

/// A request of a call of `text_count` in OpenAI's protocol, its arguments in two pieces.
fn calls() -> Vec<Step> {
    stream(
        "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"c1\",\"type\":\"function\",\"function\":{\"name\":\"text_count\",\"arguments\":\"{\\\"te\"}}]}}]}\n\n\
         data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"xt\\\":\\\"one two\\\"}\"}}]},\"finish_reason\":\"tool_calls\"}]}\n\n\
         data: {\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":3}}\n\ndata: [DONE]\n\n",
    )
}

impl Place {
    async fn agent(&self, given: &[(&str, Value)]) -> Done {
        let usual = [("prompt", Value::from("Count it")), ("tools", value(json!(["text.count"])))];
        self.run("llm.agent", &[&usual[..], given].concat()).await
    }
}

#[tokio::test]
async fn a_model_calls_a_tool_gets_its_result_and_answers() {
    let server =
        Server::new(|number, _| if number == 0 { calls() } else { stream(&said("Two words")) }).await;
    let done = Place::new(ProviderKind::OpenAi, &server).agent(&[]).await;
    assert_eq!((done.text(), done.value("steps")), ("Two words", &Value::Int(2)));
    let call = done.value("calls").to_json()[0].clone();
    assert_eq!((&call["tool"], &call["failed"]), (&json!("text_count"), &json!(false)), "{call}");
    let first = body(&server.requests()[0]);
    assert_eq!(first["tools"][0]["function"]["parameters"]["required"], json!(["text"]));
    let messages = body(&server.requests()[1])["messages"].clone();
    assert_eq!(messages[1]["tool_calls"][0]["function"]["arguments"], r#"{"text":"one two"}"#);
    assert_eq!((&messages[2]["role"], &messages[2]["tool_call_id"]), (&json!("tool"), &json!("c1")));
    assert!(messages[2]["content"].as_str().unwrap().contains("\"words\":2"), "{messages}");
    let log = done.wrote(StreamTag::Stderr);
    assert!(
        log.contains("call 1 of text_count: {\"text\":\"one two\"}") && log.contains("call 1 returned"),
        "{log}"
    );
    assert_eq!(done.value("usage").to_json()["input_tokens"], 14);
}

#[tokio::test]
async fn the_protocols_of_anthropic_and_gemini_have_calls_too() {
    let anthropic = "data: {\"type\":\"content_block_start\",\"content_block\":{\"type\":\"tool_use\",\"id\":\"t1\",\"name\":\"text_count\",\"input\":{}}}\n\n\
        data: {\"type\":\"content_block_delta\",\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"{\\\"text\\\":\\\"a\\\"}\"}}\n\n\
        data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"tool_use\"},\"usage\":{\"output_tokens\":1}}\n\ndata: {\"type\":\"message_stop\"}\n\n";
    let answer = "data: {\"type\":\"content_block_delta\",\"delta\":{\"type\":\"text_delta\",\"text\":\"One\"}}\n\n\
        data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{}}\n\ndata: {\"type\":\"message_stop\"}\n\n";
    let server = Server::new(move |number, _| stream(if number == 0 { anthropic } else { answer })).await;
    let done = Place::new(ProviderKind::Anthropic, &server).agent(&[]).await;
    assert_eq!(done.text(), "One");
    let sent = body(&server.requests()[1])["messages"].clone();
    assert_eq!(
        sent[1]["content"],
        json!([{"type": "tool_use", "id": "t1", "name": "text_count", "input": {"text": "a"}}])
    );
    assert_eq!(
        (&sent[2]["content"][0]["tool_use_id"], sent[2]["content"].as_array().unwrap().len()),
        (&json!("t1"), 1)
    );

    let gemini = "data: {\"candidates\":[{\"content\":{\"parts\":[{\"functionCall\":{\"name\":\"text_count\",\"args\":{\"text\":\"a\"}},\"thoughtSignature\":\"s\"}]},\"finishReason\":\"STOP\"}]}\n\n";
    let answer = "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"One\"}]},\"finishReason\":\"STOP\"}]}\n\n";
    let server = Server::new(move |number, _| stream(if number == 0 { gemini } else { answer })).await;
    let done = Place::new(ProviderKind::Gemini, &server).agent(&[]).await;
    assert_eq!(done.text(), "One");
    let sent = body(&server.requests()[1])["contents"].clone();
    assert_eq!(
        (&sent[1]["parts"][0]["thoughtSignature"], &sent[2]["parts"][0]["functionResponse"]["name"]),
        (&json!("s"), &json!("text_count"))
    );
}

/// An event of OpenAI's protocol with this delta.
fn delta(delta: Json) -> String {
    format!("data: {}\n\n", json!({"choices": [{"index": 0, "delta": delta}]}))
}

#[tokio::test]
async fn reasoning_is_sent_back_with_the_calls_under_the_name_it_had() {
    let call = |id: &str| {
        let function = json!({"name": "text_count", "arguments": "{\"text\":\"a\"}"});
        let google = json!({"google": {"thought_signature": "s"}});
        delta(json!({"tool_calls": [{"index": 0, "id": id, "function": function, "extra_content": google}]}))
            + "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"tool_calls\"}]}\n\ndata: [DONE]\n\n"
    };
    let thinks = |field: &str| delta(json!({field: "Let me"})) + &delta(json!({field: " see."}));
    for field in ["reasoning_content", "reasoning"] {
        let first = thinks(field) + &call("c1");
        let steps = [first, call("c2"), said("One")];
        let server = Server::new(move |number, _| stream(&steps[number])).await;
        let done = Place::new(ProviderKind::OpenAi, &server).agent(&[]).await;
        assert_eq!(done.text(), "One");
        let messages = body(&server.requests()[2])["messages"].clone();
        assert_eq!(messages[1][field], "Let me see.", "{messages}");
        assert_eq!(messages[1]["tool_calls"][0]["extra_content"]["google"]["thought_signature"], "s");
        let none = (field == "reasoning_content").then(|| json!(""));
        assert_eq!(messages[3].get(field).cloned(), none, "a model that thinks is sent back that it did not");
    }
    let part = |text: &str| json!({"type": "reasoning.text", "text": text, "signature": "g"});
    let first = delta(json!({"reasoning": "a", "reasoning_details": [part("a")]}))
        + &delta(json!({"reasoning_details": [part("b")]}))
        + &call("c1");
    let steps = [first, said("One")];
    let server = Server::new(move |number, _| stream(&steps[number])).await;
    Place::new(ProviderKind::OpenAi, &server).agent(&[]).await.text();
    let messages = body(&server.requests()[1])["messages"].clone();
    assert_eq!(messages[1]["reasoning_details"], json!([part("a"), part("b")]), "{messages}");
}

#[tokio::test]
async fn the_thinking_blocks_of_anthropic_are_sent_back_as_they_were() {
    let event = |json: Json| format!("data: {json}\n\n");
    let start = |block: Json| event(json!({"type": "content_block_start", "content_block": block}));
    let delta = |delta: Json| event(json!({"type": "content_block_delta", "delta": delta}));
    let end = |reason: &str| {
        event(json!({"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {}}))
            + &event(json!({"type": "message_stop"}))
    };
    let first = [
        start(json!({"type": "thinking", "thinking": "", "signature": ""})),
        delta(json!({"type": "thinking_delta", "thinking": "Let me"})),
        delta(json!({"type": "thinking_delta", "thinking": " see."})),
        delta(json!({"type": "signature_delta", "signature": "sig"})),
        start(json!({"type": "redacted_thinking", "data": "hidden"})),
        start(json!({"type": "text", "text": ""})),
        delta(json!({"type": "text_delta", "text": "I count."})),
        start(json!({"type": "tool_use", "id": "t1", "name": "text_count", "input": {}})),
        delta(json!({"type": "input_json_delta", "partial_json": "{\"text\":\"a\"}"})),
        end("tool_use"),
    ];
    let steps = [
        first.concat(),
        start(json!({"type": "text", "text": ""}))
            + &delta(json!({"type": "text_delta", "text": "One"}))
            + &end("end_turn"),
    ];
    let server = Server::new(move |number, _| stream(&steps[number])).await;
    let done = Place::new(ProviderKind::Anthropic, &server).agent(&[]).await;
    assert_eq!(done.text(), "One");
    assert_eq!(
        body(&server.requests()[1])["messages"][1]["content"],
        json!([
            {"type": "thinking", "thinking": "Let me see.", "signature": "sig"},
            {"type": "redacted_thinking", "data": "hidden"},
            {"type": "text", "text": "I count."},
            {"type": "tool_use", "id": "t1", "name": "text_count", "input": {"text": "a"}},
        ])
    );
    assert_eq!(done.wrote(StreamTag::Reasoning), "Let me see.");
}

#[tokio::test]
async fn long_arguments_are_shortened_in_the_list_of_calls_and_whole_in_the_log() {
    let text = "word ".repeat(20_000);
    let server = Server::new(|_, _| Vec::new()).await;
    let place = Place::new(ProviderKind::OpenAi, &server);
    let offline = value(json!([{"tool": "text_count", "arguments": {"text": text}}, "Done"]));
    let done = place.agent(&[("provider", "offline".into()), ("offline", offline)]).await;
    let calls = done.value("calls").to_json();
    assert!(calls[0]["arguments"]["text"].as_str().unwrap().len() < 3000);
    assert!(calls[0]["result"].as_str().unwrap().contains("20000"), "{}", calls[0]["result"]);
    assert!(done.wrote(StreamTag::Stderr).contains(&text));
}

#[tokio::test]
async fn a_model_shows_its_plan_and_its_tasks_as_they_change() {
    let server = Server::new(|_, _| Vec::new()).await;
    let place = Place::new(ProviderKind::OpenAi, &server);
    let task = |title: &str, state: &str| json!({"title": title, "state": state});
    let plan = |tasks: Json| json!({"tool": "plan", "arguments": {"plan": "Count first.", "tasks": tasks}});
    let offline = json!([
        plan(json!([task("Count", "running"), task("Answer", "waiting")])),
        plan(json!([task("Count", "completed")])),
        plan(json!([task("Count", "begun"), task("Answer", "running")])),
        plan(json!([task("Count", "completed"), task("Answer", "running"), task("Check", "waiting")])),
        "Done",
    ]);
    let given =
        [("provider", "offline".into()), ("offline", value(offline)), ("tools", value(json!(["plan"])))];
    let done = place.agent(&given).await;
    assert_eq!(done.text(), "Done");
    let log = done.wrote(StreamTag::Stderr);
    for line in
        ["plan: Count first.", "task 1 running: Count", "task 2 waiting: Answer", "task 3 waiting: Check"]
    {
        assert!(log.contains(line), "{log}");
    }
    let calls = done.value("calls").to_json();
    let failed: Vec<bool> =
        calls.as_array().unwrap().iter().map(|it| it["failed"].as_bool().unwrap()).collect();
    assert_eq!(failed, [false, true, true, false], "{calls}");
    assert!(calls[1]["result"].as_str().unwrap().contains("there are 2 tasks already"), "{calls}");
}

#[tokio::test]
async fn a_bad_call_goes_back_to_the_model_as_an_error() {
    let server = Server::new(|_, _| Vec::new()).await;
    let place = Place::new(ProviderKind::OpenAi, &server);
    let offline = json!([
        {"tool": "text_count", "arguments": {"words": 1}},
        {"tool": "rm", "arguments": {}},
        {"tool": "text_count", "arguments": [1]},
        "Sorry",
    ]);
    let done = place.agent(&[("provider", "offline".into()), ("offline", value(offline))]).await;
    assert_eq!(done.text(), "Sorry");
    let calls = done.value("calls").to_json();
    for (at, expected) in
        ["do not fit the tool", "there is no tool `rm`; there are text_count", "not an object"]
            .iter()
            .enumerate()
    {
        assert!(
            calls[at]["failed"] == true && calls[at]["result"].as_str().unwrap().contains(expected),
            "{calls}"
        );
    }
}

#[tokio::test]
async fn a_limit_that_is_reached_fails_the_node_by_name() {
    let server = Server::new(|_, _| calls()).await;
    let place = Place::new(ProviderKind::OpenAi, &server);
    let done = place.agent(&[("max_steps", Value::Int(3))]).await;
    assert!(
        done.error().contains("no answer after 3 steps and 3 calls, the limit set by `max_steps`"),
        "{}",
        done.error()
    );
    assert_eq!(server.requests().len(), 3);
    let costly = [("model", Value::from("priced")), ("max_cost_usd", Value::Float(15.0))];
    let done = place.agent(&costly).await;
    assert!(done.error().contains("$20.0000 after 2 calls, and `max_cost_usd` is 15"), "{}", done.error());
    assert_eq!(done.outcome.cost_usd, Some(20.0));
    let done = place.agent(&[("max_cost_usd", Value::Float(1.0))]).await;
    assert!(done.error().contains("the cost of the model is not known"), "{}", done.error());
    let hangs = Server::new(|_, _| vec![Step::Hang]).await;
    let done = Place::new(ProviderKind::OpenAi, &hangs).agent(&[("timeout", Value::Float(0.05))]).await;
    assert!(done.error().contains("the limit set by `timeout`"), "{}", done.error());
}

#[tokio::test]
async fn files_are_reached_in_their_folder_only_and_written_only_if_that_is_allowed() {
    let server = Server::new(|_, _| Vec::new()).await;
    let place = Place::new(ProviderKind::OpenAi, &server);
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("sub")).unwrap();
    std::fs::write(folder.path().join("sub/a.txt"), "hello").unwrap();
    std::os::unix::fs::symlink("/etc/passwd", folder.path().join("link")).unwrap();
    let path = folder.path().to_str().unwrap();
    let offline = json!([
        {"tool": "list_files"},
        {"tool": "read_file", "arguments": {"path": "sub/a.txt"}},
        {"tool": "read_file", "arguments": {"path": "../../etc/passwd"}},
        {"tool": "read_file", "arguments": {"path": "link"}},
        {"tool": "write_file", "arguments": {"path": "sub/b.txt", "text": "new"}},
        {"tool": "write_file", "arguments": {"path": "../b.txt", "text": "new"}},
        "Done",
    ]);
    let given = |tools: Json| {
        [("provider", "offline".into()), ("offline", value(offline.clone())), ("tools", value(tools))]
    };
    let results = |done: &Done| -> Vec<(bool, String)> {
        let calls = done.value("calls").to_json();
        let calls = calls.as_array().unwrap().iter();
        calls.map(|it| (it["failed"] == true, it["result"].as_str().unwrap().to_owned())).collect()
    };
    let found = results(&place.agent(&given(json!([{"files": path}]))).await);
    assert!(found[1] == (false, "hello".to_owned()) && found[2].0 && found[3].0, "{found:?}");
    assert!(found[4].1.contains("there is no tool `write_file`"), "{found:?}");
    std::fs::remove_file(folder.path().join("link")).unwrap();
    let found = results(&place.agent(&given(json!([{"files": path, "write": true}]))).await);
    assert_eq!(found[0], (false, "sub/a.txt".to_owned()));
    assert!(!found[4].0 && found[5].0, "{found:?}");
    assert_eq!(std::fs::read_to_string(folder.path().join("sub/b.txt")).unwrap(), "new");
}

#[tokio::test]
async fn pages_are_fetched_by_the_shared_client_and_its_rules_for_addresses() {
    let server = Server::new(|_, _| Vec::new()).await;
    let place = Place::new(ProviderKind::OpenAi, &server);
    let offline = json!([{"tool": "http_fetch", "arguments": {"url": server.url("/secret")}}, {"tool": "http_fetch", "arguments": {"url": "x", "local": true}}, "Done"]);
    let given = [
        ("provider", "offline".into()),
        ("offline", value(offline)),
        ("tools", value(json!(["http.fetch"]))),
    ];
    let done = place.agent(&given).await;
    let calls = done.value("calls").to_json();
    assert!(
        calls[0]["failed"] == true && calls[1]["result"].as_str().unwrap().contains("do not fit the tool"),
        "{calls}"
    );
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn what_can_t_be_a_tool_is_refused_before_the_model_is_asked() {
    let server = Server::new(|_, _| Vec::new()).await;
    let place = Place::new(ProviderKind::OpenAi, &server);
    for (tools, expected) in [
        (json!(["text.cuont"]), "no tool or node type `text.cuont`"),
        (json!(["agent.command"]), "`agent.command` needs `agent` in `with`, because no model chooses it"),
        (json!([{"node": "workflow.run"}]), "`workflow.run` can't be a tool"),
        (json!(["text.count", "text.count"]), "two tools have the name `text_count`"),
        (json!([{"node": "text.count", "with": {"x": 1}}]), "`text.count` has no input `x`"),
        (json!([{"files": "/nowhere"}]), "/nowhere"),
        (json!([{"shell": true}]), "a tool is a name"),
        (json!([{"shell": "/nowhere"}]), "/nowhere of `shell`"),
        (json!([{"shell": "/", "write": true}]), "a tool with `shell` has no field `write`"),
        (json!([{"shell": "/", "timeout": 0}]), "a number of seconds"),
        (json!([{"shell": "/", "files": "/"}]), "a tool is a name"),
        (json!({}), "not a list"),
    ] {
        let done = place.agent(&[("tools", value(tools))]).await;
        assert!(done.error().contains(expected), "{expected}: {}", done.error());
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn what_was_spent_before_an_interruption_counts_for_the_limit_of_the_cost() {
    let server = Server::new(|_, _| stream(&said("Hi"))).await;
    let place = Place::new(ProviderKind::OpenAi, &server);
    let attempt = Attempt { spent_before: Some(3.0), ..fixture::attempt() };
    let given = [("prompt", "x".into()), ("tools", value(json!([]))), ("max_cost_usd", Value::Float(2.0))];
    let (_, execution) = place.open_as(attempt, "llm.agent", &given);
    in_time("its end", execution.wait()).await;
    let error = execution.collect().await.error.unwrap().message;
    assert!(error.starts_with("it has cost $3.0000 after 0 calls, and `max_cost_usd` is 2"), "{error}");
    assert!(server.requests().is_empty());
}
