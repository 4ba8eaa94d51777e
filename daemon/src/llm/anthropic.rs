//! Anthropic's messages.

use serde_json::{Value as Json, json};

use super::chat::{Attached, AttachedKind, Chat, Turn, merge};
use super::reply::{Finish, Reply, StreamError};
use super::sse::Event;
use super::tool::Call;

/// The path of the chat below the provider's URL.
pub(crate) const CHAT: &str = "/messages";
/// The version of the protocol, which each request names.
pub(crate) const VERSION: (&str, &str) = ("anthropic-version", "2023-06-01");
/// The limit of tokens where the node has none: the protocol requires one.
const MAX_TOKENS: u32 = 8192;
/// The tool that stands for an answer in JSON.
const TOOL: &str = "answer";

/// Returns the body of a request.
///
/// # Errors
/// A file can't be sent this way.
pub(crate) fn body(chat: &Chat) -> Result<Json, String> {
    let mut body = json!({
        "model": chat.model,
        "messages": chat.turns.iter().map(message).collect::<Result<Vec<_>, _>>()?,
        "max_tokens": chat.max_tokens.unwrap_or(MAX_TOKENS),
        "stream": true,
    });
    if let Some(temperature) = chat.temperature {
        body["temperature"] = temperature.into();
    }
    // The input of a tool is an object; another schema is only in the prompt. Thinking excludes a tool that is forced.
    let thinks = chat.options.get("thinking").is_some_and(|it| it["type"] != "disabled");
    let tool = chat.schema.as_ref().filter(|schema| schema["type"] == "object" && !thinks);
    let system = if tool.is_some() { chat.system.clone() } else { chat.instructions() };
    if let Some(system) = system {
        body["system"] = system.into();
    }
    if let Some(schema) = tool {
        body["tools"] = json!([{"name": TOOL, "description": "Gives the answer.", "input_schema": schema}]);
        body["tool_choice"] = json!({"type": "tool", "name": TOOL});
    }
    if !chat.tools.is_empty() {
        let tools = chat.tools.iter().map(
            |tool| json!({"name": tool.name, "description": tool.description, "input_schema": tool.schema}),
        );
        body["tools"] = tools.collect();
    }
    merge(&mut body, &chat.options);
    Ok(body)
}

/// Returns the limit of tokens that the request has.
pub(crate) fn max_tokens(chat: &Chat) -> u32 {
    chat.max_tokens.unwrap_or(MAX_TOKENS)
}

fn message(turn: &Turn) -> Result<Json, String> {
    let mut calls = turn
        .calls
        .iter()
        .map(|call| json!({"type": "tool_use", "id": call.id, "name": call.name, "input": call.json()}));
    if turn.thoughts.iter().any(is_thought) {
        // It may not be changed, nor moved among the other parts.
        let parts = turn.thoughts.iter().filter(|part| part["type"] != "text" || part["text"] != "");
        let parts = parts.filter_map(|part| match part["type"].as_str() {
            Some("tool_use") => calls.next(),
            _ => Some(part.clone()),
        });
        return Ok(json!({"role": turn.role.word(), "content": parts.collect::<Vec<_>>()}));
    }
    let text = json!({"type": "text", "text": turn.text});
    let results = turn.results.iter().map(|it| {
        Ok(json!({"type": "tool_result", "tool_use_id": it.id, "content": it.text, "is_error": it.failed}))
    });
    let text = (!turn.is_silent()).then_some(Ok(text));
    let parts = turn.files.iter().map(part).chain(results).chain(text).chain(calls.map(Ok));
    let parts = parts.collect::<Result<Vec<_>, String>>()?;
    Ok(json!({"role": turn.role.word(), "content": parts}))
}

/// Returns whether a part of an answer is reasoning.
fn is_thought(part: &Json) -> bool {
    part["type"] == "thinking" || part["type"] == "redacted_thinking"
}

fn part(file: &Attached) -> Result<Json, String> {
    let kind = match file.kind {
        AttachedKind::Image => "image",
        AttachedKind::Document => "document",
        AttachedKind::Audio => return Err(format!("`{}`: Anthropic's models take no sound", file.name)),
    };
    Ok(json!({"type": kind, "source": {"type": "base64", "media_type": file.mime, "data": file.data}}))
}

