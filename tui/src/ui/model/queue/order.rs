//! How runs are ordered within a section.

use std::cmp::Reverse;

use fanlight_shared::id::{RunId, WorkflowId};
use fanlight_shared::run::Run;

use crate::ui::model::queue::Section;
use crate::ui::model::queue::numbers::Numbers;
use crate::ui::model::queue::rows::Row;
use crate::ui::model::queue::sweeps::{Sweep, SweepId};

/// The order of ended runs.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Sort {
    /// The newest first.
    #[default]
    Newest,
    /// The longest first.
    Longest,
    /// By label, numbers in it by value.
    Label,
    /// By a number that the runs output, the greatest first.
    Greatest(String),
    /// By a number that the runs output, the least first.
    Least(String),
}

impl Sort {
    /// Returns the next order, given the numbers that the runs output.
    pub(in crate::ui) fn next(&self, columns: &[String]) -> Self {
        let number = |index: usize| columns.get(index).map_or(Self::Newest, |it| Self::Greatest(it.clone()));
        match self {
            Self::Newest => Self::Longest,
            Self::Longest => Self::Label,
            Self::Label => number(0),
            Self::Greatest(column) => Self::Least(column.clone()),
            Self::Least(column) => {
                columns.iter().position(|it| it == column).map_or(Self::Newest, |at| number(at + 1))
            }
        }
    }

    /// Returns its name.
    pub(in crate::ui) fn words(&self) -> String {
        match self {
            Self::Newest => "newest".to_owned(),
            Self::Longest => "longest".to_owned(),
            Self::Label => "label".to_owned(),
            Self::Greatest(column) => format!("{column} ↓"),
            Self::Least(column) => format!("{column} ↑"),
        }
    }
}

/// The sort key of a row within its section: runs of the current workflow first, then by the order, then the newest
/// first. Runs that nodes of a run started follow it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(in crate::ui) struct Key {
    other: bool,
    rank: i64,
    text: String,
    newest: Reverse<(i64, u32)>,
    top: Top,
    /// From the run at the top down to this one, with their starts.
    path: Vec<(Option<u64>, RunId)>,
}

/// A row that isn't below another one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Top {
    Sweep(SweepId),
    Run(RunId),
}

impl Key {
    /// Returns the row.
    pub(in crate::ui) fn row(&self) -> Row {
        match (self.path.last(), self.top) {
            (Some((_, run)), _) => Row::Run(*run),
            (None, Top::Run(run)) => Row::Run(run),
            (None, Top::Sweep(sweep)) => Row::Sweep(sweep),
        }
    }

    /// Returns how many runs it is below.
    pub(in crate::ui) fn depth(&self) -> usize {
        self.path.len()
    }

    /// Returns whether it is a sweep that comes before the queued runs.
    pub(in crate::ui) fn is_first(&self) -> bool {
        self.rank == i64::MIN
    }

    /// Returns the key of a run that a node of the run with this key started.
    pub(in crate::ui) fn child(&self, run: &Run) -> Self {
        let mut key = self.clone();
        key.path.push((run.start_order, run.id));
        key
    }

    /// Returns the key of a folded sweep.
    pub(in crate::ui) fn sweep(
        (id, sweep): (SweepId, &Sweep),
        section: Section,
        of: Option<WorkflowId>,
        sort: &Sort,
    ) -> Self {
        let (rank, text) = match (section, sort) {
            // Their places among single runs are unknown.
            (Section::Running | Section::Enqueued, _) => (i64::MIN, String::new()),
            (_, Sort::Newest) => (0, String::new()),
            (_, Sort::Longest) => (i64::MAX, String::new()),
            (_, Sort::Label) => (0, natural(&sweep.name)),
            (_, Sort::Greatest(column)) => {
                (sweep.best.get(column).map_or(i64::MAX, |best| !bits(best.highest.value)), String::new())
            }
            (_, Sort::Least(column)) => {
                (sweep.best.get(column).map_or(i64::MAX, |best| bits(best.lowest.value)), String::new())
            }
        };
        let other = section != Section::Enqueued && of.is_some_and(|of| of != sweep.workflow);
        let newest = Reverse((sweep.newest.0.0, sweep.newest.1));
        Self { other, rank, text, newest, top: Top::Sweep(id), path: Vec::new() }
    }

