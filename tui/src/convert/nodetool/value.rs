//! Values of properties.

use serde_json::Value as Json;

/// Returns whether a property says nothing: it is empty, or refers to no file and no model.
pub(super) fn is_empty(value: &Json) -> bool {
    match value {
        Json::Null => true,
        Json::String(text) => text.is_empty(),
        Json::Array(items) => items.is_empty(),
        Json::Object(fields) => {
            fields.iter().all(|(name, value)| name == "type" || is_empty(value) || value == "empty")
        }
        Json::Bool(_) | Json::Number(_) => false,
    }
}

/// Returns whether a property refers to a file, which is in the other tool's store.
pub(super) fn is_media(value: &Json) -> bool {
    match value {
        Json::Array(items) => items.iter().any(is_media),
        value => {
            value.get("type").is_some() && (value.get("uri").is_some() || value.get("asset_id").is_some())
        }
    }
}

/// Returns the beginning of a value, for people.
pub(super) fn shown(value: &Json) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    fanlight_shared::value::cut(&fanlight_shared::sanitise::line(&text), 80)
}

/// Returns the text of a note, which editors stored as Markdown or as trees of paragraphs.
pub(super) fn note(comment: &Json) -> String {
    match comment {
        Json::String(text) => text.clone(),
        Json::Array(blocks) => blocks.iter().map(words).collect::<Vec<_>>().join("\n"),
        tree => {
            let root = tree.get("root").unwrap_or(tree);
            let blocks = root.get("children").and_then(Json::as_array).into_iter().flatten();
            blocks.map(words).collect::<Vec<_>>().join("\n")
        }
    }
}

/// Returns the text of a paragraph. A note is not deep.
fn words(block: &Json) -> String {
    let mut found = String::new();
    let mut rest = vec![block];
    while let Some(block) = rest.pop() {
        found.push_str(block.get("text").and_then(Json::as_str).unwrap_or_default());
        let children = block.get("children").and_then(Json::as_array).into_iter().flatten();
        rest.extend(children.rev());
    }
    found
}
