//! Lists with gaps: items that were dropped or skipped.

use crate::QUICK;
use crate::support::Fanlight;

/// The second item of `a` fails and is dropped.
const DROPS: &str = "params: { names: { type: list<text>, default: [zero, one, two, three] } }
nodes:
  a:
    each: range(5)
    on_item_error: drop
    with: { n: '${{ item }}' }
    run: '[ \"$n\" != 1 ] || exit 1; echo n$n'
  stream: { each: '${{ a.stdout }}', with: { n: '${{ item }}' }, run: 'echo from-$n' }
  own: { each: '${{ a.stdout }}', with: { n: '${{ item }}', m: '${{ stream.stdout[index] }}' }, run: 'echo $n $m' }
  named: { each: '${{ a.stdout }}', with: { n: '${{ item }}', m: '${{ params.names[index] }}' }, run: 'echo $n $m' }
outputs: { own: '${{ own.stdout }}', named: '${{ named.stdout }}' }
";

#[test]
fn the_index_of_an_item_is_its_position_in_the_list_also_if_an_item_before_it_was_dropped() {
    let fanlight = Fanlight::new();
    fanlight.file("drops.yaml", DROPS);
    fanlight.say(&["run", "drops.yaml"]).exits(0).complains("a dropped 1 of 5 items");
    let run = fanlight.say(&["show", "last", "--json"]).exits(0).json().remove(0);
    let own = serde_json::json!(["n0 from-n0", "n2 from-n2", "n3 from-n3", "n4 from-n4"]);
    assert_eq!(run["outputs"]["own"], own);
    assert_eq!(run["outputs"]["named"], serde_json::json!(["n0 zero", "n2 one", "n3 two", "n4 three"]));
}

#[test]
fn items_that_are_skipped_for_an_absent_input_are_counted_with_the_reason() {
    let fanlight = Fanlight::new();
    let skips = "nodes:
  pick: { each: range(4), with: { m: '${{ [10, 20][index] }}' }, run: 'echo $m' }
  even: { each: range(4), if: index is even, run: 'echo even' }
outputs: { pick: '${{ pick.stdout }}', even: '${{ even.stdout }}' }
";
    fanlight.file("skips.yaml", skips);
    let said = fanlight.say(&["run", "skips.yaml"]).exits(0);
    assert!(said.err.contains("pick skipped 2 of 4 items ([2] input `m` is absent)"), "{}", said.err);
    assert!(!said.err.contains("even skipped"), "its `if` is false on purpose: {}", said.err);
    let shown = fanlight.say(&["show", "last"]).exits(0).out;
    for part in ["pick: 2 of 4 items skipped", "[2]  input `m` is absent", "[3]  input `m` is absent"] {
        assert!(shown.contains(part), "no `{part}` in:\n{shown}");
    }
    let run = fanlight.say(&["show", "last", "--json"]).exits(0).json().remove(0);
    let pick = &run["nodes"][0];
    assert_eq!((&pick["items_skipped"], &pick["item_skips"][1]["item"]), (&2.into(), &3.into()));
    assert_eq!(run["outputs"]["pick"], serde_json::json!(["10", "20"]));
}

#[test]
fn a_run_names_the_one_that_it_resumed() {
    let fanlight = Fanlight::new();
    fanlight.file("cb.yaml", "nodes: { a: { run: 'exit 1' } }\n");
    fanlight.say(&["run", "cb.yaml"]).exits(1);
    fanlight.say(&["resume", "cb#1"]).exits(0);
    let shown = fanlight.say(&["show", "cb#2"]).exits(0).out;
    assert!(shown.lines().any(|line| line.contains("resumed from") && line.ends_with("cb#1")), "{shown}");
}

#[test]
fn a_node_without_a_log_says_why() {
    let fanlight = Fanlight::new();
    let nodes = "nodes:
  no: { if: 1 > 2, run: echo no }
  text: { uses: text.template, with: { template: hello } }
  quiet: { run: 'true' }
";
    fanlight.file("quiet.yaml", nodes);
    fanlight.say(&["run", "quiet.yaml"]).exits(0);
    fanlight.say(&["logs", "last", "no"]).exits(0).complains("`no` was skipped: its `if` is false");
    fanlight.say(&["logs", "last", "text"]).exits(0).complains("`text` wrote no log");
    fanlight.say(&["logs", "last", "quiet"]).exits(0).complains("`quiet` wrote nothing");
}

