//! The points of metrics: appended in chunks, replaced by smaller steps, and thinned out when a run has too many.

mod damage;
mod thin;
mod unknown;

use fanlight_shared::id::RunId;
use fanlight_shared::item::ItemPath;
use fanlight_shared::metric::{NewPoints, Point};
use rusqlite::{Connection, ErrorCode, OptionalExtension, Row, params};

use super::{Apply, Done, Failure};
use crate::series::encode;
use crate::store::{StoreError, code};
use unknown::Unknown;

/// The most points of a chunk. The last one of a series is written again whenever the series grows.
const CHUNK_POINTS: usize = 512;

/// The row of a series.
#[derive(Default)]
struct Series {
    key: i64,
    attempt: u32,
    reported: u64,
    count: u64,
    stored: u64,
    replaced: u64,
    first_step: Option<u64>,
    last: Option<Point>,
    min: Option<Point>,
    max: Option<Point>,
}

/// The row of a chunk.
struct Chunk {
    key: i64,
    level: i64,
    count: u64,
    points: Vec<Point>,
}

/// The columns that [`Chunk::read`] reads.
const CHUNK: &str = "key, level, count, body";

impl Chunk {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let points = code::points(row, 3)?;
        Ok(Self { key: row.get(0)?, level: row.get(1)?, count: code::unsigned(row.get(2)?), points })
    }
}

/// The instance that reported points.
#[derive(Clone, Copy)]
pub(super) struct Reporter<'a> {
    pub(super) run: RunId,
    pub(super) node: &'a str,
    pub(super) item: ItemPath,
    pub(super) attempt: u32,
}

impl Apply {
    /// Appends points to the series of an instance. What an earlier attempt reported is dropped, and what is stored already
    /// is skipped.
    pub(super) fn add_points(&self, db: &Connection, of: Reporter<'_>, new: &[NewPoints]) -> Done {
        // A run that is gone needs no points, and a late report is no reason to end the daemon.
        let run = match self.key(db, of.run) {
            Ok(key) => key.run,
            Err(Failure::Batch(StoreError::NotFound(_))) => return Ok(()),
            Err(error) => return Err(error),
        };
        let mut grown = 0;
        for new in new {
            match damage::contain(db, || self.add_one(db, run, of, new))? {
                Ok(more) => grown += more,
                Err(why) => {
                    let Reporter { run, node, item, .. } = of;
                    let name = &new.name;
                    tracing::error!(
                        "points of the metric `{name}` of `{node}{item}` in the run {run} are lost, because what is stored \
                         of it is damaged: {why}"
                    );
                }
            }
        }
        let mut points = self.points.borrow_mut();
        let total = match points.get(&run) {
            Some(total) => total.saturating_add_signed(grown),
            None => db
                .prepare_cached("SELECT total(stored) FROM series WHERE run = ?1")?
                .query_row([run], |row| row.get::<_, f64>(0).map(|total| total as u64))?,
        };
        let total = thin::run(db, run, total)?;
        if points.len() > super::MAX_KEYS {
            points.clear();
        }
        points.insert(run, total);
        Ok(())
    }

    /// Appends points to their series. Returns by how many points it grew.
    fn add_one(&self, db: &Connection, run: i64, of: Reporter<'_>, new: &NewPoints) -> Done<i64> {
        let Some(mut series) = self.open_series(db, run, of, new)? else { return Ok(0) };
        let before = series.stored;
        series.append(db, new)?;
        series.write(db, new)?;
        Ok(code::signed(series.stored) - code::signed(before))
    }

    /// Deletes the series of an instance, whose next attempt begins.
    pub(super) fn drop_series(&self, db: &Connection, run: i64, node: &str, item: i64) -> Done {
        let which = "run = ?1 AND node = ?2 AND item = ?3";
        db.prepare_cached(&format!(
            "DELETE FROM series_chunk WHERE series IN (SELECT key FROM series WHERE {which})"
        ))?
        .execute(params![run, node, item])?;
        db.prepare_cached(&format!("DELETE FROM series WHERE {which}"))?.execute(params![run, node, item])?;
        self.points.borrow_mut().remove(&run);
        Ok(())
    }

    /// Deletes the series of a run.
    pub(super) fn drop_all_series(&self, db: &Connection, run: i64) -> Done {
        db.prepare_cached(
            "DELETE FROM series_chunk WHERE series IN (SELECT key FROM series WHERE run = ?1)",
        )?
        .execute([run])?;
        db.prepare_cached("DELETE FROM series WHERE run = ?1")?.execute([run])?;
        self.points.borrow_mut().remove(&run);
        Ok(())
    }

