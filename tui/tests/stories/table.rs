//! Runs compared in a table.

use crate::support::Fanlight;

/// Measures something, and says a text.
const TRAIN: &str = "params:
  rate: { type: float, default: 0.1 }
  name: { type: text, default: plain }
nodes:
  train:
    run: |
      for step in 0 1 2; do
        echo \"{\\\"type\\\": \\\"metric\\\", \\\"name\\\": \\\"acc\\\", \\\"value\\\": $rate$step, \\\"goal\\\": \\\"max\\\"}\" >> \"$FANLIGHT_EVENTS\"
      done
      echo \"$name\"
      test \"$rate\" != 0.4
    with: { rate: \"${{ params.rate }}\", name: \"${{ params.name }}\" }
  picture: { uses: image.generate, with: { width: 8, height: 8 } }
outputs: { said: \"${{ train.stdout }}\", picture: \"${{ picture.image }}\" }
";

fn trained() -> Fanlight {
    let fanlight = Fanlight::new();
    fanlight.file("train.yaml", TRAIN);
    fanlight.say(&["run", "train.yaml", "--sweep", "rate=0.1,0.3,0.2,0.4", "--name", "rates"]).exits(1);
    fanlight
}

/// Returns the words of each line.
fn words(text: &str) -> Vec<Vec<&str>> {
    text.lines().map(|line| line.split_whitespace().collect()).collect()
}

#[test]
fn runs_are_compared_by_their_params_outputs_and_metrics() {
    let fanlight = trained();
    let shown =
        fanlight.say(&["table", "rates", "--columns", "run,state,rate,acc,best.acc,picture"]).exits(0).out;
    let lines = words(&shown);
    assert_eq!(lines[0], ["run", "state", "rate", "acc", "best.acc", "picture"]);
    assert_eq!(lines.len(), 5, "{shown}");
    assert_eq!(lines[1][..3], ["train#4", "failed", "0.4"]);
    assert_eq!(lines[1][3..5], ["0.42", "*"], "the best one is marked: {shown}");
    assert!(lines[2].last().unwrap().contains(".png"), "a picture is its name: {shown}");

    let all = fanlight.say(&["table", "train"]).exits(0).out;
    let heading = words(&all)[0].join(" ");
    assert_eq!(
        heading, "run state time rate said picture acc best.acc",
        "params that are the same are left out"
    );
    let three = [
        "table",
        "train#1",
        "train#2",
        "train:3",
        "--sort",
        "-acc",
        "--columns",
        "run,acc",
        "--where",
        "acc<0.3",
    ];
    let sorted = fanlight.say(&three).exits(0).out;
    assert_eq!(words(&sorted)[1..], [["train#3", "0.22", "*"].to_vec(), ["train#1", "0.12"].to_vec()]);
    let failed =
        fanlight.say(&["table", "train.yaml", "--where", "state=failed", "--columns", "run"]).exits(0).out;
    assert_eq!(words(&failed)[1..], [["train#4"]]);
    fanlight.say(&["table", "train", "--sort", "ac"]).exits(2).complains("did you mean `acc`?");
    fanlight.say(&["table", "train", "--where", "acc"]).exits(2).complains("is not a condition");
    fanlight.say(&["table", "trein"]).exits(1);
    fanlight
        .say(&["table", "train", "--limit", "2"])
        .exits(0)
        .complains("these are the newest 2 runs; `--limit` shows more");
}

#[test]
fn a_table_can_be_read_by_other_programs() {
    let fanlight = trained();
    let hostile = "a,\"b\"|<i>\u{1b}[31m";
    fanlight.say(&["run", "train.yaml", "-p", "rate=0.25", "-p", &format!("name={hostile}")]).exits(0);
    let csv = fanlight.say(&["table", "train", "--csv", "--sort", "rate"]).exits(0).out;
    let heading = csv.lines().next().unwrap();
    assert_eq!(heading, "run,state,label,time,cost,tokens,id,rate,name,said,picture,acc,best.acc");
    assert!(csv.lines().nth(1).unwrap().starts_with("train#1,completed,"), "{csv}");
    let own = csv.lines().find(|line| line.starts_with("train#5,")).unwrap();
    assert!(own.contains("\"a,\"\"b\"\"|<i>\u{1b}[31m\""), "a program gets it as it is: {own:?}");
    assert_eq!(csv.lines().count(), 6);

    fanlight.say(&["run", "train.yaml", "-p", "rate=inf"]).exits(0);
    let csv = fanlight.say(&["table", "train", "--csv", "--columns", "run,rate"]).exits(0).out;
    assert_eq!(csv.lines().nth(1), Some("train#6,Infinity"), "as in JSON");

    let rows = fanlight
        .say(&["table", "train", "--json", "--sort", "-rate", "--where", "run!=train#6"])
        .exits(0)
        .json();
    assert_eq!((rows[0]["run"].as_str(), rows[0]["acc"].as_f64()), (Some("train#4"), Some(0.42)));
    assert!(rows[0]["said"].is_null() || rows[0]["said"].is_string());
    let markdown = fanlight
        .say(&["table", "train", "--md", "--columns", "run,name,acc", "--where", "run!=train#6"])
        .exits(0)
        .out;
    let lines: Vec<&str> = markdown.lines().collect();
    assert_eq!(lines[..2], ["| run | name | acc |", "|---|---|---|"]);
    assert!(lines[2].starts_with("| train#5 | a,\"b\"\\|\\<i\\>"), "{}", lines[2]);
    assert!(lines[3].ends_with("| **0.42** |"), "{}", lines[3]);
}

#[test]
fn params_are_ranked_by_how_much_they_matter_for_a_number() {
    let fanlight = trained();
    let few = fanlight.say(&["table", "rates", "--importance", "acc"]).exits(1);
    few.complains("nothing can be said about `acc`: no param that varies has several runs");
    fanlight.say(&["table", "rates", "--importance", "ac"]).exits(2).complains("did you mean `acc`?");
    fanlight.say(&["table", "rates", "--importance", "acc", "--sort", "acc"]).exits(2);
    let again = [
        "run",
        "train.yaml",
        "--sweep",
        "rate=0.1,0.3",
        "--sweep",
        "name=a,b",
        "--repeat",
        "2",
        "--name",
        "both",
    ];
    fanlight.say(&again).exits(0);
    let said = fanlight.say(&["table", "both", "--importance", "acc"]).exits(0).complains("8 runs are few");
    let lines = words(&said.out);
    assert_eq!(lines[0], ["param", "importance", "correlation", "runs"]);
    assert_eq!(lines[1], ["rate", "1.00", "+1.00", "8"]);
    assert_eq!(lines[2], ["name", "0.00", "–", "8"]);
    let json = fanlight.say(&["table", "both", "--importance", "acc", "--json"]).exits(0).json();
    assert_eq!((&json[0]["param"], &json[0]["importance"]), (&"rate".into(), &1.0.into()), "{json:?}");
    assert_eq!(json[1]["correlation"], serde_json::Value::Null);
    let csv = fanlight.say(&["table", "both", "--importance", "acc", "--csv"]).exits(0).out;
    assert_eq!(csv, "param,importance,correlation,runs\nrate,1,1,8\nname,0,,8\n");
    let markdown = fanlight.say(&["table", "both", "--importance", "acc", "--md"]).exits(0).out;
    assert!(
        markdown.starts_with("| param | importance |") && markdown.contains("| rate | 1.00 | +1.00 | 8 |")
    );
}

#[test]
fn the_columns_that_the_readme_sorts_by_are_there() {
    let fanlight = Fanlight::new();
    fanlight.say(&["run", "train", "-p", "epochs=2"]).exits(0);
    let readme = include_str!("../../../README.md");
    let shown = readme.lines().filter_map(|line| line.trim().strip_prefix("fanlight table "));
    let shown: Vec<Vec<&str>> =
        shown.map(|it| it.split('#').next().unwrap().split_whitespace().collect()).collect();
    assert!(!shown.is_empty());
    for arguments in shown {
        fanlight.say(&[&["table"], &arguments[..]].concat()).exits(0);
    }
}
