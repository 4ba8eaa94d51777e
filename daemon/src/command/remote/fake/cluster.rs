//! The cluster: jobs as its controller knows them, and commands as its nodes run them.
//!
//! It has the bad days that a real one was seen to have: a controller that dies forgets the jobs of its last moments and gives
//! their numbers to others, while their commands run to their ends; a node refuses a job with the number of one that it runs; a
//! node that fails takes its command along; a submission may be accepted, also twice, although its response is lost.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap, VecDeque};

use fanlight_shared::id::{AttemptId, RunId};
use fanlight_shared::rng::Rng;
use fanlight_shared::time::Time;

use super::super::cluster::Snapshot;
use super::super::files::{RunnerExit, Said, Started};
use super::super::job::{JobState, SeenJob};
use super::super::record::Record;
use super::Settings;

/// Seconds since the start of the cluster.
type Seconds = u64;

/// How long the controller is away when it has died, how long it remembers jobs that ended, when it notices that a node failed,
/// and when that node is back.
const AWAY: Seconds = 30;
const REMEMBERED: Seconds = 300;
const NOTICED: Seconds = 30;
const REPAIRED: Seconds = 60;
/// The interval between two signs of life of a runner.
const BEAT: Seconds = 15;

/// What happened so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Figures {
    pub(crate) submissions: u64,
    /// How many jobs were submitted again because the cluster knew of none.
    pub(crate) again: u64,
    pub(crate) node_failures: u64,
    pub(crate) deaths: u64,
    /// Jobs that the controller forgot when it died.
    pub(crate) forgotten: u64,
    /// Jobs that came second to the command of their attempt, or had the number of a running one.
    pub(crate) fenced: u64,
    pub(crate) refused: u64,
    /// Why nobody saw how commands ended, without numbers.
    pub(crate) lost: BTreeMap<String, u64>,
    pub(crate) polls: u64,
    pub(crate) stale_polls: u64,
    /// What `squeue` printed in all polls.
    pub(crate) bytes: u64,
}

/// What the daemon has recorded of an attempt, as in its folder.
#[derive(Clone, Default)]
pub(super) struct Recorded {
    pub(super) intended: Seconds,
    pub(super) job: Option<u64>,
}

struct Job {
    attempt: AttemptId,
    run: RunId,
    state: JobState,
    node: String,
    submitted: Seconds,
    ended: Option<Seconds>,
}

/// A command on a node.
struct Process {
    job: u64,
    node_fails: bool,
}

enum Due {
    /// A command ends, or its node fails.
    End(AttemptId),
    /// The controller notices that the node of a job failed.
    Noticed(u64),
    /// A node is back.
    Repaired,
}

pub(super) struct Cluster {
    settings: Settings,
    rng: Rng,
    pub(super) now: Seconds,
    free: usize,
    down_until: Option<Seconds>,
    next_death: Seconds,
    next_id: u64,
    jobs: BTreeMap<u64, Job>,
    pending: VecDeque<u64>,
    processes: HashMap<AttemptId, Process>,
    /// The attempts whose commands have these numbers of jobs.
    numbers: HashMap<u64, AttemptId>,
    due: BinaryHeap<Reverse<(Seconds, u64)>>,
    events: HashMap<u64, Due>,
    /// The files of the attempts.
    said: HashMap<AttemptId, Said>,
    pub(super) records: HashMap<AttemptId, Recorded>,
    /// How often the command of each run was started, and how often it ended by itself.
    pub(super) started: HashMap<RunId, u32>,
    pub(super) ended: HashMap<RunId, u32>,
    pub(super) figures: Figures,
}

