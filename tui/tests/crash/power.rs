//! Power losses: what was not synced is lost, wholly or in part, at many moments of recorded daemons.
//!
//! `strace` records each call that changes a file of the home, each sync and each message to a client. From that, the home
//! is made again as a disk may have it after a power loss. In every such home, all that a client knew by then must be
//! stored; on some of them a daemon starts, continues, and is checked as after a kill.
//!
//! `cargo xtask crash --power --times 300 [--seed N]` tries more moments.

#[path = "power/disk.rs"]
mod disk;
#[path = "power/history.rs"]
mod history;
#[path = "power/loss.rs"]
mod loss;
#[path = "power/recorded.rs"]
mod recorded;
#[path = "power/restart.rs"]
mod restart;
#[path = "power/said.rs"]
mod said;
#[path = "power/stored.rs"]
mod stored;
#[path = "power/strace.rs"]
mod strace;

use fanlight_shared::rng::Rng;

use loss::Survives;
use recorded::Recorded;

/// Most moments that are tried without a daemon, of each kind.
const MOMENTS: usize = 400;

/// Records two daemons with this many runs and lets the power fail: when a client has just learned something, with nothing
/// of what was not synced; at as many other moments, with some of it; and `times` times with a new daemon.
fn losses(runs: usize, times: usize, seed: i64) -> Recorded {
    println!("seed {seed}, {times} losses with a new daemon");
    let mut rng = Rng::new(seed);
    let mut recorded = Recorded::new(runs);
    let lines = recorded.history.lines;
    let told = recorded.said.moments();
    let few = told.len().div_ceil(MOMENTS);
    let tried = told.len() / few;
    for line in told.iter().copied().step_by(few) {
        recorded.check(line, Survives::Nothing, &mut rng);
    }
    for _ in 0..tried {
        recorded.check(rng.below(lines + 1), *rng.pick(&Survives::ALL), &mut rng);
    }
    for number in 1..=times {
        let moment = if number % 2 == 0 { *rng.pick(&told) } else { rng.below(lines + 1) };
        let survives = *rng.pick(&Survives::ALL);
        println!("{number}: the power fails before line {moment} of {lines}, {survives:?} survives");
        recorded.restart(moment, survives, &mut rng);
    }
    println!("{} homes were read and {times} continued, of {}", 2 * tried, recorded.summary());
    recorded
}

#[test]
fn a_power_loss_takes_nothing_that_was_acknowledged_and_a_missing_sync_is_noticed() {
    if strace::is_here() {
        losses(3, 6, 1).notices_missing_syncs();
    } else {
        fanlight_shared::testing::skip("there is no strace, or it may not trace");
    }
}

#[test]
#[ignore = "long: `cargo xtask crash --power`"]
fn many_power_losses_take_nothing_that_was_acknowledged() {
    assert!(strace::is_here(), "there is no strace, or it may not trace");
    let (times, seed) = crate::asked();
    losses(40, usize::try_from(times).unwrap(), seed.cast_signed()).notices_missing_syncs();
}
