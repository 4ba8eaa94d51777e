//! Which params matter for a column: how much of its differences goes with each.
//!
//! The measure is η² of a Kruskal–Wallis test, `(H - k + 1) / (n - k)` for `n` runs in `k` groups of one param. It compares
//! ranks, so outliers and the scale of the column don't count, and it is 0 on average for a param that doesn't matter,
//! however many values that has. See Tomczak and Tomczak, "The need to report effect size estimates revisited" (2014).

use std::collections::BTreeMap;

use super::{Cell, Kind, Table};

/// How many groups the runs are divided into by a number with more values than that.
const GROUPS: usize = 5;
/// The fewest runs of which anything can be said.
const MIN_RUNS: usize = 4;

/// How much a param matters for a column.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Importance {
    /// The place of the column of the param.
    pub column: usize,
    /// η², from 0 (it doesn't matter) to 1 (nothing else does).
    pub share: f64,
    /// Spearman's rank correlation, from -1 to 1, of a param whose values are numbers: whether the column grows with it.
    pub correlation: Option<f64>,
    /// How many runs have both.
    pub runs: usize,
}

impl Table {
    /// Returns how much each param that varies in some rows matters for the numbers of a column, which is no param itself; the
    /// most important ones come first.
    #[must_use]
    pub fn importance(&self, rows: &[usize], target: usize) -> Vec<Importance> {
        let is_param = |at: &usize| self.columns[*at].kind == Kind::Param;
        let params = (0..self.columns.len()).filter(|at| is_param(at) && !is_param(&target));
        let mut found: Vec<Importance> =
            params.filter_map(|param| self.importance_of(rows, param, target)).collect();
        found.sort_by(|a, b| b.share.total_cmp(&a.share));
        found
    }

    /// Returns the cell of the param and the number of the column of each of these rows that has both.
    #[must_use]
    pub fn pairs(&self, rows: &[usize], param: usize, target: usize) -> Vec<(&Cell, f64)> {
        let pair = |at: &usize| {
            let row = &self.rows[*at];
            let number = self.cell(row, target).number().filter(|number| number.is_finite())?;
            let cell = self.cell(row, param);
            let is_there = !matches!(cell, Cell::None) && cell.number().is_none_or(f64::is_finite);
            is_there.then_some((cell, number))
        };
        rows.iter().filter_map(pair).collect()
    }

    fn importance_of(&self, rows: &[usize], param: usize, target: usize) -> Option<Importance> {
        let pairs = self.pairs(rows, param, target);
        let numbers: Option<Vec<f64>> = pairs.iter().map(|(cell, _)| cell.number()).collect();
        let places = ranks(&pairs.iter().map(|(_, number)| *number).collect::<Vec<_>>());
        let groups = match &numbers {
            Some(numbers) => groups_of_numbers(numbers),
            None => groups_of_words(&pairs.iter().map(|(cell, _)| cell.group()).collect::<Vec<_>>()),
        };
        let share = kruskal_eta_squared(&places, &groups)?;
        let correlation = numbers.and_then(|numbers| correlation(&ranks(&numbers), &places));
        Some(Importance { column: param, share, correlation, runs: pairs.len() })
    }
}

/// Returns the group of each number: equal numbers are in one.
fn groups_of_numbers(numbers: &[f64]) -> Vec<usize> {
    let mut distinct = numbers.to_vec();
    distinct.sort_by(f64::total_cmp);
    distinct.dedup();
    if distinct.len() <= GROUPS {
        return numbers.iter().map(|number| distinct.partition_point(|it| it < number)).collect();
    }
    // Groups of about the same size.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let group = |rank: &f64| ((rank - 0.5) / numbers.len() as f64 * GROUPS as f64) as usize;
    ranks(numbers).iter().map(|rank| group(rank).min(GROUPS - 1)).collect()
}

fn groups_of_words(words: &[String]) -> Vec<usize> {
    let mut known = BTreeMap::new();
    let group = |word| {
        let next = known.len();
        *known.entry(word).or_insert(next)
    };
    words.iter().map(group).collect()
}

