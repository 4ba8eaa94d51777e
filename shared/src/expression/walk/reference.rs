//! A name and the fields after it.

use minijinja::machinery::ast::Expr;

use super::{Part, Walk};
use crate::expression::functions::{FUNCTIONS, OUTCOMES};
use crate::expression::tree::Tree;
use crate::expression::{Reference, Root, Shape, hints};
use crate::problem::{Problem, Span};

/// A step after a root.
enum Step {
    /// `.field` or `['field']`
    Field(String),
    /// `[index]`
    Element(Tree),
}

impl Step {
    fn field(&self) -> Option<&str> {
        match self {
            Self::Field(name) => Some(name),
            Self::Element(_) => None,
        }
    }
}

impl Walk<'_> {
    /// Reads a name and the fields and indexes after it.
    pub(super) fn chain(&mut self, expression: &Expr<'_>) -> Part {
        let mut steps = Vec::new();
        let mut base = expression;
        loop {
            match base {
                Expr::GetAttr(get) => {
                    steps.push(Step::Field(get.name.to_owned()));
                    base = &get.expr;
                }
                Expr::GetItem(get) => {
                    let field = match &get.subscript_expr {
                        Expr::Const(constant) => constant.value.as_str().map(str::to_owned),
                        _ => None,
                    };
                    steps.push(match field {
                        Some(name) => Step::Field(name),
                        None => Step::Element(self.expression(&get.subscript_expr).tree),
                    });
                    base = &get.expr;
                }
                _ => break,
            }
        }
        steps.reverse();
        match base {
            Expr::Var(variable) => {
                let (start, end) = (base.span().start_offset, expression.span().end_offset);
                self.reference(variable.id, steps, self.span(start, end))
            }
            base => {
                let part = self.expression(base);
                behind(part, steps)
            }
        }
    }

    fn reference(&mut self, name: &str, mut steps: Vec<Step>, span: Span) -> Part {
        if FUNCTIONS.contains(&name) {
            let problem = Problem::error("function_as_value", span, format!("`{name}` is a function"));
            self.problems.push(
                problem
                    .hint(format!("call it: `{name}({})`", if OUTCOMES.contains(&name) { "" } else { "…" })),
            );
            return Part::BROKEN;
        }
        let root = Root::of(name);
        let mut port = None;
        if root.has_fields() {
            match steps.first() {
                Some(Step::Field(field)) => {
                    port = Some(field.clone());
                    steps.remove(0);
                }
                Some(_) => {
                    let what = what_follows(&root);
                    let message = format!("after `{name}` comes {what}, which can't be computed");
                    self.problems.push(
                        Problem::error("computed_name", span, message)
                            .hint(format!("write the name itself, as in `{name}.{}`", example(&root))),
                    );
                    return Part::BROKEN;
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
                    return Part::BROKEN;
                }
            }
        }
        let path = steps.iter().map_while(Step::field).map(str::to_owned).collect();
        let number = self.references.len();
        self.references.push(Reference { root, port, path, span });
        behind(Part { shape: Shape::Reference(number), tree: Tree::Reference(number) }, steps)
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

fn behind(part: Part, steps: Vec<Step>) -> Part {
    steps.into_iter().fold(part, |Part { shape, tree }, step| {
        let (shape, tree) = (Box::new(shape), Box::new(tree));
        match step {
            Step::Field(field) => {
                Part { shape: Shape::Field(shape, field.clone()), tree: Tree::Field(tree, field) }
            }
            Step::Element(index) => {
                Part { shape: Shape::Element(shape), tree: Tree::Item(tree, Box::new(index)) }
            }
        }
    })
}
