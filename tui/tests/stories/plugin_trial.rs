//! `fanlight plugin test`: authors try their plugins, and hear what is wrong with them.

use std::fs;

use crate::support::{Fanlight, Said};

/// A plugin whose behaviour follows from its arguments.
const PROGRAM: &str = r#"
import json, os, sys, time

how = sys.argv[1:]
requests, responses = os.fdopen(3), os.fdopen(4, "w")

def say(**message):
    responses.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    responses.flush()

def described(count):
    number = {"type": "int", "summary": "A number."}
    summary = f"Says {count}." if "forgetful" in how else "Says one."
    effects = "external" if "external" in how else "none"
    types = [{"name": "try.one", "summary": summary, "effects": effects,
              "inputs": {"data": {"type": "any", "summary": "Anything.", "default": "x"},
                         "size": {"type": "int", "summary": "A size.", "min": 3, "optional": "video" not in how}},
              "outputs": {"number": number}}]
    if "video" in how:
        types[0]["inputs"] = {"video": {"type": "video", "summary": "A video."}}
    return {"node_types": types}

counts = {"describe": 0, "execute": 0}
for line in requests:
    message = json.loads(line)
    id, method = message.get("id"), message["method"]
    if method == "hello":
        say(id=id, result={"protocol": 1, "name": "try"})
    elif method in counts:
        counts[method] += 1
        if method == "describe":
            say(id=id, result=described(counts[method]))
        elif "deaf" in how and counts[method] > 1:
            time.sleep(600)
        else:
            open("executed", "a").write("x")
            if "wordy" in how:
                say(method="progress", params={"id": id, "value": "half"})
            if "flood" in how:
                for _ in range(2000):
                    say(method="log", params={"id": id, "message": "x"})
            say(id=id, result={"outputs": {"number": 1}})
if "stays" in how:
    time.sleep(600)
sys.exit(3 if "three" in how else 0)
"#;

/// Returns whether there is a Python; prints that the story is skipped otherwise.
fn has_python() -> bool {
    let has =
        std::process::Command::new("python3").arg("--version").output().is_ok_and(|it| it.status.success());
    if !has {
        fanlight_shared::testing::skip("there is no python3");
    }
    has
}

/// Returns a home with this grace.
fn home(grace: &str) -> Fanlight {
    let fanlight = Fanlight::new();
    fs::create_dir_all(fanlight.path("../h/config")).unwrap();
    fs::write(fanlight.path("../h/config/config.toml"), format!("grace = \"{grace}\"\n")).unwrap();
    fanlight
}

/// Tries the plugin that behaves so, with more lines in its manifest.
fn tried(how: &str, more: &str) -> Said {
    tried_and_counted(how, more).0
}

/// Does the same, and returns how many times a node type was executed.
fn tried_and_counted(how: &str, more: &str) -> (Said, usize) {
    // Only those that do nothing are not waited for; a busy machine must not make the others late.
    let (grace, timeout) = if ["stays", "deaf"].contains(&how) { ("2s", "5s") } else { ("60s", "60s") };
    let fanlight = home(grace);
    fs::create_dir(fanlight.path("try")).unwrap();
    let manifest = format!(
        "name = \"try\"\nversion = \"1\"\nprotocol = 1\ncommand = [\"python3\", \"try.py\", \"{how}\"]\n{more}"
    );
    fanlight.file("try/plugin.toml", &manifest).file("try/try.py", PROGRAM);
    let said = fanlight.say(&["plugin", "test", "try", "--timeout", timeout]);
    let executed = fs::read_to_string(fanlight.path("try/executed")).unwrap_or_default();
    (said, executed.len())
}

fn finds(said: &Said, text: &str) {
    assert!(said.out.contains(text), "no `{text}` in:\n{}{}", said.out, said.err);
}

#[test]
fn a_plugin_that_behaves_has_no_fault() {
    if !has_python() {
        return;
    }
    let said = tried("well", "").exits(0);
    for line in [
        "✓ `hello` and `describe`: try.one",
        "✓ an unknown notification: it describes the same again",
        "✓ the end of descriptor 3: it exits",
        "✓ `try.one`, generated inputs: number 1",
        "✓ `try.one`, cancelled: it answers, and its process stays",
        "✓ `try.one`, two at once: one after the other, in one process",
    ] {
        finds(&said, line);
    }
    assert_eq!(said.out.lines().count(), 6, "{}", said.out);
}

#[test]
fn each_fault_is_named_and_the_others_are_looked_for_all_the_same() {
    if !has_python() {
        return;
    }
    let faulty = |how: &str, line: &str| {
        let said = tried(how, "").exits(1);
        finds(&said, line);
        said
    };
    faulty("forgetful", "✗ an unknown notification: it describes other node types the second time");
    faulty("three", "✗ the end of descriptor 3: it ends with exit code 3 instead of 0");
    faulty("wordy", "✗ `try.one`, generated inputs: a notification is wrong, and was ignored");
    let said = faulty("stays", "✗ the end of descriptor 3: it did not exit within 2s");
    finds(&said, "✓ `try.one`, two at once");
    said.complains("the plugin has 1 fault");
    let said = faulty("deaf", "✗ `try.one`, cancelled: it did not answer within 2s");
    finds(&said, "✗ `try.one`, two at once: it did not end within 5s");
    said.complains("the plugin has 2 faults");
}

