//! OpenAI's chat completions and embeddings, which most servers speak.

use serde_json::{Value as Json, json};

use super::chat::{Attached, AttachedKind, Chat, Turn, merge};
use super::reply::{Embeddings, Finish, Reply, StreamError, Usage, check_numbers, cost};
use super::sse::Event;
use super::tool::Call;
use crate::config::Structured;

/// The path of the chat below the provider's URL.
pub(crate) const CHAT: &str = "/chat/completions";
/// The path of embeddings.
pub(crate) const EMBEDDINGS: &str = "/embeddings";

/// The field of most servers for reasoning, and all fields, of which the first one is taken.
const REASONING: &str = "reasoning_content";
const REASONINGS: [&str; 2] = [REASONING, "reasoning"];
/// The field of OpenRouter for reasoning with its signatures.
const DETAILS: &str = "reasoning_details";

/// Returns the body of a request.
///
/// # Errors
/// A file can't be sent this way.
pub(crate) fn body(chat: &Chat, structured: Structured, limit: &str) -> Result<Json, String> {
    let system = chat.instructions().map(|text| json!({"role": "system", "content": text}));
    let turns = chat.turns.iter().flat_map(messages);
    let mut messages = system.into_iter().map(Ok).chain(turns).collect::<Result<Vec<_>, String>>()?;
    // Who wants reasoning back wants it with all calls, also where there was none.
    if messages.iter().any(|message| message.get(REASONING).is_some()) {
        for message in messages.iter_mut().filter(|message| message.get("tool_calls").is_some()) {
            message.as_object_mut().map(|message| message.entry(REASONING).or_insert("".into()));
        }
    }
    let mut body = json!({
        "model": chat.model,
        "messages": messages,
        "stream": true,
        "stream_options": {"include_usage": true},
    });
    if let Some(temperature) = chat.temperature {
        body["temperature"] = temperature.into();
    }
    if let Some(tokens) = chat.max_tokens {
        body[limit] = tokens.into();
    }
    if let Some(seed) = chat.seed {
        body["seed"] = seed.into();
    }
    if let Some(schema) = &chat.schema {
        match structured {
            Structured::Schema => {
                let format = json!({"name": "answer", "schema": schema, "strict": false});
                body["response_format"] = json!({"type": "json_schema", "json_schema": format});
            }
            Structured::Object => body["response_format"] = json!({"type": "json_object"}),
            Structured::Prompt => {}
        }
    }
    if !chat.tools.is_empty() {
        let tools = chat.tools.iter().map(|tool| {
            json!({"type": "function", "function": {"name": tool.name, "description": tool.description, "parameters": tool.schema}})
        });
        body["tools"] = tools.collect();
    }
    merge(&mut body, &chat.options);
    Ok(body)
}

/// Returns the messages of a turn: each result of a tool is one.
fn messages(turn: &Turn) -> Vec<Result<Json, String>> {
    if turn.results.is_empty() {
        return vec![message(turn)];
    }
    let results = turn.results.iter();
    results.map(|it| Ok(json!({"role": "tool", "tool_call_id": it.id, "content": it.text}))).collect()
}

