//! Many attempts on a cluster whose nodes fail and whose controller dies.
//!
//! `cargo xtask bench scale` runs 100,000 of them on 2,000 slots.

#![allow(clippy::print_stdout)]

use std::collections::HashMap;
use std::time::{Duration, Instant};

use fanlight_shared::id::RunId;
use fanlight_shared::rpc::runs::SweepOptions;
use fanlight_shared::run::RunStatus;
use fanlight_shared::value::Value;

use super::world::World;
use crate::command::fake_slurm::{FakeSlurm, Figures, Settings};
use crate::config::{Config, EngineSettings, Stage};

/// The runs of one submission.
const SUBMITTED: usize = 10_000;

/// Returns a world with this cluster, of which it uses a tenth more places than there are slots.
async fn world(settings: Settings) -> (World, FakeSlurm) {
    let cluster = FakeSlurm::new(settings);
    let most = settings.slots as u32 + settings.slots as u32 / 10;
    let engine = EngineSettings {
        kind: crate::config::EngineKind::Slurm,
        via: None,
        stage: Stage::Shared,
        partition: None,
        account: None,
        qos: None,
        workdir: "/scratch".into(),
        prelude: String::new(),
        max_in_flight: most,
        poll: Duration::from_secs(settings.poll),
        keep_inputs: Duration::from_secs(3600),
    };
    let config = Config {
        max_concurrent_runs: most,
        engines: [("cluster".to_owned(), engine)].into(),
        ..Config::default()
    };
    (World::with_cluster(config, Some(cluster.clone())).await, cluster)
}

/// Submits as many runs of one command, in sweeps of which every second one may be repeated. Returns whether each may.
async fn submit(world: &World, runs: usize) -> HashMap<RunId, bool> {
    let mut submitted = HashMap::new();
    let sweeps = (runs / 2).div_ceil(SUBMITTED).max(1) * 2;
    for nth in 0..sweeps {
        let again = nth % 2 == 0;
        let word = if again { "on_interrupt: again, " } else { "" };
        let file = format!(
            "{{ params: {{ n: {{ type: int, default: 0 }} }}, engine: cluster, nodes: {{ work: {{ {word}run: done }} }} }}"
        );
        let numbers: Vec<[(&str, Value); 1]> =
            (0..runs / sweeps).map(|n| [("n", Value::Int(n as i64))]).collect();
        let sets: Vec<&[(&str, Value)]> = numbers.iter().map(|set| &set[..]).collect();
        let named = |start: &mut fanlight_shared::rpc::runs::Start| {
            start.sweep =
                Some(SweepOptions { name: Some(format!("sweep-{nth}")), ..SweepOptions::default() });
        };
        let started = world.submit(&file, &sets, named).await.unwrap();
        submitted.extend(started.iter().map(|run| (run.id, again)));
    }
    submitted
}

/// Waits until the engine has done everything that follows from the last poll.
async fn settle(world: &World, cluster: &FakeSlurm) {
    let mut quiet = 0;
    while quiet < 2 {
        let before = cluster.asked();
        // A barrier after everything that the engine has written; then its other tasks run.
        world.store.commit(Vec::new()).await.unwrap();
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        quiet = if cluster.asked() == before { quiet + 1 } else { 0 };
    }
}

/// Runs everything to its end, with daemons that end meanwhile. Returns how long that took.
async fn drive(world: &mut World, cluster: &FakeSlurm, daemons: u64) -> Duration {
    let began = Instant::now();
    let mut polls = 0;
    loop {
        settle(world, cluster).await;
        let activity = *world.engine.activity().borrow();
        if activity.running == 0 && activity.queued == 0 {
            return began.elapsed();
        }
        polls += 1;
        cluster.advance();
        if polls % 100 == 50 && polls / 100 < daemons {
            world.restart().await;
        }
    }
}

/// Checks that nothing was lost, and that only what may be repeated ran twice. Returns how many commands ran more than once, and
/// how many runs failed.
fn check(world: &World, cluster: &FakeSlurm, runs: &HashMap<RunId, bool>) -> (u32, u32) {
    let (mut repeated, mut failed) = (0, 0);
    for (run, again) in runs {
        let ended = world.store.listed(*run).unwrap();
        let started = cluster.started(*run);
        match ended.state {
            RunStatus::Completed => assert!(started >= 1, "{} completed without its command", ended.name()),
            RunStatus::Failed => {
                failed += 1;
                let why = ended.error.clone().unwrap_or_default();
                assert!(why.contains("the node n") || why.contains("the job "), "{why}");
                let expected = if *again { "interrupted" } else { "set `on_interrupt: again` if it may" };
                assert!(why.contains(expected) || *again && started >= 3, "{why}");
            }
            state => panic!("{} is {state:?}", ended.name()),
        }
        assert!(*again || started == 1, "{} ran {started} times", ended.name());
        repeated += u32::from(started > 1);
    }
    (repeated, failed)
}

async fn story(settings: Settings, runs: usize, daemons: u64) -> Figures {
    let (mut world, cluster) = world(settings).await;
    let submitted = submit(&world, runs).await;
    assert_eq!(submitted.len(), runs);
    let took = drive(&mut world, &cluster, daemons).await;
    let (repeated, failed) = check(&world, &cluster, &submitted);
    let figures = cluster.figures();
    println!(
        "{runs} runs on {} slots in {} virtual hours: {failed} failed, {repeated} ran more than once; {figures:?}",
        settings.slots,
        cluster.now() / 3600,
    );
    println!(
        "{:.0} attempts a second of real time, {} KB a poll",
        f64::from(u32::try_from(runs).unwrap()) / took.as_secs_f64(),
        figures.bytes / 1000 / figures.polls
    );
    figures
}

#[tokio::test]
async fn nothing_is_lost_or_doubled_on_a_cluster_with_bad_days() {
    let settings =
        Settings { seed: 11, slots: 40, lasts: 60, percent_of_nodes_fail: 1, dies_every: 300, poll: 10 };
    let figures = story(settings, 2000, 3).await;
    assert!(figures.deaths >= 5 && figures.node_failures >= 10, "{figures:?}");
    assert!(figures.forgotten >= 1 && figures.again >= 1 && figures.fenced >= 1, "{figures:?}");
}

#[tokio::test]
#[ignore = "long: `cargo xtask bench scale`"]
async fn a_hundred_thousand_attempts() {
    let settings =
        Settings { seed: 12, slots: 2000, lasts: 300, percent_of_nodes_fail: 1, dies_every: 600, poll: 10 };
    story(settings, 100_000, 5).await;
}
