//! `params:`.

use super::hints;
use super::ranges::fit_param;
use super::reading::Reading;
use super::yaml::{Entry, Kind, Node};
use crate::problem::Problem;
use crate::types::Type;
use crate::value::{Value, cut};
use crate::workflow::Param;

const KEYS: [&str; 7] = ["type", "default", "min", "max", "choices", "description", "multiline"];

impl Reading<'_> {
    /// Reads a param. A param with errors is still returned, as far as it is known, so that its readers aren't reported
    /// too.
    pub(super) fn param(&mut self, entry: &Entry) -> Param {
        let name = entry.key.as_str();
        let mut param = Param {
            ty: Type::Any,
            default: None,
            min: None,
            max: None,
            choices: Vec::new(),
            description: None,
            multiline: false,
            span: entry.key_span,
        };
        self.name(entry, "a param", true);
        let Kind::Map(fields) = &entry.value.kind else {
            let message = format!("param `{name}` must be a map with a type");
            self.error_hint("wrong_kind", entry.value.span, message, example(name, &entry.value));
            return param;
        };
        let mut default = None;
        let mut typed = None;
        for field in fields {
            let what = format!("`{}` of param `{name}`", field.key);
            match field.key.as_str() {
                "type" => typed = Some(self.type_of(&field.value, &what)),
                "default" => default = Some(&field.value),
                "min" => param.min = self.float(&field.value, &what),
                "max" => param.max = self.float(&field.value, &what),
                "choices" => param.choices = self.choices(&field.value, &what),
                "description" => param.description = self.plain_text(&field.value, &what),
                "multiline" => param.multiline = self.bool(&field.value, &what).unwrap_or(false),
                key => {
                    let foreign = hints::param_key(key);
                    self.unknown_key(field, &format!("param `{name}`"), &KEYS, foreign);
                }
            }
        }
        match typed {
            Some(Some(ty)) => {
                param.ty = ty;
                self.check_bounds(entry, &mut param);
                if let Some(default) = default {
                    param.default = self.default_of(name, default, &param);
                }
            }
            Some(None) => {}
            None => {
                let message = format!("param `{name}` has no type");
                let hint = format!("add `type:`, one of {}", Type::WORDS.join(", "));
                self.error_hint("missing_type", entry.key_span, message, hint);
            }
        }
        param
    }

    /// Reads a type; returns `None` if it isn't one.
    pub(super) fn type_of(&mut self, node: &Node, what: &str) -> Option<Type> {
        let text = self.plain_text(node, what)?;
        match text.parse::<Type>() {
            Ok(ty) => Some(ty),
            Err(_) => {
                let problem =
                    Problem::error("unknown_type", node.span, format!("`{}` is not a type", cut(&text, 60)));
                let problem = match hints::type_word(&text) {
                    Some(word) => problem.hint(format!("write `{word}`")),
                    None => {
                        let words = format!(
                            "the types are {}, and lists such as list<image>",
                            Type::WORDS.join(", ")
                        );
                        self.near(problem.hint(words), &text, Type::WORDS)
                    }
                };
                self.report(problem);
                None
            }
        }
    }

    fn choices(&mut self, node: &Node, what: &str) -> Vec<String> {
        let Kind::List(items) = &node.kind else {
            self.wrong_kind(node, what, "a list of texts");
            return Vec::new();
        };
        if items.is_empty() {
            self.error("no_choices", node.span, format!("{what} is empty"));
        }
        items.iter().filter_map(|item| self.plain_text(item, what)).collect()
    }

    fn check_bounds(&mut self, entry: &Entry, param: &mut Param) {
        let name = entry.key.as_str();
        let of = param.ty.innermost();
        let number = matches!(of, Type::Int | Type::Float);
        if !number && (param.min.is_some() || param.max.is_some()) {
            let message = format!("param `{name}` is {}, which has no `min` or `max`", param.ty);
            self.error_hint("bad_bounds", entry.key_span, message, "only int and float have bounds");
            (param.min, param.max) = (None, None);
        }
        if let (Some(min), Some(max)) = (param.min, param.max)
            && min > max
        {
            self.error(
                "bad_bounds",
                entry.key_span,
                format!("param `{name}`: min {min} is more than max {max}"),
            );
            (param.min, param.max) = (None, None);
        }
        if *of == Type::Choice && param.choices.is_empty() {
            let has_key =
                matches!(&entry.value.kind, Kind::Map(fields) if fields.iter().any(|it| it.key == "choices"));
            if !has_key {
                let message = format!("param `{name}` is a choice without `choices`");
                self.error_hint("no_choices", entry.key_span, message, "add `choices: [one, two]`");
            }
        }
        if !matches!(of, Type::Choice | Type::Text) && !param.choices.is_empty() {
            let message = format!("param `{name}` is {}, which has no `choices`", param.ty);
            self.error_hint("bad_bounds", entry.key_span, message, "write `type: choice`");
            param.choices.clear();
        }
    }

    fn default_of(&mut self, name: &str, node: &Node, param: &Param) -> Option<Value> {
        if let Kind::Scalar(scalar) = &node.kind {
            if scalar.text.contains("${{") {
                self.plain_text(node, &format!("`default` of param `{name}`"));
                return None;
            }
            if param.ty == Type::Bool
                && scalar.plain
                && super::reading::resolve(scalar).is_some_and(|value| value.as_bool().is_none())
                && let Some(meant) = super::reading::yaml_bool(scalar)
            {
                self.yaml_bool(node, &scalar.text, meant);
                return None;
            }
        }
        match fit_param(self.literal_for(node, &param.ty), param) {
            Ok(value) => Some(value),
            Err(why) => {
                self.error("bad_default", node.span, format!("the default of param `{name}`: {why}"));
                None
            }
        }
    }
}

fn example(name: &str, node: &Node) -> String {
    if let Kind::Scalar(scalar) = &node.kind {
        let word = hints::type_word(&scalar.text).unwrap_or(&scalar.text);
        if word.parse::<Type>().is_ok() {
            return format!("write `{name}: {{ type: {word} }}`");
        }
    }
    format!("write `{name}: {{ type: text, default: … }}`")
}
