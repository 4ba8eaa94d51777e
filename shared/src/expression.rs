//! Expressions: what stands between `${{` and `}}`.
//!
//! minijinja parses and evaluates them; [`walk`] alone knows its syntax tree and finds what an expression reads, so that
//! every port it names is an edge. Values go in and come out unchanged: whole numbers stay whole, media stays media.

mod convert;
mod functions;
mod render;
mod walk;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::problem::{Position, Problem, Span};
use crate::types::Type;
use crate::value::{Value, cut};
use crate::workflow::{Piece, Template};

pub use convert::MEDIA_FIELDS;
pub use functions::FUNCTIONS;
pub use render::{render, template_variables};

/// What an expression names first.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Root {
    /// `params.x`
    Params,
    /// `run.x`
    Run,
    /// `item`
    Item,
    /// `index`
    Index,
    /// `secrets.x`
    Secrets,
    /// A node.
    Node(String),
}

/// The roots that are no nodes.
pub const ROOTS: [&str; 5] = ["params", "run", "item", "index", "secrets"];

impl Root {
    /// The root of this name; every other name is a node's.
    #[must_use]
    pub fn of(name: &str) -> Self {
        match name {
            "params" => Self::Params,
            "run" => Self::Run,
            "item" => Self::Item,
            "index" => Self::Index,
            "secrets" => Self::Secrets,
            node => Self::Node(node.to_owned()),
        }
    }
    /// The name as it stands in an expression.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Params => "params",
            Self::Run => "run",
            Self::Item => "item",
            Self::Index => "index",
            Self::Secrets => "secrets",
            Self::Node(node) => node,
        }
    }
    /// Whether a field must follow: it is a group of values, not a value.
    #[must_use]
    pub fn has_fields(&self) -> bool {
        !matches!(self, Self::Item | Self::Index)
    }
}

/// Something that an expression reads: a root and the first field behind it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reference {
    /// What it names first.
    pub root: Root,
    /// The field behind it: the param, the port. `None` for `item` and `index`.
    pub port: Option<String>,
    /// The constant fields behind that, as far as they follow directly: `["name"]` in `a.image.name`.
    pub path: Vec<String>,
    /// Where it stands in the file.
    pub span: Span,
}

/// What is known of an expression's result before there are values.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Shape {
    /// The value of the reference of this number.
    Reference(usize),
    /// A value of this type.
    Known(Type),
    /// One element of a list.
    Element(Box<Shape>),
    /// A field of a value.
    Field(Box<Shape>, String),
    /// A list whose elements have this shape.
    List(Box<Shape>),
    /// One of these.
    OneOf(Vec<Shape>),
}

/// A compiled expression; cheap to clone.
#[derive(Clone)]
pub struct Expression {
    inner: Arc<Inner>,
}

struct Inner {
    source: String,
    references: Vec<Reference>,
    asks_outcome: bool,
    shape: Shape,
    program: Program,
}

enum Program {
    /// The whole expression is the first reference and nothing else.
    Reference,
    /// Anything else.
    Compiled(Box<minijinja::Expression<'static, 'static>>),
}

/// Expressions with one text do the same, wherever they stand.
impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.inner.source == other.inner.source
    }
}

impl std::fmt::Debug for Expression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "${{{{ {} }}}}", self.inner.source)
    }
}

/// Where an expression finds what it reads.
pub trait Scope {
    /// The value of `root.field` (`field` is `None` for `item` and `index`); `None` where it is absent.
    fn get(&self, root: &Root, field: Option<&str>) -> Option<Value>;
    /// The answers of `success()` and `failure()`.
    fn outcome(&self) -> Outcome {
        Outcome::default()
    }
}

/// What `success()` and `failure()` answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Outcome {
    /// A node upstream failed.
    pub failed: bool,
    /// A node named in `needs` was skipped.
    pub skipped: bool,
}

