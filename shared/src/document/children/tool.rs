//! The tools of an agent, as far as they name workflows.

use indexmap::IndexMap;

use super::FILE_INPUT;
use crate::value::Value;
use crate::workflow::Template;

/// The field of a tool with the inputs that its model can't choose.
const FIXED_FIELD: &str = "with";

/// A tool of an agent that has fields.
pub(super) enum Tool<'a> {
    Literal(&'a IndexMap<String, Value>),
    Template(&'a IndexMap<String, Template>),
}

/// Returns the tools with fields that a file lists.
pub(super) fn tools(template: &Template) -> Vec<Tool<'_>> {
    fn literal(value: &Value) -> Option<Tool<'_>> {
        match value {
            Value::Object(fields) => Some(Tool::Literal(fields)),
            _ => None,
        }
    }
    match template {
        Template::Literal(Value::List(items)) => items.iter().filter_map(literal).collect(),
        Template::List(items) => items
            .iter()
            .filter_map(|item| match item {
                Template::Literal(value) => literal(value),
                Template::Object(fields) => Some(Tool::Template(fields)),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    }
}

impl<'a> Tool<'a> {
    /// Returns whether the file that it runs is not written down.
    pub(super) fn is_computed(&self) -> bool {
        match self {
            Self::Literal(_) => false,
            Self::Template(fields) => {
                fields.get(FILE_INPUT).is_some_and(|file| !matches!(file, Template::Literal(_)))
            }
        }
    }

    /// Returns the file that it runs.
    pub(super) fn file(&self) -> Option<&'a str> {
        match self {
            Self::Literal(fields) => fields.get(FILE_INPUT)?.as_text(),
            Self::Template(fields) => match fields.get(FILE_INPUT)? {
                Template::Literal(Value::Text(file)) => Some(file),
                _ => None,
            },
        }
    }

    /// Returns the names of the params that its model can't choose.
    pub(super) fn fixed(&self) -> Vec<&'a str> {
        match self {
            Self::Literal(fields) => match fields.get(FIXED_FIELD) {
                Some(Value::Object(with)) => with.keys().map(String::as_str).collect(),
                _ => Vec::new(),
            },
            Self::Template(fields) => match fields.get(FIXED_FIELD) {
                Some(Template::Object(with)) => with.keys().map(String::as_str).collect(),
                Some(Template::Literal(Value::Object(with))) => with.keys().map(String::as_str).collect(),
                _ => Vec::new(),
            },
        }
    }
}
