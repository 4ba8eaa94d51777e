//! What holds in every schedule. A schedule is replayed with a count of its own of who waits and who has what.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use fanlight_shared::id::WorkflowId;
use fanlight_shared::resources::GPU_PARTS;

use super::{Demand, Event, Settings, Submission, Tick, Who};
use crate::engine::pools::{Amounts, Need, Resource};
use crate::engine::queue::Limit;

/// Runs that start in the order of their submission.
type Line = (Option<String>, Option<WorkflowId>);

type Started = HashMap<(String, i32), usize>;

/// What a replay finds.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// How long attempts waited for what they needed, by the number of their run.
    pub(super) waits: Vec<(Who, Tick)>,
    /// The order in which runs got a slot.
    pub(super) order: Vec<usize>,
    /// When the last attempt ended.
    pub(super) end: Tick,
}

struct Replay<'a> {
    settings: &'a Settings,
    /// Of each run, its submission and its attempts.
    runs: Vec<(&'a Submission, Vec<&'a Demand>)>,
    waiting: BTreeMap<Reverse<i32>, HashMap<Line, VecDeque<usize>>>,
    running: HashSet<usize>,
    of_workflows: HashMap<WorkflowId, u32>,
    /// How many runs of each sweep have started, by priority.
    started: Started,
    /// The same at the moment from which a run was the first of its line.
    before: HashMap<usize, Started>,
    asked: HashMap<Who, Tick>,
    held: HashMap<Resource, u32>,
    used: Amounts,
    devices: HashMap<String, u32>,
    has: HashMap<Who, Vec<(String, u32)>>,
    found: Found,
}

/// Checks a schedule:
/// - no cap, limit, pool, lock or machine is exceeded, and no part of a GPU has two owners;
/// - a run starts only if none of a higher priority may start, and those of a sweep, or single ones, start in their order;
/// - while a run waits to be the next one of its sweep, or as a single one, every other sweep of its priority starts at most
///   two (of those without a limit);
/// - every attempt runs once.
pub(super) fn check(settings: &Settings, load: &[Submission], schedule: &[(Tick, Event)]) -> Found {
    let runs = load.iter().flat_map(|submission| {
        submission.runs.iter().map(move |run| (submission, run.iter().flatten().collect::<Vec<_>>()))
    });
    let mut replay = Replay {
        settings,
        runs: runs.collect(),
        waiting: BTreeMap::new(),
        running: HashSet::new(),
        of_workflows: HashMap::new(),
        started: HashMap::new(),
        before: HashMap::new(),
        asked: HashMap::new(),
        held: HashMap::new(),
        used: Amounts::default(),
        devices: HashMap::new(),
        has: HashMap::new(),
        found: Found::default(),
    };
    schedule.iter().for_each(|(at, event)| replay.happens(*at, event));
    let attempts: usize = replay.runs.iter().map(|(_, attempts)| attempts.len()).sum();
    assert_eq!(replay.found.waits.len(), attempts, "every attempt starts");
    assert!(replay.has.is_empty() && replay.running.is_empty(), "everything ends");
    assert_eq!(replay.found.order.len(), replay.runs.len());
    replay.found
}

