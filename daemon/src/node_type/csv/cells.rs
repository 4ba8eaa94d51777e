//! The types of columns: numbers and bools only if nothing of the text of any cell is lost.

use fanlight_shared::value::{Value, float};

/// The most decimal digits that every float keeps.
const EXACT_DIGITS: usize = 15;

/// The type of a column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Bool,
    Int,
    Float,
    Text,
}

impl Kind {
    /// Returns the kind with this name; `None` for `auto`.
    pub(super) fn named(name: &str) -> Result<Option<Self>, String> {
        Ok(Some(match name {
            "bool" => Self::Bool,
            "int" => Self::Int,
            "float" => Self::Float,
            "text" => Self::Text,
            "auto" => return Ok(None),
            other => {
                let other = fanlight_shared::value::cut(other, 40);
                return Err(format!("`{other}` is not a column type; use text, int, float, bool or auto"));
            }
        }))
    }

    fn word(self) -> &'static str {
        match self {
            Self::Bool => "true or false",
            Self::Int => "a whole number",
            Self::Float => "a number",
            Self::Text => "text",
        }
    }

    /// Returns the kind that holds cells of both.
    fn with(self, other: Self) -> Self {
        match (self, other) {
            (one, other) if one == other => one,
            (Self::Int, Self::Float) | (Self::Float, Self::Int) => Self::Float,
            _ => Self::Text,
        }
    }

    /// Returns the kind of a column with these cells; empty ones are ignored.
    pub(super) fn of_column<'a>(cells: impl Iterator<Item = &'a str>) -> Self {
        let mut kind: Option<Self> = None;
        // Whether an int has more digits than a float keeps.
        let mut wide = false;
        for cell in cells.filter(|cell| !cell.is_empty()) {
            let this = Self::of_cell(cell);
            kind = Some(kind.map_or(this, |kind| kind.with(this)));
            wide = wide || this == Self::Int && cell.parse().ok().and_then(float::of_int).is_none();
            if kind == Some(Self::Text) || wide && kind == Some(Self::Float) {
                return Self::Text;
            }
        }
        kind.unwrap_or(Self::Text)
    }

    fn of_cell(cell: &str) -> Self {
        match cell {
            "true" | "false" | "True" | "False" | "TRUE" | "FALSE" => Self::Bool,
            cell if is_exact_int(cell) => Self::Int,
            cell if is_exact_float(cell) => Self::Float,
            _ => Self::Text,
        }
    }

    /// Returns the value of a cell; `none` for an empty one.
    pub(super) fn value(self, cell: &str) -> Result<Value, String> {
        if cell.is_empty() {
            return Ok(Value::None);
        }
        let value = match self {
            Self::Text => Some(Value::from(cell)),
            Self::Bool => match cell.to_ascii_lowercase().as_str() {
                "true" => Some(Value::Bool(true)),
                "false" => Some(Value::Bool(false)),
                _ => None,
            },
            Self::Int => cell.trim().parse().ok().map(Value::Int),
            Self::Float => parse_float(cell.trim())?.map(Value::Float),
        };
        value.ok_or_else(|| format!("`{}` is not {}", fanlight_shared::value::cut(cell, 40), self.word()))
    }
}

/// Returns whether a cell is a whole number that is written in the same way again: no leading zeros, no plus, not too large.
fn is_exact_int(cell: &str) -> bool {
    let digits = cell.strip_prefix('-').unwrap_or(cell);
    is_number_without_zeros(digits) && cell != "-0" && cell.parse::<i64>().is_ok()
}

/// Reads a float; `None` if it is not a number.
///
/// # Errors
/// A sentence: it is not zero and becomes zero, or not infinite and becomes infinite.
fn parse_float(cell: &str) -> Result<Option<f64>, String> {
    let Ok(float) = cell.parse::<f64>() else { return Ok(None) };
    let mantissa = cell.split(['e', 'E']).next().unwrap_or_default();
    let has = |digits: std::ops::RangeInclusive<char>| mantissa.contains(|c| digits.contains(&c));
    let lost = match float {
        it if it.is_infinite() && has('0'..='9') => "large",
        it if it == 0.0 && has('1'..='9') => "small",
        _ => return Ok(Some(float)),
    };
    Err(format!("`{}` is too {lost} for a float", fanlight_shared::value::cut(cell, 40)))
}

fn is_number_without_zeros(digits: &str) -> bool {
    !digits.is_empty()
        && digits.bytes().all(|it| it.is_ascii_digit())
        && (digits == "0" || !digits.starts_with('0'))
}

