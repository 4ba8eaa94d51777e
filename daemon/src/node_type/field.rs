//! A field of a value by its name: of an object, however deep, or of media.

use std::borrow::Cow;

use fanlight_shared::value::{Value, cut};

/// Returns a field of a value: by its whole name, or step by step if that has dots. Media has `name`, `stem`, `ext` and
/// `size`. `None` if there is no such field, or if it is empty.
pub(super) fn field<'a>(value: &'a Value, name: &str) -> Option<Cow<'a, Value>> {
    let found = match value {
        Value::Object(fields) => match fields.get(name) {
            Some(found) => Some(Cow::Borrowed(found)),
            None => {
                let (first, rest) = name.split_once('.')?;
                return field(fields.get(first)?, rest);
            }
        },
        Value::Media(media) => match name {
            "name" => Some(Cow::Owned(media.name.as_str().into())),
            "stem" => Some(Cow::Owned(media.stem().into())),
            "ext" => Some(Cow::Owned(media.ext().into())),
            "size" => Some(Cow::Owned(Value::Int(i64::try_from(media.bytes).unwrap_or(i64::MAX)))),
            _ => None,
        },
        Value::List(items) => {
            let (first, rest) =
                name.split_once('.').map_or((name, None), |(first, rest)| (first, Some(rest)));
            let item = items.get(first.parse::<usize>().ok()?)?;
            return match rest {
                Some(rest) => field(item, rest),
                None => Some(Cow::Borrowed(item)),
            };
        }
        _ => None,
    };
    found.filter(|value| **value != Value::None)
}

/// Returns a field of every item; empty for an item that does not have it.
///
/// # Errors
/// No item has it, so it is most likely misspelt.
pub(super) fn field_of_each(items: &[Value], name: &str) -> Result<Vec<Value>, String> {
    let found: Vec<Value> =
        items.iter().map(|item| field(item, name).map(Cow::into_owned).unwrap_or_default()).collect();
    if !found.is_empty() && found.iter().all(|it| *it == Value::None) {
        return Err(format!("no item has a field `{}`", cut(name, 60)));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node_type::fixture::json;

    #[test]
    fn a_field_is_found_by_its_name_or_step_by_step() {
        let value = json(r#"{"a": {"b": [10, 20]}, "a.b": 1, "empty": null}"#);
        let at = |name: &str| field(&value, name).map(Cow::into_owned);
        assert_eq!(at("a.b"), Some(Value::Int(1)), "the whole name goes first");
        assert_eq!(at("a").and_then(|it| field(&it, "b.1").map(Cow::into_owned)), Some(Value::Int(20)));
        assert_eq!((at("empty"), at("c"), at("c.d")), (None, None, None));
    }
}
