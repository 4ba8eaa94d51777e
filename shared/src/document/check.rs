//! The checks that need the whole file and the catalogue of node types.

use super::graph;
use super::hints;
use super::reading::Reading;
use super::workflow::Draft;
use crate::expression::{Expression, Reference, Root};
use crate::node_type::{Catalogue, NodeTypeSpec};
use crate::problem::{Problem, Span};
use crate::types::Type;
use crate::value::{Value, cut};
use crate::workflow::{Action, COMMAND_PORTS, Each, Node, Piece, STATUS_PORT, Template, Workflow};

/// The known ports of a node.
#[derive(Clone, Copy)]
pub(super) enum Ports<'a> {
    /// Unknown, because the node itself has errors.
    Unknown,
    /// Those of a type.
    Native(&'a NodeTypeSpec),
    /// Those of a command.
    Command,
}

/// The workflow together with the ports of its nodes.
pub(super) struct CheckContext<'a> {
    pub(super) workflow: &'a Workflow,
    /// For each node, in the order of the file.
    pub(super) ports: Vec<Ports<'a>>,
}

/// The reader of an expression.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    /// The node, with its number; `None` for the workflow's outputs.
    pub(super) node: Option<(usize, &'a str, &'a Node)>,
    /// Whether it is `each` itself, where there is no item yet.
    pub(super) each: bool,
}

/// Checks a workflow that has been read.
pub(super) fn check(reading: &mut Reading<'_>, draft: &Draft) {
    let catalogue = reading.catalogue;
    let workflow = &draft.workflow;
    let ports = workflow
        .nodes
        .iter()
        .zip(&draft.places)
        .map(|((name, node), places)| match &node.action {
            _ if places.broken => Ports::Unknown,
            Action::Uses(uses) => match catalogue.get(uses) {
                Some(spec) => Ports::Native(spec),
                None => {
                    reading.node = Some(name.clone());
                    unknown_node_type(reading, uses, places.action, catalogue);
                    Ports::Unknown
                }
            },
            _ => Ports::Command,
        })
        .collect();
    let whole = CheckContext { workflow, ports };
    for (number, ((name, node), places)) in workflow.nodes.iter().zip(&draft.places).enumerate() {
        reading.node = Some(name.clone());
        let reader = Reader { node: Some((number, name, node)), each: false };
        for (input, expression) in node.expressions() {
            let reader = Reader { each: input == "each", ..reader };
            whole.references(reading, expression, reader);
        }
        whole.check_each(reading, reader, places.each);
        whole.inputs(reading, reader, places);
        whole.secrets(reading, reader);
        super::remember::check(reading, node, places);
        for template in node.texts() {
            whole.media_in_text(reading, template, reader);
        }
        for (_, template) in node.resources.iter().flat_map(|resources| &resources.0) {
            whole.media_in_text(reading, template, reader);
        }
        let has_time = |it: &crate::workflow::Resources| it.0.iter().any(|(key, _)| *key == "time");
        if node.timeout.is_some() && node.resources.as_deref().is_some_and(has_time) {
            let message = "`resources.time` has no effect beside `timeout`, which is the time limit here";
            let problem = Problem::warning("useless_key", node.span, message);
            reading.report(problem.hint("remove one of them"));
        }
        if node.drop_failed_items && node.each.is_none() && !places.broken {
            let problem =
                Problem::warning("useless_key", node.span, "`on_item_error` has no effect without `each`");
            reading.report(problem.hint("remove it, or add `each:`"));
        }
    }
    reading.node = None;
    for output in workflow.outputs.values() {
        let reader = Reader { node: None, each: false };
        for expression in output.value.expressions() {
            whole.references(reading, expression, reader);
        }
        whole.media_in_text(reading, &output.value, reader);
        whole.secrets_in_output(reading, &output.value);
    }
    graph::check(reading, draft);
    unused_params(reading, workflow);
}

