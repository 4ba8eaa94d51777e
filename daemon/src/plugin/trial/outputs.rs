//! The outputs of a trial: compared with an example's, and shown.

use fanlight_shared::node_type::NodeTypeSpec;
use fanlight_shared::value::{Value, Values};

use crate::plugin::manifest::Example;

/// Compares outputs with those that an example expects.
pub(super) fn check_outputs(spec: &NodeTypeSpec, example: &Example, values: &Values) -> Result<(), String> {
    for (name, expected) in &example.outputs {
        let declared = spec.outputs.get(name).ok_or_else(|| format!("it has no output `{name}`"))?;
        if declared.ty.has_media() {
            return Err(format!("output `{name}`: files can't be compared; leave it out of the example"));
        }
        let expected = Value::from_json(expected.clone()).convert(&declared.ty);
        let expected = expected.map_err(|why| format!("output `{name}` of the example: {why}"))?;
        let given = values.get(name).unwrap_or(&Value::None);
        if *given != expected {
            return Err(format!(
                "output `{name}`: expected {}, got {}",
                expected.summary(60),
                given.summary(60)
            ));
        }
    }
    Ok(())
}

/// Returns outputs on a line, with notes.
pub(super) fn shown(values: &Values, notes: Option<String>) -> String {
    let values = values.iter().map(|(name, value)| format!("{name} {}", value.summary(40)));
    values.chain(notes).collect::<Vec<_>>().join(", ")
}
