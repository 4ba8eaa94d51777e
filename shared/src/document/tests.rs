use proptest::prelude::*;

use super::*;
use crate::node_type::Catalogue;
use crate::search::Range;
use crate::value::Value;
use crate::workflow::{Action, Shell};

fn codes(text: &str) -> Vec<String> {
    match read(text, &Catalogue::default()) {
        Ok(checked) => checked.warnings,
        Err(problems) => problems,
    }
    .into_iter()
    .map(|problem| problem.code)
    .collect()
}

#[test]
fn a_file_over_the_limits_is_refused_with_a_reason() {
    let large = format!("# {}\n", "x".repeat(FILE_LIMIT));
    assert_eq!(codes(&large), ["file_too_large"]);
    let mut many = String::from("nodes:\n");
    for number in 0..=NODE_LIMIT {
        many.push_str(&format!("  n{number}: {{ cmd: [echo] }}\n"));
    }
    assert_eq!(codes(&many), ["too_many_nodes"]);
    assert_eq!(codes("nodes: {}\0"), ["not_text"]);
}

#[test]
fn a_chain_of_ten_thousand_nodes_is_read() {
    let mut text = String::from("nodes:\n  n0: { cmd: [echo] }\n");
    for number in 1..NODE_LIMIT {
        text.push_str(&format!("  n{number}: {{ cmd: [echo, '${{{{ n{}.stdout }}}}'] }}\n", number - 1));
    }
    let checked = read(&text, &Catalogue::default()).unwrap();
    assert_eq!((checked.workflow.nodes.len(), checked.workflow.edges().len()), (NODE_LIMIT, NODE_LIMIT - 1));
    let closed = text.replacen("[echo]", &format!("[echo, '${{{{ n{}.stdout }}}}']", NODE_LIMIT - 1), 1);
    let problems = read(&closed, &Catalogue::default()).unwrap_err();
    assert_eq!(problems.len(), 1);
    assert!(problems[0].message.contains("n0 → n1 → n2"), "{}", problems[0].message);
}

#[test]
fn only_the_first_of_thousands_of_problems_are_reported() {
    let mut text = String::from("nodes:\n");
    for number in 0..NODE_LIMIT {
        text.push_str(&format!("  n{number}: {{ cmd: [echo, '${{{{ m{number}.stdout }}}}'], x: 1 }}\n"));
    }
    let problems = read(&text, &Catalogue::default()).unwrap_err();
    assert_eq!(problems.len(), PROBLEM_LIMIT + 1);
    assert_eq!(problems.last().map(|it| it.code.as_str()), Some("more_problems"));
}

#[test]
fn warnings_hide_no_error() {
    let mut text = String::from("nodes:\n");
    for number in 0..=PROBLEM_LIMIT {
        text.push_str(&format!("  n{number}: {{ run: a, with: {{ v: '{{{{ params.x }}}}' }} }}\n"));
    }
    text.push_str("  last: { run: a, x: 1 }\n");
    let problems = read(&text, &Catalogue::default()).unwrap_err();
    let codes: Vec<_> = problems.iter().rev().take(3).map(|it| it.code.as_str()).collect();
    assert_eq!(codes, ["more_problems", "unknown_key", "bare_braces"]);
    assert_eq!(problems.len(), PROBLEM_LIMIT + 1);
}

#[test]
fn a_warning_turns_nothing_off() {
    let text = "nodes:\n  a: { run: a, lock: '{{ params.x }}' }\n";
    let checked = read(text, &Catalogue::default()).unwrap();
    assert!(checked.workflow.nodes["a"].lock.is_some() && checked.warnings.len() == 1);
}

