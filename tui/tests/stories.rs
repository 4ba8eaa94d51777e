//! User stories with the real daemon, supervisor and workers.

#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "support/alive.rs"]
mod alive;
#[path = "support/process.rs"]
mod process;
#[path = "support/fanlight.rs"]
mod support;
#[path = "support/terminal.rs"]
mod terminal;

#[path = "stories/agent_tools.rs"]
mod agent_tools;
#[path = "stories/agents.rs"]
mod agents;
#[path = "stories/assets.rs"]
mod assets;
#[path = "stories/audio.rs"]
mod audio;
#[path = "stories/cached.rs"]
mod cached;
#[path = "stories/cached_adopted.rs"]
mod cached_adopted;
#[path = "stories/chats.rs"]
mod chats;
#[path = "stories/children.rs"]
mod children;
#[path = "stories/code.rs"]
mod code;
#[path = "stories/coding_agents.rs"]
mod coding_agents;
#[path = "stories/daemon.rs"]
mod daemon;
#[path = "stories/ended.rs"]
mod ended;
#[path = "stories/engines.rs"]
mod engines;
#[path = "stories/environment.rs"]
mod environment;
#[path = "stories/file_names.rs"]
mod file_names;
#[path = "stories/files.rs"]
mod files;
#[path = "stories/gaps.rs"]
mod gaps;
#[path = "stories/host.rs"]
mod host;
#[path = "stories/http.rs"]
mod http;
#[path = "stories/inputs.rs"]
mod inputs;
#[path = "stories/interrupt.rs"]
mod interrupt;
#[path = "stories/isolation.rs"]
mod isolation;
#[path = "stories/locale.rs"]
mod locale;
#[path = "stories/mcp.rs"]
mod mcp;
#[path = "stories/media.rs"]
mod media;
#[path = "stories/metrics.rs"]
mod metrics;
#[path = "stories/models.rs"]
mod models;
#[path = "stories/on_end.rs"]
mod on_end;
#[path = "stories/people.rs"]
mod people;
#[path = "stories/plugin_git.rs"]
mod plugin_git;
#[path = "stories/plugin_kit.rs"]
mod plugin_kit;
#[path = "stories/plugin_trial.rs"]
mod plugin_trial;
#[path = "stories/plugins.rs"]
mod plugins;
#[path = "stories/preview.rs"]
mod preview;
#[path = "stories/pruning.rs"]
mod pruning;
#[path = "stories/ray.rs"]
mod ray;
#[path = "stories/real_ray.rs"]
mod real_ray;
#[path = "stories/real_slurm.rs"]
mod real_slurm;
#[path = "stories/recipes.rs"]
mod recipes;
#[path = "stories/reports.rs"]
mod reports;
#[path = "stories/resources.rs"]
mod resources;
#[path = "stories/search.rs"]
mod search;
#[path = "stories/secrets.rs"]
mod secrets;
#[path = "stories/separate.rs"]
mod separate;
#[path = "stories/service.rs"]
mod service;
#[path = "stories/sheets.rs"]
mod sheets;
#[path = "stories/slurm_kills.rs"]
mod slurm_kills;
#[path = "stories/spelling.rs"]
mod spelling;
#[path = "stories/sweeps.rs"]
mod sweeps;
#[path = "stories/table.rs"]
mod table;
#[path = "stories/transfer.rs"]
mod transfer;
#[path = "stories/values.rs"]
mod values;
#[path = "stories/video.rs"]
mod video;
#[path = "stories/why.rs"]
mod why;

use support::{Fanlight, png_size};

/// Prints its seed; the file `go` beside the workflow lets it end.
const GATED: &str = "params:
  seed: { type: int, default: 1 }
