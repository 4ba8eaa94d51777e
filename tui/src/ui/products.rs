//! The values of ports in every run. They accumulate, and don't depend on the lens.

use std::collections::{BTreeMap, HashMap};

use fanlight_shared::id::{RunId, WorkflowId};
use fanlight_shared::media::MediaKind;
use fanlight_shared::rpc::Page;
use fanlight_shared::rpc::values::{self, PortValue};
use fanlight_shared::value::Value;

/// The values of the ports of one workflow, by run.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Products {
    /// Whose they are.
    workflow: Option<WorkflowId>,
    nodes: HashMap<String, HashMap<String, Port>>,
    /// Whether any value is a picture, a video or a sound, or a list that begins with one.
    pictures: bool,
}

/// The values of one port, by run.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Port {
    /// Ids of runs are ordered by creation, so that the newest run is the last.
    made: BTreeMap<RunId, Made>,
    /// Whether the older ones were requested.
    asked: bool,
    /// The cursor of the next page of older ones, if there are more.
    pub more: Option<String>,
}

/// The value of a port in one run.
#[derive(Clone, PartialEq, Debug)]
pub struct Made {
    /// The number of the run, if known.
    pub number: Option<u32>,
    /// The value; `None` if it was not kept.
    pub value: Option<Value>,
}

impl Products {
    /// Starts over for another workflow.
    pub fn of(&mut self, workflow: Option<WorkflowId>) {
        if self.workflow != workflow {
            *self = Self { workflow, ..Self::default() };
        }
    }

    /// Forgets all values, because changes were missed; those in view are read again.
    pub fn missed(&mut self) {
        self.nodes.clear();
    }

    /// Adds a value.
    pub fn put(&mut self, node: &str, port: &str, run: RunId, made: Made) {
        self.pictures |= made.value.as_ref().is_some_and(is_pictured);
        let port = self.port_mut(node, port);
        let number = made.number.or_else(|| port.made.get(&run).and_then(|before| before.number));
        port.made.insert(run, Made { number, ..made });
    }

    /// Adds a page of values. The items of a node with `each` become one value once the node is done.
    pub fn take(&mut self, of: &values::List, page: &Page<PortValue>) {
        if self.workflow != Some(of.workflow_id) || of.run_id.is_some() {
            return;
        }
        self.pictures |= page.rows.iter().filter_map(|row| row.value.as_ref()).any(is_pictured);
        let port = self.port_mut(&of.node, &of.port);
        for row in page.rows.iter().filter(|row| row.item.is_whole()) {
            let made = Made { number: Some(row.number), value: row.value.clone() };
            // Values from notifications are newer.
            port.made.entry(row.run_id).or_insert(made).number = Some(row.number);
        }
        port.more.clone_from(&page.cursor);
    }

    /// Handles the deletion of a run.
    pub fn forget(&mut self, run: RunId) {
        for port in self.nodes.values_mut().flat_map(HashMap::values_mut) {
            port.made.remove(&run);
        }
    }

    /// Returns whether any value is a picture, a video or a sound, or a list that begins with one.
    #[must_use]
    pub fn has_pictures(&self) -> bool {
        self.pictures
    }

    /// Returns the request for the values of older runs, if it was not made yet.
    pub fn ask(&mut self, node: &str, port: &str) -> Option<values::List> {
        let workflow_id = self.workflow?;
        if self.is_asked(node, port) {
            return None;
        }
        self.port_mut(node, port).asked = true;
        let (node, port) = (node.to_owned(), port.to_owned());
        Some(values::List { workflow_id, node, port, run_id: None, cursor: None, limit: None })
    }

    /// Returns whether the values of older runs were requested.
    #[must_use]
    pub fn is_asked(&self, node: &str, port: &str) -> bool {
        self.port(node, port).is_some_and(|of| of.asked)
    }

    /// Returns the values of a port.
    #[must_use]
    pub fn port(&self, node: &str, port: &str) -> Option<&Port> {
        self.nodes.get(node)?.get(port)
    }

    /// Returns the ports of a node with known values.
    pub fn ports(&self, node: &str) -> impl Iterator<Item = &str> {
        self.nodes.get(node).into_iter().flat_map(HashMap::keys).map(String::as_str)
    }

    fn port_mut(&mut self, node: &str, port: &str) -> &mut Port {
        self.nodes.entry(node.to_owned()).or_default().entry(port.to_owned()).or_default()
    }
}

/// Returns whether a value is a picture, a video or a sound, or a list that begins with one.
fn is_pictured(value: &Value) -> bool {
    match value {
        Value::Media(media) => {
            matches!(media.kind, MediaKind::Image | MediaKind::Video | MediaKind::Audio)
        }
        Value::List(items) => items.first().is_some_and(is_pictured),
        _ => false,
    }
}

impl Port {
    /// Returns the number of runs in which it has a value.
    #[must_use]
    pub fn count(&self) -> usize {
        self.made.len()
    }

    /// Returns its value in a run.
    #[must_use]
    pub fn of(&self, run: RunId) -> Option<&Made> {
        self.made.get(&run)
    }

    /// Returns its values, the newest run first.
    pub fn newest(&self) -> impl Iterator<Item = (RunId, &Made)> {
        self.made.iter().rev().map(|(run, made)| (*run, made))
    }
}
