//! Submits jobs. Those of equal attempts that are to be submitted at the same moment become one array, which costs one call.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fanlight_shared::resources::Resources;
use fanlight_shared::time::Time;
use futures_util::future::join_all;
use tokio::sync::{Notify, Semaphore, oneshot};

use super::array::Element;
use super::ray;
use super::record::Record;
use super::request::{Request, SubmitError};
use super::tools::{Controller, Tools};

/// The fewest jobs that become an array.
const MIN_ARRAY: usize = 20;
/// The most elements of an array. A cluster takes 1,000 by default, and says if it takes fewer.
const MAX_ARRAY: usize = 1000;
/// How long jobs wait at most for those of attempts that are being prepared.
const GATHER_TIMEOUT: Duration = Duration::from_secs(5);
/// How many calls submit at once.
const MAX_CALLS: usize = 8;
/// How many threads write records at once: each write waits for the disk.
const MAX_WRITERS: usize = 8;
/// What `sbatch` says about an array that is too large.
const TOO_LARGE: &str = "nvalid job array specification";

/// A job to be submitted.
pub(super) struct Job {
    /// The record of its attempt, which is written before it is submitted.
    pub(super) record: Record,
    /// The folder of the attempt in the home.
    pub(super) home: PathBuf,
    /// Its folder, as the cluster sees it.
    pub(super) files: PathBuf,
    /// The comment by which it is found again.
    pub(super) key: String,
    /// Its name for people.
    pub(super) name: String,
    /// The name for people of all that are equal.
    pub(super) kind: String,
    /// What it needs.
    pub(super) needs: Resources,
}

/// What became of a job.
pub(super) struct Submitted {
    /// The record of its attempt, as it was written.
    pub(super) record: Record,
    /// Its id.
    pub(super) job: Result<String, SubmitError>,
}

/// Submits the jobs of one engine.
pub(super) struct Submitter {
    tools: Tools,
    waiting: Mutex<Waiting>,
    /// How many attempts are being prepared.
    preparing: AtomicUsize,
    /// Is notified when none is.
    prepared: Notify,
    calls: Semaphore,
    /// The most elements of an array, as far as is known.
    limit: AtomicUsize,
}

#[derive(Default)]
struct Waiting {
    jobs: Vec<Pending>,
    /// Whether a task submits them.
    running: bool,
}

struct Pending {
    job: Job,
    reply: oneshot::Sender<Submitted>,
}

impl Pending {
    fn answer(self, job: Result<String, SubmitError>) {
        // Nobody may wait any more.
        let _ = self.reply.send(Submitted { record: self.job.record, job });
    }
}

/// An attempt that is being prepared: its job comes soon.
pub(super) struct Preparing(Arc<Submitter>);

impl Drop for Preparing {
    fn drop(&mut self) {
        if self.0.preparing.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.prepared.notify_one();
        }
    }
}

impl Submitter {
    pub(super) fn new(tools: Tools) -> Arc<Self> {
        // Ray has no arrays.
        let (calls, limit) = match tools.controller() {
            Controller::Slurm(_) => (MAX_CALLS, MAX_ARRAY),
            Controller::Ray(_) => (ray::MAX_CALLS, 0),
        };
        Arc::new(Self {
            tools,
            waiting: Mutex::default(),
            preparing: AtomicUsize::new(0),
            prepared: Notify::new(),
            calls: Semaphore::new(calls),
            limit: AtomicUsize::new(limit),
        })
    }

    /// Notes that a job comes soon.
    pub(super) fn expect(self: &Arc<Self>) -> Preparing {
        self.preparing.fetch_add(1, Ordering::AcqRel);
        Preparing(Arc::clone(self))
    }

    /// Submits a job, together with equal ones. What is about to happen is durable before it does.
    pub(super) async fn submit(self: &Arc<Self>, job: Job, preparing: Option<Preparing>) -> Submitted {
        let (record, (reply, answer)) = (job.record.clone(), oneshot::channel());
        {
            let mut waiting = self.waiting();
            waiting.jobs.push(Pending { job, reply });
            if !std::mem::replace(&mut waiting.running, true) {
                tokio::spawn(Arc::clone(self).run());
            }
        }
        drop(preparing);
        let lost = || SubmitError::Unknown("submitting failed; see the daemon's log".to_owned());
        answer.await.unwrap_or_else(|_| Submitted { record, job: Err(lost()) })
    }

    /// Submits a job as one of its own.
    pub(super) async fn submit_alone(&self, mut job: Job) -> Submitted {
        intend(&mut job.record);
        let submitted = self.call_alone(&job).await;
        Submitted { record: job.record, job: submitted }
    }

    /// Locks it. Every change leaves it whole, so a poisoned lock is harmless.
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Submits until no job waits.
    async fn run(self: Arc<Self>) {
        loop {
            let _ = tokio::time::timeout(GATHER_TIMEOUT, self.gather()).await;
            let jobs = {
                let mut waiting = self.waiting();
                waiting.running = !waiting.jobs.is_empty();
                std::mem::take(&mut waiting.jobs)
            };
            if jobs.is_empty() {
                return;
            }
            let mut groups: BTreeMap<_, Vec<Pending>> = BTreeMap::new();
            for pending in jobs {
                let Job { kind, needs, files, .. } = &pending.job;
                let key = (kind.clone(), *needs, files.parent().map(Path::to_owned));
                groups.entry(key).or_default().push(pending);
            }
            for group in groups.into_values() {
                // A cluster that is slow to answer keeps no other job waiting.
                let submitter = Arc::clone(&self);
                tokio::spawn(async move { submitter.submit_group(group).await });
            }
        }
    }