fn unknown_node_type(reading: &mut Reading<'_>, uses: &str, span: Span, catalogue: &Catalogue) {
    let message = format!("there is no node type `{}`", cut(uses, 80));
    let problem = match hints::uses(uses) {
        Some(hint) => Problem::error("foreign_uses", span, message).hint(hint),
        None => {
            let problem =
                Problem::error("unknown_node_type", span, message).hint("`fanlight nodes` lists them");
            reading.near(problem, uses, catalogue.0.keys().map(String::as_str))
        }
    };
    reading.report(problem);
}

/// Warns about params that nothing reads. A file with errors gets no such warning: the faulty part may be the reader.
fn unused_params(reading: &mut Reading<'_>, workflow: &Workflow) {
    if !reading.problems.is_empty() {
        let wrong = |problem: &Problem| problem.severity == crate::problem::Severity::Error;
        if reading.problems.iter().any(wrong) {
            return;
        }
    }
    let mut read = std::collections::HashSet::new();
    let of_nodes = workflow.nodes.values().flat_map(|node| node.expressions().into_iter().map(|(_, it)| it));
    let of_outputs = workflow.outputs.values().flat_map(|output| output.value.expressions());
    for expression in of_nodes.chain(of_outputs) {
        for reference in expression.references() {
            if let (Root::Params, Some(name)) = (&reference.root, &reference.port) {
                read.insert(name.as_str());
            }
        }
    }
    for (name, param) in &workflow.params {
        if !read.contains(name.as_str()) {
            let problem =
                Problem::warning("unused_param", param.span, format!("nothing reads param `{name}`"));
            reading.report(problem.hint(format!("read it by `${{{{ params.{name} }}}}`, or remove it")));
        }
    }
}

impl<'a> CheckContext<'a> {
    /// Returns a workflow that was checked against these node types.
    pub(super) fn of(workflow: &'a Workflow, catalogue: &'a Catalogue) -> Self {
        let ports = workflow.nodes.values().map(|node| match &node.action {
            Action::Uses(uses) => catalogue.get(uses).map_or(Ports::Unknown, Ports::Native),
            _ => Ports::Command,
        });
        Self { workflow, ports: ports.collect() }
    }

    /// Returns the type of a node's port as its readers see it; `None` where it has no such port.
    pub(super) fn port_type(&self, node: &str, port: &str) -> Option<Type> {
        let (number, _, node) = self.workflow.nodes.get_full(node)?;
        let ty = match self.ports.get(number)? {
            Ports::Unknown => return Some(Type::Any),
            Ports::Native(spec) => match node.outputs_of(spec).get(port) {
                Some(output) => output.ty.clone(),
                None if port == STATUS_PORT => Type::Text,
                None => return None,
            },
            Ports::Command => match COMMAND_PORTS.iter().find(|(own, _)| *own == port) {
                Some((_, ty)) => ty.clone(),
                None => node.outputs.get(port)?.ty.clone(),
            },
        };
        Some(if node.each.is_some() { ty.list() } else { ty })
    }

    /// Returns whether the file may declare the outputs of this native node.
    pub(super) fn may_declare(&self, node: &str) -> bool {
        let ports = self.workflow.nodes.get_index_of(node).and_then(|number| self.ports.get(number));
        matches!(ports, Some(Ports::Native(spec)) if spec.declared_outputs.is_some())
    }

    /// Returns the names of a node's ports.
    pub(super) fn port_names(&self, node: &str) -> Vec<String> {
        let Some((number, _, node)) = self.workflow.nodes.get_full(node) else { return Vec::new() };
        match self.ports.get(number) {
            Some(Ports::Native(spec)) => {
                let mut names: Vec<String> = node.outputs_of(spec).into_keys().collect();
                if !names.iter().any(|name| name == STATUS_PORT) {
                    names.push(STATUS_PORT.to_owned());
                }
                names
            }
            Some(Ports::Command) => node
                .outputs
                .keys()
                .cloned()
                .chain(COMMAND_PORTS.iter().map(|(own, _)| (*own).to_owned()))
                .collect(),
            _ => Vec::new(),
        }
    }

