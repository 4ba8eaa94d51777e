use fanlight_shared::event::{Activity, NodeError, Prediction, Task, TaskStatus, ToolCall, ToolResult};
use fanlight_shared::item::ItemPath;
use fanlight_shared::metric::{Goal, NewPoints, Point};
use fanlight_shared::origin::Origin;
use fanlight_shared::rpc::logs::{Part, Piece};
use fanlight_shared::rpc::metrics::{Bucket, Curve, Series};
use fanlight_shared::run::RunStatus;
use fanlight_shared::run_state::ItemError;
use fanlight_shared::time::Time;
use fanlight_shared::value::Value;

use super::*;
use crate::ui::message::{Measured, Message, Why};
use crate::ui::testing::{self, busy, change_state, press, run, screen, with_runs};
use crate::ui::update::update;

fn opened(mut model: Model, node: &str) -> (Model, Vec<Effect>) {
    model.grid.selected = Some(node.to_owned());
    let effects = press(&mut model, "enter");
    (model, effects)
}

fn answer(model: &mut Model, effects: &[Effect], text: &str) {
    let read = effects.iter().find_map(|effect| match effect {
        Effect::ReadLog(read) => Some(read.clone()),
        _ => None,
    });
    let read = read.unwrap_or_else(|| panic!("no log was asked for: {effects:?}"));
    let pieces = vec![Piece { stream: fanlight_shared::rpc::logs::Stream::Stderr, text: text.to_owned() }];
    let end = read.offset + text.len() as u64;
    let part = Part { attempt: 1, offset: read.offset, pieces, next: end, end, ended: true, limit: 0 };
    update(model, Message::Response(Box::new(Response::Log(Box::new(read), Box::new(part)))));
}

#[test]
fn a_failed_node_opens_on_its_log_and_y_copies_it() {
    let (mut model, effects) = opened(with_runs(&[run(2, RunStatus::Failed)]), "framed");
    answer(&mut model, &effects, "loading\n\u{1b}]0;evil\u{7}convert: no such file\n");
    let text = screen(&mut model, 120, 40);
    assert!(text.contains("convert: no such file") && !text.contains("evil"), "{text}");
    let copied = press(&mut model, "y");
    assert!(
        matches!(&copied[..], [Effect::Copy(text)] if text == "loading\nconvert: no such file\n"),
        "{copied:?}"
    );
}

#[test]
fn what_was_logged_during_a_lost_connection_is_read_afterwards() {
    let (mut model, effects) = opened(with_runs(&[run(2, RunStatus::Failed)]), "framed");
    answer(&mut model, &effects, "one\n");
    let (run, state) = model.lens().map(|lens| (lens.run.clone(), lens.state.clone())).expect("a lens");
    let (workflow_id, run_id) = (run.workflow_id, run.id);
    let snapshot = Notification::Snapshot { workflow_id, run_id, run: Box::new(run), state: Box::new(state) };
    let effects = update(&mut model, Message::Notification(Box::new(snapshot)));
    answer(&mut model, &effects, "two\n");
    let text = screen(&mut model, 120, 40);
    assert!(text.contains("one") && text.contains("two"), "{text}");
}

#[test]
fn search_finds_a_line_and_n_the_next() {
    let (mut model, effects) = opened(with_runs(&[run(2, RunStatus::Failed)]), "framed");
    let text: String =
        (0..200).map(|at| format!("line {at}{}\n", if at % 90 == 9 { " needle" } else { "" })).collect();
    answer(&mut model, &effects, &text);
    screen(&mut model, 80, 24);
    press(&mut model, "g g /");
    testing::write(&mut model, "needle");
    press(&mut model, "enter");
    assert!(screen(&mut model, 80, 24).contains("line 9 needle"));
    press(&mut model, "n");
    assert!(screen(&mut model, 80, 24).contains("line 99 needle"));
}

#[test]
fn pages_of_a_node() {
    for (node, state) in [("title", RunStatus::Running), ("framed", RunStatus::Failed)] {
        let (mut model, effects) = opened(with_runs(&[run(2, state)]), node);
        if state == RunStatus::Failed {
            answer(&mut model, &effects, "one\ntwo\n");
        }
        for tab in ["log_or_outputs", "next", "after"] {
            for (columns, rows) in [(60, 20), (80, 24), (120, 40), (200, 60)] {
                let text = screen(&mut model, columns, rows);
                insta::assert_snapshot!(format!("{node}_{tab}__{columns}x{rows}"), text);
            }
            press(&mut model, "l");
        }
    }
}

