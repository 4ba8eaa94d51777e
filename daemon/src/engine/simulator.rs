//! A simulator of scheduling. The queue and the pools are those of the engine; runs and attempts exist only here, and the clock
//! jumps from one event to the next. The same load gives the same schedule.
//!
//! - `load`: what is submitted, made from a seed
//! - `rules`: replays a schedule and checks what must hold in each
//! - `properties`: the tests; `figures`: what a decision costs (`cargo xtask bench scheduler`)

mod figures;
mod load;
mod properties;
mod rules;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};

use fanlight_shared::id::{IdMap, RunId, WorkflowId};

use super::pools::{Entry, Needs, OfRun, Pools};
use super::queue::{Limit, RunQueue, Turn};
use crate::machine::{Gpu, Machine, ResourceSettings};
use crate::rate::Rates;

/// Virtual time.
type Tick = u64;

/// Names an attempt: its run, and its number within that, in the order of submission.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
struct Who {
    run: usize,
    nth: usize,
}

impl OfRun for Who {
    type Run = usize;

    fn run(&self) -> usize {
        self.run
    }
}

/// The limits of a daemon.
#[derive(Clone)]
struct Settings {
    /// The most runs at once.
    cap: u32,
    pools: BTreeMap<String, u32>,
    /// In thousandths.
    cpus: u32,
    memory: u64,
    gpus: usize,
}

impl Settings {
    fn pools(&self) -> Pools<Who> {
        let gpu = |number: usize| Gpu { id: number.to_string(), ..Gpu::default() };
        let gpus = Some((0..self.gpus).map(gpu).collect());
        let machine =
            Machine::of(&ResourceSettings { cpus: Some(self.cpus), memory: Some(self.memory), gpus });
        Pools::new(&self.pools, &Rates::default(), machine)
    }
}

/// What is submitted together.
#[derive(Clone)]
struct Submission {
    at: Tick,
    sweep: Option<String>,
    priority: i32,
    limit: Option<Limit>,
    /// For each run, its stages: one follows the other, and the attempts of one are ready together.
    runs: Vec<Vec<Vec<Demand>>>,
}

/// An attempt as it is submitted.
#[derive(Clone)]
struct Demand {
    needs: Needs,
    lasts: Tick,
}

/// What happens to runs and attempts.
#[derive(Clone, PartialEq, Debug)]
enum Event {
    Submitted(usize),
    /// A run has got a slot.
    Took(usize),
    /// An attempt asks for what it needs.
    Asked(Who),
    /// It starts, with these GPUs and their parts.
    Started(Who, Vec<(String, u32)>),
    Ended(Who),
    /// A run has returned its slot.
    Left(usize),
}

/// A run with its submission.
struct Run {
    submission: usize,
    stages: VecDeque<Vec<Demand>>,
    attempts: Vec<Demand>,
    /// The attempts of the present stage that have not ended.
    left: usize,
}

/// Makes the schedule of a load.
struct Simulator<'a> {
    now: Tick,
    load: &'a [Submission],
    queue: RunQueue,
    pools: Pools<Who>,
    runs: Vec<Run>,
    numbers: IdMap<RunId, usize>,
    running: usize,
    ends: BinaryHeap<Reverse<(Tick, Who)>>,
    schedule: Vec<(Tick, Event)>,
}

/// Returns what happens when; `load` is in the order of time.
fn simulate(settings: &Settings, load: &[Submission]) -> Vec<(Tick, Event)> {
    let mut simulator = Simulator {
        now: 0,
        load,
        queue: RunQueue::new(settings.cap, false),
        pools: settings.pools(),
        runs: Vec::new(),
        numbers: IdMap::default(),
        running: 0,
        ends: BinaryHeap::new(),
        schedule: Vec::new(),
    };
    let mut submitted = 0;
    loop {
        let next_end = simulator.ends.peek().map(|Reverse((at, _))| *at);
        let next_submission = load.get(submitted).map(|submission| submission.at);
        let Some(now) = next_end.into_iter().chain(next_submission).min() else { break };
        simulator.now = now;
        if next_submission == Some(now) {
            simulator.submit(submitted);
            submitted += 1;
        } else if let Some(Reverse((_, who))) = simulator.ends.pop() {
            simulator.end(who);
        }
        simulator.start_runs();
    }
    assert_eq!((simulator.queue.len(), simulator.running), (0, 0), "everything ends");
    simulator.schedule
}

impl Simulator<'_> {
    fn happens(&mut self, event: Event) {
        self.schedule.push((self.now, event));
    }

    fn submit(&mut self, submission: usize) {
        let Submission { sweep, priority, limit, runs, .. } = &self.load[submission];
        let ids: Vec<RunId> = runs.iter().map(|_| RunId::new()).collect();
        for (id, stages) in ids.iter().zip(runs) {
            self.numbers.insert(*id, self.runs.len());
            self.happens(Event::Submitted(self.runs.len()));
            let stages = stages.iter().cloned().collect();
            self.runs.push(Run { submission, stages, attempts: Vec::new(), left: 0 });
        }
        self.queue.add(&ids, sweep.as_deref(), Turn::of(*priority), *limit);
    }

    fn workflow(&self, run: usize) -> Option<WorkflowId> {
        self.load[self.runs[run].submission].limit.map(|limit| limit.workflow)
    }

    fn start_runs(&mut self) {
        while let Some(id) = self.queue.take(self.running) {
            let run = self.numbers[&id];
            self.running += 1;
            if let Some(workflow) = self.workflow(run) {
                self.queue.started(workflow);
            }
            self.happens(Event::Took(run));
            self.advance(run);
            self.start_waiting();
        }
    }

    /// Begins the next stage of a run, or ends it.
    fn advance(&mut self, run: usize) {
        let Some(stage) = self.runs[run].stages.pop_front() else {
            self.running -= 1;
            if let Some(workflow) = self.workflow(run) {
                self.queue.ended(workflow);
            }
            return self.happens(Event::Left(run));
        };
        self.runs[run].left = stage.len();
        for demand in stage {
            let who = Who { run, nth: self.runs[run].attempts.len() };
            self.happens(Event::Asked(who));
            let needs = demand.needs.clone();
            self.runs[run].attempts.push(demand);
            if let Entry::Starts(who) = self.pools.enter(&needs, who) {
                self.start(who);
            }
        }
    }

    fn start(&mut self, who: Who) {
        let slots = self.pools.slots(who).into_iter().map(|slot| (slot.id, slot.part)).collect();
        self.happens(Event::Started(who, slots));
        let lasts = self.runs[who.run].attempts[who.nth].lasts;
        self.ends.push(Reverse((self.now + lasts, who)));
    }

    fn start_waiting(&mut self) {
        while let Some((_, who)) = self.pools.next() {
            self.start(who);
        }
    }

    /// Ends an attempt, in the order of the engine: what it held, the next stage of its run, those that wait.
    fn end(&mut self, who: Who) {
        self.happens(Event::Ended(who));
        let needs = self.runs[who.run].attempts[who.nth].needs.clone();
        self.pools.leave(&needs, who);
        self.runs[who.run].left -= 1;
        if self.runs[who.run].left == 0 {
            self.advance(who.run);
        }
        self.start_waiting();
    }
}
