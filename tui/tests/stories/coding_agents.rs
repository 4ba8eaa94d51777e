//! Coding agents as nodes: stand-ins that print the streams of real ones.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use crate::support::{Fanlight, wait_for};

/// A stand-in of Claude Code that mends `sum.py` in the folder in which it is started.
const MENDS: &str = r#"#!/bin/sh
printf '%s' '{"type":"system","subtype":"init","mod'
printf '%s\n' 'el":"claude-sonnet-4-5"}'
echo '{"type":"assistant","message":{"id":"m1","model":"claude-sonnet-4-5","content":[{"type":"tool_use","id":"p","name":"ExitPlanMode","input":{"plan":"1. mend 2. test"}}],"usage":{"input_tokens":90,"output_tokens":9}}}'
echo '{"type":"assistant","message":{"id":"m2","model":"claude-sonnet-4-5","content":[{"type":"tool_use","id":"t","name":"TodoWrite","input":{"todos":[{"content":"mend","status":"in_progress"}]}}]}}'
echo '{"type":"assistant","message":{"id":"m3","model":"claude-sonnet-4-5","content":[{"type":"tool_use","id":"e","name":"Edit","input":{"file_path":"sum.py"}}]}}'
echo 'print(1 + 1)' > sum.py
echo 'one more' > new.txt
mkdir -p ignored; echo x > ignored/y
echo '{"type":"user","message":{"content":[{"type":"tool_result","tool_use_id":"e","content":"ok"}]}}'
[ -z "$WAIT" ] || until [ -e "$WAIT" ]; do sleep 0.05; done
echo 'a warning' >&2
for last; do :; done
printf '{"type":"result","subtype":"success","is_error":false,"result":"Mended: %s","total_cost_usd":0.25,"modelUsage":{"claude-sonnet-4-5":{"inputTokens":100,"outputTokens":10,"costUSD":0.25}}}' "$last"
"#;

