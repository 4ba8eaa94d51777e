//! What holds in all schedules, and in those of special loads.

use fanlight_shared::resources::Gpus;
use fanlight_shared::rng::Rng;

use super::load::{self, LONGEST, amounts, demand, gpus, settings, single, sweep};
use super::rules::{self, Found};
use super::{Demand, Event, Settings, Submission, Tick, simulate};
use crate::engine::pools::Resource;

fn run(settings: &Settings, load: &[Submission]) -> Found {
    rules::check(settings, load, &simulate(settings, load))
}

/// Returns how long an attempt of a run with only one waits at most, if all wait for one thing: nobody passes it in its turn,
/// before which each other run has at most two, and whoever is first waits for the end of those that run, `longest` at most.
fn bound(settings: &Settings, longest: Tick) -> Tick {
    let others = Tick::from(settings.cap) - 1;
    (2 * others + 1) * longest
}

#[test]
fn nothing_is_beyond_a_limit_everything_ends_and_slots_rotate() {
    for seed in 0..8 {
        let load = load::mixed(seed, 1000);
        run(&settings(), &load);
    }
}

#[test]
fn the_same_load_gives_the_same_schedule() {
    let load = load::mixed(42, 300);
    let first = simulate(&settings(), &load);
    assert_eq!(first, simulate(&settings(), &load));
    assert!(first.iter().filter(|(_, event)| matches!(event, Event::Took(_))).count() >= 300);
}

/// Submits single runs faster than they can run; every thirtieth is a large one.
fn small_and_large(
    seed: i64,
    small: impl Fn(&mut Rng) -> Resource,
    large: impl Fn(&mut Rng) -> Resource,
) -> (Vec<Submission>, Vec<usize>) {
    let mut rng = Rng::new(seed);
    let (mut at, mut larges) = (0, Vec::new());
    let load = (0..1500).map(|number| {
        at += rng.below(5) as Tick;
        let resource = if number % 30 == 29 {
            larges.push(number);
            large(&mut rng)
        } else {
            small(&mut rng)
        };
        single(at, demand(&mut rng, [resource]))
    });
    (load.collect(), larges)
}

#[test]
fn a_large_request_is_not_starved_by_small_ones() {
    let settings = Settings { cap: 40, ..settings() };
    for seed in 0..5 {
        let cpus = small_and_large(
            seed,
            |rng| amounts(1 + rng.below(3) as i64, rng.below(8) as i64),
            |rng| amounts(16, 64 - rng.below(2) as i64),
        );
        let devices = small_and_large(
            seed,
            |rng| match rng.below(2) {
                0 => gpus(Gpus::Whole(1)),
                _ => gpus(Gpus::Part(100 * (1 + rng.below(6) as u32))),
            },
            |rng| gpus(Gpus::Whole(8 - rng.below(2) as u32)),
        );
        for (load, larges) in [cpus, devices] {
            let found = run(&settings, &load);
            let most = bound(&settings, LONGEST);
            assert!(found.waits.iter().all(|(_, waited)| *waited <= most));
            let of_large = found.waits.iter().filter(|(who, _)| larges.contains(&who.run));
            let longest = of_large.map(|(_, waited)| *waited).max().unwrap();
            // With forty runs at once none has come near its bound of 79 attempts.
            assert!(longest <= 8 * LONGEST, "{longest}");
        }
    }
}

#[test]
fn a_run_with_thousands_of_items_holds_up_no_other_run() {
    let mut rng = Rng::new(7);
    for resource in [Resource::pool("process"), Resource::pool(load::ENGINE), amounts(4, 4)] {
        let items: Vec<Demand> = (0..3000).map(|_| demand(&mut rng, [resource.clone()])).collect();
        let many = Submission { runs: vec![vec![items]], ..single(0, demand(&mut rng, [])) };
        let others = (1..100).map(|number| single(40 * number, demand(&mut rng, [resource.clone()])));
        let load: Vec<Submission> = std::iter::once(many).chain(others).collect();
        let found = run(&settings(), &load);
        let waits = found.waits.iter().filter(|(who, _)| who.run > 0).map(|(_, waited)| *waited);
        assert!(waits.clone().max().unwrap() <= 2 * LONGEST, "{:?}", waits.max());
    }
}

#[test]
fn free_slots_rotate_among_sweeps_and_single_runs() {
    let mut rng = Rng::new(3);
    let mut process = || demand(&mut rng, [Resource::pool("process")]);
    let mut load: Vec<Submission> =
        (0..4).map(|nth| sweep(nth, &format!("s{nth}"), (0..400).map(|_| process()).collect())).collect();
    load.extend((1..50).map(|number| single(100 * number, process())));
    let found = run(&settings(), &load);
    // While all four wait, each has its part.
    let first = &found.order[..1200];
    for nth in 0..4_usize {
        let count = first.iter().filter(|run| *run / 400 == nth).count();
        assert!((280..=310).contains(&count), "{count} of 1,200");
    }
}
