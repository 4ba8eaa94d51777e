//! Expressions: the text between `${{` and `}}`.
//!
//! minijinja parses them and provides values, operators, filters and tests. Only [`walk`] knows its syntax tree; it
//! finds the references of an expression, each of which becomes an edge. [`evaluate`] computes the result, with the
//! rules for absent values. Values pass through unchanged: integers stay integers, media stays media.

mod content;
mod convert;
mod element;
mod evaluate;
mod functions;
mod hints;
mod json;
mod operator;
mod render;
mod tree;
mod walk;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::problem::{Position, Problem, Span};
use crate::types::Type;
use crate::value::{Value, cut};

use tree::Tree;

pub use content::{Content, Load, READ_LIMIT};
pub use convert::MEDIA_FIELDS;
pub use element::{Element, ElementExpression};
pub use functions::FUNCTIONS;
pub use render::{render, template_variables};

/// The maximum size of the value of an expression, or of a text that contains expressions, in bytes.
pub const SIZE_LIMIT: usize = 16 << 20;

/// The first name in a reference.
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

/// The roots that aren't nodes.
pub const ROOTS: [&str; 5] = ["params", "run", "item", "index", "secrets"];

impl Root {
    /// Returns the root with this name; any other name is a node's.
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
    /// Returns the name as written in an expression.
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
    /// Returns whether a field must follow, because it is a group of values.
    #[must_use]
    pub fn has_fields(&self) -> bool {
        !matches!(self, Self::Item | Self::Index)
    }
}

/// Something that an expression reads: a root and the first field after it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reference {
    /// Its root.
    pub root: Root,
    /// The field after the root: the param or the port. `None` for `item` and `index`.
    pub port: Option<String>,
    /// The constant fields that follow directly: `["name"]` in `a.image.name`.
    pub path: Vec<String>,
    /// Its span in the file.
    pub span: Span,
}

/// The statically known shape of an expression's result.
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
    tree: Tree,
}

/// Expressions with the same text are equal, wherever they are in the file.
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

/// The values that an expression can read.
pub trait Scope {
    /// Returns the value of `root.field` (`field` is `None` for `item` and `index`); `None` if it is absent. The fields
    /// of a large item are read from the item itself.
    fn get(&self, root: &Root, field: Option<&str>) -> Option<Value>;
    /// Returns the outcome of the nodes before, for `success()` and `failure()`.
    fn outcome(&self) -> Outcome {
        Outcome::default()
    }
    /// Returns the loader of large values; without one, an expression that needs the content of a large value fails.
    fn loader(&self) -> Option<Arc<dyn Load>> {
        None
    }
}

/// The outcome of the nodes before, for `success()` and `failure()`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Outcome {
    /// A node upstream failed.
    pub failed: bool,
    /// A node named in `needs` was skipped.
    pub skipped: bool,
}

impl Expression {
    /// Parses an expression; `span` is the position of its source in the file, on one line.
    ///
    /// # Errors
    /// The problems, with their positions.
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

    /// Parses an expression; `position` maps a byte of its source to its position in the file.
    ///
    /// # Errors
    /// The problems, with their positions.
    pub(crate) fn parse_at(source: &str, position: &dyn Fn(usize) -> Position) -> Result<Self, Vec<Problem>> {
        let walk::Found { references, asks_outcome, shape, tree } = walk::walk(source, position)?;
        let source = source.to_owned();
        Ok(Self { inner: Arc::new(Inner { source, references, asks_outcome, shape, tree }) })
    }

    /// Returns its source as written in the file.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.inner.source
    }
    /// Returns what it reads.
    #[must_use]
    pub fn references(&self) -> &[Reference] {
        &self.inner.references
    }
    /// Returns the names of the secrets that it reads. What it makes of them is as secret as they are.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        let secrets = self.inner.references.iter().filter(|it| it.root == Root::Secrets);
        secrets.filter_map(|it| it.port.as_deref())
    }
    /// Returns whether it calls one of `success()`, `failure()`, `always()`.
    #[must_use]
    pub fn asks_outcome(&self) -> bool {
        self.inner.asks_outcome
    }
    /// Returns what it reads if it is exactly that, such as `item`, `params.name` or `node.port`.
    #[must_use]
    pub fn reference(&self) -> Option<&Reference> {
        self.inner.references.first().filter(|_| matches!(self.inner.tree, Tree::Reference(_)))
    }
    /// Returns whether it is a reference with constant fields and nothing else, such as `item` or `item.name`.
    #[must_use]
    pub fn is_path(&self) -> bool {
        let mut tree = &self.inner.tree;
        while let Tree::Field(value, _) = tree {
            tree = value;
        }
        matches!(tree, Tree::Reference(_))
    }
    /// Returns the node and port if it is exactly `node.port`.
    #[must_use]
    pub fn straight(&self) -> Option<(&str, &str)> {
        match self.reference()? {
            Reference { root: Root::Node(node), port: Some(port), .. } => Some((node, port)),
            _ => None,
        }
    }

    /// Returns the type of its result as far as it is known without values; `of` returns the types of what it reads.
    pub fn result_type(&self, of: &dyn Fn(&Reference) -> Type) -> Type {
        self.inner.shape.result_type(&self.inner.references, of)
    }

    /// Evaluates it. Returns `None` if the result is absent, as it is when the expression reads something absent.
    ///
    /// # Errors
    /// A sentence that names the expression.
    pub fn evaluate(&self, scope: &dyn Scope) -> Result<Option<Value>, String> {
        let Inner { source, references, tree, .. } = &*self.inner;
        if let (Tree::Reference(_), Some(reference)) = (tree, references.first()) {
            return Ok(scope.get(&reference.root, reference.port.as_deref()));
        }
        evaluate::evaluate(tree, references, scope)
            .map_err(|sentence| format!("`${{{{ {} }}}}`: {sentence}", cut(source, 120)))
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

/// Returns whether a value counts as true in a condition: not absent, `false`, zero, or empty.
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
        Value::Media(_) | Value::Large(_) => true,
    }
}