fn script(fanlight: &Fanlight, name: &str, text: &str) -> String {
    let path = fanlight.path(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
    path.display().to_string()
}

fn git(folder: &std::path::Path, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=a", "-c", "user.email=a@example.com"]).args(arguments).current_dir(folder);
    let output = command.output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Makes a work tree with one commit, something staged and something changed.
fn work_tree(fanlight: &Fanlight) -> std::path::PathBuf {
    let folder = fanlight.path("code");
    fs::create_dir(&folder).unwrap();
    git(&folder, &["init", "-q"]);
    fs::write(folder.join("sum.py"), "print(1 - 1)\n").unwrap();
    fs::write(folder.join(".gitignore"), "ignored\n").unwrap();
    git(&folder, &["add", "."]);
    git(&folder, &["commit", "-qm", "begin"]);
    fs::write(folder.join("staged.txt"), "staged\n").unwrap();
    git(&folder, &["add", "staged.txt"]);
    fs::write(folder.join("mine.txt"), "not the agent's\n").unwrap();
    folder
}

#[test]
fn an_agent_mends_a_file_of_a_work_tree_and_its_changes_are_a_patch() {
    let fanlight = Fanlight::new();
    let folder = work_tree(&fanlight);
    let before = (git(&folder, &["status", "--porcelain"]), git(&folder, &["count-objects"]));
    let agent = script(&fanlight, "agent.sh", MENDS);
    fanlight.file(
        "mend.yaml",
        &format!(
            r#"nodes:
  mend:
    uses: agent.command
    with: {{ agent: claude, command: ["{agent}"], prompt: "--mend it", folder: code }}
  apply:
    cmd: [git, apply, --stat, "${{{{ mend.patch }}}}"]
outputs:
  text: "${{{{ mend.text }}}}"
  usage: "${{{{ mend.usage }}}}"
  patch: "${{{{ mend.patch }}}}"
  stat: "${{{{ apply.stdout }}}}"
  status: "${{{{ mend.status }}}}"
"#
        ),
    );
    let said = fanlight.say(&["run", "mend.yaml", "--json", "--out", "out"]).exits(0);
    let ended =
        said.json().into_iter().find(|it| it["node"] == "mend" && it["ended"] == "completed").unwrap();
    let activity = &ended["activity"];
    assert_eq!(
        (&activity["plan"], &activity["tasks"][0]["title"]),
        (&"1. mend 2. test".into(), &"mend".into())
    );
    assert_eq!(activity["tool_calls"][2]["result"]["text"], "ok");
    assert_eq!(activity["predictions"][0]["output_tokens"], 10);
    let end = said.json().pop().unwrap();
    let spent = r#"{"cost_usd":0.25,"input_tokens":100,"output_tokens":10,"unpriced":false}"#;
    assert_eq!(end["runs"][0]["spent"].to_string(), spent);

    let patch = fs::read_to_string(fanlight.path("out/mend-1/patch.patch")).unwrap();
    let files: Vec<&str> = patch.lines().filter_map(|line| line.strip_prefix("diff --git a/")).collect();
    assert_eq!(files, ["new.txt b/new.txt", "sum.py b/sum.py"]);
    assert!(patch.contains("-print(1 - 1)\n+print(1 + 1)"), "{patch}");
    let shown = fanlight.say(&["show", "mend", "--json"]).exits(0).out;
    assert!(shown.contains("Mended: --mend it"), "{shown}");

    // The agent changed files only; its look at the repository changed nothing there.
    let kept = |status: &str| status.lines().any(|line| line == "A  staged.txt");
    let after = git(&folder, &["status", "--porcelain"]);
    assert!(kept(&before.0) && kept(&after), "{after}");
    assert!(after.contains("?? new.txt") && after.contains(" M sum.py"), "{after}");
    assert_eq!(git(&folder, &["count-objects"]), before.1);
    git(&folder, &["checkout", "-q", "sum.py"]);
    fs::remove_file(folder.join("new.txt")).unwrap();
    git(&folder, &["apply", &fanlight.path("out/mend-1/patch.patch").display().to_string()]);
    assert_eq!(fs::read_to_string(folder.join("sum.py")).unwrap(), "print(1 + 1)\n");

    let log = fanlight.say(&["logs", "mend", "mend"]).exits(0).out;
    for line in [
        "plan: 1. mend 2. test",
        "task 1 running: mend",
        r#"of Edit: {"file_path":"sum.py"}"#,
        "Mended: --mend it",
        "a warning",
    ] {
        assert!(log.contains(line), "{line} is not in\n{log}");
    }
    assert!(!log.contains("subtype"), "the log is what it says, not its JSON:\n{log}");
}

#[test]
fn an_agent_works_in_a_copy_of_a_folder_which_the_next_node_gets() {
    let fanlight = Fanlight::new();
    fs::create_dir(fanlight.path("code")).unwrap();
    fanlight.file("code/sum.py", "print(1 - 1)\n");
    let agent = script(&fanlight, "agent.sh", MENDS);
    fanlight.file(
        "mend.yaml",
        &format!(
            r#"params:
  code: {{ type: dir }}
nodes:
  mend:
    uses: agent.command
    with: {{ agent: claude, command: ["{agent}"], prompt: mend, project: "${{{{ params.code }}}}" }}
  test:
    run: cat "$dir/sum.py" "$dir/new.txt"; grep -c '^[+]' "$patch"
    with: {{ dir: "${{{{ mend.dir }}}}", patch: "${{{{ mend.patch }}}}" }}
outputs:
  test: "${{{{ test.stdout }}}}"
"#
        ),
    );
    fanlight.say(&["run", "mend.yaml", "-p", "code=code"]).exits(0);
    let log = fanlight.say(&["logs", "mend", "test"]).exits(0).out;
    assert_eq!(log, "print(1 + 1)\none more\n6\n");
    assert_eq!(fs::read_to_string(fanlight.path("code/sum.py")).unwrap(), "print(1 - 1)\n");
}

/// Runs an agent and returns what the person reads.
fn fails(fanlight: &Fanlight, agent: &str, text: &str, timeout: &str) -> String {
    let path = script(fanlight, "agent.sh", &format!("#!/bin/sh\n{text}\n"));
    fanlight.file(
        "fail.yaml",
        &format!(
            "nodes:\n  work:\n    uses: agent.command\n    timeout: {timeout}\n    with: {{ agent: {agent}, command: [\"{path}\"], prompt: x }}\n"
        ),
    );
    fanlight.say(&["run", "fail.yaml"]).exits(1).err
}

#[test]
fn an_agent_that_does_not_say_to_its_end_what_it_did_fails_by_name() {
    let fanlight = Fanlight::new();
    let text = r#"echo '{"type":"assistant","message":{"content":[{"type":"text","text":"I begin"}]}}'"#;
    let good = r#"echo '{"type":"result","subtype":"success","is_error":false,"result":"ok"}'"#;
    let error = r#"echo '{"type":"result","subtype":"success","is_error":true,"result":"Credit balance is too low"}'"#;
    for (agent, script, expected) in [
        ("claude", text.to_owned(), "the output of claude ends without its last record (`result`)"),
        (
            "claude",
            format!("{text}; echo oops; {good}"),
            "line 2 of its output can't be read: it is not JSON: `oops`",
        ),
        ("claude", format!("{text}; {error}; exit 1"), "claude failed: Credit balance is too low"),
        ("claude", error.to_owned(), "claude failed: Credit balance is too low"),
        ("claude", format!("{good}; echo trouble >&2; exit 3"), "exit code 3"),
        ("claude", format!("{text}; kill -9 $$"), "SIGKILL"),
        ("claude", format!("{text}; sleep 60"), "timed out after 2s"),
        (
            "codex",
            r#"echo '{"type":"turn.failed","error":{"message":"quota"}}'; exit 1"#.to_owned(),
            "codex failed: quota",
        ),
        ("gemini", r#"echo '{"type":"init"}'"#.to_owned(), "ends without its last record"),
        ("plain", "true".to_owned(), "the agent wrote nothing"),
    ] {
        let timeout = if expected.starts_with("timed out") { "2s" } else { "300s" };
        let said = fails(&fanlight, agent, &script, timeout);
        assert!(said.contains(expected), "expected `{expected}` of {agent} `{script}`:\n{said}");
    }
    fanlight.file("none.yaml", "nodes:\n  work:\n    uses: agent.command\n    with: { agent: codex, command: [no-such-agent], prompt: x }\n");
    let said = fanlight.say(&["run", "none.yaml"]).exits(1).err;
    assert!(said.contains("a program was not found"), "{said}");
}

#[test]
fn an_agent_survives_its_daemon_and_is_read_to_its_end_by_the_next_one() {
    let fanlight = Fanlight::new();
    let folder = work_tree(&fanlight);
    let agent = script(&fanlight, "agent.sh", MENDS);
    let go = fanlight.path("go");
    fanlight.file(
        "mend.yaml",
        &format!(
            r#"nodes:
  mend:
    uses: agent.command
    with: {{ agent: claude, command: ["{agent}"], prompt: it, folder: code, env: {{ WAIT: "{}" }} }}
outputs:
  text: "${{{{ mend.text }}}}"
  patch: "${{{{ mend.patch }}}}"
"#,
            go.display()
        ),
    );
    fanlight.say(&["run", "mend.yaml", "--detach"]).exits(0);
    wait_for("the work of the agent", || folder.join("new.txt").exists());
    fanlight.kill_daemon();
    fs::write(&go, "").unwrap();
    fanlight.await_states(&["completed"]);
    let shown = fanlight.say(&["show", "mend", "--json"]).exits(0).json().remove(0);
    assert_eq!(shown["spent"]["cost_usd"], 0.25, "{shown}");
    assert!(
        shown.to_string().contains("Mended: it") && shown.to_string().contains("changes.patch"),
        "{shown}"
    );
    let log = fanlight.say(&["logs", "mend", "mend"]).exits(0).out;
    assert_eq!(log.matches("plan: 1. mend 2. test").count(), 1, "{log}");
}

#[test]
fn a_cancelled_agent_is_ended_and_its_changes_are_recorded() {
    let fanlight = Fanlight::new();
    let folder = work_tree(&fanlight);
    let agent = script(&fanlight, "agent.sh", MENDS);
    fanlight.file(
        "mend.yaml",
        &format!(
            "nodes:\n  mend:\n    uses: agent.command\n    with: {{ agent: claude, command: [\"{agent}\"], prompt: it, folder: code, env: {{ WAIT: never }} }}\n"
        ),
    );
    fanlight.say(&["run", "mend.yaml", "--detach"]).exits(0);
    wait_for("the work of the agent", || folder.join("new.txt").exists());
    fanlight.say(&["cancel", "mend"]).exits(0);
    fanlight.await_states(&["cancelled"]);
    let assets = fanlight.say(&["assets", "list", "--json"]).out;
    assert!(assets.contains("changes.patch"), "{assets}");
}

#[test]
fn three_agents_race_and_the_tests_tell_who_was_right() {
    let fanlight = Fanlight::new();
    let said = fanlight.say(&["run", "agents_race", "--json"]).exits(0).json();
    let outputs = &said.last().unwrap()["runs"][0]["outputs"];
    assert_eq!(outputs["passed"], serde_json::json!([true, true, false]), "{outputs}");
    assert_eq!(outputs["patches"].as_array().unwrap().len(), 3);
    assert_eq!(outputs["answers"][1], "The standard library has a median; I use it.");
}
