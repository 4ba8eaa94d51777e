//! Native nodes that run in the daemon, beside the engine's loop.

use std::path::PathBuf;
use std::sync::Arc;

use super::{Capabilities, Execution, Executor, Task, misplaced};
use crate::job::{Attempt, Outcome, Work};
use crate::node_type::{DaemonJob, Runner};
use crate::store::blob::Blobs;

/// Runs native nodes in the daemon.
pub(crate) struct NativeNodes {
    /// For reading and publishing bytes.
    pub(crate) blobs: Blobs,
    /// Folders that nodes may write below, besides that of their workflow.
    pub(crate) writable: Vec<PathBuf>,
}

impl Executor for NativeNodes {
    fn capabilities(&self) -> Capabilities {
        Capabilities { shares_files: true, ..Capabilities::default() }
    }

    fn open(&self, attempt: Attempt, work: Arc<Work>) -> Box<dyn Execution> {
        let Work::Native(native, inputs) = &*work else { return misplaced(&work) };
        let inputs = inputs.clone();
        match native.run {
            Runner::Worker(_) => misplaced(&work),
            Runner::Inline(run) => Task::open(attempt, move |_| {
                Box::pin(async move { Outcome::of(run(inputs).map(|values| (values, Vec::new()))) })
            }),
            Runner::Daemon(run) => {
                let (blobs, mut writable) = (self.blobs.clone(), self.writable.clone());
                writable.extend(attempt.run.project.clone());
                Task::open(attempt, move |attempt| {
                    let cancel = attempt.cancel.clone();
                    let making = run(DaemonJob { attempt, inputs, blobs, writable });
                    Box::pin(async move {
                        match making.await {
                            _ if cancel.is_cancelled() => Outcome::cancelled(),
                            made => Outcome::of(made),
                        }
                    })
                })
            }
        }
    }
}