/// Returns the rank of each number, from 1 on; equal ones have the mean of their ranks.
#[allow(clippy::cast_precision_loss)]
fn ranks(numbers: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..numbers.len()).collect();
    order.sort_by(|a, b| numbers[*a].total_cmp(&numbers[*b]));
    let (mut ranks, mut before) = (vec![0.0; numbers.len()], 0);
    for equal in order.chunk_by(|a, b| numbers[*a] == numbers[*b]) {
        equal.iter().for_each(|at| ranks[*at] = before as f64 + (equal.len() + 1) as f64 / 2.0);
        before += equal.len();
    }
    ranks
}

/// Returns η² of ranks in groups; `None` if there are too few of either, or the ranks are all the same.
#[allow(clippy::cast_precision_loss)]
fn kruskal_eta_squared(ranks: &[f64], groups: &[usize]) -> Option<f64> {
    let mut sums: BTreeMap<usize, (f64, f64)> = BTreeMap::new();
    for (rank, group) in ranks.iter().zip(groups) {
        let (count, sum) = sums.entry(*group).or_default();
        (*count, *sum) = (*count + 1.0, *sum + rank);
    }
    let (n, k) = (ranks.len() as f64, sums.len() as f64);
    if ranks.len() < MIN_RUNS || sums.len() < 2 || k >= n {
        return None;
    }
    let mean = f64::midpoint(n, 1.0);
    // With the variance of the ranks as they are, H is corrected for ties.
    let variance = ranks.iter().map(|rank| (rank - mean).powi(2)).sum::<f64>() / (n - 1.0);
    if variance <= 0.0 {
        return None;
    }
    let between: f64 = sums.values().map(|(count, sum)| count * (sum / count - mean).powi(2)).sum();
    let h = between / variance;
    Some(((h - k + 1.0) / (n - k)).clamp(0.0, 1.0))
}

/// Returns the correlation of two lists; `None` if all of one are the same.
#[allow(clippy::cast_precision_loss)]
fn correlation(a: &[f64], b: &[f64]) -> Option<f64> {
    let mean = |of: &[f64]| of.iter().sum::<f64>() / of.len() as f64;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let product = |x: &[f64], mean_x: f64, y: &[f64], mean_y: f64| -> f64 {
        x.iter().zip(y).map(|(x, y)| (x - mean_x) * (y - mean_y)).sum()
    };
    let spread = (product(a, mean_a, a, mean_a) * product(b, mean_b, b, mean_b)).sqrt();
    (spread > 0.0).then(|| (product(a, mean_a, b, mean_b) / spread).clamp(-1.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_numbers_share_their_ranks_and_their_group() {
        assert_eq!(ranks(&[3.0, 1.0, 3.0, 2.0]), [3.5, 1.0, 3.5, 2.0]);
        assert_eq!(groups_of_numbers(&[3.0, 1.0, 3.0, 2.0]), [2, 0, 2, 1]);
        let many: Vec<f64> = (0..100).map(|n| f64::from(n % 50)).collect();
        let groups = groups_of_numbers(&many);
        assert_eq!((groups[0], groups[50], groups[49]), (0, 0, 4));
        assert!((0..GROUPS).all(|group| groups.iter().filter(|it| **it == group).count() == 20));
    }

    #[test]
    fn what_decides_everything_has_one_and_what_decides_nothing_about_zero() {
        let values: Vec<f64> = (0..40).map(f64::from).collect();
        let halves: Vec<usize> = (0..40).map(|n| usize::from(n >= 20)).collect();
        let turns: Vec<usize> = (0..40).map(|n| n % 2).collect();
        let share = |groups: &[usize]| kruskal_eta_squared(&ranks(&values), groups).unwrap();
        assert!(share(&halves) > 0.7 && share(&turns) < 0.05, "{} {}", share(&halves), share(&turns));
        let same = vec![1.0; 40];
        assert_eq!(kruskal_eta_squared(&ranks(&same), &halves), None);
        let each: Vec<usize> = (0..40).collect();
        assert_eq!(kruskal_eta_squared(&ranks(&values), &each), None, "each run is its own group");
    }

    /// H of a textbook example without ties: three groups, H = 7.2, n = 9.
    #[test]
    fn the_measure_is_that_of_the_literature() {
        let ranks: Vec<f64> = (1..=9).map(f64::from).collect();
        let groups = [0, 0, 0, 1, 1, 1, 2, 2, 2];
        assert!((kruskal_eta_squared(&ranks, &groups).unwrap() - (7.2 - 2.0) / 6.0).abs() < 1e-9);
    }
}