#[test]
fn what_can_t_be_tried_is_said() {
    if !has_python() {
        return;
    }
    let said = tried("external", "").exits(0);
    finds(&said, "– `try.one`, generated inputs: its effects are `external`");
    finds(
        &tried("video", "").exits(0),
        "– `try.one`, generated inputs: there is no value for the input `video`",
    );
    finds(&tried("flood", ""), "number 1, it writes so much that reading it was slowed down");
}

#[test]
fn the_examples_of_the_manifest_are_executed_and_compared() {
    if !has_python() {
        return;
    }
    let example = |node_type: &str, rest: &str| format!("[[example]]\ntype = \"{node_type}\"\n{rest}\n");
    let examples = [
        example("try.one", "inputs = { data = [1], size = 4 }\noutputs = { number = 1 }"),
        example("try.one", "outputs = { number = 2 }"),
        example("try.one", "outputs = { amount = 2 }"),
        example("try.one", "inputs = { size = 2 }"),
        example("try.one", "inputs = { sise = 4 }"),
        example("try.two", ""),
    ];
    let said = tried("external", &examples.concat()).exits(1);
    for line in [
        "✗ an example of plugin.toml: it describes no node type `try.two`",
        "✓ `try.one`, example 1: number 1",
        "✗ `try.one`, example 2: output `number`: expected 2, got 1",
        "✗ `try.one`, example 3: it has no output `amount`",
        "✗ `try.one`, example 4: the input `size`: 2 is less than 3",
        "✗ `try.one`, example 5: there is no input `sise`",
    ] {
        finds(&said, line);
    }
}

#[test]
fn what_a_daemon_would_refuse_is_a_fault() {
    if !has_python() {
        return;
    }
    let fanlight = home("2s");
    fs::create_dir(fanlight.path("odd")).unwrap();
    fanlight.file("odd/odd.py", include_str!("plugins/odd.py"));
    let cases = [
        ("crash", "it ended with exit code 1: first words / out of luck"),
        ("kill", "it crashed with signal 6"),
        ("garbage", "it wrote `this is no message`, which is not JSON"),
        ("refuse", "it refused: no thanks"),
        ("undeclared", "it gave the output `more`, but it declares text, count"),
        ("type", "output `count`: expected int, got text"),
        ("missing", "it gave no output `count`"),
        ("hang", "it did not end within 10s"),
    ];
    let examples: Vec<String> = cases
        .iter()
        .map(|(does, _)| format!("[[example]]\ntype = \"odd.do\"\ninputs = {{ does = \"{does}\" }}\n"))
        .collect();
    let file = "[[example]]\ntype = \"odd.file\"\ninputs = { path = \"/etc/passwd\", image = \"red.png\" }\n";
    fs::write(fanlight.path("odd/red.png"), b"no picture").unwrap();
    let manifest = "name = \"odd\"\nversion = \"1\"\nprotocol = 1\ncommand = [\"python3\", \"odd.py\"]\n";
    fanlight.file("odd/plugin.toml", &format!("{manifest}{}{file}", examples.concat()));
    let said = fanlight.say(&["plugin", "test", "odd", "--json", "--timeout", "10s"]).exits(1);
    let checks = said.json();
    for (index, (does, text)) in cases.iter().enumerate() {
        let what = format!("`odd.do`, example {}", index + 1);
        let check = checks.iter().find(|check| check["check"] == what).unwrap();
        assert_eq!(check["result"], "fault", "{does}");
        assert!(check["text"].as_str().unwrap().contains(text), "{does}: {check}");
    }
    let check = checks.iter().find(|check| check["check"] == "`odd.file`, example 1").unwrap();
    assert!(check["text"].as_str().unwrap().contains("the input `image`"), "{check}");

    fanlight.say(&["plugin", "test", "nowhere"]).exits(2).complains("nowhere can't be opened");
    fanlight.file("odd/plugin.toml", &manifest.replace("odd.py", "none.py"));
    let said = fanlight.say(&["plugin", "test", "odd"]).exits(1);
    finds(&said, "✗ `hello` and `describe`: it ended with exit code 2");
    assert_eq!(said.out.lines().count(), 1);
}

#[test]
fn a_type_with_external_effects_is_executed_once_for_each_example() {
    if !has_python() {
        return;
    }
    let example = "[[example]]\ntype = \"try.one\"\n";
    let (said, executed) = tried_and_counted("external", &example.repeat(2));
    let said = said.exits(0);
    for line in [
        "✓ `try.one`, example 2: number 1",
        "– `try.one`, cancelled: its effects are `external`, so it is executed only once for each example",
        "– `try.one`, two at once: its effects are `external`, so it is executed only once for each example",
    ] {
        finds(&said, line);
    }
    assert_eq!(executed, 2);
}
