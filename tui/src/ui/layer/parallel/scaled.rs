//! A column of the table as an axis: the place of each run on it.

use fanlight_shared::client::table::{Cell, Kind, Table, Words};
use fanlight_shared::metric::Goal;

use crate::text::number;
use crate::ui::layer::axis::Axis;

/// The most different texts of an axis; a column with more has none.
const MAX_WORDS: usize = 30;

/// An axis.
#[derive(Debug)]
pub(super) struct Scaled {
    pub(super) name: String,
    pub(super) goal: Option<Goal>,
    /// Whether it is a param, which is no result.
    pub(super) is_param: bool,
    /// The place of each run, from 0 (at the lower end) to 1; NaN for a run without a value.
    pub(super) places: Vec<f32>,
    /// The value of each run.
    values: Vec<f64>,
    /// Its ends, from the lower one to the upper one.
    pub(super) ends: [String; 2],
    /// What its name is followed by.
    pub(super) note: &'static str,
    /// The texts that the values 0, 1, 2 … stand for, if they are not numbers.
    pub(super) words: Vec<String>,
    /// Whether its lower end is above.
    pub(super) flipped: bool,
    /// Whether it is shown at first: its values differ, and it is a param, a metric or an output with numbers.
    pub(super) is_first: bool,
}

impl Scaled {
    /// Returns the axis of a column in some rows; `None` if it has no numbers, and too many different texts or none.
    pub(super) fn of(table: &Table, rows: &[usize], column: usize) -> Option<Self> {
        let cells: Vec<&Cell> = rows.iter().map(|row| table.cell(&table.rows()[*row], column)).collect();
        let there = || cells.iter().filter(|cell| ***cell != Cell::None);
        let of_numbers = there().all(|cell| cell.number().is_some());
        let words = if of_numbers { Words::default() } else { Words::of(there().copied(), MAX_WORDS)? };
        #[allow(clippy::cast_precision_loss)]
        let value = |cell: &&Cell| match cell {
            Cell::None => f64::NAN,
            cell if of_numbers => cell.number().unwrap_or(f64::NAN),
            cell => words.place(cell).map_or(f64::NAN, |at| at as f64),
        };
        let values: Vec<f64> = cells.iter().map(value).collect();
        let finite = || values.iter().copied().filter(|value| value.is_finite());
        finite().next()?;
        let (least, most) = finite().fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), value| {
            (f64::min(least, value), f64::max(most, value))
        });
        let is_first = least < most && (of_numbers || table.columns()[column].kind != Kind::Output);
        let axis = Axis::of(finite());
        let (from, to) = axis.range;
        #[allow(clippy::cast_possible_truncation)]
        let place = |value: &f64| match value {
            value if !value.is_finite() => f32::NAN,
            // Halves, so that no difference overflows.
            value if to > from => ((axis.place(*value) / 2.0 - from / 2.0) / (to / 2.0 - from / 2.0)) as f32,
            _ => 0.5,
        };
        let places = values.iter().map(place).collect();
        let column = &table.columns()[column];
        let (name, goal, note) = (column.name.clone(), column.goal, axis.note());
        let is_param = column.kind == Kind::Param;
        let words = words.labels().to_vec();
        let ends = match (words.first(), words.last()) {
            (Some(first), Some(last)) => [first.clone(), last.clone()],
            _ => axis.ends(),
        };
        Some(Self { name, goal, is_param, places, values, ends, note, words, flipped: false, is_first })
    }

    /// Returns the height of a run, from 0 (below) to 1 (above).
    pub(super) fn height(&self, run: usize) -> f32 {
        let place = self.places[run];
        if self.flipped { 1.0 - place } else { place }
    }

    /// Returns the value of a run in words.
    pub(super) fn words_of(&self, run: usize) -> String {
        let value = self.values[run];
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        match value {
            value if !value.is_finite() => "–".to_owned(),
            value if self.words.is_empty() => number(value),
            value => self.words.get(value as usize).cloned().unwrap_or_default(),
        }
    }
}
