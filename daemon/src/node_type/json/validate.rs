//! `json.validate`

use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values};

use super::content;
use crate::file_error::FileError;
use crate::json_schema;
use crate::node_type::build::Build;
use crate::node_type::typed_inputs::TypedInputs;
use crate::node_type::{NodeType, Runner, Workspace};

pub(super) fn node_type() -> NodeType {
    Build::new("json.validate", "Checks a value against a JSON Schema.")
        .input("value", Type::Any, "The value, or a JSON file.")
        .input(
            "schema",
            Type::Any,
            "The schema or a JSON file with it, draft 4 to 2020-12. References to other documents are not supported.",
        )
        .input(
            "on_invalid",
            Type::Choice,
            "What to do with an invalid value: fail, or report the errors.",
        )
        .default("fail")
        .choices(&["fail", "report"])
        .output("value", Type::Any, "The value if it is valid; absent otherwise.")
        .output("valid", Type::Bool, "Whether the value is valid.")
        .output("errors", Type::Text.list(), "The errors, each with the path of the invalid part; at most 100.")
        .max_bytes(32 << 20)
        .remember()
        .run(Runner::worker(run))
}

fn run(workspace: &mut Workspace, inputs: Values) -> Result<Values, FileError> {
    let value = content(workspace, inputs.value("value")?)?;
    let schema =
        content(workspace, inputs.value("schema")?).map_err(|error| format!("input `schema`: {error}"))?;
    let errors = errors(&value, &schema)?;
    let fails = inputs.text("on_invalid").is_ok_and(|it| it == "fail");
    if let Some(wrong) = json_schema::sentence(&errors).filter(|_| fails) {
        return Err(format!("the value is not valid: {wrong}").into());
    }
    let mut outputs = Values::from([("valid".to_owned(), Value::Bool(errors.is_empty()))]);
    if errors.is_empty() {
        outputs.insert("value".to_owned(), value);
    }
    outputs.insert("errors".to_owned(), Value::List(errors.into_iter().map(Value::from).collect()));
    Ok(outputs)
}

fn errors(value: &Value, schema: &Value) -> Result<Vec<String>, String> {
    let validator =
        json_schema::compile(&schema.to_json()).map_err(|error| format!("input `schema`: {error}"))?;
    Ok(json_schema::errors(&value.to_json(), &validator))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::node_type::fixture::{inputs, json};

    const SCHEMA: &str = r##"{
        "type": "object", "required": ["name"],
        "properties": {"name": {"type": "string", "pattern": "^[a-z]+$"}, "n": {"$ref": "#/$defs/n"}},
        "$defs": {"n": {"type": "integer", "minimum": 0}}
    }"##;

    fn validate(value: &str, schema: &str, on_invalid: &str) -> Result<Values, String> {
        let given = [("value", json(value)), ("schema", json(schema)), ("on_invalid", on_invalid.into())];
        let mut workspace = Workspace::of_test("/nowhere".into(), BTreeMap::new());
        run(&mut workspace, inputs(&node_type(), &given)?).map_err(String::from)
    }

    #[test]
    fn a_valid_value_passes() {
        let made = validate(r#"{"name": "pen", "n": 3}"#, SCHEMA, "fail").unwrap();
        assert_eq!(
            (&made["value"], &made["valid"]),
            (&json(r#"{"name": "pen", "n": 3}"#), &Value::Bool(true))
        );
    }

    #[test]
    fn errors_have_the_path_of_the_invalid_part() {
        let wrong = r#"{"name": "Pen", "n": -1}"#;
        let error = validate(wrong, SCHEMA, "fail").unwrap_err();
        assert!(
            error.starts_with("the value is not valid: `/") && error.ends_with("; and 1 more error"),
            "{error}"
        );
        let made = validate(wrong, SCHEMA, "report").unwrap();
        let errors = made["errors"].to_json().to_string();
        assert!(
            errors.contains("`/n`: -1 is less than the minimum of 0") && errors.contains("`/name`: "),
            "{errors}"
        );
        assert_eq!((&made["valid"], made.contains_key("value")), (&Value::Bool(false), false));
    }

    #[test]
    fn an_invalid_schema_and_one_with_external_references_are_refused() {
        assert!(validate("1", r#"{"type": "intger"}"#, "fail").unwrap_err().starts_with("input `schema`: "));
        for elsewhere in ["https://example.com/a.json", "file:///etc/passwd"] {
            let schema = format!(r#"{{"$ref": "{elsewhere}"}}"#);
            assert!(
                validate("1", &schema, "fail").unwrap_err().starts_with("input `schema`: "),
                "{elsewhere}"
            );
        }
        assert!(
            validate(r#""aa""#, r#"{"pattern": "(?=a)a"}"#, "fail").is_err(),
            "a pattern takes no more time than its text is long"
        );
    }
}
