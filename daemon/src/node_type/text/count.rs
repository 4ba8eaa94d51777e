//! `text.count`

use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values};
use unicode_segmentation::UnicodeSegmentation as _;

use crate::node_type::build::Build;
use crate::node_type::typed_inputs::TypedInputs;
use crate::node_type::{NodeType, Runner};

pub(super) fn node_type() -> NodeType {
    Build::new("text.count", "Counts the characters, words, lines and sentences of a text.")
        .input("text", Type::Text, "The text to measure.")
        .input("find", Type::Text, "A text to count the occurrences of.")
        .optional()
        .output("characters", Type::Int, "The number of characters as people see them: an emoji is one.")
        .output("words", Type::Int, "The number of words, separated by whitespace.")
        .output("lines", Type::Int, "The number of lines; the last one may lack a line break.")
        .output("sentences", Type::Int, "The number of sentences.")
        .output("bytes", Type::Int, "The number of bytes in UTF-8.")
        .output(
            "found",
            Type::Int,
            "The number of occurrences of `find`, without overlaps; absent without `find`.",
        )
        .remember()
        .run(Runner::inline(run))
}

fn run(inputs: Values) -> Result<Values, String> {
    let text = inputs.text("text")?;
    let mut counts = vec![
        ("characters", text.graphemes(true).count()),
        ("words", text.split_whitespace().count()),
        ("lines", text.lines().count()),
        ("sentences", text.unicode_sentences().count()),
        ("bytes", text.len()),
    ];
    match inputs.maybe("find").and_then(Value::as_text) {
        Some("") => return Err("`find` is empty; give the text to count".into()),
        Some(find) => counts.push(("found", text.matches(find).count())),
        None => {}
    }
    let int = |count| Value::Int(i64::try_from(count).unwrap_or(i64::MAX));
    Ok(counts.into_iter().map(|(name, count)| (name.to_owned(), int(count))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node_type::fixture::made;

    #[test]
    fn characters_are_those_that_people_see() {
        let made =
            made(&node_type(), &[("text", "Grüße 👩‍👩‍👧!\nTwo. Three.".into()), ("find", "T".into())]).unwrap();
        let counts: Vec<(&str, i64)> =
            made.iter().map(|(name, it)| (name.as_str(), it.as_int().unwrap())).collect();
        let expected =
            [("characters", 20), ("words", 4), ("lines", 2), ("sentences", 3), ("bytes", 39), ("found", 2)];
        assert_eq!(counts, expected);
    }

    #[test]
    fn an_empty_text_has_zero_counts_and_an_empty_search_is_an_error() {
        let empty = made(&node_type(), &[("text", "".into())]).unwrap();
        assert!(empty.values().all(|it| it.as_int() == Some(0)) && !empty.contains_key("found"));
        assert!(
            made(&node_type(), &[("text", "a".into()), ("find", "".into())])
                .unwrap_err()
                .contains("`find` is empty")
        );
    }
}
