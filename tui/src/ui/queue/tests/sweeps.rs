//! Stories about sweeps and children in the queue pane.

use super::*;

/// Returns the queue with a sweep of 60 runs that run or wait, and a single run that completed.
fn swept() -> Model {
    let of = |number| {
        let state = if number <= 2 { RunStatus::Running } else { RunStatus::Queued };
        Run { sweep: Some("scan".to_owned()), ..run(number, state) }
    };
    let runs: Vec<Run> = (1..=60).map(of).chain([run(80, RunStatus::Completed)]).collect();
    let mut model = queue(with_runs(&runs));
    press(&mut model, "g g j");
    model
}

#[test]
fn a_large_sweep_is_one_row_until_it_is_unfolded() {
    let mut model = swept();
    let shown = screen(&mut model, 160, 40);
    assert!(shown.contains("▸ ⠋ scan") && shown.contains("0/60") && !shown.contains("#3 seed=3"), "{shown}");
    assert!(shown.contains("▾ Running 2") && !shown.contains("Enqueued"), "its runs are in its row: {shown}");
    let asked = press(&mut model, "l");
    let shown = screen(&mut model, 160, 40);
    assert!(shown.contains("#2 seed=2") && shown.contains("▾ Enqueued 58"), "{shown}");
    let pages =
        asked.iter().filter_map(|it| if let Effect::ListRuns { list, .. } = it { Some(list) } else { None });
    assert!(pages.into_iter().all(|list| list.without_sweeps.is_empty()), "its ended runs are read");
    press(&mut model, "j h");
    assert!(screen(&mut model, 160, 40).contains("▸ ⠋ scan"), "the sweep first");
    press(&mut model, "h");
    assert!(screen(&mut model, 160, 40).contains("▸ Running 2"), "then the section");
}

#[test]
fn the_runs_of_a_folded_sweep_are_not_listed_and_a_filter_finds_them() {
    let mut model = swept();
    model.queue.feeds.reset(None);
    let asked = paint(&mut model, 160, 40);
    let lists: Vec<_> = asked
        .iter()
        .filter_map(|it| if let Effect::ListRuns { list, .. } = it { Some(list) } else { None })
        .collect();
    assert!(!lists.is_empty() && lists.iter().all(|list| list.without_sweeps == ["scan"]), "{lists:?}");
    press(&mut model, "/");
    let asked = testing::write(&mut model, "seed=17");
    let lists =
        asked.iter().filter_map(|it| if let Effect::ListRuns { list, .. } = it { Some(list) } else { None });
    assert!(lists.into_iter().all(|list| list.without_sweeps.is_empty()));
    press(&mut model, "enter");
    assert!(screen(&mut model, 160, 40).contains("#17 seed=17"));
    press(&mut model, "esc");
    assert!(screen(&mut model, 160, 40).contains("▸ ⠋ scan"));
}

#[test]
fn a_sweep_is_cancelled_as_a_whole_after_a_question() {
    let mut model = swept();
    assert!(cancelled(&press(&mut model, "x")).is_empty());
    let shown = screen(&mut model, 120, 40);
    assert!(shown.contains("Cancel the sweep scan?") && shown.contains("2 run and 58 wait"), "{shown}");
    assert_eq!(cancelled(&press(&mut model, "y"))[0].sweep.as_deref(), Some("scan"));
}

#[test]
fn a_sweep_is_paused_and_continues_from_its_row() {
    use fanlight_shared::rpc::sweeps::Set;
    let mut model = swept();
    let set = |paused| Effect::SetSweep(Set { sweep: "scan".to_owned(), paused });
    assert_eq!(press(&mut model, "S"), [set(true)]);
    let event = DaemonEvent::SweepUpdate {
        sweep: "scan".to_owned(),
        paused: Some(fanlight_shared::sweep::Pause::Person),
    };
    update(&mut model, Message::Notification(Box::new(Notification::Daemon { seq: 2, event })));
    assert!(screen(&mut model, 120, 40).contains("paused 0/60"));
    assert_eq!(press(&mut model, "S"), [set(false)]);
}

#[test]
fn the_runs_of_a_sweep_are_marked_only_where_they_are_shown() {
    let mut model = swept();
    press(&mut model, "space");
    assert!(model.queue.marked().is_empty());
    press(&mut model, "l space h");
    assert_eq!(model.queue.marked().len(), 1, "marks stay");
    assert!(screen(&mut model, 120, 40).contains("1 marked"));
}

#[test]
fn runs_that_a_node_started_are_below_its_run() {
    use fanlight_shared::item::ItemPath;
    use fanlight_shared::run::Parent;
    let (of, name) = (run_id(1), "poster#1".to_owned());
    let parent = Box::new(Parent { run: of, name, node: "sky".to_owned(), item: ItemPath::WHOLE });
    let child = |number| Run { parent: Some(parent.clone()), ..run(number, RunStatus::Completed) };
    let mut model = queue(with_runs(&[run(1, RunStatus::Running), child(2), child(3)]));
    let shown = screen(&mut model, 120, 40);
    assert!(shown.contains("#1 ▸2") && !shown.contains("#2 seed=2") && !shown.contains("Done"), "{shown}");
    go(&mut model, 1);
    let asked = press(&mut model, "l");
    let of = |it: &Effect| matches!(it, Effect::ListRuns { list, .. } if list.parent == Some(run_id(1)));
    assert!(asked.iter().any(of), "those that ended before are read");
    let shown = screen(&mut model, 120, 40);
    assert!(shown.contains("#1 ▾2") && shown.contains("#2 seed=2") && !shown.contains("Done"), "{shown}");
    press(&mut model, "j j h");
    let shown = screen(&mut model, 120, 40);
    assert!(shown.contains("#1 ▸2") && !shown.contains("#2 seed=2"), "{shown}");
}
