use super::*;
use crate::id::BlobHash;
use crate::media::MediaKind;

fn picture() -> Value {
    Value::from(Media {
        kind: MediaKind::Image,
        hash: BlobHash::of(b"x"),
        mime: "image/png".into(),
        bytes: 1,
        name: "a.png".into(),
        width: Some(1),
        height: Some(1),
        executable: false,
        source: None,
    })
}

#[test]
fn values_survive_the_wire() {
    let mut object = IndexMap::new();
    object.insert("$media".to_owned(), Value::from("no picture"));
    object.insert("n".to_owned(), Value::Int(i64::MAX));
    for value in [Value::None, Value::Float(0.5), Value::Object(object), Value::List(vec![picture()])] {
        let wire = serde_json::to_string(&value).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&wire).unwrap(), value, "{wire}");
    }
}

#[test]
fn nan_and_the_infinities_survive_the_wire_and_are_not_text() {
    let values = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY].map(Value::Float);
    let wire = serde_json::to_string(&values).unwrap();
    assert_eq!(wire, r#"[{"$float":"NaN"},{"$float":"Infinity"},{"$float":"-Infinity"}]"#);
    let read: Vec<Value> = serde_json::from_str(&wire).unwrap();
    assert!(matches!(read[0], Value::Float(it) if it.is_nan()));
    assert_eq!(read[1..], values[1..]);
    assert_eq!(values.clone().map(|it| it.to_text().unwrap()), ["NaN", "Infinity", "-Infinity"]);
    assert_eq!(Value::List(values.into()).to_json().to_string(), r#"["NaN","Infinity","-Infinity"]"#);
    // A user's object that looks like one stays an object.
    let lookalike = Value::from_json(serde_json::json!({ "$float": "NaN" }));
    let wire = serde_json::to_string(&lookalike).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&wire).unwrap(), lookalike, "{wire}");
}

#[test]
fn external_json_never_becomes_media() {
    let forged = serde_json::to_value(picture()).unwrap();
    let value = Value::from_json(forged);
    assert!(!value.has_media());
    let wire = serde_json::to_string(&value).unwrap();
    assert!(!serde_json::from_str::<Value>(&wire).unwrap().has_media());
}

#[test]
fn conversion_follows_the_types() {
    assert_eq!(Value::Int(2).convert(&Type::Float), Ok(Value::Float(2.0)));
    assert_eq!(Value::Int(-1 << 60).convert(&Type::Float), Ok(Value::Float(-1_152_921_504_606_846_976.0)));
    for int in [(1 << 53) + 1, i64::MAX] {
        let error = Value::Int(int).convert(&Type::Float).unwrap_err();
        assert_eq!(error, format!("expected float, got {int}, which has more digits than a float keeps"));
    }
    assert_eq!(Value::Int(2).convert(&Type::Text), Ok(Value::from("2")));
    assert!(Value::from("2").convert(&Type::Int).is_err());
    assert!(Value::Float(2.5).convert(&Type::Int).is_err());
    assert!(picture().convert(&Type::Text).is_err());
    assert!(Value::None.convert(&Type::Text).is_err());
}

#[test]
fn long_text_is_cut_between_characters() {
    assert_eq!(cut("grüße aus Hove", 6), "grüße…");
    assert_eq!(cut("one\ntwo", 10), "one…");
    assert_eq!(cut("short", 10), "short");
}

#[test]
fn an_object_is_no_number_no_choice_and_no_list() {
    let object = || Value::from_json(serde_json::json!({"x": 1}));
    for to in ["int", "float", "bool", "choice", "list<int>", "list<any>", "list<json>"] {
        let ty: Type = to.parse().unwrap();
        assert_eq!(object().convert(&ty).unwrap_err(), format!("expected {to}, got json"));
    }
    let items = Value::List(vec![Value::Int(1), object()]);
    assert_eq!(items.clone().convert(&Type::Int.list()).unwrap_err(), "expected int, got json");
    assert_eq!(items.clone().convert(&Type::Json.list()), Ok(items));
    assert_eq!(object().convert(&Type::Json), Ok(object()));
}

#[test]
fn tiny_and_huge_numbers_have_an_exponent() {
    let summaries =
        [4.456_524_038_687_348_4e-11, 0.25, 1e20, 0.0, -1e-9].map(|it| Value::Float(it).summary(40));
    assert_eq!(summaries, ["4.4565240386873484e-11", "0.25", "1e20", "0", "-1e-9"]);
}
