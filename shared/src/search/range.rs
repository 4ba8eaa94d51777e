//! The values of a param among which a search chooses.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::sampler::Axis;
use crate::value::Value;

/// The most choices of a param.
const MAX_CHOICES: usize = 1000;
/// The largest whole number that a search handles, which floats keep exactly.
const MAX_INT: i64 = 1 << 53;

/// The values of a param.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Range {
    /// All numbers between two, both included.
    Float {
        /// The least.
        from: f64,
        /// The greatest.
        to: f64,
        /// Whether factors are as likely as differences otherwise: as many values between 0.001 and 0.01 as between 0.01 and 0.1.
        #[serde(default)]
        log: bool,
    },
    /// All whole numbers between two, both included.
    Int {
        /// The least.
        from: i64,
        /// The greatest.
        to: i64,
        /// As of floats.
        #[serde(default)]
        log: bool,
    },
    /// One of these, without an order.
    Choice {
        /// The values.
        values: Vec<Value>,
    },
}

impl Range {
    /// Checks that it has values.
    ///
    /// # Errors
    /// A sentence.
    pub fn check(&self) -> Result<(), String> {
        let empty = |from: &dyn std::fmt::Display, to: &dyn std::fmt::Display| {
            format!("`{from}..{to}` is empty; write the smaller number first")
        };
        let log_needs = |log: bool, positive: bool| match log && !positive {
            true => Err("a logarithmic range begins above 0".to_owned()),
            false => Ok(()),
        };
        match self {
            Self::Float { from, to, log } => {
                if !from.is_finite() || !to.is_finite() || !(to - from).is_finite() {
                    return Err("the ends of a range are finite".into());
                }
                if from > to {
                    return Err(empty(from, to));
                }
                log_needs(*log, *from > 0.0)
            }
            Self::Int { from, to, log } => {
                if from > to {
                    return Err(empty(from, to));
                }
                if *from < -MAX_INT || *to > MAX_INT {
                    return Err("whole numbers of a search are at most 2^53".into());
                }
                log_needs(*log, *from > 0)
            }
            Self::Choice { values } if values.is_empty() => Err("there are no values to choose from".into()),
            Self::Choice { values } if values.len() > MAX_CHOICES => Err(format!(
                "there are {} values, and a search chooses among at most {MAX_CHOICES}",
                values.len()
            )),
            Self::Choice { .. } => Ok(()),
        }
    }

    /// Returns the values that a param must allow: the ends, or all choices.
    #[must_use]
    pub fn ends(&self) -> Vec<Value> {
        match self {
            Self::Float { from, to, .. } => vec![Value::Float(*from), Value::Float(*to)],
            Self::Int { from, to, .. } => vec![Value::Int(*from), Value::Int(*to)],
            Self::Choice { values } => values.clone(),
        }
    }

    pub(super) fn axis(&self) -> Axis {
        match self {
            Self::Float { .. } | Self::Int { log: true, .. } => Axis::Line,
            Self::Int { from, to, .. } => Axis::Steps(to.abs_diff(*from) + 1),
            Self::Choice { values } => Axis::Choice(values.len()),
        }
    }

    /// Returns the value at a coordinate of its axis.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
    pub(super) fn value(&self, at: f64) -> Value {
        match self {
            Self::Float { from, to, log: false } => {
                let span = to - from;
                Value::Float(rounded(from + at * span, span).clamp(*from, *to))
            }
            Self::Float { from, to, log: true } => {
                let exact = (from.ln() + at * (to.ln() - from.ln())).exp();
                Value::Float(rounded(exact, exact).clamp(*from, *to))
            }
            Self::Int { from, to, log: false } => {
                let count = (to - from + 1) as f64;
                Value::Int(from + ((at * count).floor() as i64).clamp(0, to - from))
            }
            Self::Int { from, to, log: true } => {
                let (low, high) = log_ends(*from, *to);
                Value::Int(((low + at * (high - low)).exp().round() as i64).clamp(*from, *to))
            }
            Self::Choice { values } => values.get(at as usize).cloned().unwrap_or_default(),
        }
    }

    /// Returns the coordinate of a value; `None` if it is outside of the range.
    #[allow(clippy::cast_precision_loss)]
    pub(super) fn coordinate(&self, value: &Value) -> Option<f64> {
        let part = |at: f64, from: f64, to: f64| if to > from { (at - from) / (to - from) } else { 0.5 };
        let at = match self {
            Self::Float { from, to, log: false } => part(value.as_float()?, *from, *to),
            Self::Float { from, to, log: true } => part(value.as_float()?.ln(), from.ln(), to.ln()),
            Self::Int { from, to, log: false } => {
                let count = (to - from + 1) as f64;
                ((value.as_int()?.checked_sub(*from)?) as f64 + 0.5) / count
            }
            Self::Int { from, to, log: true } => {
                let (low, high) = log_ends(*from, *to);
                part((value.as_int()? as f64).ln(), low, high)
            }
            Self::Choice { values } => return values.iter().position(|it| it == value).map(|at| at as f64),
        };
        (0.0..=1.0).contains(&at).then_some(at)
    }
}

/// Returns the ends of a logarithmic range of whole numbers, widened so that its ends are as likely as others.
#[allow(clippy::cast_precision_loss)]
fn log_ends(from: i64, to: i64) -> (f64, f64) {
    ((from as f64 - 0.5).ln(), (to as f64 + 0.5).ln())
}

/// Rounds a number to about six digits of a span: nobody wants to read more of them.
#[allow(clippy::cast_possible_truncation)]
fn rounded(number: f64, span: f64) -> f64 {
    if span == 0.0 {
        return number;
    }
    let places = 5 - span.abs().log10().floor() as i32;
    // Through text, because a power of ten isn't exact.
    if (0..=300).contains(&places) {
        let places = places.unsigned_abs() as usize;
        return format!("{number:.places$}").parse().unwrap_or(number);
    }
    let unit = 10f64.powi(-places);
    if unit.is_finite() && unit > 0.0 { (number / unit).round() * unit } else { number }
}
