//! `text.join`

use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values};

use crate::content::TextOutput;
use crate::file_error::FileError;
use crate::node_type::build::Build;
use crate::node_type::typed_inputs::TypedInputs;
use crate::node_type::{NodeType, Runner};

pub(super) fn node_type() -> NodeType {
    Build::new("text.join", "Joins a list of texts or numbers into one text.")
        .input(
            "items",
            Type::Any.list(),
            "The items to join, in order; lists and objects are written as JSON.",
        )
        .input("separator", Type::Text, "The text between two items.")
        .default("\n")
        .output("text", Type::Text, "The joined text.")
        .max_bytes(512 << 20)
        .run(Runner::text(run))
}

fn run(output: &mut TextOutput, inputs: Values) -> Result<(), FileError> {
    let separator = inputs.text("separator")?;
    for (index, item) in inputs.list("items")?.iter().enumerate() {
        if index > 0 {
            output.push(separator)?;
        }
        if matches!(item, Value::None | Value::Media(_)) {
            item.to_text().map_err(|error| format!("item {index} has no text: {error}"))?;
        }
        output.push_value(item)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node_type::typed_inputs::one;

    fn join(items: Vec<Value>) -> Option<Result<Values, FileError>> {
        let mut inputs = one("items", items);
        inputs.insert("separator".into(), " · ".into());
        node_type().run_at_once(&inputs, 1000)
    }

    #[test]
    fn items_are_joined_in_order() {
        let joined = join(vec!["a".into(), Value::Int(2), Value::Bool(true)]);
        assert_eq!(joined.unwrap().unwrap()["text"], Value::from("a · 2 · true"));
        assert!(
            join(vec![Value::Int(1), Value::None]).unwrap().unwrap_err().to_string().starts_with("item 1")
        );
    }

    #[test]
    fn a_long_text_is_not_made_in_memory() {
        assert!(join(vec!["x".repeat(600).into(), "x".repeat(600).into()]).is_none());
    }
}
