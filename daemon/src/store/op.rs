//! Requests to the writer, and its responses.

mod import;
mod submit;

use std::collections::HashMap;
use std::sync::Arc;

use fanlight_shared::asset::Asset;
use fanlight_shared::event::Numbered;
use fanlight_shared::id::{AssetId, AttemptId, BlobHash, RunId, WorkflowId};
use fanlight_shared::item::ItemPath;
use fanlight_shared::metric::NewPoints;
use fanlight_shared::on_end::OnEnd;
use fanlight_shared::rpc::queue::To;
use fanlight_shared::run::RunStatus;
use fanlight_shared::run_state::Summary;
use fanlight_shared::search::Report;
use fanlight_shared::sweep::{Pause, Used};
use fanlight_shared::time::Time;
use fanlight_shared::value::Values;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use super::blob::Published;
use super::{AttemptKey, Bodies, CacheKey, NewEntry, Spending, StoreError};

pub(crate) use import::StagedRun;
pub use import::{Import, Imported, ImportedRun};
pub use submit::{
    ChildFiles, ChildVersions, Finished, NewFile, NewRun, NewSweep, NewTrial, NewVersion, ResumeFrom,
    StoredSearch, StoredSweep, Submit, Submitted, SweepOf,
};

/// Outputs as numbers, or why one is none, as the end of a sentence: "is not a number".
pub type Numbers = HashMap<String, Result<f64, &'static str>>;

