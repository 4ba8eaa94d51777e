use serde_json::json;

use crate::document::{Checked, read};
use crate::node_type::{Catalogue, NodeTypeSpec};
use crate::value::Value;
use crate::workflow::{Each, Template};

/// Returns node types: `any` takes any other input, `typed` one of each kind.
fn catalogue() -> Catalogue {
    let spec = |name: &str, more: bool, inputs: &[&str]| {
        let input = |ty: &&str| {
            let spec = json!({ "type": ty, "summary": "It.", "optional": true });
            (ty.replace(['<', '>'], "_"), spec)
        };
        let inputs: serde_json::Map<_, _> = inputs.iter().map(input).collect();
        let spec = json!({
            "name": name, "summary": "It.", "version": 1, "effects": "none", "place": "inline", "max_bytes": 1,
            "inputs": inputs, "more_inputs": more, "outputs": {},
        });
        serde_json::from_value::<NodeTypeSpec>(spec).unwrap()
    };
    [
        spec("any", true, &[]),
        spec("typed", false, &["text", "float", "json", "any", "list<text>", "list<any>"]),
    ]
    .into_iter()
    .collect()
}

fn checked(text: &str) -> Checked {
    read(text, &catalogue()).unwrap_or_else(|problems| panic!("{text}: {problems:?}"))
}

/// Returns the list of `each` of node `a`, which is read by these other keys of the node, and the numbers in warnings.
fn each(list: &str, reader: &str) -> (String, Vec<String>) {
    let Checked { workflow, warnings } = checked(&format!("nodes:\n  a: {{ each: {list}, {reader} }}\n"));
    let read = match workflow.nodes["a"].each.clone().unwrap() {
        Each::List(Template::Literal(list)) => list,
        Each::List(list) => panic!("{list:?}"),
        Each::Zip(lists) => Value::Object(
            lists
                .into_iter()
                .map(|(key, list)| match list {
                    Template::Literal(list) => (key, list),
                    list => panic!("{list:?}"),
                })
                .collect(),
        ),
    };
    (read.to_json().to_string(), warnings.into_iter().map(|it| numbers(&it.message)).collect())
}

fn numbers(message: &str) -> String {
    message.replace("` is the number ", "=").replace(" here", "").replace(['`', ','], "")
}

#[test]
fn items_that_become_texts_are_as_they_are_written() {
    let list = "[3.9, 3.10, 007, 1e3, 99999999999999999999, true]";
    let texts = r#"[3.9,"3.10","007","1e3","99999999999999999999",true]"#;
    for reader in [
        "run: a, with: { v: '${{ item }}' }",
        "run: a, env: { V: '${{ item }}' }",
        "run: a, env: { V: 'v${{ item }}' }, outputs: { o: { path: a, type: file, name: 'v${{ item }}.txt' } }",
        "cmd: [echo, '${{ item }}', 'v${{ item }}']",
        "uses: typed, with: { text: '${{ item }}' }",
        "uses: typed, with: { list_text_: ['${{ item }}'] }",
        "uses: any, with: { it: 'v${{ item }}' }",
    ] {
        assert_eq!(each(list, reader), (texts.to_owned(), vec![]), "{reader}");
    }
    let (read, warnings) = each("[3.9, 4, 1.5]", "cmd: [echo, '${{ item }}']");
    assert_eq!(
        (read.as_str(), warnings.len()),
        ("[3.9,4,1.5]", 0),
        "numbers that are equal as texts stay numbers"
    );
}

