//! One attempt of a command: its folder, its process under the supervisor, its outputs.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fanlight_shared::id::AttemptId;
use fanlight_shared::rpc::logs::{Part, Read};
use futures_util::future::BoxFuture;

use super::agent::Agent;
use super::folder::Folder;
use super::follow::Follow;
use super::kind::CommandKind;
use super::metrics::Source;
use super::programs;
use super::reader::Reader;
use super::steps::{self, failed};
use super::{Commands, Inner};
use crate::attempt::{Attempt, Outcome, RunFacts};
use crate::executor::Work;
use crate::executor::{
    Adopted, Capabilities, End, Execution, Executor, Signal, Signalled, Surroundings, misplaced,
};
use crate::node_type::Runner;
use crate::store::blob::Reserved;
use crate::supervisor::client::{Exit, Stage, StartSpec, Subscription, SupervisorError};

/// The longest wait between two tries to reach a supervisor. After that wait the attempt fails.
const MAX_WAIT: Duration = Duration::from_secs(4);
/// The interval between two requests to stop while the supervisor can't be reached.
const STOP_INTERVAL: Duration = Duration::from_secs(1);

/// Sends a request to the supervisor, and retries while it can't be reached: a killed one is being replaced. Starting
/// an attempt twice is safe, since its id identifies it.
async fn with_retries<T, F>(mut ask: impl FnMut() -> F) -> Result<T, SupervisorError>
where
    F: Future<Output = Result<T, SupervisorError>>,
{
    let mut wait = Duration::from_millis(125);
    loop {
        match ask().await {
            Err(SupervisorError::Unreachable(why)) if wait <= MAX_WAIT => {
                tracing::warn!("the supervisor can't be reached; trying again: {why}");
                tokio::time::sleep(wait).await;
                wait *= 2;
            }
            answer => return answer,
        }
    }
}

impl Executor for Commands {
    fn capabilities(&self) -> Capabilities {
        Capabilities { adopts: true, survives_reboot: false, shares_files: true }
    }

    fn open(&self, attempt: Attempt, work: Arc<Work>) -> Box<dyn Execution> {
        let work = match &*work {
            Work::Command(work) => CommandKind::Command(Arc::clone(work)),
            Work::Native(native, inputs) if matches!(native.run, Runner::Command) => {
                CommandKind::Agent(Arc::new(Agent::new(Arc::clone(native), inputs.clone())))
            }
            Work::Native(..) => return misplaced(&work),
        };
        let folder = Folder::of(&self.inner.attempts, attempt.id);
        let mut reader =
            Reader::new(attempt.clone(), folder.clone(), work.dir(&folder), self.inner.blobs.clone());
        reader.sources = work.metrics().iter().map(Source::new).collect();
        reader.agent = work.agent().map(|agent| agent.reader());
        Box::new(CommandExecution {
            inner: Arc::clone(&self.inner),
            attempt,
            work,
            folder,
            reader: Arc::new(Mutex::new(reader)),
            process: Mutex::default(),
            reserved: Mutex::default(),
        })
    }

    fn surroundings(
        &self,
        run: Arc<RunFacts>,
        withheld: Arc<[String]>,
        work: Arc<Work>,
    ) -> BoxFuture<'_, Result<Option<Surroundings>, String>> {
        Box::pin(async move {
            match &*work {
                Work::Command(command) => self.look_around(run, withheld, Arc::clone(command)).await,
                Work::Native(..) => Ok(None),
            }
        })
    }

    fn log<'a>(
        &'a self,
        attempt: AttemptId,
        number: u32,
        read: &'a Read,
        ended: bool,
    ) -> BoxFuture<'a, Result<Option<Part>, String>> {
        Box::pin(async move { self.read_log(attempt, number, read, ended).await.map(Some) })
    }

    fn release(&self, attempt: AttemptId) -> BoxFuture<'_, ()> {
        Box::pin(self.clean_up(attempt))
    }

    fn forget(&self, attempts: Vec<AttemptId>) -> BoxFuture<'_, Vec<AttemptId>> {
        Box::pin(self.remove(attempts))
    }

    fn leftovers(&self) -> Vec<AttemptId> {
        self.folders()
    }

    fn clean_up(
        &self,
        leftovers: Vec<AttemptId>,
        living: Arc<std::collections::HashSet<AttemptId>>,
        known: crate::executor::Known,
    ) -> BoxFuture<'_, ()> {
        Box::pin(self.clean_up_orphans(leftovers, living, known))
    }
}