impl Expression {
    /// Reads an expression; `span` is where its source stands in the file, on one line.
    ///
    /// # Errors
    /// What is wrong with it, at its place.
    pub fn parse(source: &str, span: Span) -> Result<Self, Vec<Problem>> {
        let leading = source.len() - source.trim_start().len();
        let column = |offset: usize| {
            let before = source.get(..leading + offset).unwrap_or(source);
            u32::try_from(before.chars().count()).unwrap_or(u32::MAX)
        };
        let start = span.start;
        Self::parse_at(source.trim(), &|offset| Position {
            line: start.line,
            column: start.column.saturating_add(column(offset)),
        })
    }

    /// Reads an expression; `position` says where a byte of its source stands in the file.
    ///
    /// # Errors
    /// What is wrong with it, at its place.
    pub(crate) fn parse_at(source: &str, position: &dyn Fn(usize) -> Position) -> Result<Self, Vec<Problem>> {
        let found = walk::walk(source, position)?;
        let alone = matches!(found.shape, Shape::Reference(_)) && found.alone;
        let program = if alone {
            Program::Reference
        } else {
            let compiled =
                functions::EXPRESSIONS.compile_expression_owned(source.to_owned()).map_err(|error| {
                    let span = Span { start: position(0), end: position(source.len()) };
                    vec![Problem::error("bad_expression", span, convert::sentence(&error))]
                })?;
            Program::Compiled(Box::new(compiled))
        };
        let (references, asks_outcome, shape) = (found.references, found.asks_outcome, found.shape);
        let source = source.to_owned();
        Ok(Self { inner: Arc::new(Inner { source, references, asks_outcome, shape, program }) })
    }

    /// As it stands in the file.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.inner.source
    }
    /// What it reads.
    #[must_use]
    pub fn references(&self) -> &[Reference] {
        &self.inner.references
    }
    /// Whether it calls one of `success()`, `failure()`, `always()`.
    #[must_use]
    pub fn asks_outcome(&self) -> bool {
        self.inner.asks_outcome
    }
    /// If it is exactly `node.port`: those two.
    #[must_use]
    pub fn straight(&self) -> Option<(&str, &str)> {
        match (&self.inner.program, self.inner.references.first()) {
            (Program::Reference, Some(Reference { root: Root::Node(node), port: Some(port), .. })) => {
                Some((node, port))
            }
            _ => None,
        }
    }

    /// The type of its result as far as it is known without values; `of` gives the types of what it reads.
    pub fn result_type(&self, of: &dyn Fn(&Reference) -> Type) -> Type {
        self.inner.shape.result_type(&self.inner.references, of)
    }

    /// Its value; `None` where the result is absent. Where it can't be computed because something that it reads is
    /// absent, the result is absent too.
    ///
    /// # Errors
    /// A sentence that names the expression.
    pub fn evaluate(&self, scope: &dyn Scope) -> Result<Option<Value>, String> {
        let inner = &*self.inner;
        let program = match (&inner.program, inner.references.first()) {
            (Program::Reference, Some(reference)) => {
                return Ok(scope.get(&reference.root, reference.port.as_deref()));
            }
            (Program::Reference, None) => return Ok(None),
            (Program::Compiled(program), _) => program,
        };
        let (context, some_absent) = self.context(scope);
        let result = program.eval(context).map_err(|error| convert::sentence(&error));
        match result.and_then(|value| convert::from_jinja(&value)) {
            Ok(value) => Ok(value),
            Err(_) if some_absent => Ok(None),
            Err(sentence) => Err(format!("`${{{{ {} }}}}`: {sentence}", cut(&inner.source, 120))),
        }
    }

    /// What minijinja sees, and whether something of it is absent.
    fn context(&self, scope: &dyn Scope) -> (minijinja::Value, bool) {
        let mut roots: BTreeMap<&str, minijinja::Value> = BTreeMap::new();
        let mut groups: BTreeMap<&str, BTreeMap<&str, minijinja::Value>> = BTreeMap::new();
        let mut some_absent = false;
        for reference in &self.inner.references {
            let name = reference.root.name();
            let known = match &reference.port {
                Some(port) => groups.get(name).is_some_and(|group| group.contains_key(port.as_str())),
                None => roots.contains_key(name),
            };
            if known {
                continue;
            }
            let value = scope.get(&reference.root, reference.port.as_deref());
            some_absent |= value.is_none();
            let value = value.map_or(minijinja::Value::UNDEFINED, convert::to_jinja);
            match &reference.port {
                Some(port) => {
                    groups.entry(name).or_default().insert(port, value);
                }
                None => {
                    roots.insert(name, value);
                }
            }
        }
        roots.extend(groups.into_iter().map(|(name, group)| (name, minijinja::Value::from_pairs(group))));
        if self.inner.asks_outcome {
            let Outcome { failed, skipped } = scope.outcome();
            let answers = [("success", !failed && !skipped), ("failure", failed), ("always", true)];
            roots.extend(
                answers.map(|(name, answer)| (name, minijinja::Value::from_function(move || answer))),
            );
        }
        (minijinja::Value::from_pairs(roots), some_absent)
    }
}