#[test]
fn items_that_stay_numbers_are_read_without_a_warning() {
    let list = "[0.10, 1e3, 007, 1.0]";
    for reader in [
        "uses: typed, with: { float: '${{ item }}' }",
        "uses: typed, with: { json: '${{ item }}' }",
        "run: a",
    ] {
        let (read, warnings) = each(list, reader);
        assert_eq!((read.as_str(), warnings.len()), ("[0.1,1000.0,7,1.0]", 0), "{reader}");
    }
    let (_, warnings) = each("[1e3, 1.0, 0x10, 0.5, +2]", "uses: any, with: { it: '${{ item }}' }");
    assert_eq!(warnings, [""; 0]);
    let (read, _) = each("[1, 2, 2.50]", "run: a, with: { v: '${{ item }}' }");
    assert_eq!(read, r#"[1,2,"2.50"]"#, "the results of the others keep their keys");
}

#[test]
fn numbers_that_may_be_meant_as_texts_get_a_warning() {
    let list = "[3.9, 3.10, 007, 1e3, 2.0]";
    let padded = ["3.10=3.1 and 1 more like it"];
    for reader in [
        "uses: any, with: { it: '${{ item }}' }",
        "run: a, with: { v: '${{ item * 2 }}' }",
        "run: a, with: { v: ['${{ item }}'] }",
        "uses: typed, with: { float: '${{ item }}', text: 'v${{ item }}' }",
    ] {
        let (read, warnings) = each(list, reader);
        assert_eq!(read, "[3.9,3.1,7,1000.0,2.0]", "{reader}");
        assert_eq!(warnings, padded, "{reader}");
    }
    let (_, warnings) = each(list, "run: a, if: item > 3, with: { v: '${{ item }}' }");
    assert_eq!(warnings, ["3.10=3.1 and 2 more like it"]);
    let problem = checked("nodes:\n  a: { each: [3.10], run: a, if: item > 3 }\n").warnings.remove(0);
    assert_eq!((problem.span.start.line, problem.span.start.column), (2, 15));
    assert_eq!(problem.node.as_deref(), Some("a"));
    assert_eq!(problem.hint.as_deref(), Some("write \"3.10\" for the text, or 3.1 for the number"));
}

#[test]
fn each_field_of_an_item_is_read_for_its_own_readers() {
    let reader = "run: a, with: { python: '${{ item.python }}', n: '${{ item.n + 1 }}' }";
    let (read, warnings) = each("[{ python: 3.10, n: 2 }, { python: 4, n: 0.50, rest: 1.50 }]", reader);
    assert_eq!(read, r#"[{"python":"3.10","n":2},{"python":4,"n":0.5,"rest":1.5}]"#);
    assert_eq!(warnings, ["0.50=0.5"]);
    let (read, warnings) = each("{ python: [3.10, 4], n: [1.50, 2] }", reader);
    assert_eq!(read, r#"{"python":["3.10",4],"n":[1.5,2]}"#);
    assert_eq!(warnings, ["1.50=1.5"]);
    let texts = "uses: typed, with: { list_text_: '${{ item.c }}' }";
    assert_eq!(each("[{ c: [1.0, 2.5] }]", texts), (r#"[{"c":["1.0",2.5]}]"#.to_owned(), vec![]));
    // As a part of a JSON text, a number is one.
    let (read, warnings) =
        each("[{ python: 3.10 }, [3.20]]", "cmd: [echo, '${{ item }}', '${{ item.python }}']");
    assert_eq!(
        (read.as_str(), warnings),
        (r#"[{"python":3.1},[3.2]]"#, vec!["3.10=3.1 and 1 more like it".into()])
    );
    // The keys may come in any order, and items may be computed.
    let text = "nodes:\n  a: { run: a, with: { v: '${{ item }}' }, each: [3.10, '${{ run.number }}'] }\n";
    let Checked { workflow, warnings } = checked(text);
    let Some(Each::List(Template::List(items))) = &workflow.nodes["a"].each else { panic!("a list") };
    assert_eq!((&items[0], warnings.len()), (&Template::Literal("3.10".into()), 0));
}

#[test]
fn inputs_of_commands_are_as_they_are_written() {
    let Checked { workflow, warnings } = checked(
        "nodes:
  a:
    run: a
    with: { v: 3.10, mode: 0755, id: 99999999999999999999, rate: 1e-3, n: 42, f: 0.5, t: True, no: ~, all: [1, 3.10] }
",
    );
    let with = &workflow.nodes["a"].with;
    let literal = |name: &str| match &with[name] {
        Template::Literal(value) => value.clone(),
        other => panic!("{other:?}"),
    };
    for (name, text) in [("v", "3.10"), ("mode", "0755"), ("id", "99999999999999999999"), ("rate", "1e-3")] {
        assert_eq!(literal(name), Value::from(text));
    }
    // The keys of results that were stored before stay as they were.
    assert_eq!((literal("n"), literal("f")), (Value::Int(42), Value::Float(0.5)));
    assert_eq!((literal("t"), literal("no")), (Value::Bool(true), Value::None));
    assert_eq!(literal("all"), Value::List(vec![Value::Int(1), Value::Float(3.1)]));
    assert_eq!(warnings.iter().map(|it| numbers(&it.message)).collect::<Vec<_>>(), ["3.10=3.1"]);
}

#[test]
fn values_of_any_type_are_numbers_with_a_warning() {
    let Checked { workflow, warnings } = checked(
        "params:
  v: { type: any, default: 3.10 }
  j: { type: json, default: { v: 3.20 } }
matrix: { v: [3.30, 1.0] }
nodes:
  a: { uses: typed, with: { text: 4.10, float: 4.20, json: [4.30], any: 4.40, list_text_: [4.50], list_any_: [4.60] } }
  b: { uses: any, with: { it: [{ v: 5.10 }], v: '${{ params.v }}', j: '${{ params.j }}' } }
outputs: { o: 6.10 }
",
    );
    let numbers: Vec<_> = warnings.iter().map(|it| numbers(&it.message)).collect();
    assert_eq!(numbers, ["3.10=3.1", "3.30=3.3", "4.40=4.4", "4.60=4.6", "5.10=5.1", "6.10=6.1"]);
    let with = &workflow.nodes["a"].with;
    assert_eq!(with["text"], Template::Literal("4.10".into()));
    assert_eq!(with["list_text_"], Template::Literal(Value::List(vec!["4.50".into()])));
}
