use proptest::prelude::*;

use super::*;
use crate::event::{Activity, Location, NodeError, NodeUpdate, Progress, Source};
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
fn an_old_event_is_not_folded_again() {
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

#[test]
fn a_node_names_the_first_items_that_were_skipped_and_why_but_not_those_whose_condition_is_false() {
    let mut state = RunState::new(["a"]);
    for (seq, index) in (1..).zip(0..20_u32) {
        let mut update = NodeUpdate::new("a", ItemPath::item(index), NodeStatus::Skipped, Time(1));
        let reason =
            if index % 2 == 0 { CONDITION_IS_FALSE.to_owned() } else { format!("m{index} is absent") };
        update.error = Some(NodeError::new(reason));
        state.fold(&numbered(seq, update));
    }
    let node = &state.nodes["a"];
    let named: Vec<u32> = node.item_skips.iter().map(|it| it.item).collect();
    assert_eq!(named, (0..ITEM_ERRORS as u32).map(|at| at * 2 + 1).collect::<Vec<_>>());
    assert_eq!((node.items_skipped, node.item_errors.len()), (20, 0));
    assert_eq!(node.without_items().item_skips, node.item_skips);
}

/// Returns items of two nodes, in the given states.
fn with_items(statuses: &[(bool, NodeStatus)]) -> RunState {
    let mut state = RunState::new(["a", "b"]).with_edges(&Edges::new(["a.out>b.in", "a.out>b.if"]));
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

/// Counts from scratch what is maintained incrementally: running, finished, ended, failed, skipped.
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
    fn a_state_is_the_sum_of_its_parts_however_it_is_split(
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
        let mut read = state.without_parts();
        for (name, node) in &state.nodes {
            prop_assert!(!read.is_whole());
            // A repeated part changes nothing.
            read.take_nodes([(name.clone(), node.without_items())]);
            read.take_nodes([(name.clone(), NodeState::default())]);
        }
        read.take_edges(state.edges.clone());
        prop_assert_eq!(read.is_whole(), parts.is_empty());
        for (node, items) in parts.iter().rev() {
            read.take_items(node, items.clone());
            read.take_items(node, items.clone());
        }
        prop_assert_eq!(read, state);
    }

    #[test]
    fn items_are_counted_while_events_are_folded(statuses in statuses()) {
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

/// The events of two nodes that a client may see, `b` reading `a`: stored and live ones.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant)]
enum AnyEvent {
    Stored(StateEvent),
    Live(LiveEvent),
}

fn seen() -> impl Strategy<Value = AnyEvent> {
    let node = || prop::sample::select(vec!["a", "b"]);
    let item = || prop::option::of(0..2_u32).prop_map(ItemPath);
    let status = prop::sample::select(vec![
        NodeStatus::Waiting,
        NodeStatus::Running,
        NodeStatus::Completed,
        NodeStatus::Failed,
        NodeStatus::Skipped,
    ]);
    let metrics = || prop::option::of((0..9_u8).prop_map(f64::from));
    let stored = (node(), item(), status, prop::option::of(1..4_u32), any::<bool>(), metrics()).prop_map(
        |(node, item, status, attempt, ends, loss)| {
            let mut update = NodeUpdate::new(node, item, status, Time(7));
            update.attempt = attempt;
            if ends && attempt.is_some() {
                update.ended = Some(AttemptEnd::Completed);
                update.metrics.extend(loss.map(|loss| ("loss".to_owned(), loss)));
                update.log_end = loss.map(|loss| loss as u64);
                update.last_line = loss.map(|loss| format!("loss {loss}"));
                let location =
                    |loss| Location { engine: "cluster".into(), job: None, host: Some(format!("n{loss}")) };
                update.location = loss.map(|loss| Box::new(location(loss)));
                let plan = loss.map(|loss| format!("below {loss}"));
                update.activity = loss.map(|_| Box::new(Activity { plan, ..Activity::default() }));
            }
            AnyEvent::Stored(StateEvent::NodeUpdate(update))
        },
    );
    let live = (node(), item(), 0..8_u8, 1..4_u32).prop_map(|(node, item, kind, value)| {
        let node = node.to_owned();
        AnyEvent::Live(match kind {
            5 => LiveEvent::WaitUpdate { node, reason: (value > 1).then(|| "gpu".into()) },
            0 => LiveEvent::NodeProgress { node, item, progress: Progress { fraction: None, message: None } },
            1 => LiveEvent::LogUpdate { node, item, attempt: value, end: value.into(), last_line: None },
            2 => LiveEvent::MetricUpdate { node, item, name: "loss".into(), value: value.into(), unit: None },
            4 => {
                let source = Source { node, item, attempt: value };
                LiveEvent::PlanningUpdate { source, plan: "think".into() }
            }
            6 => {
                let (source, job) = (Source { node, item, attempt: value }, Some(value.to_string()));
                let location = Location { engine: "cluster".into(), job, host: None };
                LiveEvent::LocationUpdate { source, location }
            }
            3 => LiveEvent::PreviewUpdate { node, item, port: "out".into(), value: i64::from(value).into() },
            _ => {
                let activity = EdgeActivity { active: true, count: value };
                LiveEvent::EdgeUpdate { edge: "a.out>b.in".into(), activity }
            }
        })
    });
    prop_oneof![3 => stored, 2 => live]
}

fn ended(status: RunStatus) -> StateEvent {
    let outputs = IndexMap::new();
    StateEvent::RunUpdate(RunUpdate { status, at: Time(9), start_order: None, error: None, outputs })
}

proptest! {
    /// A client that watched a run ends up with its stored state, whichever live events it saw and in whatever order.
    #[test]
    fn a_watcher_ends_up_with_the_stored_state_of_a_run(
        seen in prop::collection::vec(seen(), 0..60),
        missed in prop::collection::vec(any::<bool>(), 60),
        status in prop::sample::select(vec![RunStatus::Completed, RunStatus::Failed, RunStatus::Cancelled]),
        late in prop::collection::vec(seen(), 0..5),
    ) {
        let new = || RunState::new(["a", "b"]).with_edges(&Edges::new(["a.out>b.in"]));
        let (mut stored, mut watched, mut other) = (new(), new(), new());
        for (seen, missed) in seen.into_iter().zip(missed) {
            match seen {
                AnyEvent::Stored(event) => {
                    let event = Numbered { seq: stored.seq + 1, event };
                    for state in [&mut stored, &mut watched, &mut other] {
                        prop_assert_eq!(state.fold(&event), Folded::Next);
                    }
                }
                AnyEvent::Live(event) => {
                    watched.fold_live(&event);
                    if !missed {
                        other.fold_live(&event);
                    }
                }
            }
        }
        let end = Numbered { seq: stored.seq + 1, event: ended(status) };
        for state in [&mut stored, &mut watched, &mut other] {
            prop_assert_eq!(state.fold(&end), Folded::Next);
        }
        for seen in late {
            if let AnyEvent::Live(event) = seen {
                watched.fold_live(&event);
            }
        }
        prop_assert_eq!(&watched, &stored);
        prop_assert_eq!(&other, &stored);
        prop_assert!(stored.edges.values().all(|edge| !edge.active), "an ended run carries nothing");
    }
}

#[test]
fn the_last_reports_of_an_attempt_are_kept_after_its_end() {
    let mut state = RunState::new(["a"]);
    state.fold(&numbered(1, update(NodeStatus::Running, 1)));
    let metric = |value| LiveEvent::MetricUpdate {
        node: "a".into(),
        item: ItemPath::WHOLE,
        name: "loss".into(),
        value,
        unit: None,
    };
    state.fold_live(&metric(0.5));
    assert_eq!(state.nodes["a"].whole.metrics["loss"], 0.5);
    let mut ended = update(NodeStatus::Waiting, 1);
    ended.ended = Some(AttemptEnd::Failed);
    ended.metrics = [("loss".to_owned(), 0.25)].into();
    ended.log_end = Some(120);
    ended.last_line = Some("no luck".into());
    state.fold(&numbered(2, ended));
    state.fold_live(&metric(0.75));
    let whole = &state.nodes["a"].whole;
    assert_eq!((whole.metrics["loss"], whole.log_end), (0.25, 120));
    assert_eq!(whole.last_line.as_deref(), Some("no luck"));
    state.fold(&numbered(3, update(NodeStatus::Running, 2)));
    let whole = &state.nodes["a"].whole;
    assert!(whole.metrics.is_empty() && whole.log_end == 0, "they belong to their attempt");
}

#[test]
fn a_thousand_attempts_fit_into_a_message() {
    let mut state = RunState::new(["a"]);
    for attempt in 1..=1001 {
        state.fold(&numbered(state.seq + 1, update(NodeStatus::Running, attempt)));
        let mut failed = update(NodeStatus::Waiting, attempt);
        failed.ended = Some(AttemptEnd::Failed);
        failed.error = Some(NodeError {
            message: "x".repeat(100_000),
            exit_code: Some(1),
            last_line: Some("y".repeat(100_000)),
        });
        let mut event = StateEvent::NodeUpdate(failed);
        event.shorten();
        state.fold(&Numbered { seq: state.seq + 1, event });
    }
    let bytes = crate::preview::json_bytes(&state);
    assert!(bytes < crate::rpc::frame::MESSAGE_LIMIT, "{bytes} bytes");
    assert_eq!(state.nodes["a"].whole.attempts.len(), 1001);
}
