use std::collections::HashMap;

mod absent;
mod limits;

use super::*;
use crate::id::BlobHash;
use crate::media::{Media, MediaKind};
use crate::value::Values;

fn picture(name: &str) -> Value {
    Value::from(Media {
        kind: MediaKind::Image,
        hash: BlobHash::of(name.as_bytes()),
        mime: "image/png".into(),
        bytes: 7,
        name: name.into(),
        width: None,
        height: None,
        executable: false,
        source: None,
    })
}

fn json(text: &str) -> Value {
    Value::from_json(serde_json::from_str(text).unwrap())
}

#[derive(Default)]
struct Given(HashMap<(String, Option<String>), Value>, Outcome);

impl Given {
    fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        let (root, field) = match name.split_once('.') {
            Some((root, field)) => (root.to_owned(), Some(field.to_owned())),
            None => (name.to_owned(), None),
        };
        self.0.insert((root, field), value.into());
        self
    }
}

impl Scope for Given {
    fn get(&self, root: &Root, field: Option<&str>) -> Option<Value> {
        self.0.get(&(root.name().to_owned(), field.map(str::to_owned))).cloned()
    }
    fn outcome(&self) -> Outcome {
        self.1
    }
}

fn scope() -> Given {
    Given::default()
        .with("params.n", 3)
        .with("params.x", 0.5)
        .with("params.whole", 2.0)
        .with("params.place", "Hove")
        .with("params.nan", f64::NAN)
        .with("params.list", json("[3, 1, 2]"))
        .with("gen.image", Value::List(vec![picture("a.png"), picture("b.jpg")]))
        .with("one.image", picture("one.tar.gz"))
        .with("train.metrics", json(r#"{"z": 1, "acc": 0.9, "list": [3, 1, 2], "null": null}"#))
        .with("item", json(r#"{"seed": 4}"#))
        .with("index", 2)
}

fn parse(source: &str) -> Expression {
    Expression::parse(source, Span::default()).unwrap_or_else(|problems| panic!("{source}: {problems:?}"))
}

fn eval(source: &str) -> Option<Value> {
    parse(source).evaluate(&scope()).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn types_are_kept() {
    for (source, expected) in [
        ("params.n", Value::Int(3)),
        ("params.n + 1", Value::Int(4)),
        ("params.x", Value::Float(0.5)),
        ("params.whole * 1", Value::Float(2.0)),
        ("params.whole if true", Value::Float(2.0)),
        ("params.place ~ '!'", "Hove!".into()),
        ("params.n > 2 and index == 2", Value::Bool(true)),
        ("item.seed", Value::Int(4)),
        ("train.metrics.acc", Value::Float(0.9)),
        ("train['metrics'].list[0]", Value::Int(3)),
        ("train.metrics.list[1:]", json("[1, 2]")),
        ("train.metrics.null", Value::None),
        ("[params.n, [params.place]]", json(r#"[3, ["Hove"]]"#)),
        ("{'a': params.n}", json(r#"{"a": 3}"#)),
        ("range(1, 4)", json("[1, 2, 3]")),
        ("range(4, 0, -2)", json("[4, 2]")),
        ("zip([1, 2], ['a', 'b'])", json(r#"[[1, "a"], [2, "b"]]"#)),
        ("argmax(train.metrics.list)", Value::Int(0)),
        ("argmin(train.metrics.list)", Value::Int(1)),
        ("train.metrics.list|sort", json("[1, 2, 3]")),
        ("train.metrics.list|length", Value::Int(3)),
        ("9223372036854775807", Value::Int(i64::MAX)),
    ] {
        assert_eq!(eval(source), Some(expected), "{source}");
    }
    let Some(Value::Object(map)) = eval("train.metrics if true else none") else { panic!("an object") };
    assert_eq!(map.keys().collect::<Vec<_>>(), ["z", "acc", "list", "null"], "the order is kept");
}

#[test]
fn infinities_are_floats_and_nan_compares_as_ieee_says() {
    assert_eq!(eval("1e308 * 10"), Some(Value::Float(f64::INFINITY)));
    assert_eq!(eval("-(1e308 * 10)"), Some(Value::Float(f64::NEG_INFINITY)));
    assert!(matches!(eval("params.nan + 1"), Some(Value::Float(it)) if it.is_nan()));
    for source in ["params.nan == params.nan", "params.nan < 1", "params.nan >= 1", "params.nan is gt(0)"] {
        assert_eq!(eval(source), Some(Value::Bool(false)), "{source}");
    }
    assert_eq!(eval("params.nan != params.nan"), Some(Value::Bool(true)));
    assert_eq!(eval("argmax([0.5, params.nan, 0.7])"), Some(Value::Int(2)));
    assert_eq!(eval("argmin([params.nan, 0.5, 0.7])"), Some(Value::Int(1)));
    assert_eq!(eval("[0.5, params.nan]|max"), Some(Value::Float(0.5)));
    assert_eq!(eval("([0.5, params.nan, 0.1]|sort)[0]"), Some(Value::Float(0.1)));
}

#[test]
fn media_comes_back_as_media() {
    assert_eq!(eval("one.image"), Some(picture("one.tar.gz")));
    assert_eq!(eval("gen.image[1]"), Some(picture("b.jpg")));
    assert_eq!(eval("gen.image[:1]"), Some(Value::List(vec![picture("a.png")])));
    assert_eq!(
        eval("[one.image, gen.image[0]]"),
        Some(Value::List(vec![picture("one.tar.gz"), picture("a.png")]))
    );
    assert_eq!(eval("gen.image|reverse|first"), Some(picture("b.jpg")));
    assert_eq!(eval("first(none_such.x, one.image)"), Some(picture("one.tar.gz")));
    assert_eq!(eval("one.image if params.n > 2 else gen.image[0]"), Some(picture("one.tar.gz")));
    assert_eq!(eval("gen.image[0] == gen.image[0]"), Some(Value::Bool(true)));
    assert_eq!(eval("gen.image[0] == gen.image[1]"), Some(Value::Bool(false)));
    assert_eq!(eval("{'p': one.image}.p"), Some(picture("one.tar.gz")));
    let parts = "[one.image.name, one.image.stem, one.image.ext, one.image.size, one.image.path]";
    assert_eq!(eval(parts), Some(json(r#"["one.tar.gz", "one.tar", "gz", 7, "one.tar.gz"]"#)));
}

#[test]
fn references_are_found_everywhere() {
    let source = "a.x[b.y:] if c['z'] in [d.w] and (e.v|default(f.u)) is divisibleby(params.n) else \
                  zip(g.t, {'k': h.s})[i.r].name ~ item.deep";
    let parsed = parse(source);
    let found: Vec<String> = parsed
        .references()
        .iter()
        .map(|it| format!("{}.{}", it.root.name(), it.port.as_deref().unwrap_or("")))
        .collect();
    let mut sorted = found.clone();
    sorted.sort();
    let expected = ["a.x", "b.y", "c.z", "d.w", "e.v", "f.u", "g.t", "h.s", "i.r", "item.", "params.n"];
    assert_eq!(sorted, expected);
}

#[test]
fn references_know_their_place() {
    let at = Span { start: Position { line: 3, column: 10 }, end: Position { line: 3, column: 40 } };
    let parsed = Expression::parse(" 'ü' ~ a.image[0].name", at).unwrap();
    let reference = &parsed.references()[0];
    assert_eq!((reference.span.start, reference.span.end.column), (Position { line: 3, column: 17 }, 32));
    assert_eq!(reference.path, Vec::<String>::new());
}

#[test]
fn only_a_plain_port_is_passed_on_directly() {
    assert_eq!(parse("gen.image").straight(), Some(("gen", "image")));
    assert_eq!(parse("gen['image']").straight(), Some(("gen", "image")));
    for source in [
        "gen.image[0]",
        "gen.image.name",
        "params.x",
        "item",
        "[gen.image]",
        "gen.image|list",
        "not gen.image",
    ] {
        assert_eq!(parse(source).straight(), None, "{source}");
    }
}

#[test]
fn outcome_functions_return_the_outcome() {
    let with = |failed, skipped| Given(HashMap::new(), Outcome { failed, skipped });
    let ask = |source: &str, failed, skipped| {
        let parsed = parse(source);
        assert!(parsed.asks_outcome());
        parsed.evaluate(&with(failed, skipped)).unwrap()
    };
    assert_eq!(ask("success()", false, false), Some(Value::Bool(true)));
    assert_eq!(ask("success()", false, true), Some(Value::Bool(false)));
    assert_eq!(ask("failure()", true, false), Some(Value::Bool(true)));
    assert_eq!(ask("not failure() and always()", false, false), Some(Value::Bool(true)));
    assert!(!parse("params.n").asks_outcome());
}

#[test]
fn mistakes_are_reported_in_a_sentence() {
    for (source, part) in [
        ("params.place + 1", "params.place + 1"),
        ("range(1000000)", "at most 100000"),
        ("range(1, 5, 0)", "can't be 0"),
        ("zip([1], [1, 2])", "equal length"),
        ("argmax([])", "empty"),
        ("argmax(['a'])", "not a number"),
        ("9223372036854775807 + 1", "too large"),
        ("argmax([params.nan])", "NaN"),
        ("params.place > 2", "can't be ordered"),
        ("1 / 0", "1 / 0"),
    ] {
        let error = parse(source).evaluate(&scope()).unwrap_err();
        assert!(error.contains(part) && error.contains(source), "{source}: {error}");
        assert!(!error.contains("<expression>"), "{error}");
    }
}

#[test]
fn deep_expressions_are_refused_before_the_stack_overflows() {
    for part in
        ["1+", "-", "not ", "(", "[", "a.x|", "1 if 1 else ", "a.", "a.x[", "{'a':", "1 and ", "1 < ", "1 ~"]
    {
        for count in [100, 240, 490, 100_000] {
            let source = format!("{}1", part.repeat(count));
            if let Ok(expression) = Expression::parse(&source, Span::default()) {
                drop(expression.evaluate(&scope()));
            }
            let template = format!("{{{{ {source} }}}}");
            drop(render(&template, &Values::new()));
        }
    }
    let branches = format!("{{% if a %}}{}{{% endif %}}", "{% elif a %}x".repeat(100_000));
    assert!(template_variables(&branches).is_err());
}

fn render(template: &str, values: &Values) -> Result<String, String> {
    super::render(template, values, 1 << 20)
}

fn values(pairs: &[(&str, Value)]) -> Values {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

#[test]
fn text_templates_are_rendered() {
    let given = values(&[("place", "Hove".into()), ("list", json("[1, 2]"))]);
    let text = render("Greetings from {{ place }}{% for n in list %} {{ n }}{% endfor %}", &given);
    assert_eq!(text.as_deref(), Ok("Greetings from Hove 1 2"));
    assert_eq!(render("<b>{{ place }}", &values(&[("place", "<&>".into())])).as_deref(), Ok("<b><&>"));
}

#[test]
fn a_template_writes_lists_and_objects_as_json() {
    let given = values(&[
        ("one", json(r#"{"said": "it's \"so\"", "list": [true, null, 1.5, {"a": []}], "none": null}"#)),
        ("nothing", Value::None),
        ("yes", Value::Bool(true)),
    ]);
    for (template, expected) in [
        ("{{ one }}", r#"{"said":"it's \"so\"","list":[true,null,1.5,{"a":[]}],"none":null}"#),
        ("{{ one.list }} {{ one.list[0] }}", r#"[true,null,1.5,{"a":[]}] true"#),
        ("{{ one.list[2:] | join(';') }}", r#"1.5;{"a":[]}"#),
        ("{{ 'x' ~ one.list[3] }}", r#"x{"a":[]}"#),
        ("{{ nothing }} {{ one.none }} {{ yes }} {{ yes and nothing }}", "null null true null"),
        ("{{ ['a', true, none] }} {{ {'k': one.said} }}", r#"["a",true,null] {"k":"it's \"so\""}"#),
        ("{{ one.list | reverse }} {{ yes is defined }}", r#"[{"a":[]},1.5,null,true] true"#),
    ] {
        assert_eq!(render(template, &given).as_deref(), Ok(expected), "{template}");
    }
}

#[test]
fn templates_name_missing_values() {
    let error = render("one\n{{ plcae }}", &values(&[("place", "Hove".into())])).unwrap_err();
    assert!(error.contains("`plcae` is missing") && error.contains("line 2"), "{error}");
    assert!(render("{{ a.b }}", &values(&[("a", json("{}"))])).unwrap_err().contains("missing"));
    assert!(render("{{ ", &Values::new()).is_err());
    assert!(render("{% include 'x' %}", &Values::new()).is_err());
    assert!(
        render(
            "{% for a in range(99999) %}{% for b in range(99999) %}x{% endfor %}{% endfor %}",
            &Values::new()
        )
        .is_err()
    );
    let long = values(&[("long", "x".repeat(300_000).into())]);
    assert_eq!(render("{{ long }}{{ long }}", &long).map(|it| it.len()), Ok(600_000));
    let error = render("{{ long }}{{ long }}{{ long }}{{ long }}", &long).unwrap_err();
    assert_eq!(error, "the template makes more than 1048576 bytes of text");
    let names = template_variables("{{ b }}{% for x in a %}{{ x }}{{ range(3) }}{% endfor %}").unwrap();
    assert_eq!(names, ["a", "b"]);
}

#[test]
fn truthiness_is_that_of_minijinja() {
    for (value, expected) in [
        (Value::None, false),
        (Value::Int(0), false),
        (Value::Float(0.1), true),
        ("".into(), false),
        ("false".into(), true),
        (Value::List(vec![]), false),
        (picture("a.png"), true),
    ] {
        assert_eq!(truthy(&value), expected, "{value:?}");
    }
}

#[test]
fn tojson_names_the_floats_that_json_lacks_as_texts_do() {
    let floats =
        Value::List(vec![f64::NAN.into(), f64::INFINITY.into(), f64::NEG_INFINITY.into(), 1.5.into()]);
    let scope = Given::default().with("params.all", floats).with("params.nan", f64::NAN);
    let written = |source: &str| parse(source).evaluate(&scope).unwrap().unwrap().to_text().unwrap();
    assert_eq!(written("params.all|tojson"), r#"["NaN", "Infinity", "-Infinity", 1.5]"#);
    assert_eq!(written("params.nan|tojson"), r#""NaN""#);
    assert_eq!(written("{'a': [params.nan], 'b': 'x'}|tojson"), r#"{"a": ["NaN"], "b": "x"}"#);
    assert_eq!(
        written("{'b': none, 'a': [1, true, '<']}|tojson"),
        r#"{"b": null, "a": [1, true, "\u003c"]}"#
    );
    let given = values(&[("all", Value::List(vec![f64::NAN.into()]))]);
    assert_eq!(render("{{ all|tojson }} {{ all }}", &given).unwrap(), r#"["NaN"] ["NaN"]"#);
}
