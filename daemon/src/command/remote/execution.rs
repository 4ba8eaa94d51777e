//! One attempt of a command on a cluster.

mod cancel;
mod end;
mod submit;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use fanlight_shared::event::{LiveEvent, Location, Source as AttemptSource};
use fanlight_shared::time::Time;
use futures_util::future::BoxFuture;
use tokio::sync::{Notify, OwnedSemaphorePermit, watch};

use super::Remote;
use super::cluster::{Named, Snapshot, Watching};
use super::files::{self, RunnerExit, Said};
use super::inputs::ByName;
use super::mirror::CopiedFolder;
use super::output::Output;
use super::record::Record;
use super::submitter::Preparing;
use super::verdict::{Judge, Lives, Stopped, Verdict};
use crate::attempt::{Attempt, Outcome};
use crate::command::folder::Folder;
use crate::command::follow;
use crate::command::metrics::Source;
use crate::command::reader::Reader;
use crate::command::steps::{self, failed};
use crate::executor::{Adopted, CommandWork, End, Execution, Signal, Signalled};

/// How long output that the runner counted may be missing, which may be late on a network file system.
const OUTPUT_TIMEOUT: Duration = Duration::from_secs(30);
/// The interval between two looks for it.
const OUTPUT_INTERVAL: Duration = Duration::from_millis(250);

/// An attempt of a command on a cluster.
pub(super) struct RemoteExecution {
    remote: Remote,
    attempt: Attempt,
    work: Arc<CommandWork>,
    key: String,
    reader: Arc<Mutex<Reader>>,
    state: Mutex<State>,
    stopping: AtomicBool,
    /// Whether no job of it will run its command.
    barred: AtomicBool,
    stop: Notify,
    running: watch::Sender<Option<Time>>,
}

/// What is known of it.
#[derive(Default)]
struct State {
    /// How much of its standard output is kept, once it is prepared.
    stdout_limit: u64,
    /// Its inputs that are placed on the cluster.
    inputs: ByName,
    /// Kept while it is prepared.
    preparing: Option<Preparing>,
    /// Kept while an element of an array is its job.
    named: Option<Named>,
    /// Its record, once it was to be submitted.
    record: Option<Record>,
    /// Later polls than this one know of its job.
    submitted_after: u64,
    /// Its place among those that are submitted.
    permit: Option<OwnedSemaphorePermit>,
    /// Why the cluster did not take its job when it was submitted again.
    refused: Option<String>,
    /// What it waits for, as clients were told.
    shown: Option<String>,
    /// Where it is, as clients were told.
    location: Option<Location>,
    /// How it ended.
    ended: Option<Ended>,
}

/// How it ended.
#[derive(Clone, Debug)]
struct Ended {
    /// What its runner said, if it did.
    exit: Option<RunnerExit>,
    /// Why it was ended, if it did not end by itself.
    stopped: Option<Stopped>,
    started: Option<Time>,
    log_end: u64,
    masked: bool,
}

impl RemoteExecution {
    pub(super) fn new(remote: Remote, attempt: Attempt, work: Arc<CommandWork>) -> Self {
        let folder = remote.folder(attempt.id);
        let blobs = remote.inner.blobs.clone();
        let dir = folder.dir(work.dir.as_ref());
        let mut reader = Reader::new(attempt.clone(), folder, dir, blobs);
        reader.sources = work.metrics.iter().map(Source::new).collect();
        Self {
            key: Record::key(attempt.id),
            reader: Arc::new(Mutex::new(reader)),
            remote,
            attempt,
            work,
            state: Mutex::default(),
            stopping: AtomicBool::new(false),
            barred: AtomicBool::new(false),
            stop: Notify::new(),
            running: watch::Sender::new(None),
        }
    }

