//! The series of metrics: lists, curves and points.

use fanlight_shared::id::RunId;
use fanlight_shared::metric::Point;
use fanlight_shared::rpc::Page;
use fanlight_shared::rpc::metrics::{Axis, Curve, List, MAX_RUNS, MAX_WIDTH, Points, Read, Series};
use fanlight_shared::time::Time;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::page;
use crate::series::Buckets;
use crate::store::{Store, StoreError, code};

const LIST: page::List = page::List("metrics.list");
const READ: page::List = page::List("metrics.read");
const POINTS: page::List = page::List("metrics.points");

/// The position in a list of series: the place of the run among those of the request, and the key of the series.
type Place = (usize, i64);

fn place(text: &str) -> Option<Place> {
    let (run, key) = text.split_once('.')?;
    Some((run.parse().ok()?, key.parse().ok()?))
}

impl Store {
    /// Returns a page of the series of runs. Blocks.
    ///
    /// # Errors
    /// There is no such run, too many are asked for, or the cursor is invalid.
    pub fn series(&self, list: &List) -> Result<Page<Series>, StoreError> {
        check_runs(&list.run_ids)?;
        let (first, mut after) = LIST.parse(list.cursor.as_deref(), place)?.unwrap_or((0, 0));
        self.read(|db| {
            let mut page = LIST.page(page::limit(list.limit));
            for (at, run_id) in list.run_ids.iter().enumerate().skip(first) {
                let (run, _) = find(db, *run_id)?;
                let mut query = db.prepare_cached(&format!(
                    "SELECT {COLUMNS} FROM series WHERE run = ?1 AND key > ?2 AND (?3 IS NULL OR node = ?3) \
                     AND (?4 IS NULL OR name = ?4) AND (?5 IS NULL OR item = ?5) AND last IS NOT NULL ORDER BY key"
                ))?;
                let mut rows = query.query(params![run, after, list.node, list.name, list.item.map(code::item)])?;
                while let Some(row) = rows.next()? {
                    let key: i64 = row.get(0)?;
                    if !page.add((at, key), series(db, row, *run_id)?) {
                        return Ok(page.finish(|(run, key)| format!("{run}.{key}")));
                    }
                }
                after = 0;
            }
            Ok(page.finish(|(run, key)| format!("{run}.{key}")))
        })
    }

    /// Returns a page of the curves of one metric. Blocks.
    ///
    /// # Errors
    /// There is no such run, too much is asked for, or the cursor is invalid.
    pub fn curves(&self, read: &Read) -> Result<Page<Curve>, StoreError> {
        check_runs(&read.run_ids)?;
        if !(1..=MAX_WIDTH).contains(&read.width) {
            return Err(StoreError::BadParam(format!("`width` is {}, not 1 to {MAX_WIDTH}", read.width)));
        }
        // Pages that follow have the buckets of the first, whatever is reported meanwhile.
        let cursor = READ.parse(read.cursor.as_deref(), |text| {
            let mut parts = text.splitn(3, '.');
            let range = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
            Some((range, place(parts.next()?)?))
        })?;
        self.read(|db| {
            let (range, (first, mut after)) = match cursor {
                Some((range, place)) => (range, place),
                None => (range(db, read)?, (0, 0)),
            };
            let (from, to): (u64, u64) = range;
            let mut page = READ.page(MAX_RUNS);
            let cursor = |(run, key): &Place| format!("{from}.{to}.{run}.{key}");
            for (at, run_id) in read.run_ids.iter().enumerate().skip(first) {
                let (run, begin) = find(db, *run_id)?;
                let mut query = db.prepare_cached(&format!(
                    "SELECT key, node, item, attempt, reported FROM series WHERE {OF_METRIC} AND key > ?5 ORDER BY key"
                ))?;
                let mut rows =
                    query.query(params![run, read.name, read.node, read.item.map(code::item), after])?;
                while let Some(row) = rows.next()? {
                    let key = row.get(0)?;
                    let mut buckets = Buckets::new(from, to, read.width);
                    let steps = match read.axis {
                        Axis::Step => (from, to),
                        Axis::Time => (0, u64::MAX),
                    };
                    let put = |point: &Point| {
                        buckets.add(on_axis(read.axis, begin, point), point);
                        true
                    };
                    let damaged = damage(db, key, each_point(db, key, steps, put))?.err();
                    let curve = Curve {
                        run_id: *run_id,
                        node: row.get(1)?,
                        item: code::item_from(row.get(2)?),
                        from,
                        to,
                        attempt: row.get(3)?,
                        reported: code::unsigned(row.get(4)?),
                        buckets: if damaged.is_none() { buckets.finish() } else { Vec::new() },
                        damaged,
                    };
                    if !page.add((at, key), curve) {
                        return Ok(page.finish(cursor));
                    }
                }
                after = 0;
            }
            Ok(page.finish(cursor))
        })
    }