/// Takes an event of the response.
///
/// # Errors
/// The provider reports one, or what it sends is not of this protocol.
pub(crate) fn take(event: &Event, reply: &mut Reply) -> Result<(), StreamError> {
    let json: Json = serde_json::from_str(&event.data).map_err(|error| {
        StreamError::Final(format!("the provider sent an event that is not JSON: {error}"))
    })?;
    match json["type"].as_str().unwrap_or(&event.name) {
        "message_start" => usage(&json["message"]["usage"], reply),
        "content_block_start" => {
            let block = &json["content_block"];
            // The tool that stands for an answer in JSON is no call.
            reply.calling = block["type"] == "tool_use" && block["name"] != TOOL;
            if reply.calling {
                let text = |name: &str| block[name].as_str().unwrap_or_default().to_owned();
                reply.calls.push(Call { id: text("id"), name: text("name"), ..Call::default() });
                reply.thoughts.push(json!({"type": "tool_use"}));
            } else if is_thought(block) || block["type"] == "text" {
                reply.hidden += block["data"].as_str().map_or(0, str::len);
                reply.thoughts.push(block.clone());
            }
        }
        "content_block_delta" => {
            let delta = &json["delta"];
            match delta["type"].as_str().unwrap_or_default() {
                "text_delta" => {
                    let piece = delta["text"].as_str().unwrap_or_default();
                    reply.text.push_str(piece);
                    if reply.thoughts.last().is_some_and(|part| part["type"] == "text") {
                        reply.think("text", piece);
                    }
                }
                "input_json_delta" => {
                    let piece = delta["partial_json"].as_str().unwrap_or_default();
                    match reply.calls.last_mut().filter(|_| reply.calling) {
                        Some(call) => call.arguments.push_str(piece),
                        None => reply.text.push_str(piece),
                    }
                }
                "thinking_delta" => {
                    let piece = delta["thinking"].as_str().unwrap_or_default();
                    reply.reasoning.push_str(piece);
                    reply.think("thinking", piece);
                }
                "signature_delta" => {
                    let piece = delta["signature"].as_str().unwrap_or_default();
                    reply.hidden += piece.len();
                    reply.think("signature", piece);
                }
                _ => {}
            }
        }
        "message_delta" => {
            usage(&json["usage"], reply);
            if let Some(reason) = json["delta"]["stop_reason"].as_str() {
                reply.finish = Some(match reason {
                    "tool_use" if !reply.calls.is_empty() => Finish::Calls,
                    // The only tool is the answer.
                    "end_turn" | "stop_sequence" | "tool_use" => Finish::Stop,
                    "max_tokens" | "model_context_window_exceeded" => Finish::Length,
                    "refusal" => Finish::Withheld("refusal".to_owned()),
                    other => Finish::Other(other.to_owned()),
                });
            }
        }
        "message_stop" => reply.done = true,
        "error" => return Err(error_of(&json["error"])),
        // Pings, and the frames of blocks.
        _ => {}
    }
    Ok(())
}

/// Takes the tokens that an event reports; later events replace earlier ones.
fn usage(usage: &Json, reply: &mut Reply) {
    let count = |name: &str| usage[name].as_u64();
    if let Some(fresh) = count("input_tokens") {
        let cached = count("cache_read_input_tokens").unwrap_or_default();
        reply.usage.cached = cached;
        let written = count("cache_creation_input_tokens").unwrap_or_default();
        reply.usage.cache_written = written;
        reply.usage.input = fresh + cached + written;
    }
    if let Some(output) = count("output_tokens") {
        reply.usage.output = output;
    }
}

fn error_of(error: &Json) -> StreamError {
    let message = error["message"].as_str().unwrap_or("it gave no reason");
    let sentence = format!("the provider reported an error: {message}");
    match error["type"].as_str().unwrap_or_default() {
        "overloaded_error" | "rate_limit_error" => StreamError::Passing { why: sentence, busy: true },
        "api_error" | "timeout_error" => StreamError::Passing { why: sentence, busy: false },
        _ => StreamError::Final(sentence),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llm::chat::Role;
    use crate::llm::fixture::taken;
    use crate::llm::reply::Usage;

    fn said(events: &[&str]) -> (Reply, Option<StreamError>) {
        taken(take, events)
    }

    #[test]
    fn text_thinking_and_tokens_are_taken() {
        let (reply, error) = said(&[
            r#"{"type":"message_start","message":{"usage":{"input_tokens":3,"cache_read_input_tokens":20,"output_tokens":1}}}"#,
            r#"{"type":"ping"}"#,
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking"}}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm"}}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"x"}}"#,
            r#"{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"Hi"}}"#,
            r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":9}}"#,
            r#"{"type":"message_stop"}"#,
        ]);
        assert_eq!(error, None);
        assert_eq!((reply.text.as_str(), reply.reasoning.as_str(), reply.check(None)), ("Hi", "hm", Ok(())));
        assert_eq!(reply.usage, Usage { input: 23, output: 9, cached: 20, ..Usage::default() });
    }

    #[test]
    fn an_answer_in_json_is_the_input_of_a_tool() {
        let schema = json!({"type": "object"});
        let mut chat =
            Chat { turns: vec![Turn::new(Role::User, "x")], schema: Some(schema), ..Chat::default() };
        let with_tool = body(&chat).unwrap();
        assert_eq!((&with_tool["tool_choice"]["name"], with_tool.get("system")), (&json!(TOOL), None));
        chat.options.insert("thinking".into(), json!({"type": "enabled", "budget_tokens": 2000}));
        let by_prompt = body(&chat).unwrap();
        assert!(
            by_prompt.get("tools").is_none() && by_prompt["system"].as_str().unwrap().contains("JSON Schema")
        );
        let (reply, _) = said(&[
            r#"{"type":"content_block_delta","delta":{"type":"input_json_delta","partial_json":"{\"a\":"}}"#,
            r#"{"type":"content_block_delta","delta":{"type":"input_json_delta","partial_json":"1}"}}"#,
            r#"{"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{}}"#,
        ]);
        assert_eq!((reply.text.as_str(), reply.check(None)), (r#"{"a":1}"#, Ok(())));
    }

    #[test]
    fn an_error_and_a_cut_are_told_apart() {
        let (_, error) =
            said(&[r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#]);
        assert!(
            matches!(error, Some(StreamError::Passing { why, busy: true }) if why.ends_with("Overloaded"))
        );
        let (reply, _) =
            said(&[r#"{"type":"message_delta","delta":{"stop_reason":"max_tokens"},"usage":{}}"#]);
        assert!(reply.check(Some(8192)).unwrap_err().contains("8192"));
        let (reply, _) =
            said(&[r#"{"type":"content_block_delta","delta":{"type":"text_delta","text":"Hi"}}"#]);
        assert!(reply.check(None).unwrap_err().contains("connection was cut"));
    }
}
