//! Values of the workflow file with expressions in them.

use indexmap::IndexMap;

use crate::expression::{Content, Expression, SIZE_LIMIT, Scope};
use crate::value::Value;

/// A value of the file with expressions in it.
#[derive(Clone, PartialEq, Debug)]
pub enum Template {
    /// No expression.
    Literal(Value),
    /// A single expression, which keeps the type of its result.
    Expression(Expression),
    /// Text around expressions.
    Text(Vec<Piece>),
    /// A list with expressions in it.
    List(Vec<Template>),
    /// An object with expressions in it.
    Object(IndexMap<String, Template>),
}

/// A piece of a text with expressions.
#[derive(Clone, PartialEq, Debug)]
pub enum Piece {
    /// Plain text.
    Text(String),
    /// An expression, written as text.
    Expression(Expression),
}

impl Template {
    /// Returns all expressions in it.
    pub fn expressions(&self) -> Vec<&Expression> {
        let mut found = Vec::new();
        self.collect(&mut found);
        found
    }

    /// Returns whether it is built from secrets.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        self.expressions().into_iter().any(|expression| expression.secrets().next().is_some())
    }

    fn collect<'a>(&'a self, found: &mut Vec<&'a Expression>) {
        match self {
            Self::Literal(_) => {}
            Self::Expression(expression) => found.push(expression),
            Self::Text(pieces) => found.extend(pieces.iter().filter_map(|piece| match piece {
                Piece::Text(_) => None,
                Piece::Expression(expression) => Some(expression),
            })),
            Self::List(items) => items.iter().for_each(|item| item.collect(found)),
            Self::Object(map) => map.values().for_each(|value| value.collect(found)),
        }
    }

    /// Returns its value, or `None` if it is absent: a text, list or object with an absent part is absent as a whole.
    ///
    /// # Errors
    /// A sentence that names the expression: it failed, or its value is media or `none` inside a text.
    pub fn evaluate(&self, scope: &dyn Scope) -> Result<Option<Value>, String> {
        Ok(Some(match self {
            Self::Literal(value) => value.clone(),
            Self::Expression(expression) => return expression.evaluate(scope),
            Self::Text(pieces) => {
                let mut text = String::new();
                let content = Content::new(scope.loader());
                for piece in pieces {
                    match piece {
                        Piece::Text(part) => text.push_str(part),
                        Piece::Expression(expression) => {
                            let Some(value) = expression.evaluate(scope)? else { return Ok(None) };
                            let part = content
                                .resolve(value)
                                .and_then(|value| value.to_text())
                                .map_err(|why| format!("in a text, {expression:?}: {why}"))?;
                            text.push_str(&part);
                            if text.len() > SIZE_LIMIT {
                                let limit = SIZE_LIMIT >> 20;
                                return Err(format!(
                                    "with {expression:?} the text is longer than {limit} MiB"
                                ));
                            }
                        }
                    }
                }
                Value::Text(text)
            }
            Self::List(items) => {
                let mut values = Vec::with_capacity(items.len());
                for item in items {
                    let Some(value) = item.evaluate(scope)? else { return Ok(None) };
                    values.push(value);
                }
                Value::List(values)
            }
            Self::Object(map) => {
                let mut values = IndexMap::with_capacity(map.len());
                for (key, item) in map {
                    let Some(value) = item.evaluate(scope)? else { return Ok(None) };
                    values.insert(key.clone(), value);
                }
                Value::Object(values)
            }
        }))
    }
}
