//! Thins points out, so that a curve of them still has its peaks and gaps.

use fanlight_shared::metric::Point;

/// The number of neighbouring points of which the extreme ones stay.
const GROUP: usize = 8;

/// Returns the first and the last point, and of each group of neighbouring ones those with the smallest and the largest
/// finite value, and the first that is NaN and the first of each infinity. Their order is kept. At most five of eight
/// stay, usually two.
pub(crate) fn thin(points: &[Point]) -> Vec<Point> {
    let mut kept = Vec::with_capacity(points.len() / 3 + 2);
    let last = points.len().saturating_sub(1);
    for (number, group) in points.chunks(GROUP).enumerate() {
        let keep = extremes(group);
        for (place, point) in group.iter().enumerate() {
            let at = number * GROUP + place;
            if keep[place] || at == 0 || at == last {
                kept.push(*point);
            }
        }
    }
    kept
}

fn extremes(group: &[Point]) -> [bool; GROUP] {
    let mut keep = [false; GROUP];
    let finite = || group.iter().enumerate().filter(|(_, point)| point.value.is_finite());
    let by_value = |one: &(usize, &Point), other: &(usize, &Point)| one.1.value.total_cmp(&other.1.value);
    let special = |is: fn(f64) -> bool| group.iter().position(|point| is(point.value));
    let found = [
        finite().min_by(by_value).map(|(place, _)| place),
        // The first of equal ones.
        finite().rev().max_by(by_value).map(|(place, _)| place),
        special(f64::is_nan),
        special(|value| value == f64::INFINITY),
        special(|value| value == f64::NEG_INFINITY),
    ];
    found.into_iter().flatten().for_each(|place| keep[place] = true);
    keep
}
