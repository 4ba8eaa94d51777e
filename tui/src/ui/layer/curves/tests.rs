use fanlight_shared::item::ItemPath;
use fanlight_shared::metric::{Goal, NewPoints, Point};
use fanlight_shared::rpc::Page;
use fanlight_shared::rpc::metrics::{Axis, Bucket, Curve, Series};
use fanlight_shared::run::{Run, RunStatus};
use fanlight_shared::time::Time;

use super::*;
use crate::ui::message::{Measured, Message};
use crate::ui::testing::{self, paint, press, response, run, screen, with_runs, write};
use crate::ui::update::update;

const STEPS: u64 = 200;

fn one_of_sweep(number: u32, state: RunStatus) -> Run {
    Run { sweep: Some("lr-scan".to_owned()), ..run(number, state) }
}

/// Returns a metric of a run, and its curve.
fn measured(run: u32, name: &str, value: impl Fn(f64) -> f64) -> (Series, Curve) {
    let point = |step: u64| Point { step, at: Time(step.cast_signed() * 10), value: value(step as f64) };
    let points: Vec<Point> = (0..STEPS).map(point).collect();
    let by_value = |a: &&Point, b: &&Point| a.value.total_cmp(&b.value);
    let finite = || points.iter().filter(|point| point.value.is_finite());
    let (run_id, node, item) = (testing::run_id(run), "train".to_owned(), ItemPath::WHOLE);
    let series = Series {
        run_id,
        node: node.clone(),
        item,
        name: name.to_owned(),
        attempt: 1,
        unit: (name == "loss").then(|| "nats".to_owned()),
        goal: (name == "loss").then_some(Goal::Min),
        count: STEPS,
        stored: STEPS,
        replaced: 0,
        first_step: 0,
        last: point(STEPS - 1),
        damaged: None,
        min: finite().min_by(by_value).copied(),
        max: finite().max_by(by_value).copied(),
    };
    let bucket = |at: &Point| Bucket { x: at.step as f64, last: at.value, min: at.value, max: at.value };
    let buckets = points.iter().map(bucket).collect();
    let (attempt, reported, damaged) = (1, STEPS, None);
    (series, Curve { run_id, node, item, from: 0, to: STEPS - 1, attempt, reported, damaged, buckets })
}

/// Three runs of a sweep with three metrics each; the second has a gap in its accuracy.
fn all() -> Vec<(Series, Curve)> {
    let mut all = Vec::new();
    for number in 1..=3 {
        let rate = f64::from(number);
        all.push(measured(number, "loss", move |x| 8.0 * (-x * rate / 100.0).exp() + rate / 10.0));
        let gap = move |x: f64| number == 2 && (60.0..90.0).contains(&x);
        all.push(measured(number, "accuracy", move |x| {
            if gap(x) { f64::NAN } else { 1.0 - (-x * rate / 80.0).exp() }
        }));
        all.push(measured(number, "rate", move |x| (x / 20.0).sin() * rate));
    }
    all
}

fn asked(effects: &[Effect]) -> Vec<&CurvesOf> {
    let of = effects.iter().map(|effect| match effect {
        Effect::ReadMetrics(of) => Some(of),
        _ => None,
    });
    of.flatten().collect()
}

fn deliver(model: &mut Model, effects: &[Effect]) -> Vec<Effect> {
    let mut more = Vec::new();
    for of in asked(effects) {
        let curves =
            all().into_iter().filter(|(series, _)| of.name.as_ref().is_none_or(|it| *it == series.name));
        let read = Measured { curves: curves.collect(), further: false };
        more.extend(response(model, Response::Metrics(of.clone(), read)));
    }
    more
}

/// Returns the curves of a sweep of three runs, the third of them in focus.
fn opened() -> (Model, Vec<Effect>) {
    let runs = [1, 2, 3].map(|number| one_of_sweep(number, RunStatus::Running));
    let mut model = with_runs(&runs);
    let effects = press(&mut model, "V");
    let list = effects.iter().find_map(|effect| match effect {
        Effect::ListRuns { to: Address::Curves, list } => Some(list),
        _ => None,
    });
    assert_eq!(list.and_then(|list| list.sweep.as_deref()), Some("lr-scan"));
    let page = Page { rows: runs.to_vec(), cursor: None, limit: None };
    let mut effects = response(&mut model, Response::Runs { to: Address::Curves, page });
    let watched = effects.iter().find_map(|effect| match effect {
        Effect::Watch(watch) => watch.metrics.as_ref(),
        _ => None,
    });
    assert_eq!(watched.map(|metrics| metrics.run_ids.len()), Some(3), "{effects:?}");
    effects.retain(|effect| matches!(effect, Effect::ReadMetrics(_)));
    let large = deliver(&mut model, &effects);
    deliver(&mut model, &large);
    (model, large)
}

#[test]
fn the_runs_of_a_sweep_share_their_axes_and_one_metric_is_enlarged() {
    let (mut model, asked_large) = opened();
    assert_eq!(asked(&asked_large)[0].name.as_deref(), Some("loss"));
    insta::assert_snapshot!("sweep__120x36", screen(&mut model, 120, 36));
    insta::assert_snapshot!("sweep__80x24", screen(&mut model, 80, 24));
    model.options.ascii = true;
    insta::assert_snapshot!("ascii__80x24", screen(&mut model, 80, 24));
    for (columns, rows) in [(200, 60), (40, 12), (20, 5), (1, 1)] {
        screen(&mut model, columns, rows);
    }
}

