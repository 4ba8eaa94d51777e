//! Metrics: what is kept of what attempts report.

use fanlight_shared::metric::{Goal, NewPoints, Point};
use fanlight_shared::rpc::metrics::{Axis, List, Points, Read, Series};

use super::*;

fn point(step: u64, value: f64) -> Point {
    Point { step, at: Time(step.cast_signed() * 10), value }
}

/// Returns points as an attempt reports them that has reported `before` ones.
fn new(name: &str, before: u64, points: Vec<Point>) -> NewPoints {
    let after = before + points.len() as u64;
    NewPoints { name: name.into(), unit: None, goal: None, before, after, points }
}

fn reported(run: &Run, attempt: u32, series: Vec<NewPoints>) -> Op {
    Op::Points { run: run.id, node: "train".into(), item: ItemPath::WHOLE, attempt, series }
}

fn line(steps: std::ops::Range<u64>) -> Vec<Point> {
    steps.map(|step| point(step, step as f64)).collect()
}

impl Fixture {
    fn series(&self, run: &Run) -> Vec<Series> {
        let list = List { run_ids: vec![run.id], limit: Some(1000), ..List::default() };
        self.store.series(&list).unwrap().rows
    }

    fn only(&self, run: &Run) -> Series {
        let [series] = self.series(run).try_into().unwrap();
        series
    }

    fn points(&self, run: &Run, name: &str) -> Vec<Point> {
        let mut of = Points {
            run_id: run.id,
            node: "train".into(),
            item: ItemPath::WHOLE,
            name: name.into(),
            from: 0,
            to: None,
            cursor: None,
            limit: Some(1000),
        };
        let mut all = Vec::new();
        loop {
            let page = self.store.series_points(&of).unwrap();
            all.extend(page.rows);
            of.cursor = page.cursor;
            if of.cursor.is_none() {
                return all;
            }
        }
    }

    fn count(&self, table: &str) -> i64 {
        let db = Connection::open(self.home.database()).unwrap();
        db.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    }
}

#[test]
fn a_series_has_its_points_and_its_extremes() {
    let at = Fixture::new();
    let run = at.submit(1).remove(0);
    let loss = NewPoints {
        unit: Some("nats".into()),
        goal: Some(Goal::Min),
        ..new("loss", 0, vec![point(0, 3.0), point(5, 1.0), point(6, f64::NAN)])
    };
    at.commit(vec![reported(&run, 1, vec![loss.clone(), new("acc", 0, line(0..3))])]);
    at.commit(vec![reported(&run, 1, vec![new("loss", 3, vec![point(9, f64::INFINITY), point(10, 2.0)])])]);
    let [loss, acc] = at.series(&run).try_into().unwrap();
    assert_eq!((loss.name.as_str(), loss.count, loss.stored, loss.first_step), ("loss", 5, 5, 0));
    assert_eq!((loss.unit.as_deref(), loss.best()), (Some("nats"), Some(point(5, 1.0))));
    assert_eq!((loss.max, loss.last), (Some(point(0, 3.0)), point(10, 2.0)));
    assert_eq!((acc.goal, acc.best(), acc.last), (None, None, point(2, 2.0)));
    let points = at.points(&run, "loss");
    assert_eq!(points.iter().map(|it| it.step).collect::<Vec<_>>(), [0, 5, 6, 9, 10]);
    assert!(points[2].value.is_nan() && points[3].value.is_infinite());
}

#[test]
fn what_is_reported_twice_is_stored_once() {
    let mut at = Fixture::new();
    let run = at.submit(1).remove(0);
    at.commit(vec![reported(&run, 1, vec![new("loss", 0, line(0..700))])]);
    at.reopen();
    // The next daemon reads the reports of an adopted attempt from the beginning, in other groups.
    at.commit(vec![reported(&run, 1, vec![new("loss", 0, line(0..300))])]);
    at.commit(vec![reported(&run, 1, vec![new("loss", 300, line(300..900))])]);
    let series = at.only(&run);
    assert_eq!((series.count, series.replaced), (900, 0));
    assert_eq!(at.points(&run, "loss"), line(0..900));
}

