//! Tools of agents that are runs: of any node type, of a workflow, of a shell command.

use serde_json::{Value, json};

use super::support::{Fanlight, png_size, wait_for};

/// Writes a workflow whose stand-in of a model makes these calls with these tools.
fn agent(fanlight: &Fanlight, tools: &Value, calls: &Value) {
    let mut offline = calls.as_array().unwrap().clone();
    offline.push("Done".into());
    let with = json!({"provider": "offline", "prompt": "Go", "tools": tools, "offline": offline});
    let outputs = json!({"calls": "${{ a.calls }}", "files": "${{ a.files }}"});
    let document = json!({"nodes": {"a": {"uses": "llm.agent", "with": with}}, "outputs": outputs});
    fanlight.file("agent.yaml", &document.to_string());
}

/// Runs it, and returns the results of its calls: whether each failed, and its text.
fn results(fanlight: &Fanlight, tools: &Value, calls: &Value) -> Vec<(bool, String)> {
    agent(fanlight, tools, calls);
    let run = fanlight.say(&["run", "agent.yaml", "--json"]).exits(0).json().pop().unwrap();
    let calls = run["runs"][0]["outputs"]["calls"].as_array().unwrap().clone();
    let result = |call: &Value| (call["failed"] == true, call["result"].as_str().unwrap().to_owned());
    calls.iter().map(result).collect()
}

fn call(tool: &str, arguments: Value) -> Value {
    json!({"tool": tool, "arguments": arguments})
}

#[test]
fn a_model_makes_pictures_with_node_types_and_passes_them_on_by_their_names() {
    let fanlight = Fanlight::new();
    let tools = json!([
        "image.generate",
        {"node": "image.resize", "with": {"mode": "stretch"}},
        {"node": "code.js", "outputs": {"n": "int"}},
    ]);
    let calls = json!([
        call("image_generate", json!({"width": 32, "height": 20, "seed": 3})),
        call("image_resize", json!({"image": "image_1", "width": 8, "height": 6})),
        call("image_resize", json!({"image": "image_9", "width": 8, "height": 6})),
        call("image_resize", json!({"image": "image_1", "width": 0, "height": 6})),
        call("code_js", json!({"code": "return { n: 6 * 7 };"})),
    ]);
    agent(&fanlight, &tools, &calls);
    fanlight.say(&["run", "agent.yaml", "--out", "made"]).exits(0);
    let shown = fanlight.say(&["show", "agent#1", "--json"]).exits(0).json().remove(0);
    let calls = &shown["outputs"]["calls"];
    let result = |at: usize| calls[at]["result"].as_str().unwrap();
    assert!(result(0).contains("\"file\":\"image_1\"") && result(1).contains("\"width\":8"), "{calls}");
    assert!(result(2).contains("there is no file `image_9`; there are image_1, image_2"), "{calls}");
    assert_eq!((&calls[3]["failed"], result(4)), (&true.into(), "{\"n\":42}"), "{calls}");
    assert_eq!(png_size(&fanlight.path("made/agent-1/files-1.png")), (8, 6));
}