impl Shape {
    fn result_type(&self, references: &[Reference], of: &dyn Fn(&Reference) -> Type) -> Type {
        match self {
            Self::Reference(number) => references.get(*number).map_or(Type::Any, of),
            Self::Known(ty) => ty.clone(),
            Self::Element(list) => match list.result_type(references, of) {
                Type::List(of) => *of,
                Type::Text => Type::Text,
                _ => Type::Any,
            },
            Self::Field(value, field) => match (value.result_type(references, of), field.as_str()) {
                (Type::Media(_), "size") => Type::Int,
                (Type::Media(_), _) => Type::Text,
                _ => Type::Any,
            },
            Self::List(element) => element.result_type(references, of).list(),
            Self::OneOf(shapes) => {
                let mut types = shapes.iter().map(|shape| shape.result_type(references, of));
                let first = types.next().unwrap_or(Type::Any);
                if types.all(|other| other == first) { first } else { Type::Any }
            }
        }
    }
}

impl Template {
    /// Its value; `None` where it is an expression whose result is absent. Absent elements of lists and objects are
    /// [`Value::None`].
    ///
    /// # Errors
    /// A sentence that names the expression: it failed, or a text contains media or an absent value.
    pub fn evaluate(&self, scope: &dyn Scope) -> Result<Option<Value>, String> {
        Ok(Some(match self {
            Self::Literal(value) => value.clone(),
            Self::Expression(expression) => return expression.evaluate(scope),
            Self::Text(pieces) => {
                let mut text = String::new();
                for piece in pieces {
                    match piece {
                        Piece::Text(part) => text.push_str(part),
                        Piece::Expression(expression) => {
                            let value = expression.evaluate(scope)?.unwrap_or_default();
                            text.push_str(
                                &value
                                    .to_text()
                                    .map_err(|why| format!("in a text, {expression:?}: {why}"))?,
                            );
                        }
                    }
                }
                Value::Text(text)
            }
            Self::List(items) => Value::List(
                items
                    .iter()
                    .map(|item| Ok(item.evaluate(scope)?.unwrap_or_default()))
                    .collect::<Result<_, String>>()?,
            ),
            Self::Object(map) => Value::Object(
                map.iter()
                    .map(|(key, value)| Ok((key.clone(), value.evaluate(scope)?.unwrap_or_default())))
                    .collect::<Result<_, String>>()?,
            ),
        }))
    }
}

/// Whether a value counts as true in a condition: not absent, `false`, zero, or empty.
#[must_use]
pub fn truthy(value: &Value) -> bool {
    match value {
        Value::None => false,
        Value::Bool(it) => *it,
        Value::Int(it) => *it != 0,
        Value::Float(it) => *it != 0.0,
        Value::Text(text) => !text.is_empty(),
        Value::List(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty(),
        Value::Media(_) => true,
    }
}