#[test]
fn a_step_that_goes_back_replaces_what_follows_it() {
    let at = Fixture::new();
    let run = at.submit(1).remove(0);
    at.commit(vec![reported(&run, 1, vec![new("loss", 0, line(0..1000))])]);
    at.commit(vec![reported(&run, 1, vec![new("loss", 1000, vec![point(600, -5.0), point(601, -4.0)])])]);
    let series = at.only(&run);
    assert_eq!((series.count, series.stored, series.replaced), (602, 602, 400));
    assert_eq!(
        (series.min, series.max, series.last),
        (Some(point(600, -5.0)), Some(point(599, 599.0)), point(601, -4.0))
    );
    // The same step twice, and once more from the beginning.
    at.commit(vec![reported(&run, 1, vec![new("loss", 1002, vec![point(601, 7.0), point(601, 8.0)])])]);
    assert_eq!(at.points(&run, "loss").last(), Some(&point(601, 8.0)));
    at.commit(vec![reported(&run, 1, vec![new("loss", 1004, line(0..2))])]);
    let series = at.only(&run);
    assert_eq!((series.count, series.first_step, series.max), (2, 0, Some(point(1, 1.0))));
    assert_eq!(series.replaced, 1004, "every report is counted");
    assert_eq!(at.points(&run, "loss"), line(0..2));
}

#[test]
fn steps_beyond_the_last_are_new_even_in_an_events_file_that_was_overwritten() {
    let mut at = Fixture::new();
    let run = at.submit(1).remove(0);
    at.commit(vec![reported(&run, 1, vec![new("loss", 0, line(0..1000))])]);
    at.reopen();
    at.commit(vec![reported(&run, 1, vec![new("loss", 0, line(998..1003))])]);
    at.commit(vec![reported(&run, 1, vec![new("loss", 5, line(1003..1010))])]);
    at.reopen();
    at.commit(vec![reported(&run, 1, vec![new("loss", 0, line(998..1012))])]);
    let series = at.only(&run);
    assert_eq!((series.count, series.replaced), (1012, 0));
    assert_eq!(at.points(&run, "loss"), line(0..1012));
}

#[test]
fn reports_that_were_thinned_out_on_the_way_are_counted_once() {
    let mut at = Fixture::new();
    let run = at.submit(1).remove(0);
    at.commit(vec![reported(&run, 1, vec![new("loss", 0, line(0..40))])]);
    at.reopen();
    let thinned = (0..100).step_by(10).chain([99]).map(|step| point(step, step as f64)).collect();
    at.commit(vec![reported(&run, 1, vec![NewPoints { after: 100, ..new("loss", 0, thinned) }])]);
    let series = at.only(&run);
    assert_eq!((series.count, series.stored, series.last.step), (100, 47, 99));
}

#[test]
fn a_later_attempt_starts_the_series_of_its_node_again() {
    let at = Fixture::new();
    let run = at.submit(1).remove(0);
    at.commit(vec![reported(&run, 1, vec![new("loss", 0, line(0..9)), new("old", 0, line(0..9))])]);
    at.commit(vec![Op::DropSeries { run: run.id, node: "train".into(), item: ItemPath::WHOLE }]);
    assert_eq!(at.series(&run), []);
    at.commit(vec![reported(&run, 2, vec![new("loss", 0, line(0..2))])]);
    at.commit(vec![reported(&run, 1, vec![new("loss", 9, line(9..20))])]);
    let series = at.only(&run);
    assert_eq!((series.attempt, series.count), (2, 2), "a late report of the earlier attempt is ignored");
    assert_eq!(at.count("series_chunk"), 1);
}

