use super::*;
use crate::document::read;
use crate::node_type::Catalogue;

fn values(text: &str, ty: &str) -> Result<String, String> {
    let values = sweep_values(text, &ty.parse().unwrap())?;
    Ok(Value::List(values).to_json().to_string())
}

#[test]
fn ranges_include_both_ends() {
    let cases = [
        ("1..6", "int", "[1,2,3,4,5,6]"),
        ("3..1", "int", "[3,2,1]"),
        ("-2..2/2", "int", "[-2,0,2]"),
        ("1..8/3", "int", "[1,4,7]"),
        ("5..5", "int", "[5]"),
        ("0..1/0.25", "float", "[0.0,0.25,0.5,0.75,1.0]"),
        ("0..0.3/0.1", "float", "[0.0,0.1,0.2,0.3]"),
        ("1..0/0.5", "float", "[1.0,0.5,0.0]"),
        ("1e-3..3e-3/1e-3", "float", "[0.001,0.002,0.003]"),
        ("0.5..2.5", "float", "[0.5,1.5,2.5]"),
        ("0..1/0.3", "float", "[0.0,0.3,0.6,0.9]"),
        ("0.5..0.5", "float", "[0.5]"),
        ("1..3,7,9..10", "int", "[1,2,3,7,9,10]"),
        ("1..3", "any", "[1,2,3]"),
        ("a,b, c", "text", r#"["a","b","c"]"#),
        ("1..3", "text", r#"["1..3"]"#),
        (r#"["a, b", "c"]"#, "text", r#"["a, b","c"]"#),
        (r#""a cat, asleep","a dog""#, "text", r#"["a cat, asleep","a dog"]"#),
        ("[1],[2,3]", "list<int>", "[[1],[2,3]]"),
        (r#"["a, b"],["c"]"#, "list<text>", r#"[["a, b"],["c"]]"#),
        (r#"a,"b, c""#, "list<text>", r#"[["a","b, c"]]"#),
        ("3.9,3.10", "text", r#"["3.9","3.10"]"#),
        ("[3.9, 3.10]", "text", r#"["3.9","3.10"]"#),
        ("[3.9],[3.10,1e3]", "list<text>", r#"[["3.9"],["3.10","1e3"]]"#),
        ("[3.9, 3.10]", "float", "[3.9,3.1]"),
        (r#"["a"],["b"]"#, "text", r#"["[\"a\"]","[\"b\"]"]"#),
        (r#"{"a":1},{"a":2}"#, "json", r#"[{"a":1},{"a":2}]"#),
        (r#""1..3",x"#, "any", r#"["1..3","x"]"#),
        ("0.1,inf,nan", "float", r#"[0.1,"Infinity","NaN"]"#),
        ("true,false", "bool", "[true,false]"),
        ("a.png,b.png", "image", r#"["a.png","b.png"]"#),
        ("1,2", "list<int>", "[[1,2]]"),
        ("[[1],[2,3]]", "list<int>", "[[1],[2,3]]"),
        (r#"{"a": 1}"#, "json", r#"[{"a":1}]"#),
    ];
    for (text, ty, expected) in cases {
        assert_eq!(values(text, ty).as_deref(), Ok(expected), "{text} as {ty}");
    }
}

#[test]
fn bad_sweeps_get_a_suggestion() {
    let cases = [
        ("", "int", "there is no value"),
        ("1..x", "int", "`x` in the range"),
        ("1..2/0", "int", "must be more than 0"),
        ("0..1/-0.1", "float", "must be more than 0"),
        ("1..1000000000", "int", "more than 100000 values"),
        ("1e-5..1e-3", "float", "`1e-5..1e-3` does not reach its end in steps of 1; write a smaller step"),
        ("0.1..1.5", "any", "does not reach its end in steps of 1"),
        ("0.1..0.2/0.5", "float", "does not reach its end in steps of 0.5"),
        ("0..1/0.0000001", "float", "more than 100000 values"),
        ("-9223372036854775808..9223372036854775807", "int", "more than 100000 values"),
        ("1,,2", "int", "an empty place"),
        ("0.5..2", "int", "not a whole number"),
        ("abc", "int", "not an int"),
        ("0..inf", "float", "not a number"),
        ("[1, 2.5]", "int", "expected int"),
        ("\"a", "text", "not closed"),
        ("yes", "bool", "write `true` or `false`"),
    ];
    for (text, ty, part) in cases {
        let error = values(text, ty).unwrap_err();
        assert!(error.contains(part), "{text} as {ty}: {error}");
    }
}

#[test]
fn a_range_up_to_the_largest_int_ends() {
    let top = i64::MAX;
    let values = sweep_values(&format!("{}..{top}", top - 1), &Type::Int).unwrap();
    assert_eq!(values, [Value::Int(top - 1), Value::Int(top)]);
}

fn workflow() -> Workflow {
    let text = "
params:
  place: { type: text }
  seed: { type: int, default: 1, min: 0, max: 9 }
  style: { type: choice, choices: [plasma, noise], default: noise }
  picture: { type: image, default: a.png }
nodes:
  a: { cmd: [echo, '${{ params.place }}', '${{ params.seed }}', '${{ params.style }}', '${{ params.picture }}'] }
";
    read(text, &Catalogue::default()).unwrap().workflow
}

fn given(pairs: &[(&str, Value)]) -> IndexMap<String, Value> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

#[test]
fn params_are_completed_in_the_order_of_the_file() {
    let all =
        check_params(&workflow(), &given(&[("seed", Value::Int(7)), ("place", "Hove".into())])).unwrap();
    let names: Vec<&str> = all.keys().map(String::as_str).collect();
    assert_eq!(names, ["place", "seed", "style", "picture"]);
    assert_eq!((&all["seed"], &all["style"]), (&Value::Int(7), &"noise".into()));
    assert_eq!(all["picture"], "a.png".into());
}

#[test]
fn every_wrong_param_is_named() {
    let wrong = given(&[("sede", Value::Int(1)), ("seed", Value::Int(10)), ("style", "plasme".into())]);
    let errors = check_params(&workflow(), &wrong).unwrap_err();
    assert_eq!(errors.len(), 4, "{errors:?}");
    for part in
        ["did you mean `seed`?", "`place` (text) is required", "not within 0..9", "did you mean `plasma`?"]
    {
        assert!(errors.iter().any(|error| error.contains(part)), "{part} in {errors:?}");
    }
}

#[test]
fn a_text_is_converted_by_its_type() {
    let workflow = workflow();
    assert_eq!(param_value("007", &workflow.params["place"]), Ok("007".into()));
    assert_eq!(param_value(" 7 ", &workflow.params["seed"]), Ok(Value::Int(7)));
    assert!(param_value("abc", &workflow.params["seed"]).unwrap_err().contains("not an int"));
    assert!(param_value("12", &workflow.params["seed"]).unwrap_err().contains("not within"));
    let texts = |text: &str| value_of(text, &Type::Text.list()).unwrap().to_json().to_string();
    assert_eq!(
        texts("[3.10, 1e3, -0.50, 99999999999999999999]"),
        r#"["3.10","1e3","-0.50","99999999999999999999"]"#
    );
    assert_eq!(texts("3.10,007"), r#"["3.10","007"]"#);
    assert_eq!(param_value("b.png", &workflow.params["picture"]), Ok("b.png".into()));
    assert!(param_value("", &workflow.params["picture"]).is_err());
}
