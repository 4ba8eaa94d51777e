//! Gemini's `generateContent` and `batchEmbedContents`.

use serde_json::{Value as Json, json};

use super::chat::{Attached, AttachedKind, Chat, Role, Turn, merge};
use super::openai::vector;
use super::reply::{Embeddings, Finish, Reply, StreamError, Usage, check_numbers};
use super::sse::Event;
use super::tool::Call;

/// Returns the path of the chat below the provider's URL.
pub(crate) fn chat_path(model: &str) -> String {
    format!("/models/{}:streamGenerateContent?alt=sse", bare(model))
}

/// Returns the path of embeddings below the provider's URL.
pub(crate) fn embeddings_path(model: &str) -> String {
    format!("/models/{}:batchEmbedContents", bare(model))
}

/// Returns the name of a model as a part of a path: lists of models write it with a prefix.
fn bare(model: &str) -> String {
    let name = model.strip_prefix("models/").unwrap_or(model);
    let safe = |c: char| if c.is_ascii_alphanumeric() || "-._".contains(c) { c } else { '_' };
    name.chars().map(safe).collect()
}

/// Returns the body of a request.
pub(crate) fn body(chat: &Chat) -> Json {
    let mut body = json!({"contents": chat.turns.iter().map(content).collect::<Vec<_>>()});
    if let Some(system) = chat.instructions() {
        body["systemInstruction"] = json!({"parts": [{"text": system}]});
    }
    let mut config = json!({});
    if let Some(temperature) = chat.temperature {
        config["temperature"] = temperature.into();
    }
    if let Some(tokens) = chat.max_tokens {
        config["maxOutputTokens"] = tokens.into();
    }
    if let Some(seed) = chat.seed {
        config["seed"] = seed.into();
    }
    if let Some(schema) = &chat.schema {
        config["responseMimeType"] = "application/json".into();
        config["responseJsonSchema"] = schema.clone();
    }
    body["generationConfig"] = config;
    if !chat.tools.is_empty() {
        let tools = chat.tools.iter().map(|tool| {
            json!({"name": tool.name, "description": tool.description, "parametersJsonSchema": tool.schema})
        });
        body["tools"] = json!([{"functionDeclarations": tools.collect::<Json>()}]);
    }
    merge(&mut body, &chat.options);
    body
}

fn content(turn: &Turn) -> Json {
    let role = match turn.role {
        Role::User => "user",
        Role::Assistant => "model",
    };
    let results = turn.results.iter().map(|it| {
        let word = if it.failed { "error" } else { "result" };
        json!({"functionResponse": {"name": it.name, "response": {word: it.text}}})
    });
    let calls = turn.calls.iter().map(|call| {
        let mut part = json!({"functionCall": {"name": call.name, "args": call.json()}});
        if let Some(signature) = &call.signature {
            part["thoughtSignature"] = signature.as_str().into();
        }
        part
    });
    let text = (!turn.is_silent()).then(|| json!({"text": turn.text}));
    let parts: Vec<Json> = turn.files.iter().map(part).chain(results).chain(text).chain(calls).collect();
    json!({"role": role, "parts": parts})
}

fn part(file: &Attached) -> Json {
    match file.kind {
        AttachedKind::Image | AttachedKind::Audio | AttachedKind::Document => {
            json!({"inlineData": {"mimeType": file.mime, "data": file.data}})
        }
    }
}

