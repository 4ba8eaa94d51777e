//! A name and what stands behind it.

use minijinja::machinery::ast::Expr;

use super::Walk;
use crate::document::hints;
use crate::expression::functions::{FUNCTIONS, OUTCOMES};
use crate::expression::{Reference, Root, Shape};
use crate::problem::{Problem, Span};
use crate::types::Type;

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

impl Walk<'_> {
    /// A name and the fields and indexes behind it.
    pub(super) fn chain(&mut self, expression: &Expr<'_>) -> Shape {
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

fn behind(shape: Shape, steps: &[Step<'_>]) -> Shape {
    steps.iter().fold(shape, |shape, step| match step.field() {
        Some(field) => Shape::Field(Box::new(shape), field.to_owned()),
        None => Shape::Element(Box::new(shape)),
    })
}
