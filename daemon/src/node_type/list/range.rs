//! `list.range`

use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values};

use crate::node_type::build::Build;
use crate::node_type::typed_inputs::{TypedInputs, one};
use crate::node_type::{NodeType, Runner};

/// The longest list: as many items as a run may have instances.
const MAX_NUMBERS: f64 = 100_000.0;
/// Integers up to this are exact.
const MAX_EXACT_INT: f64 = 9_007_199_254_740_992.0;

pub(super) fn node_type() -> NodeType {
    Build::new("list.range", "Lists the numbers from one to another, both inclusive.")
        .input("from", Type::Float, "The first number.")
        .default(1.0)
        .range(-MAX_EXACT_INT, MAX_EXACT_INT)
        .input("to", Type::Float, "The last number; the list never goes beyond it.")
        .range(-MAX_EXACT_INT, MAX_EXACT_INT)
        .input("step", Type::Float, "The distance between two numbers; a negative step counts down.")
        .default(1.0)
        .range(-MAX_EXACT_INT, MAX_EXACT_INT)
        .output("items", Type::Any.list(), "The numbers; ints if `from` and `step` are whole.")
        .run(Runner::inline(run))
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn run(inputs: Values) -> Result<Values, String> {
    let (from, to, step) = (inputs.float("from")?, inputs.float("to")?, inputs.float("step")?);
    if step == 0.0 {
        return Err("`step` is 0, so the list would never end".into());
    }
    // A step such as 0.1 must reach the end in spite of rounding.
    let steps = (to - from) / step + 1e-9;
    if steps >= MAX_NUMBERS {
        return Err(format!("the range from {from} to {to} has more than {MAX_NUMBERS} numbers"));
    }
    if steps < 0.0 {
        return Ok(one("items", Vec::new()));
    }
    let whole = from.fract() == 0.0 && step.fract() == 0.0;
    let digits = decimals(from).max(decimals(step));
    let at = |nth: u32| {
        let number = from + f64::from(nth) * step;
        if whole { Value::Int(number as i64) } else { Value::Float(rounded(number, digits)) }
    };
    Ok(one("items", (0..=steps as u32).map(at).collect::<Vec<_>>()))
}

/// Returns the number of decimals that a number is written with.
fn decimals(number: f64) -> usize {
    number.to_string().split_once('.').map_or(0, |(_, decimals)| decimals.len())
}

/// Returns the number without the digits that arithmetic added: three times 0.1 is 0.3, and never -0.
fn rounded(number: f64, digits: usize) -> f64 {
    format!("{number:.digits$}").parse().unwrap_or(number) + 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(from: f64, to: f64, step: f64) -> Result<Vec<Value>, String> {
        let mut inputs = one("from", from);
        inputs.insert("to".into(), to.into());
        inputs.insert("step".into(), step.into());
        run(inputs).map(|made| made["items"].as_list().unwrap().to_vec())
    }

    #[test]
    fn both_ends_are_in_it() {
        assert_eq!(range(1.0, 3.0, 1.0).unwrap(), [1, 2, 3].map(Value::Int));
        assert_eq!(range(3.0, 1.0, -1.0).unwrap(), [3, 2, 1].map(Value::Int));
        assert_eq!(range(0.0, 0.3, 0.1).unwrap(), [0.0, 0.1, 0.2, 0.3].map(Value::Float));
        assert_eq!(range(2.0, 1.0, 1.0).unwrap(), []);
    }

    #[test]
    fn an_endless_range_is_refused() {
        assert!(range(1.0, 2.0, 0.0).unwrap_err().contains("never end"));
        assert!(range(1.0, 1e9, 1.0).unwrap_err().contains("more than"));
    }

    #[test]
    fn small_and_large_numbers_keep_their_digits() {
        assert_eq!(range(0.0, 3e-13, 1e-13).unwrap(), [0.0, 1e-13, 2e-13, 3e-13].map(Value::Float));
        assert_eq!(
            range(123_456.1, 123_456.4, 0.1).unwrap(),
            [123_456.1, 123_456.2, 123_456.3, 123_456.4].map(Value::Float)
        );
        assert_eq!(range(-0.3, 0.1, 0.1).unwrap(), [-0.3, -0.2, -0.1, 0.0, 0.1].map(Value::Float));
    }
}