#[test]
fn the_inspector_reads_the_log_of_the_run_in_focus() {
    let (mut model, _) = opened(busy(), "framed");
    let before = model.lens().map(|lens| lens.run.id);
    press(&mut model, "[");
    testing::focus(&mut model);
    assert_ne!(model.lens().map(|lens| lens.run.id), before);
    let mut layer = model.layers.pop().expect("a layer");
    let inspector = layer.downcast_mut::<Inspector>().expect("the inspector");
    let read = inspector.sync(&model);
    let of = model.lens().map(|lens| lens.run.id);
    // The previous run may not have reached the node; then there is no log to read.
    let of_run = |effect: &Effect| match effect {
        Effect::ReadLog(read) => Some(read.run_id) == of,
        Effect::ListAssets { list, .. } => list.run_id == of,
        _ => false,
    };
    assert!(read.iter().all(of_run), "{read:?}");
}

#[test]
fn y_copies_the_value_of_an_output_and_not_the_frame_around_it() {
    let (mut model, _) = opened(with_runs(&[run(1, RunStatus::Completed)]), "title");
    let instance = |model: &mut Model, outputs: &[(&str, &str)]| {
        let values = outputs.iter().map(|(name, text)| ((*name).to_owned(), Value::from(*text)));
        change_state(model, |state| state.nodes["title"].whole.outputs = values.collect());
    };
    instance(&mut model, &[("stdout", "one\n  two\n")]);
    assert_eq!(press(&mut model, "y"), [Effect::Copy("one\n  two\n".to_owned())]);
    instance(&mut model, &[("stdout", "one\n  two\n"), ("status", "completed")]);
    assert!(press(&mut model, "y").is_empty());
    assert!(screen(&mut model, 100, 30).contains("status                completed"));
    assert_eq!(press(&mut model, "j y"), [Effect::Copy("completed".to_owned())]);
    assert!(matches!(model.layers.as_slice(), [layer] if layer.is::<Inspector>()));
}

#[test]
fn items_that_were_dropped_are_counted_with_reasons_on_the_card_and_in_the_inspector() {
    let mut model = with_runs(&[run(1, RunStatus::Completed)]);
    let error = |item: u32| ItemError {
        item,
        error: NodeError { message: format!("picture {item} is cut\u{1b}[2J short"), ..NodeError::default() },
    };
    change_state(&mut model, |state| {
        let node = &mut state.nodes["title"];
        (node.item_count, node.items_done, node.items_failed) = (Some(15), 15, 11);
        node.item_errors = (0..8).map(error).collect();
        crate::ui::clean::state(state);
    });
    let shown = model.shown.as_mut().unwrap();
    shown.layout = shown.workflow.as_ref().map(|it| testing::laid_out(it));
    let card = screen(&mut model, 160, 50);
    assert!(card.contains("11 dropped") && card.contains("[0] picture 0"), "{card}");
    let (mut model, _) = opened(model, "title");
    let shown = screen(&mut model, 100, 40);
    for words in ["11 dropped of 15 items", "[7] picture 7 is cut short", "and 3 more, under Items"] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    press(&mut model, "l l");
    assert!(screen(&mut model, 100, 40).contains("15 of 15 done, 11 dropped"));
}

#[test]
fn plan_tasks_calls_and_models_of_an_agent_have_pages() {
    let (mut model, _) = opened(with_runs(&[run(1, RunStatus::Completed)]), "title");
    let tabs = ["Plan", "Tasks", "Calls", "Models"];
    let text = screen(&mut model, 100, 30);
    assert!(!tabs.iter().any(|tab| text.contains(tab)), "there is nothing to show");
    let task = |number, title: &str, status| Task { number, title: title.into(), status };
    let call = |number, tool: &str, result| ToolCall {
        number,
        tool: tool.into(),
        arguments: "{\"path\": \"notes\u{1b}[2J.md\"}".into(),
        result,
    };
    let result = |text: &str, failed| Some(ToolResult { text: text.into(), failed });
    let activity = Some(Box::new(Activity {
        plan: Some("1. read the notes\n2. write a title".into()),
        tasks: vec![
            task(1, "read the notes", TaskStatus::Completed),
            task(2, "ask what is meant", TaskStatus::Failed),
            task(3, "write a title", TaskStatus::Running),
            task(4, "check it", TaskStatus::Waiting),
        ],
        tool_calls: vec![
            call(1, "file.read", result("# Notes", false)),
            call(2, "shell", result("the file does not allow it", true)),
            call(3, "http.fetch", None),
        ],
        predictions: vec![
            Prediction {
                provider: "local".into(),
                model: "tiny".into(),
                input_tokens: 1200,
                output_tokens: 34,
                cost_usd: Some(0.0125),
            },
            Prediction { provider: "other".into(), model: "free".into(), ..Prediction::default() },
        ],
    }));
    change_state(&mut model, |state| {
        state.nodes["title"].whole.activity = activity;
        crate::ui::clean::state(state);
    });
    press(&mut model, "l");
    for tab in tabs {
        press(&mut model, "l");
        insta::assert_snapshot!(format!("{}__100x12", tab.to_lowercase()), screen(&mut model, 100, 12));
    }
    let narrow = screen(&mut model, 60, 20);
    assert!(tabs.iter().all(|tab| narrow.contains(tab)), "{narrow}");
}

