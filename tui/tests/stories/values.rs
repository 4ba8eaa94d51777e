//! Large values, which are complete wherever they are requested.

use crate::process::peak_mib;
use crate::support::Fanlight;

const LONG: &str = "nodes:
  rows: { run: seq -w 1 20000 }
  copy: { uses: text.template, with: { template: \"{{ x }}\", x: \"${{ rows.stdout }}\" } }
  numbers:
    run: \"printf '['; seq -s, 1 20000 | tr -d '\\\\n'; printf ']'\"
    outputs: { all: { json: ., type: json } }
  each: { each: \"${{ range(3) }}\", run: seq -w 1 20000 }
  count: { with: { rows: \"${{ rows.stdout }}\", each: \"${{ each.stdout }}\" }, run: wc -l < $rows_file; wc -c < $each_file }
outputs:
  rows: \"${{ rows.stdout }}\"
  copy: \"${{ copy.text }}\"
  list: \"${{ [rows.stdout] }}\"
  numbers: \"${{ numbers.all }}\"
  each: \"${{ each.stdout }}\"
  count: \"${{ count.stdout }}\"
";

fn rows() -> String {
    let rows: Vec<String> = (1..=20_000).map(|number| format!("{number:05}")).collect();
    rows.join("\n")
}

#[test]
fn values_for_people_are_never_truncated() {
    let fanlight = Fanlight::new();
    fanlight.file("long.yaml", LONG);
    fanlight.say(&["run", "long.yaml", "--out", "o"]).exits(0);
    let saved = |name: &str| std::fs::read_to_string(fanlight.path("o/long-1").join(name)).unwrap();
    for name in ["rows.txt", "copy.txt", "list-0.txt", "each-0.txt", "each-2.txt"] {
        assert!(saved(name) == rows(), "{name} has {} bytes", saved(name).len());
    }
    let numbers: Vec<i64> = serde_json::from_str(&saved("numbers.json")).unwrap();
    assert_eq!((numbers.len(), numbers.last()), (20_000, Some(&20_000)));
    // The lines without the last line break; three texts as JSON, where a line break is two characters.
    let json = 3 * (rows().len() + 19_999 + 2) + 4;
    assert_eq!(saved("count.txt"), format!("19999\n{json}"));

    let shown = fanlight.say(&["show", "last", "--json"]).exits(0).json().remove(0);
    assert_eq!(shown["outputs"]["rows"].as_str().map(str::len), Some(rows().len()));
    assert_eq!(shown["outputs"]["each"][1].as_str().map(str::len), Some(rows().len()));

    let assets = fanlight.say(&["assets", "list", "--json"]).exits(0).json();
    let get = |port: &str| {
        let asset = assets.iter().find(|asset| asset["port"] == port).unwrap();
        let bytes = fanlight.say(&["assets", "get", asset["id"].as_str().unwrap()]).exits(0).out;
        assert_eq!(bytes.len() as u64, asset["bytes"].as_u64().unwrap(), "{port}");
        bytes
    };
    assert!(get("text") == rows());
    let all: Vec<i64> = serde_json::from_str(&get("all")).unwrap();
    assert_eq!(all.len(), 20_000);
    let list: Vec<String> = serde_json::from_str(&get("list")).unwrap();
    assert!(list[0] == rows());
    fanlight.say(&["doctor", "--deep"]).exits(0);
}

#[test]
fn stdout_that_can_not_be_kept_whole_fails_its_reader() {
    let fanlight = Fanlight::new();
    fanlight.file(
        "cut.yaml",
        "nodes:
  rows: { run: seq 1 200000 }
  count: { with: { rows: \"${{ rows.stdout }}\" }, run: wc -l < $rows_file }
  length: { run: echo $n, with: { n: \"${{ rows.stdout | length }}\" } }
  code: { run: echo $code, with: { code: \"${{ rows.exit_code }}\" } }
outputs: { rows: \"${{ rows.stdout }}\", code: \"${{ code.stdout }}\" }
",
    );
    let said = fanlight.say(&["run", "cut.yaml"]).exits(1);
    for reader in ["`count` failed", "`length` failed", "output `rows`"] {
        assert!(said.err.contains(reader), "{}", said.err);
    }
    assert!(said.err.contains("`path:`"), "{}", said.err);
    let shown = fanlight.say(&["show", "last", "--json"]).exits(0).json().remove(0);
    assert_eq!(shown["outputs"]["code"], "0", "what does not read it is not disturbed");
}

#[test]
fn many_long_texts_are_joined_without_holding_them_in_memory() {
    let fanlight = Fanlight::new();
    fanlight.file(
        "big.yaml",
        "nodes:
  e: { each: \"${{ range(150) }}\", run: 'head -c 1000000 /dev/zero | tr \"\\0\" x' }
  j: { uses: text.join, with: { items: \"${{ e.stdout }}\", separator: \"\" } }
  s: { with: { l: \"${{ e.stdout }}\", j: \"${{ j.text }}\" }, run: 'cat \"$l_file\" \"$j_file\" | wc -c' }
outputs: { s: \"${{ s.stdout }}\" }
",
    );
    let said = fanlight.say(&["run", "big.yaml"]).exits(0);
    let json = 150 * 1_000_002 + 151;
    assert!(said.out.trim().ends_with(&format!("\t{}", json + 150_000_000)), "{}", said.out);
    if let Some(peak) = peak_mib(&fanlight) {
        assert!(peak < 200, "the daemon used {peak} MiB for a list of 150 MB and a text as long");
    }
}

/// Returns a file whose every node makes twice what the one before made.
fn doubling(first: &str, again: impl Fn(&str) -> String) -> String {
    let mut file = format!("nodes:\n  n0: {first}\n");
    for node in 1..40 {
        file += &format!("  n{node}: {}\n", again(&format!("n{}", node - 1)));
    }
    file
}

#[test]
fn a_file_that_makes_ever_more_fails_by_name_and_the_daemon_stays_small() {
    let fanlight = Fanlight::new();
    let texts = doubling("{ uses: text.template, with: { template: xxxxxxxxxxxxxxxx } }", |node| {
        let item = format!("'${{{{ {node}.text }}}}'");
        format!("{{ uses: text.join, with: {{ items: [{item}, {item}], separator: '' }} }}")
    });
    let lists = doubling("{ uses: list.of, with: { a: 1, b: 2 } }", |node| {
        let item = format!("'${{{{ {node}.items }}}}'");
        format!("{{ uses: list.of, with: {{ a: {item}, b: {item} }} }}")
    });
    fanlight.file("texts.yaml", &texts).file("lists.yaml", &lists);
    for file in ["texts.yaml", "lists.yaml"] {
        fanlight.say(&["run", file]).exits(1).complains("MiB of values");
    }
    if let Some(peak) = peak_mib(&fanlight) {
        assert!(peak < 400, "the daemon used {peak} MiB");
    }
    fanlight.say(&["doctor"]).exits(0);
}

#[test]
fn long_params_are_complete_in_the_json_of_one_run_and_marked_in_lists() {
    let fanlight = Fanlight::new();
    let file = "params: { text: { type: text } }\nnodes: { n: { run: 'true', with: { text: \"${{ params.text }}\" } } }\n";
    fanlight.file("long.yaml", file).file("text.txt", &rows());
    let ended = fanlight.say(&["run", "long.yaml", "-p", "text=@text.txt", "--json"]).exits(0).json();
    let whole = |run: &serde_json::Value| {
        assert_eq!(run["params_short"], false);
        assert!(run["params"]["text"] == rows().as_str(), "{run}");
    };
    whole(&ended.last().unwrap()["runs"][0]);
    whole(&fanlight.say(&["show", "last", "--json"]).exits(0).json()[0]);
    whole(fanlight.say(&["watch", "last", "--json"]).exits(0).json().last().unwrap());
    assert_eq!(fanlight.runs()[0]["params_short"], true);
}

#[test]
fn a_long_list_of_files_is_counted_as_it_is() {
    let fanlight = Fanlight::new();
    let files = "{ glob: '*.txt', type: file }";
    let make = "run: for n in $(seq -w 40); do echo $n > long_name_of_a_file_$n.txt; done";
    fanlight.file("files.yaml", &format!("nodes:\n  make:\n    {make}\n    outputs: {{ files: {files} }}\n"));
    fanlight.say(&["run", "files.yaml"]).exits(0);
    let shown = fanlight.say(&["show", "last"]).exits(0).out;
    assert!(shown.contains("files=40 × file"), "{shown}");
}

#[test]
fn a_stdout_that_is_not_utf_8_is_in_the_log_and_is_not_passed_on() {
    let fanlight = Fanlight::new();
    let bytes = "nodes:\n  bytes:\n    run: printf 'a\\377b\\n'\n";
    fanlight.file("alone.yaml", bytes);
    fanlight.say(&["run", "alone.yaml"]).exits(0);
    assert!(fanlight.say(&["logs", "last"]).out.contains("a\u{fffd}b"));
    fanlight.file("read.yaml", &format!("{bytes}  reader:\n    cmd: [echo, '${{{{ bytes.stdout }}}}']\n"));
    fanlight
        .say(&["run", "read.yaml"])
        .exits(1)
        .complains("stdout is not UTF-8 text, so it can't be passed on");
}
