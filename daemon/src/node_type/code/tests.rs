use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tokio_util::sync::CancellationToken;

use super::*;
use crate::node_type::MadeFiles;
use crate::node_type::fixture::json;
use crate::services::{Carrier, NodeServices, Report};

/// Limits that are reached soon: that of time, or that of memory.
const SHORT: Limits = Limits { time: Duration::from_millis(300), ..LIMITS };
const SMALL: Limits = Limits { memory_bytes: 8 << 20, value_bytes: 1 << 20, ..LIMITS };

/// Keeps what is appended to the log.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<String>>);

impl Carrier for Lines {
    fn report(&self, report: Report) {
        if let Report::Text { text, .. } = report {
            self.0.lock().unwrap().push_str(&text);
        }
    }
}

fn workspace(declared: &[(&str, &str)], lines: &Lines) -> Workspace {
    let services =
        NodeServices::new(Box::new(lines.clone()), CancellationToken::new(), "/nowhere/scratch".into());
    let outputs = declared.iter().map(|(name, ty)| ((*name).to_owned(), ty.parse().unwrap()));
    Workspace::new("/nowhere".into(), BTreeMap::new(), MadeFiles::default(), services)
        .with_outputs(outputs.collect())
}

fn with(declared: &[(&str, &str)], code: &str, inputs: &[(&str, Value)]) -> Result<Values, String> {
    let mut given = Values::from([("code".to_owned(), code.into())]);
    given.extend(inputs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    run(&mut workspace(declared, &Lines::default()), given).map_err(String::from)
}

/// The value that a code without declared outputs returns.
fn value(code: &str) -> Result<Value, String> {
    with(&[], code, &[]).map(|mut made| made.shift_remove("value").unwrap())
}

/// How code ends that reaches a limit, and whether its process ends too.
fn limited(code: &str, limits: Limits) -> (String, bool) {
    let mut workspace = workspace(&[], &Lines::default());
    let given = Values::from([("code".to_owned(), code.into())]);
    let error = compute(&mut workspace, given, limits).unwrap_err();
    (error.into(), workspace.was_given_up())
}

#[test]
fn code_computes_its_declared_outputs_from_its_inputs() {
    let code = "
        const total = inputs.prices.reduce((sum, price) => sum + price, 0);
        return { total, names: Object.keys(inputs.stock), note: `${total} in ${inputs.place}` };
    ";
    let inputs = [
        ("prices", json("[2, 5.5]")),
        ("stock", json(r#"{"pen": 1, "__proto__": 2}"#)),
        ("place", "Hove".into()),
    ];
    let made = with(&[("total", "float"), ("names", "list<text>"), ("note", "text")], code, &inputs).unwrap();
    assert_eq!(
        made.iter().map(|(name, it)| format!("{name}={}", it.to_json())).collect::<Vec<_>>(),
        ["total=7.5", r#"names=["pen","__proto__"]"#, r#"note="7.5 in Hove""#]
    );
}

#[test]
fn without_declared_outputs_the_whole_result_is_the_value() {
    assert_eq!(value("return [1, { a: null, b: true }]").unwrap(), json(r#"[1, {"a": null, "b": true}]"#));
    assert_eq!(value("return null // none").unwrap(), Value::None);
    assert_eq!(value("return Object.assign(Object.create(null), { a: 1 })").unwrap(), json(r#"{"a": 1}"#));
}

#[test]
fn numbers_stay_exact_or_are_refused() {
    let same = |it: Value| with(&[], "return inputs.it", &[("it", it)]).unwrap()["value"].clone();
    for int in [0, -7, (1 << 53) - 1, (1 << 53) + 1, i64::MAX, i64::MIN] {
        assert_eq!(same(Value::Int(int)), Value::Int(int));
    }
    for float in [0.1, 1e300, f64::INFINITY, -0.0] {
        let Value::Float(back) = same(Value::Float(float)) else { panic!("{float}") };
        assert_eq!(back.to_bits(), float.to_bits());
    }
    assert!(matches!(same(Value::Float(f64::NAN)), Value::Float(it) if it.is_nan()));
    assert_eq!(value("return 9007199254740993n").unwrap(), Value::Int(9_007_199_254_740_993));
    assert!(value("return 2n ** 64n").unwrap_err().contains("`value`, a BigInt that has more than 64 bits"));
    let mixed = with(&[], "return inputs.it + 1", &[("it", Value::Int(i64::MAX))]).unwrap_err();
    assert!(mixed.contains("line 1: TypeError"), "{mixed}");
    assert!(
        with(&[("it", "int")], "return { it: 2 ** 60 }", &[])
            .unwrap_err()
            .contains("output `it`: expected int")
    );
    assert!(
        with(&[("it", "int")], "return { it: 1.5 }", &[]).unwrap_err().contains("output `it`: expected int")
    );
}

#[test]
fn what_has_no_exact_value_is_an_error_with_its_place() {
    for (code, expected) in [
        ("return { a: [1, undefined] }", "`value.a[1]`, which is undefined"),
        ("return [1, , 3]", "`value[1]`, which is undefined"),
        ("return new Array(4294967295)", "`value[0]`, which is undefined"),
        ("return () => 1", "`value`, which is a function"),
        ("return { f() {} }", "`value.f`, which is a function"),
        ("return class A {}", "`value`, which is a function"),
        ("return new Date(0)", "a Date; return its text, `.toISOString()`"),
        ("return new Map([[1, 2]])", "a Map"),
        ("return new Set()", "a Set"),
        ("return /a/", "an object of RegExp"),
        ("return new Uint8Array(2)", "an object of Uint8Array"),
        ("return new (class Point { x = 1 })()", "an object of Point"),
        ("return new Proxy({}, {})", "a proxy"),
        ("return [Promise.resolve(1)]", "`value[0]`, which is a promise"),
        ("return Symbol('a')", "a symbol"),
        ("return { [Symbol('a')]: 1 }", "named by a symbol"),
        ("return 'ab'.match(/a/)", "a list with named fields"),
        ("const a = {}; a.b = [a]; return a", "`value.b[0]`, which contains itself"),
        ("return 'a\\u{1f600}'.slice(0, 2)", "`value` contains half of a character"),
        ("return { ['\\ud83d']: 1 }", "half of a character"),
        ("let a = []; for (let i = 0; i < 5000; i++) a = [a]; return a", "levels deep"),
        ("1", "returns nothing"),
    ] {
        let error = value(code).unwrap_err();
        assert!(error.contains(expected), "{code}: {error}");
    }
}

#[test]
fn the_declared_outputs_are_the_ones_that_are_returned() {
    let declared = [("total", "float"), ("name", "text")];
    let error = |code: &str| with(&declared, code, &[]).unwrap_err();
    assert!(
        error("return { total: 1, nam: 'a' }")
            .contains("returns `nam`, which is not among the declared outputs")
    );
    assert!(error("return { total: 1 }").contains("`name`, which is undefined"));
    assert!(error("return { total: 1, name: null }").contains("output `name`: expected text, got nothing"));
    assert!(error("return { total: 'a', name: 'a' }").contains("output `total`: expected float, got text"));
    assert!(error("return 3").contains("must return an object with the outputs `total`, `name`"));
    assert!(
        error("return { get total() { throw new Error('no') }, name: '' }").contains("line 1: Error: no")
    );
}

#[test]
fn an_error_names_its_line() {
    for (code, expected) in [
        ("const a = 1;\nreturn b;", "the code, line 2: ReferenceError: b is not defined"),
        ("const a = 1;\nreturn a +;\n", "the code, line 2: SyntaxError"),
        ("if (true) {\n  return 1;\n", "the code, line 2: SyntaxError"),
        (
            "function f() {\n  throw new RangeError('too far');\n}\n\nf();",
            "the code, line 2: RangeError: too far",
        ),
        ("await null;\nthrow new Error('late')", "the code, line 2: Error: late"),
        ("return JSON.parse('{')", "the code, line 1: SyntaxError"),
        ("throw 'a text'", "the code threw a text"),
        ("throw { code: 3 }", r#"the code threw {"code":3}"#),
        ("throw undefined", "the code threw undefined"),
        ("throw null", "the code threw null, or takes more than 256 MiB of memory"),
        ("import 'fs'", "the code, line 1: SyntaxError"),
    ] {
        let error = value(code).unwrap_err();
        assert!(error.starts_with(expected), "{code}: {error}");
    }
}

#[test]
fn promises_are_awaited_and_one_that_nothing_settles_is_an_error() {
    assert_eq!(value("return await Promise.all([1, Promise.resolve(2)])").unwrap(), json("[1, 2]"));
    assert_eq!(value("return Promise.resolve(3)").unwrap(), Value::Int(3));
    assert!(value("await new Promise(() => {})").unwrap_err().contains("a promise that nothing settles"));
    assert!(value("await Promise.reject(new Error('no'))").unwrap_err().contains("Error: no"));
}

#[test]
fn code_reaches_nothing_outside_of_its_inputs() {
    for name in ["require", "process", "fetch", "std", "os", "setTimeout", "performance", "Deno", "module"] {
        let code = format!("return typeof {name}");
        assert_eq!(value(&code).unwrap(), "undefined".into(), "{name}");
    }
    for code in [
        "return Date.now()",
        "return Date()",
        "return String(new Date())",
        "return Reflect.construct(Date, [])",
        "return new (class extends Date {})().getTime()",
        "return new (new Date(0).constructor)().getTime()",
    ] {
        assert!(value(code).unwrap_err().contains("the current time is not available"), "{code}");
    }
    assert!(value("return Math.random()").unwrap_err().contains("Math.random is not available"));
    assert!(value("return await import('fs')").is_err());
    assert_eq!(
        value("return new Date('2024-05-06T07:08:09Z').toISOString()").unwrap(),
        "2024-05-06T07:08:09.000Z".into()
    );
}

#[test]
fn no_text_becomes_code() {
    for code in [
        "return eval('1')",
        "return (0, eval)('1')",
        "return new Function('return 1')()",
        "return (() => {}).constructor('return 1')()",
        "return (async () => {}).constructor('return 1')()",
        "return (function* () {}).constructor('return 1')()",
        "return Reflect.construct(Function, ['return 1'])()",
    ] {
        let error = value(code).unwrap_err();
        assert!(error.contains("values never become code"), "{code}: {error}");
    }
    assert_eq!(value("return (() => {}) instanceof Function").unwrap(), Value::Bool(true));
}

#[test]
fn code_that_never_ends_or_takes_too_much_is_stopped() {
    for code in [
        "for (;;) {}",
        "for (;;) await null;",
        "try { for (;;) {} } finally { for (;;) {} }",
        "return { get a() { for (;;) {} } }",
        "return /^(a+)+$/.test('a'.repeat(40) + 'b')",
        "for (;;) console.log('again')",
    ] {
        let (error, given_up) = limited(code, SHORT);
        assert!(error.contains("or never ends") && given_up, "{code}: {error}");
    }
    for code in [
        "const all = []; for (;;) all.push('x'.repeat(1000) + all.length);",
        "return 'x'.repeat(2 ** 29)",
        "return new ArrayBuffer(2 ** 30)",
        "let text = 'x'; for (;;) text += text;",
    ] {
        let (error, _) = limited(code, SMALL);
        assert!(
            ["MiB of memory", "RangeError", "string too long"].iter().any(|it| error.contains(it)),
            "{code}: {error}"
        );
    }
    let (error, _) = limited("const f = () => f() + 1; return f()", LIMITS);
    assert!(error.contains("line 1: RangeError: Maximum call stack size exceeded"), "{error}");
    let (error, _) = limited("return 'x'.repeat(2 ** 20 + 1)", SMALL);
    assert!(error.contains("more than 1 MiB"), "{error}");
}

#[test]
fn the_console_writes_to_the_log() {
    let lines = Lines::default();
    let code = "console.log('a', 1, { b: 2n }, [null]); console.warn(new Error('no')); console.error('\\ud83d'); return 1";
    let given = Values::from([("code".to_owned(), code.into())]);
    run(&mut workspace(&[], &lines), given).unwrap();
    assert_eq!(
        *lines.0.lock().unwrap(),
        "info: a 1 {\"b\":\"2n\"} [null]\nwarn: Error: no\nerror: \u{fffd}\n"
    );
}

#[test]
fn files_are_refused() {
    let media = fanlight_shared::media::Media {
        kind: fanlight_shared::media::MediaKind::File,
        hash: fanlight_shared::id::BlobHash::of(b"it"),
        mime: "text/plain".into(),
        bytes: 2,
        name: "it.txt".into(),
        width: None,
        height: None,
        executable: false,
        source: None,
    };
    let error = with(&[], "return 1", &[("it", vec![Value::from(media)].into())]).unwrap_err();
    assert!(error.contains("input `it` contains a file"), "{error}");
}
