//! Conditions for the rows of a table.

use super::{Cell, Table};

/// Compares a cell with a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Operator {
    AtLeast,
    AtMost,
    Not,
    Is,
    Less,
    Greater,
    Contains,
}

/// The operators; of two that begin alike, the longer one first.
const OPERATORS: [(&str, Operator); 7] = [
    (">=", Operator::AtLeast),
    ("<=", Operator::AtMost),
    ("!=", Operator::Not),
    ("=", Operator::Is),
    ("<", Operator::Less),
    (">", Operator::Greater),
    ("~", Operator::Contains),
];

/// A condition for a row, such as `acc>0.9` or `state=failed`.
#[derive(Clone, PartialEq, Debug)]
pub struct Condition {
    /// The column.
    pub(super) column: usize,
    operator: Operator,
    text: String,
    number: Option<f64>,
}

impl Condition {
    /// Reads a condition: the name of a column, one of `=`, `!=`, `<`, `<=`, `>`, `>=` and `~` (contains), and a value.
    ///
    /// # Errors
    /// A sentence: it is not a condition, or the table has no such column.
    pub fn read(text: &str, table: &Table) -> Result<Self, String> {
        let at = text.find(['<', '>', '=', '!', '~']);
        let found = at.and_then(|at| {
            let (name, rest) = text.split_at(at);
            let (sign, operator) = OPERATORS.iter().find(|(sign, _)| rest.starts_with(sign))?;
            Some((name.trim(), *operator, rest[sign.len()..].trim()))
        });
        let Some((name, operator, value)) = found else {
            return Err(format!(
                "`{text}` is not a condition: write a column, one of = != < <= > >= ~, and a value"
            ));
        };
        // A text may begin with any sign, such as `<p>`.
        let after_sign = value.strip_prefix(['<', '>', '=']).map(str::trim);
        if operator == Operator::Is && after_sign.is_some_and(|rest| rest.parse::<f64>().is_ok()) {
            return Err(format!("`{text}` has two signs; write one of = != < <= > >= ~"));
        }
        let column = table.named(name)?;
        let number = value.parse::<f64>().ok();
        if number.is_none() && !matches!(operator, Operator::Is | Operator::Not | Operator::Contains) {
            return Err(format!("`{text}`: `{value}` is not a number"));
        }
        Ok(Self { column, operator, text: value.to_owned(), number })
    }

    /// Returns whether a cell meets it. Only numbers are less or greater than a number.
    pub(super) fn holds(&self, cell: &Cell) -> bool {
        let numbers = cell.number().zip(self.number);
        let compared = |holds: fn(f64, f64) -> bool| numbers.is_some_and(|(a, b)| holds(a, b));
        let is_same = || match numbers {
            Some((a, b)) => crate::metric::same(a, b),
            None => cell.to_string() == self.text,
        };
        match self.operator {
            Operator::AtLeast => compared(|a, b| a >= b),
            Operator::AtMost => compared(|a, b| a <= b),
            Operator::Less => compared(|a, b| a < b),
            Operator::Greater => compared(|a, b| a > b),
            Operator::Is => is_same(),
            Operator::Not => !is_same(),
            Operator::Contains => cell.to_string().to_lowercase().contains(&self.text.to_lowercase()),
        }
    }
}
