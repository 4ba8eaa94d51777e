//! Runs as records, with which they move from one home to another.
//!
//! A record has ids and hashes where a row has keys. What belongs to one home only is in none: the environment of a run, its
//! place among the starts, the previews of its assets, and the entries of the cache.

use fanlight_shared::event::{Numbered, StateEvent};
use fanlight_shared::id::{BlobHash, RunId, Version, WorkflowId};
use fanlight_shared::item::ItemPath;
use fanlight_shared::lineage::MadeWith;
use fanlight_shared::metric::{Goal, Point};
use fanlight_shared::origin::{Fresh, Origin};
use fanlight_shared::run::Run;
use fanlight_shared::search::{Outcome, Search};
use fanlight_shared::sweep::{Limits, Pause, Used};
use fanlight_shared::time::Time;
use fanlight_shared::value::float::Number;
use fanlight_shared::value::{Value, Values};
use serde::{Deserialize, Serialize};

use super::{NewAsset, NewVersion};

/// What runs share: a line of the archive's `shared.ndjson`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum SharedRecord {
    /// A version of a workflow file.
    Version(NewVersion),
    /// A workflow.
    Workflow(WorkflowRecord),
    /// A sweep.
    Sweep(Box<SweepRecord>),
}

/// A part of a run: a line of the archive's `runs/ID.ndjson`. The first is the run itself, and its events are in order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum RunPart {
    /// The run.
    Run(Box<RunRecord>),
    /// A state event.
    Event(Box<Numbered>),
    /// The file of a workflow that it starts.
    File(FileRecord),
    /// The value of a port.
    Value(ValueRecord),
    /// A product.
    Asset(Box<NewAsset>),
    /// A metric.
    Series(SeriesRecord),
    /// Points of the series before it.
    Points(PointsRecord),
}

/// A workflow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WorkflowRecord {
    pub(crate) id: WorkflowId,
    pub(crate) slug: String,
    pub(crate) title: String,
    pub(crate) path: Option<String>,
    pub(crate) version: Version,
}

/// A sweep, with its search.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SweepRecord {
    /// 16 bytes in hexadecimal digits; archives of the first format don't have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
    pub(crate) name: String,
    pub(crate) workflow: WorkflowId,
    pub(crate) version: Version,
    pub(crate) swept: Vec<String>,
    pub(crate) created_at: Time,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) limits: Option<Limits>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) paused: Option<Pause>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) used_before: Option<Used>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) search: Option<Search>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) trials: Vec<TrialRecord>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) observations: Vec<ObservationRecord>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) reports: Vec<ReportRecord>,
}

/// A run that a search proposed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TrialRecord {
    pub(crate) number: u32,
    pub(crate) run: RunId,
    pub(crate) params: Values,
    pub(crate) seen: u32,
}

/// What came of a run of a search.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ObservationRecord {
    pub(crate) place: u32,
    pub(crate) run: RunId,
    pub(crate) number: u32,
    pub(crate) params: Values,
    pub(crate) outcome: Outcome,
}

/// A decision of a pruner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReportRecord {
    pub(crate) place: u32,
    pub(crate) number: u32,
    pub(crate) step: u64,
    pub(crate) value: Number,
    pub(crate) pruned: bool,
}

/// A run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RunRecord {
    pub(crate) run: Run,
    pub(crate) path: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) evicted: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) fresh: Option<Fresh>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) made_with: Option<MadeWith>,
}

/// The file of a workflow that a run starts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileRecord {
    pub(crate) reader: String,
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) version: Version,
}

/// The value of a port: itself, or the blob with its JSON; neither if it was not kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ValueRecord {
    pub(crate) node: String,
    #[serde(default, skip_serializing_if = "ItemPath::is_whole")]
    pub(crate) item: ItemPath,
    pub(crate) port: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) large: Option<BlobHash>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) origin: Option<Origin>,
}

/// A metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SeriesRecord {
    pub(crate) node: String,
    #[serde(default, skip_serializing_if = "ItemPath::is_whole")]
    pub(crate) item: ItemPath,
    pub(crate) name: String,
    pub(crate) attempt: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) unit: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) goal: Option<Goal>,
    pub(crate) reported: u64,
    pub(crate) count: u64,
    pub(crate) stored: u64,
    pub(crate) replaced: u64,
    pub(crate) first_step: Option<u64>,
    pub(crate) last: Option<Point>,
    pub(crate) min: Option<Point>,
    pub(crate) max: Option<Point>,
}

/// A chunk of a series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PointsRecord {
    pub(crate) level: u32,
    /// How many reports they stand for.
    pub(crate) count: u64,
    pub(crate) points: Vec<Point>,
}

/// Removes the place of a run among the starts of its home: in another one, it comes before all that start there.
pub(crate) fn forget_start(event: &mut StateEvent) {
    if let StateEvent::RunUpdate(update) = event
        && update.start_order.is_some()
    {
        update.start_order = Some(0);
    }
}
