//! What a decision costs while 1,000, 10,000 or 100,000 wait. `cargo xtask bench scheduler` prints it.

#![allow(clippy::print_stdout)]

use std::time::{Duration, Instant};

use fanlight_shared::id::RunId;
use fanlight_shared::resources::Gpus;
use fanlight_shared::rng::Rng;

use super::load::{amounts, gpus, settings};
use super::{Settings, Who};
use crate::engine::pools::{Entry, Needs, Pools, Resource, needs};
use crate::engine::queue::{RunQueue, Turn};

/// How many wait.
const SIZES: [usize; 3] = [1_000, 10_000, 100_000];
/// How many decisions are measured together, and how often.
const DECISIONS: u32 = 2_000;
const TIMES: usize = 5;
/// A decision among 100,000 costs at most this many times what it costs among 1,000: trees are deeper, and caches too small.
const MAX_RATIO: f64 = 6.0;

/// Returns the time of a decision: the least, because whatever else happens on the machine only adds to it.
fn measure(mut decide: impl FnMut()) -> Duration {
    let time = |decide: &mut dyn FnMut()| {
        let began = Instant::now();
        (0..DECISIONS).for_each(|_| decide());
        began.elapsed() / DECISIONS
    };
    (0..TIMES).map(|_| time(&mut decide)).min().unwrap_or_default()
}

/// A run gets a slot and another one is submitted, while runs of ten sweeps and single ones wait.
fn queue(waiting: usize) -> Duration {
    let mut queue = RunQueue::new(1, false);
    for nth in 0..10 {
        let runs: Vec<RunId> = (0..waiting / 11).map(|_| RunId::new()).collect();
        queue.add(&runs, Some(&format!("sweep-{nth}")), Turn::of(0), None);
    }
    let singles: Vec<RunId> = (0..waiting - queue.len()).map(|_| RunId::new()).collect();
    queue.add(&singles, None, Turn::of(0), None);
    let mut number = 0;
    measure(|| {
        let taken = queue.take(0);
        assert!(taken.is_some());
        number += 1;
        let sweep = (number % 11 < 10).then(|| format!("sweep-{}", number % 11));
        queue.add(&[RunId::new()], sweep.as_deref(), Turn::of(0), None);
    })
}

/// An attempt ends, the next one starts, and another one asks, while those of a hundred runs wait.
fn pools(waiting: usize, settings: &Settings, mut needs_of: impl FnMut(usize) -> Needs) -> Duration {
    let mut pools: Pools<Who> = settings.pools();
    let mut running = std::collections::VecDeque::new();
    let mut count = 0;
    let mut ask = |pools: &mut Pools<Who>, running: &mut std::collections::VecDeque<(Needs, Who)>| {
        let (who, needs) = (Who { run: count % 100, nth: count / 100 }, needs_of(count));
        count += 1;
        if let Entry::Starts(who) = pools.enter(&needs, who) {
            running.push_back((needs, who));
        }
    };
    (0..waiting).for_each(|_| ask(&mut pools, &mut running));
    measure(|| {
        if let Some((needs, who)) = running.pop_front() {
            pools.leave(&needs, who);
        }
        running.extend(std::iter::from_fn(|| pools.next()));
        ask(&mut pools, &mut running);
    })
}

#[test]
#[ignore = "a figure: `cargo xtask bench scheduler`"]
fn a_decision_costs_the_same_however_many_wait() {
    let settings = settings();
    let mut rng = Rng::new(1);
    let process = needs([Resource::pool("process")]);
    let kinds: Vec<Needs> = (0..60)
        .map(|_| needs([amounts(1 + rng.below(16) as i64, rng.below(64) as i64), Resource::pool("process")]))
        .collect();
    let devices: Vec<Needs> = (0..16)
        .map(|nth| match nth {
            0..8 => needs([gpus(Gpus::Whole(1 + nth))]),
            _ => needs([gpus(Gpus::Part(100 * (nth - 7)))]),
        })
        .collect();
    println!("waiting     queue    a pool    CPUs and memory, 60 needs    GPUs, 16 needs    (per decision)");
    let rows = SIZES.map(|size| {
        let row = [
            queue(size),
            pools(size, &settings, |_| process.clone()),
            pools(size, &settings, |nth| kinds[nth * 7 % kinds.len()].clone()),
            pools(size, &settings, |nth| devices[nth * 7 % devices.len()].clone()),
        ];
        println!("{size:>7} {:>9.1?} {:>9.1?} {:>27.1?} {:>17.1?}", row[0], row[1], row[2], row[3]);
        row
    });
    for (nth, name) in ["queue", "pool", "CPUs", "GPUs"].into_iter().enumerate() {
        let ratio = rows[2][nth].as_secs_f64() / rows[0][nth].as_secs_f64();
        let per_second = 1.0 / rows[2][nth].as_secs_f64();
        println!("{name}: {ratio:.1} × among 100 × as many; {per_second:.0} decisions per second");
        assert!(ratio <= MAX_RATIO, "{name}: it should stay flat");
    }
}
