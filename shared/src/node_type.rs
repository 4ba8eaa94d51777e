//! Node types as data, for `fanlight nodes`, the checks, the schema and the docs.

use indexmap::IndexMap;
#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::types::Type;
use crate::value::Value;

/// The node type that runs another workflow.
pub const RUN_TYPE: &str = "workflow.run";

/// The side effects of a node of this type; they decide whether an interrupted node may run again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Effects {
    /// Nothing outside the run changes.
    None,
    /// Running it twice has the same effect as running it once.
    Idempotent,
    /// Running it twice may matter; an interrupted node fails unless it has `on_interrupt: again`.
    #[default]
    External,
}

/// The place where nodes of a type run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// In the daemon's loop: pure and quick, without processes or files.
    Inline,
    /// In the daemon, beside its loop: waits or reads files.
    Daemon,
    /// In a worker process: decodes or encodes foreign bytes.
    Worker,
    /// By an executor of its own, such as a program in another language.
    Executor,
}

/// The language of the text of an input, if it is code.
///
/// A template may come from anywhere. All other code is written in the file as it is, so that it is checked before a run
/// starts and no value becomes part of it: values are passed by inputs of their own.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// A Jinja template; the other inputs are its variables.
    Template,
    /// An expression over `item`, `index` and the other inputs, `inputs.NAME`.
    Item,
    /// An expression over `row`, `index` and the other inputs, `inputs.NAME`; or an object of such expressions.
    Row,
    /// A jq filter; the other inputs are its variables, `$NAME`.
    Jq,
    /// The body of a JavaScript function; the other inputs are `inputs.NAME`.
    #[serde(rename = "javascript")]
    JavaScript,
}

/// The outputs that a node may declare by `outputs:` in the file, instead of those of its type.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum DeclaredOutputs {
    /// Values that aren't media.
    Values,
    /// Values of any type.
    Any,
}

impl DeclaredOutputs {
    /// Returns whether an output of this type may be declared.
    #[must_use]
    pub fn allow(self, ty: &Type) -> bool {
        self == Self::Any || !ty.has_media()
    }
}

/// A node type as data.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct NodeTypeSpec {
    /// Its name, such as `image.generate`.
    pub name: String,
    /// One sentence for people.
    pub summary: String,
    /// Increases when the same inputs give a different result.
    pub version: u32,
    /// Its side effects.
    pub effects: Effects,
    /// Where it runs.
    pub place: Place,
    /// Whether its outputs already belong to the user, such as files on disk. They aren't products, so they become
    /// assets only if the workflow outputs them or the node has `keep: true`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub source: bool,
    /// Whether a result is reused by later nodes of the same type, version and inputs: it depends on nothing else, and takes
    /// time to compute.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub remember: bool,
    /// The maximum total size of the values of one attempt in bytes, without media; a node that exceeds it fails.
    #[serde(default)]
    pub max_bytes: u64,
    /// Inputs by name, in the order of the docs.
    pub inputs: IndexMap<String, InputSpec>,
    /// Whether it accepts inputs that aren't declared, such as the variables of a template.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub more_inputs: bool,
    /// Outputs by name.
    pub outputs: IndexMap<String, OutputSpec>,
    /// The outputs that a node may declare instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared_outputs: Option<DeclaredOutputs>,
}

/// An input port.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct InputSpec {
    /// The type of its values.
    #[serde(rename = "type")]
    pub ty: Type,
    /// One sentence for people.
    pub summary: String,
    /// The default; without it the input is required, unless `optional`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// Whether it may be left out without a default.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
    /// Least number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// Greatest number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// The texts of a choice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
    /// The language of its text, if it is code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// Whether it may be built from secrets: the node uses it and its outputs don't contain it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub secret: bool,
}

impl InputSpec {
    /// Returns whether a node must provide it.
    #[must_use]
    pub fn required(&self) -> bool {
        self.default.is_none() && !self.optional
    }

    /// Checks a given value: type, range, choice.
    ///
    /// # Errors
    /// A sentence without the input's name.
    pub fn check(&self, value: Value) -> Result<Value, String> {
        let value = value.convert(&self.ty)?;
        check_range(&value, self.min, self.max, &self.choices)?;
        Ok(value)
    }
}

/// Checks ranges and choices, for inputs and params alike.
///
/// # Errors
/// A sentence that says what is expected.
pub fn check_range(
    value: &Value,
    min: Option<f64>,
    max: Option<f64>,
    choices: &[String],
) -> Result<(), String> {
    if let Some(number) = value.as_float() {
        match (min, max) {
            (Some(min), Some(max)) if !(min..=max).contains(&number) => {
                return Err(format!("{number} is not within {min}..{max}"));
            }
            (Some(min), None) if number < min || number.is_nan() => {
                return Err(format!("{number} is less than {min}"));
            }
            (None, Some(max)) if number > max || number.is_nan() => {
                return Err(format!("{number} is more than {max}"));
            }
            _ => {}
        }
    }
    if let Some(text) = value.as_text()
        && !choices.is_empty()
        && !choices.iter().any(|choice| choice == text)
    {
        let near = crate::problem::near(text, choices.iter().map(String::as_str));
        let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        return Err(format!("`{text}` is not one of {}{hint}", choices.join(", ")));
    }
    Ok(())
}

/// An output port.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct OutputSpec {
    /// The type of its values.
    #[serde(rename = "type")]
    pub ty: Type,
    /// One sentence for people.
    pub summary: String,
}

/// The node types that a daemon knows, by name.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(transparent)]
pub struct Catalogue(pub IndexMap<String, NodeTypeSpec>);

impl Catalogue {
    /// Returns the type of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&NodeTypeSpec> {
        self.0.get(name)
    }
}

impl FromIterator<NodeTypeSpec> for Catalogue {
    fn from_iter<I: IntoIterator<Item = NodeTypeSpec>>(specs: I) -> Self {
        Self(specs.into_iter().map(|spec| (spec.name.clone(), spec)).collect())
    }
}
