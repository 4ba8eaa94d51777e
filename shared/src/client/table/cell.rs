//! A value in a table.

use std::cmp::Ordering;
use std::fmt;

use crate::sanitise;
use crate::value::Value;

/// The longest text in a cell, in characters.
const MAX_CHARS: usize = 200;

/// A value in a table: it takes little memory, and its text is sanitised.
#[derive(Clone, PartialEq, Debug)]
pub enum Cell {
    /// Nothing.
    None,
    /// A whole number.
    Int(i64),
    /// A number.
    Float(f64),
    /// Anything else.
    Text(Box<str>),
}

impl Cell {
    /// Returns a cell with a text; empty if the text is.
    #[must_use]
    pub fn text(text: &str) -> Self {
        let line = sanitise::line(text);
        match line.char_indices().nth(MAX_CHARS) {
            _ if line.is_empty() => Self::None,
            Some((end, _)) => Self::Text(format!("{}…", &line[..end]).into()),
            None => Self::Text(line.into()),
        }
    }

    /// Returns a cell with a count; empty if it is 0.
    #[must_use]
    pub fn count(count: u64) -> Self {
        if count == 0 { Self::None } else { Self::Int(i64::try_from(count).unwrap_or(i64::MAX)) }
    }

    /// Returns the cell of a value; of media it has the name.
    #[must_use]
    pub fn of(value: &Value) -> Self {
        match value {
            Value::None => Self::None,
            Value::Int(number) => Self::Int(*number),
            Value::Float(number) => Self::Float(*number),
            Value::Media(media) => Self::text(&media.name),
            Value::Text(text) => Self::text(text),
            other => Self::text(&other.summary(MAX_CHARS)),
        }
    }

    /// Returns the number in it.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Int(number) => Some(*number as f64),
            Self::Float(number) => Some(*number),
            Self::None | Self::Text(_) => None,
        }
    }

    /// Returns whether two cells show the same; NaN is the same as itself.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Float(a), Self::Float(b)) => crate::metric::same(*a, *b),
            _ => self == other,
        }
    }

    /// Compares two cells for sorting: numbers, then texts, and last, whatever the direction, NaN and empty cells.
    #[must_use]
    pub fn compare(&self, other: &Self, descending: bool) -> Ordering {
        let rank = |cell: &Self| match cell {
            Self::Float(number) if number.is_nan() => 2,
            Self::Int(_) | Self::Float(_) => 0,
            Self::Text(_) => 1,
            Self::None => 3,
        };
        let by_value = match (self, other) {
            (Self::Int(a), Self::Int(b)) => a.cmp(b),
            (Self::Text(a), Self::Text(b)) => by_text(a, b),
            _ => match (self.number(), other.number()) {
                (Some(a), Some(b)) => a.partial_cmp(&b).unwrap_or(Ordering::Equal),
                _ => Ordering::Equal,
            },
        };
        let by_value = if descending { by_value.reverse() } else { by_value };
        rank(self).cmp(&rank(other)).then(by_value)
    }
}

/// Compares texts so that `poster#9` comes before `poster#10`.
fn by_text(a: &str, b: &str) -> Ordering {
    let number = |text: &str| {
        let (before, digits) = text.rsplit_once('#')?;
        Some((before.to_owned(), digits.parse::<u64>().ok()?))
    };
    match (number(a), number(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        _ => a.cmp(b),
    }
}

/// Shows numbers as they are, so that nothing is lost.
impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => Ok(()),
            Self::Int(number) => write!(f, "{number}"),
            Self::Float(number) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}
