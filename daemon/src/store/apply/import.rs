//! Stores runs of another home: all or none.

mod shared;

use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};

use fanlight_shared::asset::PreviewState;
use fanlight_shared::id::RunId;
use fanlight_shared::metric::Point;
use rusqlite::{Connection, OptionalExtension, params};

use super::series::insert_chunk;
use super::stored::Stored;
use super::{Apply, Done, Failure, Work, made_with};
use crate::series::encode;
use crate::store::StagedRun;
use crate::store::record::{FileRecord, RunPart, RunRecord, SeriesRecord, ValueRecord};
use crate::store::{Import, Imported, ImportedRun, NewAsset, StoreError, code};
use shared::Shared;

impl Apply {
    pub(super) fn import(&self, db: &Connection, work: &mut Work, import: &Import) -> Done {
        let mut shared = Shared::new(&import.shared, &import.known);
        let mut imported = Imported::default();
        for staged in &import.runs {
            imported.runs.push(self.import_run(db, work, import, *staged, &mut shared)?);
        }
        imported.renamed_sweeps = shared.finish(db)?;
        work.committed.imported = Some(imported);
        Ok(())
    }

    fn import_run(
        &self,
        db: &Connection,
        work: &mut Work,
        import: &Import,
        staged: StagedRun,
        shared: &mut Shared<'_>,
    ) -> Done<ImportedRun> {
        let unread = |error: std::io::Error| {
            Failure::Batch(StoreError::Disk(format!("the lines of an import can't be read: {error}")))
        };
        let mut file = &import.lines;
        file.seek(SeekFrom::Start(staged.offset)).map_err(unread)?;
        let mut lines = BufReader::new(file.take(staged.bytes));
        let mut line = Vec::new();
        let mut to: Option<(i64, ImportedRun)> = None;
        let mut series = None;
        loop {
            line.clear();
            if lines.read_until(b'\n', &mut line).map_err(unread)? == 0 {
                break;
            }
            let part: RunPart = serde_json::from_slice(&line)?;
            let key = match (&part, &to) {
                (RunPart::Run(record), None) => {
                    to = Some(self.import_row(db, work, record, shared)?);
                    continue;
                }
                (_, Some((key, _))) => *key,
                _ => return Err(Failure::Batch(StoreError::Other("an import begins with its run".into()))),
            };
            match part {
                RunPart::Run(_) => {}
                RunPart::Event(event) => {
                    self.pending.borrow_mut().add_event(key, event.seq, &event.event)?;
                    // Archives may have any number.
                    let is_long = self.pending.borrow().is_long();
                    if is_long {
                        self.flush(db, work)?;
                    }
                }
                RunPart::File(file) => add_file(db, key, &file, shared)?,
                RunPart::Value(value) => self.import_value(db, work, key, &value)?,
                RunPart::Asset(asset) => self.import_asset(db, work, *asset)?,
                RunPart::Series(record) => series = Some(add_series(db, key, &record)?),
                RunPart::Points(record) => {
                    if let Some(series) = series {
                        insert_chunk(db, series, &record.points, i64::from(record.level), record.count)?;
                    }
                }
            }
        }
        let (_, run) = to.ok_or_else(|| Failure::Batch(StoreError::Other("an import has no run".into())))?;
        Ok(run)
    }