nodes:
  say:
    dir: .
    run: |
      echo begun $seed
      until [ -e go ]; do sleep 0.05; done
    with: { seed: \"${{ params.seed }}\" }
outputs:
  said: \"${{ say.stdout }}\"
";

const QUICK: &str = "params:
  seed: { type: int, default: 1 }
  place: { type: text, default: Brighton }
nodes:
  title:
    uses: text.template
    with: { template: \"{{ place }} {{ seed }}\", place: \"${{ params.place }}\", seed: \"${{ params.seed }}\" }
outputs:
  title: \"${{ title.text }}\"
";

const FAILING: &str = "nodes:
  good:
    run: echo fine
  bad:
    run: echo broken >&2; exit 3
";

fn gated() -> Fanlight {
    let fanlight = Fanlight::new();
    fanlight.file("gated.yaml", GATED);
    fanlight
}

#[test]
fn the_main_use_makes_six_pictures_at_once() {
    let fanlight = Fanlight::new();
    fanlight.say(&["new", "poster.yaml", "--from", "poster"]).exits(0);
    let said = fanlight.say(&["run", "poster.yaml", "--sweep", "seed=1..6", "--out", "prints"]).exits(0);
    assert_eq!(said.out.lines().count(), 6, "{}", said.out);
    let mut pictures = Vec::new();
    for number in 1..=6 {
        let path = fanlight.path(&format!("prints/poster-{number}/poster.png"));
        assert!(png_size(&path).0 > 100);
        assert!(said.out.contains(&format!("poster#{number}\tposter\tprints/poster-{number}/poster.png")));
        pictures.push(image::open(path).unwrap().to_rgb8().into_raw());
    }
    pictures.sort();
    pictures.dedup();
    assert_eq!(pictures.len(), 6, "each seed has its own picture");
    // Without a terminal stderr has plain lines: the daemon's, and two for each run.
    assert!(said.err.contains("started a daemon for"), "{}", said.err);
    assert!(said.err.contains("poster#6 seed=6  completed in"), "{}", said.err);
    assert!(!said.err.contains('\u{1b}'), "{}", said.err);

    let again = fanlight.say(&["run", "poster.yaml", "--out", "prints"]).exits(0);
    assert!(again.out.starts_with("poster#7\t"), "numbers go on: {}", again.out);
}

#[test]
fn an_example_runs_by_its_name() {
    let fanlight = Fanlight::new();
    let said = fanlight.say(&["run", "poster"]).exits(0).complains("example");
    assert!(said.out.starts_with("poster#1\tposter\tasset:"), "{}", said.out);
    fanlight.say(&["run", "poster"]).exits(0);
    assert_eq!(fanlight.runs().len(), 2, "both are runs of one workflow");
    assert_eq!(fanlight.runs()[0]["number"], 2);
}

#[test]
fn a_workflow_that_ran_before_runs_by_its_name() {
    let fanlight = Fanlight::new();
    fanlight.file("quick.yaml", QUICK);
    fanlight.say(&["run", "quick.yaml"]).exits(0);
    fanlight.file("quick.yaml", &QUICK.replace("Brighton", "Hove"));
    let said = fanlight.say(&["run", "quick"]).exits(0);
    assert_eq!(said.out, "quick#2\ttitle\tHove 1\n", "the file wins while it is there");
    std::fs::remove_file(fanlight.path("quick.yaml")).unwrap();
    assert_eq!(fanlight.say(&["run", "quick"]).exits(0).out, "quick#3\ttitle\tHove 1\n");
}

#[test]
fn a_name_means_a_workflow_although_a_file_is_called_so() {
    let fanlight = Fanlight::new();
    fanlight.file("quick.yaml", QUICK).file("quick", "what another program wrote");
    std::fs::create_dir(fanlight.path("poster")).unwrap();
    fanlight.say(&["run", "quick.yaml"]).exits(0);
    assert_eq!(fanlight.say(&["run", "quick"]).exits(0).out, "quick#2\ttitle\tBrighton 1\n");
    fanlight.say(&["run", "poster"]).exits(0).complains("example");
    for name in ["quick", "quick.yaml", "./quick.yaml"] {
        let listed = fanlight.say(&["ps", "--all", "--json", "--workflow", name]).exits(0).json();
        assert_eq!(listed.len(), 2, "{name}");
    }
    fanlight.say(&["ps", "--workflow", "./quick"]).exits(1).complains("quick");
    fanlight.say(&["run", "./quick"]).exits(2);

    // Without a workflow of its name, a file needs no ending.
    fanlight.file("plain", QUICK);
    fanlight.say(&["run", "plain"]).exits(0);
}

#[test]
fn sweeps_combine_and_repeats_are_counted() {
    let fanlight = Fanlight::new();
    fanlight.file("quick.yaml", QUICK);
    let line = ["run", "quick.yaml", "--sweep", "seed=1..2", "--sweep", "place=Hove,Lewes"];
    assert_eq!(fanlight.say(&line).exits(0).out.lines().count(), 4);
    let zipped: Vec<&str> = line.into_iter().chain(["--zip"]).collect();
    let said = fanlight.say(&zipped).exits(0);
    assert_eq!(said.out, "quick#5\ttitle\tHove 1\nquick#6\ttitle\tLewes 2\n");
    fanlight.say(&["run", "quick.yaml", "--repeat", "2"]).exits(0);
    let runs = fanlight.runs();
    assert_eq!(runs[0]["label"], "2 of 2");
    assert_eq!(runs[1]["label"], "1 of 2");
}

#[test]
fn events_are_lines_of_json_and_end_with_the_runs() {
    let fanlight = Fanlight::new();
    fanlight.file("quick.yaml", QUICK);
    let events = fanlight.say(&["run", "quick.yaml", "--sweep", "seed=1..2", "--json"]).exits(0).json();
    let last = events.last().unwrap();
    assert_eq!(last["type"], "end");
    assert_eq!(last["runs"][1]["outputs"]["title"], "Brighton 2");
}

#[test]
fn events_are_printed_while_the_run_goes_on() {
    let fanlight = gated();
    let mut run = fanlight.start(&["run", "gated.yaml", "--json"]);
    let mut events = run.lines().map(|line| serde_json::from_str::<serde_json::Value>(&line).unwrap());
    events.find(|event| event["channel"] == "snapshot" || event["channel"] == "state").expect("an event");
    fanlight.file("go", "");
    assert_eq!(events.last().unwrap()["type"], "end");
    run.ends().exits(0);
}

#[test]
fn a_detached_run_goes_on_and_can_be_watched() {
    let fanlight = gated();
    assert_eq!(fanlight.say(&["run", "gated.yaml", "--detach"]).exits(0).out, "gated#1\n");
    fanlight.await_states(&["running"]);
    let watching = fanlight.start(&["watch", "last"]);
    fanlight.file("go", "");
    watching.ends().exits(0).complains("completed");
    fanlight.await_states(&["completed"]);
    fanlight.say(&["watch", "gated#1"]).exits(0);
}

#[test]
fn runs_are_listed_and_shown() {
    let fanlight = Fanlight::new();
    fanlight.file("quick.yaml", QUICK);
    fanlight.say(&["run", "quick.yaml", "-p", "seed=7"]).exits(0);
    fanlight.say(&["ps"]).exits(0).complains("ps --all");
    let listed = fanlight.say(&["ps", "--all"]).exits(0).out;
    assert!(
        listed.contains("quick#1") && listed.contains("seed=7") && listed.contains("completed"),
        "{listed}"
    );
    let run = &fanlight.say(&["show", "quick", "--json"]).exits(0).json()[0];
    for key in "id workflow number label state params submitted_at started_at ended_at error".split(' ') {
        assert!(run.get(key).is_some(), "{key}: {run}");
    }
    assert_eq!(run["params"]["seed"], 7);
    assert_eq!(run["nodes"][0]["state"], "completed");
    let shown = fanlight.say(&["show", "quick:1"]).exits(0).out;
    assert!(shown.contains("title") && shown.contains("-p seed"), "{shown}");
    fanlight.say(&["show", "quick#9"]).exits(1).complains("error:");
    fanlight.say(&["label", "quick#1", "the first"]).exits(0);
    assert_eq!(fanlight.runs()[0]["label"], "the first");
}

#[test]
fn a_failed_run_is_exit_code_1_and_says_why() {
    let fanlight = Fanlight::new();
    fanlight.file("failing.yaml", FAILING);
    fanlight.say(&["run", "failing.yaml"]).exits(1).complains("failed").complains("bad");
    fanlight.say(&["watch", "last"]).exits(1);
    assert_eq!(fanlight.say(&["logs", "last", "--failed"]).exits(0).out, "broken\n");
    let all = fanlight.say(&["logs", "last"]).exits(0).out;
    assert!(all.contains("good | fine\n") && all.contains("bad | broken\n"), "{all}");
    let failed = fanlight.say(&["ps", "--failed", "--json"]).exits(0).json();
    assert_eq!(failed.len(), 1);
}

#[test]
fn logs_are_followed_to_their_end() {
    let fanlight = gated();
    fanlight.say(&["run", "gated.yaml", "--detach"]).exits(0);
    let mut following = fanlight.start(&["logs", "last", "say", "-f"]);
    let mut lines = following.lines();
    assert_eq!(lines.next().unwrap(), "begun 1");
    fanlight.file("go", "");
    assert!(lines.next().is_none());
    following.ends().exits(0);
}

#[test]
fn escape_sequences_of_a_command_are_not_written_into_a_pipe() {
    let fanlight = Fanlight::new();
    fanlight.file("rude.yaml", "nodes:\n  rude:\n    run: printf '\\033[2Jhello\\033]0;x\\007\\n'\n");
    let said = fanlight.say(&["run", "rude.yaml"]).exits(0);
    assert!(!said.err.contains('\u{1b}') && !said.out.contains('\u{1b}'));
    assert_eq!(fanlight.say(&["logs", "last"]).exits(0).out, "hello\n");
    assert!(fanlight.say(&["logs", "last", "--raw"]).exits(0).out.contains('\u{1b}'));
}

#[test]
fn cancel_ends_only_the_named_run() {
    let fanlight = gated();
    fanlight.say(&["run", "gated.yaml", "--sweep", "seed=1..2", "--detach"]).exits(0);
    fanlight.await_states(&["running", "running"]);
    assert_eq!(fanlight.say(&["cancel", "gated#2"]).exits(0).out, "gated#2\tcancelling\n");
    fanlight.await_states(&["cancelled", "running"]);
    fanlight.say(&["watch", "gated#2"]).exits(1);
    fanlight.file("go", "");
    fanlight.await_states(&["cancelled", "completed"]);
}

#[test]
fn the_queue_waits_beyond_its_cap_and_can_be_emptied() {
    let fanlight = gated();
    fanlight.say(&["queue", "--max", "1"]).exits(0);
    fanlight.say(&["run", "gated.yaml", "--sweep", "seed=1..3", "--detach"]).exits(0);
    fanlight.await_states(&["queued", "queued", "running"]);
    let queue = &fanlight.say(&["queue", "--json"]).exits(0).json()[0];
    assert_eq!((queue["running"].as_u64(), queue["queued"].as_u64()), (Some(1), Some(2)));
    fanlight.say(&["cancel", "--queued"]).exits(0).complains("2 runs");
    fanlight.await_states(&["cancelled", "cancelled", "running"]);
    let said = fanlight.say(&["cancel", "--workflow", "gated", "--wait"]).exits(0);
    assert_eq!(said.out, "gated#1\tcancelled\n", "it returns when the last process is gone");
    fanlight.await_states(&["cancelled", "cancelled", "cancelled"]);
}

#[test]
fn a_run_is_found_by_its_id_and_by_the_beginning_of_it() {
    let fanlight = Fanlight::new();
    fanlight.file("quick.yaml", QUICK).say(&["run", "quick.yaml", "--sweep", "seed=1..2"]).exits(0);
    let runs = fanlight.runs();
    let [second, first] = [&runs[0]["id"], &runs[1]["id"]].map(|id| id.as_str().unwrap());
    let same = first.bytes().zip(second.bytes()).take_while(|(a, b)| a == b).count();
    let number = |name: &str| fanlight.say(&["show", name, "--json"]).exits(0).json()[0]["number"].clone();
    assert_eq!((number(first), number(second)), (1.into(), 2.into()));
    assert_eq!((number(&first[..=same]), number(&second[..=same])), (1.into(), 2.into()));
    let ambiguous = fanlight.say(&["show", &first[..same]]).exits(1);
    for candidate in [format!("quick#1 ({first})"), format!("quick#2 ({second})")] {
        assert!(ambiguous.err.contains(&candidate), "{}", ambiguous.err);
    }
}

#[test]
fn resume_reuses_finished_nodes() {
    let fanlight = Fanlight::new();
    let file = "nodes:
  once:
    dir: .
    run: echo x >> count
  gate:
    dir: .
    needs: [once]
    run: test -e go
";
    fanlight.file("again.yaml", file).say(&["run", "again.yaml"]).exits(1);
    fanlight.file("go", "");
    assert_eq!(fanlight.say(&["resume", "last"]).exits(0).out, "again#2\n");
    fanlight.say(&["watch", "again#2"]).exits(0);
    assert_eq!(std::fs::read_to_string(fanlight.path("count")).unwrap(), "x\n");
}
