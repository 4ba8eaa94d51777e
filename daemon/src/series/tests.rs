use fanlight_shared::metric::Point;
use fanlight_shared::time::Time;
use proptest::prelude::*;

use super::*;

fn point(step: u64, value: f64) -> Point {
    Point { step, at: Time(1_700_000_000_000 + step.cast_signed() * 7), value }
}

fn values() -> impl Strategy<Value = Vec<f64>> {
    let value = prop_oneof![
        8 => -1e6..1e6f64,
        1 => Just(f64::NAN),
        1 => prop_oneof![Just(f64::INFINITY), Just(f64::NEG_INFINITY)],
    ];
    prop::collection::vec(value, 0..200)
}

fn series() -> impl Strategy<Value = Vec<Point>> {
    values().prop_flat_map(|values| {
        let gaps = prop::collection::vec(1..1_000_u64, values.len());
        (Just(values), gaps).prop_map(|(values, gaps)| {
            let mut step = 0;
            values
                .into_iter()
                .zip(gaps)
                .map(|(value, gap)| {
                    step += gap;
                    point(step, value)
                })
                .collect()
        })
    })
}

fn finite(points: &[Point]) -> impl Iterator<Item = f64> {
    points.iter().map(|point| point.value).filter(|value| value.is_finite())
}

proptest! {
    #[test]
    fn thinned_points_keep_their_extremes_their_order_their_ends_and_their_gaps(points in series()) {
        let kept = thin(&points);
        prop_assert_eq!(kept.first(), points.first());
        prop_assert_eq!(kept.last(), points.last());
        prop_assert_eq!(finite(&kept).reduce(f64::min), finite(&points).reduce(f64::min));
        prop_assert_eq!(finite(&kept).reduce(f64::max), finite(&points).reduce(f64::max));
        prop_assert!(kept.windows(2).all(|pair| pair[0].step < pair[1].step));
        prop_assert!(kept.iter().all(|point| points.contains(point)));
        for special in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let has = |points: &[Point]| {
                points.iter().any(|point| fanlight_shared::metric::same(point.value, special))
            };
            prop_assert_eq!(has(&kept), has(&points));
        }
        prop_assert!(kept.len() <= points.len().div_ceil(8) * 5 + 2);
    }

    #[test]
    fn points_survive_their_bytes(points in series()) {
        let bytes = encode(&points);
        prop_assert_eq!(decode(&bytes), Some(points.clone()));
        for end in 2..bytes.len() {
            // A part of them is fewer points or none, never other ones.
            if let Some(part) = decode(&bytes[..end]) {
                prop_assert_eq!(&part[..], &points[..part.len()]);
            }
        }
    }

    #[test]
    fn a_curve_has_the_extremes_of_its_points(points in series(), width in 1..40_u32) {
        let (from, to) = (points.first().map_or(0, |it| it.step), points.last().map_or(0, |it| it.step));
        let mut buckets = Buckets::new(from, to, width);
        points.iter().for_each(|point| buckets.add(point.step, point));
        let buckets = buckets.finish();
        prop_assert!(buckets.len() <= width as usize);
        prop_assert!(buckets.windows(2).all(|pair| pair[0].x < pair[1].x));
        let min = buckets.iter().map(|it| it.min).filter(|it| it.is_finite()).reduce(f64::min);
        let max = buckets.iter().map(|it| it.max).filter(|it| it.is_finite()).reduce(f64::max);
        prop_assert_eq!(min, finite(&points).reduce(f64::min));
        prop_assert_eq!(max, finite(&points).reduce(f64::max));
        if let (Some(bucket), Some(point)) = (buckets.last(), points.last()) {
            prop_assert!(fanlight_shared::metric::same(bucket.last, point.value));
        }
    }

    #[test]
    fn a_smaller_step_replaces_what_follows_it(steps in prop::collection::vec(0..20_u64, 0..60)) {
        let points: Vec<Point> = steps.iter().enumerate().map(|(n, step)| point(*step, n as f64)).collect();
        let kept = ascending(points.clone());
        prop_assert!(kept.windows(2).all(|pair| pair[0].step < pair[1].step && pair[0].value < pair[1].value));
        prop_assert_eq!(kept.last(), points.last());
    }
}

#[test]
fn damaged_bytes_are_not_points() {
    assert_eq!(decode(&[]), None);
    assert_eq!(decode(&[9]), None, "a later version");
    assert_eq!(decode(&encode(&[point(1, 2.0)])[..5]), None);
    assert_eq!(decode(&[[1].as_slice(), &[0xff; 12]].concat()), None);
}

#[test]
fn a_bucket_without_a_finite_value_is_a_gap() {
    let mut buckets = Buckets::new(0, 9, 2);
    for (step, value) in [(0, 1.0), (1, f64::NAN), (2, 3.0), (5, f64::NAN), (6, f64::INFINITY)] {
        buckets.add(step, &point(step, value));
    }
    buckets.add(10, &point(10, 7.0));
    let buckets = buckets.finish();
    assert_eq!(buckets.len(), 2, "a point beyond the range is left out");
    assert_eq!((buckets[0].min, buckets[0].max, buckets[0].last), (1.0, 3.0, 3.0));
    assert_eq!((buckets[1].min, buckets[1].last), (f64::INFINITY, f64::INFINITY));
}
