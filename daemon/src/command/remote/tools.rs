//! One cluster as its engine calls it: submits, lists and cancels jobs by the commands of Slurm or the requests of Ray, and carries
//! files to a login node and back. Each call has its own time limit.

use std::sync::Arc;

use fanlight_shared::home::Home;
use tokio::sync::Semaphore;

use super::caller::Caller;
use super::job::SeenJob;
use super::login::Login;
use super::ray::Head;
use super::request::{Request, SubmitError};
use super::slurm;
use crate::config::EngineSettings;

/// How many calls carry files in each direction at once. OpenSSH lets one connection have 10 sessions by default, of which polls
/// and cancels need some.
const MAX_CARRYING: usize = 4;

/// The places of calls that carry files.
#[derive(Debug)]
pub(super) struct Lanes {
    pub(super) there: Semaphore,
    pub(super) back: Semaphore,
}

/// One cluster.
#[derive(Clone, Debug)]
pub(super) struct Tools {
    controller: Controller,
    /// Calls the commands of Slurm, and what carries files.
    pub(super) caller: Caller,
    pub(super) lanes: Arc<Lanes>,
}

/// What takes jobs.
#[derive(Clone, Debug)]
pub(super) enum Controller {
    /// The commands of Slurm, called with these settings.
    Slurm(Arc<EngineSettings>),
    /// The head of a Ray cluster.
    #[cfg_attr(not(feature = "http"), allow(dead_code))]
    Ray(Head),
}

impl Tools {
    pub(super) fn new(settings: &Arc<EngineSettings>, controller: Controller, home: &Home) -> Self {
        let login = settings.via.as_ref().map(|via| Login::new(via, home));
        let new = || Semaphore::new(MAX_CARRYING);
        Self { controller, caller: Caller::new(login), lanes: Arc::new(Lanes { there: new(), back: new() }) }
    }

    /// Returns what takes jobs.
    pub(super) fn controller(&self) -> &Controller {
        &self.controller
    }

    /// Submits a job and returns its id.
    pub(super) async fn submit(&self, request: &Request<'_>) -> Result<String, SubmitError> {
        match &self.controller {
            Controller::Slurm(settings) => slurm::submit(&self.caller, settings, request).await,
            Controller::Ray(head) => head.submit(request).await,
        }
    }

    /// Asks whether the cluster would take a job. Submits nothing.
    ///
    /// # Errors
    /// It would not, or can't be asked at the moment.
    pub(super) async fn test(&self, request: &Request<'_>) -> Result<(), String> {
        match &self.controller {
            Controller::Slurm(settings) => slurm::test(&self.caller, settings, request).await,
            // Ray has no such question: it takes every job, and lets it wait.
            Controller::Ray(_) => Ok(()),
        }
    }

    /// Returns all jobs of this user that the controller remembers.
    ///
    /// # Errors
    /// It can't be asked at the moment.
    pub(super) async fn jobs(&self) -> Result<Vec<SeenJob>, String> {
        match &self.controller {
            Controller::Slurm(_) => slurm::jobs(&self.caller).await,
            Controller::Ray(head) => head.jobs().await,
        }
    }

    /// Returns what the accounting of the cluster knows of these jobs that have ended, each with the folder that it was
    /// started in; `None` if the cluster has none.
    ///
    /// # Errors
    /// It can't be asked at the moment.
    pub(super) async fn accounted(&self, jobs: &[String]) -> Result<Option<Vec<(SeenJob, String)>>, String> {
        match &self.controller {
            Controller::Slurm(_) => slurm::accounted(&self.caller, jobs).await,
            Controller::Ray(_) => Ok(None),
        }
    }

    /// Cancels these jobs. That it succeeds says nothing: the jobs show it.
    ///
    /// # Errors
    /// It can't be asked at the moment.
    pub(super) async fn cancel(&self, jobs: &[String]) -> Result<(), String> {
        match &self.controller {
            Controller::Slurm(_) => slurm::cancel(&self.caller, jobs).await,
            Controller::Ray(head) => head.stop(jobs).await,
        }
    }

    /// Returns whether a job that waits can be cancelled. Ray ends one only once it has place to start.
    pub(super) fn cancels_waiting(&self) -> bool {
        matches!(self.controller, Controller::Slurm(_))
    }

    /// Returns the token of the controller, which its nodes may have too, so that what commands print may contain it.
    pub(super) async fn token(&self) -> Option<String> {
        match &self.controller {
            Controller::Slurm(_) => None,
            // Without it, nothing was submitted.
            Controller::Ray(head) => head.plain_token().await.ok().flatten(),
        }
    }

    /// Has the controller forget the ended job of an attempt, if it would remember it for ever.
    ///
    /// # Errors
    /// It may still know it.
    pub(super) async fn forget(&self, job: &str) -> Result<(), String> {
        match &self.controller {
            Controller::Slurm(_) => Ok(()),
            Controller::Ray(head) => head.delete(job).await,
        }
    }
}
