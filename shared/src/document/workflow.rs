//! Reads the top level of the file.

use indexmap::IndexMap;

use super::nodes::Places;
use super::reading::Reading;
use super::template::Plain;
use super::yaml::{Entry, Node};
use super::{NODE_LIMIT, hints};
use crate::id::{Version, WorkflowId};
use crate::problem::Span;
use crate::sweep::Matrix;
use crate::types::Type;
use crate::workflow::{Output, Workflow};

const KEYS: [&str; 12] = [
    "id",
    "name",
    "description",
    "params",
    "matrix",
    "search",
    "pass_env",
    "concurrency",
    "engine",
    "on_end",
    "nodes",
    "outputs",
];

/// The highest value of `concurrency`.
const MAX_CONCURRENCY: i64 = 1_000_000;

/// A workflow that has been read but not yet checked.
pub(super) struct Draft {
    pub(super) workflow: Workflow,
    /// The positions of the parts of each node.
    pub(super) places: Vec<Places>,
}

pub(super) fn read(reading: &mut Reading<'_>, root: &Node, version: Version) -> Option<Draft> {
    let entries = reading.map(root, "a workflow", "a map with `nodes:`")?;
    let mut workflow = Workflow {
        id: None,
        name: None,
        description: None,
        version,
        params: IndexMap::new(),
        matrix: Matrix::default(),
        search: None,
        pass_env: Vec::new(),
        concurrency: None,
        engine: None,
        on_end: Vec::new(),
        nodes: IndexMap::new(),
        outputs: IndexMap::new(),
    };
    let mut places = Vec::new();
    let entry = |key: &str| entries.iter().find(|entry| entry.key == key);
    if let Some(params) = entry("params")
        && let Some(params) = reading.map(&params.value, "`params`", "a map from names to types")
    {
        for param in params {
            let read = reading.param(param);
            workflow.params.insert(param.key.clone(), read);
        }
    }
    for entry in entries {
        let value = &entry.value;
        match entry.key.as_str() {
            "params" => {}
            "id" => {
                if let Some(text) = reading.plain_text(value, "`id`") {
                    match text.parse::<WorkflowId>() {
                        Ok(id) => workflow.id = Some(id),
                        Err(_) => reading.error_hint(
                            "bad_id",
                            value.span,
                            "`id` must be a UUID",
                            "leave it out, or take one from `uuidgen`",
                        ),
                    }
                }
            }
            "name" => workflow.name = reading.plain_text(value, "`name`"),
            "description" => workflow.description = reading.plain_text(value, "`description`"),
            "matrix" => workflow.matrix = reading.matrix(value, &workflow.params),
            "search" => workflow.search = reading.search(value, &workflow.params),
            "pass_env" => workflow.pass_env = reading.variable_names(value, "`pass_env`"),
            "concurrency" => {
                let limit = reading.int(value, "`concurrency`", 1, MAX_CONCURRENCY);
                workflow.concurrency = limit.and_then(|limit| u32::try_from(limit).ok());
            }
            "engine" => workflow.engine = reading.engine(value),
            "on_end" => workflow.on_end = reading.on_end(value),
            "nodes" => nodes(reading, value, &mut workflow, &mut places),
            "outputs" => outputs(reading, value, &mut workflow),
            key => {
                let foreign = hints::top_key(key);
                reading.unknown_key(entry, "a workflow", &KEYS, foreign);
            }
        }
    }
    if entry("nodes").is_none() {
        let span = Span { start: root.span.start, end: root.span.start };
        reading.error_hint(
            "no_nodes",
            span,
            "the workflow has no `nodes`",
            "add `nodes:` with at least one node",
        );
    }
    Some(Draft { workflow, places })
}

fn nodes(reading: &mut Reading<'_>, value: &Node, workflow: &mut Workflow, places: &mut Vec<Places>) {
    let Some(entries) = reading.map(value, "`nodes`", "a map from names to nodes") else { return };
    if entries.is_empty() {
        reading.error_hint("no_nodes", value.span, "the workflow has no nodes", "add at least one node");
    }
    if let Some(entry) = entries.get(NODE_LIMIT) {
        let message = format!("the workflow has {} nodes; at most {NODE_LIMIT} are allowed", entries.len());
        reading.error_hint(
            "too_many_nodes",
            entry.key_span,
            message,
            "use `each:` to run one node many times",
        );
    }
    for entry in entries.iter().take(NODE_LIMIT) {
        let (node, place) = reading.node(entry);
        workflow.nodes.insert(entry.key.clone(), node);
        places.push(place);
    }
}

fn outputs(reading: &mut Reading<'_>, value: &Node, workflow: &mut Workflow) {
    let Some(entries) = reading.map(value, "`outputs`", "a map from names to values") else { return };
    for entry in entries {
        output(reading, entry, workflow);
    }
}

fn output(reading: &mut Reading<'_>, entry: &Entry, workflow: &mut Workflow) {
    reading.name(entry, "an output", true);
    let value = reading.template(&entry.value, Plain::As(&Type::Any));
    workflow.outputs.insert(entry.key.clone(), Output { value, span: entry.key_span });
}
