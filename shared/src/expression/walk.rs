//! Walks minijinja's syntax tree: the only file that knows it.
//!
//! `undeclared_variables` loses what stands behind slices and indexes, so references are found here.

use minijinja::machinery::ast::{BinOpKind, Call, CallArg, CallType, Expr, UnaryOpKind};
use minijinja::machinery::{parse_expr, tokenize};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::ValueKind;

use super::functions::{FILTERS, FUNCTIONS, OUTCOMES, TESTS};
use super::{Reference, Root, Shape, convert};
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

/// A step behind a root.
enum Step<'a> {
    Field(&'a str),
    FieldByIndex(String),
    Element,
}

impl Step<'_> {
    fn field(&self) -> Option<&str> {
        match self {
            Self::Field(name) => Some(name),
            Self::FieldByIndex(name) => Some(name),
            Self::Element => None,
        }
    }
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

    fn call(&mut self, call: &Call<'_>, span: Span) -> Shape {
        let shapes = self.arguments(&call.args);
        let any = Shape::Known(Type::Any);
        let name = match call.identify_call() {
            CallType::Function(name) => name,
            CallType::Method(value, name) => {
                self.expression(value);
                let problem =
                    Problem::error("method_call", span, format!("values have no methods, so no `.{name}()`"));
                self.problems.push(match hints::method(name) {
                    Some(filter) => problem.hint(format!("use the filter: `value|{filter}`")),
                    None => problem.hint("use a filter, such as `value|upper` or `value|length`"),
                });
                return any;
            }
            _ => {
                let hint = format!("the functions are {}", FUNCTIONS.join(", "));
                let problem = Problem::error("unknown_function", span, "only functions can be called");
                self.problems.push(problem.hint(hint));
                return any;
            }
        };
        if !FUNCTIONS.contains(&name) {
            let problem = Problem::error("unknown_function", span, format!("there is no function `{name}`"));
            let problem = match hints::function(name) {
                Some(hint) => problem.hint(hint),
                None => problem.hint(format!("the functions are {}", FUNCTIONS.join(", "))),
            };
            self.problems.push(problem.near(name, FUNCTIONS));
            return any;
        }
        if OUTCOMES.contains(&name) {
            self.asks_outcome = true;
            if !call.args.is_empty() {
                let message = format!("`{name}()` takes no arguments");
                let hint = "it speaks of all nodes that this one reads or needs";
                self.problems.push(Problem::error("bad_call", span, message).hint(hint));
            }
            return Shape::Known(Type::Bool);
        }
        match name {
            "range" => Shape::Known(Type::Int.list()),
            "argmax" | "argmin" => Shape::Known(Type::Int),
            "first" => Shape::OneOf(shapes),
            _ => any.list(),
        }
    }

    /// A name and the fields and indexes behind it.
    fn chain(&mut self, expression: &Expr<'_>) -> Shape {
        let mut steps = Vec::new();
        let mut base = expression;
        loop {
            match base {
                Expr::GetAttr(get) => {
                    steps.push(Step::Field(get.name));
                    base = &get.expr;
                }
                Expr::GetItem(get) => {
                    let field = match &get.subscript_expr {
                        Expr::Const(constant) => constant.value.as_str().map(str::to_owned),
                        subscript => {
                            self.expression(subscript);
                            None
                        }
                    };
                    steps.push(field.map_or(Step::Element, Step::FieldByIndex));
                    base = &get.expr;
                }
                _ => break,
            }
        }
        steps.reverse();
        match base {
            Expr::Var(variable) => {
                let (start, end) = (base.span().start_offset, expression.span().end_offset);
                self.reference(variable.id, &steps, self.span(start, end))
            }
            base => {
                let shape = self.expression(base);
                behind(shape, &steps)
            }
        }
    }

    fn reference(&mut self, name: &str, steps: &[Step<'_>], span: Span) -> Shape {
        if FUNCTIONS.contains(&name) {
            let problem = Problem::error("function_as_value", span, format!("`{name}` is a function"));
            self.problems.push(
                problem
                    .hint(format!("call it: `{name}({})`", if OUTCOMES.contains(&name) { "" } else { "…" })),
            );
            return Shape::Known(Type::Any);
        }
        let root = Root::of(name);
        let mut rest = steps;
        let mut port = None;
        if root.has_fields() {
            match steps.split_first() {
                Some((first, more)) if first.field().is_some() => {
                    port = first.field().map(str::to_owned);
                    rest = more;
                }
                Some(_) => {
                    let what = what_follows(&root);
                    let message = format!("behind `{name}` stands {what}, which can't be computed");
                    self.problems.push(
                        Problem::error("computed_name", span, message)
                            .hint(format!("write the name itself, as in `{name}.{}`", example(&root))),
                    );
                    return Shape::Known(Type::Any);
                }
                None => {
                    let hint = match &root {
                        Root::Node(_) => hints::bare_word(name).unwrap_or_else(|| {
                            format!(
                                "for a node name its port, as in `{name}.{}`; for text use quotes",
                                example(&root)
                            )
                        }),
                        _ => format!("name one of its values: `{name}.{}`", example(&root)),
                    };
                    let message = format!("`{name}` alone is not a value");
                    self.problems.push(Problem::error("whole_root", span, message).hint(hint));
                    return Shape::Known(Type::Any);
                }
            }
        }
        let path = rest.iter().map_while(Step::field).map(str::to_owned).collect();
        self.references.push(Reference { root, port, path, span });
        behind(Shape::Reference(self.references.len() - 1), rest)
    }
}

fn what_follows(root: &Root) -> &'static str {
    match root {
        Root::Params => "a param's name",
        Root::Node(_) => "a port's name",
        _ => "a name",
    }
}

fn example(root: &Root) -> &'static str {
    match root {
        Root::Params => "seed",
        Root::Run => "number",
        Root::Secrets => "token",
        _ => "image",
    }
}

impl Shape {
    fn list(self) -> Self {
        Self::List(Box::new(self))
    }
}

fn behind(shape: Shape, steps: &[Step<'_>]) -> Shape {
    steps.iter().fold(shape, |shape, step| match step.field() {
        Some(field) => Shape::Field(Box::new(shape), field.to_owned()),
        None => Shape::Element(Box::new(shape)),
    })
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
