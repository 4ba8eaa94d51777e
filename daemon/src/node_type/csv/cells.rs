//! What the cells of a column are: numbers and bools only where nothing of their text is lost.

use fanlight_shared::value::Value;

/// The most digits of a number that a float surely holds.
const EXACT_DIGITS: usize = 15;

/// What the cells of a column become.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Bool,
    Int,
    Float,
    Text,
}

impl Kind {
    /// The kind of this name.
    pub(super) fn named(name: &str) -> Result<Option<Self>, String> {
        Ok(Some(match name {
            "bool" => Self::Bool,
            "int" => Self::Int,
            "float" => Self::Float,
            "text" => Self::Text,
            "auto" => return Ok(None),
            other => {
                let other = fanlight_shared::value::cut(other, 40);
                return Err(format!(
                    "`{other}` is not a type of a column; it is text, int, float, bool or auto"
                ));
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

    /// The kind that takes cells of both.
    fn with(self, other: Self) -> Self {
        match (self, other) {
            (one, other) if one == other => one,
            (Self::Int, Self::Float) | (Self::Float, Self::Int) => Self::Float,
            _ => Self::Text,
        }
    }

    /// The kind of a column with these cells; empty ones don't count.
    pub(super) fn of_column<'a>(cells: impl Iterator<Item = &'a str>) -> Self {
        let mut kind: Option<Self> = None;
        for cell in cells.filter(|cell| !cell.is_empty()) {
            let this = Self::of_cell(cell);
            kind = Some(kind.map_or(this, |kind| kind.with(this)));
            if kind == Some(Self::Text) {
                break;
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

    /// The value of a cell; an empty one is nothing.
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
            Self::Float => cell.trim().parse().ok().map(Value::Float),
        };
        value.ok_or_else(|| format!("`{}` is not {}", fanlight_shared::value::cut(cell, 40), self.word()))
    }
}

/// Whether a cell is a whole number that is written again as it stands: no zeros before it, no plus, not too large.
fn is_exact_int(cell: &str) -> bool {
    let digits = cell.strip_prefix('-').unwrap_or(cell);
    is_number_without_zeros(digits) && cell != "-0" && cell.parse::<i64>().is_ok()
}

fn is_number_without_zeros(digits: &str) -> bool {
    !digits.is_empty()
        && digits.bytes().all(|it| it.is_ascii_digit())
        && (digits == "0" || !digits.starts_with('0'))
}

/// Whether a cell is a number of which a float loses nothing. An exponent has a sign, as programs write it: `12E4` is
/// rather the name of something.
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
    let Some(float) = cell.parse::<f64>().ok().filter(|it| it.is_finite()) else { return false };
    let digits = format!("{whole}{}", fraction.unwrap_or_default());
    let exact = digits.trim_start_matches('0').len() <= EXACT_DIGITS;
    // With more digits than that a float may still be what a program wrote out to the last digit.
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
    fn numbers_are_numbers_only_where_nothing_is_lost() {
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
    fn one_other_cell_makes_a_column_text() {
        assert_eq!(kind(&["1", "n/a"]), Kind::Text);
        assert_eq!(
            (kind(&["true", "False"]), kind(&["true", "1"]), kind(&["", ""])),
            (Kind::Bool, Kind::Text, Kind::Text)
        );
    }

    #[test]
    fn cells_become_values_or_say_why_not() {
        assert_eq!(Kind::Float.value("9.90"), Ok(Value::Float(9.9)));
        assert_eq!((Kind::Int.value(""), Kind::Text.value("007")), (Ok(Value::None), Ok("007".into())));
        assert_eq!(Kind::Int.value("1.5"), Err("`1.5` is not a whole number".into()));
        assert!(Kind::named("date").unwrap_err().contains("text, int, float, bool"));
    }
}
