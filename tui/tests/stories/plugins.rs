//! Plugins: added by a person, used by workflows, and never trusted.

use std::fs;

use crate::support::{Fanlight, Said, wait_for};

const DO: &str = "params:
  does: { type: text }
nodes:
  a: { uses: odd.do, with: { does: \"${{ params.does }}\" } }
outputs: { text: \"${{ a.text }}\", count: \"${{ a.count }}\" }
";

const FILE: &str = "params:
  path: { type: text }
nodes:
  picture: { uses: image.generate, with: { width: 8, height: 8 } }
  a: { uses: odd.file, with: { path: \"${{ params.path }}\", image: \"${{ picture.image }}\" } }
outputs: { file: \"${{ a.file }}\" }
";

const MANIFEST: &str = "name = \"odd\"
version = \"1.0\"
protocol = 1
command = [\"python3\", \"odd.py\"]
";

/// A plugin in the language of shells: it knows its requests by their words.
const SHELL: &str = r#"
while read -r line <&3; do
  id=$(printf %s "$line" | sed 's/.*"id":\([0-9]*\).*/\1/')
  case $line in
    *'"method":"hello"'*) result='{"protocol":1,"name":"sh"}' ;;
    *'"method":"describe"'*) result='{"node_types":[{"name":"sh.pid","summary":"Says its number.","effects":"none",
      "outputs":{"pid":{"type":"int","summary":"The number."}}}]}' ;;
    *'"method":"execute"'*) echo working; result="{\"outputs\":{\"pid\":$$}}" ;;
    *) continue ;;
  esac
  echo "{\"jsonrpc\":\"2.0\",\"id\":$id,\"result\":$result}" | tr '\n' ' ' >&4
  echo >&4
done
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

/// Writes the folder of the odd plugin.
fn odd(fanlight: &Fanlight) {
    fs::create_dir_all(fanlight.path("odd")).unwrap();
    fanlight.file("odd/plugin.toml", MANIFEST).file("odd/odd.py", include_str!("plugins/odd.py"));
    fanlight.file("do.yaml", DO).file("file.yaml", FILE);
}

fn config(fanlight: &Fanlight, text: &str) {
    let folder = fanlight.path("../h/config");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("config.toml"), text).unwrap();
}

/// Returns a home with the odd plugin.
fn with_odd() -> Fanlight {
    let fanlight = Fanlight::new();
    odd(&fanlight);
    config(&fanlight, "grace = \"100ms\"\n");
    fanlight.say(&["plugin", "add", "odd", "--yes"]).exits(0);
    fanlight
}

fn does(fanlight: &Fanlight, what: &str) -> Said {
    fanlight.say(&["run", "do.yaml", "-p", &format!("does={what}")])
}

fn processes(fanlight: &Fanlight) -> u64 {
    fanlight.say(&["plugin", "list", "--json"]).exits(0).json()[0]["processes"].as_u64().unwrap()
}

fn lives(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z'))
}

#[test]
fn a_plugin_is_added_used_by_runs_in_one_warm_process_and_removed() {
    let fanlight = Fanlight::new();
    fs::create_dir(fanlight.path("sh")).unwrap();
    let manifest = MANIFEST.replace("odd", "sh").replace("\"python3\", \"sh.py\"", "\"sh\", \"main.sh\"");
    fanlight.file("sh/plugin.toml", &manifest).file("sh/main.sh", SHELL);
    fanlight.file("pid.yaml", "nodes: { a: { uses: sh.pid } }\noutputs: { pid: '${{ a.pid }}' }");
    fanlight.say(&["check", "pid.yaml"]).exits(2).complains("sh.pid");
    fanlight.say(&["plugin", "add", "sh"]).exits(2).complains("runs `sh main.sh` in");
    assert_eq!(fanlight.say(&["plugin", "list"]).exits(0).out, "", "without a yes nothing is added");
    assert_eq!(fanlight.say(&["plugin", "add", "sh", "--yes"]).exits(0).out, "sh.pid\tadded\n");
    assert!(fanlight.say(&["nodes"]).exits(0).out.contains("Says its number."));
    fanlight.say(&["check", "pid.yaml"]).exits(0);
    let pid = |said: Said| said.exits(0).out.rsplit('\t').next().unwrap().to_owned();
    let first = pid(fanlight.say(&["run", "pid.yaml"]));
    assert_eq!(pid(fanlight.say(&["run", "pid.yaml"])), first, "the second run uses the same process");
    assert_eq!(processes(&fanlight), 1);
    assert_eq!(fanlight.say(&["logs", "last"]).exits(0).out, "working\n");

    fanlight.say(&["daemon", "stop"]).exits(0);
    wait_for("the end of the plugin", || !lives(first.trim()));
    fanlight.say(&["check", "pid.yaml"]).exits(0);
    fanlight.say(&["run", "pid.yaml"]).exits(0);
    assert_eq!(fanlight.say(&["plugin", "remove", "sh"]).exits(0).out, "sh\tremoved\n");
    fanlight.say(&["check", "pid.yaml"]).exits(2);
    fanlight.say(&["plugin", "remove", "sh"]).exits(1).complains("there is no plugin `sh`");
    assert!(fanlight.path("sh/main.sh").exists());
}

