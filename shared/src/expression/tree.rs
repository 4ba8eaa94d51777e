//! The tree of an expression that is evaluated: minijinja's syntax tree without its borrows, with references by number.

use minijinja::Value as Jinja;

use super::operator::{Comparison, Operator};

/// An expression, or a part of one.
#[derive(Debug)]
pub(super) enum Tree {
    /// A number, a text, `true`, `none`.
    Constant(Jinja),
    /// The value of the reference of this number.
    Reference(usize),
    /// `value.field`
    Field(Box<Tree>, String),
    /// `value[index]`
    Item(Box<Tree>, Box<Tree>),
    /// `value[start:stop:step]`
    Slice(Box<Tree>, [Option<Box<Tree>>; 3]),
    /// `not value`
    Not(Box<Tree>),
    /// `-value`
    Negate(Box<Tree>),
    /// `left and right`
    And(Box<Tree>, Box<Tree>),
    /// `left or right`
    Or(Box<Tree>, Box<Tree>),
    /// `left + right` and the like.
    Binary(Operator, Box<Tree>, Box<Tree>),
    /// `a < b < c`: one comparison, or several in a row.
    Compare(Box<Tree>, Vec<(Comparison, Tree)>),
    /// `yes if test else no`
    Choice(Box<[Tree; 2]>, Option<Box<Tree>>),
    /// `value|name(arguments)`
    Filter(Box<Tree>, Call),
    /// `value is name(arguments)`
    Test(Box<Tree>, Call),
    /// `name(arguments)`
    Function(Call),
    /// `[a, b]`
    List(Vec<Tree>),
    /// `{a: b}`
    Object(Vec<(Tree, Tree)>),
}

/// A name and its arguments.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) name: String,
    /// The arguments, with their names if they have one.
    pub(super) arguments: Vec<(Option<String>, Tree)>,
}

impl Tree {
    /// Stands for a part that could not be read; an expression with problems is never evaluated.
    pub(super) const BROKEN: Self = Self::Constant(Jinja::UNDEFINED);
}
