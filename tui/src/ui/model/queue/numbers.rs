//! Numbers that runs output: the columns and sort keys of Done.

use std::collections::HashMap;

use fanlight_shared::asset::{Asset, AssetKind};
use fanlight_shared::id::{RunId, WorkflowId};
use fanlight_shared::rpc::assets;
use fanlight_shared::workflow::{Template, Workflow};

use crate::ui::address::Address;
use crate::ui::effect::Effect;

/// Rows a page.
const PAGE: u32 = 1_000;

/// Numbers that runs output.
#[derive(Debug, Default)]
pub(in crate::ui) struct Numbers {
    of: HashMap<RunId, HashMap<String, f64>>,
    /// In the order in which they are shown.
    columns: Vec<String>,
    generation: u64,
}

impl Numbers {
    /// Returns the number of a run.
    pub(in crate::ui) fn of(&self, run: RunId, column: &str) -> Option<f64> {
        self.of.get(&run)?.get(column).copied()
    }

    /// Returns the names of the numbers.
    pub(in crate::ui) fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Starts over with the numbers of a workflow.
    pub(in crate::ui) fn reset(&mut self, workflow: Option<WorkflowId>) -> Option<Effect> {
        self.of.clear();
        self.columns.clear();
        self.read(workflow)
    }

    /// Reads the numbers of a workflow from the first page on; the known ones stay, because no product changes.
    pub(in crate::ui) fn read(&mut self, workflow: Option<WorkflowId>) -> Option<Effect> {
        self.generation += 1;
        self.ask(workflow?, None)
    }

    fn address(&self) -> Address {
        Address::QueueNumbers(self.generation)
    }

    fn ask(&self, workflow: WorkflowId, cursor: Option<String>) -> Option<Effect> {
        let list = assets::List {
            workflow_id: Some(workflow),
            kind: Some(AssetKind::Number),
            cursor,
            limit: Some(PAGE),
            ..assets::List::default()
        };
        Some(Effect::ListAssets { to: self.address(), list })
    }

    /// Adds a page and requests the next one.
    pub(in crate::ui) fn page(
        &self,
        to: Address,
        cursor: Option<&String>,
        workflow: Option<WorkflowId>,
    ) -> Option<Effect> {
        if to != self.address() {
            return None;
        }
        self.ask(workflow?, Some(cursor?.clone()))
    }

    /// Adds a product if it is a number that the workflow outputs. Returns whether it is.
    pub(in crate::ui) fn take(&mut self, asset: &Asset, workflow: Option<&Workflow>) -> bool {
        let Some(number) = asset.value.as_float().filter(|_| asset.item.is_whole() && asset.ordinal == 0)
        else {
            return false;
        };
        let Some(name) = column(asset, workflow) else { return false };
        if !self.columns.contains(&name) {
            self.columns.push(name.clone());
            let place =
                |name: &String| workflow.and_then(|it| it.outputs.get_index_of(name)).unwrap_or(usize::MAX);
            self.columns.sort_by_key(place);
        }
        self.of.entry(asset.run_id).or_default().insert(name, number);
        true
    }

    /// Handles the deletion of a run.
    pub(in crate::ui) fn forget(&mut self, run: RunId) {
        self.of.remove(&run);
    }
}

/// Returns the output of the workflow that a product is.
fn column(asset: &Asset, workflow: Option<&Workflow>) -> Option<String> {
    if asset.node.is_empty() {
        return Some(asset.port.clone());
    }
    let is_it = |template: &Template| match template {
        Template::Expression(expression) => expression.straight() == Some((&asset.node, &asset.port)),
        _ => false,
    };
    let (name, _) = workflow?.outputs.iter().find(|(_, output)| is_it(&output.value))?;
    Some(name.clone())
}
