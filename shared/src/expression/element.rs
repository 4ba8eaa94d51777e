//! Expressions over one element of a list: what nodes that filter, sort or compute are given.
//!
//! They read the element as `item` or `row`, its place as `index`, and the other inputs of the node as `inputs.NAME`;
//! nothing else is known there.

use std::sync::Arc;

use super::{Expression, Load, Root, Scope, truthy};
use crate::problem::{Problem, Span};
use crate::value::{Value, Values, cut};

/// The name of an element.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Element {
    /// An item of any list.
    Item,
    /// A row of a table: its fields are cells.
    Row,
}

impl Element {
    /// Returns the name that it has in expressions.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Item => "item",
            Self::Row => "row",
        }
    }
}

/// The name of the group of other inputs.
const INPUTS: &str = "inputs";

/// An expression over one element of a list; cheap to clone.
#[derive(Clone, Debug)]
pub struct ElementExpression {
    expression: Expression,
    element: Element,
}

impl ElementExpression {
    /// Reads an expression. `inputs` are the names of the other inputs; every problem spans `span`, the place of the text.
    ///
    /// # Errors
    /// What is wrong with it: the expression itself, names that are not known.
    pub fn parse<'a>(
        source: &str,
        element: Element,
        inputs: impl IntoIterator<Item = &'a str>,
        span: Span,
    ) -> Result<Self, Vec<Problem>> {
        let expression = Expression::parse_at(source.trim(), &|_| span.start)
            .map_err(|problems| problems.into_iter().map(|it| Problem { span, ..it }).collect::<Vec<_>>())?;
        let inputs: Vec<&str> = inputs.into_iter().collect();
        let mut problems: Vec<Problem> = expression
            .references()
            .iter()
            .filter_map(|it| unknown(&it.root, it.port.as_deref(), element, &inputs, span))
            .collect();
        if expression.asks_outcome() {
            let message = "`success()`, `failure()` and `always()` belong into `if:`";
            problems.push(Problem::error("unknown_function", span, message));
        }
        if problems.is_empty() { Ok(Self { expression, element }) } else { Err(problems) }
    }

    /// Returns its value for an element; `None` where it is absent, as it is where it reads an empty field.
    ///
    /// # Errors
    /// A sentence that names the expression.
    pub fn evaluate(
        &self,
        element: &Value,
        index: usize,
        inputs: &Values,
        load: Option<&Arc<dyn Load>>,
    ) -> Result<Option<Value>, String> {
        self.expression.evaluate(&ElementScope { kind: self.element, element, index, inputs, load })
    }

    /// Returns whether it is true for an element. An absent result counts as false.
    ///
    /// # Errors
    /// A sentence that names the expression.
    pub fn holds(
        &self,
        element: &Value,
        index: usize,
        inputs: &Values,
        load: Option<&Arc<dyn Load>>,
    ) -> Result<bool, String> {
        Ok(self.evaluate(element, index, inputs, load)?.is_some_and(|value| truthy(&value)))
    }
}

fn unknown(
    root: &Root,
    port: Option<&str>,
    element: Element,
    inputs: &[&str],
    span: Span,
) -> Option<Problem> {
    let word = element.word();
    let name = root.name();
    let known = match element {
        Element::Item => *root == Root::Item,
        Element::Row => name == word,
    };
    if known || *root == Root::Index {
        return None;
    }
    let port = port.unwrap_or_default();
    if name == INPUTS {
        if inputs.contains(&port) {
            return None;
        }
        let shown = cut(port, 60);
        let problem =
            Problem::error("unknown_input", span, format!("the node has no input `{shown}` to read here"));
        let problem = problem.hint(format!("add it: `with: {{ {shown}: … }}`"));
        return Some(problem.near(port, inputs.iter().copied()));
    }
    let message = format!("`{}` is not known here", cut(name, 60));
    let hint = if matches!(root, Root::Node(_)) && inputs.contains(&name) {
        format!("write `{INPUTS}.{name}`")
    } else {
        format!("the names here are `{word}`, `index` and `{INPUTS}.NAME` for the other inputs of the node")
    };
    Some(Problem::error("unknown_name", span, message).hint(hint))
}

