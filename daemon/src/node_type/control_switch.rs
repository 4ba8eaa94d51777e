//! `control.switch`

use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values};

use super::build::Build;
use super::compare::identity;
use super::typed_inputs::TypedInputs;
use super::{NodeType, Runner};

pub(super) fn node_type() -> NodeType {
    Build::new(
        "control.switch",
        "Passes a value on to one of two outputs, depending on another value; what reads the other output is skipped.",
    )
    .input("value", Type::Any, "What is looked at.")
    .input("cases", Type::Any.list(), "What it may be.")
    .input("input", Type::Any, "What is passed on; `value` itself where it is left out.")
    .optional()
    .output("matched", Type::Any, "What is passed on where `value` is one of the cases, otherwise absent.")
    .output("index", Type::Int, "Which case it is, from 0; absent where it is none: `if: route.index == 0`.")
    .output("default", Type::Any, "What is passed on where `value` is none of the cases, otherwise absent.")
    .max_bytes(64 << 20)
    .run(Runner::handles(run))
}

fn run(mut inputs: Values) -> Result<Values, String> {
    let value = inputs.value("value")?;
    if matches!(value, Value::Large(_)) {
        return Err("`value` is too long to be compared; give a part of it, and the whole by `input`".into());
    }
    let wanted = identity(value);
    let index = inputs.list("cases")?.iter().position(|case| identity(case) == wanted);
    let passed = inputs.swap_remove("input").filter(|it| *it != Value::None);
    let passed = match passed {
        Some(passed) => passed,
        None => inputs.swap_remove("value").unwrap_or_default(),
    };
    Ok(match index {
        Some(index) => Values::from([
            ("matched".to_owned(), passed),
            ("index".to_owned(), Value::Int(i64::try_from(index).unwrap_or(i64::MAX))),
        ]),
        None => Values::from([("default".to_owned(), passed)]),
    })
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{json, made};
    use super::*;

    fn switch(value: &str, input: Option<&str>) -> Values {
        let mut given = vec![("value", json(value)), ("cases", json(r#"["photo", 2, {"a": 1}]"#))];
        given.extend(input.map(|it| ("input", json(it))));
        made(&node_type(), &given).unwrap()
    }

    #[test]
    fn the_value_goes_one_way_and_the_other_is_absent() {
        assert_eq!(
            switch("2.0", Some("[7]")),
            Values::from([("matched".to_owned(), json("[7]")), ("index".to_owned(), Value::Int(1))])
        );
        assert_eq!(switch(r#"{"a": 1}"#, None)["index"], Value::Int(2));
        assert_eq!(switch("\"2\"", None), Values::from([("default".to_owned(), "2".into())]));
    }
}