#[test]
fn a_node_that_does_not_run_yet_says_what_it_waits_for() {
    let (mut model, _) = opened(with_runs(&[run(2, RunStatus::Running)]), "poster");
    change_state(&mut model, |state| {
        for node in ["framed", "poster"] {
            let whole = &mut state.nodes[node].whole;
            (whole.status, whole.ended_at) = (NodeStatus::Waiting, None);
            whole.attempts.clear();
        }
        state.nodes["framed"].whole.status = NodeStatus::Running;
    });
    let text = screen(&mut model, 120, 40);
    assert!(text.contains("it waits for `framed`"), "{text}");
    change_state(&mut model, |state| {
        state.nodes["poster"].waits_for = Some("waits for 1 GPU: 0 of 2 are free".into());
    });
    let text = screen(&mut model, 120, 40);
    assert!(text.contains("it waits for 1 GPU: 0 of 2 are free"), "{text}");
}

#[test]
fn a_cached_node_names_the_run_that_computed_its_result() {
    let mut model = with_runs(&[run(2, RunStatus::Completed)]);
    change_state(&mut model, |state| {
        let sky = &mut state.nodes["sky"].whole;
        sky.status = NodeStatus::Cached;
        sky.attempts.clear();
        sky.origin = Some(Box::new(Origin {
            run_id: testing::run_id(1),
            run: "poster#1".to_owned(),
            node: "sky".to_owned(),
            item: ItemPath::WHOLE,
        }));
    });
    let (mut model, _) = opened(model, "sky");
    insta::assert_snapshot!("cached__120x40", screen(&mut model, 120, 40));
}

fn measured(run: u32, name: &str, value: impl Fn(u64) -> f64) -> (Series, Curve) {
    let point = |step: u64| Point { step, at: Time(1), value: value(step) };
    let (run_id, node) = (testing::run_id(run), "framed".to_owned());
    let series = Series {
        run_id,
        node: node.clone(),
        item: ItemPath::WHOLE,
        name: name.to_owned(),
        attempt: 1,
        unit: (name == "loss").then(|| "nats\u{1b}[2J".to_owned()),
        goal: (name == "loss").then_some(Goal::Min),
        count: 100,
        stored: 100,
        replaced: 0,
        first_step: 0,
        last: point(99),
        damaged: None,
        min: Some(point(99)),
        max: Some(point(0)),
    };
    let bucket = |step: u64| {
        let last = value(step);
        Bucket { x: step as f64, last, min: last, max: last }
    };
    let buckets = (0..100).map(bucket).collect();
    let (item, attempt, reported) = (ItemPath::WHOLE, 1, 100);
    (series, Curve { run_id, node, item, from: 0, to: 99, attempt, reported, damaged: None, buckets })
}

