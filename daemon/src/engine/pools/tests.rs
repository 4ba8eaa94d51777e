mod machine;

use fanlight_shared::resources::Gpus;
use proptest::prelude::*;

use super::amounts::Amounts;
use super::*;
use crate::machine::{Gpu, ResourceSettings};

/// Each attempt is of a run of its own.
impl OfRun for u32 {
    type Run = u32;

    fn run(&self) -> u32 {
        *self
    }
}

fn sizes() -> BTreeMap<String, u32> {
    BTreeMap::from([("process".to_owned(), 2), ("cpu".to_owned(), 1), ("gpu".to_owned(), 1)])
}

/// Returns a machine with 4 thousandths of a CPU, 8 bytes and 3 GPUs.
fn small() -> Machine {
    let gpu = |id: &str| Gpu { id: id.to_owned(), ..Gpu::default() };
    let gpus = Some(["a", "b", "c"].map(gpu).into());
    Machine::of(&ResourceSettings { cpus: Some(4), memory: Some(8), gpus })
}

fn pools() -> Pools<u32> {
    Pools::new(&sizes(), &Rates::default(), small())
}

/// Returns pools by name; a name with a `!` is a lock, `plugin` has two places of its own, `=1+2` is one CPU with two
/// bytes of memory, `*2` are two GPUs, and `%250` is a quarter of one.
fn of(names: &[&str]) -> Needs {
    needs(names.iter().map(|name| match name.strip_prefix('!') {
        Some(lock) => Resource::Lock(lock.to_owned()),
        None if name.starts_with('*') => {
            Resource::Machine(Need::Gpus(Gpus::Whole(name[1..].parse().unwrap())))
        }
        None if name.starts_with('%') => {
            Resource::Machine(Need::Gpus(Gpus::Part(name[1..].parse().unwrap())))
        }
        None if name.starts_with('=') => {
            let (cpus, memory) = name[1..].split_once('+').unwrap();
            let amounts = Amounts { cpus: cpus.parse().unwrap(), memory: memory.parse().unwrap() };
            Resource::Machine(Need::Amounts(amounts))
        }
        None if *name == "plugin" => Resource::Own(name.to_string(), 2),
        None => Resource::pool(name),
    }))
}

fn starts(entry: &Entry<u32>) -> bool {
    matches!(entry, Entry::Starts(_))
}

#[test]
fn attempts_wait_for_a_full_pool_in_order() {
    let mut pools = pools();
    let process = of(&["process"]);
    assert!(starts(&pools.enter(&process, 1)) && starts(&pools.enter(&process, 2)));
    assert!(!starts(&pools.enter(&process, 3)) && !starts(&pools.enter(&process, 4)));
    assert_eq!(pools.next(), None);
    pools.leave(&process, 1);
    assert_eq!(pools.next(), Some((process.clone(), 3)));
    assert_eq!(pools.next(), None);
}

#[test]
fn an_attempt_that_waits_for_the_gpu_or_a_lock_holds_no_process() {
    for scarce in ["gpu", "!build"] {
        let mut pools = pools();
        let both = of(&["process", scarce]);
        assert!(starts(&pools.enter(&both, 1)));
        assert!(!starts(&pools.enter(&both, 2)));
        assert!(starts(&pools.enter(&of(&["process"]), 3)), "{scarce}");
        pools.leave(&both, 1);
        assert_eq!(pools.next(), Some((both, 2)));
    }
}

#[test]
fn the_places_of_an_executor_are_limited_and_forgotten_when_all_are_free() {
    let mut pools = pools();
    let plugin = of(&["plugin"]);
    assert!(starts(&pools.enter(&plugin, 1)) && starts(&pools.enter(&plugin, 2)));
    let Entry::Waits(third) = pools.enter(&plugin, 3) else { panic!("two places") };
    assert_eq!(pools.wait(third).unwrap().text, "waits for `plugin`: 2 at once");
    pools.leave(&plugin, 1);
    assert_eq!(pools.next(), Some((plugin.clone(), 3)));
    pools.leave(&plugin, 2);
    assert!(pools.lines.contains_key(&plugin[0]));
    pools.leave(&plugin, 3);
    assert!(!pools.lines.contains_key(&plugin[0]));
}

