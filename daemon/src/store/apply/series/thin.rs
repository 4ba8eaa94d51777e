//! Thins out the points of a run that has too many.

use rusqlite::{Connection, OptionalExtension, params};

use super::{CHUNK, CHUNK_POINTS, Chunk, Done, damage, insert_chunk};
use crate::series::thin;
use crate::store::code;

/// The most stored points of a run; beyond it the series with most points is thinned out.
const MAX_POINTS: u64 = 1_000_000;
/// The fewest points of a chunk that is thinned out.
const MIN_THINNED: i64 = 16;
/// The fewest points of the last chunk of a series, which grows, if it is thinned out.
const MIN_LAST: i64 = 128;
/// The most points that are thinned out together.
const MAX_TOGETHER: usize = 4 * CHUNK_POINTS;

/// Thins out the series of a run with the most points until the run has few enough. Returns how many it has then.
pub(super) fn run(db: &Connection, run: i64, mut total: u64) -> Done<u64> {
    // Those that are damaged keep their points, so they stay the ones with the most.
    let mut damaged: i64 = 0;
    while total > MAX_POINTS {
        let largest: Option<(i64, String)> = db
            .prepare_cached(
                "SELECT key, name FROM series WHERE run = ?1 ORDER BY stored DESC LIMIT 1 OFFSET ?2",
            )?
            .query_row([run, damaged], |row| Ok((row.get(0)?, row.get(1).unwrap_or_default())))
            .optional()?;
        let Some((series, name)) = largest else { break };
        match damage::contain(db, || thin_series(db, series))? {
            // All its series are short.
            Ok(0) => break,
            Ok(freed) => total -= freed.min(total),
            Err(why) => {
                tracing::error!("the metric `{name}` is damaged, so it is not thinned out: {why}");
                damaged += 1;
            }
        }
    }
    Ok(total)
}

/// Thins out the oldest of the densest points of a series. Returns how many points that frees.
fn thin_series(db: &Connection, series: i64) -> Done<u64> {
    // The last chunk grows, so it is thinned out only if no other can be.
    let rows = db
        .prepare_cached(&format!(
            "SELECT {CHUNK} FROM series_chunk INDEXED BY series_chunk_by_level WHERE series = ?1 AND stored >= ?2 \
             AND first < (SELECT max(first) FROM series_chunk WHERE series = ?1) ORDER BY level, first LIMIT 1"
        ))?
        .query_row(params![series, MIN_THINNED], Chunk::read)
        .optional()?;
    let last = || {
        db.prepare_cached(&format!(
            "SELECT {CHUNK} FROM series_chunk WHERE series = ?1 \
             AND first = (SELECT max(first) FROM series_chunk WHERE series = ?1) AND stored >= ?2"
        ))?
        .query_row(params![series, MIN_LAST], Chunk::read)
        .optional()
    };
    let Some(mut chunk) = rows.map_or_else(last, |chunk| Ok(Some(chunk)))? else { return Ok(0) };
    // Together with its neighbours of the same level, so that chunks stay long.
    let mut keys = vec![chunk.key];
    let first = chunk.points.first().map_or(0, |point| code::signed(point.step));
    let mut query = db.prepare_cached(&format!(
        "SELECT {CHUNK} FROM series_chunk WHERE series = ?1 AND first > ?2 \
         AND first < (SELECT max(first) FROM series_chunk WHERE series = ?1) ORDER BY first LIMIT 7"
    ))?;
    let next = query.query_map(params![series, first], Chunk::read)?.collect::<Result<Vec<_>, _>>()?;
    for mut next in next {
        if next.level != chunk.level || chunk.points.len() + next.points.len() > MAX_TOGETHER {
            break;
        }
        keys.push(next.key);
        chunk.count = chunk.count.saturating_add(next.count);
        chunk.points.append(&mut next.points);
    }
    let kept = thin(&chunk.points);
    let freed = chunk.points.len() as u64 - kept.len() as u64;
    for key in keys {
        db.prepare_cached("DELETE FROM series_chunk WHERE key = ?1")?.execute([key])?;
    }
    insert_chunk(db, series, &kept, chunk.level + 1, chunk.count)?;
    db.prepare_cached("UPDATE series SET stored = stored - ?2 WHERE key = ?1")?
        .execute(params![series, code::signed(freed)])?;
    Ok(freed)
}