#[test]
fn a_deleted_run_leaves_no_points() {
    let at = Fixture::new();
    let (run, other) = (at.ended(), at.ended());
    at.commit(vec![reported(&run, 1, vec![new("loss", 0, line(0..2000))])]);
    at.commit(vec![reported(&other, 1, vec![new("loss", 0, line(0..3))])]);
    at.commit(vec![Op::DeleteRun { run: run.id, assets: true }]);
    assert_eq!((at.count("series"), at.count("series_chunk")), (1, 1));
    // A late report is no reason to fail.
    at.commit(vec![reported(&run, 1, vec![new("loss", 2000, line(2000..2001))])]);
    assert_eq!(at.count("series"), 1);
    assert!(matches!(
        at.store.series(&List { run_ids: vec![run.id], ..List::default() }),
        Err(StoreError::NotFound(_))
    ));
}

#[test]
fn a_resumed_run_keeps_the_series_of_nodes_that_it_reuses() {
    let at = Fixture::new();
    let run = at.ended();
    at.commit(vec![reported(&run, 1, vec![new("loss", 0, line(0..1000))])]);
    let finished = vec![finished(&run, "train")];
    let resume = Some(ResumeFrom { run: run.id, finished });
    let resumed = at.submit_with(Submit { resume, ..submission(1) }).runs.remove(0);
    at.commit(vec![Op::DeleteRun { run: run.id, assets: false }]);
    assert_eq!(at.only(&resumed).count, 1000);
    assert_eq!(at.points(&resumed, "loss"), line(0..1000));
}

#[test]
fn a_resumed_run_lists_its_series_in_the_order_of_the_old_run() {
    let at = Fixture::new();
    let run = at.ended();
    let nodes: Vec<String> = (0..20).map(|number| format!("node{}", number * 7 % 20)).collect();
    for node in &nodes {
        let (node, series) = (node.clone(), vec![new("loss", 0, line(0..1))]);
        at.commit(vec![Op::Points { run: run.id, node, item: ItemPath::WHOLE, attempt: 1, series }]);
    }
    let finished = nodes.iter().map(|node| finished(&run, node)).collect();
    let resume = Some(ResumeFrom { run: run.id, finished });
    let resumed = at.submit_with(Submit { resume, ..submission(1) }).runs.remove(0);
    assert_eq!(at.series(&resumed).into_iter().map(|series| series.node).collect::<Vec<_>>(), nodes);
}

#[test]
fn curves_share_their_buckets_over_all_runs_and_pages() {
    let at = Fixture::new();
    let runs = at.submit(3);
    for (run, end) in runs.iter().zip([100, 1000, 10]) {
        at.commit(vec![reported(run, 1, vec![new("loss", 0, line(0..end))])]);
    }
    let mut read = Read {
        run_ids: runs.iter().map(|run| run.id).collect(),
        name: "loss".into(),
        width: 10,
        ..Read::default()
    };
    let curves = at.store.curves(&read).unwrap().rows;
    assert!(curves.iter().all(|curve| (curve.from, curve.to) == (0, 999)));
    assert_eq!(curves.iter().map(|curve| curve.buckets.len()).collect::<Vec<_>>(), [1, 10, 1]);
    assert_eq!((curves[1].buckets[3].min, curves[1].buckets[3].max), (300.0, 399.0));
    read.cursor = Some(format!("metrics.read:0.499.1.{}", 0));
    let rest = at.store.curves(&read).unwrap().rows;
    assert_eq!(rest.len(), 2, "the page begins with the second run");
    assert_eq!(rest[0].to, 499, "it has the range of the first page");
    let part = Read { cursor: None, from: Some(990), to: Some(2000), axis: Axis::Step, ..read.clone() };
    assert_eq!(at.store.curves(&part).unwrap().rows[1].buckets.len(), 1);
    let empty = Read { name: "nothing".into(), cursor: None, ..read.clone() };
    assert_eq!(at.store.curves(&empty).unwrap().rows, []);
    for bad in [
        Read { width: 0, ..empty.clone() },
        Read { width: 5000, ..empty.clone() },
        Read { cursor: Some("metrics.read:x".into()), ..empty.clone() },
        Read { run_ids: vec![runs[0].id; 1001], ..empty.clone() },
    ] {
        assert!(matches!(at.store.curves(&bad), Err(StoreError::BadParam(_))), "{bad:?}");
    }
}