    /// Returns the type of an expression's result for this reader.
    pub(super) fn result_type(&self, expression: &Expression, reader: Reader<'_>) -> Type {
        expression.result_type(&|reference| self.reference_type(reference, reader))
    }

    fn reference_type(&self, reference: &Reference, reader: Reader<'_>) -> Type {
        match (&reference.root, &reference.port) {
            (Root::Params, Some(name)) => {
                self.workflow.params.get(name).map_or(Type::Any, |param| param.ty.clone())
            }
            (Root::Run, Some(field)) if field == "number" => Type::Int,
            (Root::Run | Root::Secrets, _) => Type::Text,
            (Root::Index, _) => Type::Int,
            (Root::Item, _) => self.item_type(reader),
            (Root::Node(node), Some(port)) => self.port_type(node, port).unwrap_or(Type::Any),
            _ => Type::Any,
        }
    }

    fn item_type(&self, reader: Reader<'_>) -> Type {
        let Some((_, _, Node { each: Some(Each::List(list)), .. })) = reader.node else { return Type::Any };
        match self.template_type(list, Reader { each: true, ..reader }) {
            Type::List(of) => *of,
            _ => Type::Any,
        }
    }

    /// Returns the type of a value of the file, as far as it is known.
    pub(super) fn template_type(&self, template: &Template, reader: Reader<'_>) -> Type {
        match template {
            Template::Literal(value) => value.type_of(),
            Template::Expression(expression) => self.result_type(expression, reader),
            Template::Text(_) => Type::Text,
            Template::List(items) => {
                let mut types = items.iter().map(|item| self.template_type(item, reader));
                let first = types.next().unwrap_or(Type::Any);
                if types.all(|other| other == first) { first.list() } else { Type::Any.list() }
            }
            Template::Object(_) => Type::Any,
        }
    }

    /// Checks that `each` iterates over a list.
    fn check_each(&self, reading: &mut Reading<'_>, reader: Reader<'_>, span: Span) {
        let Some((_, _, Node { each: Some(each), .. })) = reader.node else { return };
        for template in each.templates() {
            let ty = self.template_type(template, Reader { each: true, ..reader });
            if !matches!(ty, Type::List(_) | Type::Any | Type::Json) {
                let what = match template {
                    Template::Expression(expression) => format!("`{}`", cut(expression.source(), 80)),
                    _ => "this".to_owned(),
                };
                let message = format!("`each` needs a list, but {what} is {ty}");
                reading.error_hint(
                    "each_not_list",
                    span,
                    message,
                    "name a list, or make one: `range(6)`, `[a.image, b.image]`",
                );
            }
        }
    }

    /// Checks that media does not appear inside a longer text.
    pub(super) fn media_in_text(&self, reading: &mut Reading<'_>, template: &Template, reader: Reader<'_>) {
        match template {
            Template::Text(pieces) => {
                for piece in pieces {
                    let Piece::Expression(expression) = piece else { continue };
                    let ty = self.result_type(expression, reader);
                    if ty.has_media() {
                        let span = expression.references().first().map(|it| it.span).unwrap_or_default();
                        let message = format!(
                            "`{}` is {ty}, which can't be part of a text",
                            cut(expression.source(), 80)
                        );
                        reading.error_hint(
                            "media_in_text",
                            span,
                            message,
                            "use it on its own, or take a field such as `.name`",
                        );
                    }
                }
            }
            Template::List(items) => items.iter().for_each(|item| self.media_in_text(reading, item, reader)),
            Template::Object(map) => {
                map.values().for_each(|value| self.media_in_text(reading, value, reader))
            }
            Template::Literal(Value::Text(_)) | Template::Literal(_) | Template::Expression(_) => {}
        }
    }
}
