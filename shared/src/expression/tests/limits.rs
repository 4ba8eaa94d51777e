//! Expressions always terminate, and never make a value that is too large or too deep.

use super::*;
use crate::value::{DEPTH_LIMIT, Extent};

fn refused(source: &str) -> String {
    match parse(source).evaluate(&scope()) {
        Ok(value) => {
            let size = value.map_or(0, |value| value.extent().size);
            panic!("`{}` made a value of {size} bytes", cut(source, 80))
        }
        Err(error) => error,
    }
}

#[test]
fn the_size_of_an_expression_is_limited() {
    let thousandfold = "[".repeat(4) + "1" + &"] * 1000".repeat(4);
    let doubled = "params.place".to_owned() + &" * 100".repeat(5);
    let concatenated = format!("range(100000){}", " + range(100000)".repeat(6));
    for source in [
        "'a' * 1000000000",
        "1000000000 * 'a'",
        "'a' * 9223372036854775807",
        "[1] * 100000000",
        "([1] * 100000000)|length",
        "([1] * 100000000) ~ ''",
        "range(1000000000)|list|length",
        "(range(100000)|map('string')|list)|join('x' * 100000)",
        "('x' * 100000)|replace('x', 'y' * 100000)",
        "('x' * 1000000)|indent(1000000000)",
        "'%1000000000d'|format(1)",
        &thousandfold,
        &doubled,
        &concatenated,
    ] {
        let error = refused(source);
        assert!(!error.contains('\n') && error.len() < 400, "{error}");
    }
}

#[test]
fn the_work_of_an_expression_is_limited() {
    let shared = "[[[[[1] * 100] * 100] * 100] * 100]";
    for source in [
        format!("{shared} == {shared}"),
        format!("({shared})|tojson|length"),
        "range(100000)".to_owned() + &"|map('string')|sort|list".repeat(40),
    ] {
        refused(&source);
    }
}

#[test]
fn large_values_are_accepted_up_to_the_limit() {
    assert_eq!(eval("('x' * 16000000)|length"), Some(Value::Int(16_000_000)));
    assert_eq!(eval("range(100000)|sum"), Some(Value::Int(4_999_950_000)));
    let joined = eval("(range(100000)|map('string')|list)|join(',')");
    assert!(joined.is_some_and(|it| it.extent().size > 500_000));
}

#[test]
fn no_expression_makes_a_value_that_is_nested_too_deeply() {
    let nested = |levels: usize| "[".repeat(levels) + "1" + &"]".repeat(levels);
    let deepest = eval(&nested(DEPTH_LIMIT)).unwrap();
    assert_eq!(deepest.extent().depth, DEPTH_LIMIT);
    assert!(refused(&nested(DEPTH_LIMIT + 1)).contains("65 levels deep"));
    let mut deep = Value::List(vec![]);
    (1..DEPTH_LIMIT).for_each(|_| deep = Value::List(vec![deep.clone()]));
    let scope = Given::default().with("params.deep", deep);
    assert!(parse("params.deep|list").evaluate(&scope).is_ok());
    assert!(parse("[params.deep]").evaluate(&scope).unwrap_err().contains("levels deep"));
}

#[test]
fn extents_include_the_contents() {
    assert_eq!(Value::Int(1).extent(), Extent::OF_NOTHING);
    assert_eq!(json("[[], {\"a\": [1]}]").extent().depth, 3);
    assert!(Value::from("x".repeat(1000)).extent().size > 1000);
}
