//! Kills the daemon, and sometimes the supervisor, at a random moment under load, and lets the power fail; acknowledged
//! changes survive.
//!
//! `cargo xtask crash --times 1000 [--seed N]` runs more rounds, with `--power` more power losses.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

#[path = "support/fanlight.rs"]
mod support;

#[path = "crash/check.rs"]
mod check;
#[path = "crash/evidence.rs"]
mod evidence;
#[path = "crash/load.rs"]
mod load;
#[path = "crash/power.rs"]
mod power;
#[path = "crash/process.rs"]
mod process;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use check::Ledger;
use load::Load;
use process::{Kill, kill};
use support::Fanlight;

/// Pseudo-random numbers from a seed (splitmix64).
struct Rng(u64);

impl Rng {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut it = self.0;
        it = (it ^ (it >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        it = (it ^ (it >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (it ^ (it >> 31)) % limit
    }
}

#[derive(Default)]
struct Totals {
    daemons: u32,
    supervisors: u32,
}

/// One round: load, a kill in the middle, the next daemon, and all checks once everything has drained.
fn round(fanlight: &Fanlight, load: &Load, ledger: &mut Ledger, rng: &mut Rng, totals: &mut Totals) {
    // Long enough for a daemon to start and get into the first sweeps.
    let moment = Duration::from_millis(rng.below(700));
    let supervisor_too = rng.below(4) == 0;
    println!(
        "killed after {} ms{}",
        moment.as_millis(),
        if supervisor_too { ", the supervisor too" } else { "" }
    );
    let over = AtomicBool::new(false);
    let acknowledged = std::thread::scope(|scope| {
        let submitting = scope.spawn(|| load.submit_until(fanlight, &over));
        // The random delay is the point of the test, not a wait for a condition.
        std::thread::sleep(moment);
        totals.daemons += u32::from(kill(fanlight, Kill::Daemon));
        if supervisor_too {
            totals.supervisors += u32::from(kill(fanlight, Kill::Supervisor));
        }
        over.store(true, Ordering::Relaxed);
        submitting.join().unwrap()
    });
    ledger.acknowledged(acknowledged, supervisor_too);
    fanlight.say(&["daemon", "start"]).exits(0);
    ledger.check(fanlight, load);
}

/// Runs all rounds; on failure, keeps and prints the evidence.
fn rounds(times: u64, seed: u64) {
    println!("seed {seed}, {times} rounds");
    let mut fanlight = Fanlight::new();
    let told = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| tell(&fanlight, times, seed)));
    if let Err(why) = told {
        evidence::keep(&mut fanlight);
        std::panic::resume_unwind(why);
    }
}

fn tell(fanlight: &Fanlight, times: u64, seed: u64) {
    let load = Load::new(fanlight);
    let mut rng = Rng(seed);
    let mut ledger = Ledger::default();
    let mut totals = Totals::default();
    // Without a kill it completes.
    fanlight.say(&["run", "crash.yaml"]).exits(0);
    for number in 1..=times {
        print!("{number} ");
        round(fanlight, &load, &mut ledger, &mut rng, &mut totals);
        if number % 10 == 0 {
            println!("round {number}: {}", ledger.summary());
        }
    }
    ledger.check_deep(fanlight);
    println!(
        "{} daemons and {} supervisors killed; {}",
        totals.daemons,
        totals.supervisors,
        ledger.summary()
    );
}

#[test]
fn five_kills_lose_and_duplicate_nothing() {
    // In two of these rounds the supervisor dies too.
    rounds(5, 2);
}

#[test]
#[ignore = "long: `cargo xtask crash`"]
fn many_kills_lose_and_duplicate_nothing() {
    let (times, seed) = asked();
    rounds(times, seed);
}

/// Returns how many rounds are asked for, and their seed.
fn asked() -> (u64, u64) {
    let number = |name: &str| std::env::var(name).ok().and_then(|it| it.parse().ok());
    let now = fanlight_shared::time::Time::now().0.unsigned_abs();
    (number("FANLIGHT_CRASH_TIMES").unwrap_or(100), number("FANLIGHT_CRASH_SEED").unwrap_or(now))
}