/// Returns whether a cell is a number that a float keeps exactly. Its exponent must have a sign, as programs write it:
/// `12E4` is more likely a name.
fn is_exact_float(cell: &str) -> bool {
    let unsigned = cell.strip_prefix('-').unwrap_or(cell);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let signed = |it: &str| {
        it.strip_prefix(['+', '-'])
            .is_some_and(|it| !it.is_empty() && it.bytes().all(|it| it.is_ascii_digit()))
    };
    if exponent.is_some_and(|exponent| !signed(exponent)) {
        return false;
    }
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let has_fraction = fraction.is_some_and(|it| !it.is_empty() && it.bytes().all(|it| it.is_ascii_digit()));
    if !is_number_without_zeros(whole)
        || fraction.is_some() != has_fraction
        || !has_fraction && exponent.is_none()
    {
        return false;
    }
    let digits = format!("{whole}{}", fraction.unwrap_or_default());
    let is_zero = digits.bytes().all(|it| it == b'0');
    // A number that is nearly 0 has fewer digits.
    let kept = |it: &f64| it.is_normal() || is_zero && *it == 0.0;
    let Some(float) = cell.parse::<f64>().ok().filter(kept) else { return false };
    let exact = digits.trim_start_matches('0').len() <= EXACT_DIGITS;
    // A float with more digits may still be one that a program wrote to the last digit.
    exact
        || exponent.is_none()
            && float.abs().to_string() == mantissa.trim_end_matches('0').trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(cells: &[&str]) -> Kind {
        Kind::of_column(cells.iter().copied())
    }

    #[test]
    fn cells_are_numbers_only_if_nothing_of_them_is_lost() {
        assert_eq!(kind(&["1", "-20", "", "0"]), Kind::Int);
        assert_eq!(kind(&["1", "9.90", "-0.5", "1.5e-07", "2e+10"]), Kind::Float);
        assert_eq!(kind(&["0.30000000000000004"]), Kind::Float);
        for text in [
            "007",
            "+1",
            "-0",
            "1,5",
            "1.",
            ".5",
            "00.5",
            "12E4",
            "1e5",
            "0x10",
            "NaN",
            "inf",
            "1 000",
            " 1",
            "9223372036854775808",
            "0.1234567890123456789",
            "1_000",
            "--1",
            "-",
        ] {
            assert_eq!(kind(&["1", text]), Kind::Text, "{text}");
        }
    }

    #[test]
    fn one_cell_of_another_kind_makes_a_column_text() {
        assert_eq!(kind(&["1", "n/a"]), Kind::Text);
        assert_eq!(
            (kind(&["true", "False"]), kind(&["true", "1"]), kind(&["", ""])),
            (Kind::Bool, Kind::Text, Kind::Text)
        );
    }

    #[test]
    fn cells_become_values_or_errors_that_say_why_not() {
        assert_eq!(Kind::Float.value("9.90"), Ok(Value::Float(9.9)));
        assert_eq!((Kind::Int.value(""), Kind::Text.value("007")), (Ok(Value::None), Ok("007".into())));
        assert_eq!(Kind::Int.value("1.5"), Err("`1.5` is not a whole number".into()));
        assert!(Kind::named("date").unwrap_err().contains("text, int, float, bool"));
    }

    #[test]
    fn a_column_is_text_if_its_numbers_would_lose_digits_as_floats() {
        assert_eq!(kind(&["9007199254740993", "0.5"]), Kind::Text);
        assert_eq!(kind(&["0.5", "-9007199254740993"]), Kind::Text);
        assert_eq!(kind(&["9007199254740992", "0.5"]), Kind::Float);
        assert_eq!(kind(&["9007199254740993", "5"]), Kind::Int);
        for lost in ["1e-400", "4.94e-324", "1e+400"] {
            assert_eq!(kind(&[lost]), Kind::Text, "{lost}");
        }
        assert_eq!(kind(&["0.0", "0e+0"]), Kind::Float);
        for lost in ["1e400", "-1e400"] {
            assert!(Kind::Float.value(lost).unwrap_err().contains("too large"), "{lost}");
        }
        assert!(Kind::Float.value("1e-400").unwrap_err().contains("too small"));
        assert_eq!(Kind::Float.value("inf"), Ok(Value::Float(f64::INFINITY)));
        assert_eq!(Kind::Float.value("0.0e-5"), Ok(Value::Float(0.0)));
    }
}
