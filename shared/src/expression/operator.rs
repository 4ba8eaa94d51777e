//! The operators of expressions.

use std::cmp::Ordering;
use std::sync::LazyLock;

use minijinja::value::ValueKind;
use minijinja::{Error, Expression, Value as Jinja, context};

use super::functions::{EXPRESSIONS, invalid};

/// Operators that minijinja computes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    DivideWhole,
    Remainder,
    Power,
    Concatenate,
}

/// Comparisons; they follow IEEE 754 for NaN.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Comparison {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    NotIn,
}

/// minijinja has no public functions for its operators, so each operator is an expression that is compiled once.
static OPERATORS: LazyLock<Result<Compiled, Error>> = LazyLock::new(|| {
    let compile = |source: &'static str| EXPRESSIONS.compile_expression(source);
    Ok(Compiled {
        binary: [
            compile("a + b")?,
            compile("a - b")?,
            compile("a * b")?,
            compile("a / b")?,
            compile("a // b")?,
            compile("a % b")?,
            compile("a ** b")?,
            compile("a ~ b")?,
        ],
        negate: compile("-a")?,
        contains: compile("a in b")?,
        slice: compile("a[b:c:d]")?,
    })
});

struct Compiled {
    binary: [Expression<'static, 'static>; 8],
    negate: Expression<'static, 'static>,
    contains: Expression<'static, 'static>,
    slice: Expression<'static, 'static>,
}

fn compiled() -> Result<&'static Compiled, Error> {
    OPERATORS.as_ref().map_err(|error| invalid(error.to_string()))
}

impl Operator {
    pub(super) fn apply(self, left: &Jinja, right: &Jinja) -> Result<Jinja, Error> {
        compiled()?.binary[self as usize].eval(context! { a => left, b => right })
    }
}

/// Returns `-value`.
pub(super) fn negate(value: &Jinja) -> Result<Jinja, Error> {
    compiled()?.negate.eval(context! { a => value })
}

/// Returns `value[start:stop:step]`; a bound that isn't given is `none`.
pub(super) fn slice(value: &Jinja, [start, stop, step]: [Jinja; 3]) -> Result<Jinja, Error> {
    compiled()?.slice.eval(context! { a => value, b => start, c => stop, d => step })
}

impl Comparison {
    /// Returns the comparison that a test with one argument stands for: `x is lt(3)`.
    pub(super) fn of_test(name: &str) -> Option<Self> {
        Some(match name {
            "eq" | "equalto" => Self::Equal,
            "ne" => Self::Unequal,
            "lt" => Self::Less,
            "le" => Self::LessOrEqual,
            "gt" => Self::Greater,
            "ge" => Self::GreaterOrEqual,
            "in" => Self::In,
            _ => return None,
        })
    }

    /// Compares two values.
    ///
    /// # Errors
    /// The values can't be ordered: a text and a number, or lists of such.
    pub(super) fn holds(self, left: &Jinja, right: &Jinja) -> Result<bool, Error> {
        Ok(match self {
            Self::Equal => left == right,
            Self::Unequal => left != right,
            Self::In => compiled()?.contains.eval(context! { a => left, b => right })?.is_true(),
            Self::NotIn => !Self::In.holds(left, right)?,
            Self::Less => order(left, right)? == Some(Ordering::Less),
            Self::LessOrEqual => matches!(order(left, right)?, Some(Ordering::Less | Ordering::Equal)),
            Self::Greater => order(left, right)? == Some(Ordering::Greater),
            Self::GreaterOrEqual => matches!(order(left, right)?, Some(Ordering::Greater | Ordering::Equal)),
        })
    }
}

/// Returns the order of two values; `None` if one is NaN.
fn order(left: &Jinja, right: &Jinja) -> Result<Option<Ordering>, Error> {
    let group = |value: &Jinja| match value.kind() {
        ValueKind::Bool | ValueKind::Number => ValueKind::Number,
        ValueKind::Seq | ValueKind::Iterable => ValueKind::Seq,
        other => other,
    };
    if group(left) != group(right) {
        return Err(invalid(format!("{} and {} can't be ordered", left.kind(), right.kind())));
    }
    Ok(if is_nan(left) || is_nan(right) { None } else { Some(left.cmp(right)) })
}

/// Returns the size in bytes of the text `left * right`; 0 if the result isn't a text.
pub(super) fn repeated_size(left: &Jinja, right: &Jinja) -> usize {
    let size = |text: &Jinja, times: &Jinja| {
        Some(text.as_str()?.len().saturating_mul(times.as_usize().or(times.as_i64().map(|_| 0))?))
    };
    size(left, right).or_else(|| size(right, left)).unwrap_or(0)
}

/// Returns whether a value is the float NaN.
pub(super) fn is_nan(value: &Jinja) -> bool {
    value.is_number() && !value.is_integer() && f64::try_from(value.clone()).is_ok_and(f64::is_nan)
}