/// A write operation. The order within a batch and between batches is kept.
// Most are of the large variant, an event: a box would be one more allocation for each.
#[allow(clippy::large_enum_variant)]
#[derive(Debug)]
pub enum Op {
    /// Runs of one submission: workflow, version, numbers, rows; the result is in [`Committed::submitted`].
    Submit(Box<Submit>),
    /// Ended runs of another home, all or none; the result is in [`Committed::imported`].
    Import(Box<Import>),
    /// A state event of a run; the row of the run follows from it.
    Event {
        /// The run.
        run: RunId,
        /// The event.
        event: Arc<Numbered>,
    },
    /// The row of a run, where it doesn't follow from the events that are stored: they can't be read, or an earlier version
    /// wrote another row.
    Row {
        /// The run.
        run: RunId,
        /// Its summary.
        summary: Summary,
    },
    /// Bytes that later operations of this batch, or later batches, refer to.
    Blob(Published),
    /// Port values of a node or item: all of its last attempt, and the outputs of failed ones before it.
    Values {
        /// The run.
        run: RunId,
        /// The node.
        node: String,
        /// The item.
        item: ItemPath,
        /// The values by port.
        values: Values,
        /// By port: JSON that is too long for a row, published before.
        bodies: Bodies,
        /// The result that they belong to, if later nodes may reuse it.
        cache_key: Option<CacheKey>,
    },
    /// Removes values of ports that failed attempts made, of a node or item that completed without them.
    DropValues {
        /// The run.
        run: RunId,
        /// The node.
        node: String,
        /// The item.
        item: ItemPath,
        /// The ports.
        ports: Vec<String>,
    },
    /// Points of metrics that an attempt reported.
    Points {
        /// The run.
        run: RunId,
        /// The node.
        node: String,
        /// The item.
        item: ItemPath,
        /// The attempt.
        attempt: u32,
        /// The points by series.
        series: Vec<NewPoints>,
    },
    /// Removes the points that earlier attempts of a node or item reported, because the next one begins.
    DropSeries {
        /// The run.
        run: RunId,
        /// The node.
        node: String,
        /// The item.
        item: ItemPath,
    },
    /// A new asset.
    Asset(Box<NewAsset>),
    /// The user's own label.
    Label {
        /// The run.
        run: RunId,
        /// The label.
        label: String,
    },
    /// Deletes an ended run with its telemetry and other values, and its assets if requested. Its attempts are recorded
    /// until they are [`Self::AttemptsRemoved`].
    DeleteRun {
        /// The run.
        run: RunId,
        /// Its assets too.
        assets: bool,
    },
    /// Deletes an ended run and those that it started, unless one of them has a starred asset.
    PruneRuns {
        /// The runs.
        runs: Vec<RunId>,
        /// Their assets too.
        assets: bool,
    },
    /// The folders of these attempts, whose runs were deleted, have been removed.
    AttemptsRemoved(Vec<AttemptId>),
    /// Adds or removes stars.
    Star {
        /// The assets.
        assets: Vec<AssetId>,
        /// On or off.
        starred: bool,
    },
    /// Deletes assets, with the values that they show.
    DeleteAssets(Vec<AssetId>),
    /// Deletes the other values of ended runs beyond the newest `keep`, of the workflows of a run and of those that it started.
    Evict {
        /// The run.
        run: RunId,
        /// How many of its newest runs keep their values.
        keep: u32,
    },
    /// A result that later nodes reuse.
    CacheEntry(Box<NewEntry>),
    /// Removes results with these keys.
    CacheRemove(Vec<CacheKey>),
    /// Removes this many results, those first that were used longest ago.
    CacheRemoveOldest(u32),
    /// Removes the results that were used longest ago until all together have at most this many bytes.
    CacheLimit(u64),
    /// A result was reused.
    CacheUsed {
        /// Its key.
        key: CacheKey,
        /// When.
        at: Time,
    },
    /// The preview of an asset was made, or there is none.
    Preview {
        /// The asset.
        asset: AssetId,
        /// MIME type and bytes; `None` if there is none.
        preview: Option<(String, Vec<u8>)>,
    },
    /// A daemon crashed on a run: see [`crate::store::Store::interruptions`].
    Interrupted {
        /// The run.
        run: RunId,
    },
    /// What a running attempt has spent so far; `None` when the event of its end has it.
    Spending {
        /// The attempt.
        attempt: AttemptId,
        /// The sums.
        sums: Option<Box<Spending>>,
    },
    /// The result that a running attempt computes; `None` when it has ended.
    AttemptKey {
        /// The attempt.
        attempt: AttemptId,
        /// The key of the result.
        key: Option<Box<AttemptKey>>,
    },
    /// Forgets the results that all attempts compute.
    ClearAttemptKeys,
    /// Moves waiting runs in the queue.
    Move {
        /// The waiting runs, in their order.
        runs: Vec<RunId>,
        /// Before or after all others.
        to: To,
    },
    /// A sweep is paused, or continues.
    PauseSweep {
        /// Its name.
        name: String,
        /// Why it is paused; `None` if it continues.
        paused: Option<Pause>,
        /// From now on it counts what it uses from here; `None` changes nothing.
        before: Option<Used>,
    },
    /// All runs of a sweep have ended.
    SweepEnded {
        /// Its name.
        name: String,
    },
    /// What to do at ends from now on, for as long as this store is open.
    OnEnd {
        /// All of it.
        all: Arc<[OnEnd]>,
        /// Is notified when something is to be done.
        added: Arc<Notify>,
    },
    /// What was to be done at an end is done.
    OnEndDone {
        /// Its row.
        key: i64,
    },
    /// What was to be done at an end failed.
    OnEndFailed {
        /// Its row.
        key: i64,
        /// Why.
        error: String,
        /// When it is tried next; `None` if it isn't.
        next: Option<Time>,
    },
    /// A run of a search has ended: its last event or its row precedes this.
    Observe {
        /// The run.
        run: RunId,
        /// Its last state.
        state: RunStatus,
        /// The outputs that its workflow declares; the event has only those that fit.
        outputs: Numbers,
    },
    /// A decision of a pruner.
    Report {
        /// The run.
        run: RunId,
        /// What it has reached.
        report: Report,
        /// Whether it is ended for it.
        pruned: bool,
    },
    /// A search proposes no more runs.
    EndSearch {
        /// The name of its sweep.
        name: String,
    },
    /// A setting of the queue that survives restarts: `max_concurrent_runs`, `paused`.
    Setting {
        /// Its name.
        name: &'static str,
        /// Its value; `None` removes it.
        value: Option<String>,
    },
}

impl Op {
    /// Returns the run that it is about, if it is about one.
    pub(super) fn run(&self) -> Option<RunId> {
        match self {
            Self::Event { run, .. }
            | Self::Row { run, .. }
            | Self::Values { run, .. }
            | Self::DropValues { run, .. }
            | Self::Points { run, .. }
            | Self::DropSeries { run, .. }
            | Self::Label { run, .. }
            | Self::DeleteRun { run, .. }
            | Self::Observe { run, .. }
            | Self::Report { run, .. }
            | Self::Interrupted { run } => Some(*run),
            Self::Asset(new) => Some(new.asset.run_id),
            _ => None,
        }
    }

