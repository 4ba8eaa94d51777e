//! What a node in the daemon may do besides what every node may.

use std::ops::Deref;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

#[cfg(feature = "llm")]
use fanlight_shared::media::Media;
use fanlight_shared::question::{Answer, Question};
use fanlight_shared::sanitise;

use super::reporter::Reporter;
use super::{NodeServices, SCRATCH};
use crate::attempt::Attempt;
#[cfg(feature = "llm")]
use crate::child::ChildRuns;
use crate::content;
use crate::file_error::FileError;
#[cfg(feature = "http")]
use crate::http::Http;
#[cfg(feature = "llm")]
use crate::llm::Providers;
#[cfg(feature = "llm")]
use crate::mcp::McpServers;
#[cfg(feature = "llm")]
use crate::media::Checker;
use crate::secret::Secrets;
use crate::store::blob::Blobs;

/// The services of a running node in the daemon; cheap to clone, so that concurrent parts of the node share them.
#[derive(Clone)]
pub struct DaemonServices {
    common: NodeServices,
    blobs: Blobs,
    reporter: Reporter,
    secrets: Secrets,
    answer: Option<Arc<Answer>>,
    #[cfg(feature = "http")]
    http: Http,
    #[cfg(feature = "llm")]
    providers: Providers,
    #[cfg(feature = "llm")]
    mcp: McpServers,
    #[cfg(feature = "llm")]
    child_runs: ChildRuns,
    #[cfg(feature = "llm")]
    checker: Arc<dyn Checker>,
    question: Arc<Mutex<Option<Question>>>,
    /// The last trouble of the node with others, such as a server that was busy.
    #[cfg(feature = "http")]
    trouble: Arc<Mutex<Option<String>>>,
}

impl Deref for DaemonServices {
    type Target = NodeServices;

    fn deref(&self) -> &NodeServices {
        &self.common
    }
}

impl DaemonServices {
    /// Creates the services of an attempt whose folder is below `attempts`.
    #[allow(clippy::too_many_arguments)]
    pub(crate) fn new(
        attempt: Attempt,
        blobs: Blobs,
        attempts: &Path,
        #[cfg(feature = "http")] http: Http,
        #[cfg(feature = "llm")] providers: Providers,
        #[cfg(feature = "llm")] mcp: McpServers,
        #[cfg(feature = "llm")] child_runs: ChildRuns,
        #[cfg(feature = "llm")] checker: Arc<dyn Checker>,
    ) -> Self {
        let folder = attempts.join(attempt.id.to_string());
        let (cancel, answer) = (attempt.cancel.clone(), attempt.answer.clone().map(Arc::new));
        let secrets = attempt.secrets.clone();
        let reporter = Reporter::new(attempt, &folder);
        let common = NodeServices::new(Box::new(reporter.clone()), cancel, folder.join(SCRATCH));
        Self {
            common,
            blobs,
            reporter,
            secrets,
            answer,
            #[cfg(feature = "http")]
            http,
            #[cfg(feature = "llm")]
            providers,
            #[cfg(feature = "llm")]
            mcp,
            #[cfg(feature = "llm")]
            child_runs,
            #[cfg(feature = "llm")]
            checker,
            question: Arc::default(),
            #[cfg(feature = "http")]
            trouble: Arc::default(),
        }
    }

    /// Returns the store of bytes, for reading and publishing.
    #[must_use]
    pub fn blobs(&self) -> &Blobs {
        &self.blobs
    }

    /// Does blocking work off the daemon's loop: with files, with the blob store. While the disk of the daemon's home
    /// is full it is done again and again, so that it is done more than once.
    ///
    /// # Errors
    /// The error of the work; [`FileError::Full`] only after a cancel, which ends the wait.
    pub async fn blocking<T: Send + 'static>(
        &self,
        work: impl Fn() -> Result<T, FileError> + Send + Sync + 'static,
    ) -> Result<T, FileError> {
        content::with_space(&self.blobs, self.cancel(), move |_| work()).await
    }

    /// Returns the clients that all nodes share. What a URL may lead to is checked by them; drop a request to close it.
    #[cfg(feature = "http")]
    #[must_use]
    pub fn http(&self) -> &Http {
        &self.http
    }

    /// Returns the providers of language models.
    #[cfg(feature = "llm")]
    #[must_use]
    pub fn providers(&self) -> &Providers {
        &self.providers
    }

    /// Returns the servers of tools.
    #[cfg(feature = "llm")]
    #[must_use]
    pub(crate) fn mcp(&self) -> &McpServers {
        &self.mcp
    }

    /// What starts runs for the node.
    #[cfg(feature = "llm")]
    #[must_use]
    pub(crate) fn child_runs(&self) -> &ChildRuns {
        &self.child_runs
    }

    /// Checks that a stored file from outside is whole.
    ///
    /// # Errors
    /// It is damaged or cut, or can't be checked.
    #[cfg(feature = "llm")]
    pub(crate) async fn check_whole(&self, media: &Media) -> Result<(), FileError> {
        self.checker.check(media.clone(), self.cancel().clone()).await
    }

    /// Returns the cost so far, if the node reported one.
    #[must_use]
    pub fn cost_usd(&self) -> Option<f64> {
        self.reporter.cost_usd()
    }

    /// Records that the node has spent something, and nobody knows how much.
    #[cfg(feature = "llm")]
    pub(crate) fn spend_unknown(&self) {
        self.reporter.spend_unknown();
    }

    /// Returns whether the node may have cost more than is known.
    pub(crate) fn is_unpriced(&self) -> bool {
        self.reporter.is_unpriced()
    }

    /// Notes the last trouble with a server, which explains why the node takes too long.
    #[cfg(feature = "http")]
    pub(crate) fn note_trouble(&self, why: &str) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(why.to_owned());
    }

    /// Returns the last trouble with a server.
    #[cfg(feature = "http")]
    pub(crate) fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks a person. The node then returns anything: its run is parked when none of its other nodes runs,
    /// and another attempt is started with the [answer](Self::answer).
    pub fn ask(&self, mut question: Question) {
        question.text = sanitise::plain(&question.text);
        question.shorten();
        *self.question.lock().unwrap_or_else(PoisonError::into_inner) = Some(question);
    }

    /// Returns the question.
    pub(crate) fn question(&self) -> Option<Question> {
        self.question.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns the answer to the question of the previous attempt.
    #[must_use]
    pub fn answer(&self) -> Option<&Answer> {
        self.answer.as_deref()
    }

    /// Returns the secrets in the inputs of the node, which are masked in all that it reports.
    #[must_use]
    pub fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// Ends the node's log.
    pub(crate) fn finish(&self) {
        self.reporter.finish();
    }
}
