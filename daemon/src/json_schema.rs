//! Checks of values against JSON Schemas: without the network, and in time that the text of a value bounds.

use fanlight_shared::value::cut;
use jsonschema::{PatternOptions, Validator};
use serde_json::Value as Json;

/// The most errors that are listed.
const MAX_ERRORS: usize = 100;
/// The largest compiled pattern of a schema, in bytes.
const MAX_PATTERN_BYTES: usize = 4 << 20;

/// Checks that a schema can be used. It may refer to its own parts only.
///
/// # Errors
/// A sentence with the place in the schema.
pub(crate) fn compile(schema: &Json) -> Result<Validator, String> {
    jsonschema::options()
        .with_pattern_options(PatternOptions::regex().size_limit(MAX_PATTERN_BYTES))
        .should_validate_formats(true)
        .offline()
        .build(schema)
        .map_err(|error| placed(&error.instance_path().to_string(), &error.to_string()))
}

/// Returns what is wrong with a value, each with its place; the first hundred.
pub(crate) fn errors(value: &Json, validator: &Validator) -> Vec<String> {
    let errors = validator.iter_errors(value).take(MAX_ERRORS);
    errors.map(|error| placed(&error.instance_path().to_string(), &error.to_string())).collect()
}

/// Returns the errors as the end of one sentence; `None` if there are none.
pub(crate) fn sentence(errors: &[String]) -> Option<String> {
    let first = errors.first()?;
    let more = match errors.len() - 1 {
        0 => String::new(),
        1 => "; and 1 more error".into(),
        more => format!("; and {more} more errors"),
    };
    Some(format!("{first}{more}"))
}

fn placed(path: &str, what: &str) -> String {
    let what = cut(what, 300);
    if path.is_empty() { what } else { format!("`{}`: {what}", cut(path, 100)) }
}
