//! Absent values stay absent, unless an expression checks for them.

use proptest::prelude::*;

use super::*;
use crate::template::{Piece, Template};

#[test]
fn an_expression_over_an_absent_port_is_absent() {
    for source in [
        "gone.x",
        "gone.x.y[3].z",
        "gone.x|length",
        "gone.x|upper",
        "gone.x == 3",
        "gone.x > 3",
        "gone.x < 3 or true",
        "not gone.x",
        "'yes' if gone.x else 'no'",
        "[gone.x, 1]",
        "{'a': gone.x}",
        "gone.x + 1",
        "gone.x ~ '!'",
        "[1, 2, gone.x]|sum",
        "3 in [gone.x]",
        "gone.x is even",
        "first(gone.x, gone.y)",
        "gone.x|default(gone.y)",
        "1 if false",
    ] {
        assert_eq!(eval(source), None, "{source}");
    }
}

#[test]
fn a_missing_field_or_item_is_absent_too() {
    for source in [
        "gen.image[9]",
        "gen.image[9]|length",
        "train.metrics.nope == 3",
        "[]|first",
        "train.metrics.nope.deeper",
        "[train.metrics, {'z': 1}]|map(attribute='acc')|list",
    ] {
        assert_eq!(eval(source), None, "{source}");
    }
    assert_eq!(eval("'nope' in train.metrics"), Some(Value::Bool(false)));
}

#[test]
fn only_first_default_and_tests_accept_absent_values() {
    for (source, expected) in [
        ("first(gone.x, params.n)", Value::Int(3)),
        ("first(gone.x + 1, params.n)", Value::Int(3)),
        ("gone.x|default(5)", Value::Int(5)),
        ("gone.x|d", "".into()),
        ("''|default('none given', true)", "none given".into()),
        ("(gone.x|length)|default(0)", Value::Int(0)),
        ("gone.x is defined", Value::Bool(false)),
        ("gone.x is not defined", Value::Bool(true)),
        ("gone.x is undefined", Value::Bool(true)),
        ("gone.x is none", Value::Bool(true)),
        ("params.n is none", Value::Bool(false)),
    ] {
        assert_eq!(eval(source), Some(expected), "{source}");
    }
}

#[test]
fn an_unneeded_part_is_not_read() {
    for (source, expected) in [
        ("gone.x if gone.x is defined else params.n", Value::Int(3)),
        ("true or gone.x", Value::Bool(true)),
        ("false and gone.x", Value::Bool(false)),
        ("params.n|default(gone.x)", Value::Int(3)),
    ] {
        assert_eq!(eval(source), Some(expected), "{source}");
    }
}

#[test]
fn a_text_a_list_or_an_object_with_an_absent_part_is_absent() {
    let expression = |source: &str| Template::Expression(parse(source));
    let text =
        |source: &str| Template::Text(vec![Piece::Text("v=".into()), Piece::Expression(parse(source))]);
    let object =
        |source: &str| Template::Object([("a".to_owned(), expression(source))].into_iter().collect());
    for template in [text("gone.x"), Template::List(vec![expression("gone.x")]), object("gone.x")] {
        assert_eq!(template.evaluate(&scope()), Ok(None));
    }
    assert_eq!(text("params.n").evaluate(&scope()), Ok(Some("v=3".into())));
    assert_eq!(text("params.list").evaluate(&scope()), Ok(Some("v=[3,1,2]".into())));
    assert_eq!(
        Template::List(vec![expression("one.image")]).evaluate(&scope()),
        Ok(Some(Value::List(vec![picture("one.tar.gz")])))
    );
    // A value that exists but can't be written as text is an error, not absent.
    for (source, part) in [("one.image", "media"), ("train.metrics.null", "none")] {
        let error = text(source).evaluate(&scope()).unwrap_err();
        assert!(error.contains(part) && error.contains(source), "{error}");
    }
}

/// Expressions that read `gone.x` and need its value.
fn strict() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![Just("gone.x"), Just("gone.x.y"), Just("gone.x[0]")].prop_map(str::to_owned);
    leaf.prop_recursive(5, 24, 2, |inner| {
        let forms = vec![
            "({})|length",
            "({})|upper",
            "({})|sum",
            "({})|join(',')",
            "({})|list",
            "not ({})",
            "-({})",
            "({}) == 3",
            "3 != ({})",
            "({}) < 3",
            "({}) in [1, 2]",
            "1 in [{}]",
            "1 not in ({})",
            "[{}, 1]",
            "{'a': {}}",
            "({}) + 1",
            "2 * ({})",
            "'a' ~ ({})",
            "({}) // 2",
            "1 if ({}) else 2",
            "({}) if params.n else 1",
            "1 if not params.n else ({})",
            "({}) and true",
            "({}) or true",
            "params.n and ({})",
            "zip([{}], [1])",
            "argmax([{}])",
            "range({})",
            "params.n|round({})",
            "({}).deep",
            "({})[0]",
            "params.place[{}]",
            "params.list[{}:]",
            "({})[1:]",
            "({}) is even",
            "({}) is eq(3)",
            "3 is gt({})",
            "first({})",
            "({})|default(gone.y)",
            "params.list|map('round', {})|list",
        ];
        (inner, proptest::sample::select(forms)).prop_map(|(inner, form)| form.replace("{}", &inner))
    })
}

proptest! {
    #[test]
    fn an_absent_port_reaches_the_end_of_every_expression_that_reads_it(source in strict()) {
        prop_assert_eq!(parse(&source).evaluate(&scope()), Ok(None), "{}", source);
    }

    #[test]
    fn first_default_and_tests_accept_an_absent_value_from_anywhere(source in strict()) {
        for (form, expected) in [
            ("first({}, 7)", Value::Int(7)),
            ("({})|default(7)", Value::Int(7)),
            ("({}) is defined", Value::Bool(false)),
            ("({}) is undefined", Value::Bool(true)),
        ] {
            let source = form.replace("{}", &source);
            prop_assert_eq!(parse(&source).evaluate(&scope()), Ok(Some(expected)), "{}", source);
        }
    }
}
