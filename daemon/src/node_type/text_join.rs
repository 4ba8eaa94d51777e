//! `text.join`

use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values};

use super::build::Build;
use super::typed_inputs::{TypedInputs, one};
use super::{NodeType, Runner};

pub(super) fn node_type() -> NodeType {
    Build::new("text.join", "Joins a list of texts or numbers into one text.")
        .input("items", Type::Any.list(), "What is joined, in order; lists and objects are written as JSON.")
        .input("separator", Type::Text, "What stands between two items.")
        .default("\n")
        .output("text", Type::Text, "The joined text.")
        .run(Runner::Inline(run))
}

fn run(inputs: Values) -> Result<Values, String> {
    let separator = inputs.text("separator")?;
    let texts = inputs.list("items")?.iter().enumerate().map(|(index, item)| {
        Value::to_text(item).map_err(|error| format!("item {index} has no text: {error}"))
    });
    Ok(one("text", texts.collect::<Result<Vec<_>, _>>()?.join(separator)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_joined_in_order() {
        let mut inputs = one("items", vec!["a".into(), Value::Int(2), Value::Bool(true)]);
        inputs.insert("separator".into(), " · ".into());
        assert_eq!(run(inputs.clone()).unwrap()["text"], Value::from("a · 2 · true"));
        inputs.insert("items".into(), vec![Value::Int(1), Value::None].into());
        assert!(run(inputs).unwrap_err().starts_with("item 1"));
    }
}
