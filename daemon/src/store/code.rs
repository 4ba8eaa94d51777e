//! Encodings: words as small numbers, ids as bytes, and rows as lists show them.

use fanlight_shared::asset::{Asset, AssetKind, PreviewState};
use fanlight_shared::id::{AssetId, RunId, SubmissionId, Version, WorkflowId};
use fanlight_shared::item::ItemPath;
use fanlight_shared::metric::{Goal, Point};
use fanlight_shared::run::{Parent, Run, RunStatus};
use fanlight_shared::spent::Spent;
use fanlight_shared::time::Time;
use fanlight_shared::value::Value;
use indexmap::IndexMap;
use rusqlite::Row;
use rusqlite::types::Type;
use serde::de::DeserializeOwned;

use crate::series::decode;

/// The state of a run that was deleted but is still referenced by assets.
pub(super) const DELETED: i64 = 6;

/// All states of runs with their numbers on disk. Numbers are never reused; 6 is [`DELETED`].
pub(super) const STATUSES: [(RunStatus, i64); 7] = [
    (RunStatus::Queued, 0),
    (RunStatus::Running, 1),
    (RunStatus::Cancelling, 2),
    (RunStatus::Completed, 3),
    (RunStatus::Failed, 4),
    (RunStatus::Cancelled, 5),
    (RunStatus::Parked, 7),
];

pub(super) fn status(status: RunStatus) -> i64 {
    match status {
        RunStatus::Queued => 0,
        RunStatus::Running => 1,
        RunStatus::Cancelling => 2,
        RunStatus::Completed => 3,
        RunStatus::Failed => 4,
        RunStatus::Cancelled => 5,
        RunStatus::Parked => 7,
    }
}

/// Returns the state of a stored run. A deleted one had ended, which is all that its assets need.
pub(super) fn status_from(code: i64) -> RunStatus {
    let known = STATUSES.iter().find(|(_, number)| *number == code);
    known.map_or(RunStatus::Cancelled, |(status, _)| *status)
}

const KINDS: [AssetKind; 8] = [
    AssetKind::Image,
    AssetKind::Audio,
    AssetKind::Video,
    AssetKind::Text,
    AssetKind::Number,
    AssetKind::Json,
    AssetKind::File,
    AssetKind::Dir,
];

pub(super) fn kind(kind: AssetKind) -> i64 {
    match kind {
        AssetKind::Image => 0,
        AssetKind::Audio => 1,
        AssetKind::Video => 2,
        AssetKind::Text => 3,
        AssetKind::Number => 4,
        AssetKind::Json => 5,
        AssetKind::File => 6,
        AssetKind::Dir => 7,
    }
}

fn kind_from(code: i64) -> AssetKind {
    usize::try_from(code).ok().and_then(|index| KINDS.get(index)).copied().unwrap_or(AssetKind::File)
}

pub(super) fn preview(state: PreviewState) -> i64 {
    match state {
        PreviewState::Pending => 0,
        PreviewState::Ready => 1,
        PreviewState::None => 2,
    }
}

fn preview_from(code: i64) -> PreviewState {
    match code {
        0 => PreviewState::Pending,
        1 => PreviewState::Ready,
        _ => PreviewState::None,
    }
}

pub(super) fn goal(goal: Goal) -> i64 {
    match goal {
        Goal::Min => 0,
        Goal::Max => 1,
    }
}

pub(super) fn goal_from(code: i64) -> Goal {
    if code == 1 { Goal::Max } else { Goal::Min }
}

pub(super) fn item(item: ItemPath) -> i64 {
    item.0.map_or(-1, i64::from)
}

pub(super) fn item_from(code: i64) -> ItemPath {
    ItemPath(u32::try_from(code).ok())
}

/// Converts a number for SQLite, whose integers are signed.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// Parses the JSON in a column.
pub(super) fn json<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text = row.get_ref(column)?.as_str()?;
    serde_json::from_str(text)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error)))
}

/// Positions below this one are those of runs that were put at the head of the queue.
pub(super) const NEXT_POSITIONS: i64 = -(1 << 40);

/// Positions from this one on are those of runs that were put after all others.
pub(super) const LATER_POSITIONS: i64 = 1 << 40;

/// The columns that [`run`] reads, of `run r`, `workflow w`, `version v` and `sweep s`.
pub(super) const RUN: &str = "r.id, w.slug, r.number, r.label, r.status, r.params, r.submitted_at, r.started_at, \
     r.ended_at, r.error, w.id, w.title, v.hash, r.submission, r.place, r.start_order, r.resumed_from, r.nodes_done, \
     r.nodes, v.concurrency, r.key, r.cost_usd, r.input_tokens, r.output_tokens, s.name, r.parent, r.parent_name, \
     r.parent_node, r.parent_item, r.priority, r.unpriced";

/// The number of columns in [`RUN`].
pub(super) const RUN_COLUMNS: usize = 31;

/// The tables of [`RUN`], the run first.
pub(super) const RUN_TABLES: &str = "run r CROSS JOIN workflow w ON w.key = r.workflow CROSS JOIN version v ON v.key = r.version \
     LEFT JOIN sweep s ON s.key = r.sweep";

