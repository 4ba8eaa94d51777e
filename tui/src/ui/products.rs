//! The values of ports in every run: products accumulate, and moving the lens changes nothing of them.

use std::collections::{BTreeMap, HashMap};

use fanlight_shared::id::{RunId, WorkflowId};
use fanlight_shared::rpc::Page;
use fanlight_shared::rpc::values::{self, PortValue};
use fanlight_shared::value::Value;

/// The values of the ports of one workflow, by run.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Products {
    /// Whose they are.
    workflow: Option<WorkflowId>,
    nodes: HashMap<String, HashMap<String, Port>>,
}

/// The values of one port, by run.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Port {
    /// Ids of runs are in the order of their making, so the newest run is the last.
    made: BTreeMap<RunId, Made>,
    /// Whether the older ones were asked for.
    asked: bool,
    /// Where the next page of older ones begins, if there are more.
    pub more: Option<String>,
}

/// The value of a port in one run.
#[derive(Clone, PartialEq, Debug)]
pub struct Made {
    /// The number of the run, where it is known.
    pub number: Option<u32>,
    /// The value; `None` where it was not kept.
    pub value: Option<Value>,
}

impl Products {
    /// Starts over where the workflow is another one.
    pub fn of(&mut self, workflow: Option<WorkflowId>) {
        if self.workflow != workflow {
            *self = Self { workflow, ..Self::default() };
        }
    }

    /// Adds a value.
    pub fn put(&mut self, node: &str, port: &str, run: RunId, made: Made) {
        let port = self.port_mut(node, port);
        let number = made.number.or_else(|| port.made.get(&run).and_then(|before| before.number));
        port.made.insert(run, Made { number, ..made });
    }

    /// Adds a page of values. What a node with `each` made item by item is one value once the node is done.
    pub fn take(&mut self, of: &values::List, page: &Page<PortValue>) {
        if self.workflow != Some(of.workflow_id) || of.run_id.is_some() {
            return;
        }
        let port = self.port_mut(&of.node, &of.port);
        for row in page.rows.iter().filter(|row| row.item.is_whole()) {
            let made = Made { number: Some(row.number), value: row.value.clone() };
            // What was told meanwhile is newer.
            port.made.entry(row.run_id).or_insert(made).number = Some(row.number);
        }
        port.more.clone_from(&page.cursor);
    }

    /// A run was deleted.
    pub fn forget(&mut self, run: RunId) {
        for port in self.nodes.values_mut().flat_map(HashMap::values_mut) {
            port.made.remove(&run);
        }
    }

    /// The request for the values that older runs made, if it was not made yet.
    pub fn ask(&mut self, node: &str, port: &str) -> Option<values::List> {
        let workflow_id = self.workflow?;
        if self.is_asked(node, port) {
            return None;
        }
        self.port_mut(node, port).asked = true;
        let (node, port) = (node.to_owned(), port.to_owned());
        Some(values::List { workflow_id, node, port, run_id: None, cursor: None, limit: None })
    }

    /// Whether the values that older runs made were asked for.
    #[must_use]
    pub fn is_asked(&self, node: &str, port: &str) -> bool {
        self.port(node, port).is_some_and(|of| of.asked)
    }

    /// What a port had.
    #[must_use]
    pub fn port(&self, node: &str, port: &str) -> Option<&Port> {
        self.nodes.get(node)?.get(port)
    }

    /// The ports of a node of which values are known.
    pub fn ports(&self, node: &str) -> impl Iterator<Item = &str> {
        self.nodes.get(node).into_iter().flat_map(HashMap::keys).map(String::as_str)
    }

    fn port_mut(&mut self, node: &str, port: &str) -> &mut Port {
        self.nodes.entry(node.to_owned()).or_default().entry(port.to_owned()).or_default()
    }
}

impl Port {
    /// In how many runs it had a value.
    #[must_use]
    pub fn count(&self) -> usize {
        self.made.len()
    }

    /// What it had in a run.
    #[must_use]
    pub fn of(&self, run: RunId) -> Option<&Made> {
        self.made.get(&run)
    }

    /// What it had, the newest run first.
    pub fn newest(&self) -> impl Iterator<Item = (RunId, &Made)> {
        self.made.iter().rev().map(|(run, made)| (*run, made))
    }
}
