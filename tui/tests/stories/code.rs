//! JavaScript in workflows, with a real worker.

use crate::support::Fanlight;

#[test]
fn code_has_typed_outputs_and_a_log_and_its_errors_name_their_line() {
    let fanlight = Fanlight::new();
    fanlight.file(
        "code.yaml",
        r#"
params: { words: { type: list<text>, default: [pen, "${HOME}", "'; throw 1"] } }
nodes:
  count:
    uses: code.js
    with:
      words: "${{ params.words }}"
      code: |
        console.warn("counted", inputs.words.length);
        return { count: inputs.words.length, last: inputs.words.at(-1) };
    outputs: { count: int, last: text }
  twice: { run: echo $((2 * n)), with: { n: "${{ count.count }}" } }
  wrong:
    uses: code.js
    allow_failure: true
    with: { code: "const rows = [];\nreturn rows[0].name;" }
outputs: { last: "${{ count.last }}", twice: "${{ twice.stdout }}" }
"#,
    );
    let said = fanlight.say(&["run", "code.yaml"]).exits(0);
    assert_eq!(said.out, "code#1\tlast\t'; throw 1\ncode#1\ttwice\t6\n");
    let log = fanlight.say(&["logs", "last", "count"]).exits(0);
    assert!(log.out.contains("warn: counted 3"), "{}", log.out);
    let shown = fanlight.say(&["show", "last"]).exits(0);
    assert!(shown.out.contains("the code, line 2: TypeError"), "{}", shown.out);
}

#[test]
fn code_that_hangs_ends_with_the_timeout_of_its_node_and_others_go_on() {
    let fanlight = Fanlight::new();
    fanlight.file(
        "hang.yaml",
        r#"
nodes:
  hang: { uses: code.js, timeout: 500ms, allow_failure: true, with: { code: "for (;;) {}" } }
  grow: { uses: code.js, allow_failure: true, with: { code: "const all = []; for (;;) all.push([all.length])" } }
  fine: { needs: [hang, grow], if: always(), uses: code.js, with: { code: return 3 } }
outputs: { fine: "${{ fine.value }}", hang: "${{ hang.status }}", grow: "${{ grow.status }}" }
"#,
    );
    let said = fanlight.say(&["run", "hang.yaml"]).exits(0);
    assert_eq!(said.out, "hang#1\tfine\t3\nhang#1\thang\tfailed\nhang#1\tgrow\tfailed\n");
    let shown = fanlight.say(&["show", "last"]).exits(0);
    assert!(shown.out.contains("takes more than 256 MiB"), "{}", shown.out);
}