fn message(turn: &Turn) -> Result<Json, String> {
    let content = if turn.files.is_empty() {
        Json::from(turn.text.as_str())
    } else {
        let text = Ok(json!({"type": "text", "text": turn.text}));
        turn.files.iter().map(part).chain([text]).collect::<Result<Vec<_>, String>>()?.into()
    };
    let mut message = json!({"role": turn.role.word(), "content": content});
    if !turn.calls.is_empty() {
        let calls = turn.calls.iter().map(|call| {
            let mut one = json!({"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.json().to_string()}});
            if let Some(signature) = &call.signature {
                one["extra_content"] = json!({"google": {"thought_signature": signature}});
            }
            one
        });
        message["tool_calls"] = calls.collect();
        for (name, thought) in turn.thoughts.iter().filter_map(Json::as_object).flatten() {
            message[name] = thought.clone();
        }
    }
    Ok(message)
}

fn part(file: &Attached) -> Result<Json, String> {
    Ok(match file.kind {
        AttachedKind::Image => json!({"type": "image_url", "image_url": {"url": file.data_url()}}),
        AttachedKind::Document => {
            json!({"type": "file", "file": {"filename": file.name, "file_data": file.data_url()}})
        }
        AttachedKind::Audio => {
            let format = match file.mime.as_str() {
                "audio/wav" | "audio/x-wav" | "audio/wave" => "wav",
                "audio/mpeg" | "audio/mp3" => "mp3",
                other => return Err(format!("`{}` is {other}, and only WAV and MP3 can be sent", file.name)),
            };
            json!({"type": "input_audio", "input_audio": {"data": file.data, "format": format}})
        }
    })
}

/// Takes an event of the response.
///
/// # Errors
/// The provider reports one, or what it sends is not of this protocol.
pub(crate) fn take(event: &Event, reply: &mut Reply) -> Result<(), StreamError> {
    if event.data.trim() == "[DONE]" {
        reply.done = true;
        return Ok(());
    }
    if event.data.trim().is_empty() {
        return Ok(());
    }
    let chunk: Json = serde_json::from_str(&event.data).map_err(|error| {
        StreamError::Final(format!("the provider sent an event that is not JSON: {error}"))
    })?;
    if let Some(error) = chunk.get("error").filter(|error| !error.is_null()) {
        return Err(error_of(error));
    }
    if let Some(usage) = chunk.get("usage").filter(|usage| usage.is_object()) {
        reply.usage = usage_of(usage);
    }
    let choices = chunk["choices"].as_array().map(Vec::as_slice).unwrap_or_default();
    let Some(choice) = choices.first() else { return Ok(()) };
    if choices.iter().any(|choice| choice["index"].as_u64().is_some_and(|index| index > 0))
        || choices.len() > 1
    {
        return Err(StreamError::Final(
            "the provider sends several answers, and the node has one; leave `n` out of `options`".to_owned(),
        ));
    }
    // A server that does not stream sends the whole message at once.
    let said = choice.get("delta").or_else(|| choice.get("message")).unwrap_or(&Json::Null);
    take_reasoning(said, reply);
    if let Some(text) = said["content"].as_str() {
        reply.text.push_str(text);
    }
    for (at, call) in said["tool_calls"].as_array().into_iter().flatten().enumerate() {
        if call["function"]["arguments"].is_object() {
            check_numbers(&event.data)?;
        }
        take_call(call, at, reply)?;
    }
    if let Some(text) = said["refusal"].as_str().filter(|text| !text.is_empty()) {
        let known = match &reply.finish {
            Some(Finish::Withheld(known)) => known.clone(),
            _ => "it refuses: ".to_owned(),
        };
        reply.finish = Some(Finish::Withheld(known + text));
    }
    if let Some(reason) = choice["finish_reason"].as_str() {
        let finish = match reason {
            "stop" | "eos" | "end_turn" => Finish::Stop,
            "tool_calls" | "function_call" => Finish::Calls,
            "length" => Finish::Length,
            "content_filter" => Finish::Withheld("content filter".to_owned()),
            other => Finish::Other(other.to_owned()),
        };
        if !matches!(reply.finish, Some(Finish::Withheld(_))) {
            reply.finish = Some(finish);
        }
    }
    Ok(())
}

/// Takes a part of the reasoning.
fn take_reasoning(said: &Json, reply: &mut Reply) {
    let details = said[DETAILS].as_array().filter(|details| !details.is_empty());
    let named = REASONINGS.iter().find_map(|name| Some((*name, said[*name].as_str()?)));
    if details.is_none() && named.is_none() {
        return;
    }
    if reply.thoughts.is_empty() {
        reply.thoughts.push(json!({}));
    }
    if let Some((name, text)) = named {
        reply.reasoning.push_str(text);
        reply.think(name, text);
    }
    let (Some(details), Some(Json::Object(thought))) = (details, reply.thoughts.last_mut()) else { return };
    reply.hidden += details.iter().map(|it| it.to_string().len()).sum::<usize>();
    match thought.entry(DETAILS).or_insert_with(|| json!([])) {
        Json::Array(known) => known.extend(details.iter().cloned()),
        other => *other = details.clone().into(),
    }
}

/// Takes a part of a call: the first names the tool, and all have a piece of the arguments.
fn take_call(json: &Json, at: usize, reply: &mut Reply) -> Result<(), StreamError> {
    let at = json["index"].as_u64().and_then(|at| usize::try_from(at).ok()).unwrap_or(at);
    // Some servers number all calls alike.
    let id = json["id"].as_str().filter(|id| !id.is_empty());
    let is_another = |call: &Call| id.is_some_and(|id| id != call.id);
    let at = if reply.calls.get(at).is_some_and(is_another) { reply.calls.len() } else { at };
    if at > reply.calls.len() {
        return Err(StreamError::Final("the provider sent the calls of tools out of order".to_owned()));
    }
    if at == reply.calls.len() {
        let id = id.map_or_else(|| format!("call_{at}"), str::to_owned);
        reply.calls.push(Call { id, ..Call::default() });
    }
    let Some(call) = reply.calls.get_mut(at) else { return Ok(()) };
    call.name.push_str(json["function"]["name"].as_str().unwrap_or_default());
    if let Some(signature) = json["extra_content"]["google"]["thought_signature"].as_str() {
        call.signature = Some(signature.to_owned());
    }
    match &json["function"]["arguments"] {
        Json::String(piece) => call.arguments.push_str(piece),
        Json::Null => {}
        whole => call.arguments = whole.to_string(),
    }
    Ok(())
}

fn usage_of(usage: &Json) -> Usage {
    let count = |json: &Json| json.as_u64().unwrap_or_default();
    Usage {
        input: count(&usage["prompt_tokens"]),
        output: count(&usage["completion_tokens"]),
        cache_written: 0,
        cached: count(&usage["prompt_tokens_details"]["cached_tokens"]),
        // OpenRouter says it.
        cost_usd: cost(usage),
    }
}

/// Returns an error that came in a stream.
fn error_of(error: &Json) -> StreamError {
    let message = error["message"].as_str().or(error.as_str()).unwrap_or("it gave no reason");
    let sentence = format!("the provider reported an error: {message}");
    let code = error["code"].as_u64().or_else(|| error["code"].as_str()?.parse().ok());
    let kind = error["type"].as_str().unwrap_or_default();
    let is = |words: &[&str]| words.iter().any(|it| kind.contains(it));
    let busy = code.is_some_and(|code| code == 429 || code == 529) || is(&["overloaded", "rate_limit"]);
    if busy || code.is_some_and(|code| code >= 500) || is(&["server_error", "unavailable"]) {
        return StreamError::Passing { why: sentence, busy };
    }
    StreamError::Final(sentence)
}

/// Returns the body of a request for embeddings.
pub(crate) fn embeddings_body(model: &str, texts: &[String]) -> Json {
    json!({"model": model, "input": texts, "encoding_format": "float"})
}

/// Reads embeddings: by the index of their text, with the tokens they took.
///
/// # Errors
/// The response is not of this protocol.
pub(crate) fn embeddings(response: &Json) -> Result<(Embeddings, Usage), String> {
    let data = response["data"].as_array().ok_or("the response has no list `data`")?;
    let vectors = data.iter().enumerate().map(|(at, one)| {
        let index = one["index"].as_u64().and_then(|index| usize::try_from(index).ok()).unwrap_or(at);
        Ok((index, vector(&one["embedding"])?))
    });
    Ok((vectors.collect::<Result<_, String>>()?, usage_of(&response["usage"])))
}

/// Reads a list of numbers.
///
/// # Errors
/// It is not one.
pub(crate) fn vector(json: &Json) -> Result<Vec<f64>, String> {
    let numbers = json.as_array().ok_or("the response has no list of numbers as embedding")?;
    numbers
        .iter()
        .map(|it| it.as_f64().ok_or_else(|| "an embedding has something else than numbers".to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llm::chat::Role;
    use crate::llm::fixture::taken;

    fn said(events: &[&str]) -> (Reply, Option<StreamError>) {
        taken(take, events)
    }

    #[test]
    fn a_request_has_the_schema_the_files_and_the_options_of_the_node() {
        let image = Attached {
            kind: AttachedKind::Image,
            mime: "image/png".into(),
            name: "a.png".into(),
            data: "AAAA".into(),
        };
        let mut chat = Chat {
            model: "m".into(),
            system: Some("Be brief.".into()),
            turns: vec![Turn { files: vec![image], ..Turn::new(Role::User, "What is it?") }],
            schema: Some(json!({"type": "object"})),
            max_tokens: Some(9),
            ..Chat::default()
        };
        chat.options.insert("stream_options".into(), json!({"x": 1}));
        chat.options.insert("top_p".into(), json!(0.5));
        let body = body(&chat, Structured::Schema, "max_completion_tokens").unwrap();
        assert_eq!(body["max_completion_tokens"], 9);
        assert_eq!(body["stream_options"], json!({"include_usage": true, "x": 1}));
        assert_eq!(
            (&body["top_p"], &body["response_format"]["json_schema"]["strict"]),
            (&json!(0.5), &json!(false))
        );
        assert_eq!(body["messages"][1]["content"][0]["image_url"]["url"], "data:image/png;base64,AAAA");
        let system = body["messages"][0]["content"].as_str().unwrap();
        assert!(system.starts_with("Be brief.\n\nAnswer with JSON only"), "{system}");
    }

    #[test]
    fn text_reasoning_usage_and_the_end_are_taken() {
        let (reply, error) = said(&[
            r#"{"choices":[{"delta":{"role":"assistant","content":""}}]}"#,
            r#"{"choices":[{"delta":{"reasoning_content":"hm"}}]}"#,
            r#"{"choices":[{"delta":{"content":"Gr"}}]}"#,
            r#"{"choices":[{"delta":{"content":"üße"},"finish_reason":"stop"}]}"#,
            r#"{"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":4,"prompt_tokens_details":{"cached_tokens":8}}}"#,
            "[DONE]",
        ]);
        assert_eq!(error, None);
        assert_eq!((reply.text.as_str(), reply.reasoning.as_str(), reply.done), ("Grüße", "hm", true));
        assert_eq!(reply.usage, Usage { input: 10, output: 4, cached: 8, cost_usd: None, cache_written: 0 });
        assert_eq!(reply.check(None), Ok(()));
    }

    #[test]
    fn calls_that_a_server_numbers_alike_stay_apart() {
        let (reply, error) = said(&[
            r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"one","arguments":"{\"x\":"}}]}}]}"#,
            r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"1}"}}]}}]}"#,
            r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"b","function":{"name":"two","arguments":"{}"}}]}}]}"#,
        ]);
        let calls = reply.calls.iter().map(|it| (it.id.as_str(), it.name.as_str(), it.arguments.as_str()));
        assert_eq!(calls.collect::<Vec<_>>(), [("a", "one", r#"{"x":1}"#), ("b", "two", "{}")]);
        assert_eq!(error, None);
    }

    #[test]
    fn an_answer_that_is_not_complete_is_an_error_that_says_why() {
        let ends = |reason: &str| {
            said(&[&format!(r#"{{"choices":[{{"delta":{{"content":"a"}},"finish_reason":{reason}}}]}}"#)]).0
        };
        assert!(ends("\"length\"").check(Some(5)).unwrap_err().contains("cut after `max_tokens` (5)"));
        assert!(ends("\"content_filter\"").check(None).unwrap_err().contains("withheld"));
        assert!(ends("\"tool_calls\"").check(None).unwrap_err().contains("tool_calls"));
        assert!(ends("null").check(None).unwrap_err().contains("connection was cut"));
        let refused = said(&[
            r#"{"choices":[{"delta":{"refusal":"I can"}}]}"#,
            r#"{"choices":[{"delta":{"refusal":"not."},"finish_reason":"stop"}]}"#,
        ]);
        assert!(refused.0.check(None).unwrap_err().contains("it refuses: I cannot."));
    }

    #[test]
    fn an_error_in_the_stream_says_whether_it_may_pass() {
        let error = |data| said(&[data]).1.unwrap();
        assert!(matches!(
            error(r#"{"error":{"message":"busy","code":502}}"#),
            StreamError::Passing { busy: false, .. }
        ));
        assert!(matches!(
            error(r#"{"error":{"message":"busy","type":"overloaded_error"}}"#),
            StreamError::Passing { .. }
        ));
        assert!(matches!(error(r#"{"error":"no"}"#), StreamError::Final(it) if it.ends_with(": no")));
        assert!(matches!(error("<html>"), StreamError::Final(it) if it.contains("not JSON")));
    }
}