#[test]
fn a_list_continues_where_its_page_ended() {
    let at = Fixture::new();
    let runs = at.submit(2);
    for run in &runs {
        let names = (0..5).map(|name| new(&format!("m{name}"), 0, line(0..1))).collect();
        at.commit(vec![reported(run, 1, names)]);
    }
    let run_ids: Vec<RunId> = runs.iter().map(|run| run.id).collect();
    let mut list = List { run_ids, limit: Some(3), ..List::default() };
    let mut found = Vec::new();
    loop {
        let page = at.store.series(&list).unwrap();
        found.extend(page.rows.into_iter().map(|series| (series.run_id, series.name)));
        list.cursor = page.cursor;
        if list.cursor.is_none() {
            break;
        }
    }
    let all = runs.iter().flat_map(|run| (0..5).map(|name| (run.id, format!("m{name}"))));
    assert_eq!(found, all.collect::<Vec<_>>());
}

#[test]
fn a_run_with_too_many_points_keeps_their_extremes() {
    let at = Fixture::new();
    let run = at.submit(1).remove(0);
    let peak = 123_456;
    let value = |step: u64| if step == peak { 1e9 } else { (step % 1000) as f64 };
    for group in 0..12_u64 {
        let steps = group * 100_000..(group + 1) * 100_000;
        let points = steps.clone().map(|step| point(step, value(step))).collect();
        at.commit(vec![reported(&run, 1, vec![new("loss", steps.start, points)])]);
    }
    let series = at.only(&run);
    assert_eq!((series.count, series.max), (1_200_000, Some(point(peak, 1e9))));
    assert!((500_000..=1_000_000).contains(&series.stored), "{}", series.stored);
    let points = at.points(&run, "loss");
    assert_eq!(points.len() as u64, series.stored);
    assert!(points.contains(&point(peak, 1e9)));
    assert_eq!((points[0].step, points[points.len() - 1].step), (0, 1_199_999));
    assert!(points.windows(2).all(|pair| pair[0].step < pair[1].step));
}

#[test]
fn a_run_of_many_short_series_is_thinned_out_too() {
    let mut at = Fixture::new();
    let run = at.submit(1).remove(0);
    at.commit(vec![reported(&run, 1, vec![new("loss", 0, line(0..500)), new("short", 0, line(0..100))])]);
    at.tamper("UPDATE series SET stored = 1000100 WHERE name = 'loss'");
    at.reopen();
    at.commit(vec![reported(&run, 1, vec![new("short", 100, line(100..101))])]);
    let points = at.points(&run, "loss");
    assert!(points.len() < 200, "{}", points.len());
    assert_eq!((points[0], points[points.len() - 1]), (point(0, 0.0), point(499, 499.0)));
    assert_eq!(at.points(&run, "short"), line(0..101));
    at.commit(vec![reported(&run, 1, vec![new("loss", 500, line(500..502))])]);
    assert_eq!(at.points(&run, "loss").len(), points.len() + 2);
    assert!(at.series(&run).iter().all(|series| series.name != "loss" || series.count == 502));
}

