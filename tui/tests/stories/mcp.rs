//! Tools of MCP servers for agents: a program that the config names, and the tools that the file lists.

use std::fs;
use std::process::Command;

use crate::support::{Fanlight, Said, wait_for};

/// Returns a home with the server `clock`; nothing where there is no Python, and prints that the story is skipped.
fn home() -> Option<Fanlight> {
    if !Command::new("python3").arg("--version").output().is_ok_and(|it| it.status.success()) {
        fanlight_shared::testing::skip("there is no python3");
        return None;
    }
    let fanlight = Fanlight::new();
    fanlight.file("server.py", include_str!("mcp_server.py"));
    let (server, pids) = (fanlight.path("server.py"), fanlight.path("pids"));
    let config = format!(
        "pass_env = [\"CLOCK_OF_COMMANDS\"]\n[mcp.clock]\ncommand = [\"python3\", {server:?}, {pids:?}]\npass_env = [\"CLOCK_ZONE\"]\n"
    );
    fanlight.config(&config);
    Some(fanlight)
}

/// Writes a workflow whose stand-in of a model makes these calls with these tools.
fn workflow(fanlight: &Fanlight, tools: &str, calls: &str) {
    fanlight.file(
        "agent.yaml",
        &format!(
            "nodes:
  a:
    uses: llm.agent
    with: {{ provider: offline, prompt: Go, tools: [{tools}], offline: [{calls}, Done] }}
outputs: {{ text: '${{{{ a.text }}}}', calls: '${{{{ a.calls }}}}' }}"
        ),
    );
}

const CLOCK: &str = "{ mcp: clock, tools: [add, do.it] }";

fn doing(fanlight: &Fanlight, what: &str, format: &[&str]) -> Said {
    workflow(fanlight, CLOCK, &format!("{{ tool: clock_do_it, arguments: {{ what: {what} }} }}"));
    fanlight.say(&[&["run", "agent.yaml"], format].concat())
}

fn calls(said: &Said) -> serde_json::Value {
    said.json().pop().unwrap()["runs"][0]["outputs"]["calls"].clone()
}

fn lives(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z'))
}

#[test]
fn an_agent_calls_the_tools_of_a_server_that_its_file_lists() {
    let Some(fanlight) = home() else { return };
    workflow(
        &fanlight,
        "{ mcp: clock, tools: [add] }",
        "{ tool: clock_add, arguments: { a: 2, b: 40 } }, { tool: clock_add, arguments: { a: two, b: 1 } }, \
         { tool: clock_do_it, arguments: {} }",
    );
    let said = fanlight.say(&["run", "agent.yaml", "--json"]).exits(0);
    let calls = calls(&said);
    assert_eq!((&calls[0]["result"], &calls[0]["failed"]), (&"42".into(), &false.into()), "{calls}");
    let failed = |at: usize, text: &str| {
        assert_eq!(calls[at]["failed"], true);
        assert!(calls[at]["result"].as_str().unwrap().contains(text), "{calls}");
    };
    failed(1, "the arguments do not fit the tool");
    failed(2, "there is no tool `clock_do_it`; there are clock_add");
    let log = fanlight.say(&["logs", "last"]).exits(0).out;
    assert!(log.contains("call 1 of clock_add") && log.contains("call 1 returned"), "{log}");
}

#[test]
fn what_a_tool_says_is_bounded_and_its_failure_goes_to_the_model() {
    let Some(fanlight) = home() else { return };
    let call = calls(&doing(&fanlight, "fail", &["--json"]).exits(0))[0].clone();
    assert_eq!((&call["failed"], &call["result"]), (&true.into(), &"it is broken".into()));
    let call = calls(&doing(&fanlight, "long", &["--json"]).exits(0))[0].clone();
    assert!(call["result"].as_str().unwrap().len() < 3000);
    assert!(fanlight.say(&["logs", "last"]).exits(0).out.contains(&"x".repeat(1000)));
}