#[test]
fn a_verb_without_runs_says_how_to_choose_them() {
    let fanlight = Fanlight::new();
    fanlight.say(&["cancel"]).exits(2).complains("`--workflow`, `--sweep`, `--queued` or `--all`");
    fanlight.say(&["resume"]).exits(2).complains("`--failed`, `--workflow` or `--sweep`");
    for verbs in [["assets", "ls"], ["cache", "list"], ["secrets", "ls"], ["plugin", "ls"], ["sweep", "ls"]] {
        fanlight.say(&verbs).exits(0);
    }
    fanlight.say(&["assets", "remove", "--help"]).exits(0);
    fanlight.say(&["plugin", "rm", "--help"]).exits(0);
}

#[test]
fn a_name_for_a_file_elsewhere_says_which_file_it_is() {
    let fanlight = Fanlight::new();
    std::fs::create_dir(fanlight.path("other")).unwrap();
    fanlight.file("other/quick.yaml", QUICK).say(&["run", "other/quick.yaml"]).exits(0);
    let said = fanlight.say(&["run", "quick"]).exits(0);
    assert!(!said.err.contains("`quick` is"), "it is below this folder: {}", said.err);
    std::fs::create_dir(fanlight.path("here")).unwrap();
    let run = crate::support::output(fanlight.command(&["run", "quick"]).current_dir(fanlight.path("here")));
    let err = String::from_utf8(run.stderr).unwrap();
    let file = fanlight.path("other/quick.yaml").canonicalize().unwrap();
    assert!(err.contains(&format!("`quick` is {}", file.display())), "{err}");
}

#[test]
fn what_is_no_run_command_or_asset_says_what_it_is() {
    let fanlight = Fanlight::new();
    fanlight.file("quick.yaml", QUICK);
    fanlight
        .say(&["quick.yaml"])
        .exits(2)
        .complains("no command `quick.yaml`")
        .complains("`fanlight run quick.yaml`");
    fanlight.say(&["run", "quick.yaml", "--sweep", "seed=1..2", "--name", "s9"]).exits(0);
    for verb in ["show", "metrics"] {
        fanlight.say(&[verb, "s9"]).exits(1).complains("`fanlight sweep show s9`");
        let said = fanlight.say(&[verb, "s8"]).exits(1);
        assert!(!said.err.contains("sweep show"), "{}", said.err);
    }
    std::fs::create_dir(fanlight.path("d")).unwrap();
    for line in [&["reproduce"][..], &["assets", "show"]] {
        fanlight.say(&[line, &["gone.png"]].concat()).exits(1).complains("no file `gone.png`");
        fanlight.say(&[line, &["d"]].concat()).exits(1).complains("`d` is a folder");
    }
}

#[test]
fn outputs_that_are_absent_are_named() {
    let fanlight = Fanlight::new();
    let nodes = "params: { n: { type: int, default: 1 } }
nodes:
  odd: { if: '${{ params.n % 2 == 1 }}', run: echo odd }
  all: { run: echo all }
outputs: { odd: \"${{ odd.stdout }}\", all: \"${{ all.stdout }}\" }
";
    fanlight.file("w.yaml", nodes);
    let said = fanlight.say(&["run", "w.yaml", "--sweep", "n=1..4"]).exits(0);
    said.complains("absent outputs: odd (in 2 of 4 completed runs)");
    let said = fanlight.say(&["run", "w.yaml", "-p", "n=2"]).exits(0).complains("absent outputs: odd\n");
    assert!(!said.out.contains("odd"), "{}", said.out);
    let shown = fanlight.say(&["show", "w#2"]).exits(0).out;
    let line = shown.lines().find(|line| line.starts_with("output odd")).unwrap_or_default();
    assert!(line.ends_with("absent"), "{shown}");
    let shown = fanlight.say(&["show", "w#1"]).exits(0).out;
    assert!(!shown.contains("absent"), "{shown}");
}