#[test]
fn damage_of_a_series_costs_neither_the_others_nor_the_daemon() {
    for damage in [
        "UPDATE series_chunk SET body = x'09' WHERE series = (SELECT key FROM series WHERE name = 'loss')",
        "UPDATE series SET last = x'0100' WHERE name = 'loss'",
        "UPDATE series SET max = 'much' WHERE name = 'loss'",
        "UPDATE series SET last = NULL WHERE name = 'loss'; \
         UPDATE series_chunk SET first = 3, level = 1 WHERE series = (SELECT key FROM series WHERE name = 'loss')",
    ] {
        let at = Fixture::new();
        let (run, other) = (at.submit(1).remove(0), at.submit(1).remove(0));
        let first = |name: &str| new(name, 0, line(0..3));
        at.commit(vec![reported(&run, 1, vec![first("loss"), first("acc")])]);
        at.commit(vec![reported(&other, 1, vec![first("acc")])]);
        at.tamper(damage);
        let more = |name: &str| new(name, 3, line(3..5));
        at.commit(vec![reported(&run, 1, vec![more("loss"), more("acc")])]);
        assert_eq!(at.points(&run, "acc"), line(0..5), "{damage}");
        assert_eq!(at.only(&other).count, 3);
    }
}

#[test]
fn a_damaged_series_is_named_and_the_others_are_read() {
    for damage in [
        "UPDATE series SET last = x'09' WHERE name = 'loss' AND run = 1",
        "UPDATE series_chunk SET body = x'09' WHERE key = (SELECT min(key) FROM series_chunk)",
        "UPDATE series_chunk SET body = x'01040000000000000000000000000000000000000000' WHERE key = 1",
    ] {
        let at = Fixture::new();
        let runs = [at.submit(1).remove(0), at.submit(1).remove(0)];
        for run in &runs {
            at.commit(vec![reported(run, 1, vec![new("loss", 0, line(0..3)), new("acc", 0, line(0..3))])]);
        }
        at.tamper(damage);
        let run_ids = runs.iter().map(|run| run.id).collect();
        let read = Read { run_ids, name: "loss".into(), width: 10, ..Read::default() };
        let curves = at.store.curves(&read).unwrap().rows;
        assert_eq!((curves.len(), curves[1].buckets.len()), (2, 3), "{damage}");
        assert_eq!(curves[1].damaged, None);
        let listed = at.store.series(&List { run_ids: read.run_ids, ..List::default() }).unwrap().rows;
        assert_eq!((listed.len(), listed[1].last), (4, point(2, 2.0)), "{damage}");
        let named = format!("the metric `loss` of `train` in {} is damaged", runs[0].name());
        let said = [&listed[0].damaged, &curves[0].damaged].into_iter().flatten().next();
        assert!(said.is_some_and(|said| said.contains(&named)), "{damage}: {said:?}");
        // A list reads no points.
        if curves[0].damaged.is_some() {
            assert!(curves[0].buckets.is_empty());
            let (node, item, name) = ("train".into(), ItemPath::WHOLE, "loss".into());
            let of =
                Points { run_id: runs[0].id, node, item, name, from: 0, to: None, cursor: None, limit: None };
            assert!(at.store.series_points(&of).unwrap_err().to_string().contains(&named));
        }
    }
}

#[test]
fn a_damaged_series_is_not_thinned_out_but_the_next_one_is() {
    let mut at = Fixture::new();
    let run = at.submit(1).remove(0);
    let long = |name: &str| new(name, 0, line(0..1500));
    at.commit(vec![reported(&run, 1, vec![long("loss"), long("acc")])]);
    at.tamper(
        "UPDATE series SET stored = 2000000 WHERE name = 'loss'; \
         UPDATE series_chunk SET body = x'09' WHERE series = (SELECT key FROM series WHERE name = 'loss')",
    );
    at.reopen();
    at.commit(vec![reported(&run, 1, vec![new("acc", 1500, line(1500..1501))])]);
    let series = at.series(&run);
    assert_eq!((series[0].stored, series[1].count), (2_000_000, 1501));
    assert!(series[1].stored < 1000, "{}", series[1].stored);
    assert_eq!(at.points(&run, "acc").len() as u64, series[1].stored);
}
