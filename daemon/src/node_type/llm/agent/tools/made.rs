//! The files that tools made, by the names under which a model knows them.

use std::sync::{Mutex, MutexGuard, PoisonError};

use fanlight_shared::media::Media;
use fanlight_shared::value::{Value, Values};
use indexmap::IndexMap;
use serde_json::{Map, Value as Json, json};

use crate::store::blob::Published;

/// The files that tools made.
#[derive(Default)]
pub(in crate::node_type::llm::agent) struct MadeFiles {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    files: IndexMap<String, Media>,
    /// Their bytes stay until the node has ended.
    held: Vec<Published>,
}

impl MadeFiles {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns what a tool made as a model reads it: one text as it is, all else as JSON, in which files have names.
    pub(super) fn take(&self, values: &Values, held: Vec<Published>) -> String {
        if let (Some(text), 1) = (values.get("text").and_then(Value::as_text), values.len()) {
            return text.to_owned();
        }
        let mut state = self.state();
        state.held.extend(held);
        let shown = values.iter().map(|(name, value)| (name.clone(), state.shown(value)));
        Json::Object(shown.collect()).to_string()
    }

    /// Returns the file of a name.
    pub(super) fn get(&self, name: &str) -> Result<Media, String> {
        let state = self.state();
        state.files.get(name).cloned().ok_or_else(|| match state.files.is_empty() {
            true => format!("there is no file `{name}`; no tool has made one yet"),
            false => {
                let known: Vec<&str> = state.files.keys().map(String::as_str).collect();
                format!("there is no file `{name}`; there are {}", known.join(", "))
            }
        })
    }

    /// Returns all files, as a value.
    pub(in crate::node_type::llm::agent) fn all(&self) -> Value {
        let state = self.state();
        let file = |(name, media): (&String, &Media)| (name.clone(), Value::from(media.clone()));
        Value::Object(state.files.iter().map(file).collect())
    }

    /// Takes what holds their bytes.
    pub(in crate::node_type::llm::agent) fn take_held(&self) -> Vec<Published> {
        std::mem::take(&mut self.state().held)
    }
}

impl State {
    fn shown(&mut self, value: &Value) -> Json {
        match value {
            Value::Media(media) => self.named(media),
            Value::List(items) if value.has_media() => items.iter().map(|item| self.shown(item)).collect(),
            Value::Object(fields) if value.has_media() => {
                let shown: Map<String, Json> =
                    fields.iter().map(|(name, value)| (name.clone(), self.shown(value))).collect();
                Json::Object(shown)
            }
            _ => value.to_json(),
        }
    }

    /// Gives a file a name, unless it has one.
    fn named(&mut self, media: &Media) -> Json {
        let known = self.files.iter().find(|(_, it)| it.hash == media.hash && it.kind == media.kind);
        let name = match known {
            Some((name, _)) => name.clone(),
            None => {
                let word = media.kind.word();
                let number = self.files.values().filter(|it| it.kind == media.kind).count() + 1;
                let name = format!("{word}_{number}");
                self.files.insert(name.clone(), media.clone());
                name
            }
        };
        let mut shown = json!({"file": name, "mime": media.mime, "bytes": media.bytes});
        if let (Some(width), Some(height)) = (media.width, media.height) {
            shown["width"] = width.into();
            shown["height"] = height.into();
        }
        shown
    }
}
