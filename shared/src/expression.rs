//! Expressions: the one file that knows minijinja's syntax tree. PLACEHOLDER bodies; signatures hold.

use std::sync::Arc;

use crate::problem::{Problem, Span};
use crate::value::Value;

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

/// Something that an expression reads: a root and the first field behind it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reference {
    /// What it names first.
    pub root: Root,
    /// The field behind it: the param, the port.
    pub port: Option<String>,
    /// Where it stands in the file.
    pub span: Span,
}

/// A compiled expression; cheap to clone.
#[derive(Clone)]
pub struct Expression {
    inner: Arc<Inner>,
}

struct Inner {
    source: String,
    references: Vec<Reference>,
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
    /// Reads an expression; `span` is where its source stands in the file.
    ///
    /// # Errors
    /// What is wrong with it, at its place.
    pub fn parse(source: &str, span: Span) -> Result<Self, Vec<Problem>> {
        let _ = span;
        Ok(Self { inner: Arc::new(Inner { source: source.to_owned(), references: Vec::new() }) })
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
        false
    }
    /// If it is exactly `node.port`: those two.
    #[must_use]
    pub fn straight(&self) -> Option<(&str, &str)> {
        None
    }
    /// Its value; `None` where the result is absent.
    ///
    /// # Errors
    /// A sentence that names the expression.
    pub fn evaluate(&self, scope: &dyn Scope) -> Result<Option<Value>, String> {
        let _ = scope;
        Ok(None)
    }
}
