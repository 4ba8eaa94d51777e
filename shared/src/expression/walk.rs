//! Walks minijinja's syntax tree: the only file that knows it.
//!
//! `undeclared_variables` loses what stands behind slices and indexes, so references are found here.

mod call;
mod reference;

use minijinja::machinery::ast::{BinOpKind, CallArg, Expr, UnaryOpKind};
use minijinja::machinery::{parse_expr, tokenize};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::ValueKind;

use super::functions::{FILTERS, TESTS};
use super::{Reference, Shape, convert};
use crate::document::hints;
use crate::problem::{Position, Problem, Span};
use crate::types::Type;

/// The most words and signs of one expression. minijinja recurses over long chains, so this bounds its stack.
pub(super) const MOST_TOKENS: usize = 500;

/// What a walk found.
pub(super) struct Found {
    pub(super) references: Vec<Reference>,
    pub(super) asks_outcome: bool,
    pub(super) shape: Shape,
    /// The whole expression is one reference without anything behind it.
    pub(super) alone: bool,
}

/// Parses an expression and finds what it reads.
pub(super) fn walk(source: &str, position: &dyn Fn(usize) -> Position) -> Result<Found, Vec<Problem>> {
    let whole = Span { start: position(0), end: position(source.len()) };
    if source.is_empty() {
        let problem = Problem::error("empty_expression", whole, "the expression is empty");
        return Err(vec![problem.hint("write what it should be, such as `params.seed` or `node.port`")]);
    }
    let tokens = tokenize(source, true, SyntaxConfig::default())
        .take_while(Result::is_ok)
        .take(MOST_TOKENS + 1)
        .count();
    if tokens > MOST_TOKENS {
        let message = format!("the expression has more than {MOST_TOKENS} words and signs");
        return Err(vec![
            Problem::error("long_expression", whole, message).hint("split it over several nodes"),
        ]);
    }
    // minijinja reads `1..6` as a number and a field, which nobody means.
    if source.contains("..")
        && let Some(problem) = foreign_problem(source, position)
    {
        return Err(vec![problem]);
    }
    let tree = match parse_expr(source) {
        Ok(tree) => tree,
        Err(error) => return Err(vec![syntax_problem(source, &error, whole, position)]),
    };
    let mut walk = Walk { position, references: Vec::new(), problems: Vec::new(), asks_outcome: false };
    let shape = walk.expression(&tree);
    let alone = match &tree {
        Expr::Var(_) => true,
        Expr::GetAttr(_) | Expr::GetItem(_) => {
            matches!(walk.references.first(), Some(Reference { port: Some(_), path, .. }) if path.is_empty())
        }
        _ => false,
    };
    if !walk.problems.is_empty() {
        return Err(walk.problems);
    }
    Ok(Found { references: walk.references, asks_outcome: walk.asks_outcome, shape, alone })
}

fn syntax_problem(
    source: &str,
    error: &minijinja::Error,
    whole: Span,
    position: &dyn Fn(usize) -> Position,
) -> Problem {
    if let Some(problem) = foreign_problem(source, position) {
        return problem;
    }
    let span = match error.range() {
        Some(range) if range.start < range.end && range.end <= source.len() => {
            Span { start: position(range.start), end: position(range.end) }
        }
        _ => whole,
    };
    Problem::error(
        "bad_expression",
        span,
        format!("`{source}` is not an expression: {}", convert::sentence(error)),
    )
}

fn foreign_problem(source: &str, position: &dyn Fn(usize) -> Position) -> Option<Problem> {
    let foreign = hints::foreign_operator(source)?;
    let span = Span { start: position(foreign.at), end: position(foreign.at + foreign.len) };
    Some(Problem::error("foreign_operator", span, foreign.message).hint(foreign.hint))
}

struct Walk<'p> {
    position: &'p dyn Fn(usize) -> Position,
    references: Vec<Reference>,
    problems: Vec<Problem>,
    asks_outcome: bool,
}

