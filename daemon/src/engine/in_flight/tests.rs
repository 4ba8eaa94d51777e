use std::collections::BTreeSet;

use fanlight_shared::id::RunId;
use fanlight_shared::item::ItemPath;
use fanlight_shared::origin::Origin;
use fanlight_shared::value::Values;
use proptest::prelude::*;

use super::*;
use crate::store::Bodies;

fn key(number: usize) -> CacheKey {
    CacheKey::of([("number", number.to_string().as_bytes())])
}

fn result() -> Cached {
    let origin = Origin { run_id: RunId::new(), run: "a#1".into(), node: "a".into(), item: ItemPath::WHOLE };
    Cached { values: Values::new(), blobs: Vec::new(), bodies: Bodies::new(), origin }
}

#[derive(Clone, Debug)]
enum Act {
    Join(usize),
    /// One is recovered that computes a result already.
    Lead(usize),
    /// A lookup ends; every other one finds something.
    Looked(bool),
    /// A leader completes, fails or is cancelled.
    Complete(usize),
    Fail(usize),
    /// A follower is cancelled.
    Cancel(usize),
    Stored,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (0..3usize).prop_map(Act::Join),
        1 => (0..3usize).prop_map(Act::Lead),
        2 => any::<bool>().prop_map(Act::Looked),
        2 => (0..8usize).prop_map(Act::Complete),
        2 => (0..8usize).prop_map(Act::Fail),
        2 => (0..8usize).prop_map(Act::Cancel),
        1 => Just(Act::Stored),
    ]
}

/// Results in flight with a simple record of who waits and who computes.
#[derive(Default)]
struct World {
    in_flight: InFlight<u32>,
    names: u32,
    waiting: Vec<(CacheKey, u32)>,
    leading: Vec<(CacheKey, u32)>,
    looking: Vec<CacheKey>,
    unstored: Vec<CacheKey>,
    served: BTreeSet<u32>,
}

impl Default for InFlight<u32> {
    fn default() -> Self {
        Self::new()
    }
}

impl World {
    fn take_turns(&mut self) {
        while let Some((key, who, turn)) = self.in_flight.next() {
            let waits = self.waiting.iter().position(|it| *it == (key, who));
            match (waits, turn) {
                (Some(at), Turn::Lead) => self.leading.push(self.waiting.remove(at)),
                (Some(at), Turn::Take(_)) => {
                    self.waiting.remove(at);
                    assert!(self.served.insert(who), "{who} got two results");
                }
                (_, Turn::Follow(_)) | (None, _) => {}
            }
        }
        if self.looking.is_empty() {
            self.looking = self.in_flight.look();
        }
    }

    fn looked(&mut self, found: bool) {
        if self.looking.is_empty() {
            return;
        }
        for key in self.looking.drain(..) {
            self.in_flight
                .looked(key, if found { Lookup::Found(Box::new(result())) } else { Lookup::Nothing });
        }
    }

    fn complete(&mut self, at: usize) {
        let (key, who) = self.leading.remove(at);
        if self.in_flight.made(key, who, &Arc::new(result())) {
            self.unstored.push(key);
        }
        self.in_flight.leave(key, who);
    }

    fn act(&mut self, act: &Act) {
        match act {
            Act::Join(number) => {
                self.names += 1;
                self.waiting.push((key(*number), self.names));
                self.in_flight.join(key(*number), self.names);
            }
            Act::Lead(number) => {
                self.names += 1;
                if self.in_flight.lead(key(*number), self.names) {
                    self.leading.push((key(*number), self.names));
                }
            }
            Act::Looked(found) => self.looked(*found),
            Act::Complete(at) if *at < self.leading.len() => self.complete(*at),
            Act::Fail(at) if *at < self.leading.len() => {
                let (key, who) = self.leading.remove(*at);
                self.in_flight.leave(key, who);
            }
            Act::Cancel(at) if *at < self.waiting.len() => {
                let (key, who) = self.waiting.remove(*at);
                self.in_flight.leave(key, who);
            }
            Act::Stored => self.unstored.drain(..).for_each(|key| self.in_flight.stored(key)),
            Act::Complete(_) | Act::Fail(_) | Act::Cancel(_) => {}
        }
        self.take_turns();
        let led: BTreeSet<[u8; 32]> = self.leading.iter().map(|(key, _)| bytes(key)).collect();
        assert_eq!(led.len(), self.leading.len(), "two compute the same result");
    }
}

fn bytes(key: &CacheKey) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(&format!("{key:?}").as_bytes()[..32]);
    bytes
}

proptest! {
    /// No result is computed twice at once, and whoever waits gets its turn once leaders end and lookups answer.
    #[test]
    fn no_follower_waits_forever(acts in prop::collection::vec(act(), 0..120), fails in any::<bool>()) {
        let mut world = World::default();
        for act in &acts {
            world.act(act);
        }
        let mut steps = 0;
        while !world.waiting.is_empty() || !world.leading.is_empty() {
            world.looked(false);
            world.take_turns();
            if !world.leading.is_empty() {
                world.act(if fails { &Act::Fail(0) } else { &Act::Complete(0) });
            }
            steps += 1;
            prop_assert!(steps <= 4 * acts.len() + 8, "somebody waits forever: {:?}", world.waiting);
        }
        world.act(&Act::Stored);
        while !world.looking.is_empty() {
            world.looked(false);
            world.take_turns();
        }
        prop_assert!(world.in_flight.flights.is_empty(), "forgotten: {:?}", world.in_flight.flights.len());
    }
}

#[test]
fn a_result_that_is_not_stored_yet_is_passed_on_and_afterwards_looked_for() {
    let mut world = World::default();
    world.act(&Act::Join(1));
    world.act(&Act::Looked(false));
    world.complete(0);
    world.act(&Act::Join(1));
    assert_eq!((world.served.len(), world.leading.len()), (1, 0));
    world.act(&Act::Stored);
    world.act(&Act::Join(1));
    assert_eq!(world.looking, [key(1)]);
}

#[test]
fn those_that_wait_follow_one_that_computes_the_result_already() {
    let mut in_flight = InFlight::new();
    in_flight.join(key(1), 1);
    assert_eq!(in_flight.look(), [key(1)]);
    assert!(in_flight.lead(key(1), 2) && !in_flight.lead(key(1), 3), "one leads");
    in_flight.looked(key(1), Lookup::Nothing);
    assert!(matches!(in_flight.next(), Some((_, 1, Turn::Follow(2)))));
    assert!(!in_flight.has_turns(), "nobody else leads");
    in_flight.made(key(1), 2, &Arc::new(result()));
    assert!(matches!(in_flight.next(), Some((_, 1, Turn::Take(_)))));
}