    /// Returns a page of the points of a series. Blocks.
    ///
    /// # Errors
    /// There is no such series, or the cursor is invalid.
    pub fn series_points(&self, of: &Points) -> Result<Page<Point>, StoreError> {
        let from = POINTS.parse(of.cursor.as_deref(), |text| text.parse().ok())?.unwrap_or(of.from);
        self.read(|db| {
            let (run, _) = find(db, of.run_id)?;
            let key = db
                .prepare_cached(
                    "SELECT key FROM series WHERE run = ?1 AND node = ?2 AND item = ?3 AND name = ?4",
                )?
                .query_row(params![run, of.node, code::item(of.item), of.name], |row| row.get(0))
                .optional()?;
            let Some(key) = key else {
                let Points { node, item, name, .. } = of;
                return Err(StoreError::NotFound(format!(
                    "`{node}{item}` of this run has no metric `{name}`"
                )));
            };
            let mut page = POINTS.page(page::limit(of.limit));
            let steps = (from, of.to.unwrap_or(u64::MAX));
            let read = each_point(db, key, steps, |point| page.add(point.step, *point));
            damage(db, key, read)?.map_err(StoreError::Unreadable)?;
            Ok(page.finish(|step| (step + 1).to_string()))
        })
    }
}

/// The columns that [`series`] reads.
pub(super) const COLUMNS: &str =
    "key, node, item, name, attempt, unit, goal, count, stored, replaced, first_step, last, min, max";

/// The condition for the series of a metric, with the run, the name, the node and the item as its parameters.
const OF_METRIC: &str = "run = ?1 AND name = ?2 AND (?3 IS NULL OR node = ?3) \
     AND (?4 IS NULL OR item = ?4) AND last IS NOT NULL";

fn check_runs(runs: &[RunId]) -> Result<(), StoreError> {
    if runs.len() > MAX_RUNS {
        let message = format!("`run_ids` names {} runs, which is more than {MAX_RUNS}", runs.len());
        return Err(StoreError::BadParam(message));
    }
    Ok(())
}

/// Returns the key of a run and when it started.
fn find(db: &Connection, run: RunId) -> Result<(i64, i64), StoreError> {
    db.prepare_cached(
        "SELECT key, coalesce(started_at, submitted_at) FROM run WHERE id = ?1 AND status <> 6",
    )?
    .query_row([run.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)))
    .optional()?
    .ok_or_else(|| StoreError::NotFound(format!("no run has the id {run}")))
}

/// Returns the first and the last place on the axis, as far as the request does not say them.
fn range(db: &Connection, read: &Read) -> Result<(u64, u64), StoreError> {
    let mut found: Option<(u64, u64)> = None;
    if read.from.is_none() || read.to.is_none() {
        for run_id in &read.run_ids {
            let (run, begin) = find(db, *run_id)?;
            let mut query =
                db.prepare_cached(&format!("SELECT first_step, last FROM series WHERE {OF_METRIC}"))?;
            let mut rows = query.query(params![run, read.name, read.node, read.item.map(code::item)])?;
            while let Some(row) = rows.next()? {
                let first = match read.axis {
                    Axis::Step => code::unsigned(row.get(0)?),
                    Axis::Time => 0,
                };
                // The curve of a damaged series says so.
                let Ok(Some(last)) = code::point(row, 1) else { continue };
                let last = on_axis(read.axis, begin, &last);
                found = Some(match found {
                    Some((from, to)) => (from.min(first), to.max(last)),
                    None => (first, last),
                });
            }
        }
    }
    let (from, to) = found.unwrap_or_default();
    Ok((read.from.unwrap_or(from), read.to.unwrap_or(to)))
}