impl Walk<'_> {
    fn span(&self, start: u32, end: u32) -> Span {
        Span { start: (self.position)(start as usize), end: (self.position)(end as usize) }
    }

    fn span_of(&self, expression: &Expr<'_>) -> Span {
        let span = expression.span();
        self.span(span.start_offset, span.end_offset)
    }

    fn expression(&mut self, expression: &Expr<'_>) -> Shape {
        const ANY: Shape = Shape::Known(Type::Any);
        match expression {
            Expr::Var(_) | Expr::GetAttr(_) | Expr::GetItem(_) => self.chain(expression),
            Expr::Const(constant) => Shape::Known(match constant.value.kind() {
                ValueKind::Bool => Type::Bool,
                ValueKind::Number if constant.value.is_integer() => Type::Int,
                ValueKind::Number => Type::Float,
                ValueKind::String => Type::Text,
                _ => Type::Any,
            }),
            Expr::Slice(slice) => {
                for part in [&slice.start, &slice.stop, &slice.step].into_iter().flatten() {
                    self.expression(part);
                }
                self.expression(&slice.expr)
            }
            Expr::UnaryOp(operation) => {
                let shape = self.expression(&operation.expr);
                match operation.op {
                    UnaryOpKind::Not => Shape::Known(Type::Bool),
                    UnaryOpKind::Neg => shape,
                }
            }
            Expr::BinOp(operation) => {
                let left = self.expression(&operation.left);
                let right = self.expression(&operation.right);
                match operation.op {
                    BinOpKind::Eq
                    | BinOpKind::Ne
                    | BinOpKind::Lt
                    | BinOpKind::Lte
                    | BinOpKind::Gt
                    | BinOpKind::Gte
                    | BinOpKind::In => Shape::Known(Type::Bool),
                    BinOpKind::Concat => Shape::Known(Type::Text),
                    BinOpKind::Div => Shape::Known(Type::Float),
                    BinOpKind::ScAnd | BinOpKind::ScOr => Shape::OneOf(vec![left, right]),
                    _ => ANY,
                }
            }
            Expr::Compare(comparison) => {
                self.expression(&comparison.expr);
                for operand in &comparison.ops {
                    self.expression(&operand.expr);
                }
                Shape::Known(Type::Bool)
            }
            Expr::IfExpr(choice) => {
                self.expression(&choice.test_expr);
                let yes = self.expression(&choice.true_expr);
                match &choice.false_expr {
                    Some(no) => Shape::OneOf(vec![yes, self.expression(no)]),
                    None => yes,
                }
            }
            Expr::Filter(filter) => {
                let shape = match &filter.expr {
                    Some(value) => self.expression(value),
                    None => ANY,
                };
                self.arguments(&filter.args);
                if !FILTERS.contains(&filter.name) {
                    let message = format!("there is no filter `{}`", filter.name);
                    let problem = Problem::error("unknown_filter", self.span_of(expression), message);
                    self.problems.push(problem.near(filter.name, FILTERS));
                }
                filtered(filter.name, shape)
            }
            Expr::Test(test) => {
                self.expression(&test.expr);
                self.arguments(&test.args);
                if !TESTS.contains(&test.name) {
                    let message = format!("there is no test `is {}`", test.name);
                    let problem = Problem::error("unknown_test", self.span_of(expression), message);
                    self.problems.push(problem.near(test.name, TESTS));
                }
                Shape::Known(Type::Bool)
            }
            Expr::Call(call) => self.call(call, self.span_of(expression)),
            Expr::List(list) => {
                let shapes: Vec<Shape> = list.items.iter().map(|item| self.expression(item)).collect();
                Shape::List(Box::new(Shape::OneOf(shapes)))
            }
            Expr::Tuple(tuple) => {
                for item in &tuple.items {
                    self.expression(item);
                }
                ANY.list()
            }
            Expr::Map(map) => {
                for part in map.keys.iter().chain(&map.values) {
                    self.expression(part);
                }
                ANY
            }
        }
    }

    fn arguments(&mut self, arguments: &[CallArg<'_>]) -> Vec<Shape> {
        let mut shapes = Vec::new();
        for argument in arguments {
            match argument {
                CallArg::Pos(value) | CallArg::Kwarg(_, value) => shapes.push(self.expression(value)),
                CallArg::PosSplat(value) | CallArg::KwargSplat(value) => {
                    let span = self.span_of(value);
                    self.problems.push(Problem::error(
                        "bad_expression",
                        span,
                        "`*` and `**` can't stand before an argument",
                    ));
                }
            }
        }
        shapes
    }
}

impl Shape {
    fn list(self) -> Self {
        Self::List(Box::new(self))
    }
}

/// The shape of what a filter makes.
fn filtered(name: &str, shape: Shape) -> Shape {
    match name {
        "length" | "count" | "int" => Shape::Known(Type::Int),
        "float" => Shape::Known(Type::Float),
        "bool" => Shape::Known(Type::Bool),
        "capitalize" | "format" | "indent" | "join" | "lower" | "replace" | "string" | "title" | "tojson"
        | "trim" | "upper" => Shape::Known(Type::Text),
        "first" | "last" | "min" | "max" => Shape::Element(Box::new(shape)),
        "sort" | "reverse" | "unique" | "select" | "reject" | "selectattr" | "rejectattr" => shape,
        _ => Shape::Known(Type::Any),
    }
}