#[test]
fn the_stderr_of_a_server_is_in_the_log_and_its_stdin_is_closed_before_its_end() {
    let Some(fanlight) = home() else { return };
    doing(&fanlight, "mutter", &[]).exits(0);
    assert!(
        fanlight.path("pids.closed").exists(),
        "the server saw the end of its stdin before the node ended"
    );
    let log = fanlight.say(&["logs", "last"]).exits(0).out;
    assert!(log.contains("info: clock: one\n") && log.contains("info: clock: two\n"), "{log}");
}

#[test]
fn a_server_may_ask_as_often_as_it_likes_whether_its_client_is_alive() {
    let Some(fanlight) = home() else { return };
    let call = calls(&doing(&fanlight, "ping", &["--json"]).exits(0))[0].clone();
    assert_eq!((&call["failed"], &call["result"]), (&false.into(), &"alive".into()));
}

#[test]
fn a_server_gets_the_variables_that_are_named_for_it_alone() {
    let Some(fanlight) = home() else { return };
    let mut start = fanlight.command(&["daemon", "start"]);
    for name in ["CLOCK_ZONE", "CLOCK_SECRET", "CLOCK_OF_COMMANDS"] {
        start.env(name, "1");
    }
    assert!(start.output().unwrap().status.success());
    let call = calls(&doing(&fanlight, "environment", &["--json"]).exits(0))[0].clone();
    assert_eq!(call["result"], "CLOCK_ZONE");
}

#[test]
fn a_server_that_ends_or_speaks_nonsense_fails_the_node_by_its_name() {
    let Some(fanlight) = home() else { return };
    let wrong = "the MCP server `clock`";
    doing(&fanlight, "die", &[]).exits(1).complains(wrong).complains("it ended with exit code 3: last words");
    assert!(
        fanlight.say(&["logs", "last"]).exits(0).out.contains("call 1 of clock_do_it"),
        "its calls are kept"
    );
    doing(&fanlight, "garbage", &[]).exits(1).complains(wrong).complains("which is not JSON");
}

#[test]
fn a_server_or_tool_that_is_not_there_is_explained() {
    let Some(fanlight) = home() else { return };
    let refused = |tools: &str, text: &str| {
        workflow(&fanlight, tools, "Nothing");
        fanlight.say(&["run", "agent.yaml"]).exits(1).complains(text);
    };
    refused("{ mcp: clok, tools: [add] }", "has no MCP server `clok`; did you mean `clock`?");
    refused("{ mcp: clock, tools: [subtract] }", "has no tool `subtract`; it has add, do.it");
    refused("{ mcp: clock }", "has no list `tools`");
    refused("{ mcp: clock, tools: [add], command: [id] }", "a tool with `mcp` has no field `command`");
    let config = fanlight.path("../h/config/config.toml");
    fs::write(config, "[mcp.clock]\ncommand = [\"no-such-program\"]\n").unwrap();
    fanlight.say(&["daemon", "stop"]).exits(0);
    refused(CLOCK, "can't be used: there is no program `no-such-program` in PATH");
}

#[test]
fn a_server_ends_with_its_node_and_with_the_daemon() {
    let Some(fanlight) = home() else { return };
    workflow(&fanlight, CLOCK, "{ tool: clock_do_it, arguments: { what: hang } }");
    let pids = || -> Vec<String> {
        let text = fs::read_to_string(fanlight.path("pids")).unwrap_or_default();
        text.split_terminator(' ').map(str::to_owned).collect()
    };
    let hangs = || {
        wait_for("the server", || pids().len() == 2);
        let pids = pids();
        assert!(pids.iter().all(|pid| lives(pid)), "{pids:?}");
        fs::remove_file(fanlight.path("pids")).unwrap();
        pids
    };
    fanlight.say(&["run", "agent.yaml", "--detach"]).exits(0);
    let first = hangs();
    fanlight.say(&["cancel", "last", "--wait"]).exits(0);
    wait_for("the end of the server", || !first.iter().any(|pid| lives(pid)));

    fanlight.say(&["run", "agent.yaml", "--detach"]).exits(0);
    let second = hangs();
    fanlight.kill_daemon();
    wait_for("the end of the server", || !second.iter().any(|pid| lives(pid)));
}
