//! Checks inputs that are code: templates, expressions over items and rows, filters.

use super::nodes::Places;
use super::reading::Reading;
use crate::expression::{Element, ElementExpression, template_variables};
use crate::node_type::{Code, NodeTypeSpec};
use crate::problem::{Problem, Span};
use crate::value::{Value, cut};
use crate::workflow::{Node, Template};

/// Checks the inputs of a native node that are code.
pub(super) fn check(reading: &mut Reading<'_>, spec: &NodeTypeSpec, node: &Node, places: &Places) {
    for ((input, given), place) in node.with.iter().zip(&places.with) {
        let Some(code) = spec.inputs.get(input).and_then(|wanted| wanted.code) else { continue };
        let others = || node.with.keys().map(String::as_str).filter(|name| name != input);
        match (code, given) {
            (Code::Template, Template::Literal(Value::Text(text))) => {
                template(reading, text, others().collect(), place.value);
            }
            (Code::Template, _) => {}
            (_, Template::Literal(value)) => {
                let element = match code {
                    Code::Item => Element::Item,
                    Code::Row => Element::Row,
                    Code::Jq | Code::JavaScript | Code::Template => continue,
                };
                for text in texts(value) {
                    if let Err(problems) = ElementExpression::parse(text, element, others(), place.value) {
                        problems.into_iter().for_each(|problem| reading.report(problem));
                    }
                }
            }
            _ => {
                let message =
                    format!("input `{input}` of `{}` is code, and no value becomes code", spec.name);
                let read = if code == Code::Jq { "$limit" } else { "inputs.limit" };
                reading.error_hint(
                    "expression_in_code",
                    place.value,
                    message,
                    format!(
                        "pass the value by an input of its own, `limit: \"${{{{ … }}}}\"`, and write `{read}`"
                    ),
                );
            }
        }
    }
}

/// Returns the text, or the texts of an object.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::Text(text) => vec![text],
        Value::Object(fields) => fields.values().filter_map(Value::as_text).collect(),
        _ => Vec::new(),
    }
}

/// Checks the variables of a template against the given inputs.
fn template(reading: &mut Reading<'_>, text: &str, others: Vec<&str>, span: Span) {
    match template_variables(text) {
        Err(why) => reading.error("bad_template", span, format!("the template: {why}")),
        Ok(variables) => {
            for variable in variables.iter().filter(|variable| !others.contains(&variable.as_str())) {
                let shown = cut(variable, 60);
                let message = format!("the template reads `{shown}`, which no input gives");
                let problem = Problem::warning("unknown_variable", span, message);
                let problem = problem.hint(format!("add it: `with: {{ {shown}: … }}`"));
                let problem = reading.near(problem, variable, others.iter().copied());
                reading.report(problem);
            }
        }
    }
}
