//! Runs that nodes of the run in focus started: the way into them, and back.

use std::collections::BTreeMap;

use fanlight_shared::document::children::starts_runs;
use fanlight_shared::id::RunId;
use fanlight_shared::item::ItemPath;
use fanlight_shared::rpc::runs;
use fanlight_shared::run::Run;

use super::address::Address;
use super::effect::Effect;
use super::model::Model;
use super::toast::Tone;

/// The most runs of nodes of one run that are read.
const MAX_CHILDREN: u32 = 1_000;
/// The most runs above the one in focus that are named.
const MAX_CRUMBS: usize = 8;

/// Requests the runs that nodes of a run started: some of them may have ended before the UI began.
pub(in crate::ui) fn list(run: RunId) -> Effect {
    let list = runs::List { parent: Some(run), limit: Some(MAX_CHILDREN), ..runs::List::default() };
    Effect::ListRuns { to: Address::Children(run), list }
}

/// Requests the runs that nodes of the run in focus started, once for each run whose file starts any.
pub(in crate::ui) fn shown(model: &mut Model) -> Option<Effect> {
    let lens = model.lens()?;
    let (run, workflow) = (lens.run.id, lens.workflow?);
    if model.grid.children_of == Some(run) {
        return None;
    }
    let starts = workflow.nodes.values().any(starts_runs);
    model.grid.children_of = Some(run);
    starts.then(|| list(run))
}

/// Returns the newest run that each item of a node of the run in focus started.
fn of_node(model: &Model, node: &str) -> BTreeMap<ItemPath, RunId> {
    let Some(of) = model.lens().map(|lens| lens.run.id) else { return BTreeMap::new() };
    let started = |run: RunId| model.projection.run(run).and_then(|run| run.parent.as_deref().zip(Some(run)));
    let mut runs: Vec<(ItemPath, Option<u64>, RunId)> = model
        .queue
        .sections
        .started_by(of)
        .filter_map(started)
        .filter(|(parent, _)| parent.node == node)
        .map(|(parent, run)| (parent.item, run.start_order, run.id))
        .collect();
    runs.sort_unstable();
    runs.into_iter().map(|(item, _, run)| (item, run)).collect()
}

/// Returns the run that a node or item of the run in focus started. Without an item, that of a node that started one.
fn started(model: &Model, node: &str, item: ItemPath) -> Option<RunId> {
    let runs = of_node(model, node);
    match runs.len() {
        1 if item.is_whole() => runs.values().next().copied(),
        _ => runs.get(&item).copied(),
    }
}

/// Moves the lens into the run that a node or item of the run in focus started; `None` if it is not known which.
pub(in crate::ui) fn enter(model: &mut Model, node: &str, item: ItemPath) -> Option<Vec<Effect>> {
    let run = started(model, node, item)?;
    Some(model.pin(run))
}

/// Returns whether a node of the run in focus started runs.
pub(in crate::ui) fn any(model: &Model, node: &str) -> bool {
    !of_node(model, node).is_empty()
}

/// Returns whether [`leave`] leads anywhere.
pub(in crate::ui) fn is_inside(model: &Model) -> bool {
    model.lens().is_some_and(|lens| lens.run.parent.is_some())
}

/// Moves the lens back to the run whose node started the one in focus, with that node selected.
pub(in crate::ui) fn leave(model: &mut Model) -> Vec<Effect> {
    let Some(parent) = model.lens().and_then(|lens| lens.run.parent.clone()) else { return Vec::new() };
    if model.projection.run(parent.run).is_none() {
        model.say(Tone::Note, format!("back to {}", parent.name));
    }
    model.grid.back_to = Some((parent.run, parent.node));
    model.pin(parent.run)
}