#[test]
fn a_cursor_reads_the_values_of_all_runs_and_the_axes_can_be_changed() {
    let (mut model, _) = opened();
    let effects = paint(&mut model, 120, 36);
    deliver(&mut model, &effects);
    let effects = press(&mut model, "tab L S h h h h h h h h h h");
    deliver(&mut model, &effects);
    let shown = screen(&mut model, 120, 36);
    assert!(shown.contains("accuracy  by step · log values · smoothed 0.6"), "{shown}");
    assert!(shown.contains("at 181"), "{shown}");
    insta::assert_snapshot!("cursor__120x36", shown);
    press(&mut model, "esc");
    assert!(!screen(&mut model, 120, 36).contains("at 181"));
    let by_time = press(&mut model, "x");
    assert!(asked(&by_time).iter().all(|of| of.axis == Axis::Time) && !asked(&by_time).is_empty());
    let enlarged_first: Vec<Effect> = by_time.into_iter().rev().collect();
    deliver(&mut model, &enlarged_first);
    assert!(screen(&mut model, 120, 36).contains("accuracy  by time"), "the same metric stays enlarged");
    press(&mut model, "esc");
    assert!(model.layers.is_empty());
    assert!(model.watching.metrics.is_none(), "points come only while curves are shown");
}

#[test]
fn only_metrics_with_a_name_are_shown() {
    let (mut model, _) = opened();
    press(&mut model, "/");
    write(&mut model, "acc");
    press(&mut model, "enter");
    let shown = screen(&mut model, 120, 36);
    assert!(shown.contains("accuracy") && shown.contains("only `acc`") && !shown.contains("rate"), "{shown}");
    press(&mut model, "/");
    write(&mut model, "x");
    press(&mut model, "enter");
    assert!(screen(&mut model, 120, 36).contains("no metric has such a name"));
    press(&mut model, "esc");
    assert!(screen(&mut model, 120, 36).contains("loss"));
}

#[test]
fn curves_grow_with_new_points_and_are_read_again_after_some_were_lost() {
    let (mut model, _) = opened();
    let (workflow_id, run_id) = (testing::workflow_id(), testing::run_id(2));
    let points = vec![Point { step: STEPS, at: Time(5), value: 0.0625 }];
    let new =
        NewPoints { name: "loss".into(), unit: None, goal: None, before: STEPS, after: STEPS + 1, points };
    let (node, item, attempt) = ("train".to_owned(), ItemPath::WHOLE, 1);
    let grown = Notification::Points { workflow_id, run_id, node, item, attempt, new };
    assert_eq!(update(&mut model, Message::Notification(Box::new(grown))), []);
    assert!(screen(&mut model, 120, 36).contains("0.0625"));
    let later = model.now.plus(std::time::Duration::from_secs(5));
    update(&mut model, Message::Tick(later));
    let again = update(&mut model, Message::Notification(Box::new(Notification::PointsLost {})));
    assert_eq!(asked(&again).len(), 2);
}

#[test]
fn a_damaged_curve_is_named_and_the_others_are_drawn() {
    let (mut model, _) = opened();
    let of = CurvesOf { name: Some("loss".into()), ..CurvesOf::default() };
    let layer = model.layers.last().and_then(|layer| layer.downcast_ref::<CurvesOfRuns>()).unwrap();
    let of = CurvesOf { runs: layer.runs.places(), width: 160, ..of };
    let mut curves: Vec<(Series, Curve)> = all().into_iter().filter(|(it, _)| it.name == "loss").collect();
    curves[0].1.damaged = Some("the metric `loss` is damaged".into());
    curves[0].1.buckets.clear();
    response(&mut model, Response::Metrics(of, Measured { curves, further: false }));
    let shown = screen(&mut model, 120, 36);
    assert!(shown.lines().any(|line| line.contains("#1") && line.contains("damaged")), "{shown}");
}

#[test]
fn marked_runs_are_compared_and_runs_without_metrics_say_so() {
    let runs = [1, 2, 3].map(|number| run(number, RunStatus::Completed));
    let mut model = with_runs(&runs);
    model.queue.marks.extend([runs[0].id, runs[2].id]);
    let effects = press(&mut model, "V");
    let of = asked(&effects)[0].clone();
    assert_eq!(of.runs.iter().map(|(run, _)| *run).collect::<Vec<_>>(), [runs[0].id, runs[2].id]);
    response(&mut model, Response::Metrics(of, Measured::default()));
    // They are read once more after the daemon began to send new points.
    let later = model.now.plus(std::time::Duration::from_secs(2));
    update(&mut model, Message::Tick(later));
    let effects = paint(&mut model, 100, 30);
    let again = asked(&effects)[0].clone();
    response(&mut model, Response::Metrics(again, Measured::default()));
    // A mark may be on a run that isn't loaded: it is read, and missed until it is there.
    let mut other = with_runs(&runs);
    other.queue.marks.extend([runs[0].id, testing::run_id(9)]);
    let effects = press(&mut other, "V");
    assert!(effects.contains(&Effect::CheckRuns(vec![testing::run_id(9)])), "{effects:?}");
    assert!(screen(&mut other, 100, 30).contains("Curves · 1 of 2 marked runs"));
    let ninth = Box::new(run(9, RunStatus::Completed));
    response(&mut other, Response::Known(ninth.id, Some(ninth)));
    assert!(screen(&mut other, 100, 30).contains("Curves · 2 runs"));
    let shown = screen(&mut model, 100, 30);
    assert!(shown.contains("Curves · 2 runs") && shown.contains("reported no metrics"), "{shown}");
}
