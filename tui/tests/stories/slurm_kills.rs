//! Kills the controller of a real Slurm, the daemons of its nodes, and Fanlight's daemon at random moments:
//! `cargo xtask crash --slurm --times 10`.

#![allow(clippy::print_stdout)]

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use fanlight_shared::rng::Rng;
use fanlight_shared::testing::happens;
use serde_json::Value as Json;

use crate::real_slurm::{cluster, config_of_slurm, kill};
use crate::support::Fanlight;

/// How long a round may take: a controller notices after half a minute that a node is gone, and Fanlight waits for twice that.
const ROUND_TIMEOUT: Duration = Duration::from_secs(600);
/// How often the nodes are resumed.
const RESUME_INTERVAL: Duration = Duration::from_secs(5);

/// Each command leaves a file that exists only once, and says so where it exists already.
const WORK: &str = r#"params: { round: { type: int }, n: { type: int } }
engine: cluster
nodes:
  work:
    AGAINrun: |
      ran="$FANLIGHT_PROJECT/ran/KIND-$round-$n"
      (set -C; echo "$SLURM_JOB_ID" > "$ran") 2>/dev/null || echo "$SLURM_JOB_ID" >> "$ran.more"
      sleep "0.$((n % 10))"
      echo "KIND $round $n"
    with: { round: "${{ params.round }}", n: "${{ params.n }}" }
outputs: { product: "${{ work.stdout }}" }
"#;

/// The workflows: whether their command may run again, by their name.
const KINDS: [(&str, bool); 2] = [("once", false), ("again", true)];

#[derive(Default)]
struct Totals {
    tasks: u32,
    controllers: u32,
    nodes: u32,
    daemons: u32,
    /// Commands that ran more than once, as they may.
    repeated: u32,
    /// Runs that failed with the reason why nobody knows how their command ended.
    interrupted: u32,
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|it| it.parse().ok()).unwrap_or(otherwise)
}

/// Kills something, and starts the next daemon if it was that one.
fn kill_any(fanlight: &Fanlight, rng: &mut Rng, totals: &mut Totals) {
    let slurm = config_of_slurm();
    let killed = |name: &str| {
        let file = slurm.with_file_name(name);
        // The one before it may not have come back yet.
        let is_there = fs::read_to_string(&file)
            .is_ok_and(|pid| Path::new("/proc").join(pid.trim()).join("exe").read_link().is_ok());
        is_there && std::panic::catch_unwind(|| kill(&file)).is_ok()
    };
    match rng.below(5) {
        0 | 1 => totals.controllers += u32::from(killed("slurmctld.pid")),
        2 => totals.nodes += u32::from(killed(&format!("slurmd-n{}.pid", 1 + rng.below(2)))),
        _ => {
            fanlight.kill_daemon();
            totals.daemons += 1;
            fanlight.say(&["daemon", "start"]).exits(0);
        }
    }
}

/// A controller that died trusts a node no more whose job it has forgotten; a person would look and let it continue.
fn resume_nodes() {
    let _ = Command::new("scontrol").args(["update", "nodename=n1,n2", "state=resume"]).output();
}

fn wait_for_ends(fanlight: &Fanlight) {
    let began = Instant::now();
    let mut resumed = Instant::now();
    let mut open = Vec::new();
    while !happens(|| {
        if resumed.elapsed() > RESUME_INTERVAL {
            resume_nodes();
            resumed = Instant::now();
        }
        open = fanlight.runs().into_iter().filter(|run| run["ended_at"].is_null()).collect();
        open.is_empty()
    }) {
        let names: Vec<String> = open
            .iter()
            .map(|run| format!("{}#{}", run["workflow"].as_str().unwrap(), run["number"]))
            .collect();
        let why = || names.first().map(|name| fanlight.say(&["why", name]).out);
        assert!(began.elapsed() < ROUND_TIMEOUT, "these runs do not end: {names:?}; {:?}", why());
    }
}

/// Checks that every run of a round ended with its product, or with the reason why nobody knows, and that no command ran twice
/// that may not.
fn check(fanlight: &Fanlight, round: u64, tasks: u64, totals: &mut Totals) {
    for (kind, again) in KINDS {
        let rows: Vec<Json> = fanlight.say(&["table", kind, "--json"]).exits(0).json();
        let rows: HashMap<u64, &Json> = rows
            .iter()
            .filter(|row| row["round"].as_u64() == Some(round))
            .map(|row| (row["n"].as_u64().unwrap(), row))
            .collect();
        assert_eq!(rows.len() as u64, tasks / 2, "a run was lost or doubled");
        for (n, row) in rows {
            let ran = fanlight.path(&format!("ran/{kind}-{round}-{n}"));
            let more = fs::read_to_string(ran.with_extension("more")).unwrap_or_default().lines().count();
            assert!(again || more == 0, "{kind} {round} {n} ran {} times", more + 1);
            totals.repeated += u32::from(more > 0);
            if row["state"] == "completed" {
                assert_eq!(row["product"].as_str().map(str::trim), Some(&*format!("{kind} {round} {n}")));
                assert!(ran.exists());
            } else {
                let shown = fanlight.say(&["show", row["run"].as_str().unwrap(), "--json"]).exits(0).json();
                let error = shown[0]["nodes"][0]["error"]["message"].as_str().unwrap_or_default();
                println!("{kind} {round} {n}: {} {error}", row["state"]);
                assert!(error.contains("on_interrupt"), "{row}");
                totals.interrupted += 1;
            }
        }
    }
}

#[test]
#[ignore = "long: `cargo xtask crash --slurm`"]
fn nothing_is_lost_or_doubled_while_everything_is_killed() {
    let (rounds, tasks) = (number("FANLIGHT_KILL_ROUNDS", 5), number("FANLIGHT_KILL_TASKS", 30));
    let now = fanlight_shared::time::Time::now().0.unsigned_abs();
    let seed = number("FANLIGHT_CRASH_SEED", now);
    println!("seed {seed}, {rounds} rounds of {tasks} tasks");
    let mut rng = Rng::new(seed.cast_signed());
    let fanlight = cluster();
    fs::create_dir(fanlight.path("ran")).unwrap();
    for (kind, again) in KINDS {
        let word = if again { "on_interrupt: again\n    " } else { "" };
        fanlight.file(&format!("{kind}.yaml"), &WORK.replace("AGAIN", word).replace("KIND", kind));
    }
    let mut totals = Totals::default();
    for round in 1..=rounds {
        let began = Instant::now();
        for (kind, _) in KINDS {
            let (file, range) = (format!("{kind}.yaml"), format!("n=1..{}", tasks / 2));
            let round = format!("round={round}");
            fanlight.say(&["run", &file, "--detach", "-p", &round, "--sweep", &range]).exits(0);
        }
        for _ in 0..3 + rng.below(4) {
            // The random moment is the point of the test, not a wait for a condition.
            std::thread::sleep(Duration::from_millis(rng.below(3000) as u64));
            kill_any(&fanlight, &mut rng, &mut totals);
        }
        wait_for_ends(&fanlight);
        check(&fanlight, round, tasks, &mut totals);
        totals.tasks += tasks as u32;
        println!("round {round}: {} s", began.elapsed().as_secs());
    }
    let Totals { tasks, controllers, nodes, daemons, repeated, interrupted } = totals;
    println!(
        "{rounds} rounds, {tasks} tasks; killed: {controllers} controllers, {nodes} daemons of nodes, {daemons} daemons; {repeated} \
         repeatable commands ran again, {interrupted} runs failed because nobody saw how their command ended"
    );
}