    /// Copies the series of the instances that a resumed run reuses, in the order in which they were first reported.
    pub(super) fn copy_series(
        db: &Connection,
        from: i64,
        to: i64,
        reuses: impl Fn(&str, i64) -> bool,
    ) -> Done {
        let rows = db
            .prepare_cached("SELECT key, node, item FROM series WHERE run = ?1 ORDER BY key")?
            .query_map([from], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
            .collect::<Result<Vec<(i64, String, i64)>, _>>()?;
        for (key, ..) in rows.iter().filter(|(_, node, item)| reuses(node, *item)) {
            let columns = "node, item, name, attempt, unit, goal, reported, count, stored, replaced, first_step, \
                 last, min, max";
            let copy = db
                .prepare_cached(&format!(
                    "INSERT INTO series (run, {columns}) SELECT ?1, {columns} FROM series WHERE key = ?2"
                ))?
                .insert(params![to, key])?;
            let columns = "first, last, level, count, stored, min, max, body";
            db.prepare_cached(&format!(
                "INSERT INTO series_chunk (series, {columns}) SELECT ?1, {columns} FROM series_chunk WHERE series = ?2"
            ))?
            .execute(params![copy, key])?;
        }
        Ok(())
    }

    /// Returns the series to which points belong; `None` if a later attempt has begun it.
    fn open_series(
        &self,
        db: &Connection,
        run: i64,
        of: Reporter<'_>,
        new: &NewPoints,
    ) -> Done<Option<Series>> {
        let item = code::item(of.item);
        let found = db
            .prepare_cached(
                "SELECT key, attempt, reported, count, stored, replaced, first_step, last, min, max FROM series \
                 WHERE run = ?1 AND node = ?2 AND item = ?3 AND name = ?4",
            )?
            .query_row(params![run, of.node, item, new.name], Series::read)
            .optional()?;
        match found {
            Some(series) if series.attempt > of.attempt => return Ok(None),
            Some(series) if series.attempt == of.attempt => return Ok(Some(series)),
            Some(_) => self.drop_series(db, run, of.node, item)?,
            None => {}
        }
        let key = db
            .prepare_cached(
                "INSERT INTO series (run, node, item, name, attempt) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .insert(params![run, of.node, item, new.name, of.attempt])?;
        Ok(Some(Series { key, attempt: of.attempt, ..Series::default() }))
    }
}

impl Series {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            key: row.get(0)?,
            attempt: row.get(1)?,
            reported: code::unsigned(row.get(2)?),
            count: code::unsigned(row.get(3)?),
            stored: code::unsigned(row.get(4)?),
            replaced: code::unsigned(row.get(5)?),
            first_step: row.get::<_, Option<i64>>(6)?.map(code::unsigned),
            last: code::point(row, 7)?,
            min: code::point(row, 8)?,
            max: code::point(row, 9)?,
        })
    }

    fn append(&mut self, db: &Connection, new: &NewPoints) -> Done {
        let Unknown { points: unknown, thinned, reported } = self.unknown(new);
        let mut points: Vec<Point> = Vec::with_capacity(unknown.len());
        for point in unknown {
            while points.last().is_some_and(|last| last.step >= point.step) {
                points.pop();
                self.replaced += 1;
            }
            if points.is_empty() && self.last.is_some_and(|last| last.step >= point.step) {
                self.cut(db, point.step)?;
            }
            points.push(*point);
        }
        self.reported = reported;
        let (Some(first), Some(last)) = (points.first().copied(), points.last().copied()) else {
            return Ok(());
        };
        self.first_step.get_or_insert(first.step);
        self.last = Some(last);
        let (min, max) = extremes(&points);
        self.min = smaller(self.min, min);
        self.max = larger(self.max, max);
        // Those that were thinned out on the way count too.
        let count = points.len() as u64 + thinned;
        self.count = self.count.saturating_add(count);
        self.stored = self.stored.saturating_add(points.len() as u64);
        self.store(db, points, count)
    }

    /// Stores points after the others.
    fn store(&self, db: &Connection, mut points: Vec<Point>, mut count: u64) -> Done {
        let tail = db
            .prepare_cached(&format!(
                "SELECT {CHUNK} FROM series_chunk WHERE series = ?1 ORDER BY first DESC LIMIT 1"
            ))?
            .query_row([self.key], Chunk::read)
            .optional()?
            .filter(|tail| tail.level == 0 && tail.points.len() < CHUNK_POINTS);
        if let Some(mut tail) = tail {
            db.prepare_cached("DELETE FROM series_chunk WHERE key = ?1")?.execute([tail.key])?;
            count = count.saturating_add(tail.count);
            tail.points.append(&mut points);
            points = tail.points;
        }
        for part in points.chunks(CHUNK_POINTS) {
            // The first chunk stands for all that were thinned out on the way.
            let rest = points.len() as u64;
            let count = part.len() as u64 + std::mem::replace(&mut count, rest).saturating_sub(rest);
            insert_chunk(db, self.key, part, 0, count)?;
        }
        Ok(())
    }

    /// Removes the points from this step on.
    fn cut(&mut self, db: &Connection, step: u64) -> Done {
        let from = code::signed(step);
        let rows = db
            .prepare_cached(&format!("SELECT {CHUNK} FROM series_chunk WHERE series = ?1 AND last >= ?2"))?
            .query_map(params![self.key, from], Chunk::read)?
            .collect::<Result<Vec<_>, _>>()?;
        for Chunk { key, level, count, mut points } in rows {
            db.prepare_cached("DELETE FROM series_chunk WHERE key = ?1")?.execute([key])?;
            let before = points.len() as u64;
            points.retain(|point| point.step < step);
            let left = points.len() as u64;
            // Of thinned points, those that stay stand for their share.
            let stays = count.saturating_mul(left).checked_div(before).unwrap_or(0).min(count);
            self.count -= (count - stays).min(self.count);
            self.replaced = self.replaced.saturating_add(count - stays);
            self.stored -= (before - left).min(self.stored);
            if !points.is_empty() {
                insert_chunk(db, self.key, &points, level, stays)?;
            }
        }
        (self.first_step, self.last, self.min, self.max) = (None, None, None, None);
        let mut query =
            db.prepare_cached("SELECT first, min, max FROM series_chunk WHERE series = ?1 ORDER BY first")?;
        let mut rows = query.query([self.key])?;
        while let Some(row) = rows.next()? {
            self.first_step.get_or_insert(code::unsigned(row.get(0)?));
            self.min = smaller(self.min, code::point(row, 1)?);
            self.max = larger(self.max, code::point(row, 2)?);
        }
        self.last = db
            .prepare_cached("SELECT body FROM series_chunk WHERE series = ?1 ORDER BY first DESC LIMIT 1")?
            .query_row([self.key], |row| code::points(row, 0))
            .optional()?
            .and_then(|points| points.last().copied());
        Ok(())
    }

    fn write(&self, db: &Connection, new: &NewPoints) -> Done {
        let bytes = |point: Option<Point>| point.map(|point| encode(&[point]));
        db.prepare_cached(
            "UPDATE series SET reported = ?2, count = ?3, stored = ?4, replaced = ?5, first_step = ?6, last = ?7, \
             min = ?8, max = ?9, unit = coalesce(?10, unit), goal = coalesce(?11, goal) WHERE key = ?1",
        )?
        .execute(params![
            self.key,
            code::signed(self.reported),
            code::signed(self.count),
            code::signed(self.stored),
            code::signed(self.replaced),
            self.first_step.map(code::signed),
            bytes(self.last),
            bytes(self.min),
            bytes(self.max),
            new.unit,
            new.goal.map(code::goal),
        ])?;
        Ok(())
    }
}