    /// Locks it. Every step leaves the state whole, so a poisoned lock is harmless.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn folder(&self) -> Folder {
        follow::lock(&self.reader).folder.clone()
    }

    /// Returns its folder on the cluster with the copy here, if the cluster shares none with this machine.
    fn copied(&self) -> Option<CopiedFolder> {
        let folder = self.folder();
        let there = folder.original()?.to_owned();
        Some(CopiedFolder { here: folder.files().to_owned(), there })
    }

    /// Returns its job and the node of the cluster, as far as they are known.
    pub(super) fn location(&self) -> Location {
        let state = self.state();
        let job = state.record.as_ref().and_then(|record| record.job.clone());
        let unseen = || Location { engine: self.remote.name.to_string(), job: job.clone(), host: None };
        let location = state.location.clone().unwrap_or_else(unseen);
        Location { job: location.job.or(job), ..location }
    }

    /// Returns what it waits for, as clients were told.
    pub(super) fn waits_for(&self) -> Option<String> {
        self.state().shown.clone()
    }

    /// Asks whether the cluster would take its job.
    ///
    /// # Errors
    /// It would not, or can't be asked at the moment.
    pub(super) async fn test(&self) -> Result<(), String> {
        let (folder, name) = (self.folder(), self.job_name());
        self.remote.cluster.tools.test(&self.request(&folder, &name, &self.needs())).await
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// Calls `work` where it may block.
    async fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce(Folder) -> T + Send + 'static,
    ) -> Result<T, String> {
        let folder = self.folder();
        let done = tokio::task::spawn_blocking(move || work(folder)).await;
        done.map_err(|_| "looking at the files of an attempt failed; see the daemon's log".into())
    }

    /// Follows it to its end.
    async fn follow(&self) -> End {
        let mut watching = self.remote.cluster.watch();
        if let Some(copied) = self.copied() {
            watching.copy(&self.key, copied);
        }
        let (after, running) = {
            let state = self.state();
            (state.submitted_after, state.record.as_ref().and_then(|it| it.running_since))
        };
        self.running.send_replace(running);
        let mut judge = Judge::new(after, Instant::now());
        let mut output = match self.open_output().await {
            Ok(output) => Some(output),
            Err(why) => return self.lose(why).await,
        };
        self.remote.cluster.ask();
        let poll = self.remote.settings.poll;
        loop {
            let snapshot = watching.seen.borrow_and_update().clone();
            let (said, more, log_end, trouble) = match self.look(&mut output).await {
                Ok(seen) => seen,
                Err(why) => return self.lose(why).await,
            };
            self.ask_accounting(&said, &snapshot, &mut watching);
            let due = follow::report(&self.attempt, &self.reader, Some(log_end)).await;
            let stopping = self.is_stopping();
            if self.barred.load(Ordering::Acquire) {
                return self.end(None, Some(Stopped::Asked), said, output).await;
            }
            match judge.decide(&self.key, &said, trouble.as_deref(), &snapshot, stopping, Instant::now()) {
                Verdict::Lives(lives) => self.show(&lives, &snapshot, trouble).await,
                Verdict::Absent => match self.submit_again(&mut judge).await {
                    Ok(()) => watching.find(),
                    Err(why) => {
                        let stopped = Stopped::Failed(why, None);
                        return self.end(None, Some(stopped), said, output).await;
                    }
                },
                Verdict::Ended(exit) => return self.end(Some(exit), None, said, output).await,
                Verdict::Stopped(stopped) => {
                    return self.end(said.exit.clone(), Some(stopped), said, output).await;
                }
                Verdict::Lost(why) => return self.lose(why).await,
            }
            if more {
                continue;
            }
            // While polls come, each of them is a reason to look.
            let wait = if snapshot.stale.is_some() { poll } else { poll.saturating_mul(2) };
            let at = tokio::time::Instant::now() + wait;
            tokio::select! {
                _ = watching.seen.changed() => {}
                () = self.stop.notified() => self.remote.cluster.ask(),
                () = tokio::time::sleep_until(due.map_or(at, |due| due.min(at))) => {}
            }
        }
    }

    /// Lets the accounting of the cluster be asked about a job that the controller no longer knows.
    fn ask_accounting(&self, said: &Said, snapshot: &Snapshot, watching: &mut Watching) {
        let (job, element) = {
            let state = self.state();
            let submitted = state.record.as_ref().and_then(|record| record.job.clone());
            let known = snapshot.stale.is_none() && snapshot.number > state.submitted_after;
            let job = said.started.as_ref().map(|it| it.job.clone()).or(submitted).filter(|_| known);
            (job, state.record.as_ref().and_then(|record| record.element.clone()))
        };
        if let Some(job) = job.filter(|_| snapshot.jobs(&self.key).is_empty()) {
            let folder = self.folder();
            let own = || folder.original().unwrap_or(folder.files()).to_owned();
            let started_in = element.filter(|_| job.contains('_')).map_or_else(own, |it| it.folder);
            watching.miss(&self.key, &job, &started_in);
        }
    }

    async fn open_output(&self) -> Result<Output, String> {
        let limit = self.state().record.as_ref().map_or(0, |record| record.stdout_limit);
        let token = self.remote.cluster.tools.token().await;
        let secrets = {
            let mut reader = follow::lock(&self.reader);
            if let Some(token) = token {
                let own = reader.secrets().iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
                let all = own.chain([(format!("engine.{}", self.remote.name), token)]).collect();
                reader.set_secrets(all);
            }
            reader.secrets().clone()
        };
        let opened = self.aside(move |folder| Output::open(&folder, limit, &secrets)).await?;
        opened.map_err(|error| format!("the log of the attempt can't be written: {error}"))
    }

    /// Copies what is new in its output, and reads what its runner said. Returns also whether there is more, where the
    /// log ends, and what could not be read.
    async fn look(&self, output: &mut Option<Output>) -> Result<(Said, bool, u64, Option<String>), String> {
        let Some(mut taken) = output.take() else { return Err("its output was taken".into()) };
        let looked = self.aside(move |folder| {
            let (mut more, mut trouble) = (false, None);
            let said = files::said(folder.files()).unwrap_or_else(|why| {
                trouble = Some(why);
                Said::default()
            });
            if said.started.is_some() {
                match taken.copy(folder.files()) {
                    Ok(left) => more = left,
                    Err(why) => trouble = Some(format!("its output can't be read: {why}")),
                }
            }
            (taken, said, more, trouble)
        });
        let (taken, said, more, trouble) = looked.await?;
        let end = taken.end();
        *output = Some(taken);
        Ok((said, more, end, trouble))
    }

    /// Shows where it is or what it waits for, and notes since when it runs.
    async fn show(&self, lives: &Lives, snapshot: &Snapshot, trouble: Option<String>) {
        if lives.host.is_some() && self.running.borrow().is_none() {
            let now = Time::now();
            self.running.send_replace(Some(now));
            let record = {
                let mut state = self.state();
                state.record.as_mut().map(|record| {
                    record.running_since = Some(now);
                    record.clone()
                })
            };
            if let Some(record) = record {
                self.save(record).await;
            }
        }
        self.tell_location(lives.job.clone(), lives.host.clone());
        let engine = &self.remote.name;
        let reason = match (&lives.reason, &snapshot.stale, trouble) {
            (_, _, Some(trouble)) => Some(format!("waits for its files on `{engine}`: {trouble}")),
            (_, Some(why), _) => Some(format!("waits for the controller of `{engine}`: {why}")),
            (Some(reason), None, _) => {
                let job = lives.job.as_deref().unwrap_or("?");
                // The reason first: a card has little room.
                Some(format!("waits ({reason}) as job {job} on `{engine}`"))
            }
            (None, None, _) if lives.job.is_none() => {
                let state = self.state();
                let is_unknown = state.record.as_ref().is_some_and(|record| record.job.is_none());
                let unknown =
                    || format!("asks `{engine}` for its job: the response to the submission was lost");
                state.refused.clone().or_else(|| is_unknown.then(unknown))
            }
            (None, None, _) => None,
        };
        self.tell(reason);
    }

    /// Shows where it is, if that has changed.
    fn tell_location(&self, job: Option<String>, host: Option<String>) {
        let location = Location { engine: self.remote.name.to_string(), job, host };
        if self.state().location.replace(location.clone()).as_ref() == Some(&location) {
            return;
        }
        let Attempt { node, item, number, .. } = &self.attempt;
        let source = AttemptSource { node: node.clone(), item: *item, attempt: *number };
        self.attempt.live(LiveEvent::LocationUpdate { source, location });
    }

    /// Shows what it waits for, if that has changed.
    fn tell(&self, reason: Option<String>) {
        {
            let mut state = self.state();
            if state.shown == reason {
                return;
            }
            state.shown.clone_from(&reason);
        }
        self.attempt.live(LiveEvent::WaitUpdate { node: self.attempt.node.clone(), reason });
    }

    /// Writes its record. Without it a later daemon finds the job by its comment.
    async fn save(&self, record: Record) {
        let attempt = self.attempt.id;
        let written = self.aside(move |folder| record.write(folder.path())).await;
        if let Ok(Err(error)) = written {
            tracing::warn!(%attempt, %error, "the record of a job could not be written");
        }
    }
}

impl Execution for RemoteExecution {
    fn prepare(&self) -> BoxFuture<'_, Result<(), Outcome>> {
        Box::pin(self.lay_out())
    }

    fn start(&self) -> BoxFuture<'_, Result<(), Outcome>> {
        Box::pin(self.begin())
    }

    fn adopt(&self) -> BoxFuture<'_, Result<Adopted, Outcome>> {
        Box::pin(self.find())
    }

    fn runs(&self) -> BoxFuture<'_, Option<Time>> {
        Box::pin(async {
            let mut running = self.running.subscribe();
            loop {
                let since = *running.borrow_and_update();
                if since.is_some() {
                    return since;
                }
                if running.changed().await.is_err() {
                    return std::future::pending().await;
                }
            }
        })
    }

    fn wait(&self) -> BoxFuture<'_, End> {
        Box::pin(self.follow())
    }

    fn signal(&self, signal: Signal) -> BoxFuture<'_, Signalled> {
        match signal {
            Signal::Stop => Box::pin(self.cancel()),
        }
    }

    fn collect(&self) -> BoxFuture<'_, Outcome> {
        Box::pin(self.gather())
    }

    fn cost_usd(&self) -> Option<f64> {
        follow::lock(&self.reader).cost_usd()
    }
}
