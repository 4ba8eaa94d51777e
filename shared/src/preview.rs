//! Previews, which lists, events and telemetry carry in place of a value or text that is too large for one message.
//!
//! Every limit is in bytes of JSON, so that the size of a message made of previews is known.

use std::borrow::Cow;
use std::io::Write;

use indexmap::IndexMap;
use serde::Serialize;

use crate::id::BlobHash;
use crate::value::{Value, Values, shortened};

/// The most bytes of the note at the end of a list that was cut.
const NOTE: usize = 32;

/// Returns the size of a value as JSON, in bytes.
pub fn json_bytes<T: Serialize + ?Sized>(value: &T) -> usize {
    count(value, usize::MAX).unwrap_or(usize::MAX)
}

/// Returns whether a value has at most `limit` bytes as JSON, without measuring further.
pub fn fits<T: Serialize + ?Sized>(value: &T, limit: usize) -> bool {
    count(value, limit).is_some()
}

fn count<T: Serialize + ?Sized>(value: &T, limit: usize) -> Option<usize> {
    struct Counter {
        bytes: usize,
        limit: usize,
    }
    impl Write for Counter {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.bytes = self.bytes.saturating_add(bytes.len());
            if self.bytes > self.limit {
                Err(std::io::ErrorKind::FileTooLarge.into())
            } else {
                Ok(bytes.len())
            }
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut counter = Counter { bytes: 0, limit };
    serde_json::to_writer(&mut counter, value).ok()?;
    Some(counter.bytes)
}

/// Returns the beginning of a text, at most `limit` bytes as JSON, with `…` if something was cut.
#[must_use]
pub fn text(text: &str, limit: usize) -> String {
    let mut room = limit.saturating_sub("\"…\"".len());
    let mut end = None;
    for (at, c) in text.char_indices() {
        let bytes = match c {
            '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
            c if c < ' ' => 6,
            c => c.len_utf8(),
        };
        let Some(left) = room.checked_sub(bytes) else {
            end = Some(at);
            break;
        };
        room = left;
    }
    match end {
        Some(end) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Cuts a text in place as [`text`] does.
pub fn cut_text(whole: &mut String, limit: usize) {
    // JSON writes a byte as at most six.
    if whole.len() > limit / 6 {
        let cut = text(whole, limit);
        if cut.len() != whole.len() {
            *whole = cut;
        }
    }
}

/// Returns a value unchanged if it has at most `limit` bytes as JSON. Otherwise a text is cut to its beginning, a list
/// to its first items and the number of the others, and an object becomes the beginning of its JSON.
#[must_use]
pub fn value(value: &Value, limit: usize) -> Value {
    if fits(value, limit) {
        return value.clone();
    }
    match value {
        Value::Text(whole) => Value::Text(text(whole, limit)),
        Value::List(items) => Value::List(list(items, limit)),
        Value::Object(_) => Value::Text(text(&value.to_json().to_string(), limit)),
        Value::Media(media) => Value::Text(text(&media.name, limit)),
        plain => plain.clone(),
    }
}

fn list(items: &[Value], limit: usize) -> Vec<Value> {
    let mut room = limit.saturating_sub("[]".len() + NOTE);
    let mut first = Vec::new();
    for item in items {
        // Many shortened items say more than one large item in full.
        let shown = match item {
            Value::Media(_) => item.clone(),
            other => self::value(other, (limit / 4).max(NOTE)),
        };
        let Some(left) = room.checked_sub(json_bytes(&shown) + 1) else { break };
        room = left;
        first.push(shown);
    }
    if first.len() < items.len() {
        first.push(shortened::note(items.len() - first.len()));
    }
    first
}

/// Shortens values by name so that each has at most `each` and all together have at most `all` bytes as JSON. Also
/// returns whether nothing was changed. Values at the end that don't fit are left out.
#[must_use]
pub fn values(values: &Values, each: usize, all: usize) -> (Values, bool) {
    collect(values, all, |given| value(given, each))
}

/// Returns whether [`values`] would return these values as they are.
#[must_use]
pub fn all_fit(values: &Values, each: usize, all: usize) -> bool {
    let mut room = all;
    values.iter().all(|(name, value)| {
        let Some(bytes) = count(value, each) else { return false };
        let left = room.checked_sub(json_bytes(name) + bytes + ":,".len());
        room = left.unwrap_or_default();
        left.is_some()
    })
}

/// Does the same as [`values`], for values that people compare: a preview also includes the size and hash of the value,
/// so that two values with the same beginning don't look equal.
#[must_use]
pub fn distinguishable(values: &Values, each: usize, all: usize) -> (Values, bool) {
    let preview = |beginning: &str, bytes: u64, hash: &BlobHash| {
        let (beginning, hash) = (text(beginning, each), hash.to_string());
        let beginning = beginning.strip_suffix('…').unwrap_or(&beginning);
        Value::Text(format!("{beginning}… ({bytes} bytes, {})", hash.get(..8).unwrap_or_default()))
    };
    collect(values, all, |given| match given {
        Value::Large(large) => preview(&large.head, large.bytes, &large.hash),
        given if fits(given, each) => given.clone(),
        given => {
            let whole = content(given);
            preview(&whole, whole.len() as u64, &BlobHash::of(whole.as_bytes()))
        }
    })
}

/// Returns the hashes of the values that have more than `each` bytes, by name.
#[must_use]
pub fn hashes_of_long(values: &Values, each: usize) -> IndexMap<String, BlobHash> {
    let hash = |value: &Value| match value {
        Value::Large(large) => Some(large.hash),
        value if fits(value, each) => None,
        value => Some(BlobHash::of(content(value).as_bytes())),
    };
    values.iter().filter_map(|(name, value)| Some((name.clone(), hash(value)?))).collect()
}

/// Returns a value as a large one is stored: a text as it is, anything else as JSON.
fn content(value: &Value) -> Cow<'_, str> {
    match value {
        Value::Text(whole) => Cow::Borrowed(whole),
        other => Cow::Owned(other.to_json().to_string()),
    }
}

fn collect(values: &Values, all: usize, preview: impl Fn(&Value) -> Value) -> (Values, bool) {
    let mut room = all;
    let mut shown = IndexMap::with_capacity(values.len());
    let mut same = true;
    for (name, given) in values {
        let value = preview(given);
        let bytes = json_bytes(name) + json_bytes(&value) + ":,".len();
        let Some(left) = room.checked_sub(bytes) else {
            same = false;
            continue;
        };
        room = left;
        same &= value == *given;
        shown.insert(name.clone(), value);
    }
    (shown, same)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::large::Large;
    use crate::types::Type;

    fn any_value() -> impl Strategy<Value = Value> {
        let plain = prop_oneof![
            any::<i64>().prop_map(Value::Int),
            any::<bool>().prop_map(Value::Bool),
            "(?s).{0,300}".prop_map(Value::Text),
            "[\\x00-\\x1f\"\\\\]{0,80}".prop_map(Value::Text),
        ];
        plain.prop_recursive(5, 200, 20, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..20).prop_map(Value::List),
                prop::collection::vec(("[a-z$]{1,9}", inner), 0..20)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_preview_is_never_larger_than_its_limit(whole in any_value(), limit in 64..2000_usize) {
            let preview = value(&whole, limit);
            prop_assert!(fits(&preview, limit), "{} bytes of {limit}", json_bytes(&preview));
            if fits(&whole, limit) {
                prop_assert_eq!(preview, whole);
            }
        }

        #[test]
        fn previews_by_name_have_a_common_limit(
            whole in prop::collection::vec(any_value(), 0..30),
            all in 0..4000_usize,
        ) {
            let whole: Values = whole.into_iter().zip(0..).map(|(it, at)| (format!("p{at}"), it)).collect();
            let (shown, same) = values(&whole, 256, all);
            let bytes = json_bytes(&shown);
            prop_assert!(bytes <= all + 2, "{} bytes of {}", bytes, all);
            prop_assert_eq!(same, shown == whole);
        }
    }

    #[test]
    fn a_long_list_ends_with_the_number_of_further_items() {
        let list = Value::List((0..10_000).map(Value::Int).collect());
        let preview = value(&list, 1024);
        let preview = preview.as_list().unwrap();
        assert_eq!(preview.last(), Some(&Value::from(format!("… {} more", 10_000 - (preview.len() - 1)))));
        assert_eq!(shortened::items(preview), (&preview[..preview.len() - 1], 10_000));
    }

    #[test]
    fn long_params_that_differ_at_their_end_do_not_look_the_same() {
        let of = |end: &str| {
            distinguishable(
                &Values::from([("prompt".into(), Value::from("x".repeat(5000) + end))]),
                256,
                4096,
            )
        };
        let ((one, whole), (two, _)) = (of("a"), of("b"));
        assert!(!whole && one != two);
        assert!(one["prompt"].as_text().unwrap().contains("… (5001 bytes, "));
        let content = "x".repeat(5000) + "a";
        let large = Large {
            ty: Type::Text,
            hash: BlobHash::of(content.as_bytes()),
            bytes: content.len() as u64,
            head: Large::head_of(&content),
            media: false,
            masked: false,
            not_utf8: false,
            cut: false,
        };
        let (handle, whole) =
            distinguishable(&Values::from([("prompt".into(), Value::from(large.clone()))]), 256, 4096);
        let whole_text = Values::from([("prompt".into(), Value::from(content)), ("n".into(), Value::Int(1))]);
        let of_handle = Values::from([("prompt".into(), Value::from(large))]);
        assert_eq!(hashes_of_long(&whole_text, 256), hashes_of_long(&of_handle, 256), "{whole_text:?}");
        let end = |shown: &Values| shown["prompt"].as_text().unwrap().split_once('…').unwrap().1.to_owned();
        assert!(!whole && end(&handle) == end(&one), "{handle:?}");
    }
}