#[test]
fn a_plugin_that_can_t_be_used_is_not_added() {
    if !has_python() {
        return;
    }
    let fanlight = Fanlight::new();
    odd(&fanlight);
    let refused = |manifest: &str, text: &str| {
        fanlight.file("odd/plugin.toml", manifest);
        let said = fanlight.say(&["plugin", "add", "odd", "--yes"]).complains(text);
        assert_ne!(said.code, 0);
        assert_eq!(fanlight.say(&["plugin", "list"]).exits(0).out, "");
    };
    fanlight.say(&["plugin", "add", "nowhere", "--yes"]).exits(2).complains("nowhere");
    refused(&MANIFEST.replace("python3", "no-such-program"), "there is no program `no-such-program` in PATH");
    refused(&MANIFEST.replace("\"odd\"", "\"text\""), "lacks \"name\": \"text\"");
    refused(
        &MANIFEST.replace("\"python3\", \"odd.py\"", "\"sh\", \"-c\", \"echo oops >&2; exit 3\""),
        "it ended with exit code 3: oops",
    );
    refused(
        &MANIFEST.replace("\"python3\", \"odd.py\"", "\"sh\", \"-c\", \"echo nonsense >&4; sleep 900\""),
        "it wrote `nonsense`, which is not JSON",
    );
    fanlight.file("odd/odd.py", &include_str!("plugins/odd.py").replace("odd.do\"", "text.do\""));
    refused(MANIFEST, "must have a name that begins with `odd.`");
}

#[test]
fn a_crash_fails_its_own_attempt_with_the_last_words_and_the_next_one_works() {
    if !has_python() {
        return;
    }
    let fanlight = with_odd();
    does(&fanlight, "crash")
        .exits(1)
        .complains("the plugin `odd`: it ended with exit code 1: first words / out of luck");
    does(&fanlight, "kill").exits(1).complains("the plugin `odd`: it crashed with signal 6");
    does(&fanlight, "garbage").exits(1).complains("it wrote `this is no message`, which is not JSON");
    does(&fanlight, "refuse").exits(1).complains("no thanks");
    does(&fanlight, "work").exits(0);
}

#[test]
fn a_false_output_fails_the_node_by_its_name() {
    if !has_python() {
        return;
    }
    let fanlight = with_odd();
    does(&fanlight, "undeclared")
        .exits(1)
        .complains("it gave the output `more`, but it declares text, count");
    does(&fanlight, "type").exits(1).complains("output `count`: expected int, got text");
    does(&fanlight, "missing").exits(1).complains("it gave no output `count`");
    let file =
        |path: &str| fanlight.say(&["run", "file.yaml", "-p", &format!("path={path}"), "--out", "out"]);
    file("../../../../data")
        .exits(1)
        .complains("output `file`: `../../../../data`: it climbs out of the folder");
    file("/etc/passwd").exits(1).complains("climbs out");
    file("link").exits(1).complains("a link that leads out of the folder");
    file("pipe").exits(1).complains("an output must be a file");
    file("none").exits(1).complains("there is no such file");
    file("out.txt").exits(0);
    assert_eq!(fs::read_to_string(fanlight.path("out/file-6/file.txt")).unwrap(), "PNG");
}

#[test]
fn a_cancel_that_is_ignored_ends_the_process_with_everything_that_it_started() {
    if !has_python() {
        return;
    }
    let fanlight = with_odd();
    let mut run = fanlight.start(&["run", "do.yaml", "-p", "does=hang", "--detach"]);
    run.writes_a_line();
    run.ends();
    let log = || fanlight.say(&["logs", "last"]).out;
    wait_for("its log", || log().contains("pids"));
    let pids: Vec<String> =
        log().split("pids ").nth(1).unwrap().split_whitespace().take(2).map(str::to_owned).collect();
    assert!(pids.len() == 2 && pids.iter().all(|pid| lives(pid)), "{pids:?}");
    fanlight.say(&["cancel", "last", "--wait"]).exits(0);
    assert!(!pids.iter().any(|pid| lives(pid)), "{pids:?}");
    fanlight.await_states(&["cancelled"]);
    does(&fanlight, "work").exits(0);
}