#[tokio::test(start_paused = true)]
async fn a_pool_with_a_rate_lets_its_waiters_start_in_order_once_it_may() {
    let mut config = crate::config::Config::default();
    let provider = config.providers.get_mut("openai").unwrap();
    (provider.concurrent, provider.requests_per_minute) = (Some(2), Some(3));
    let rates = Rates::new(&config);
    let mut pools = Pools::new(&config.pool_sizes(), &rates, small());
    let api = of(&["api.openai"]);
    assert!(starts(&pools.enter(&api, 1)) && starts(&pools.enter(&api, 2)));
    let Entry::Waits(full) = pools.enter(&api, 3) else { panic!("two at once") };
    assert_eq!(pools.wait(full).unwrap().text, "waits for `api.openai`: 2 at once");
    assert_eq!(pools.next_start(), None, "the end of another attempt is what it waits for");
    pools.leave(&api, 1);
    assert_eq!(pools.next(), Some((api.clone(), 3)));
    pools.leave(&api, 2);
    let Entry::Waits(fast) = pools.enter(&api, 4) else { panic!("three in a minute") };
    assert_eq!(pools.wait(fast).unwrap().text, "waits for `api.openai`: 3 requests a minute");
    assert!(matches!(pools.enter(&api, 5), Entry::Waits(_)));
    pools.admit_all();
    assert_eq!(pools.next(), None);
    tokio::time::sleep_until(pools.next_start().unwrap()).await;
    assert!(matches!(pools.enter(&api, 6), Entry::Waits(_)), "who comes later waits behind the others");
    pools.admit_all();
    assert_eq!(pools.next(), Some((api.clone(), 4)));
    assert_eq!(pools.next(), None);
    rates.get("api.openai").unwrap().pause(std::time::Duration::from_secs(5));
    pools.leave(&api, 3);
    assert_eq!(pools.next(), None);
    assert!(pools.next_start().is_some());
}

#[test]
fn a_chain_of_commands_does_not_starve_one_that_needs_the_gpu_too() {
    let mut pools = pools();
    let (process, both) = (of(&["process"]), of(&["process", "gpu"]));
    assert!(starts(&pools.enter(&process, 1)) && starts(&pools.enter(&process, 2)));
    assert!(!starts(&pools.enter(&both, 3)));
    // A node of the chain ends, and the next one asks before any other waiter is started.
    pools.leave(&process, 1);
    assert!(!starts(&pools.enter(&process, 4)));
    assert_eq!(pools.next(), Some((both, 3)));
}

#[test]
fn withdrawing_releases_everything_that_was_held() {
    let mut pools = pools();
    let process = of(&["process"]);
    assert!(starts(&pools.enter(&process, 1)) && starts(&pools.enter(&process, 2)));
    let Entry::Waits(ticket) = pools.enter(&of(&["!build", "process"]), 3) else { panic!("it should wait") };
    assert!(!starts(&pools.enter(&of(&["!build"]), 4)), "the lock is held by who waits for a process");
    pools.withdraw(ticket);
    assert_eq!(pools.next(), Some((of(&["!build"]), 4)));
    pools.leave(&process, 1);
    assert!(starts(&pools.enter(&process, 5)), "nobody waits for the process any more");
}

#[test]
fn an_unused_lock_is_forgotten() {
    let mut pools = pools();
    let lock = of(&["!build"]);
    assert!(starts(&pools.enter(&lock, 1)));
    pools.leave(&lock, 1);
    assert_eq!(pools.lines.len(), sizes().len());
}

#[derive(Clone, Debug)]
enum Act {
    Enter(usize),
    Leave(usize),
    Withdraw(usize),
}

const KINDS: [&[&str]; 19] = [
    &["process"],
    &["process", "gpu"],
    &["gpu"],
    &["cpu"],
    &["cpu", "gpu", "!a"],
    &["process", "!a"],
    &["process", "!b", "gpu"],
    &["process", "cpu", "!a", "!b"],
    &["=1+0"],
    &["=4+0", "process"],
    &["=1+6"],
    &["=0+3", "gpu"],
    &["=2+2", "process", "!a"],
    &["=3+1", "cpu", "gpu"],
    &["*1", "process"],
    &["*3"],
    &["%250", "=1+1"],
    &["%600"],
    &["*2", "=2+2", "!b"],
];

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0..KINDS.len()).prop_map(Act::Enter),
        3 => (0..16usize).prop_map(Act::Leave),
        1 => (0..16usize).prop_map(Act::Withdraw),
    ]
}

/// Pools with a simple record of who runs and who waits.
struct World {
    pools: Pools<u32>,
    running: VecDeque<(u32, Needs)>,
    waiting: Vec<(u32, Ticket)>,
    names: u32,
}

impl World {
    fn new() -> Self {
        Self { pools: pools(), running: VecDeque::new(), waiting: Vec::new(), names: 0 }
    }

    fn enter(&mut self, needs: &Needs) -> u32 {
        self.names += 1;
        match self.pools.enter(needs, self.names) {
            Entry::Starts(who) => self.running.push_back((who, needs.clone())),
            Entry::Waits(ticket) => self.waiting.push((self.names, ticket)),
        }
        self.names
    }