/// An attempt of a command.
struct CommandExecution {
    inner: Arc<Inner>,
    attempt: Attempt,
    work: CommandKind,
    folder: Folder,
    reader: Arc<Mutex<Reader>>,
    process: Mutex<Process>,
    /// The space that is set aside for what it writes.
    reserved: Mutex<Option<Reserved>>,
}

/// The state of its process.
#[derive(Default)]
enum Process {
    /// Not prepared yet.
    #[default]
    None,
    /// Prepared, but not started.
    Prepared(Box<StartSpec>),
    /// Started; this yields its events.
    Started(Subscription),
    /// Its events are being followed.
    Followed,
    /// It has ended.
    Ended(Exit),
    /// Its end is unknown.
    Lost,
}

impl CommandExecution {
    /// Locks it. Every step leaves the process in a consistent state, so a poisoned lock is harmless.
    fn process(&self) -> MutexGuard<'_, Process> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, process: Process) {
        *self.process() = process;
    }

    async fn lay_out(&self) -> Result<(), Outcome> {
        if self.folder.path().exists() {
            if self.find().await? == Adopted::Known {
                return Ok(());
            }
            // A daemon ended between creating the folder and starting the command.
            super::clean_up::each_folder(vec![self.folder.clone()], Folder::remove).await;
        }
        let (attempt, work, folder) = (self.attempt.clone(), self.work.clone(), self.folder.clone());
        let prepare = move |inner: &Inner| {
            let reserved = inner.blobs.reserve()?;
            Ok((work.prepare(&attempt, &folder, &inner.resources())?, reserved))
        };
        let (spec, reserved) = steps::lay_out(&self.inner, &self.attempt, &self.folder, prepare).await?;
        *self.reserved.lock().unwrap_or_else(PoisonError::into_inner) = Some(reserved);
        self.set(Process::Prepared(Box::new(spec)));
        Ok(())
    }

    async fn begin(&self) -> Result<(), Outcome> {
        let process = std::mem::take(&mut *self.process());
        let spec = match process {
            Process::Prepared(spec) => spec,
            known => {
                self.set(known);
                return Ok(());
            }
        };
        let events = self.inner.supervisor.subscribe(self.attempt.id);
        match with_retries(|| self.inner.supervisor.start(&spec)).await {
            Ok(_) => self.set(Process::Started(events)),
            Err(error @ SupervisorError::Unreachable(_)) => return Err(Outcome::lost(&error.to_string())),
            Err(error) => return Err(failed(&error.to_string())),
        }
        Ok(())
    }

    /// Finds out whether the supervisor knows the attempt.
    async fn find(&self) -> Result<Adopted, Outcome> {
        let supervisor = &self.inner.supervisor;
        let state = with_retries(|| supervisor.state(self.attempt.id)).await;
        let found = match state.map_err(|error| Outcome::lost(&error.to_string()))? {
            None => return Ok(Adopted::Unknown),
            Some(state) => match state.stage {
                Stage::Running => Process::Started(supervisor.subscribe(self.attempt.id)),
                Stage::Ended(exit) => Process::Ended(exit),
                Stage::Lost => Process::Lost,
            },
        };
        if self.attempt.has_secrets {
            let secrets = with_retries(|| supervisor.secrets(self.attempt.id)).await;
            let secrets = secrets.map_err(|error| Outcome::lost(&error.to_string()))?;
            // Its log was masked when it was written. What else it reported could not be any more.
            if secrets.is_empty() && !matches!(found, Process::Lost) {
                return Err(failed(
                    "the command ended while no daemon ran, and the secrets that it used are no longer known, so its outputs \
                     can't be checked for them; run it again",
                ));
            }
            super::follow::lock(&self.reader).set_secrets(secrets);
        }
        self.set(found);
        Ok(Adopted::Known)
    }

    async fn follow(&self) -> End {
        let process = std::mem::replace(&mut *self.process(), Process::Followed);
        let exit = match process {
            Process::Started(events) => {
                let follow = Follow {
                    attempt: &self.attempt,
                    watcher: &self.inner.watcher,
                    reader: &self.reader,
                    supervisor: &self.inner.supervisor,
                    usage: &self.inner.usage,
                };
                follow.to_the_end(events).await
            }
            Process::Ended(exit) => Some(exit),
            _ => None,
        };
        match exit {
            Some(exit) => {
                self.set(Process::Ended(exit));
                End::Ended
            }
            None => {
                self.set(Process::Lost);
                steps::read_reports(&self.attempt, &self.reader).await;
                End::Lost("nobody saw how the command ended: its supervisor or the machine went down".into())
            }
        }
    }

    async fn stop(&self) -> Signalled {
        let supervisor = &self.inner.supervisor;
        loop {
            match supervisor.stop(self.attempt.id, self.inner.grace).await {
                Ok(true) => return Signalled::Delivered,
                // It ended meanwhile and its last event is on its way, or it is no longer known.
                Ok(false) => match supervisor.state(self.attempt.id).await {
                    Ok(None) => return Signalled::Unknown,
                    Ok(Some(state)) if state.stage != Stage::Running => return Signalled::Delivered,
                    Ok(Some(_)) | Err(_) => {}
                },
                Err(error) => {
                    let attempt = self.attempt.id;
                    tracing::warn!(%attempt, %error, "a command could not be stopped; trying again");
                }
            }
            tokio::time::sleep(STOP_INTERVAL).await;
        }
    }

    async fn gather(&self) -> Outcome {
        let Process::Ended(exit) = *self.process() else { return failed("the command did not end") };
        let (work, attempt) = (self.work.clone(), self.attempt.clone());
        let finish = move |inner: &Inner, reader: &mut Reader, give_up: bool| {
            let outcome = work.finish(&attempt, &inner.resources(), reader, &exit, give_up)?;
            let programs = match &work {
                CommandKind::Command(work) => {
                    let known = (&inner.environment, &inner.blobs, reader.secrets());
                    programs::of(&attempt, work, known, exit.started)
                }
                CommandKind::Agent(_) => Vec::new(),
            };
            Ok(Outcome { programs, ..outcome })
        };
        steps::collect(&self.inner, &self.attempt, &self.reader, finish).await
    }
}

impl Execution for CommandExecution {
    fn prepare(&self) -> BoxFuture<'_, Result<(), Outcome>> {
        Box::pin(self.lay_out())
    }

    fn start(&self) -> BoxFuture<'_, Result<(), Outcome>> {
        Box::pin(self.begin())
    }

    fn adopt(&self) -> BoxFuture<'_, Result<Adopted, Outcome>> {
        Box::pin(self.find())
    }

    fn wait(&self) -> BoxFuture<'_, End> {
        Box::pin(self.follow())
    }

    fn signal(&self, signal: Signal) -> BoxFuture<'_, Signalled> {
        match signal {
            Signal::Stop => Box::pin(self.stop()),
        }
    }

    fn collect(&self) -> BoxFuture<'_, Outcome> {
        Box::pin(self.gather())
    }

    fn cost_usd(&self) -> Option<f64> {
        super::follow::lock(&self.reader).cost_usd()
    }
}

#[cfg(test)]
mod tests;