    /// Waits for the jobs of attempts that are being prepared.
    async fn gather(&self) {
        while self.preparing.load(Ordering::Acquire) > 0 {
            self.prepared.notified().await;
        }
    }

    /// Submits equal jobs: as arrays, as far as the cluster takes them.
    async fn submit_group(&self, group: Vec<Pending>) {
        let mut parts = vec![group];
        let mut busy = None;
        while let Some(mut part) = parts.pop() {
            if let Some(why) = &busy {
                part.into_iter()
                    .for_each(|pending| pending.answer(Err(SubmitError::Busy(String::clone(why)))));
                continue;
            }
            let limit = self.limit.load(Ordering::Relaxed);
            if part.len().min(limit) < MIN_ARRAY {
                busy = self.submit_each(part).await;
                continue;
            }
            if part.len() > limit {
                parts.push(part.split_off(limit));
            }
            let call = self.calls.acquire().await;
            let Some(first) = number(&mut part) else { continue };
            let records = part.iter().map(|it| (it.job.home.clone(), it.job.record.clone())).collect();
            if write(records).await.is_err() {
                drop(call);
                // Each says why itself.
                busy = self.submit_each(part).await;
                continue;
            }
            match self.submit_array(&part, &first).await {
                Ok(array) => part.into_iter().enumerate().for_each(|(index, pending)| {
                    pending.answer(Ok(format!("{array}_{index}")));
                }),
                Err(error) => {
                    match error {
                        // It may take some of them.
                        SubmitError::Busy(_) => {}
                        SubmitError::Refused(why) if why.contains(TOO_LARGE) => {
                            self.limit.fetch_min(part.len() / 2, Ordering::Relaxed);
                        }
                        error => {
                            part.into_iter().for_each(|pending| pending.answer(Err(error.clone())));
                            continue;
                        }
                    }
                    parts.push(part.split_off(part.len() / 2));
                    parts.push(part);
                }
            }
        }
    }

    /// Submits each of these. Returns why the cluster takes no more, if it does not.
    async fn submit_each(&self, jobs: Vec<Pending>) -> Option<String> {
        let all = jobs.into_iter().map(|mut pending| async {
            let record = &mut pending.job.record;
            record.element = None;
            intend(record);
            let submitted = self.call_alone(&pending.job).await;
            let busy = match &submitted {
                Err(SubmitError::Busy(why)) => Some(why.clone()),
                _ => None,
            };
            pending.answer(submitted);
            busy
        });
        join_all(all).await.into_iter().flatten().next()
    }

    async fn call_alone(&self, job: &Job) -> Result<String, SubmitError> {
        let _call = self.calls.acquire().await;
        write([(job.home.clone(), job.record.clone())].into()).await?;
        let Job { key, name, files, needs, .. } = job;
        self.tools.submit(&Request { key, name, files, needs, elements: &[] }).await
    }

    /// Submits these as one array. Returns its id.
    async fn submit_array(&self, jobs: &[Pending], first: &Element) -> Result<String, SubmitError> {
        let names = jobs.iter().map(|it| it.job.files.file_name().unwrap_or_default().to_owned());
        let elements: Vec<_> = names.collect();
        let Some(Job { kind, needs, files, .. }) = jobs.first().map(|it| &it.job) else {
            return Err(SubmitError::Busy("an array has no elements".to_owned()));
        };
        self.tools.submit(&Request { key: &first.array, name: kind, files, needs, elements: &elements }).await
    }
}

/// Makes these the elements of one array, in their order. Returns the first one.
fn number(jobs: &mut [Pending]) -> Option<Element> {
    let elements = Element::all(jobs.len(), jobs.first()?.job.files.clone());
    for (pending, element) in jobs.iter_mut().zip(elements) {
        pending.job.record.element = Some(element);
        intend(&mut pending.job.record);
    }
    jobs.first()?.job.record.element.clone()
}

/// Notes that a job is about to be submitted.
fn intend(record: &mut Record) {
    (record.intended, record.job) = (Some(Time::now()), None);
}

/// Writes records, durably.
async fn write(records: Vec<(PathBuf, Record)>) -> Result<(), SubmitError> {
    let size = records.len().div_ceil(MAX_WRITERS).max(1);
    let writers = records.chunks(size).map(|some| {
        let some = some.to_vec();
        tokio::task::spawn_blocking(move || some.iter().try_for_each(|(home, record)| record.write(home)))
    });
    let unwritten = |why: String| SubmitError::Refused(format!("the job can't be recorded: {why}"));
    for written in join_all(writers).await {
        written
            .map_err(|error| unwritten(error.to_string()))?
            .map_err(|error| unwritten(error.to_string()))?;
    }
    Ok(())
}
