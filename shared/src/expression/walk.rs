//! Walks minijinja's syntax tree. No other file knows that tree.
//!
//! `undeclared_variables` loses what follows slices and indexes, so references are found here.

mod call;
mod part;
mod reference;

use minijinja::machinery::ast::{self, CallArg, Expr, UnaryOpKind};
use minijinja::machinery::{parse_expr, tokenize};
use minijinja::syntax::SyntaxConfig;

use super::functions::{FILTERS, TESTS};
use super::tree::{Call, Tree};
use super::{Reference, Shape, convert, hints};
use crate::problem::{Position, Problem, Span};
use crate::types::Type;
use part::Part;

/// The most tokens of one expression. minijinja recurses over long chains, so this bounds its stack.
pub(super) const TOKEN_LIMIT: usize = 500;

/// The result of a walk.
pub(super) struct Found {
    pub(super) references: Vec<Reference>,
    pub(super) asks_outcome: bool,
    pub(super) shape: Shape,
    pub(super) tree: Tree,
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
        .take(TOKEN_LIMIT + 1)
        .count();
    if tokens > TOKEN_LIMIT {
        let message = format!("the expression has more than {TOKEN_LIMIT} words and symbols");
        return Err(vec![
            Problem::error("long_expression", whole, message).hint("split it over several nodes"),
        ]);
    }
    // minijinja reads `1..6` as a number and a field, which is never meant.
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
    let Part { shape, tree } = walk.expression(&tree);
    if !walk.problems.is_empty() {
        return Err(walk.problems);
    }
    Ok(Found { references: walk.references, asks_outcome: walk.asks_outcome, shape, tree })
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

    // Each kind has its own function, so that a deep expression needs little stack.
    fn expression(&mut self, expression: &Expr<'_>) -> Part {
        match expression {
            Expr::Var(_) | Expr::GetAttr(_) | Expr::GetItem(_) => self.chain(expression),
            Expr::Const(constant) => part::constant(&constant.value),
            Expr::Slice(slice) => self.slice(slice),
            Expr::UnaryOp(operation) => self.unary(operation),
            Expr::BinOp(operation) => self.binary(operation),
            Expr::Compare(comparison) => self.comparison(comparison),
            Expr::IfExpr(choice) => self.choice(choice),
            Expr::Filter(filter) => self.filter(filter, self.span_of(expression)),
            Expr::Test(test) => self.test(test, self.span_of(expression)),
            Expr::Call(call) => self.call(call, self.span_of(expression)),
            Expr::List(list) => self.list(&list.items),
            Expr::Tuple(tuple) => self.list(&tuple.items),
            Expr::Map(map) => self.object(map),
        }
    }

    fn tree(&mut self, expression: &Expr<'_>) -> Box<Tree> {
        Box::new(self.expression(expression).tree)
    }

    fn slice(&mut self, slice: &ast::Slice<'_>) -> Part {
        let bounds = [&slice.start, &slice.stop, &slice.step];
        let bounds = bounds.map(|bound| bound.as_ref().map(|bound| self.tree(bound)));
        let Part { shape, tree } = self.expression(&slice.expr);
        Part { shape, tree: Tree::Slice(Box::new(tree), bounds) }
    }

    fn unary(&mut self, operation: &ast::UnaryOp<'_>) -> Part {
        let Part { shape, tree } = self.expression(&operation.expr);
        let tree = Box::new(tree);
        match operation.op {
            UnaryOpKind::Not => Part::known(Type::Bool, Tree::Not(tree)),
            UnaryOpKind::Neg => Part { shape, tree: Tree::Negate(tree) },
        }
    }

    fn binary(&mut self, operation: &ast::BinOp<'_>) -> Part {
        let left = self.expression(&operation.left);
        let right = self.expression(&operation.right);
        part::binary(operation.op, left, right)
    }

    fn comparison(&mut self, comparison: &ast::Compare<'_>) -> Part {
        let first = self.tree(&comparison.expr);
        let others = &comparison.ops;
        let others =
            others.iter().map(|it| (part::comparison(it.op), self.expression(&it.expr).tree)).collect();
        Part::known(Type::Bool, Tree::Compare(first, others))
    }

    fn choice(&mut self, choice: &ast::IfExpr<'_>) -> Part {
        let test = self.expression(&choice.test_expr).tree;
        let yes = self.expression(&choice.true_expr);
        let (shape, no) = match &choice.false_expr {
            Some(no) => {
                let no = self.expression(no);
                (Shape::OneOf(vec![yes.shape, no.shape]), Some(Box::new(no.tree)))
            }
            None => (yes.shape, None),
        };
        Part { shape, tree: Tree::Choice(Box::new([test, yes.tree]), no) }
    }

    fn filter(&mut self, filter: &ast::Filter<'_>, span: Span) -> Part {
        let Part { shape, tree } = match &filter.expr {
            Some(value) => self.expression(value),
            None => Part::BROKEN,
        };
        let (_, arguments) = self.arguments(&filter.args);
        if !FILTERS.contains(&filter.name) {
            let message = format!("there is no filter `{}`", filter.name);
            self.problems.push(Problem::error("unknown_filter", span, message).near(filter.name, FILTERS));
        }
        let call = Call { name: filter.name.to_owned(), arguments };
        Part { shape: part::filtered(filter.name, shape), tree: Tree::Filter(Box::new(tree), call) }
    }

    fn test(&mut self, test: &ast::Test<'_>, span: Span) -> Part {
        let value = self.tree(&test.expr);
        let (_, arguments) = self.arguments(&test.args);
        if !TESTS.contains(&test.name) {
            let message = format!("there is no test `is {}`", test.name);
            self.problems.push(Problem::error("unknown_test", span, message).near(test.name, TESTS));
        }
        Part::known(Type::Bool, Tree::Test(value, Call { name: test.name.to_owned(), arguments }))
    }

    fn list(&mut self, items: &[Expr<'_>]) -> Part {
        let parts = items.iter().map(|item| self.expression(item));
        let (shapes, trees) = parts.map(|Part { shape, tree }| (shape, tree)).unzip();
        Part { shape: Shape::OneOf(shapes).list(), tree: Tree::List(trees) }
    }

    fn object(&mut self, map: &ast::Map<'_>) -> Part {
        let mut fields = Vec::with_capacity(map.keys.len());
        for (key, value) in map.keys.iter().zip(&map.values) {
            fields.push((self.expression(key).tree, self.expression(value).tree));
        }
        Part::known(Type::Any, Tree::Object(fields))
    }

    fn arguments(&mut self, arguments: &[CallArg<'_>]) -> (Vec<Shape>, Vec<(Option<String>, Tree)>) {
        let (mut shapes, mut trees) = (Vec::new(), Vec::new());
        for argument in arguments {
            match argument {
                CallArg::Pos(value) => {
                    let Part { shape, tree } = self.expression(value);
                    shapes.push(shape);
                    trees.push((None, tree));
                }
                CallArg::Kwarg(name, value) => {
                    trees.push((Some((*name).to_owned()), self.expression(value).tree));
                }
                CallArg::PosSplat(value) | CallArg::KwargSplat(value) => {
                    let span = self.span_of(value);
                    self.problems.push(Problem::error(
                        "bad_expression",
                        span,
                        "`*` and `**` can't precede an argument",
                    ));
                }
            }
        }
        (shapes, trees)
    }
}
