//! `each:` and `if:`.

use super::reading::Reading;
use super::template::Plain;
use super::yaml::{Kind, Node, Scalar};
use crate::expression::Expression;
use crate::value::Value;
use crate::workflow::{self, Each, Template};

impl Reading<'_> {
    /// Reads `each` of a node whose other parts have been read.
    pub(super) fn each(&mut self, node: &Node, reader: &workflow::Node) -> Option<Each> {
        let node = &self.items_with_quotes(node, reader);
        match &node.kind {
            Kind::Map(entries) if entries.is_empty() => {
                self.wrong_kind(node, "`each`", "a list, or a map of lists");
                None
            }
            Kind::Map(entries) => {
                let mut lists = indexmap::IndexMap::new();
                for entry in entries {
                    self.name(entry, "a field of `item`", true);
                    if let Some(list) = self.list(&entry.value, &format!("`each.{}`", entry.key)) {
                        lists.insert(entry.key.clone(), list);
                    }
                }
                (lists.len() == entries.len()).then_some(Each::Zip(lists))
            }
            _ => self.list(node, "`each`").map(Each::List),
        }
    }

    /// Reads a list: a literal one, or an expression, where `${{ }}` may be left out.
    fn list(&mut self, node: &Node, what: &str) -> Option<Template> {
        match &node.kind {
            Kind::List(_) => Some(self.template(node, Plain::Typed)),
            Kind::Scalar(scalar) if !scalar.text.trim().is_empty() => {
                self.bare_expression(node, scalar, what).map(Template::Expression)
            }
            _ => {
                self.wrong_kind(node, what, "a list");
                None
            }
        }
    }

    pub(super) fn condition(&mut self, node: &Node) -> Option<Expression> {
        let Kind::Scalar(scalar) = &node.kind else {
            self.wrong_kind(node, "`if`", "an expression");
            return None;
        };
        if scalar.text.trim().is_empty() {
            self.wrong_kind(node, "`if`", "an expression");
            return None;
        }
        if scalar.plain
            && super::reading::resolve(scalar).is_some_and(|value| matches!(value, Value::Text(_)))
            && let Some(meant) = super::reading::yaml_bool(scalar)
        {
            self.yaml_bool(node, &scalar.text, meant);
            return None;
        }
        let lower = Scalar { text: scalar.text.to_lowercase(), plain: scalar.plain };
        let scalar =
            if matches!(super::reading::resolve(scalar), Some(Value::Bool(_))) { &lower } else { scalar };
        self.bare_expression(node, scalar, "`if`")
    }
}