/// Returns the place of a point on the axis, in a run that started at `begin`.
fn on_axis(axis: Axis, begin: i64, point: &Point) -> u64 {
    match axis {
        Axis::Step => point.step,
        Axis::Time => code::unsigned(point.at.0.saturating_sub(begin)),
    }
}

/// Calls `visit` with the points of a series whose steps are in this range, until it returns `false`.
fn each_point(
    db: &Connection,
    series: i64,
    (from, to): (u64, u64),
    mut visit: impl FnMut(&Point) -> bool,
) -> Result<(), StoreError> {
    let mut query = db.prepare_cached(
        "SELECT body FROM series_chunk WHERE series = ?1 AND last >= ?2 AND first <= ?3 ORDER BY first",
    )?;
    let mut rows = query.query(params![series, code::signed(from), code::signed(to)])?;
    while let Some(row) = rows.next()? {
        for point in code::points(row, 0)?.iter().filter(|point| (from..=to).contains(&point.step)) {
            if !visit(point) {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Returns what was read of a series, or why it is damaged, by its name.
fn damage<T>(
    db: &Connection,
    series: i64,
    read: Result<T, StoreError>,
) -> Result<Result<T, String>, StoreError> {
    let why = match read {
        Ok(read) => return Ok(Ok(read)),
        Err(StoreError::Unreadable(why)) => why,
        Err(error) => return Err(error),
    };
    let owner = db
        .prepare_cached(
            "SELECT s.name, s.node, s.item, w.slug || '#' || r.number FROM series s JOIN run r ON r.key = s.run \
             JOIN workflow w ON w.key = r.workflow WHERE s.key = ?1",
        )?
        .query_row([series], |row| {
            let (name, node, run): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(3)?);
            Ok(format!("`{name}` of `{node}{}` in {run}", code::item_from(row.get(2)?)))
        })?;
    Ok(Err(format!("the metric {owner} is damaged: {why}")))
}

/// Reads a row of a list, with [`COLUMNS`].
pub(super) fn series(db: &Connection, row: &Row<'_>, run_id: RunId) -> Result<Series, StoreError> {
    let series = named(row, run_id)?;
    Ok(match damage(db, row.get(0)?, values(row))? {
        Ok((last, min, max)) => Series { last, min, max, ..series },
        Err(why) => Series { damaged: Some(why), ..series },
    })
}

/// Reads such a row without its values.
fn named(row: &Row<'_>, run_id: RunId) -> Result<Series, StoreError> {
    let number = |column| Ok::<_, rusqlite::Error>(code::unsigned(row.get(column)?));
    Ok(Series {
        run_id,
        node: row.get(1)?,
        item: code::item_from(row.get(2)?),
        name: row.get(3)?,
        attempt: row.get(4)?,
        unit: row.get(5)?,
        goal: row.get::<_, Option<i64>>(6)?.map(code::goal_from),
        count: number(7)?,
        stored: number(8)?,
        replaced: number(9)?,
        first_step: number(10)?,
        last: Point { step: 0, at: Time(0), value: f64::NAN },
        damaged: None,
        min: None,
        max: None,
    })
}

/// Reads the last, the smallest and the largest point in a row of a list.
fn values(row: &Row<'_>) -> Result<(Point, Option<Point>, Option<Point>), StoreError> {
    let last =
        code::point(row, 11)?.ok_or_else(|| StoreError::Unreadable("a series has no last point".into()))?;
    Ok((last, code::point(row, 12)?, code::point(row, 13)?))
}
