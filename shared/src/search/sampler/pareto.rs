//! Several objectives: which trials are better than others in all of them.

use std::cmp::Ordering;

/// Returns whether one is at least as good in everything and better in something. Smaller values are better.
fn dominates(one: &[f64], other: &[f64]) -> bool {
    let mut better = false;
    for (a, b) in one.iter().zip(other) {
        match a.total_cmp(b) {
            Ordering::Greater => return false,
            Ordering::Less => better = true,
            Ordering::Equal => {}
        }
    }
    better
}

/// Returns the places of those that no other one dominates.
pub(crate) fn front(values: &[&[f64]]) -> Vec<usize> {
    let all: Vec<usize> = (0..values.len()).collect();
    front_of(values, &all)
}

fn front_of(values: &[&[f64]], among: &[usize]) -> Vec<usize> {
    let is_best = |at: &&usize| !among.iter().any(|other| dominates(values[*other], values[**at]));
    among.iter().filter(is_best).copied().collect()
}

/// Returns the places of all, the best first: front by front, and within a front those with the most room around them first, so
/// that the whole front is explored.
///
/// Deb et al., *A Fast and Elitist Multiobjective Genetic Algorithm: NSGA-II*, IEEE TEC 6(2), 2002.
pub(super) fn order(values: &[&[f64]]) -> Vec<usize> {
    let mut left: Vec<usize> = (0..values.len()).collect();
    if values.first().is_none_or(|first| first.len() == 1) {
        left.sort_by(|a, b| values[*a][0].total_cmp(&values[*b][0]));
        return left;
    }
    let mut order = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let front = front_of(values, &left);
        left.retain(|at| !front.contains(at));
        let crowding = crowding(values, &front);
        let mut front: Vec<(usize, f64)> = front.into_iter().zip(crowding).collect();
        front.sort_by(|a, b| b.1.total_cmp(&a.1));
        order.extend(front.into_iter().map(|(at, _)| at));
    }
    order
}

/// Returns how far apart the neighbours of each one are.
fn crowding(values: &[&[f64]], front: &[usize]) -> Vec<f64> {
    let mut distances = vec![0.0; front.len()];
    let objectives = front.first().map_or(0, |first| values[*first].len());
    let of = |objective: usize| front.iter().map(|at| values[*at][objective]).collect::<Vec<f64>>();
    for costs in (0..objectives).map(of) {
        let value = |place: usize| costs[place];
        let mut sorted: Vec<usize> = (0..front.len()).collect();
        sorted.sort_by(|a, b| value(*a).total_cmp(&value(*b)));
        let (Some(first), Some(last)) = (sorted.first(), sorted.last()) else { continue };
        let span = value(*last) - value(*first);
        distances[*first] = f64::INFINITY;
        distances[*last] = f64::INFINITY;
        for three in sorted.windows(3).filter(|_| span > 0.0 && span.is_finite()) {
            distances[three[1]] += (value(three[2]) - value(three[0])) / span;
        }
    }
    distances
}
