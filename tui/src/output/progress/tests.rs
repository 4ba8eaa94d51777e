use fanlight_shared::event::{DaemonEvent, Progress};
use fanlight_shared::id::{RunId, SubmissionId, Version, WorkflowId};
use fanlight_shared::rpc::watch::Notification;
use fanlight_shared::run::Run;
use fanlight_shared::run_state::{Attempt, InstanceState, NodeState};

use super::*;

/// Returns a queued run of a workflow with five nodes.
fn run(number: u32, label: &str) -> Run {
    Run {
        id: RunId::new(),
        workflow: "poster".into(),
        number,
        label: label.into(),
        state: RunStatus::Queued,
        params: indexmap::IndexMap::new(),
        params_short: false,
        submitted_at: Time(0),
        started_at: None,
        ended_at: None,
        error: None,
        workflow_id: WorkflowId::new(),
        title: "Seaside poster".into(),
        version: Version::of(""),
        submission: SubmissionId::new(),
        index: 0,
        start_order: None,
        resumed_from: None,
        parent: None,
        nodes_done: 0,
        spent: fanlight_shared::spent::Spent::default(),
        nodes: 5,
        position: None,
        asks: None,
        waits_for: None,
        paused: None,
        sweep: None,
        concurrency: None,
        priority: 0,
    }
}

fn row_state(done: usize, running: Option<(&str, f64)>) -> RunState {
    let mut state = RunState::new(["sky", "title", "framed", "grain", "poster"]);
    for node in state.nodes.values_mut().take(done) {
        node.whole.status = NodeStatus::Completed;
    }
    if let Some((name, fraction)) = running {
        let attempt = Attempt::new(1, Time(1000));
        let progress = Progress { fraction: Some(fraction), message: Some("row 12\u{1b}[2J of 20".into()) };
        let whole = InstanceState {
            status: NodeStatus::Running,
            attempts: vec![attempt],
            progress: Some(progress),
            ..InstanceState::default()
        };
        state.nodes[name] = NodeState { whole, ..NodeState::default() };
    }
    state
}

#[test]
fn a_banner_comes_first_if_there_is_room() {
    let mut projection = projection();
    let banners = vec!["the disk\u{1b}[2J is full".to_owned()];
    projection.apply(&mut Notification::Daemon { seq: 1, event: DaemonEvent::BannerUpdate { banners } });
    let lines_of = |lines| {
        super::lines(&projection, Frame { columns: 80, lines, now: Time(5000), paint: Paint::none() })
    };
    assert_eq!(lines_of(20)[0], "! the disk is full");
    assert_eq!(lines_of(20).len(), 8);
    assert_eq!(lines_of(4).len(), 4);
    assert!(!lines_of(2)[0].starts_with('!'));
}

/// Six runs: one of each kind, and a queued one.
fn projection() -> Projection {
    let states = [
        RunStatus::Completed,
        RunStatus::Failed,
        RunStatus::Running,
        RunStatus::Cancelling,
        RunStatus::Cancelled,
        RunStatus::Queued,
    ];
    let mut runs = Vec::new();
    for (at, status) in states.into_iter().enumerate() {
        let number = u32::try_from(at).unwrap() + 7;
        let mut run = run(number, &format!("seed={number} · place=Größe 日本"));
        run.state = status;
        run.started_at = (status != RunStatus::Queued).then_some(Time(1000));
        run.ended_at = status.is_ended().then_some(Time(1400));
        run.error = (status == RunStatus::Failed).then(|| "node `framed` failed: exit code 3".into());
        run.position = (status == RunStatus::Queued).then_some(1);
        runs.push(run);
    }
    let mut projection = Projection::of(runs.clone());
    for run in &runs {
        let (done, running) = match run.state {
            RunStatus::Completed => (5, None),
            RunStatus::Running => (2, Some(("framed", 0.6))),
            RunStatus::Queued => (0, None),
            _ => (3, None),
        };
        let mut state = row_state(done, running);
        state.status = run.state;
        projection.put(run.clone(), state);
    }
    projection
}

fn draw(columns: usize, most: usize) -> String {
    let frame = Frame { columns, lines: most, now: Time(4000), paint: Paint::none() };
    let lines = lines(&projection(), frame);
    assert!(lines.len() <= most, "{} lines of {most}", lines.len());
    for line in &lines {
        assert!(width(line) <= columns, "{columns}: {line}");
        assert!(!line.contains('\u{1b}'), "{line:?}");
    }
    lines.join("\n")
}

#[test]
fn every_width_has_the_right_number_of_lines() {
    insta::assert_snapshot!("wide", draw(120, 40));
    insta::assert_snapshot!("usual", draw(80, 40));
    insta::assert_snapshot!("narrow", draw(40, 40));
}

#[test]
fn a_low_terminal_shows_the_most_important_lines() {
    insta::assert_snapshot!("low", draw(80, 5));
}

#[test]
fn nothing_is_drawn_outside_of_any_size() {
    for columns in 1..130 {
        for most in 1..9 {
            draw(columns, most);
        }
    }
}

#[test]
fn changes_read_as_plain_lines() {
    let projection = projection();
    let said: Vec<String> = projection.rows().map(|row| change_line(row, Paint::none())).collect();
    insta::assert_snapshot!("changes", said.join("\n"));
}
