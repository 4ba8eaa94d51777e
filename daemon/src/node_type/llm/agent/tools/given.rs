//! The arguments of a tool that has the inputs of a node type or the params of a workflow.

use fanlight_shared::node_type::InputSpec;
use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values};
use indexmap::IndexMap;
use serde_json::{Map, Value as Json, json};

use super::made::MadeFiles;

/// Inputs by name.
pub(super) type Inputs = IndexMap<String, InputSpec>;

/// Checks the inputs that a model can't choose. `shown` is the name of what has them.
pub(super) fn check_fixed(inputs: &Inputs, fixed: &mut Values, shown: &str) -> Result<(), String> {
    for (input, value) in fixed {
        let spec =
            inputs.get(input).ok_or_else(|| format!("input `tools`: `{shown}` has no input `{input}`"))?;
        *value = spec
            .check(std::mem::take(value))
            .map_err(|why| format!("input `tools`: `{input}` of `{shown}`: {why}"))?;
    }
    Ok(())
}

/// Returns the schema of the inputs that a model chooses.
pub(super) fn schema(inputs: &Inputs, chosen: &dyn Fn(&str) -> bool) -> Json {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for (name, input) in inputs.iter().filter(|(name, _)| chosen(name)) {
        let mut property = of_type(&input.ty, input);
        let file = if input.ty.has_media() {
            " The name of a file that a tool has made, such as `image_1`."
        } else {
            ""
        };
        property["description"] = format!("{}{file}", input.summary).trim_start().into();
        properties.insert(name.clone(), property);
        if input.required() {
            required.push(name.clone());
        }
    }
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

fn of_type(ty: &Type, input: &InputSpec) -> Json {
    match ty {
        Type::Choice => json!({"type": "string", "enum": input.choices}),
        Type::Text | Type::Media(_) => json!({"type": "string"}),
        Type::Int => json!({"type": "integer"}),
        Type::Float => json!({"type": "number"}),
        Type::Bool => json!({"type": "boolean"}),
        Type::List(of) => json!({"type": "array", "items": of_type(of, input)}),
        _ => json!({}),
    }
}

/// Returns the inputs of a call: those that are fixed, and those that the model gives.
pub(super) fn values(
    inputs: &Inputs,
    fixed: &Values,
    arguments: Json,
    made: &MadeFiles,
) -> Result<Values, String> {
    let Json::Object(mut given) = arguments else { return Err("the arguments are not an object".to_owned()) };
    let mut values = fixed.clone();
    for (name, spec) in inputs {
        if values.contains_key(name) {
            continue;
        }
        if let Some(json) = given.remove(name).filter(|it| !it.is_null()) {
            let value = with_files(&spec.ty, Value::from_json(json), made);
            let value =
                value.and_then(|value| spec.check(value)).map_err(|why| format!("`{name}`: {why}"))?;
            values.insert(name.clone(), value);
        }
    }
    Ok(values)
}

/// Replaces the names of files by the files.
fn with_files(ty: &Type, value: Value, made: &MadeFiles) -> Result<Value, String> {
    match (ty, value) {
        (Type::Media(_), Value::Text(name)) => Ok(made.get(&name)?.into()),
        (Type::List(of), Value::List(items)) => {
            let items: Result<Vec<Value>, String> =
                items.into_iter().map(|item| with_files(of, item, made)).collect();
            Ok(Value::List(items?))
        }
        (_, value) => Ok(value),
    }
}
