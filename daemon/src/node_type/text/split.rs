//! `text.split`

use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values};
use unicode_segmentation::UnicodeSegmentation as _;

use super::pieces::pieces;
use crate::node_type::build::Build;
use crate::node_type::typed_inputs::TypedInputs;
use crate::node_type::{NodeType, Runner};

/// The most parts: as many as a run may have instances.
const MAX_PARTS: usize = 100_000;

pub(super) fn node_type() -> NodeType {
    Build::new("text.split", "Splits text into parts.")
        .input("text", Type::Text, "The text to split.")
        .input(
            "by",
            Type::Choice,
            "The kind of part; `length` makes pieces for a language model, which end at a paragraph, a sentence or a word.",
        )
        .default("lines")
        .choices(&["lines", "paragraphs", "sentences", "words", "separator", "length"])
        .input("separator", Type::Text, "The text between two parts, for `by: separator`.")
        .default(",")
        .input("size", Type::Int, "The maximum number of characters in a part, for `by: length`.")
        .default(2_000_i64)
        .range(1.0, 1e9)
        .input("overlap", Type::Int, "The number of characters that each part repeats from the previous one, for `by: length`.")
        .default(0_i64)
        .range(0.0, 1e9)
        .input("trim", Type::Bool, "Whether to remove whitespace around each part.")
        .default(true)
        .input("keep_empty", Type::Bool, "Whether to keep empty parts.")
        .default(false)
        .output("items", Type::Text.list(), "The parts.")
        .output("count", Type::Int, "The number of parts.")
        .max_bytes(64 << 20)
        .remember()
        .run(Runner::inline(run))
}

fn run(inputs: Values) -> Result<Values, String> {
    let (text, by) = (inputs.text("text")?, inputs.text("by")?);
    let parts: Box<dyn Iterator<Item = &str>> = match by {
        "paragraphs" => Box::new(paragraphs(text)),
        "sentences" => Box::new(text.unicode_sentences()),
        "words" => Box::new(text.split_whitespace()),
        "separator" => match inputs.text("separator")? {
            "" => {
                return Err(
                    "`separator` is empty; give the text between two parts, or choose another `by`".into()
                );
            }
            separator => Box::new(text.split(separator)),
        },
        "length" => {
            let (size, overlap) = (inputs.count("size")? as usize, inputs.count("overlap")? as usize);
            if overlap * 2 > size {
                return Err(format!("`overlap` is {overlap}, more than half of `size`, which is {size}"));
            }
            Box::new(pieces(text, size, overlap).into_iter())
        }
        _ => Box::new(text.lines()),
    };
    let (trim, keep_empty) = (inputs.flag("trim")?, inputs.flag("keep_empty")?);
    let parts = parts.map(|part| if trim { part.trim() } else { part });
    let kept = parts.filter(|part| keep_empty || !part.trim().is_empty());
    let items: Vec<Value> = kept.take(MAX_PARTS + 1).map(Value::from).collect();
    if items.len() > MAX_PARTS {
        return Err(format!("the text has more than {MAX_PARTS} parts; split it into larger parts"));
    }
    let count = Value::Int(i64::try_from(items.len()).unwrap_or(i64::MAX));
    Ok(Values::from([("items".to_owned(), items.into()), ("count".to_owned(), count)]))
}

/// Returns the parts between empty lines.
fn paragraphs(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let mut end = 0;
        for line in rest.split_inclusive('\n') {
            if line.trim().is_empty() && end > 0 {
                break;
            }
            end += line.len();
        }
        let (part, behind) = rest.split_at(end);
        rest = behind;
        Some(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node_type::fixture::made;

    fn split(text: &str, given: &[(&str, Value)]) -> Result<Vec<String>, String> {
        let mut all = vec![("text", text.into())];
        all.extend(given.iter().cloned());
        let made = made(&node_type(), &all)?;
        let items: Vec<String> =
            made["items"].as_list().unwrap().iter().map(|it| it.as_text().unwrap().to_owned()).collect();
        assert_eq!(made["count"], Value::Int(items.len() as i64));
        Ok(items)
    }

    #[test]
    fn text_is_split_by_lines_paragraphs_sentences_words_and_separators() {
        let text = "One. Two three.\r\n  \r\n\n Four,five\nsix ";
        let by = |by: &str| split(text, &[("by", by.into())]).unwrap();
        assert_eq!(by("lines"), ["One. Two three.", "Four,five", "six"]);
        assert_eq!(by("paragraphs"), ["One. Two three.", "Four,five\nsix"]);
        assert_eq!(by("sentences")[..2], ["One.", "Two three."]);
        assert_eq!(by("words"), ["One.", "Two", "three.", "Four,five", "six"]);
        assert_eq!(by("separator"), ["One. Two three.\r\n  \r\n\n Four", "five\nsix"]);
        let sizes = [("by", "length".into()), ("size", Value::Int(10)), ("overlap", Value::Int(2))];
        assert_eq!(split("one two three four", &sizes).unwrap(), ["one two", "three four"]);
    }

    #[test]
    fn empty_parts_and_whitespace_are_kept_on_request() {
        let given = [("by", "separator".into()), ("keep_empty", true.into()), ("trim", false.into())];
        assert_eq!(split("a,, b,", &given).unwrap(), ["a", "", " b", ""]);
        assert_eq!(split("", &[]).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn an_error_says_why_text_cannot_be_split() {
        let no_separator = [("by", "separator".into()), ("separator", "".into())];
        assert!(split("abc", &no_separator).unwrap_err().contains("`separator` is empty"));
        let overlap = [("by", "length".into()), ("size", Value::Int(10)), ("overlap", Value::Int(6))];
        assert!(split("abc", &overlap).unwrap_err().contains("more than half of `size`, which is 10"));
        let many = "a\n".repeat(MAX_PARTS + 1);
        assert!(split(&many, &[]).unwrap_err().contains("more than 100000 parts"));
    }
}
