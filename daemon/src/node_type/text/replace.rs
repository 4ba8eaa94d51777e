//! `text.replace`

use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values};

use crate::node_type::build::Build;
use crate::node_type::typed_inputs::TypedInputs;
use crate::node_type::{NodeType, Runner};

/// The longest text that is made, in bytes.
const MAX_TEXT_BYTES: usize = 64 << 20;

pub(super) fn node_type() -> NodeType {
    Build::new(
        "text.replace",
        "Replaces every occurrence of a text by another; `text.regex` replaces patterns.",
    )
    .input("text", Type::Text, "The text to change.")
    .input("find", Type::Text, "The text to replace, compared character by character.")
    .input("with", Type::Text, "The replacement.")
    .default("")
    .input("limit", Type::Int, "The maximum number of replacements, from the start.")
    .optional()
    .range(0.0, 1e9)
    .output("text", Type::Text, "The new text.")
    .output("count", Type::Int, "The number of replacements.")
    .max_bytes(MAX_TEXT_BYTES as u64)
    .remember()
    .run(Runner::inline(run))
}

fn run(inputs: Values) -> Result<Values, String> {
    let (text, find, with) = (inputs.text("text")?, inputs.text("find")?, inputs.text("with")?);
    if find.is_empty() {
        return Err("`find` is empty; give the text to replace".into());
    }
    let limit = inputs.maybe("limit").and_then(Value::as_int);
    let limit = limit.and_then(|it| usize::try_from(it).ok()).unwrap_or(usize::MAX);
    let count = text.matches(find).take(limit).count();
    let length = (text.len() - count * find.len()).saturating_add(count.saturating_mul(with.len()));
    if length > MAX_TEXT_BYTES {
        return Err(format!(
            "with {count} replacements the text would have {length} bytes, more than {MAX_TEXT_BYTES}"
        ));
    }
    let replaced = text.replacen(find, with, count);
    let count = Value::Int(i64::try_from(count).unwrap_or(i64::MAX));
    Ok(Values::from([("text".to_owned(), replaced.into()), ("count".to_owned(), count)]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node_type::fixture::made;

    fn replace(text: &str, find: &str, with: &str, limit: Option<i64>) -> Result<(String, i64), String> {
        let mut given = vec![("text", text.into()), ("find", find.into()), ("with", with.into())];
        given.extend(limit.map(|limit| ("limit", Value::Int(limit))));
        made(&node_type(), &given)
            .map(|made| (made["text"].as_text().unwrap().to_owned(), made["count"].as_int().unwrap()))
    }

    #[test]
    fn every_occurrence_is_replaced_literally() {
        assert_eq!(replace("a.b.c", ".", "$1", None), Ok(("a$1b$1c".into(), 2)));
        assert_eq!(replace("aaa", "a", "aa", Some(2)), Ok(("aaaaa".into(), 2)));
        assert_eq!(replace("abc", "x", "y", None), Ok(("abc".into(), 0)));
    }

    #[test]
    fn an_empty_search_and_too_long_a_result_are_errors() {
        assert!(replace("abc", "", "y", None).unwrap_err().contains("`find` is empty"));
        let (many, long) = ("a".repeat(100_000), "b".repeat(10_000));
        assert!(replace(&many, "a", &long, None).unwrap_err().contains("would have 1000000000 bytes"));
    }
}