struct ElementScope<'a> {
    kind: Element,
    element: &'a Value,
    index: usize,
    inputs: &'a Values,
    load: Option<&'a Arc<dyn Load>>,
}

impl Scope for ElementScope<'_> {
    fn get(&self, root: &Root, field: Option<&str>) -> Option<Value> {
        match (root, self.element) {
            (Root::Index, _) => Some(Value::Int(i64::try_from(self.index).unwrap_or(i64::MAX))),
            // An empty field is absent, so that a comparison with it neither holds nor fails.
            (Root::Item, Value::Object(fields)) => {
                let full = fields.iter().filter(|(_, value)| **value != Value::None);
                Some(Value::Object(full.map(|(name, value)| (name.clone(), value.clone())).collect()))
            }
            (Root::Item, element) => Some(element.clone()),
            (Root::Node(name), Value::Object(fields)) if name == self.kind.word() => {
                fields.get(field?).filter(|value| **value != Value::None).cloned()
            }
            (Root::Node(name), _) if name == INPUTS => self.inputs.get(field?).cloned(),
            _ => None,
        }
    }

    fn loader(&self) -> Option<Arc<dyn Load>> {
        self.load.cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(json: &str) -> Value {
        Value::from_json(serde_json::from_str(json).unwrap())
    }

    fn holds(source: &str, element: Element, json: &str) -> Result<bool, String> {
        let inputs = Values::from([("least".to_owned(), Value::Int(3))]);
        let parsed = ElementExpression::parse(source, element, ["least"], Span::default());
        parsed.map_err(|it| it[0].message.clone())?.holds(&row(json), 4, &inputs, None)
    }

    #[test]
    fn a_row_is_read_by_its_cells() {
        assert_eq!(holds("row.n > inputs.least", Element::Row, r#"{"n": 4}"#), Ok(true));
        assert_eq!(
            holds("row['Unit price'] < 3 and index == 4", Element::Row, r#"{"Unit price": 2.5}"#),
            Ok(true)
        );
        assert_eq!(holds("item % 2 == 0", Element::Item, "4"), Ok(true));
        assert_eq!(holds("item.tags | length", Element::Item, r#"{"tags": []}"#), Ok(false));
    }

    #[test]
    fn an_empty_cell_is_neither_true_nor_an_error() {
        for kind in [Element::Row, Element::Item] {
            let word = kind.word();
            for json in [r#"{"n": null}"#, "{}"] {
                assert_eq!(holds(&format!("{word}.n > 3"), kind, json), Ok(false));
                assert_eq!(holds(&format!("not ({word}.n > 3)"), kind, json), Ok(false));
                assert_eq!(holds(&format!("{word}.n is none"), kind, json), Ok(true));
                assert_eq!(holds(&format!("{word}.n | default(7) > 3"), kind, json), Ok(true));
            }
        }
        assert!(holds("row.n > 3", Element::Row, r#"{"n": "4"}"#).unwrap_err().contains("be ordered"));
    }

    #[test]
    fn other_names_are_not_known() {
        let wrong = |source: &str| holds(source, Element::Row, "{}").unwrap_err();
        assert_eq!(wrong("item.n"), "`item` is not known here");
        assert_eq!(wrong("params.n"), "`params` is not known here");
        assert_eq!(wrong("inputs.lest"), "the node has no input `lest` to read here");
        assert!(wrong("row.n >").contains("is not an expression"));
        assert!(wrong("success()").contains("belong into `if:`"));
        let problems =
            ElementExpression::parse("least.x > 1", Element::Row, ["least"], Span::default()).unwrap_err();
        assert_eq!(problems[0].hint.as_deref(), Some("write `inputs.least`"));
    }
}
