//! Calls of functions, and of names that are not functions.

use minijinja::machinery::ast::{Call, CallType};

use super::{Part, Walk};
use crate::expression::functions::{FUNCTIONS, OUTCOMES};
use crate::expression::tree::{self, Tree};
use crate::expression::{Shape, hints};
use crate::problem::{Problem, Span};
use crate::types::Type;

impl Walk<'_> {
    pub(super) fn call(&mut self, call: &Call<'_>, span: Span) -> Part {
        let (shapes, arguments) = self.arguments(&call.args);
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
                return Part::BROKEN;
            }
            _ => {
                let hint = format!("the functions are {}", FUNCTIONS.join(", "));
                let problem = Problem::error("unknown_function", span, "only functions can be called");
                self.problems.push(problem.hint(hint));
                return Part::BROKEN;
            }
        };
        if !FUNCTIONS.contains(&name) {
            let problem = Problem::error("unknown_function", span, format!("there is no function `{name}`"));
            let problem = match hints::function(name) {
                Some(hint) => problem.hint(hint),
                None => problem.hint(format!("the functions are {}", FUNCTIONS.join(", "))),
            };
            self.problems.push(problem.near(name, FUNCTIONS));
            return Part::BROKEN;
        }
        if OUTCOMES.contains(&name) {
            self.asks_outcome = true;
            if !call.args.is_empty() {
                let message = format!("`{name}()` takes no arguments");
                let hint = "it refers to all nodes that this one reads or needs";
                self.problems.push(Problem::error("bad_call", span, message).hint(hint));
            }
            return Part::known(Type::Bool, Tree::Function(tree::Call { name: name.to_owned(), arguments }));
        }
        let shape = match name {
            "range" => Shape::Known(Type::Int.list()),
            "argmax" | "argmin" => Shape::Known(Type::Int),
            "first" => Shape::OneOf(shapes),
            _ => Shape::Known(Type::Any).list(),
        };
        Part { shape, tree: Tree::Function(tree::Call { name: name.to_owned(), arguments }) }
    }
}