#[test]
fn a_workflow_is_a_tool_with_its_params_and_its_run_is_a_child_whose_cost_counts() {
    let fanlight = Fanlight::new();
    std::fs::create_dir(fanlight.path("parts")).unwrap();
    fanlight.file(
        "parts/greet.yaml",
        r#"
description: Greets somebody.
params: { who: { type: text, description: Whom to greet }, times: { type: int, default: 1, max: 3 } }
nodes:
  greet:
    with: { who: "${{ params.who }}", times: "${{ params.times }}" }
    run: |
      echo '{"type":"prediction","provider":"local","model":"tiny","input_tokens":7,"output_tokens":3,"cost_usd":0.5}' >> "$FANLIGHT_EVENTS"
      for i in $(seq $times); do echo "hello $who"; done
outputs: { words: "${{ greet.stdout }}" }
"#,
    );
    let tools = json!([{"workflow": "parts/greet.yaml", "with": {"times": 2}}]);
    let calls = json!([
        call("greet", json!({"who": "Ada; $(id)"})),
        call("greet", json!({"who": "Eve", "times": 3})),
        call("greet", json!({})),
    ]);
    let found = results(&fanlight, &tools, &calls);
    assert_eq!(found[0], (false, r#"{"words":"hello Ada; $(id)\nhello Ada; $(id)"}"#.to_owned()));
    assert!(found[1].0 && found[1].1.contains("do not fit the tool"), "{found:?}");
    assert!(found[2].0 && found[2].1.contains("who"), "{found:?}");
    let runs = fanlight.runs();
    assert_eq!(runs.len(), 2, "{runs:?}");
    let shown = fanlight.say(&["show", "greet#1"]).exits(0).out;
    assert!(shown.contains("agent#1 · a"), "{shown}");
    let spent = &fanlight.say(&["show", "agent#1", "--json"]).exits(0).json()[0]["spent"];
    assert_eq!(spent["cost_usd"], 0.5, "{spent}");
    assert!(spent["input_tokens"].as_u64().unwrap() >= 7, "{spent}");
}

#[test]
fn agents_are_tools_of_agents_and_a_model_chooses_their_prompts_only() {
    let fanlight = Fanlight::new();
    let inner = json!([call("text_count", json!({"text": "a b"})), "Two"]);
    let script = r#"echo '{"type":"prediction","provider":"p","model":"m","input_tokens":9,"cost_usd":0.5}'; echo '{"type":"text","text":"did it"}'; echo '{"type":"result"}'"#;
    let tools = json!([
        {"node": "llm.agent", "with": {"provider": "offline", "tools": ["text.count"], "offline": inner}},
        {"node": "agent.command", "with": {"agent": "plain", "command": ["sh", "-c", script]}},
    ]);
    let calls = json!([
        call("llm_agent", json!({"prompt": "Count"})),
        call("llm_agent", json!({"prompt": "Count", "tools": ["http.fetch"]})),
        call("agent_command", json!({"prompt": "Go; $(id)"})),
        call("agent_command", json!({"prompt": "Go", "command": ["id"]})),
    ]);
    let found = results(&fanlight, &tools, &calls);
    assert!(!found[0].0 && found[0].1.contains("\"text\":\"Two\""), "{found:?}");
    assert!(!found[2].0 && found[2].1.contains("did it"), "{found:?}");
    for refused in [&found[1], &found[3]] {
        assert!(refused.0 && refused.1.contains("do not fit the tool"), "{found:?}");
    }
    let spent = &fanlight.say(&["show", "agent#1", "--json"]).exits(0).json()[0]["spent"];
    assert_eq!(spent["cost_usd"], 0.5, "{spent}");
    assert_eq!(fanlight.runs().len(), 3);
}

#[test]
fn the_files_of_tools_are_read_and_checked_before_a_run_starts() {
    let fanlight = Fanlight::new();
    let refused = |tools: Value, words: &str| {
        agent(&fanlight, &tools, &json!([]));
        fanlight.say(&["run", "agent.yaml"]).exits(2).complains(words);
        fanlight.say(&["check", "agent.yaml"]).exits(2);
    };
    refused(json!([{"workflow": "none.yaml"}]), "`none.yaml` does not exist");
    fanlight.file("a.yaml", "params: { x: { type: int } }\nnodes: { a: { run: 'true' } }");
    refused(json!([{"workflow": "a.yaml", "with": {"y": 1}}]), "has no param `y`; it has x");
    refused(json!([{"workflow": "agent.yaml"}]), "leads back to itself");
    refused(json!([{"workflow": "${{ run.label }}"}]), "`workflow` of a tool can't be computed");
    assert!(fanlight.runs().is_empty());
}

#[test]
fn a_shell_runs_commands_in_its_folder_and_says_how_they_ended() {
    let fanlight = Fanlight::new();
    std::fs::create_dir(fanlight.path("work")).unwrap();
    fanlight.file("work/a.txt", "hello\n");
    let tools = json!([{"shell": "work"}]);
    let calls = json!([
        call("shell", json!({"command": "cat a.txt; echo made > b.txt"})),
        call("shell", json!({"command": "echo out; echo err >&2; exit 3"})),
        call("shell", json!({"command": "yes | head -c 200000"})),
        call("shell", json!({"command": "echo '$command'"})),
        call("shell", json!({"command": "kill -9 $$"})),
    ]);
    let found = results(&fanlight, &tools, &calls);
    assert_eq!(found[0], (false, "hello".to_owned()));
    assert_eq!(std::fs::read_to_string(fanlight.path("work/b.txt")).unwrap(), "made\n");
    assert!(found[1].0 && found[1].1.starts_with("exit code 3"), "{found:?}");
    assert!(!found[2].0, "{:?}", found[2]);
    assert_eq!(found[3], (false, "$command".to_owned()));
    assert!(found[4].0 && found[4].1.starts_with("exit code 137"), "{found:?}");
    let log = fanlight.say(&["logs", "agent#1"]).exits(0).out;
    assert!(log.contains("out\nerr"), "the model has all of it: {log}");
    assert!(log.contains("call 1 of shell") && log.contains("(cut: there is more)"), "{log}");
    let tools = json!([{"shell": "work", "timeout": 1}]);
    let found = results(&fanlight, &tools, &json!([call("shell", json!({"command": "sleep 600"}))]));
    assert!(found[0].0 && found[0].1.contains("timed out after 1s"), "{found:?}");
    // A node that does not list it has none.
    let found = results(&fanlight, &json!(["text.count"]), &json!([call("shell", json!({"command": "id"}))]));
    assert!(found[0].1.contains("there is no tool `shell`"), "{found:?}");
    agent(&fanlight, &json!([{"shell": "nowhere"}]), &json!([]));
    fanlight.say(&["run", "agent.yaml"]).exits(1).complains("nowhere of `shell`");
}

#[test]
fn a_command_ends_with_its_agent_and_with_the_daemon() {
    let fanlight = Fanlight::new();
    let hang = json!([call("shell", json!({"command": "echo $$ > pid; exec sleep 600"}))]);
    agent(&fanlight, &json!([{"shell": "."}]), &hang);
    let starts = || {
        fanlight.say(&["run", "agent.yaml", "--detach"]).exits(0);
        wait_for("the command", || {
            std::fs::read_to_string(fanlight.path("pid")).is_ok_and(|pid| pid.ends_with('\n'))
        });
        let pid = std::fs::read_to_string(fanlight.path("pid")).unwrap().trim().to_owned();
        std::fs::remove_file(fanlight.path("pid")).unwrap();
        pid
    };
    let lives =
        |pid: &str| std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|it| !it.contains(") Z "));
    let first = starts();
    fanlight.say(&["cancel", "agent#1", "--wait"]).exits(0);
    assert!(!lives(&first), "it ended before its agent");
    let states = || -> Vec<String> {
        let runs = fanlight.runs();
        runs.iter().map(|run| run["state"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(states(), ["cancelled", "cancelled"]);

    let second = starts();
    fanlight.kill_daemon();
    // The next daemon does not know what its agent would have done next.
    wait_for("the end of the run", || {
        states().iter().all(|it| ["cancelled", "failed"].contains(&it.as_str()))
    });
    wait_for("the end of the command", || !lives(&second));
    let shown = fanlight.say(&["show", "agent#2"]).exits(0).out;
    assert!(shown.contains("on_interrupt"), "{shown}");
}

#[test]
fn a_model_that_an_agent_asks_as_a_tool_does_not_wait_for_the_place_of_the_agent() {
    let fanlight = Fanlight::new();
    fanlight.config("[provider.offline]\nconcurrent = 1\n");
    let tools = json!([{"node": "llm.chat", "with": {"provider": "offline", "offline": "Yes"}}]);
    let calls = json!([
        call("llm_chat", json!({"prompt": "Is it?"})),
        call("llm_chat", json!({"prompt": "Really?"}))
    ]);
    agent(&fanlight, &tools, &calls);
    fanlight.say(&["run", "agent.yaml", "--repeat", "3"]).exits(0);
    let runs = fanlight.runs();
    assert!(runs.iter().all(|run| run["state"] == "completed") && runs.len() == 9, "{runs:?}");
}

#[test]
fn a_question_of_a_tool_parks_the_run_of_its_agent() {
    let fanlight = Fanlight::new();
    let tools = json!(["human.ask"]);
    agent(&fanlight, &tools, &json!([call("human_ask", json!({"question": "Which one?"}))]));
    fanlight.say(&["run", "agent.yaml", "--detach"]).exits(0);
    fanlight.await_states(&["parked", "parked"]);
    fanlight.say(&["answer", "human_ask#1", "The left one"]).exits(0);
    fanlight.say(&["watch", "agent#1"]).exits(0);
    let shown = fanlight.say(&["show", "agent#1", "--json"]).exits(0).json().remove(0);
    assert!(shown["outputs"]["calls"][0]["result"].as_str().unwrap().contains("The left one"), "{shown}");
}

#[test]
fn the_example_orders_posters_and_makes_a_sheet_of_them() {
    let fanlight = Fanlight::new();
    fanlight.say(&["run", "art_director", "--out", "made"]).exits(0);
    let runs = fanlight.runs();
    assert_eq!(runs.len(), 4, "two posters and a sheet: {runs:?}");
    let (width, _) = png_size(&fanlight.path("made/art_director-1/files-2.png"));
    assert_eq!(width, 2 * 320 + 3 * 20);
}
