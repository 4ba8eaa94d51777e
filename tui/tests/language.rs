//! The workflow language, with real commands.

#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "support/fanlight.rs"]
mod support;

use support::Fanlight;

#[test]
fn a_command_that_reads_an_absent_port_is_skipped_unless_its_condition_allows_it() {
    let fanlight = Fanlight::new();
    fanlight.file(
        "with.yaml",
        r#"
nodes:
  sk: { if: false, run: 'echo 1', outputs: { v: { json: v, type: int } } }
  len: { with: { n: "${{ sk.stdout | length }}" }, run: 'echo "n=$n"' }
  ent: { if: sk.v < 3 or true, run: 'echo entered' }
  alw: { if: always(), with: { n: "${{ sk.stdout | length }}", t: "v=${{ sk.v }}" }, run: 'echo "n=$n t=${t:-none}"' }
outputs:
  len: "${{ len.stdout }}"
  ent: "${{ ent.stdout }}"
  alw: "${{ alw.stdout }}"
"#,
    );
    let said = fanlight.say(&["run", "with.yaml"]).exits(0);
    assert_eq!(said.out, "with#1\talw\tn= t=none\n");
}

#[test]
fn a_failed_run_has_no_output_that_was_computed_from_an_absent_value() {
    let fanlight = Fanlight::new();
    fanlight.file(
        "fails.yaml",
        r#"
nodes:
  f:
    run: 'exit 1'
    outputs: { v: { json: v, type: int }, l: { glob: "*.nope", type: file }, p: { path: x.txt, type: file } }
outputs:
  not: "${{ not f.v }}"
  more: "${{ f.v > 3 }}"
  text: "got ${{ f.v }}"
  file: "${{ [f.p, f.v] }}"
  files: "${{ f.l | length }}"
  code: "${{ f.exit_code }}"
"#,
    );
    let said = fanlight.say(&["run", "fails.yaml"]).exits(1);
    assert_eq!(said.out, "fails#1\tcode\t1\n");
}

#[test]
fn the_example_with_a_failing_branch_can_be_resumed() {
    let fanlight = Fanlight::new();
    let said = fanlight.say(&["run", "slow_and_flaky", "-p", "seconds=0", "-p", "stumbles=0"]).exits(0);
    assert!(said.out.contains("6 naps, well rested, the rescue came"), "{}", said.out);
}

#[test]
fn a_training_that_diverges_keeps_its_finite_numbers() {
    let fanlight = Fanlight::new();
    fanlight.file(
        "w.yaml",
        r#"
params: { n: { type: int, default: 0 } }
nodes:
  train:
    with: { n: "${{ params.n }}" }
    run: |
      loss=0.5; [ "$n" = 1 ] && loss=NaN; [ "$n" = 2 ] && loss=-Infinity
      echo '{"type": "metric", "name": "loss", "value": '$loss'}' >> "$FANLIGHT_EVENTS"
      echo "epoch 1"
      echo '{"loss": '$loss', "acc": 0.5}'
    outputs: { loss: { json: loss, type: float }, acc: { json: acc, type: float } }
outputs: { loss: "${{ train.loss }}", acc: "${{ train.acc }}" }
"#,
    );
    let said = fanlight.say(&["run", "w.yaml", "--sweep", "n=0..2"]).exits(0);
    assert_eq!(
        said.out,
        "w#1\tloss\t0.5\nw#1\tacc\t0.5\nw#2\tloss\tNaN\nw#2\tacc\t0.5\nw#3\tloss\t-Infinity\nw#3\tacc\t0.5\n"
    );
}

