//! The list of calls that an agent puts out.

use fanlight_shared::value::{Value, cut};
use indexmap::IndexMap;

use crate::llm::tool::Call;

/// The most characters of a result, and of a text or of all in the arguments.
const MAX_CHARS: usize = 2000;
/// The characters that are left of each once the list is long; the log has them whole.
const FEW_CHARS: usize = 40;
/// When a list is long, in bytes.
const LONG_BYTES: usize = 8 << 20;
/// How many calls are shown while the agent runs.
const MAX_SHOWN: usize = 50;

/// The calls so far.
#[derive(Default)]
pub(super) struct Calls {
    list: Vec<Value>,
    bytes: usize,
}

impl Calls {
    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    /// Adds a call with its result, both shortened: the values of a node are limited, and an answer isn't lost to them.
    pub(super) fn add(&mut self, call: &Call, result: &str, failed: bool) {
        let chars = if self.bytes < LONG_BYTES { MAX_CHARS } else { FEW_CHARS };
        let (arguments, result) = (arguments(call, chars), cut(result, chars));
        self.bytes += arguments.to_json().to_string().len() + result.len() + call.name.len();
        let entry: IndexMap<String, Value> = [
            ("tool".to_owned(), cut(&call.name, 100).into()),
            ("arguments".to_owned(), arguments),
            ("result".to_owned(), result.into()),
            ("failed".to_owned(), Value::Bool(failed)),
        ]
        .into();
        self.list.push(Value::Object(entry));
    }

    /// Returns the last calls, to be shown.
    pub(super) fn shown(&self) -> Value {
        Value::List(self.list[self.list.len().saturating_sub(MAX_SHOWN)..].to_vec())
    }

    pub(super) fn into_value(self) -> Value {
        Value::List(self.list)
    }
}

/// Returns the arguments with each text shortened; as one shortened text if they are long all the same.
fn arguments(call: &Call, chars: usize) -> Value {
    let short = shortened(Value::from_json(call.json()), chars);
    let json = short.to_json().to_string();
    if json.len() > 4 * chars { cut(&json, chars).into() } else { short }
}

fn shortened(value: Value, chars: usize) -> Value {
    match value {
        Value::Text(text) => cut(&text, chars).into(),
        Value::List(items) => Value::List(items.into_iter().map(|it| shortened(it, chars)).collect()),
        Value::Object(fields) => {
            Value::Object(fields.into_iter().map(|(name, it)| (name, shortened(it, chars))).collect())
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(arguments: String) -> Call {
        Call { id: "a".into(), name: "write_file".into(), arguments, ..Call::default() }
    }

    #[test]
    fn arguments_are_shortened_and_keep_their_names() {
        let mut calls = Calls::default();
        let text = "x".repeat(1 << 20);
        calls.add(&call(serde_json::json!({"path": "a.txt", "text": text}).to_string()), &text, false);
        let Value::List(list) = calls.shown() else { panic!("a list") };
        let entry = list[0].to_json();
        assert_eq!(entry["arguments"]["path"], "a.txt");
        assert!(entry["arguments"]["text"].as_str().unwrap().ends_with('…'));
        assert!(entry.to_string().len() < 3 * MAX_CHARS, "{entry}");

        let many: Vec<u32> = (0..100_000).collect();
        calls.add(&call(serde_json::json!({"many": many}).to_string()), "", false);
        let Value::List(list) = calls.into_value() else { panic!("a list") };
        assert!(list[1].to_json()["arguments"].as_str().unwrap().starts_with("{\"many\":[0,1,"));
    }

    #[test]
    fn the_most_calls_of_an_agent_fit_into_its_values() {
        let mut calls = Calls::default();
        let long = "ä".repeat(2500);
        let one = call(serde_json::json!({"text": long}).to_string());
        (0..32_000).for_each(|_| calls.add(&one, &long, false));
        assert!(matches!(calls.shown(), Value::List(shown) if shown.len() == MAX_SHOWN));
        assert!(calls.into_value().to_json().to_string().len() < 24 << 20);
    }
}
