//! Checks what expressions name: params, ports, fields, `item`.

use super::check::{CheckContext, Ports, Reader};
use super::hints;
use super::names::is_secret_name;
use super::reading::Reading;
use crate::expression::{Expression, MEDIA_FIELDS, ROOTS, Reference, Root};
use crate::problem::Problem;
use crate::types::Type;
use crate::value::cut;
use crate::workflow::Each;

/// The fields of `run`.
const RUN_FIELDS: [&str; 4] = ["id", "number", "label", "workflow"];

impl CheckContext<'_> {
    /// Checks everything that an expression reads.
    pub(super) fn references(&self, reading: &mut Reading<'_>, expression: &Expression, reader: Reader<'_>) {
        for reference in expression.references() {
            if let Some(problem) = self.reference(reading, reference, reader) {
                reading.report(problem);
            }
        }
    }

    fn reference(
        &self,
        reading: &mut Reading<'_>,
        reference: &Reference,
        reader: Reader<'_>,
    ) -> Option<Problem> {
        let field = reference.port.as_deref().unwrap_or_default();
        let shown = cut(field, 60);
        let span = reference.span;
        match &reference.root {
            Root::Params => {
                let Some(param) = self.workflow.params.get(field) else {
                    let problem =
                        Problem::error("unknown_param", span, format!("there is no param `{shown}`"));
                    let names: Vec<&str> = self.workflow.params.keys().map(String::as_str).collect();
                    let problem = if names.is_empty() {
                        problem.hint(format!("declare it: `params: {{ {shown}: {{ type: text }} }}`"))
                    } else {
                        problem.hint(format!("the params are {}", cut(&names.join(", "), 200)))
                    };
                    return Some(reading.near(problem, field, names));
                };
                self.media_field(reading, &format!("params.{field}"), &param.ty, reference)
            }
            Root::Run => (!RUN_FIELDS.contains(&field)).then(|| {
                let problem = Problem::error("unknown_field", span, format!("`run` has no `{shown}`"));
                let problem = problem.hint(format!("it has {}", RUN_FIELDS.join(", ")));
                reading.near(problem, field, RUN_FIELDS)
            }),
            Root::Secrets if !is_secret_name(field) => {
                let message = format!("`{shown}` can't be the name of a secret");
                Some(Problem::error("bad_name", span, message).hint("use letters, digits and `_`"))
            }
            Root::Secrets => self.media_field(reading, &format!("secrets.{field}"), &Type::Text, reference),
            Root::Item | Root::Index => self.item(reading, reference, reader),
            Root::Node(node) => self.port(reading, node, field, reference, reader),
        }
    }

    fn item(&self, reading: &mut Reading<'_>, reference: &Reference, reader: Reader<'_>) -> Option<Problem> {
        let name = reference.root.name();
        let each = reader.node.and_then(|(_, _, node)| node.each.as_ref());
        let (span, path) = (reference.span, reference.path.first());
        match each {
            Some(_) if reader.each => {
                let message = format!("`{name}` can't be used in `each`, which defines it");
                Some(Problem::error("item_outside_each", span, message))
            }
            Some(Each::Zip(lists)) if reference.root == Root::Item => {
                let field = path.filter(|field| !lists.contains_key(*field))?;
                let names: Vec<&str> = lists.keys().map(String::as_str).collect();
                let problem =
                    Problem::error("unknown_field", span, format!("`item` has no `{}`", cut(field, 60)));
                let problem = problem.hint(format!("`each` gives it {}", names.join(", ")));
                Some(reading.near(problem, field, names))
            }
            Some(_) => None,
            None if reader
                .node
                .is_some_and(|(number, ..)| matches!(self.ports.get(number), Some(Ports::Unknown))) =>
            {
                None
            }
            None => {
                let message = format!("`{name}` is known only in a node with `each`");
                Some(
                    Problem::error("item_outside_each", span, message)
                        .hint("add `each:` with a list to this node"),
                )
            }
        }
    }

    fn port(
        &self,
        reading: &mut Reading<'_>,
        node: &str,
        port: &str,
        reference: &Reference,
        reader: Reader<'_>,
    ) -> Option<Problem> {
        let span = reference.span;
        if !self.workflow.nodes.contains_key(node) {
            return Some(self.unknown_root(reading, node, reference));
        }
        if reader.node.is_some_and(|(_, name, _)| name == node) {
            let message = format!("node `{node}` reads its own port `{}`", cut(port, 60));
            return Some(
                Problem::error("self_reference", span, message)
                    .hint("a node can only read what other nodes made"),
            );
        }
        let Some(ty) = self.port_type(node, port) else {
            let names = self.port_names(node);
            let message = format!("node `{node}` has no port `{}`", cut(port, 60));
            let hint = match port {
                // `node.outputs.port` of other formats.
                "outputs" | "output" | "result" => match reference.path.first() {
                    Some(inner) => format!("write `{node}.{inner}`"),
                    None => format!("its ports are {}", names.join(", ")),
                },
                _ if self.is_command(node) => format!(
                    "its ports are {}; what it reports by $FANLIGHT_EVENTS is declared as \
                     `outputs: {{ {}: {{ event: true, type: … }} }}`",
                    names.join(", "),
                    cut(port, 60)
                ),
                _ if self.may_declare(node) => format!(
                    "its ports are {}; declare another as `outputs: {{ {}: … }}` of the node, with its type",
                    names.join(", "),
                    cut(port, 60)
                ),
                _ => format!("its ports are {}", names.join(", ")),
            };
            let problem = Problem::error("unknown_port", span, message).hint(hint);
            return Some(reading.near(problem, port, names.iter().map(String::as_str)));
        };
        self.media_field(reading, &format!("{node}.{port}"), &ty, reference)
    }

    fn is_command(&self, node: &str) -> bool {
        self.workflow.nodes.get(node).is_some_and(|node| node.action.is_command())
    }

    fn unknown_root(&self, reading: &mut Reading<'_>, name: &str, reference: &Reference) -> Problem {
        let shown = cut(name, 60);
        let path: Vec<&str> =
            reference.port.as_deref().into_iter().chain(reference.path.iter().map(String::as_str)).collect();
        if let Some(hint) = hints::root(name, &path) {
            let message = format!("there is no node `{shown}`; it is a word of another format");
            return Problem::error("foreign_root", reference.span, message).hint(hint);
        }
        let problem = Problem::error("unknown_node", reference.span, format!("there is no node `{shown}`"));
        let nodes = self.workflow.nodes.keys().map(String::as_str);
        if self.workflow.params.contains_key(name) {
            return problem.hint(format!("write `params.{shown}`"));
        }
        let names = cut(&nodes.clone().take(20).collect::<Vec<_>>().join(", "), 120);
        let problem =
            problem.hint(format!("an expression can name {} and the nodes {names}", ROOTS.join(", ")));
        reading.near(problem, name, ROOTS.into_iter().chain(nodes))
    }

    /// Checks a field of media or of a list.
    fn media_field(
        &self,
        reading: &mut Reading<'_>,
        what: &str,
        ty: &Type,
        reference: &Reference,
    ) -> Option<Problem> {
        let field = reference.path.first()?;
        match ty {
            Type::Media(_) if !MEDIA_FIELDS.contains(&field.as_str()) => {
                let message = format!("`{what}` is {ty}, which has no `{}`", cut(field, 60));
                let problem = Problem::error("unknown_field", reference.span, message);
                let problem = problem.hint(format!("it has {}", MEDIA_FIELDS.join(", ")));
                Some(reading.near(problem, field, MEDIA_FIELDS))
            }
            Type::List(_) => {
                let message = format!("`{what}` is a list, which has no `{}`", cut(field, 60));
                let hint = format!("pick an item: `{what}[0].{field}`");
                Some(Problem::error("unknown_field", reference.span, message).hint(hint))
            }
            Type::Text | Type::Int | Type::Float | Type::Bool | Type::Choice => {
                let message = format!("`{what}` is {ty}, which has no `{}`", cut(field, 60));
                Some(Problem::error("unknown_field", reference.span, message).hint(format!("write `{what}`")))
            }
            _ => None,
        }
    }
}