/// Returns a row of [`RUN`], with its key.
pub(super) fn run(row: &Row<'_>) -> rusqlite::Result<(i64, Run)> {
    // Unreadable data of one run must not hide others in a list.
    let (params, unreadable) = match json(row, 5) {
        Ok(params) => (params, None),
        Err(rusqlite::Error::FromSqlConversionFailure(_, _, error)) => {
            (IndexMap::new(), Some(format!("its params can't be read: {error}")))
        }
        Err(error) => return Err(error),
    };
    let run = Run {
        id: RunId::from_bytes(row.get(0)?),
        workflow: row.get(1)?,
        number: row.get(2)?,
        label: row.get(3)?,
        state: status_from(row.get(4)?),
        params,
        params_short: false,
        submitted_at: Time(row.get(6)?),
        started_at: row.get::<_, Option<i64>>(7)?.map(Time),
        ended_at: row.get::<_, Option<i64>>(8)?.map(Time),
        error: row.get::<_, Option<String>>(9)?.or(unreadable),
        workflow_id: WorkflowId::from_bytes(row.get(10)?),
        title: row.get(11)?,
        version: Version::from_stored(row.get(12)?),
        submission: SubmissionId::from_bytes(row.get(13)?),
        index: row.get(14)?,
        start_order: row.get::<_, Option<i64>>(15)?.map(unsigned),
        resumed_from: row.get::<_, Option<[u8; 16]>>(16)?.map(RunId::from_bytes),
        parent: parent(row, 25)?.map(Box::new),
        nodes_done: row.get(17)?,
        nodes: row.get(18)?,
        spent: spent(row, 21, 30)?,
        position: None,
        asks: None,
        waits_for: None,
        paused: None,
        priority: row.get(29)?,
        concurrency: row.get(19)?,
        sweep: row.get(24)?,
    };
    Ok((row.get(20)?, run))
}

/// Reads four columns: the run that started one, its name, the node and its item.
fn parent(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Parent>> {
    let Some(run) = row.get::<_, Option<[u8; 16]>>(column)? else { return Ok(None) };
    Ok(Some(Parent {
        run: RunId::from_bytes(run),
        name: row.get(column + 1)?,
        node: row.get(column + 2)?,
        item: item_from(row.get(column + 3)?),
    }))
}

/// Reads three columns from `column` on: the cost of a run, its input tokens and its output tokens; and whether some of
/// these have no price.
pub(super) fn spent(row: &Row<'_>, column: usize, unpriced: usize) -> rusqlite::Result<Spent> {
    Ok(Spent {
        cost_usd: row.get(column)?,
        input_tokens: unsigned(row.get(column + 1)?),
        output_tokens: unsigned(row.get(column + 2)?),
        unpriced: row.get(unpriced)?,
    })
}

/// The columns that [`asset`] reads, of `asset a`, `run r` and `workflow w`.
pub(super) const ASSET: &str = "a.id, w.slug, r.number, a.node, a.item, a.port, a.kind, a.mime, a.bytes, a.name, \
     a.created_at, a.starred, a.ordinal, w.id, r.id, a.value, a.preview, a.key";

/// The tables of [`ASSET`], the asset first.
pub(super) const ASSET_TABLES: &str =
    "asset a CROSS JOIN run r ON r.key = a.run CROSS JOIN workflow w ON w.key = a.workflow";

/// Returns a row of [`ASSET`], with its key.
pub(super) fn asset(row: &Row<'_>) -> rusqlite::Result<(i64, Asset)> {
    let workflow: String = row.get(1)?;
    let number: u32 = row.get(2)?;
    // Unreadable data of one asset must not hide others in a list: it is shown without its value.
    let value = match json(row, 15) {
        Ok(value) => value,
        Err(rusqlite::Error::FromSqlConversionFailure(_, _, error)) => {
            tracing::warn!("the value of an asset of {workflow}#{number} can't be read: {error}");
            Value::None
        }
        Err(error) => return Err(error),
    };
    let asset = Asset {
        id: AssetId::from_bytes(row.get(0)?),
        run: format!("{workflow}#{number}"),
        workflow,
        node: row.get(3)?,
        item: item_from(row.get(4)?),
        port: row.get(5)?,
        kind: kind_from(row.get(6)?),
        mime: row.get(7)?,
        bytes: unsigned(row.get(8)?),
        name: row.get(9)?,
        created_at: Time(row.get(10)?),
        starred: row.get(11)?,
        ordinal: row.get(12)?,
        workflow_id: WorkflowId::from_bytes(row.get(13)?),
        run_id: RunId::from_bytes(row.get(14)?),
        value,
        preview: preview_from(row.get(16)?),
    };
    Ok((row.get(17)?, asset))
}

/// Reads the points in a column.
pub(super) fn points(row: &Row<'_>, column: usize) -> rusqlite::Result<Vec<Point>> {
    decode(row.get_ref(column)?.as_blob()?).ok_or_else(|| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Blob, "these points are damaged".into())
    })
}

/// Reads the point in a column, if there is one.
pub(super) fn point(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Point>> {
    if row.get_ref(column)? == rusqlite::types::ValueRef::Null {
        return Ok(None);
    }
    Ok(points(row, column)?.first().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_has_its_own_number_and_none_has_that_of_deleted_runs() {
        for (state, number) in STATUSES {
            assert_eq!((status(state), status_from(number)), (number, state));
            assert_ne!(number, DELETED);
        }
    }
}
