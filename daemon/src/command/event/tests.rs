use super::*;

#[test]
fn lines_are_read() {
    let progress = parse(br#"{"type":"progress","value":0.5,"message":"half","eta":3}"#).unwrap();
    assert_eq!(progress, CommandEvent::Progress { value: Some(0.5), message: Some("half".into()) });
    let unknown = parse(br#"{"type":"progress","value":null}"#).unwrap();
    assert_eq!(unknown, CommandEvent::Progress { value: None, message: None });
    assert!(parse(br#"{"type":"output","name":"n","value":[1]}"#).is_ok());
    assert!(parse(br#"{"type":"metric","name":"loss","value":1,"unit":"nats"}"#).is_ok());
    assert!(parse(br#"{"type":"metric","name":"flops","value":100000000000000000000}"#).is_ok());
    let nan = parse(br#"{"type":"metric","name":"loss","value":NaN}"#).unwrap();
    assert!(matches!(nan, CommandEvent::Metric { value, .. } if value.is_nan()));
    let step = parse(br#"{"type":"metric","name":"loss","value":1,"step":3.0,"time":1.5,"goal":"min"}"#);
    let Ok(CommandEvent::Metric { step: Some(3), time: Some(1.5), goal: Some(Goal::Min), .. }) = step else {
        panic!("{step:?}")
    };
    let task = parse(br#"{"type":"task","number":3,"title":"draw"}"#).unwrap();
    let title = "draw".to_owned();
    assert_eq!(task, CommandEvent::Task { number: 3, title, status: TaskStatus::Running });
    assert!(parse(br#"{"type":"tool_call","number":1,"tool":"search","arguments":{"q":[1]}}"#).is_ok());
    assert!(parse(br#"{"type":"tool_result","number":1,"failed":true}"#).is_ok());
    let log = parse(br#"{"type":"log","message":"m"}"#).unwrap();
    assert_eq!(log, CommandEvent::Log { level: Level::Info, message: "m".into() });
}

#[test]
fn bad_lines_are_explained() {
    let deep = format!(r#"{{"type":"output","name":"a","value":{}{}}}"#, "[".repeat(64), "]".repeat(64));
    assert!(parse(deep.as_bytes()).unwrap_err().contains("65 levels deep"));
    let bad = [
        ("not json", "not JSON"),
        ("[1]", "not a JSON object"),
        ("{}", "no \"type\""),
        (r#"{"type":"mask\u001b[2J","value":1}"#, "not known"),
        (r#"{"type":"progress","value":42}"#, "between 0 and 1"),
        (r#"{"type":"output","name":"a"}"#, "either"),
        (r#"{"type":"output","name":"a","value":1,"path":"p"}"#, "either"),
        (r#"{"type":"output","name":"../a","value":1}"#, "can't be the name"),
        (r#"{"type":"cost","usd":-1}"#, "not a cost"),
        (r#"{"type":"cost","usd":NaN}"#, "not a cost"),
        (r#"{"type":"cost","usd":1e300}"#, "not a cost"),
        (r#"{"type":"cost","amount":1}"#, "missing field `usd`"),
        (r#"{"type":"prediction","provider":"p","model":"m","cost_usd":-1}"#, "not a cost"),
        (r#"{"type":"prediction","provider":"p","model":"m","input_tokens":-1}"#, "invalid value"),
        (r#"{"type":"task","number":1,"title":"t","status":"stuck"}"#, "unknown variant"),
        (
            r#"{"type":"output","name":"id","value":18446744073709551615}"#,
            "18446744073709551615 is too large",
        ),
        (r#"{"type":"metric","name":"a","value":"x"}"#, "invalid type"),
        (r#"{"type":"metric","name":" ","value":1}"#, "its name is empty"),
        (r#"{"type":"metric","name":"a","value":1,"step":1.5}"#, "not a whole number"),
        (r#"{"type":"metric","name":"a","value":1,"step":-1}"#, "not a whole number"),
        (r#"{"type":"metric","name":"a","value":1,"time":1e12}"#, "not a number of seconds since 1970"),
    ];
    for (line, part) in bad {
        let error = parse(line.as_bytes()).unwrap_err();
        assert!(error.contains(part), "{line}: {error}");
        assert!(!error.contains('\u{1b}'), "{error}");
    }
}

#[cfg(feature = "schema")]
#[test]
fn the_published_schema_is_this_one() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/events.schema.json");
    let made = format!("{:#}\n", schema().to_value());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, &made).unwrap();
    }
    let published = std::fs::read_to_string(path).unwrap_or_default();
    assert!(published == made, "docs/events.schema.json is old: run this test with UPDATE_DOCS=1");
}