    /// Returns the key of a running run, which is the order in which they started.
    pub(in crate::ui) fn running(run: &Run, of: Option<WorkflowId>) -> Self {
        let order = run.start_order.and_then(|it| i64::try_from(it).ok()).unwrap_or(i64::MAX);
        Self { rank: order, ..Self::newest(run, of) }
    }

    /// Returns the key of a queued run whose place is unknown, which is after the others.
    pub(in crate::ui) fn waiting(run: &Run) -> Self {
        Self {
            rank: run.submitted_at.0,
            text: format!("{:010}", run.number),
            ..Self::newest(run, Some(run.workflow_id))
        }
    }

    /// Returns the place of an ended run.
    pub(in crate::ui) fn ended(run: &Run, of: Option<WorkflowId>, sort: &Sort, numbers: &Numbers) -> Self {
        let key = Self::newest(run, of);
        let number = |column: &str| numbers.of(run.id, column);
        match sort {
            Sort::Newest => key,
            Sort::Longest => {
                let took = run.started_at.zip(run.ended_at).map(|(from, to)| to.0.saturating_sub(from.0));
                Self { rank: took.map_or(i64::MAX, |it| -it), ..key }
            }
            Sort::Label => Self { text: natural(&run.label), ..key },
            Sort::Greatest(column) => Self { rank: number(column).map_or(i64::MAX, |it| !bits(it)), ..key },
            Sort::Least(column) => Self { rank: number(column).map_or(i64::MAX, bits), ..key },
        }
    }

    fn newest(run: &Run, of: Option<WorkflowId>) -> Self {
        Self {
            other: of.is_some() && of != Some(run.workflow_id),
            rank: 0,
            text: String::new(),
            newest: Reverse((run.submitted_at.0, run.number)),
            top: Top::Run(run.id),
            path: Vec::new(),
        }
    }
}

/// Maps numbers to integers in the same order.
fn bits(number: f64) -> i64 {
    let bits = i64::from_ne_bytes(number.to_ne_bytes());
    if bits < 0 { bits ^ i64::MAX } else { bits }
}

/// Returns a text that sorts in natural order: `seed=2` before `seed=10`.
fn natural(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut digits = String::new();
    for character in text.to_lowercase().chars().chain([' ']) {
        if character.is_ascii_digit() {
            digits.push(character);
            continue;
        }
        if !digits.is_empty() {
            out.push_str(&format!("{digits:0>12}"));
            digits.clear();
        }
        out.push(character);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_labels_are_sorted_by_value() {
        assert!(natural("seed=2") < natural("seed=10"));
        assert!(natural("a") < natural("B"));
    }

    #[test]
    fn bits_have_the_order_of_the_numbers() {
        let numbers = [f64::NEG_INFINITY, -2.5, -0.1, 0.0, 0.1, 7.0, f64::INFINITY];
        assert!(numbers.windows(2).all(|pair| bits(pair[0]) < bits(pair[1])));
    }

    #[test]
    fn the_sort_orders_cycle() {
        let columns = ["acc".to_owned(), "loss".to_owned()];
        let mut sort = Sort::Newest;
        let mut seen = Vec::new();
        for _ in 0..7 {
            seen.push(sort.words());
            sort = sort.next(&columns);
        }
        assert_eq!(seen, ["newest", "longest", "label", "acc ↓", "acc ↑", "loss ↓", "loss ↑"]);
        assert_eq!(sort, Sort::Newest);
    }
}