/// Takes an event of the response.
///
/// # Errors
/// The provider reports one, or what it sends is not of this protocol.
pub(crate) fn take(event: &Event, reply: &mut Reply) -> Result<(), StreamError> {
    let json: Json = serde_json::from_str(&event.data).map_err(|error| {
        StreamError::Final(format!("the provider sent an event that is not JSON: {error}"))
    })?;
    if let Some(error) = json.get("error") {
        let message = error["message"].as_str().unwrap_or("it gave no reason");
        let sentence = format!("the provider reported an error: {message}");
        return Err(match error["code"].as_u64() {
            Some(429) => StreamError::Passing { why: sentence, busy: true },
            Some(500..) => StreamError::Passing { why: sentence, busy: false },
            _ => StreamError::Final(sentence),
        });
    }
    if let Some(reason) = json["promptFeedback"]["blockReason"].as_str() {
        reply.finish = Some(Finish::Withheld(format!("the prompt was blocked: {reason}")));
    }
    if let Some(usage) = json.get("usageMetadata") {
        let count = |name: &str| usage[name].as_u64().unwrap_or_default();
        reply.usage = Usage {
            input: count("promptTokenCount"),
            output: count("candidatesTokenCount") + count("thoughtsTokenCount"),
            cached: count("cachedContentTokenCount"),
            ..Usage::default()
        };
    }
    let candidates = json["candidates"].as_array().map(Vec::as_slice).unwrap_or_default();
    if candidates.iter().any(|it| it["index"].as_u64().is_some_and(|index| index > 0)) || candidates.len() > 1
    {
        return Err(StreamError::Final(
            "the provider sends several answers, and the node has one; leave `candidateCount` out of `options`"
                .to_owned(),
        ));
    }
    let candidate = candidates.first().unwrap_or(&Json::Null);
    for part in candidate["content"]["parts"].as_array().into_iter().flatten() {
        if let Some(call) = part.get("functionCall") {
            check_numbers(&event.data)?;
            let id = format!("call_{}", reply.calls.len());
            reply.calls.push(Call {
                id,
                name: call["name"].as_str().unwrap_or_default().to_owned(),
                arguments: call.get("args").map(Json::to_string).unwrap_or_default(),
                signature: part["thoughtSignature"].as_str().map(str::to_owned),
            });
            continue;
        }
        let text = part["text"].as_str().unwrap_or_default();
        let target = if part["thought"] == true { &mut reply.reasoning } else { &mut reply.text };
        target.push_str(text);
    }
    if let Some(reason) = candidate["finishReason"].as_str() {
        reply.finish = Some(match reason {
            "STOP" if !reply.calls.is_empty() => Finish::Calls,
            "STOP" => Finish::Stop,
            "MAX_TOKENS" => Finish::Length,
            "SAFETY" | "RECITATION" | "BLOCKLIST" | "PROHIBITED_CONTENT" | "SPII" | "LANGUAGE" => {
                Finish::Withheld(reason.to_owned())
            }
            other => Finish::Other(other.to_owned()),
        });
    }
    Ok(())
}

/// Returns the body of a request for embeddings.
pub(crate) fn embeddings_body(model: &str, texts: &[String]) -> Json {
    let model = format!("models/{}", bare(model));
    let request = |text: &String| json!({"model": model, "content": {"parts": [{"text": text}]}});
    json!({"requests": texts.iter().map(request).collect::<Vec<_>>()})
}

/// Reads embeddings, which come in the order of their texts.
///
/// # Errors
/// The response is not of this protocol.
pub(crate) fn embeddings(response: &Json) -> Result<(Embeddings, Usage), String> {
    let all = response["embeddings"].as_array().ok_or("the response has no list `embeddings`")?;
    let vectors = all.iter().enumerate().map(|(at, one)| Ok((at, vector(&one["values"])?)));
    // It does not say how many tokens they took.
    Ok((vectors.collect::<Result<_, String>>()?, Usage::default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llm::fixture::taken;

    fn said(events: &[&str]) -> (Reply, Option<StreamError>) {
        taken(take, events)
    }

    #[test]
    fn text_thoughts_and_tokens_are_taken() {
        let (reply, error) = said(&[
            r#"{"candidates":[{"content":{"parts":[{"text":"hm","thought":true},{"text":"Gr"}]}}],"usageMetadata":{"promptTokenCount":5}}"#,
            r#"{"candidates":[{"content":{"parts":[{"text":"üße"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":2,"thoughtsTokenCount":7}}"#,
        ]);
        assert_eq!(error, None);
        assert_eq!(
            (reply.text.as_str(), reply.reasoning.as_str(), reply.check(None)),
            ("Grüße", "hm", Ok(()))
        );
        assert_eq!((reply.usage.input, reply.usage.output), (5, 9));
    }

    #[test]
    fn what_is_blocked_or_cut_is_an_error() {
        let blocked = said(&[r#"{"promptFeedback":{"blockReason":"SAFETY"}}"#]).0;
        assert!(blocked.check(None).unwrap_err().contains("the prompt was blocked: SAFETY"));
        let cut =
            said(&[r#"{"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"MAX_TOKENS"}]}"#]).0;
        assert!(cut.check(Some(3)).unwrap_err().contains("cut after `max_tokens` (3)"));
        let (_, error) = said(&[r#"{"error":{"code":503,"message":"busy"}}"#]);
        assert!(matches!(error, Some(StreamError::Passing { .. })));
    }

    #[test]
    fn the_name_of_a_model_is_no_other_path() {
        assert_eq!(
            chat_path("models/gemini-2.5-pro"),
            "/models/gemini-2.5-pro:streamGenerateContent?alt=sse"
        );
        assert_eq!(embeddings_path("../x?y"), "/models/.._x_y:batchEmbedContents");
        let body = body(&Chat {
            turns: vec![Turn::new(Role::User, "x")],
            schema: Some(json!({})),
            ..Chat::default()
        });
        assert_eq!(body["generationConfig"]["responseMimeType"], "application/json");
        assert_eq!(body["contents"][0]["parts"][0]["text"], "x");
    }
}