#[test]
fn a_time_limit_ends_an_attempt_of_a_plugin() {
    if !has_python() {
        return;
    }
    let fanlight = with_odd();
    fanlight.file("do.yaml", &DO.replace("odd.do,", "odd.do, timeout: 1s,"));
    does(&fanlight, "hang").exits(1).complains("timed out after 1s");
}

#[test]
fn a_flood_of_notifications_is_read_slowly_and_loses_no_result() {
    if !has_python() {
        return;
    }
    let fanlight = with_odd();
    assert!(does(&fanlight, "flood").exits(0).out.contains("through"));
    let streamed = fanlight.say(&["run", "do.yaml", "-p", "does=stream", "--json"]).exits(0).json();
    assert_eq!(streamed.last().unwrap()["runs"][0]["outputs"]["text"], "Once upon a time");
    assert!(fanlight.say(&["logs", "last"]).exits(0).out.contains("Once upon a time"));
}

#[test]
fn plugins_end_with_a_killed_daemon_and_their_nodes_run_again() {
    if !has_python() {
        return;
    }
    let fanlight = with_odd();
    fanlight.say(&["run", "do.yaml", "-p", "does=hang", "--detach"]).exits(0);
    let log = || fanlight.say(&["logs", "last"]).out;
    wait_for("its log", || log().contains("pids"));
    let pids: Vec<String> =
        log().split("pids ").nth(1).unwrap().split_whitespace().take(2).map(str::to_owned).collect();
    fanlight.kill_daemon();
    wait_for("the end of the plugin", || !pids.iter().any(|pid| lives(pid)));
    wait_for("another attempt", || log().contains("pids") && !log().contains(&pids[0]));
    fanlight.say(&["cancel", "last", "--wait"]).exits(0);
}

#[test]
fn a_changed_manifest_needs_another_yes() {
    if !has_python() {
        return;
    }
    let fanlight = with_odd();
    does(&fanlight, "work").exits(0);
    fanlight.say(&["daemon", "stop"]).exits(0);
    fanlight.file("odd/plugin.toml", &format!("{MANIFEST}idle_seconds = 5\n"));
    does(&fanlight, "work")
        .exits(1)
        .complains("its plugin.toml changed since the plugin was added; type `fanlight plugin add");
    fanlight
        .say(&["plugin", "list"])
        .exits(0)
        .complains("the nodes of `odd` can't run: its plugin.toml changed");
    fanlight.say(&["plugin", "add", "odd", "--yes"]).exits(0);
    does(&fanlight, "work").exits(0);

    fanlight.say(&["daemon", "stop"]).exits(0);
    fanlight.file("odd/odd.py", &include_str!("plugins/odd.py").replace("A number.", "Another number."));
    does(&fanlight, "work").exits(1).complains("it describes other node types than when it was added");
}

#[test]
fn a_secret_reaches_a_plugin_only_by_an_input_for_secrets_and_is_masked() {
    if !has_python() {
        return;
    }
    let fanlight = with_odd();
    let value = fanlight.path("value");
    fs::write(&value, "s3cr3t-t0ken\n").unwrap();
    let mut set = fanlight.command(&["secrets", "set", "token"]);
    assert!(set.stdin(fs::File::open(&value).unwrap()).output().unwrap().status.success());
    let workflow = |does: &str| {
        let node = format!("{{ uses: odd.do, with: {{ does: {does}, key: '${{{{ secrets.token }}}}' }} }}");
        fanlight.file(
            "secret.yaml",
            &format!("nodes: {{ a: {node} }}\noutputs: {{ text: '${{{{ a.text }}}}' }}"),
        );
        fanlight.say(&["run", "secret.yaml"])
    };
    assert!(workflow("secret").exits(0).out.contains("\t12"));
    let log = fanlight.say(&["logs", "last"]).exits(0).out;
    assert!(log.contains("the key is") && !log.contains("s3cr3t"), "{log}");
    workflow("leak").exits(1).complains("secret `token`");
    fanlight.file("bad.yaml", "nodes: { a: { uses: odd.do, with: { does: '${{ secrets.token }}' } } }");
    fanlight.say(&["check", "bad.yaml"]).exits(2);
}
