//! The stand-in without a model: it answers what a workflow says, or something that has the right form, always the same.

use serde_json::{Map, Value as Json, json};

use super::chat::Chat;
use super::reply::{Finish, Reply, Usage};
use super::tool::Call;

/// How deep a made-up answer is nested at most.
const MAX_DEPTH: usize = 16;
/// The most items of a made-up list.
const MAX_ITEMS: u64 = 1000;
/// The length of a made-up embedding.
const DIMENSIONS: usize = 64;

/// Returns the pieces of an answer to a request, which is the n-th of its node, from 0.
pub(crate) fn pieces(chat: &Chat, script: &[String], number: usize) -> Vec<String> {
    let text = match script.get(number).or(script.last()) {
        Some(text) => text.clone(),
        None => match &chat.schema {
            Some(schema) => sample(schema, schema, "answer", 0).to_string(),
            None => {
                let prompt = chat.turns.last().map(|turn| turn.text.as_str()).unwrap_or_default();
                let asked = fanlight_shared::value::cut(&fanlight_shared::sanitise::line(prompt), 200);
                format!("This is the stand-in `offline`, which is not a model. It was asked: {asked}")
            }
        },
    };
    text.split_inclusive(' ').map(str::to_owned).collect()
}

/// Returns the call in a script for a request with tools: `{tool: NAME, arguments: {…}}`.
pub(crate) fn call(chat: &Chat, script: &[String], number: usize) -> Option<Call> {
    if chat.tools.is_empty() {
        return None;
    }
    let json: Json = serde_json::from_str(script.get(number)?).ok()?;
    let name = json["tool"].as_str()?.to_owned();
    let arguments = json.get("arguments").map(Json::to_string).unwrap_or_default();
    Some(Call { id: format!("call_{number}"), name, arguments, signature: None })
}

/// Ends an answer. Its tokens are words.
pub(crate) fn end(chat: &Chat, reply: &mut Reply) {
    let words = |text: &str| text.split_whitespace().count() as u64;
    let turns: u64 = chat.turns.iter().map(|turn| words(&turn.text)).sum();
    let input = turns + chat.instructions().map_or(0, |text| words(&text));
    reply.usage = Usage { input, output: words(&reply.text), ..Usage::default() };
    reply.finish = Some(if reply.calls.is_empty() { Finish::Stop } else { Finish::Calls });
    reply.done = true;
}

/// Returns a value that has the form of a schema, as far as that is simple.
fn sample(schema: &Json, root: &Json, name: &str, depth: usize) -> Json {
    if depth > MAX_DEPTH {
        return Json::Null;
    }
    let deeper = |schema: &Json, name: &str| sample(schema, root, name, depth + 1);
    if let Some(target) = schema["$ref"].as_str().and_then(|it| root.pointer(it.strip_prefix('#')?)) {
        return deeper(target, name);
    }
    for choice in ["const", "default"] {
        if let Some(value) = schema.get(choice) {
            return value.clone();
        }
    }
    if let Some(first) = schema["enum"].get(0) {
        return first.clone();
    }
    if let Some(first) = ["anyOf", "oneOf", "allOf"].iter().find_map(|of| schema[*of].get(0)) {
        return deeper(first, name);
    }
    let kind = schema["type"].as_str().or_else(|| schema["type"].get(0)?.as_str());
    let kind = kind.or_else(|| schema.get("properties").map(|_| "object"));
    match kind.unwrap_or("string") {
        "object" => {
            let mut object = Map::new();
            for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
                object.insert(name.clone(), deeper(schema, name));
            }
            Json::Object(object)
        }
        "array" => {
            let count = schema["minItems"].as_u64().unwrap_or(1).min(MAX_ITEMS);
            (1..=count).map(|at| deeper(&schema["items"], &format!("{name} {at}"))).collect()
        }
        "integer" => json!(schema["minimum"].as_i64().unwrap_or(1)),
        "number" => json!(schema["minimum"].as_f64().unwrap_or(0.5)),
        "boolean" => json!(true),
        "null" => Json::Null,
        _ => json!(format!("offline {name}")),
    }
}

/// Returns an embedding: texts that share words are near each other.
pub(crate) fn embedding(text: &str) -> Vec<f64> {
    let mut vector = vec![0.0; DIMENSIONS];
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        let hash = blake3::hash(word.to_lowercase().as_bytes());
        let [at, sign, ..] = *hash.as_bytes();
        vector[usize::from(at) % DIMENSIONS] += if sign % 2 == 0 { 1.0 } else { -1.0 };
    }
    let length = vector.iter().map(|it| it * it).sum::<f64>().sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|it| *it /= length);
    }
    vector
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llm::chat::{Role, Turn};

    #[test]
    fn it_answers_what_it_is_told_and_otherwise_says_what_it_is() {
        let mut chat = Chat { turns: vec![Turn::new(Role::User, "Name a pen")], ..Chat::default() };
        let script = ["one".to_owned(), "two words".to_owned()];
        assert_eq!(pieces(&chat, &script, 0), ["one"]);
        assert_eq!(pieces(&chat, &script, 1), ["two ", "words"]);
        assert_eq!(pieces(&chat, &script, 7).concat(), "two words");
        assert!(pieces(&chat, &[], 0).concat().contains("is not a model. It was asked: Name a pen"));
        chat.schema = Some(json!({
            "type": "object",
            "properties": {"kind": {"$ref": "#/$defs/kind"}, "tags": {"type": "array", "minItems": 2, "items": {"type": "string"}}},
            "$defs": {"kind": {"enum": ["pen", "ink"]}},
        }));
        let made: Json = serde_json::from_str(&pieces(&chat, &[], 0).concat()).unwrap();
        assert_eq!(made, json!({"kind": "pen", "tags": ["offline tags 1", "offline tags 2"]}));
    }

    #[test]
    fn a_schema_that_refers_to_itself_ends() {
        let schema = json!({"type": "object", "properties": {"next": {"$ref": "#"}}});
        assert!(sample(&schema, &schema, "a", 0).is_object());
    }

    #[test]
    fn texts_with_the_same_words_are_near_each_other() {
        let near =
            |a: &str, b: &str| -> f64 { embedding(a).iter().zip(embedding(b)).map(|(a, b)| a * b).sum() };
        assert!(near("a blue pen", "the Blue pen") > near("a blue pen", "rain tomorrow"));
        assert!((near("ink", "ink") - 1.0).abs() < 1e-9 && embedding("").iter().all(|it| *it == 0.0));
    }
}
