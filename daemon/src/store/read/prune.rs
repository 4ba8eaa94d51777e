//! The runs that may be pruned.

use std::collections::{HashMap, HashSet};

use fanlight_shared::id::RunId;
use fanlight_shared::rpc::runs::{Prune, PrunedRun};
use fanlight_shared::time::Time;
use rusqlite::{Connection, OptionalExtension};

use super::search;
use crate::store::{Store, StoreError, code};

/// A run that may be pruned, with those that it started.
#[derive(Debug)]
pub(crate) struct Prunable {
    pub(crate) run: PrunedRun,
    /// Its id, and those of the runs that it started, itself or through others.
    pub(crate) family: Vec<RunId>,
}

impl Store {
    /// Returns the runs to which all conditions apply, oldest first. Runs of a sweep stay until all of them have ended, and
    /// those of a search until it proposes no more: its limits count them. Blocks.
    ///
    /// # Errors
    /// An error of SQLite.
    pub(crate) fn prunable(&self, prune: &Prune) -> Result<Vec<Prunable>, StoreError> {
        self.read(|db| {
            let starred = starred(db)?;
            let children = children(db)?;
            // A search that can't be read may have more trials.
            let (open, damaged) = search::open(db)?;
            let open: HashSet<i64> = open.into_iter().chain(damaged).collect();
            let mut found = Vec::new();
            let mut seen: HashMap<i64, u32> = HashMap::new();
            let mut query = db.prepare_cached(
                "SELECT r.id, w.slug || '#' || r.number, r.status, r.ended_at, r.workflow, w.id, r.sweep \
                 FROM run r JOIN workflow w ON w.key = r.workflow \
                 WHERE r.status IN (3, 4, 5) AND r.parent IS NULL AND (r.sweep IS NULL OR r.sweep NOT IN \
                 (SELECT o.sweep FROM run o WHERE o.status IN (0, 1, 2, 7) AND o.sweep IS NOT NULL)) \
                 ORDER BY r.key DESC",
            )?;
            let mut rows = query.query([])?;
            while let Some(row) = rows.next()? {
                let rank = seen.entry(row.get(4)?).or_default();
                *rank += 1;
                let workflow: [u8; 16] = row.get(5)?;
                let run = PrunedRun {
                    id: RunId::from_bytes(row.get(0)?),
                    name: row.get(1)?,
                    state: code::status_from(row.get(2)?),
                    ended_at: row.get::<_, Option<i64>>(3)?.map(Time),
                    assets: 0,
                    bytes: 0,
                };
                let is_kept = prune.keep.is_some_and(|keep| *rank <= keep)
                    || prune.workflow_id.is_some_and(|wanted| *wanted.as_bytes() != workflow)
                    || !prune.states.is_empty() && !prune.states.contains(&run.state)
                    || prune.ended_before.is_some_and(|time| run.ended_at.is_none_or(|ended| ended >= time));
                // A search proposes from the results of its runs.
                let is_searching = row.get::<_, Option<i64>>(6)?.is_some_and(|sweep| open.contains(&sweep));
                if is_kept || is_searching {
                    continue;
                }
                let family = family(run.id, &children);
                if family.iter().any(|id| starred.contains(id)) {
                    continue;
                }
                found.push(Prunable { run, family });
            }
            found.reverse();
            for prunable in &mut found {
                measure(db, prunable)?;
            }
            if let Some(most) = prune.max_bytes {
                let stored: i64 =
                    db.query_row("SELECT coalesce(sum(bytes), 0) FROM blob", [], |row| row.get(0))?;
                let mut above = code::unsigned(stored).saturating_sub(most);
                found.retain(|prunable| {
                    let goes = above > 0;
                    above = above.saturating_sub(prunable.run.bytes);
                    goes
                });
            }
            Ok(found)
        })
    }
}

/// Returns the runs with starred assets.
fn starred(db: &Connection) -> Result<HashSet<RunId>, StoreError> {
    let mut query = db.prepare_cached(
        "SELECT DISTINCT r.id FROM asset a JOIN run r ON r.key = a.run WHERE a.starred = 1",
    )?;
    let ids = query.query_map([], |row| row.get(0).map(RunId::from_bytes))?;
    Ok(ids.collect::<Result<_, _>>()?)
}

/// Returns the runs that others started, by those.
fn children(db: &Connection) -> Result<HashMap<RunId, Vec<RunId>>, StoreError> {
    let mut children: HashMap<RunId, Vec<RunId>> = HashMap::new();
    let mut query =
        db.prepare_cached("SELECT parent, id FROM run WHERE parent IS NOT NULL AND status <> 6")?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let (parent, child) = (RunId::from_bytes(row.get(0)?), RunId::from_bytes(row.get(1)?));
        children.entry(parent).or_default().push(child);
    }
    Ok(children)
}

fn family(run: RunId, children: &HashMap<RunId, Vec<RunId>>) -> Vec<RunId> {
    let (mut family, mut at) = (vec![run], 0);
    while let Some(id) = family.get(at) {
        family.extend(children.get(id).into_iter().flatten());
        at += 1;
    }
    family
}

/// Counts the assets of a family and their bytes.
fn measure(db: &Connection, prunable: &mut Prunable) -> Result<(), StoreError> {
    let mut query = db.prepare_cached(
        "SELECT count(*), coalesce(sum(a.bytes), 0) FROM run r JOIN asset a ON a.run = r.key WHERE r.id = ?1",
    )?;
    for id in &prunable.family {
        let counted: Option<(i64, i64)> =
            query.query_row([id.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        let (assets, bytes) = counted.unwrap_or_default();
        prunable.run.assets += code::unsigned(assets);
        prunable.run.bytes += code::unsigned(bytes);
    }
    Ok(())
}