/// Returns where the run in focus was started, from the outermost run on: `album#3`, `posters[1]`.
pub(in crate::ui) fn crumbs(model: &Model) -> Vec<String> {
    let mut crumbs = Vec::new();
    let mut at: Option<&Run> = model.lens().map(|lens| lens.run);
    while let Some(parent) = at.and_then(|run| run.parent.as_deref())
        && crumbs.len() < 2 * MAX_CRUMBS
    {
        crumbs.push(format!("{}{}", parent.node, parent.item));
        crumbs.push(parent.name.clone());
        at = model.projection.run(parent.run);
    }
    // Between two nodes the name of the run is that of the file on screen before.
    crumbs.reverse();
    crumbs
}

#[cfg(test)]
mod tests {
    use fanlight_shared::run::{Parent, RunStatus};

    use super::*;
    use crate::ui::layer::inspector::Inspector;
    use crate::ui::pane::Pane;
    use crate::ui::testing::{
        change_state, focus, paint, press, run, run_id, screen, with_runs, workflow_id,
    };

    /// Returns a model with the lens on `poster#1`, whose node `sky` started a run for each of these items.
    fn parent_of(items: &[ItemPath]) -> Model {
        let child = |(number, item): (u32, &ItemPath)| {
            let (run, name) = (run_id(1), "poster#1".to_owned());
            let parent = Some(Box::new(Parent { run, name, node: "sky".to_owned(), item: *item }));
            Run { parent, ..run_of(number) }
        };
        let runs: Vec<Run> = std::iter::once(run_of(1)).chain((2..).zip(items).map(child)).collect();
        let mut model = with_runs(&runs);
        model.projection.pin(run_id(1));
        focus(&mut model);
        model.pane = Pane::Grid;
        paint(&mut model, 120, 40);
        model.grid.selected = Some("sky".to_owned());
        model
    }

    fn run_of(number: u32) -> Run {
        run(number, RunStatus::Completed)
    }

    #[test]
    fn enter_on_a_node_goes_to_the_run_that_it_started_and_a_key_goes_back() {
        let mut model = parent_of(&[ItemPath::WHOLE]);
        press(&mut model, "enter");
        assert_eq!(model.projection.pinned(workflow_id()), Some(run_id(2)));
        focus(&mut model);
        let shown = screen(&mut model, 120, 40);
        assert!(shown.contains("poster#1 ▸ sky ▸ Seaside poster  #2"), "{shown}");
        assert!(shown.contains("b back to the parent run"), "{shown}");
        model.grid.selected = Some("title".to_owned());
        press(&mut model, "b");
        assert_eq!(model.projection.pinned(workflow_id()), Some(run_id(1)));
        focus(&mut model);
        press(&mut model, "tab backtab");
        crate::ui::grid::update::moved(&mut model);
        assert_eq!(model.grid.selected.as_deref(), Some("sky"), "where it was entered");
        assert!(!screen(&mut model, 120, 40).contains("▸ sky ▸"));
    }

    #[test]
    fn a_node_without_runs_is_inspected_and_so_is_one_on_wish() {
        let mut model = parent_of(&[ItemPath::WHOLE]);
        press(&mut model, "i");
        assert!(model.layers.last().is_some_and(|layer| layer.is::<Inspector>()));
        press(&mut model, "esc");
        model.grid.selected = Some("title".to_owned());
        press(&mut model, "enter");
        assert!(model.layers.last().is_some_and(|layer| layer.is::<Inspector>()));
    }

    #[test]
    fn the_run_of_an_item_is_entered_from_the_inspector() {
        let mut model = parent_of(&[ItemPath::item(0), ItemPath::item(1)]);
        change_state(&mut model, |state| {
            let sky = &mut state.nodes["sky"];
            sky.item_count = Some(2);
            sky.items = (0..2).map(|index| (index, sky.whole.clone())).collect();
        });
        press(&mut model, "enter");
        assert!(model.layers.last().is_some_and(|layer| layer.is::<Inspector>()), "which of them?");
        press(&mut model, "enter");
        assert!(screen(&mut model, 120, 40).contains("choose one"));
        press(&mut model, "} } enter");
        assert!(model.layers.is_empty());
        assert_eq!(model.projection.pinned(workflow_id()), Some(run_id(3)));
    }
}