    /// Returns whether somebody wants stored bytes to be gone for good, also after a power loss.
    pub(super) fn deletes(&self) -> bool {
        matches!(self, Self::DeleteRun { .. } | Self::PruneRuns { .. } | Self::DeleteAssets(_))
    }

    /// Estimates how many rows and bytes it writes.
    pub(super) fn weight(&self) -> (usize, usize) {
        match self {
            Self::Submit(submit) => (submit.runs.len() * 4, submit.version.document.len()),
            Self::Import(import) => (import.runs.len() * 100, 0),
            Self::Blob(blob) => (1, blob.inline.as_ref().map_or(0, Vec::len)),
            Self::Values { values, bodies, .. } => {
                let rows = values.iter().filter(|(port, _)| !bodies.contains_key(*port));
                (values.len(), rows.map(|(_, value)| value.memory()).sum())
            }
            Self::Points { series, .. } => {
                let points: usize = series.iter().map(|new| new.points.len()).sum();
                (series.len() * 3, points * size_of::<fanlight_shared::metric::Point>())
            }
            Self::PruneRuns { runs, .. } => (runs.len() * 100, 0),
            Self::DeleteRun { .. } | Self::Evict { .. } => (100, 0),
            Self::AttemptsRemoved(attempts) => (attempts.len(), 0),
            Self::CacheEntry(_) => (4, 0),
            Self::CacheRemove(keys) => (keys.len() * 4, 0),
            Self::CacheRemoveOldest(count) => (*count as usize * 4, 0),
            Self::DeleteAssets(assets) | Self::Star { assets, .. } => (assets.len() * 2, 0),
            Self::Preview { preview, .. } => (1, preview.as_ref().map_or(0, |(_, bytes)| bytes.len())),
            _ => (1, 0),
        }
    }
}

/// An asset to be stored, with the parts of its recipe that aren't in its run.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewAsset {
    /// As lists show it.
    pub asset: Asset,
    /// The attempt that made it, from 1.
    pub attempt: u32,
    /// How long that took, in milliseconds.
    pub duration_ms: u64,
    /// Its cost in US dollars.
    pub cost_usd: Option<f64>,
}

/// The result of a commit.
#[derive(Debug, Default)]
pub struct Committed {
    /// Of [`Op::Submit`]: the runs. For a repeated request key: those of the first request.
    pub submitted: Option<Submitted>,
    /// Of [`Op::Import`].
    pub imported: Option<Imported>,
    /// Of [`Op::DeleteRun`], [`Op::PruneRuns`] and [`Op::DeleteAssets`]: the deleted assets.
    pub deleted_assets: Vec<(WorkflowId, AssetId)>,
    /// Of [`Op::PruneRuns`]: the deleted runs.
    pub deleted_runs: Vec<(WorkflowId, RunId)>,
    /// Of the same: the blobs whose files were removed. Their folders are not synced yet when a callback runs;
    /// [`Store::commit`](super::Store::commit) does that.
    pub deleted_blobs: Vec<BlobHash>,
    /// The bytes of blobs that lost their last reference.
    pub freed_bytes: u64,
    /// Of [`Op::Star`] and [`Op::Preview`]: the changed assets.
    pub changed_assets: Vec<Asset>,
    /// Of [`Op::CacheRemove`] and [`Op::CacheRemoveOldest`]: how many results were removed.
    pub removed_entries: u64,
}

/// A callback after the commit, on the writer's thread, in order; it must not wait.
pub type After = Box<dyn FnOnce(Result<Committed, StoreError>) + Send>;

/// Operations that are committed together.
#[derive(Default)]
pub struct Batch {
    /// The operations.
    pub ops: Vec<Op>,
    /// `true` for decisions of the engine, which can't be undone. While the disk can't be written, the batch is kept
    /// and retried; if it can't be stored for any other reason, the daemon ends, and the next one recovers from what is
    /// stored. `false` for requests, which are refused immediately, whatever the reason.
    pub must: bool,
    /// Whether the callback may run before the commit is on the disk: a power failure may undo the commit until the next
    /// batch is committed. So the callback must only lead to another batch, whose own callback tells everybody else.
    pub early: bool,
    /// The callback after the commit.
    pub after: Option<After>,
}