#[test]
fn the_metrics_of_a_node_are_curves_that_are_read_again_when_they_grow() {
    let (mut model, _) = opened(with_runs(&[run(1, RunStatus::Running)]), "framed");
    let (mut quick, _) = opened(with_runs(&[run(1, RunStatus::Completed)]), "title");
    assert!(
        !screen(&mut quick, 100, 30).contains("Metrics"),
        "it reported none and was too quick to be sampled"
    );
    change_state(&mut model, |state| {
        state.nodes["framed"].whole.metrics.insert("loss".to_owned(), 0.5);
    });
    screen(&mut model, 100, 30);
    let asked = press(&mut model, "h");
    let [Effect::ReadMetrics(of), Effect::Watch(watch)] = &asked[..] else { panic!("{asked:?}") };
    assert_eq!((of.runs[0].0, of.node.as_deref()), (testing::run_id(1), Some("framed")));
    let watched = watch.metrics.as_ref().unwrap();
    assert_eq!((&watched.run_ids[..], watched.node.as_deref()), (&[testing::run_id(1)][..], Some("framed")));
    let gap = |step: u64| if (40..50).contains(&step) { f64::NAN } else { (step as f64 / 10.0).sin() };
    let curves = vec![measured(1, "loss", |step| 10.0 / (step as f64 + 1.0)), measured(1, "lr", gap)];
    let read = Measured { curves, further: false };
    testing::response(&mut model, Response::Metrics(of.clone(), read));
    insta::assert_snapshot!("metrics__100x30", screen(&mut model, 100, 30));
    let mut grown = |before: u64| {
        let (workflow_id, run_id, node) = (testing::workflow_id(), testing::run_id(1), "framed".to_owned());
        let points = vec![Point { step: 120, at: Time(2), value: 0.125 }];
        let new =
            NewPoints { name: "loss".into(), unit: None, goal: None, before, after: before + 1, points };
        let points =
            Notification::Points { workflow_id, run_id, node, item: ItemPath::WHOLE, attempt: 1, new };
        update(&mut model, Message::Notification(Box::new(points)))
    };
    assert_eq!(grown(100), [], "new points are drawn and nothing is read");
    assert!(
        !grown(105).iter().any(|it| matches!(it, Effect::ReadMetrics(_))),
        "points are stored once a second"
    );
    let shown = screen(&mut model, 100, 30);
    assert!(shown.contains("loss  0.125 nats  best 0.1 at 99"), "{shown}");
    let later = model.now.plus(std::time::Duration::from_secs(2));
    update(&mut model, Message::Tick(later));
    let asked = testing::paint(&mut model, 100, 30);
    assert!(asked.iter().any(|it| matches!(it, Effect::ReadMetrics(_))), "points are missing: {asked:?}");
    let read = |effects: &[Effect]| {
        effects.iter().find_map(|it| match it {
            Effect::ReadMetrics(of) => Some(of.clone()),
            _ => None,
        })
    };
    let curves = vec![measured(1, "loss", |step| step as f64)];
    testing::response(
        &mut model,
        Response::Metrics(read(&asked).unwrap(), Measured { curves, further: false }),
    );
    let left = press(&mut model, "h");
    let unwatched = |it: &Effect| matches!(it, Effect::Watch(watch) if watch.metrics.is_none());
    assert!(left.iter().any(unwatched), "new points come only while they are shown: {left:?}");
    // What was reported meanwhile is read when they are shown again.
    let later = model.now.plus(std::time::Duration::from_secs(5));
    update(&mut model, Message::Tick(later));
    let mut again = press(&mut model, "l");
    again.extend(testing::paint(&mut model, 100, 30));
    assert!(again.iter().any(|it| matches!(it, Effect::ReadMetrics(_))), "{again:?}");
}

#[test]
fn metrics_that_can_not_be_read_are_an_error_and_not_an_empty_page() {
    let (mut model, _) = opened(with_runs(&[run(1, RunStatus::Running)]), "framed");
    change_state(&mut model, |state| {
        state.nodes["framed"].whole.metrics.insert("loss".to_owned(), 0.5);
    });
    screen(&mut model, 100, 30);
    let asked = press(&mut model, "h");
    let [Effect::ReadMetrics(of), Effect::Watch(_)] = &asked[..] else { panic!("{asked:?}") };
    let error = "the metric `loss` is damaged".to_owned();
    let request = Box::new(asked[0].clone());
    testing::response(&mut model, Response::Failed { request, error: error.clone(), why: Why::Other });
    let shown = screen(&mut model, 100, 30);
    assert!(shown.contains(&format!("the metrics could not be read: {error}")), "{shown}");
    assert!(!shown.contains("nothing was stored"), "{shown}");
    assert!(model.toasts.shown.is_empty(), "the page says it");
    let again = press(&mut model, "ctrl-r");
    assert!(again.contains(&asked[0]), "{again:?}");
    let read = Measured { curves: vec![measured(1, "loss", |step| step as f64)], further: true };
    testing::response(&mut model, Response::Metrics(of.clone(), read));
    let shown = screen(&mut model, 100, 30);
    assert!(!shown.contains("could not be read: "), "{shown}");
    assert!(shown.contains("more metrics: `fanlight metrics`"), "{shown}");
}