    fn start_those_who_may(&mut self) {
        while let Some((needs, who)) = self.pools.next() {
            self.waiting.retain(|(waits, _)| *waits != who);
            self.running.push_back((who, needs));
        }
    }

    fn leave(&mut self, at: usize) {
        if let Some((who, needs)) = self.running.remove(at) {
            self.pools.leave(&needs, who);
            self.start_those_who_may();
        }
    }

    fn act(&mut self, act: &Act) {
        match act {
            Act::Enter(kind) => drop(self.enter(&of(KINDS[*kind]))),
            Act::Leave(at) => self.leave(*at),
            Act::Withdraw(at) if *at < self.waiting.len() => {
                let (_, ticket) = self.waiting.remove(*at);
                self.pools.withdraw(ticket);
                self.start_those_who_may();
            }
            Act::Withdraw(_) => {}
        }
    }

    fn check(&self) {
        let size = |resource: &Resource| match resource {
            Resource::Lock(_) => 1,
            Resource::Children(_, size) | Resource::Own(_, size) => i64::from(*size),
            Resource::Pool(name) | Resource::Common(name) => i64::from(sizes()[name]),
            Resource::Machine(_) => 0,
        };
        let mut held: HashMap<&Resource, i64> = HashMap::new();
        let holders = self.running.iter().map(|(_, needs)| &needs[..]);
        let waiters = self.pools.waiting.values().map(|waiter| &waiter.needs[..waiter.held]);
        let (mut used, mut users, mut gpus) = (Amounts::default(), 0, 0);
        for resource in holders.chain(waiters).flatten() {
            match resource {
                Resource::Machine(Need::Amounts(amounts)) => {
                    users += 1;
                    used = Amounts { cpus: used.cpus + amounts.cpus, memory: used.memory + amounts.memory };
                }
                Resource::Machine(Need::Gpus(Gpus::Part(part))) => gpus += *part,
                Resource::Machine(Need::Gpus(need)) => gpus += 1000 * need.devices() as u32,
                _ => *held.entry(resource).or_default() += 1,
            }
        }
        let amounts = self.pools.machine.amounts();
        assert!(amounts.free().cpus >= 0 && amounts.free().memory >= 0, "{:?}", amounts.free());
        assert_eq!((used.cpus + amounts.free().cpus, used.memory + amounts.free().memory), (4, 8));
        assert_eq!(amounts.holders().count(), users);
        assert_eq!(amounts.clone().admit(), None, "who could have a part waits for it");
        assert_eq!(self.pools.machine.gpus().clone().admit(), None, "who could have a GPU waits for it");
        // No device is given away twice.
        let mut devices: HashMap<String, u32> = HashMap::new();
        let waiting = self.pools.waiting.values().map(|waiter| waiter.who);
        for slot in
            self.running.iter().map(|(who, _)| *who).chain(waiting).flat_map(|who| self.pools.slots(who))
        {
            *devices.entry(slot.id).or_default() += slot.part;
        }
        assert!(devices.values().all(|part| *part <= 1000), "{devices:?}");
        assert_eq!(devices.values().sum::<u32>(), gpus);
        for (resource, line) in &self.pools.lines {
            let held = held.remove(resource).unwrap_or_default();
            assert!(held <= size(resource), "{resource:?} is over its size");
            assert_eq!(held + line.free, size(resource), "{resource:?}");
            assert!(
                line.free == 0 || line.waiting.is_empty(),
                "{resource:?} is free and somebody waits for it"
            );
        }
        assert!(held.is_empty(), "held but without a line: {held:?}");
        assert_eq!(self.pools.waiting.len(), self.waiting.len());
    }
}

proptest! {
    /// No pool exceeds its size, none is idle while somebody waits for it, and every waiter starts after finitely many
    /// releases, although more attempts keep arriving.
    #[test]
    fn every_attempt_starts_and_no_pool_overflows(acts in prop::collection::vec(act(), 0..80), flood in 0..KINDS.len()) {
        let mut world = World::new();
        for act in &acts {
            world.act(act);
            world.check();
        }
        let waiting: BTreeSet<u32> = world.waiting.iter().map(|(who, _)| *who).collect();
        let mut releases = 0;
        while world.waiting.iter().any(|(who, _)| waiting.contains(who)) {
            // Every attempt ends eventually; meanwhile the next node of a chain asks before others are started.
            if let Some((who, needs)) = world.running.pop_front() {
                world.pools.leave(&needs, who);
                world.enter(&of(KINDS[flood]));
                world.start_those_who_may();
                world.check();
            }
            releases += 1;
            prop_assert!(releases <= 40 * (waiting.len() + 4), "somebody starves");
        }
    }
}
