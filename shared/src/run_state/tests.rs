use proptest::prelude::*;

use super::*;
use crate::event::{NodeError, NodeUpdate, Progress};
use crate::run::{AttemptEnd, NodeStatus};
use crate::time::Time;

fn numbered(seq: u64, update: NodeUpdate) -> Numbered {
    Numbered { seq, event: StateEvent::NodeUpdate(update) }
}

fn update(status: NodeStatus, attempt: u32) -> NodeUpdate {
    let mut update = NodeUpdate::new("a", ItemPath::WHOLE, status, Time(i64::from(attempt)));
    update.attempt = Some(attempt);
    update
}

#[test]
fn a_gap_changes_nothing() {
    let mut state = RunState::new(["a"]);
    assert_eq!(state.fold(&numbered(2, update(NodeStatus::Running, 1))), Folded::Gap);
    assert_eq!(state, RunState::new(["a"]));
}

#[test]
fn what_came_before_is_not_folded_twice() {
    let mut state = RunState::new(["a"]);
    let event = numbered(1, update(NodeStatus::Running, 1));
    assert_eq!(state.fold(&event), Folded::Next);
    let once = state.clone();
    assert_eq!(state.fold(&event), Folded::Old);
    assert_eq!(state, once);
}

#[test]
fn a_terminal_state_never_changes() {
    let mut state = RunState::new(["a"]);
    state.fold(&numbered(1, update(NodeStatus::Completed, 1)));
    state.fold(&numbered(2, update(NodeStatus::Failed, 2)));
    assert_eq!(state.nodes["a"].whole.status, NodeStatus::Completed);
    assert_eq!(state.seq, 2);
}

#[test]
fn every_attempt_is_kept() {
    let mut state = RunState::new(["a"]);
    state.fold(&numbered(1, update(NodeStatus::Running, 1)));
    let mut failed = update(NodeStatus::Waiting, 1);
    failed.ended = Some(AttemptEnd::Failed);
    failed.error = Some(NodeError::new("no luck"));
    state.fold(&numbered(2, failed));
    state.fold(&numbered(3, update(NodeStatus::Running, 2)));
    let whole = &state.nodes["a"].whole;
    assert_eq!(whole.attempts.len(), 2);
    assert_eq!(whole.attempts[0].end, Some(AttemptEnd::Failed));
    assert_eq!(whole.status, NodeStatus::Running);
    assert_eq!(whole.error, None);
}

#[test]
fn progress_of_an_ended_node_is_dropped() {
    let mut state = RunState::new(["a"]);
    state.fold(&numbered(1, update(NodeStatus::Completed, 1)));
    state.fold_live(&LiveEvent::NodeProgress {
        node: "a".into(),
        item: ItemPath::WHOLE,
        progress: Progress { fraction: Some(0.5), message: None },
    });
    assert_eq!(state.nodes["a"].whole.progress, None);
}

#[test]
fn a_node_names_the_first_items_that_failed_and_why() {
    let mut state = RunState::new(["a"]);
    let failed: Vec<u32> = (0..20).rev().filter(|index| index % 2 == 1).collect();
    for (seq, index) in (1..).zip(&failed) {
        let mut update = NodeUpdate::new("a", ItemPath::item(*index), NodeStatus::Failed, Time(1));
        update.error = Some(NodeError::new(format!("no. {index}")));
        state.fold(&numbered(seq, update));
    }
    let node = &state.nodes["a"];
    let named: Vec<u32> = node.item_errors.iter().map(|it| it.item).collect();
    assert_eq!(named, (0..ITEM_ERRORS as u32).map(|at| at * 2 + 1).collect::<Vec<_>>());
    assert_eq!(node.item_errors[0].error.message, "no. 1");
    assert_eq!((node.items_failed, node.items_dropped()), (10, 0));
    state.fold(&numbered(11, NodeUpdate::new("a", ItemPath::WHOLE, NodeStatus::Completed, Time(2))));
    assert_eq!(state.nodes["a"].items_dropped(), 10);
}

/// Items of two nodes, in every state, as their numbers say.
fn with_items(statuses: &[(bool, NodeStatus)]) -> RunState {
    let mut state = RunState::new(["a", "b"]);
    for (at, (second, status)) in statuses.iter().enumerate() {
        let node = if *second { "b" } else { "a" };
        let mut update = NodeUpdate::new(node, ItemPath::item(at as u32 / 2), *status, Time(at as i64));
        update.attempt = Some(1);
        state.fold(&numbered(at as u64 + 1, update));
    }
    state
}

fn statuses() -> impl Strategy<Value = Vec<(bool, NodeStatus)>> {
    let status = prop::sample::select(vec![
        NodeStatus::Waiting,
        NodeStatus::Running,
        NodeStatus::Completed,
        NodeStatus::Failed,
        NodeStatus::Skipped,
    ]);
    prop::collection::vec((any::<bool>(), status), 0..60)
}

/// What is counted along, counted at once: what runs, what ran, what ended, what failed, what was skipped.
fn counted(node: &NodeState) -> [usize; 5] {
    let count = |holds: fn(NodeStatus) -> bool| node.items.values().filter(|item| holds(item.status)).count();
    [
        count(|status| status == NodeStatus::Running),
        count(|status| status.has_values() || status == NodeStatus::Failed),
        count(NodeStatus::is_ended),
        count(|status| status == NodeStatus::Failed),
        count(|status| status == NodeStatus::Skipped),
    ]
}

fn counts(node: &NodeState) -> [usize; 5] {
    [node.items_running, node.items_ran, node.items_done, node.items_failed, node.items_skipped]
        .map(|count| count as usize)
}

proptest! {
    #[test]
    fn a_state_is_the_sum_of_its_parts_however_it_is_cut(
        statuses in statuses(),
        cut in prop::collection::vec(any::<prop::sample::Index>(), 60),
    ) {
        let state = with_items(&statuses);
        let mut parts: Vec<(String, Items)> = Vec::new();
        for (name, node) in &state.nodes {
            for ((index, item), at) in node.items.iter().zip(&cut) {
                let part = at.index(3);
                while parts.len() <= part * 2 + 1 {
                    parts.push((if parts.len().is_multiple_of(2) { "a" } else { "b" }.to_owned(), Items::new()));
                }
                parts[part * 2 + usize::from(name == "b")].1.insert(*index, item.clone());
            }
        }
        let mut told = state.without_items();
        prop_assert_eq!(told.is_whole(), parts.is_empty());
        for (node, items) in parts.iter().rev() {
            // What comes twice changes nothing.
            told.take_items(node, items.clone());
            told.take_items(node, items.clone());
        }
        prop_assert_eq!(told, state);
    }

    #[test]
    fn items_are_counted_along(statuses in statuses()) {
        let mut state = with_items(&statuses);
        for node in state.nodes.values() {
            prop_assert_eq!(counts(node), counted(node));
        }
        let mut update = RunUpdate {
            status: RunStatus::Cancelled,
            at: Time(1),
            start_order: None,
            error: None,
            outputs: IndexMap::new(),
        };
        state.fold_run(&update);
        update.at = Time(2);
        state.fold_run(&update);
        for node in state.nodes.values() {
            prop_assert_eq!(counts(node), counted(node));
            prop_assert_eq!(node.items_done as usize, node.items.len());
        }
    }
}