/// Adds a chunk to a series.
pub(super) fn insert_chunk(db: &Connection, series: i64, points: &[Point], level: i64, count: u64) -> Done {
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return Ok(()) };
    let (min, max) = extremes(points);
    let bytes = |point: Option<Point>| point.map(|point| encode(&[point]));
    db.prepare_cached(
        "INSERT INTO series_chunk (series, first, last, level, count, stored, min, max, body) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![
        series,
        code::signed(first.step),
        code::signed(last.step),
        level,
        code::signed(count),
        code::signed(points.len() as u64),
        bytes(min),
        bytes(max),
        encode(points),
    ])
    .map_err(|error| match error.sqlite_error_code() {
        // Only stored steps that contradict each other lead here.
        Some(ErrorCode::ConstraintViolation) => {
            Failure::Batch(StoreError::Unreadable(format!("its stored steps contradict each other: {error}")))
        }
        _ => error.into(),
    })?;
    Ok(())
}

/// Returns the first of the points with the smallest finite value, and the first of those with the largest.
fn extremes(points: &[Point]) -> (Option<Point>, Option<Point>) {
    points
        .iter()
        .filter(|point| point.value.is_finite())
        .fold((None, None), |(min, max), point| (smaller(min, Some(*point)), larger(max, Some(*point))))
}

fn smaller(one: Option<Point>, other: Option<Point>) -> Option<Point> {
    match (one, other) {
        (Some(one), Some(other)) => Some(if other.value < one.value { other } else { one }),
        (one, other) => one.or(other),
    }
}

fn larger(one: Option<Point>, other: Option<Point>) -> Option<Point> {
    match (one, other) {
        (Some(one), Some(other)) => Some(if other.value > one.value { other } else { one }),
        (one, other) => one.or(other),
    }
}
