//! How values are compared: their order, and whether two are the same.

use std::cmp::Ordering;
use std::fmt::Write as _;

use fanlight_shared::value::Value;

/// Up to here whole numbers are exact as floats.
const MAX_EXACT_INT: f64 = 9_007_199_254_740_992.0;

/// Sorts by keys, stable. Numbers go by size, texts by the alphabet without regard to case, `false` before `true`. What
/// has no order (nothing, NaN) comes last in either direction.
///
/// # Errors
/// A sentence: keys of different kinds, or keys without an order; it names the places of two.
pub(super) fn sort_by_keys<T>(items: &mut [(Vec<Value>, T)], descending: &[bool]) -> Result<(), String> {
    let columns = descending.len();
    for column in 0..columns {
        check_kinds(items.iter().filter_map(|(keys, _)| keys.get(column)))?;
    }
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
    Ok(())
}

fn is_last(value: &Value) -> bool {
    match value {
        Value::None => true,
        Value::Float(it) => it.is_nan(),
        _ => false,
    }
}

fn check_kinds<'a>(values: impl Iterator<Item = &'a Value>) -> Result<(), String> {
    let mut first: Option<(usize, &str)> = None;
    for (at, value) in values.enumerate().filter(|(_, value)| !is_last(value)) {
        let kind = match value {
            Value::Bool(_) => "a bool",
            Value::Int(_) | Value::Float(_) => "a number",
            Value::Text(_) => "text",
            other => {
                return Err(format!(
                    "item {at} is {}, which can't be ordered; sort by a field of it",
                    other.type_of()
                ));
            }
        };
        match first {
            None => first = Some((at, kind)),
            Some((before, known)) if known != kind => {
                return Err(format!(
                    "item {before} is {known} and item {at} is {kind}, which can't be ordered"
                ));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// The order of two values of one kind.
pub(super) fn order(one: &Value, other: &Value) -> Ordering {
    match (one, other) {
        (Value::Int(one), Value::Int(other)) => one.cmp(other),
        (Value::Bool(one), Value::Bool(other)) => one.cmp(other),
        (Value::Text(one), Value::Text(other)) => {
            one.to_lowercase().cmp(&other.to_lowercase()).then_with(|| one.cmp(other))
        }
        _ => match (one.as_float(), other.as_float()) {
            (Some(one), Some(other)) => one.total_cmp(&other),
            _ => Ordering::Equal,
        },
    }
}

/// A text that two values have in common exactly if they are the same: 1 and 1.0 are, and so are objects whose fields
/// stand in another order, and media with the same bytes.
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
        Value::Float(it) if it.fract() == 0.0 && it.abs() < MAX_EXACT_INT => {
            let _ = write!(out, "i{}", *it as i64);
        }
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
        sort_by_keys(&mut keyed, &[descending])?;
        Ok(keyed.into_iter().map(|(_, item)| item).collect())
    }

    #[test]
    fn numbers_go_by_size_texts_by_the_alphabet_and_nothing_is_last() {
        assert_eq!(Value::List(sorted("[10, 2.5, null, -1]", false).unwrap()), json("[-1, 2.5, 10, null]"));
        assert_eq!(Value::List(sorted("[10, null, 2.5, -1]", true).unwrap()), json("[10, 2.5, -1, null]"));
        assert_eq!(
            Value::List(sorted(r#"["b", "A", "a", "B"]"#, false).unwrap()),
            json(r#"["A", "a", "B", "b"]"#)
        );
        assert!(matches!(sorted("[NaN, 1]", true).unwrap()[..], [Value::Int(1), Value::Float(_)]));
    }

    #[test]
    fn what_has_no_order_is_named() {
        assert_eq!(
            sorted(r#"[1, "2"]"#, false).unwrap_err(),
            "item 0 is a number and item 1 is text, which can't be ordered"
        );
        assert!(sorted(r#"[null, {"a": 1}]"#, false).unwrap_err().contains("item 1 is json"));
    }

    #[test]
    fn the_same_values_have_one_identity() {
        for (one, other) in [("1", "1.0"), (r#"{"a": 1, "b": 2}"#, r#"{"b": 2, "a": 1}"#), ("-0.0", "0")] {
            assert_eq!(identity(&json(one)), identity(&json(other)), "{one}");
        }
        for (one, other) in
            [("1", r#""1""#), (r#"["a", "b"]"#, r#"["a1:b"]"#), ("null", "false"), ("[[1], 2]", "[[1, 2]]")]
        {
            assert_ne!(identity(&json(one)), identity(&json(other)), "{one}");
        }
    }
}