#[test]
fn arguments_stay_as_they_are_written() {
    let text = "nodes:\n  a: { cmd: [sleep, 1.50, true, 007, 'x y'] }\n";
    let workflow = read(text, &Catalogue::default()).unwrap().workflow;
    let Action::Cmd(arguments) = &workflow.nodes["a"].action else { panic!("a command") };
    assert_eq!(format!("{arguments:?}").matches("Text(").count(), 5, "{arguments:?}");
    assert!(format!("{arguments:?}").contains("\"1.50\""));
}

#[test]
fn a_script_knows_its_shell() {
    let text = "nodes:\n  a: { shell: python, run: print(1) }\n  b: { run: ls, shell: [zsh, -e] }\n  c: { run: ls }\n";
    let workflow = read(text, &Catalogue::default()).unwrap().workflow;
    let shell = |name: &str| match &workflow.nodes[name].action {
        Action::Run { shell, .. } => shell.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(shell("a"), Shell::Python);
    assert_eq!(shell("b"), Shell::Program(vec!["zsh".into(), "-e".into()]));
    assert_eq!(shell("c"), Shell::Default);
}

#[test]
fn json_is_yaml_too() {
    let text =
        r#"{"nodes": {"a": {"cmd": ["echo", "${{ run.label }}"]}}, "outputs": {"said": "${{ a.stdout }}"}}"#;
    assert_eq!(codes(text), Vec::<String>::new());
}

#[test]
fn windows_line_endings_and_a_byte_order_mark_are_accepted() {
    let text = "\u{feff}nodes:\r\n  a:\r\n    cmd: [echo]\r\n    wiht: {}\r\n";
    let problems = read(text, &Catalogue::default()).unwrap_err();
    assert_eq!((problems[0].span.start.line, problems[0].span.start.column), (4, 5));
}

/// Pieces of files, so that random files get past the first line.
fn piece() -> impl Strategy<Value = String> {
    let pieces = [
        "nodes:",
        "params:",
        "matrix:",
        "search:",
        "outputs:",
        "  a:",
        "  b: ",
        "    uses: x",
        "    run: |",
        "    with: ",
        "each: ",
        "if: ",
        "retry: ",
        "{",
        "}",
        "[",
        "]",
        ": ",
        "- ",
        "\n",
        "\n  ",
        "\n    ",
        " #",
        "'",
        "\"",
        "${{ ",
        " }}",
        "params.a",
        "a.image",
        "item",
        "&x ",
        "*x",
        "!t ",
        "<<: ",
        "1..6",
        "|",
        ">-",
        "---\n",
        "\t",
        "ü",
        "日",
        "\\",
        ",",
        "? ",
        "%",
        "@",
        "~",
        "type: int",
        "default: ",
        "first(",
        ")",
        "&&",
        ".",
        "[0]",
        "not ",
        "needs: ",
    ];
    prop_oneof![proptest::sample::select(pieces.to_vec()).prop_map(str::to_owned), ".{0,6}"]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_reading_panic(pieces in proptest::collection::vec(piece(), 0..40)) {
        let text = pieces.concat();
        if let Err(problems) = read(&text, &Catalogue::default()) {
            prop_assert!(!problems.is_empty());
            let shown = render_problems(&problems, "f.yaml", &text);
            prop_assert!(!shown.chars().any(|it| it.is_control() && it != '\n'));
        }
    }

    #[test]
    fn no_expression_makes_parsing_panic(pieces in proptest::collection::vec(piece(), 0..12)) {
        drop(crate::expression::Expression::parse(&pieces.concat(), Span::default()));
    }

    #[test]
    fn no_range_makes_reading_panic(text in "[-0-9./,e a]{0,16}") {
        drop(sweep_values(&text, &crate::types::Type::Int));
        drop(sweep_values(&text, &crate::types::Type::Float));
        drop(sweep_values(&text, &crate::types::Type::Any));
    }
}

fn problem(text: &str) -> (String, String) {
    let problems = read(text, &Catalogue::default()).unwrap_err();
    let Some(problem) = problems.into_iter().next() else { panic!("a problem") };
    (problem.message, problem.hint.unwrap_or_default())
}

#[test]
fn a_reported_output_is_a_port_once_it_is_declared() {
    let reads = |outputs: &str| {
        format!("nodes:\n  a: {{ run: ls{outputs} }}\n  b: {{ cmd: [echo, '${{{{ a.weights }}}}'] }}\n")
    };
    let (message, hint) = problem(&reads(""));
    assert_eq!(message, "node `a` has no port `weights`");
    assert!(hint.contains("outputs: { weights: { event: true, type: … } }"), "{hint}");
    assert!(
        read(&reads(", outputs: { weights: { event: true, type: file } }"), &Catalogue::default()).is_ok()
    );
    let (message, _) = problem(&reads(", outputs: { weights: { event: true, path: x, type: file } }"));
    assert!(message.contains("exactly one of"), "{message}");
}

#[test]
fn a_shell_that_cannot_run_a_script_is_refused() {
    let shell = |words: &str| format!("nodes:\n  a: {{ run: ls, shell: [{words}] }}\n");
    for words in ["node, '-'", "bash, -c", "python3, -c", "node, --eval", "/usr/bin/perl, -e"] {
        let (message, hint) = problem(&shell(words));
        assert!(message.contains("script") && hint.contains("last argument"), "{words}: {message}");
    }
    for words in ["bash, -e", "node", "awk, -f", "sh, -e", "perl, -w"] {
        assert!(read(&shell(words), &Catalogue::default()).is_ok(), "{words}");
    }
}

#[test]
fn a_hint_for_a_time_limit_of_another_format_keeps_its_number() {
    let hint = |key: &str| problem(&format!("nodes:\n  a: {{ run: ls, {key} }}\n")).1;
    assert_eq!(hint("timeout-minutes: 10"), "write `timeout: 10m`");
    assert_eq!(hint("timeout_seconds: 90"), "write `timeout: 90s`");
    assert_eq!(hint("timeout-minutes: soon"), "write `timeout: 5m`");
}

#[test]
fn resources_are_numbers_sizes_and_durations_or_expressions() {
    let params = "params: { rows: { type: int, default: 5 } }\n";
    let node = |resources: &str| {
        format!("{params}nodes:\n  a: {{ run: ls }}\n  b: {{ run: ls, resources: {resources} }}\n")
    };
    let said = |resources: &str| problem(&node(resources));
    let text = node(
        "{ cpus: '${{ params.rows / 2 }}', memory: \"${{ params.rows }} GB\", time: 30m, disk: '${{ a.exit_code }}' }",
    );
    let checked = read(&text, &Catalogue::default()).unwrap();
    assert!(checked.workflow.edges().iter().any(|edge| edge.id() == "a.exit_code>b.resources"));
    let fixed = checked.workflow.nodes["b"].resources.as_ref().unwrap().fixed();
    assert_eq!((fixed.cpus, fixed.time), (0, Some(std::time::Duration::from_secs(1800))));

    let typo = said("{ cpu: 2 }");
    assert_eq!(typo, ("`resources` has no key `cpu`".into(), "write `cpus: 2`".into()));
    assert!(said("{ memry: 4GB }").1.contains("did you mean `memory`?"));
    assert!(said("{ memory: 4 }").0.contains("`resources.memory` must be at least 1 MB, got 4 B"));
    assert!(said("{ cpus: 0 }").0.contains("`resources.cpus` must be a number more than 0"));
    assert!(said("{ time: 30 }").0.contains("`resources.time` must be a duration"));
    assert!(said("{ gpus: 1.5 }").0.contains("`resources.gpus` must be a number of whole GPUs"));
    assert_eq!(said("{ gpu: 1 }").1, "write `gpus: 1`");
    assert!(said("{ cpus: [1] }").0.contains("must be a number"));
    assert!(said("{}").0.contains("asks for nothing"));
    assert!(said("2").0.contains("must be a map such as"));
    assert!(said("{ memory: '${{ secrets.size }}' }").0.contains("can't read a secret"));
    let key = problem("nodes:\n  a: { run: ls, memory: 4GB }\n");
    assert_eq!(key.1, "write `resources: { cpus: 2, memory: 4GB }`");
}

#[test]
fn a_timeout_beside_the_time_of_the_resources_is_the_one_that_applies() {
    let text = "nodes:\n  a: { run: ls, timeout: 1m, resources: { time: 2m } }\n";
    let warnings = read(text, &Catalogue::default()).unwrap().warnings;
    assert_eq!(
        warnings[0].message,
        "`resources.time` has no effect beside `timeout`, which is the time limit here"
    );
}

#[test]
fn every_node_has_a_status() {
    let text = "nodes:\n  a: { run: ls, allow_failure: true }\n  b: { run: ls, if: a.status == 'failed' }\n";
    assert!(read(text, &Catalogue::default()).is_ok());
}

#[test]
fn json_with_escaped_pairs_is_read_and_its_positions_stay() {
    let text = r#"{"nodes": {"a": {"cmd": ["echo", "\ud83d\ude00 ${{ params.no }}"], "x": 1}}}"#;
    let places = |text: &str| -> Vec<_> {
        let problems = read(text, &Catalogue::default()).unwrap_err();
        problems.into_iter().map(|it| (it.code, it.span)).collect()
    };
    let plain = places(&text.replace(r"\ud83d\ude00", "twelve chars"));
    assert_eq!((places(text), plain.len()), (plain, 2));
    let good = text.replace(" ${{ params.no }}", "").replace(", \"x\": 1", "");
    let workflow = read(&good, &Catalogue::default()).unwrap().workflow;
    assert!(format!("{:?}", workflow.nodes["a"].action).contains('😀'));
    let problem =
        read("nodes: { a: { cmd: [\"\\ud83d\\ude00\"] } }", &Catalogue::default()).unwrap_err().remove(0);
    assert!(problem.hint.is_some_and(|it| it.contains("write the character itself")), "{}", problem.message);
}

#[test]
fn texts_keep_their_spelling_wherever_values_of_params_are_written() {
    let text = "params:
  python: { type: choice, choices: ['3.9', '3.10'], default: 3.10 }
  tags: { type: list<text>, default: [007, 1e3, 3.10] }
  n: { type: int, default: 7 }
matrix:
  python: [3.9, 3.10]
  n: [1, 2]
  include: [{ python: 3.10, n: 3, tags: [007] }]
  exclude: [{ python: 3.10, n: 2 }]
search: { space: { python: [3.9, 3.10] }, minimize: loss, trials: 2 }
nodes: { a: { run: echo, outputs: { loss: { json: loss, type: float } } } }
outputs: { loss: '${{ a.loss }}' }
";
    let workflow = read(text, &Catalogue::default()).unwrap().workflow;
    let texts = |words: &[&str]| Value::List(words.iter().map(|it| Value::from(*it)).collect());
    assert_eq!(workflow.params["tags"].default, Some(texts(&["007", "1e3", "3.10"])));
    assert_eq!(workflow.params["n"].default, Some(Value::Int(7)));
    assert_eq!(workflow.matrix.axes["python"], [Value::from("3.9"), Value::from("3.10")]);
    assert_eq!(workflow.matrix.axes["n"], [Value::Int(1), Value::Int(2)]);
    assert_eq!(workflow.matrix.include[0]["python"], Value::from("3.10"));
    assert_eq!(workflow.matrix.include[0]["tags"], texts(&["007"]));
    assert_eq!(workflow.matrix.exclude[0]["python"], Value::from("3.10"));
    let range = &workflow.search.unwrap().space["python"];
    assert!(
        matches!(range, Range::Choice { values } if *values == [Value::from("3.9"), Value::from("3.10")])
    );
}