#[test]
fn a_value_that_is_nested_too_deep_fails_only_its_node() {
    let fanlight = Fanlight::new();
    let deep = format!("{}{}", "[".repeat(126), "]".repeat(126));
    let document = format!(
        "nodes:\n  z: {{ run: \"echo '{{\\\"a\\\": {deep}}}'\", outputs: {{ v: {{ json: a, type: json }} }} }}\noutputs: {{ v: '${{{{ z.v }}}}' }}\n"
    );
    fanlight.file("w.yaml", &document);
    fanlight.say(&["run", "w.yaml"]).exits(1).complains("node `z` failed").complains("127 levels deep");
    // As deep as a value may be: what was taken can be read.
    fanlight.file("w.yaml", &document.replace(&deep, &format!("{}{}", "[".repeat(63), "]".repeat(63))));
    fanlight.say(&["run", "w.yaml"]).exits(0);
    let readable = || {
        fanlight.say(&["show", "w#1"]).exits(0);
        assert!(fanlight.say(&["show", "w#2"]).exits(0).out.contains("[[["));
        fanlight.say(&["show", "w#2", "--json"]).exits(0);
    };
    readable();
    fanlight.say(&["daemon", "stop"]).exits(0);
    readable();
}

#[test]
fn sweeps_over_texts_with_commas_and_lists_have_distinct_labels() {
    let fanlight = Fanlight::new();
    fanlight.file(
        "w.yaml",
        r#"
params: { prompt: { type: text, default: x }, l: { type: list<int>, default: [0] } }
nodes: { s: { uses: text.template, with: { template: "[{{ p }}] {{ l }}", p: "${{ params.prompt }}", l: "${{ params.l }}" } } }
outputs: { o: "${{ s.text }}" }
"#,
    );
    let said = fanlight.say(&["run", "w.yaml", "--sweep", r#"prompt="a cat, asleep","a dog""#]).exits(0);
    assert_eq!(said.out, "w#1\to\t[a cat, asleep] [0]\nw#2\to\t[a dog] [0]\n");
    let said = fanlight.say(&["run", "w.yaml", "--sweep", "l=[1],[2,3]", "--label", "batch"]).exits(0);
    assert_eq!(said.out, "w#3\to\t[x] [1]\nw#4\to\t[x] [2,3]\n");
    let labels: Vec<String> =
        fanlight.runs().iter().map(|run| run["label"].as_str().unwrap().to_owned()).collect();
    assert_eq!(labels, ["batch · l=[2,3]", "batch · l=[1]", "prompt=a dog", "prompt=a cat, asleep"]);
}

#[test]
fn params_from_files_are_checked_by_their_content() {
    let fanlight = Fanlight::new();
    fanlight.file("text.txt", "no picture").file(
        "w.yaml",
        "params: { d: { type: dir, default: . }, i: { type: image, default: text.txt } }
nodes: { a: { with: { d: '${{ params.d }}', i: '${{ params.i }}' }, run: ls } }
",
    );
    fanlight.say(&["run", "w.yaml", "-p", "d=text.txt"]).exits(2).complains("folder");
    fanlight.say(&["run", "w.yaml", "-p", "i=text.txt"]).exits(2).complains("image");
}

#[test]
fn a_link_to_a_device_is_not_a_workflow() {
    let fanlight = Fanlight::new();
    std::os::unix::fs::symlink("/dev/zero", fanlight.path("zero.yaml")).unwrap();
    fanlight.say(&["check", "zero.yaml"]).exits(2).complains("not a regular file");
    fanlight.say(&["run", "zero.yaml"]).exits(2).complains("not a regular file");
}

#[test]
fn an_unknown_pool_names_the_file_in_which_to_declare_it() {
    let fanlight = Fanlight::new();
    fanlight.file("w.yaml", "nodes: { a: { run: ls, pool: gpu } }\n");
    fanlight.say(&["run", "w.yaml"]).exits(2).complains("config.toml").complains("gpu = 1");
}

#[test]
fn a_reported_output_is_a_port_if_it_is_declared() {
    let fanlight = Fanlight::new();
    fanlight.file(
        "w.yaml",
        r#"
nodes:
  a:
    run: |
      echo '{"type": "output", "name": "weights", "value": [1, 2]}' >> "$FANLIGHT_EVENTS"
    outputs: { weights: { event: true, type: list<int> } }
  silent: { run: exit 0, allow_failure: true, outputs: { w: { event: true, type: int } } }
outputs: { sum: "${{ a.weights | sum }}", silent: "${{ silent.status }}" }
"#,
    );
    let said = fanlight.say(&["run", "w.yaml"]).exits(0);
    assert_eq!(said.out, "w#1\tsum\t3\nw#1\tsilent\tfailed\n");
}
