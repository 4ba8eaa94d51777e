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
        "Passes a value to one of two outputs, depending on another value; nodes that read the other output are skipped.",
    )
    .input("value", Type::Any, "The value to compare with the cases.")
    .input("cases", Type::Any.list(), "The cases.")
    .input("input", Type::Any, "The value to pass on; `value` itself by default.")
    .optional()
    .output("matched", Type::Any, "The value that is passed on if `value` equals a case; absent otherwise.")
    .output("index", Type::Int, "The position of the matching case, from 0, as in `if: route.index == 0`; absent if none matches.")
    .output("default", Type::Any, "The value that is passed on if `value` equals no case; absent otherwise.")
    .max_bytes(64 << 20)
    .run(Runner::handles(run))
}

fn run(mut inputs: Values) -> Result<Values, String> {
    let value = inputs.value("value")?;
    if matches!(value, Value::Large(_)) {
        return Err("`value` is too long to be compared; pass a part of it, and the whole as `input`".into());
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
    fn a_value_goes_to_one_output_and_the_other_is_absent() {
        assert_eq!(
            switch("2.0", Some("[7]")),
            Values::from([("matched".to_owned(), json("[7]")), ("index".to_owned(), Value::Int(1))])
        );
        assert_eq!(switch(r#"{"a": 1}"#, None)["index"], Value::Int(2));
        assert_eq!(switch("\"2\"", None), Values::from([("default".to_owned(), "2".into())]));
    }
}
