//! A simulation of attempts that need different amounts.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use fanlight_shared::rng::Rng;

use super::*;
use crate::engine::pools::amounts::Amounts;

/// An attempt of the simulation.
#[derive(Clone, Copy)]
struct Simulated {
    need: Amounts,
    lasts: usize,
    /// The latest start, from the moment on at which it is the first of all waiters: when those that ran then have made room.
    latest: Option<usize>,
}

/// Simulates attempts that arrive faster than they can run, and checks that none that came later delays the first waiter.
fn simulate(seed: i64, count: u32) {
    let all = Amounts { cpus: 16, memory: 64 };
    let mut rng = Rng::new(seed);
    let mut shares: Shares<Amounts, u32> = Shares::new(all);
    let mut attempts: Vec<Simulated> = Vec::new();
    // Who runs, by the time of its end.
    let mut running: BinaryHeap<Reverse<(usize, u32)>> = BinaryHeap::new();
    let (mut now, mut started) = (0, 0);
    while started < count {
        while attempts.len() < count as usize && (rng.below(3) > 0 || running.is_empty()) {
            let is_large = rng.below(10) == 0;
            let most = if is_large { (16, 64) } else { (3, 12) };
            let amount = |rng: &mut Rng, most: usize| rng.below(most) as i64;
            let need = Amounts { cpus: 1 + amount(&mut rng, most.0), memory: amount(&mut rng, most.1 + 1) };
            let (who, lasts) = (attempts.len() as u32, 1 + rng.below(50));
            attempts.push(Simulated { need, lasts, latest: None });
            let ticket = Ticket(u64::from(who));
            if shares.take(ticket, need, who) {
                running.push(Reverse((now + lasts, who)));
                started += 1;
            } else {
                shares.wait(ticket, need, who, false);
            }
        }
        // Sets the latest start of the first waiter, once.
        if let Some((first, _)) = shares.firsts.first_key_value() {
            let waiter = &mut attempts[first.ticket.0 as usize];
            if waiter.latest.is_none() {
                let mut free = *shares.free();
                let mut ends = running.clone().into_sorted_vec();
                ends.reverse();
                let fits =
                    |free: &Amounts| waiter.need.cpus <= free.cpus && waiter.need.memory <= free.memory;
                let parts: HashMap<u32, Amounts> = shares.holders().map(|(who, part)| (who, *part)).collect();
                waiter.latest = ends.into_iter().find_map(|Reverse((at, who))| {
                    free = Amounts {
                        cpus: free.cpus + parts[&who].cpus,
                        memory: free.memory + parts[&who].memory,
                    };
                    fits(&free).then_some(at)
                });
                assert!(waiter.latest.is_some(), "all that run make room for it");
            }
        }
        let Some(Reverse((at, who))) = running.pop() else { continue };
        now = at;
        shares.release(who);
        while let Some(ticket) = shares.admit() {
            let attempt = attempts[ticket.0 as usize];
            assert!(
                attempt.latest.is_none_or(|latest| now <= latest),
                "a later attempt delayed {}",
                ticket.0
            );
            running.push(Reverse((now + attempt.lasts, ticket.0 as u32)));
            started += 1;
        }
        assert!(shares.free().cpus >= 0 && shares.free().memory >= 0);
    }
    assert_eq!(shares.admit(), None);
    assert!(shares.firsts.is_empty());
}

#[test]
fn no_later_attempt_delays_the_one_that_waits_longest() {
    (0..20).for_each(|seed| simulate(seed, 1000));
}

/// Amounts that count how often they are looked at.
#[derive(Clone)]
struct Counted(Amounts);

thread_local! {
    static LOOKS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

impl Capacity for Counted {
    type Need = Amounts;
    type Part = Amounts;
    type Kept = Amounts;

    fn find(&self, need: Amounts) -> Option<Amounts> {
        LOOKS.set(LOOKS.get() + 1);
        self.0.find(need)
    }

    fn take(&mut self, part: &Amounts) {
        self.0.take(part);
    }

    fn put(&mut self, part: &Amounts) {
        self.0.put(part);
    }

    fn choose(&self, need: Amounts, _before: Option<&Amounts>) -> Amounts {
        need
    }

    fn keep(&mut self, kept: &Amounts) {
        self.0.keep(kept);
    }
}

#[test]
fn a_decision_looks_at_needs_and_not_at_waiters() {
    const NEEDS: u32 = 60;
    for waiting in [100, 10_000, 100_000] {
        let all = Amounts { cpus: 64, memory: 0 };
        let mut shares: Shares<Counted, u32> = Shares::new(Counted(all));
        let mut running = std::collections::VecDeque::new();
        let ask = |shares: &mut Shares<Counted, u32>, who: u32| {
            let (need, ticket) =
                (Amounts { cpus: i64::from(1 + who % NEEDS), memory: 0 }, Ticket(who.into()));
            let starts = shares.take(ticket, need, who);
            if !starts {
                shares.wait(ticket, need, who, false);
            }
            starts
        };
        running.extend((0..waiting).filter(|who| ask(&mut shares, *who)));
        for who in waiting..waiting + 500 {
            LOOKS.set(0);
            shares.release(running.pop_front().unwrap());
            let admitted: Vec<u32> =
                std::iter::from_fn(|| shares.admit()).map(|ticket| ticket.0 as u32).collect();
            running.extend(ask(&mut shares, who).then_some(who));
            let most = (admitted.len() + 1) * NEEDS as usize + 1;
            assert!(LOOKS.get() <= most, "{} looks among {waiting}", LOOKS.get());
            running.extend(admitted);
        }
    }
}
