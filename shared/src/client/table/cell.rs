//! A value in a table.

use std::cmp::Ordering;
use std::fmt;

use crate::id::BlobHash;
use crate::sanitise;
use crate::value::{Value, float};

/// The longest text in a cell, in characters.
const MAX_CHARS: usize = 200;

/// A value in a table: it takes little memory, and what it shows is sanitised.
#[derive(Clone, PartialEq, Debug)]
pub enum Cell {
    /// Nothing.
    None,
    /// A whole number.
    Int(i64),
    /// A number.
    Float(f64),
    /// Anything else that can be shown as it is.
    Text(Box<str>),
    /// A text that can't, with what is shown: it has line breaks or control characters.
    Raw(Box<(Box<str>, Box<str>)>),
    /// A long value, of which only the beginning is known.
    Long(Box<Long>),
}

/// A long value: its beginning, and the hash of all of it.
#[derive(Clone, Debug)]
pub struct Long {
    beginning: Cell,
    hash: BlobHash,
}

/// The beginning may have different lengths.
impl PartialEq for Long {
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash
    }
}

impl Cell {
    /// Returns a cell with a text, shortened if it is long.
    #[must_use]
    pub fn text(text: &str) -> Self {
        let short = match text.char_indices().nth(MAX_CHARS) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text.to_owned(),
        };
        let line = sanitise::line(&short);
        if line == short { Self::Text(line.into()) } else { Self::Raw(Box::new((short.into(), line.into()))) }
    }

    /// Returns the text in it, as it was given.
    #[must_use]
    pub fn raw(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Raw(both) => Some(&both.0),
            Self::Long(long) => long.beginning.raw(),
            Self::None | Self::Int(_) | Self::Float(_) => None,
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

    /// Returns the cell of a param. `hash`: of a long one.
    #[must_use]
    pub fn of_param(value: &Value, hash: Option<BlobHash>) -> Self {
        match (Self::of(value), hash) {
            (beginning @ (Self::Text(_) | Self::Raw(_)), Some(hash)) => {
                Self::Long(Box::new(Long { beginning, hash }))
            }
            (cell, _) => cell,
        }
    }

    /// Returns what equal values have in common: the text of a cell, or the hash of a long value.
    #[must_use]
    pub fn group(&self) -> String {
        match self {
            Self::Long(long) => long.hash.to_string(),
            cell => cell.raw().map_or_else(|| cell.to_string(), str::to_owned),
        }
    }

    /// Returns the number in it.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Int(number) => Some(*number as f64),
            Self::Float(number) => Some(*number),
            Self::None | Self::Text(_) | Self::Raw(_) | Self::Long(_) => None,
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
            Self::Text(_) | Self::Raw(_) | Self::Long(_) => 1,
            Self::None => 3,
        };
        let by_value = match (self, other) {
            (Self::Int(a), Self::Int(b)) => a.cmp(b),
            (Self::Long(a), Self::Long(b)) => {
                a.beginning.compare(&b.beginning, false).then(a.hash.cmp(&b.hash))
            }
            _ => match (self.number(), other.number()) {
                (Some(a), Some(b)) => a.partial_cmp(&b).unwrap_or(Ordering::Equal),
                _ => self.raw().zip(other.raw()).map_or(Ordering::Equal, |(a, b)| by_text(a, b)),
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
            Self::Float(number) => match float::word(*number) {
                Some(word) => f.write_str(word),
                None => write!(f, "{number}"),
            },
            Self::Text(text) => f.write_str(text),
            Self::Raw(both) => f.write_str(&both.1),
            Self::Long(long) => long.beginning.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_are_none_have_the_words_that_values_have() {
        let words = [f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 0.5].map(|it| Cell::Float(it).to_string());
        assert_eq!(words, ["Infinity", "-Infinity", "NaN", "0.5"]);
    }

    #[test]
    fn a_text_is_shown_on_one_line_and_stays_what_it_is() {
        let (broken, plain) = (Cell::text("a\nb\u{1b}[1m"), Cell::text("a b"));
        assert_eq!((broken.to_string().as_str(), broken.raw()), ("a b", Some("a\nb\u{1b}[1m")));
        assert_eq!((plain.to_string().as_str(), plain.raw()), ("a b", Some("a b")));
        assert!(!broken.is_same(&plain), "they are two values");
        assert_eq!(Cell::text("").raw(), Some(""), "an empty text is not nothing");
        assert_eq!(Cell::text(&"é".repeat(300)).to_string().chars().count(), MAX_CHARS + 1);
    }
}
