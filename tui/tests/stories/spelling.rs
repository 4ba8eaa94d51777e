//! Numbers whose spelling matters: versions, modes and the like.

use serde_json::{Value, json};

use crate::support::Fanlight;

const BUILDS: &str = "params:
  tags: { type: list<text>, default: [1.0, 1.20] }
  python: { type: text, default: 3.10 }
nodes:
  each: { each: [3.9, 3.10], with: { version: \"${{ item }}\" }, run: 'echo \"$version\"' }
  lines: { each: [{ python: 3.10, n: 2 }], cmd: [echo, \"py-${{ item.python }}\", \"${{ item.n }}\"] }
  fixed: { with: { version: 3.10, mode: 0755, n: 42, all: [1, 2.5] }, run: 'echo \"$version $mode $n $all\"' }
  given: { with: { tags: \"${{ params.tags }}\", python: \"${{ params.python }}\" }, run: 'echo \"$tags $python\"' }
outputs:
  each: \"${{ each.stdout }}\"
  lines: \"${{ lines.stdout }}\"
  fixed: \"${{ fixed.stdout }}\"
  params: \"${{ given.stdout }}\"
";

fn outputs(fanlight: &Fanlight, run: &str) -> Value {
    fanlight.say(&["show", run, "--json"]).exits(0).json().remove(0)["outputs"].clone()
}

#[test]
fn numbers_are_as_they_are_written_where_they_become_texts() {
    let fanlight = Fanlight::new();
    fanlight.file("builds.yaml", BUILDS);
    let checked = fanlight.say(&["check", "builds.yaml"]).exits(0);
    assert!(!checked.out.contains("number_spelling") && !checked.err.contains("number_spelling"));
    fanlight.say(&["run", "builds.yaml"]).exits(0);
    let made = outputs(&fanlight, "last");
    let expected = json!({
        "each": ["3.9", "3.10"],
        "lines": ["py-3.10 2"],
        "fixed": "3.10 0755 42 [1,2.5]",
        "params": "[\"1.0\",\"1.20\"] 3.10",
    });
    assert_eq!(made, expected);

    fanlight
        .say(&["run", "builds.yaml", "-p", "tags=[3.10, 1e3]", "--sweep", "python=[3.11, 3.20]"])
        .exits(0);
    assert_eq!(outputs(&fanlight, "builds#2")["params"], "[\"3.10\",\"1e3\"] 3.11");
    assert_eq!(outputs(&fanlight, "builds#3")["params"], "[\"3.10\",\"1e3\"] 3.20");
}

#[test]
fn a_number_that_may_be_meant_as_a_text_is_named_before_it_is_used() {
    let fanlight = Fanlight::new();
    let text = "nodes:
  a: { each: [3.9, 3.10], if: item > 3, with: { v: \"${{ item }}\" }, run: 'echo \"$v\"' }
outputs: { a: \"${{ a.stdout }}\" }
";
    fanlight.file("a.yaml", text);
    let warned = "`3.10` is the number 3.1 here";
    for verb in ["check", "run"] {
        let said = fanlight.say(&[verb, "a.yaml"]).exits(0);
        let said = format!("{}{}", said.out, said.err);
        assert!(said.contains(warned) && said.contains("a.yaml:2:20"), "{said}");
        assert!(said.contains("write \"3.10\" for the text, or 3.1 for the number"), "{said}");
    }
    assert_eq!(outputs(&fanlight, "last")["a"], json!(["3.9", "3.1"]));
}

#[test]
fn two_spellings_of_a_number_share_no_result() {
    let fanlight = Fanlight::new();
    let run = |version: &str| {
        let text = format!(
            "nodes:\n  a: {{ remember: true, with: {{ v: {version} }}, run: 'echo \"$v\"' }}\noutputs: {{ a: \"${{{{ a.stdout }}}}\" }}\n"
        );
        fanlight.file("a.yaml", &text);
        fanlight.say(&["run", "a.yaml"]).exits(0);
        let shown = fanlight.say(&["show", "last", "--json"]).exits(0).json().remove(0);
        (shown["outputs"]["a"].clone(), shown["nodes"][0]["state"].clone())
    };
    assert_eq!(run("3.10"), (json!("3.10"), json!("completed")));
    assert_eq!(run("3.1"), (json!("3.1"), json!("completed")));
    assert_eq!(run("\"3.10\""), (json!("3.10"), json!("cached")));
    assert_eq!(run("3.1"), (json!("3.1"), json!("cached")));
}
