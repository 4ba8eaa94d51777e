//! Checks the inputs of nodes against the inputs of their types.

use super::check::{CheckContext, Ports, Reader};
use super::children;
use super::code;
use super::nodes::Places;
use super::reading::Reading;
use crate::node_type::{InputSpec, NodeTypeSpec};
use crate::problem::{Problem, Span};
use crate::types::Type;
use crate::value::{Value, cut};
use crate::workflow::Template;

impl CheckContext<'_> {
    /// Checks `with` and `needs` of a node.
    pub(super) fn inputs(&self, reading: &mut Reading<'_>, reader: Reader<'_>, places: &Places) {
        let Some((number, name, node)) = reader.node else { return };
        for (needed, span) in node.needs.iter().zip(&places.needs) {
            if needed == name {
                reading.error("self_reference", *span, format!("node `{name}` needs itself"));
            } else if !self.workflow.nodes.contains_key(needed) {
                let problem =
                    Problem::error("unknown_node", *span, format!("there is no node `{}`", cut(needed, 60)));
                let problem = reading.near(problem, needed, self.workflow.nodes.keys().map(String::as_str));
                reading.report(problem);
            }
        }
        for ((input, template), place) in node.with.iter().zip(&places.with) {
            self.media_in_text(reading, template, reader);
            if let Some(Ports::Native(spec)) = self.ports.get(number) {
                match spec.inputs.get(input) {
                    Some(_) if place.broken => {}
                    Some(wanted) => {
                        self.input(reading, spec, input, wanted, template, place.value, reader);
                    }
                    None if spec.more_inputs => {}
                    None => {
                        let message = format!("`{}` has no input `{}`", spec.name, cut(input, 60));
                        let names: Vec<&str> = spec.inputs.keys().map(String::as_str).collect();
                        let problem = Problem::error("unknown_input", place.name, message);
                        let problem = problem.hint(if names.is_empty() {
                            "it takes none".to_owned()
                        } else {
                            format!("its inputs are {}", names.join(", "))
                        });
                        let problem = reading.near(problem, input, names);
                        reading.report(problem);
                    }
                }
            }
        }
        if let Some(Ports::Native(spec)) = self.ports.get(number) {
            let missing: Vec<&str> = spec
                .inputs
                .iter()
                .filter(|(input, wanted)| wanted.required() && !node.with.contains_key(*input))
                .map(|(input, _)| input.as_str())
                .collect();
            for input in missing {
                let ty = spec.inputs.get(input).map_or(Type::Any, |wanted| wanted.ty.clone());
                let message = format!("`{}` needs its input `{input}` ({ty})", spec.name);
                reading.error_hint(
                    "missing_input",
                    places.action,
                    message,
                    format!("add `with: {{ {input}: … }}`"),
                );
            }
            code::check(reading, spec, node, places);
            children::check(reading, spec, node, places);
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn input(
        &self,
        reading: &mut Reading<'_>,
        spec: &NodeTypeSpec,
        input: &str,
        wanted: &InputSpec,
        template: &Template,
        span: Span,
        reader: Reader<'_>,
    ) {
        if let Template::Literal(value) = template {
            literal(reading, spec, input, wanted, value, span);
            return;
        }
        let ty = self.template_type(template, reader);
        if wanted.ty.accepts(&ty) {
            return;
        }
        let what = match template {
            Template::Expression(expression) => format!("`{}`", cut(expression.source(), 80)),
            _ => "this".to_owned(),
        };
        let message = format!("input `{input}` of `{}` takes {}, but {what} is {ty}", spec.name, wanted.ty);
        let problem = Problem::error("wrong_type", span, message);
        reading.report(match (&wanted.ty, &ty) {
            (to, Type::List(of)) if to.accepts(of) => {
                problem.hint("run the node once per item with `each:`, or take one item with `[0]`")
            }
            (Type::List(of), from) if of.accepts(from) => problem.hint("make a list of it: `[\"${{ … }}\"]`"),
            (to, Type::Text) if to.has_media() => problem
                .hint("a path is only text; load the file with a node, or declare a param of that type"),
            _ => problem,
        });
    }
}

fn literal(
    reading: &mut Reading<'_>,
    spec: &NodeTypeSpec,
    input: &str,
    wanted: &InputSpec,
    value: &Value,
    span: Span,
) {
    if *value == Value::None && !wanted.required() {
        return;
    }
    if let (Type::Bool, Value::Text(text)) = (&wanted.ty, value) {
        let meant = match text.to_lowercase().as_str() {
            "yes" | "on" | "y" => Some(true),
            "no" | "off" | "n" => Some(false),
            _ => None,
        };
        if let Some(meant) = meant {
            let message = format!("`{text}` is text in YAML 1.2, not a bool");
            reading.error_hint("yaml_bool", span, message, format!("write `{meant}`"));
            return;
        }
    }
    if let Err(why) = wanted.check(value.clone()) {
        let problem = Problem::error("bad_input", span, format!("input `{input}` of `{}`: {why}", spec.name));
        reading.report(match value {
            Value::Text(_) | Value::List(_) if wanted.ty.has_media() => problem.hint(
                "a path is only text; load the file with a node such as `image.load`, or declare a param",
            ),
            Value::Text(text) if text.starts_with('$') => {
                problem.hint("an expression is written \"${{ … }}\"")
            }
            _ => problem,
        });
    }
}
