//! The beginning of an attempt: its files, its record, its job; and how a later daemon finds them again.

use std::cell::RefCell;
use std::os::unix::fs::DirBuilderExt as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use fanlight_shared::resources::Resources;
use fanlight_shared::time::Time;
use fanlight_shared::value::cut;
use futures_util::future::BoxFuture;

use super::super::mirror::CopyError;
use super::super::record::Record;
use super::super::request::{Request, SUBMIT_TIMEOUT, SubmitError};
use super::super::submitter::{Job, Submitted};
use super::super::verdict::Judge;
use super::super::{files, inputs};
use super::cancel::forbidding;
use super::{RemoteExecution, failed, steps};
use crate::attempt::Outcome;
use crate::command::folder::{Folder, sentence};
use crate::command::follow;
use crate::command::prepare;
use crate::config::Stage;
use crate::executor::Adopted;
use crate::rooted::remove_tree;

/// How long a cluster that takes no more jobs is left alone.
const BUSY_INTERVAL: Duration = Duration::from_secs(10);
/// The shortest interval between two tries to send its files.
pub(super) const RETRY_INTERVAL: Duration = Duration::from_secs(1);
/// The longest name of a job, in characters.
const MAX_NAME: usize = 60;

impl RemoteExecution {
    /// Lays out its folders, unless an earlier daemon did and may have submitted it.
    pub(super) async fn lay_out(&self) -> Result<(), Outcome> {
        let preparing = self.remote.submitter.expect();
        if self.find().await? == Adopted::Known {
            return Ok(());
        }
        self.state().preparing = Some(preparing);
        // First, so that none of its files, above all no secret, is there while it waits.
        self.enter().await?;
        self.remove_earlier().await?;
        let clear = |folder: Folder| {
            if let Some(record) = Record::read(folder.path())? {
                record.folder(folder.path()).remove()?;
            }
            folder.remove()
        };
        let cleared = self.aside(clear).await.map_err(|why| failed(&why))?;
        let folder = self.folder();
        cleared.map_err(|error| failed(&sentence("can't remove", folder.files(), &error).to_string()))?;
        let (attempt, work, remote) = (self.attempt.clone(), Arc::clone(&self.work), self.remote.clone());
        let prepare = {
            let folder = folder.clone();
            move |_: &crate::command::Inner| {
                // Recorded before anything exists on the cluster, so that its removal knows of it.
                let record = remote.new_record(&attempt, &folder, 0);
                let written = folder.make_own().and_then(|()| record.write(folder.path()));
                written.map_err(|error| sentence("can't write", folder.path(), &error))?;
                let later = RefCell::new(Vec::new());
                let resources = prepare::Resources {
                    later: (remote.settings.stage == Stage::Rsync).then_some(&later),
                    ..remote.resources()
                };
                let spec = prepare::prepare(&attempt, &work, &folder, &resources)?;
                files::lay_out(&spec, folder.files(), &remote.settings.prelude)?;
                let inputs = inputs::lay_out(later.take(), folder.files(), resources.blobs)?;
                Ok((spec.stdout_limit, inputs))
            }
        };
        let (limit, inputs) = steps::lay_out(&self.remote.inner, &self.attempt, &folder, prepare).await?;
        {
            let mut state = self.state();
            (state.stdout_limit, state.inputs) = (limit, inputs);
        }
        self.send().await
    }

    /// Removes what an earlier daemon sent and did not submit.
    async fn remove_earlier(&self) -> Result<(), Outcome> {
        let read = self.aside(|folder| Record::read(folder.path())).await.map_err(|why| failed(&why))?;
        let there = read.ok().flatten().and_then(|record| record.there);
        let (Some(there), tools) = (there, &self.remote.cluster.tools) else { return Ok(()) };
        self.once_reached("removed", || Box::pin(tools.remove_there(&there))).await
    }

    /// Sends its folder to a cluster that shares none with this machine.
    async fn send(&self) -> Result<(), Outcome> {
        let Some(copied) = self.copied() else { return Ok(()) };
        let (remote, inputs) = (&self.remote, std::mem::take(&mut self.state().inputs));
        let tools = &remote.cluster.tools;
        self.once_reached("sent", || Box::pin(tools.send(&copied))).await?;
        let place = || remote.inputs.place(&remote.inner.blobs, &copied.there, &inputs);
        self.once_reached("sent", || Box::pin(place())).await?;
        // Its secrets are not kept here either.
        let forgotten = self.aside(|folder| files::forget_start(folder.files())).await;
        let forgotten = forgotten.map_err(|why| failed(&why))?;
        forgotten.map_err(|error| failed(&format!("its secrets can't be removed: {error}")))
    }