    /// Adds the row of a run. Returns its key and its names.
    fn import_row(
        &self,
        db: &Connection,
        work: &mut Work,
        record: &RunRecord,
        shared: &mut Shared<'_>,
    ) -> Done<(i64, ImportedRun)> {
        let run = &record.run;
        let version = shared.version(db, &run.version)?;
        let (workflow, slug) = shared.workflow(db, run.workflow_id)?;
        let number = shared.number(workflow, run.number)?;
        let sweep = match &run.sweep {
            Some(name) => Some(shared.sweep(db, name, run.id, (run.number, number))?),
            None => None,
        };
        let made_with =
            record.made_with.as_ref().map(|made_with| made_with::store(db, made_with)).transpose()?;
        let fresh = record.fresh.as_ref().map(serde_json::to_string).transpose()?;
        let parent = run.parent.as_ref();
        let parent_name = parent.map(|parent| name(db, parent.run)).transpose()?.flatten();
        let key = db
            .prepare_cached(
                "INSERT INTO run (id, workflow, version, number, label, params, path, submission, place, status, \
                 submitted_at, started_at, start_order, ended_at, error, nodes, nodes_done, resumed_from, \
                 queue_position, evicted, cost_usd, input_tokens, output_tokens, fresh, sweep, parent, parent_name, \
                 parent_node, parent_item, made_with, unpriced) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, \
                 ?13, ?14, ?15, ?16, ?17, ?18, 0, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30)",
            )?
            .insert(params![
                run.id.as_bytes(),
                workflow,
                version,
                number,
                run.label,
                serde_json::to_string(&run.params)?,
                record.path,
                run.submission.as_bytes(),
                run.index,
                code::status(run.state),
                run.submitted_at.0,
                run.started_at.map(|at| at.0),
                run.start_order.map(code::signed),
                run.ended_at.map(|at| at.0),
                run.error,
                run.nodes,
                run.nodes_done,
                run.resumed_from.as_ref().map(RunId::as_bytes),
                record.evicted,
                run.spent.cost_usd,
                code::signed(run.spent.input_tokens),
                code::signed(run.spent.output_tokens),
                fresh,
                sweep,
                parent.map(|parent| parent.run.as_bytes()),
                parent.map(|parent| parent_name.as_ref().unwrap_or(&parent.name)),
                parent.map(|parent| &parent.node),
                parent.map(|parent| code::item(parent.item)),
                made_with,
                run.spent.unpriced,
            ])?;
        for value in run.params.values() {
            self.reference_value(db, work, value)?;
        }
        db.prepare_cached(
            "UPDATE workflow SET last_number = max(last_number, ?2), runs = runs + 1, newest_run = ?3, \
             last_run_at = max(coalesce(last_run_at, 0), ?4) WHERE key = ?1",
        )?
        .execute(params![workflow, number, key, run.submitted_at.0])?;
        Ok((key, ImportedRun { id: run.id, was: run.name(), name: format!("{slug}#{number}") }))
    }

    fn import_value(&self, db: &Connection, work: &mut Work, run: i64, record: &ValueRecord) -> Done {
        let stored = Stored {
            body: record.value.as_ref().map(serde_json::to_string).transpose()?,
            large: record.large.map(|hash| *hash.as_bytes()),
        };
        self.reference_stored(db, work, &stored)?;
        let origin = record.origin.as_ref().map(serde_json::to_string).transpose()?;
        db.prepare_cached(
            "INSERT INTO value (run, node, item, port, body, large, origin) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            run,
            record.node,
            code::item(record.item),
            record.port,
            stored.body,
            stored.large,
            origin
        ])?;
        Ok(())
    }

    fn import_asset(&self, db: &Connection, work: &mut Work, mut new: NewAsset) -> Done {
        let media = new.asset.value.has_media();
        new.asset.preview = if media { PreviewState::Pending } else { PreviewState::None };
        self.store_asset(db, work, &new)
    }
}

/// Returns the name of a run, if it is here.
fn name(db: &Connection, run: RunId) -> Done<Option<String>> {
    Ok(db
        .prepare_cached(
            "SELECT w.slug || '#' || r.number FROM run r JOIN workflow w ON w.key = r.workflow WHERE r.id = ?1",
        )?
        .query_row([run.as_bytes()], |row| row.get(0))
        .optional()?)
}

fn add_file(db: &Connection, run: i64, file: &FileRecord, shared: &mut Shared<'_>) -> Done {
    let version = shared.version(db, &file.version)?;
    db.prepare_cached("INSERT INTO run_file (run, reader, name, path, version) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![run, file.reader, file.name, file.path, version])?;
    Ok(())
}

/// Adds a series. Returns its key.
fn add_series(db: &Connection, run: i64, record: &SeriesRecord) -> Done<i64> {
    let bytes = |point: Option<Point>| point.map(|point| encode(&[point]));
    Ok(db
        .prepare_cached(
            "INSERT INTO series (run, node, item, name, attempt, unit, goal, reported, count, stored, replaced, \
             first_step, last, min, max) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
        )?
        .insert(params![
            run,
            record.node,
            code::item(record.item),
            record.name,
            record.attempt,
            record.unit,
            record.goal.map(code::goal),
            code::signed(record.reported),
            code::signed(record.count),
            code::signed(record.stored),
            code::signed(record.replaced),
            record.first_step.map(code::signed),
            bytes(record.last),
            bytes(record.min),
            bytes(record.max),
        ])?)
}
