//! Commands that are agents: their plans and tool calls, their cost and their tokens.

use super::support::{Fanlight, wait_for};

/// Each run uses 1,000 input tokens and 50 output tokens; these cost a quarter dollar, and something else another one.
const AGENT: &str = r#"nodes:
  agent:
    run: |
      say() { echo "$1" >> "$FANLIGHT_EVENTS"; }
      say '{"type":"plan","text":"1. look\n2. draw"}'
      say '{"type":"task","number":1,"title":"look"}'
      say '{"type":"tool_call","number":1,"tool":"search","arguments":{"q":"fan"}}'
      say '{"type":"tool_result","number":1,"text":"3 hits"}'
      say '{"type":"prediction","provider":"local","model":"small","input_tokens":900,"output_tokens":40,"cost_usd":0.25}'
      say '{"type":"prediction","provider":"local","model":"tiny","input_tokens":100,"output_tokens":10}'
      say '{"type":"task","number":1,"title":"look","status":"completed"}'
      say '{"type":"cost","usd":0.25}'
      until [ -e "$FANLIGHT_PROJECT/go" ]; do sleep 0.05; done
"#;

const SPENT: &str = r#"{"cost_usd":0.5,"input_tokens":1000,"output_tokens":50,"unpriced":false}"#;

/// Starts a command line that writes to a file, and leaves it running.
fn start(fanlight: &Fanlight, arguments: &[&str], file: &str) -> std::process::Child {
    let file = std::fs::File::create(fanlight.path(file)).unwrap();
    fanlight.command(arguments).stdout(file).stderr(std::process::Stdio::null()).spawn().unwrap()
}

#[test]
fn an_agent_reports_its_work_and_its_cost_and_tokens_are_added_up() {
    let fanlight = Fanlight::new();
    fanlight.file("agent.yaml", AGENT);
    fanlight.say(&["queue", "--pause"]).exits(0);
    let mut running = start(&fanlight, &["run", "agent.yaml", "--json"], "run.jsonl");
    fanlight.await_states(&["queued"]);
    let mut watching = start(&fanlight, &["watch", "agent", "--json"], "watch.jsonl");
    wait_for("the snapshot of the watched run", || {
        std::fs::read_to_string(fanlight.path("watch.jsonl")).unwrap().contains("snapshot")
    });
    fanlight.say(&["queue", "--continue"]).exits(0);
    for file in ["run.jsonl", "watch.jsonl"] {
        for kind in ["planning_update", "task_update", "tool_call_update", "tool_result_update", "prediction"]
        {
            wait_for(&format!("{kind} in {file}"), || {
                let printed = std::fs::read_to_string(fanlight.path(file)).unwrap();
                printed.contains(&format!(r#""type":"{kind}""#))
            });
        }
    }
    fanlight.file("go", "");
    for (child, file) in [(&mut running, "run.jsonl"), (&mut watching, "watch.jsonl")] {
        assert!(child.wait().unwrap().success());
        let printed = std::fs::read_to_string(fanlight.path(file)).unwrap();
        let end: serde_json::Value = serde_json::from_str(printed.lines().last().unwrap()).unwrap();
        let run = if end["type"] == "end" { &end["runs"][0] } else { &end };
        assert_eq!(run["spent"].to_string(), SPENT, "{file}");
    }

    fanlight.say(&["run", "agent.yaml", "--repeat", "2"]).exits(0);
    fanlight.kill_daemon();

    let shown = fanlight.say(&["show", "agent#2", "--json"]).exits(0).json().remove(0);
    assert_eq!(shown["spent"].to_string(), SPENT);
    let totals = &shown["totals"];
    assert_eq!((&totals["submission"]["runs"], &totals["workflow"]["runs"]), (&2.into(), &3.into()));
    assert_eq!(totals["submission"]["spent"]["cost_usd"], 1.0);
    assert_eq!(totals["workflow"]["spent"]["input_tokens"], 3_000);
    let shown = fanlight.say(&["show", "agent#2"]).exits(0).out;
    for line in [
        "$0.5000 · 1000 tokens in · 50 out",
        "2 runs of its sweep: $1.0000 · 2000 tokens in · 100 out",
        "3 runs of agent: $1.5000 · 3000 tokens in · 150 out",
    ] {
        assert!(shown.contains(line), "{line} is not in\n{shown}");
    }
    assert_eq!(fanlight.say(&["ps", "--all", "--json"]).json()[0]["spent"].to_string(), SPENT);

    // A deleted run doesn't count.
    fanlight.say(&["delete", "agent#1", "--yes"]).exits(0);
    let shown = fanlight.say(&["show", "agent#3"]).exits(0).out;
    assert!(!shown.contains("runs of agent:"), "its sweep is all of them:\n{shown}");
}