    /// Does something with its files at the login node, as soon as that can be reached; `what` is done to them.
    async fn once_reached<'a>(
        &self,
        what: &str,
        work: impl Fn() -> BoxFuture<'a, Result<(), CopyError>> + Send,
    ) -> Result<(), Outcome> {
        let engine = &self.remote.name;
        loop {
            let done = tokio::select! {
                done = work() => done,
                () = self.attempt.cancel.cancelled() => return Err(Outcome::cancelled()),
            };
            match done {
                Ok(()) => break,
                Err(CopyError::Partial(why) | CopyError::Failed(why)) => {
                    return Err(failed(&format!("its files on `{engine}` can't be {what}: {why}")));
                }
                Err(CopyError::Away(why)) => {
                    self.tell(Some(format!("waits until its files on `{engine}` can be {what}: {why}")));
                    tokio::select! {
                        () = tokio::time::sleep(self.remote.settings.poll.max(RETRY_INTERVAL)) => {}
                        () = self.attempt.cancel.cancelled() => return Err(Outcome::cancelled()),
                    }
                }
            }
        }
        self.tell(None);
        Ok(())
    }

    /// Submits it, as soon as the cluster takes it.
    pub(super) async fn begin(&self) -> Result<(), Outcome> {
        if self.state().record.is_some() {
            return Ok(());
        }
        loop {
            match self.submit(false).await {
                Ok(()) => return Ok(()),
                // It may be there: `wait` finds out.
                Err(SubmitError::Unknown(why)) => {
                    tracing::warn!(attempt = %self.attempt.id, why, "it is unknown whether a job was submitted");
                    return Ok(());
                }
                Err(SubmitError::Refused(why)) => return Err(failed(&why)),
                Err(SubmitError::Busy(why)) => {
                    self.tell(Some(format!("waits until `{}` takes more jobs: {why}", self.remote.name)));
                    tokio::select! {
                        () = tokio::time::sleep(BUSY_INTERVAL) => {}
                        () = self.attempt.cancel.cancelled() => return Err(Outcome::cancelled()),
                    }
                }
            }
        }
    }

    /// Waits for a place among those that are submitted.
    async fn enter(&self) -> Result<(), Outcome> {
        let places = Arc::clone(&self.remote.places);
        let permit = match Arc::clone(&places).try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => {
                let most = self.remote.settings.max_in_flight;
                self.tell(Some(format!(
                    "waits for `{}`: {most} at once (`max_in_flight` of the config)",
                    self.remote.name
                )));
                // Others don't wait for it meanwhile.
                drop(self.state().preparing.take());
                tokio::select! {
                    permit = places.acquire_owned() => permit.map_err(|_| Outcome::cancelled())?,
                    () = self.attempt.cancel.cancelled() => return Err(Outcome::cancelled()),
                }
            }
        };
        let mut state = self.state();
        state.permit = Some(permit);
        let preparing = || self.remote.submitter.expect();
        state.preparing = Some(state.preparing.take().unwrap_or_else(preparing));
        Ok(())
    }

    /// Submits its job once: together with equal ones, or `alone`. What is about to happen is durable before it does.
    async fn submit(&self, alone: bool) -> Result<(), SubmitError> {
        let folder = self.folder();
        let (record, preparing) = {
            let mut state = self.state();
            let known = state.record.clone();
            let new = || self.remote.new_record(&self.attempt, &folder, state.stdout_limit);
            (known.unwrap_or_else(new), state.preparing.take())
        };
        let job = Job {
            record,
            home: folder.path().to_owned(),
            files: folder.original().unwrap_or(folder.files()).to_owned(),
            key: self.key.clone(),
            name: self.job_name(),
            kind: cut(&format!("{}.{}", self.attempt.run.workflow, self.attempt.node), MAX_NAME),
            needs: self.needs(),
        };
        let submitter = &self.remote.submitter;
        let Submitted { mut record, job } =
            if alone { submitter.submit_alone(job).await } else { submitter.submit(job, preparing).await };
        record.job = job.as_ref().ok().cloned();
        self.name(&record);
        {
            let mut state = self.state();
            state.submitted_after = self.remote.cluster.begun();
            state.record = Some(record.clone());
        }
        job?;
        self.save(record).await;
        Ok(())
    }

    /// Has the element of an array that it may be seen as its job.
    fn name(&self, record: &Record) {
        let before = self.state().named.take();
        let named = match (before, &record.element) {
            (Some(named), Some(element)) if named.is_of(element) => Some(named),
            (_, element) => element.as_ref().map(|element| self.remote.cluster.name(element, &self.key)),
        };
        self.state().named = named;
    }

    /// Submits it again: the cluster knows of no job of it, and none has begun. If that is wrong, its fence lets only one of
    /// them run.
    ///
    /// # Errors
    /// The cluster will never take it.
    pub(super) async fn submit_again(&self, judge: &mut Judge) -> Result<(), String> {
        let is_settled = {
            let state = self.state();
            // The earlier daemon may have ended while the response was on its way.
            state.record.as_ref().is_none_or(|record| {
                record.job.is_some()
                    || record.intended.is_none_or(|at| Time::now().since(at) > SUBMIT_TIMEOUT)
            })
        };
        if !is_settled {
            return Ok(());
        }
        tracing::warn!(attempt = %self.attempt.id, "the cluster knows of no job of an attempt; it is submitted again");
        match self.submit(true).await {
            Ok(()) => {
                self.state().refused = None;
                judge.submitted(self.state().submitted_after);
            }
            Err(SubmitError::Unknown(why)) => {
                self.wait_for(format!("waits for the controller of `{}`: {why}", self.remote.name), judge);
            }
            Err(SubmitError::Busy(why)) => {
                self.wait_for(format!("waits until `{}` takes more jobs: {why}", self.remote.name), judge);
            }
            Err(SubmitError::Refused(why)) => return Err(why),
        }
        Ok(())
    }

    /// Notes that the cluster did not take its job, as far as that is known.
    fn wait_for(&self, reason: String, judge: &mut Judge) {
        judge.tried(self.remote.cluster.begun());
        self.state().refused = Some(reason.clone());
        self.tell(Some(reason));
    }

    /// Returns its job as it is submitted.
    pub(super) fn request<'a>(
        &'a self,
        folder: &'a Folder,
        name: &'a str,
        needs: &'a Resources,
    ) -> Request<'a> {
        let files = folder.original().unwrap_or(folder.files());
        Request { key: &self.key, name, files, needs, elements: &[] }
    }

    /// Returns the resources that its node states.
    pub(super) fn needs(&self) -> Resources {
        self.attempt.resources.as_deref().copied().unwrap_or_default()
    }

    /// Returns the name of its job, for people who look at the cluster.
    pub(super) fn job_name(&self) -> String {
        let run = &self.attempt.run;
        let item = self.attempt.item.0.map_or_else(String::new, |index| format!(".{index}"));
        let name = format!("{}-{}.{}{item}", run.workflow, run.number, self.attempt.node);
        cut(&name, MAX_NAME)
    }

    /// Finds out whether an earlier daemon may have submitted it.
    pub(super) async fn find(&self) -> Result<Adopted, Outcome> {
        let read = self.aside(|folder| {
            let record = Record::read(folder.path())?;
            let forbidden = record
                .as_ref()
                .is_some_and(|record| forbidding(&record.folder(folder.path())).join(files::CANCEL).exists());
            Ok::<_, std::io::Error>((record, forbidden))
        });
        let lost = |why: String| Outcome::lost(&format!("the record of its job can't be read: {why}"));
        let read = read.await.map_err(lost)?.map_err(|error| lost(error.to_string()))?;
        let (Some(mut record), forbidden) = read else { return Ok(Adopted::Unknown) };
        if record.intended.is_none() {
            return Ok(Adopted::Unknown);
        }
        if record.there.is_some() {
            // Another copy: what the earlier daemon called may still write to its own.
            let files = self.remote.folder(self.attempt.id).files().to_owned();
            let before = std::mem::replace(&mut record.files, files);
            let anew = record.clone();
            let taken = self.aside(move |folder| {
                std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&anew.files)?;
                anew.write(folder.path())?;
                if before == anew.files { Ok(()) } else { remove_tree(&before) }
            });
            taken.await.map_err(lost)?.map_err(|error| lost(error.to_string()))?;
        }
        let folder = record.folder(self.folder().path());
        let dir = folder.dir(self.work.dir.as_ref());
        follow::lock(&self.reader).set_folder(folder, dir);
        if !record.secrets.is_empty() {
            let names = record.secrets.iter().cloned().collect();
            let secrets = self.remote.secrets.resolve(&names).await;
            match secrets {
                Ok(secrets) if record.has(self.attempt.id, &secrets) => {
                    follow::lock(&self.reader).set_secrets(secrets);
                }
                Ok(_) | Err(_) => {
                    return Err(failed(
                        "the secrets that its job uses have changed since it was submitted, so what it writes can't be checked \
                         for them; run it again",
                    ));
                }
            }
        }
        self.stopping.store(forbidden, Ordering::Release);
        self.name(&record);
        let mut state = self.state();
        if state.permit.is_none() {
            state.permit = Arc::clone(&self.remote.places).try_acquire_owned().ok();
        }
        state.submitted_after = self.remote.cluster.begun();
        state.record = Some(record);
        Ok(Adopted::Known)
    }
}
