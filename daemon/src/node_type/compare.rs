//! The order and the equality of values.

use std::cmp::Ordering;
use std::fmt::Write as _;

use fanlight_shared::value::Value;

/// The first float that is too large for an int.
const BEYOND_INTS: f64 = 9_223_372_036_854_775_808.0;

/// Sorts by keys, stable. Numbers are ordered by size, text alphabetically and ignoring case, `false` before `true`.
/// Empty keys and NaN come last in either direction. [`check_order`] tells whether the keys have an order.
pub(super) fn sort_by_keys<T>(items: &mut [(Vec<Value>, T)], descending: &[bool]) {
    items.sort_by(|(one, _), (other, _)| {
        let by_column = one.iter().zip(other).zip(descending);
        by_column.fold(Ordering::Equal, |so_far, ((one, other), descending)| {
            so_far.then_with(|| match (is_last(one), is_last(other)) {
                (false, false) if *descending => order(other, one),
                (false, false) => order(one, other),
                (one, other) => one.cmp(&other),
            })
        })
    });
}

fn is_last(value: &Value) -> bool {
    match value {
        Value::None => true,
        Value::Float(it) => it.is_nan(),
        _ => false,
    }
}

/// Checks that values can be ordered: they are all numbers, all text or all bools. Empty ones and NaN are ignored.
///
/// # Errors
/// A sentence that names one or two of them by `word` and their places, as in `item 3`.
pub(super) fn check_order<'a>(
    values: impl Iterator<Item = (usize, &'a Value)>,
    word: &str,
) -> Result<(), String> {
    let mut first: Option<(usize, &str)> = None;
    for (at, value) in values.filter(|(_, value)| !is_last(value)) {
        let kind = match value {
            Value::Bool(_) => "a bool",
            Value::Int(_) | Value::Float(_) => "a number",
            Value::Text(_) => "text",
            other => {
                return Err(format!("{word} {at} is {}, which can't be ordered", other.type_of()));
            }
        };
        match first {
            None => first = Some((at, kind)),
            Some((before, known)) if known != kind => {
                return Err(format!(
                    "{word} {before} is {known} and {word} {at} is {kind}, which can't be ordered"
                ));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// Returns the order of two values. It is a total order: numbers are compared exactly, whether they are ints or floats,
/// and values of different kinds by their kind.
pub(super) fn order(one: &Value, other: &Value) -> Ordering {
    match (one, other) {
        (Value::Int(one), Value::Int(other)) => one.cmp(other),
        (Value::Bool(one), Value::Bool(other)) => one.cmp(other),
        (Value::Text(one), Value::Text(other)) => {
            one.to_lowercase().cmp(&other.to_lowercase()).then_with(|| one.cmp(other))
        }
        (Value::Float(one), Value::Float(other)) => {
            one.partial_cmp(other).unwrap_or_else(|| one.is_nan().cmp(&other.is_nan()))
        }
        (Value::Int(one), Value::Float(other)) => order_of_int(*one, *other),
        (Value::Float(one), Value::Int(other)) => order_of_int(*other, *one).reverse(),
        _ => kind(one).cmp(&kind(other)),
    }
}

/// Returns the order of an int and a float. Converting the int would lose digits, and then two ints could both equal a
/// float but not each other. NaN is greater than every int.
#[allow(clippy::cast_possible_truncation)]
fn order_of_int(int: i64, float: f64) -> Ordering {
    if float.is_nan() || float >= BEYOND_INTS {
        Ordering::Less
    } else if float < -BEYOND_INTS {
        Ordering::Greater
    } else {
        let by_whole = int.cmp(&(float.trunc() as i64));
        by_whole.then_with(|| 0.0.partial_cmp(&float.fract()).unwrap_or(Ordering::Equal))
    }
}

fn kind(value: &Value) -> u8 {
    match value {
        Value::None => 0,
        Value::Bool(_) => 1,
        Value::Int(_) | Value::Float(_) => 2,
        Value::Text(_) => 3,
        Value::List(_) => 4,
        Value::Object(_) => 5,
        Value::Media(_) => 6,
        Value::Large(_) => 7,
    }
}

/// Returns a text that is the same for two values exactly if they are equal: 1 and 1.0 are, and so are objects with their
/// fields in another order, and media with the same bytes.
pub(super) fn identity(value: &Value) -> String {
    let mut out = String::new();
    write_identity(value, &mut out);
    out
}

#[allow(clippy::cast_possible_truncation)]
fn write_identity(value: &Value, out: &mut String) {
    match value {
        Value::None => out.push('n'),
        Value::Bool(it) => out.push(if *it { 't' } else { 'f' }),
        Value::Int(it) => {
            let _ = write!(out, "i{it}");
        }
        Value::Float(it) if it.fract() == 0.0 && (-BEYOND_INTS..BEYOND_INTS).contains(it) => {
            let _ = write!(out, "i{}", *it as i64);
        }
        // There are many NaNs, with different bits.
        Value::Float(it) if it.is_nan() => out.push_str("dnan"),
        Value::Float(it) => {
            let _ = write!(out, "d{:016x}", it.to_bits());
        }
        Value::Text(text) => {
            let _ = write!(out, "s{}:{text}", text.len());
        }
        Value::Media(media) => {
            let _ = write!(out, "m{}", media.hash);
        }
        Value::Large(large) => {
            let _ = write!(out, "l{}", large.hash);
        }
        Value::List(items) => {
            let _ = write!(out, "[{}:", items.len());
            items.iter().for_each(|item| write_identity(item, out));
        }
        Value::Object(fields) => {
            let mut names: Vec<&String> = fields.keys().collect();
            names.sort();
            let _ = write!(out, "{{{}:", names.len());
            for name in names {
                let _ = write!(out, "{}:{name}", name.len());
                write_identity(&fields[name], out);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node_type::fixture::json;

    fn sorted(list: &str, descending: bool) -> Result<Vec<Value>, String> {
        let Value::List(items) = json(list) else { panic!("a list") };
        let mut keyed: Vec<(Vec<Value>, Value)> =
            items.into_iter().map(|it| (vec![it.clone()], it)).collect();
        check_order(keyed.iter().map(|(keys, _)| &keys[0]).enumerate(), "item")?;
        sort_by_keys(&mut keyed, &[descending]);
        Ok(keyed.into_iter().map(|(_, item)| item).collect())
    }

    #[test]
    fn numbers_are_sorted_by_size_text_alphabetically_and_empty_values_come_last() {
        assert_eq!(Value::List(sorted("[10, 2.5, null, -1]", false).unwrap()), json("[-1, 2.5, 10, null]"));
        assert_eq!(Value::List(sorted("[10, null, 2.5, -1]", true).unwrap()), json("[10, 2.5, -1, null]"));
        assert_eq!(
            Value::List(sorted(r#"["b", "A", "a", "B"]"#, false).unwrap()),
            json(r#"["A", "a", "B", "b"]"#)
        );
        assert!(matches!(sorted("[NaN, 1]", true).unwrap()[..], [Value::Int(1), Value::Float(_)]));
    }

    #[test]
    fn values_without_an_order_are_named() {
        assert_eq!(
            sorted(r#"[1, "2"]"#, false).unwrap_err(),
            "item 0 is a number and item 1 is text, which can't be ordered"
        );
        assert!(sorted(r#"[null, {"a": 1}]"#, false).unwrap_err().contains("item 1 is json"));
    }

    #[test]
    fn equal_values_have_the_same_identity() {
        for (one, other) in [
            ("1", "1.0"),
            (r#"{"a": 1, "b": 2}"#, r#"{"b": 2, "a": 1}"#),
            ("-0.0", "0"),
            ("9007199254740992", "9007199254740992.0"),
        ] {
            assert_eq!(identity(&json(one)), identity(&json(other)), "{one}");
        }
        for (one, other) in [
            ("9007199254740993", "9007199254740992.0"),
            ("1", r#""1""#),
            (r#"["a", "b"]"#, r#"["a1:b"]"#),
            ("null", "false"),
            ("[[1], 2]", "[[1, 2]]"),
        ] {
            assert_ne!(identity(&json(one)), identity(&json(other)), "{one}");
        }
    }

    #[test]
    fn the_order_of_numbers_is_the_same_whichever_two_are_compared() {
        let (int, float, next) =
            (Value::Int(1 << 53), Value::Float(9_007_199_254_740_992.0), Value::Int((1 << 53) + 1));
        assert_eq!((order(&int, &float), order(&float, &next)), (Ordering::Equal, Ordering::Less));
        assert_eq!(order(&next, &float), Ordering::Greater);
        assert_eq!(order(&Value::Int(-1), &Value::Float(-1.5)), Ordering::Greater);
        assert_eq!(order(&Value::Int(i64::MAX), &Value::Float(9.3e18)), Ordering::Less);
        assert_eq!(order(&Value::Int(i64::MIN), &Value::Float(f64::NEG_INFINITY)), Ordering::Greater);
        assert_eq!(order(&Value::Int(0), &Value::Float(-0.0)), Ordering::Equal);
        let mixed: Vec<Value> = (0..3_000_i64)
            .map(|n| match n * 7_919 % 3 {
                0 => float.clone(),
                more => Value::Int((1 << 53) + more - 1),
            })
            .collect();
        let mut keyed: Vec<(Vec<Value>, ())> = mixed.into_iter().map(|it| (vec![it], ())).collect();
        sort_by_keys(&mut keyed, &[false]);
        assert!(keyed.is_sorted_by(|(one, ()), (next, ())| order(&one[0], &next[0]).is_le()));
    }
}
