//! One attempt of a node type of a plugin.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use fanlight_shared::event::NodeError;
use fanlight_shared::node_type::NodeTypeSpec;
use fanlight_shared::value::Values;
use serde_json::{Value as Json, json};
use tokio_util::sync::CancellationToken;

use super::message::MAX_LINE;
use super::notifications::Notifications;
use super::process::{End, Failure};
use super::processes::Processes;
use super::values::{self, Outputs};
use crate::attempt::{Attempt, Made, Outcome};
use crate::content;
use crate::file_error::FileError;
use crate::rooted::remove_tree;
use crate::services::{Reporter, SCRATCH};
use crate::store::blob::{Blobs, Published};

/// What an attempt needs besides its inputs.
pub(super) struct Execution {
    pub(super) plugin: Arc<Processes>,
    pub(super) spec: NodeTypeSpec,
    pub(super) attempt: Attempt,
    pub(super) blobs: Blobs,
    /// The folder of the folders of attempts.
    pub(super) attempts: PathBuf,
    pub(super) grace: Duration,
}

/// Why there are no values.
pub(super) enum Stop {
    Cancelled,
    Lost(String),
    /// The plugin refused; its sentence.
    Refused(String),
    Failed(String),
}

impl From<FileError> for Stop {
    fn from(error: FileError) -> Self {
        match error {
            // A full disk is waited for, until a cancel.
            FileError::Full(_) => Self::Cancelled,
            FileError::Other(why) => Self::Failed(why),
        }
    }
}

impl Execution {
    /// Runs the attempt to its end.
    pub(super) async fn run(self, inputs: Values) -> Outcome {
        let notifications = self.notifications();
        let made = self.make(inputs, &notifications).await;
        notifications.finish();
        let outcome = match made {
            _ if self.attempt.cancel.is_cancelled() => Outcome::cancelled(),
            Ok((values, blobs)) => Outcome::completed(values, blobs),
            Err(Stop::Cancelled) => Outcome::cancelled(),
            Err(Stop::Lost(why)) => Outcome::lost(&why),
            Err(Stop::Refused(why) | Stop::Failed(why)) => Outcome::failed(NodeError::new(why)),
        };
        // The cost is spent, however the attempt ended.
        Outcome { cost_usd: notifications.cost_usd(), ..outcome }
    }

    fn folder(&self) -> PathBuf {
        self.attempts.join(self.attempt.id.to_string())
    }

    /// Returns what takes the notifications about it.
    pub(super) fn notifications(&self) -> Arc<Notifications> {
        let reporter = Reporter::new(self.attempt.clone(), &self.folder());
        Arc::new(Notifications::new(self.spec.clone(), reporter))
    }

    /// Writes its inputs, and returns the params of its request.
    pub(super) async fn request(&self, inputs: Values) -> Result<Json, Stop> {
        let folder = self.folder().join(SCRATCH);
        let inputs = self.lay_out(inputs, &folder, &self.attempt.cancel).await?;
        let name = &self.plugin.record.manifest.name;
        let params = self.params(inputs, &folder);
        if serde_json::to_vec(&params).map_or(usize::MAX, |json| json.len()) >= MAX_LINE {
            let most = MAX_LINE >> 20;
            return Err(Stop::Failed(format!(
                "its inputs have more than {most} MiB; declare large ones as files in the plugin `{name}`"
            )));
        }
        Ok(params)
    }

    /// Has the plugin make its outputs.
    pub(super) async fn make(
        &self,
        inputs: Values,
        notifications: &Arc<Notifications>,
    ) -> Result<(Values, Vec<Published>), Stop> {
        let cancel = &self.attempt.cancel;
        let params = self.request(inputs).await?;
        let name = &self.plugin.record.manifest.name;
        let explain = |failure: Failure| match failure {
            Failure::Cancelled => Stop::Cancelled,
            Failure::Refused(why) => Stop::Refused(why),
            Failure::Over(End::Outside(why)) => Stop::Lost(why),
            Failure::Over(End::Fault(why)) => Stop::Failed(format!("the plugin `{name}`: {why}")),
        };
        let lease = self.plugin.lease(&self.attempt.secrets, cancel).await.map_err(explain)?;
        let asked = lease.process.execute(&params, Arc::clone(notifications), cancel, self.grace).await;
        drop(lease);
        let wrong = |why: String| Stop::Failed(format!("the plugin `{name}`: {why}"));
        let given = notifications.outputs(asked.map_err(explain)?).map_err(wrong)?;
        let outputs = Outputs {
            given,
            spec: self.spec.clone(),
            folder: self.folder().join(SCRATCH).join("work"),
            secrets: self.attempt.secrets.clone(),
        };
        let made: Made = content::with_space(&self.blobs, cancel, move |blobs| outputs.publish(blobs)).await;
        made.map_err(|error| match error {
            FileError::Full(_) => Stop::Cancelled,
            FileError::Other(why) => wrong(why),
        })
    }

    /// Creates the folders of the attempt and returns its inputs as JSON.
    async fn lay_out(
        &self,
        inputs: Values,
        folder: &Path,
        cancel: &CancellationToken,
    ) -> Result<Json, FileError> {
        let (spec, folder) = (self.spec.clone(), folder.to_owned());
        let lay_out = move |blobs: &Blobs| -> Result<Json, FileError> {
            let failed = |error| FileError::of("the folder of the attempt can't be made", &error);
            remove_tree(&folder).map_err(failed)?;
            super::make_folder(&folder.join("work")).map_err(failed)?;
            let inputs = content::read_inputs(inputs.clone(), &spec, false, blobs)?;
            values::lay_out(&inputs, blobs, &folder.join("inputs"))
        };
        content::with_space(&self.blobs, cancel, lay_out).await
    }

    fn params(&self, inputs: Json, folder: &Path) -> Json {
        let Attempt { run, node, item, number, .. } = &self.attempt;
        json!({
            "type": self.spec.name,
            "inputs": inputs,
            "folder": folder.join("work"),
            "run": run.id,
            "run_number": run.number,
            "workflow": run.workflow,
            "node": node,
            "item": item.0,
            "attempt": self.attempt.id,
            "number": number,
            "key": self.attempt.key(),
        })
    }
}