impl Cluster {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            rng: Rng::new(settings.seed),
            now: 0,
            free: settings.slots,
            down_until: None,
            next_death: settings.dies_every,
            next_id: 1,
            jobs: BTreeMap::new(),
            pending: VecDeque::new(),
            processes: HashMap::new(),
            numbers: HashMap::new(),
            due: BinaryHeap::new(),
            events: HashMap::new(),
            said: HashMap::new(),
            records: HashMap::new(),
            started: HashMap::new(),
            ended: HashMap::new(),
            figures: Figures::default(),
            settings,
        }
    }

    /// Accepts a job, as `sbatch` does. Returns its number; `None` if that is unknown.
    pub(super) fn submit(&mut self, attempt: AttemptId, run: RunId) -> Option<u64> {
        self.records.insert(attempt, Recorded { intended: self.now, job: None });
        if self.down_until.is_some() {
            return None;
        }
        let id = self.accept(attempt, run);
        let response_is_lost = self.rng.below(50) == 0;
        if response_is_lost {
            if self.rng.below(2) == 0 {
                self.accept(attempt, run);
            }
            return None;
        }
        self.records.insert(attempt, Recorded { intended: self.now, job: Some(id) });
        Some(id)
    }

    fn accept(&mut self, attempt: AttemptId, run: RunId) -> u64 {
        self.figures.submissions += 1;
        let (id, state) = (self.next_id, JobState::Pending);
        self.next_id += 1;
        let job = Job { attempt, run, state, node: String::new(), submitted: self.now, ended: None };
        self.jobs.insert(id, job);
        self.pending.push_back(id);
        id
    }

    /// Returns what the runner of an attempt has said.
    pub(super) fn said(&self, attempt: AttemptId) -> Said {
        let mut said = self.said.get(&attempt).cloned().unwrap_or_default();
        let beats = self.processes.contains_key(&attempt);
        said.alive = beats.then(|| (self.now / BEAT).to_string()).or(said.alive);
        said
    }

    /// Forgets an attempt, whose outcome is stored.
    pub(super) fn release(&mut self, attempt: AttemptId) {
        self.said.remove(&attempt);
        self.records.remove(&attempt);
    }

    fn at(&mut self, at: Seconds, due: Due) {
        let number = self.figures.submissions * 4 + self.events.len() as u64;
        let number = (number..).find(|number| !self.events.contains_key(number)).unwrap_or_default();
        self.due.push(Reverse((at, number)));
        self.events.insert(number, due);
    }

    /// Lets time go by.
    pub(super) fn advance(&mut self, by: Seconds) {
        let until = self.now + by;
        self.start_pending();
        while let Some(Reverse((at, _))) = self.due.peek()
            && *at <= until
        {
            self.now = *at;
            if let Some(due) = self.due.pop().and_then(|Reverse((_, number))| self.events.remove(&number)) {
                self.happens(due);
            }
            self.start_pending();
        }
        if self.down_until.is_some_and(|back| back <= until) {
            self.down_until = None;
        }
        if self.down_until.is_none() && self.next_death <= until {
            self.die(until);
        }
        self.now = until;
    }

    fn happens(&mut self, due: Due) {
        match due {
            Due::End(attempt) => self.end(attempt),
            Due::Noticed(id) => self.end_job(id, JobState::NodeFailed),
            Due::Repaired => self.free += 1,
        }
    }

    fn end_job(&mut self, id: u64, state: JobState) {
        if let Some(job) = self.jobs.get_mut(&id).filter(|job| !job.state.is_ended()) {
            (job.state, job.ended) = (state, Some(self.now));
        }
    }

    /// A command ends by itself, or its node fails.
    fn end(&mut self, attempt: AttemptId) {
        let Some(process) = self.processes.remove(&attempt) else { return };
        self.numbers.remove(&process.job);
        let said = self.said.entry(attempt).or_default();
        said.alive = Some((self.now / BEAT).to_string());
        if process.node_fails {
            self.figures.node_failures += 1;
            self.at(self.now + NOTICED, Due::Noticed(process.job));
            return self.at(self.now + REPAIRED, Due::Repaired);
        }
        let (job, at) = (process.job.to_string(), Time(0));
        said.exit = Some(RunnerExit { job, code: 0, told: false, at, stdout: 0, stderr: 0, cut: false });
        self.free += 1;
        // An id may belong to another job by now.
        if let Some(job) = self.jobs.get(&process.job).filter(|job| job.attempt == attempt) {
            *self.ended.entry(job.run).or_default() += 1;
            self.end_job(process.job, JobState::Completed);
        }
    }

    /// Starts the jobs that wait, while the controller is there and slots are free.
    fn start_pending(&mut self) {
        while self.down_until.is_none()
            && self.free > 0
            && let Some(id) = self.pending.pop_front()
        {
            let Some(job) = self.jobs.get_mut(&id).filter(|job| job.state == JobState::Pending) else {
                continue;
            };
            let (attempt, run) = (job.attempt, job.run);
            job.node = format!("n{}", id % self.settings.slots as u64);
            if self.numbers.contains_key(&id) {
                self.figures.refused += 1;
                self.end_job(id, JobState::Cancelled);
            } else if self.said.get(&attempt).is_some_and(|said| said.started.is_some()) {
                self.figures.fenced += 1;
                self.end_job(id, JobState::Failed);
            } else {
                job.state = JobState::Active;
                let started = Started { job: id.to_string(), host: job.node.clone(), at: Time(0) };
                self.said.entry(attempt).or_default().started = Some(started);
                *self.started.entry(run).or_default() += 1;
                let node_fails = self.rng.below(100) < self.settings.percent_of_nodes_fail;
                let lasts = 1 + self.rng.below(2 * self.settings.lasts as usize) as Seconds;
                self.processes.insert(attempt, Process { job: id, node_fails });
                self.numbers.insert(id, attempt);
                self.free -= 1;
                self.at(self.now + lasts, Due::End(attempt));
            }
        }
    }

    /// The controller dies: it forgets what it has not saved.
    fn die(&mut self, now: Seconds) {
        self.figures.deaths += 1;
        (self.down_until, self.next_death) = (Some(now + AWAY), now + self.settings.dies_every);
        let unsaved = self.now;
        let forgotten: Vec<u64> = self
            .jobs
            .iter()
            .filter(|(_, job)| job.submitted >= unsaved.saturating_sub(self.settings.poll))
            .map(|(id, _)| *id)
            .collect();
        self.figures.forgotten += forgotten.len() as u64;
        for id in &forgotten {
            self.jobs.remove(id);
        }
        self.pending.retain(|id| !forgotten.contains(id));
        self.next_id = forgotten.first().copied().unwrap_or(self.next_id);
    }

    /// Returns the jobs as `squeue` shows them; `None` if the controller does not answer.
    pub(super) fn poll(&mut self) -> Option<Vec<SeenJob>> {
        self.figures.polls += 1;
        if self.down_until.is_some() {
            self.figures.stale_polls += 1;
            return None;
        }
        let now = self.now;
        self.jobs.retain(|_, job| job.ended.is_none_or(|ended| now - ended < REMEMBERED));
        let seen: Vec<SeenJob> = self.jobs.iter().map(|(id, job)| job.seen(*id)).collect();
        let fields = |job: &SeenJob| {
            let all =
                [&job.id, &job.reason, &job.nodes, &job.time_limit, &job.time_used, &job.memory, &job.key];
            // With the state, its separators and the end of the line.
            all.iter().map(|field| field.len() as u64).sum::<u64>() + 16
        };
        self.figures.bytes += seen.iter().map(fields).sum::<u64>();
        Some(seen)
    }

    /// Returns a snapshot of a poll.
    pub(super) fn snapshot(&mut self, number: u64, before: &Snapshot) -> Snapshot {
        match self.poll() {
            Some(jobs) => Snapshot::of(number, jobs),
            None => {
                let mut stale = before.clone();
                stale.stale = Some("the controller does not answer".into());
                stale
            }
        }
    }
}

impl Job {
    fn seen(&self, id: u64) -> SeenJob {
        SeenJob {
            id: id.to_string(),
            state: self.state,
            reason: if self.state == JobState::NodeFailed { "NodeDown" } else { "None" }.to_owned(),
            nodes: self.node.clone(),
            time_limit: "1:00:00".to_owned(),
            time_used: "0:42".to_owned(),
            memory: "4000M".to_owned(),
            key: Record::key(self.attempt),
        }
    }
}