impl Replay<'_> {
    fn line(&self, run: usize) -> Line {
        let (submission, _) = &self.runs[run];
        (submission.sweep.clone(), submission.limit.map(|limit| limit.workflow))
    }

    fn happens(&mut self, at: Tick, event: &Event) {
        match event {
            Event::Submitted(run) => {
                let (line, priority) = (self.line(*run), Reverse(self.runs[*run].0.priority));
                self.waiting.entry(priority).or_default().entry(line).or_default().push_back(*run);
                self.before.insert(*run, self.started.clone());
            }
            Event::Took(run) => self.takes(*run),
            Event::Asked(who) => drop(self.asked.insert(*who, at)),
            Event::Started(who, slots) => {
                let asked = self.asked.remove(who).expect("it asks before it starts, and starts once");
                self.found.waits.push((*who, at - asked));
                self.has.insert(*who, slots.clone());
                self.hold(*who);
            }
            Event::Ended(who) => {
                self.release(*who);
                self.found.end = at;
            }
            Event::Left(run) => {
                assert!(self.running.remove(run));
                if let Some(limit) = self.runs[*run].0.limit {
                    *self.of_workflows.entry(limit.workflow).or_default() -= 1;
                }
            }
        }
    }

    fn takes(&mut self, run: usize) {
        let (submission, _) = self.runs[run];
        let at_limit = |limit: Option<Limit>, now: &HashMap<WorkflowId, u32>| {
            limit.is_some_and(|limit| now.get(&limit.workflow).is_some_and(|now| *now >= limit.runs))
        };
        assert!(!at_limit(submission.limit, &self.of_workflows), "beyond the limit of its workflow");
        for (priority, lines) in self.waiting.range(..Reverse(submission.priority)) {
            for first in lines.values().filter_map(VecDeque::front) {
                let limit = self.runs[*first].0.limit;
                assert!(at_limit(limit, &self.of_workflows), "{priority:?} should be first");
            }
        }
        let line = self.line(run);
        let lines = self.waiting.get_mut(&Reverse(submission.priority)).unwrap();
        let of_line = lines.get_mut(&line).unwrap();
        assert_eq!(of_line.pop_front(), Some(run), "first in, first out");
        let next = of_line.front().copied();
        if submission.limit.is_none() {
            let before = self.before.remove(&run).unwrap_or_default();
            let others = self.started.iter().filter(|((sweep, priority), _)| {
                Some(sweep) != submission.sweep.as_ref() && *priority == submission.priority
            });
            for (sweep, count) in others {
                let count = count - before.get(sweep).copied().unwrap_or_default();
                assert!(count <= 2, "{count} runs of {sweep:?} started before run {run}");
            }
            if let Some(sweep) = &submission.sweep {
                *self.started.entry((sweep.clone(), submission.priority)).or_default() += 1;
                if let Some(next) = next {
                    self.before.insert(next, self.started.clone());
                }
            }
        }
        assert!(self.running.insert(run));
        assert!(self.running.len() <= self.settings.cap as usize, "beyond the cap");
        if let Some(limit) = submission.limit {
            *self.of_workflows.entry(limit.workflow).or_default() += 1;
        }
        self.found.order.push(run);
    }

    fn hold(&mut self, who: Who) {
        for resource in self.runs[who.run].1[who.nth].needs.iter() {
            let size = match resource {
                Resource::Machine(Need::Amounts(amounts)) => {
                    self.used.cpus += amounts.cpus;
                    self.used.memory += amounts.memory;
                    continue;
                }
                Resource::Machine(Need::Gpus(gpus)) => {
                    let slots = &self.has[&who];
                    assert_eq!(slots.len(), gpus.devices(), "it has the GPUs that it needs");
                    for (device, part) in slots {
                        *self.devices.entry(device.clone()).or_default() += part;
                    }
                    continue;
                }
                Resource::Lock(_) => 1,
                Resource::Children(_, size) | Resource::Own(_, size) => *size,
                Resource::Pool(name) | Resource::Common(name) => self.settings.pools[name],
            };
            let held = self.held.entry(resource.clone()).or_default();
            *held += 1;
            assert!(*held <= size, "{resource:?} is beyond its size");
        }
        assert!(self.used.cpus <= self.settings.cpus.into(), "beyond the CPUs");
        assert!(self.used.memory <= self.settings.memory as i64, "beyond the memory");
        assert!(self.devices.values().all(|part| *part <= GPU_PARTS), "{:?}", self.devices);
    }

    fn release(&mut self, who: Who) {
        for resource in self.runs[who.run].1[who.nth].needs.iter() {
            match resource {
                Resource::Machine(Need::Amounts(amounts)) => {
                    self.used.cpus -= amounts.cpus;
                    self.used.memory -= amounts.memory;
                }
                Resource::Machine(Need::Gpus(_)) => {
                    for (device, part) in &self.has[&who] {
                        *self.devices.get_mut(device).unwrap() -= part;
                    }
                }
                _ => *self.held.get_mut(resource).unwrap() -= 1,
            }
        }
        assert!(self.has.remove(&who).is_some(), "it ends once");
    }
}
