use fanlight_shared::id::RunId;
use fanlight_shared::item::ItemPath;

use super::*;

const WIDTH: u32 = 16;

fn point(step: u64, value: f64) -> Point {
    Point { step, at: Time(1_000 + step.cast_signed() * 10), value }
}

/// Returns the curve of these values as it is read.
fn read(values: &[f64]) -> Line {
    let points: Vec<Point> = values.iter().enumerate().map(|(at, value)| point(at as u64, *value)).collect();
    let bucket = |at: &Point| Bucket { x: at.step as f64, last: at.value, min: at.value, max: at.value };
    let by_value = |one: &Point, other: &Point| one.value.total_cmp(&other.value);
    let series = Series {
        run_id: RunId::new(),
        node: "train".into(),
        item: ItemPath::WHOLE,
        name: "loss".into(),
        attempt: 1,
        unit: None,
        goal: None,
        count: points.len() as u64,
        stored: points.len() as u64,
        replaced: 0,
        first_step: 0,
        last: points[points.len() - 1],
        damaged: None,
        min: points.iter().copied().min_by(by_value),
        max: points.iter().copied().max_by(by_value),
    };
    let curve = Curve {
        run_id: series.run_id,
        node: "train".into(),
        item: ItemPath::WHOLE,
        from: 0,
        to: values.len() as u64 - 1,
        attempt: 1,
        reported: series.count,
        damaged: None,
        buckets: points.iter().map(bucket).collect(),
    };
    Line::new(series, curve, Axis::Step, Time(1_000), WIDTH)
}

fn new(before: u64, values: &[f64]) -> NewPoints {
    let points: Vec<Point> =
        values.iter().enumerate().map(|(at, value)| point(before + at as u64, *value)).collect();
    let after = before + points.len() as u64;
    NewPoints { name: "loss".into(), unit: None, goal: None, before, after, points }
}

#[test]
fn a_line_grows_within_its_bound_and_keeps_its_peaks() {
    let mut line = read(&[1.0, 2.0]);
    for step in 2..10_000 {
        let value = if step == 5_000 { 99.0 } else { 1.0 };
        line.add(1, &new(step, &[value])).unwrap();
        assert!(line.buckets.len() <= 2 * WIDTH as usize);
    }
    assert_eq!((line.series.count, line.series.last.step), (10_000, 9_999));
    assert_eq!(line.series.max.map(|max| max.step), Some(5_000));
    assert!(line.buckets.iter().any(|bucket| bucket.max == 99.0));
    assert!(line.buckets.windows(2).all(|pair| pair[0].x < pair[1].x));
    assert_eq!(line.buckets.last().map(|last| last.x), Some(9_999.0));
}

#[test]
fn points_that_were_read_already_are_not_added_again() {
    let mut line = read(&[1.0, 2.0, 3.0]);
    let before = line.clone();
    line.add(1, &new(1, &[2.0, 3.0])).unwrap();
    assert_eq!(line, before);
    line.add(1, &new(1, &[2.0, 3.0, 4.0])).unwrap();
    assert_eq!((line.buckets.len(), line.series.count, line.series.last.value), (4, 4, 4.0));
}

#[test]
fn missing_and_replaced_points_and_another_attempt_need_the_curve_again() {
    let line = read(&[1.0, 2.0, 3.0]);
    assert_eq!(line.clone().add(1, &new(5, &[2.0])), Err(Stale));
    assert_eq!(line.clone().add(2, &new(0, &[2.0])), Err(Stale));
    let back = NewPoints { before: 3, after: 4, points: vec![point(1, 7.0)], ..new(0, &[]) };
    assert_eq!(line.clone().add(1, &back), Err(Stale));
    assert_eq!(line.clone().add(0, &new(9, &[2.0])), Ok(()), "an earlier attempt is over");
}

#[test]
fn a_burst_that_was_thinned_out_continues_the_curve() {
    let mut line = read(&[1.0, 2.0, 3.0]);
    let burst =
        NewPoints { before: 3, after: 103, points: vec![point(3, 3.0), point(102, 9.0)], ..new(0, &[]) };
    line.add(1, &burst).unwrap();
    assert_eq!((line.series.count, line.series.last.step, line.buckets.len()), (103, 102, 5));
    let overlapping = NewPoints { before: 50, after: 200, ..burst };
    assert_eq!(line.add(1, &overlapping), Err(Stale), "points may have been replaced meanwhile");
}

#[test]
fn a_cursor_reads_the_value_at_its_place_while_the_curve_lasts() {
    let line = read(&[1.0, 2.0, 3.0]);
    assert_eq!((line.at(-1.0), line.at(1.5), line.at(2.0), line.at(9.0)), (None, Some(2.0), Some(3.0), None));
}

#[test]
fn values_that_are_not_finite_stay_gaps() {
    let mut line = read(&[f64::NAN]);
    line.add(1, &new(1, &[f64::NAN, f64::INFINITY])).unwrap();
    assert!(line.buckets.iter().all(|bucket| !bucket.min.is_finite()));
    line.add(1, &new(3, &[1.0])).unwrap();
    assert_eq!(line.series.max.map(|max| max.value), Some(1.0));
}
