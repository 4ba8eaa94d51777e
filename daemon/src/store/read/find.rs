//! Finds the run that a person names.

use fanlight_shared::id::RunId;
use fanlight_shared::run::Run;
use rusqlite::{Connection, params};

use super::list::{keys, rows};
use super::page;
use crate::store::{Store, StoreError};

impl Store {
    /// Returns the run that a person names: `poster#12`, `poster:12`, a workflow's name (its newest run), `last`, an id
    /// or a unique prefix of one. Blocks.
    ///
    /// # Errors
    /// No run has this name, or several do; the sentence lists them.
    pub fn find_run(&self, text: &str) -> Result<Run, StoreError> {
        let text = text.trim();
        self.read(|db| {
            let key = find(db, text)?;
            let found = rows(db, &[key])?;
            found.into_iter().next().map(|(_, run)| run).ok_or_else(|| nothing(text))
        })
    }
}

fn find(db: &Connection, text: &str) -> Result<i64, StoreError> {
    if text == "last" {
        return newest(db, "true", "")?.ok_or_else(|| StoreError::NotFound("nothing has run yet".into()));
    }
    if let Some((name, number)) = text.rsplit_once(['#', ':'])
        && let Ok(number) = number.parse::<u32>()
    {
        return numbered(db, name, number, text);
    }
    if let Ok(id) = text.parse::<RunId>() {
        let found = keys(db, "SELECT key FROM run WHERE id = ?1 AND status <> 6", &[id.as_bytes()])?;
        return found.first().copied().ok_or_else(|| nothing(text));
    }
    if let Some(workflow) = workflow(db, text)? {
        let key = newest(db, "workflow = ?1", &workflow.to_string())?;
        return key.ok_or_else(|| StoreError::NotFound(format!("`{text}` has no runs")));
    }
    by_prefix(db, text)
}

/// Returns the key of a run like `poster#12`.
fn numbered(db: &Connection, name: &str, number: u32, text: &str) -> Result<i64, StoreError> {
    let Some(workflow) = workflow(db, name)? else { return Err(nothing(text)) };
    let found = db
        .prepare_cached("SELECT key FROM run WHERE workflow = ?1 AND number = ?2 AND status <> 6")?
        .query_map(params![workflow, number], |row| row.get(0))?
        .collect::<Result<Vec<i64>, _>>()?;
    if let Some(key) = found.first() {
        return Ok(*key);
    }
    let last: u32 =
        db.query_row("SELECT last_number FROM workflow WHERE key = ?1", [workflow], |row| row.get(0))?;
    Err(StoreError::NotFound(if (1..=last).contains(&number) {
        format!("the run {text} was deleted, or is missing from what was imported")
    } else {
        format!("`{name}` has no run {number}; its newest is {last}")
    }))
}

/// Returns the workflow with this slug, else with this title.
fn workflow(db: &Connection, name: &str) -> Result<Option<i64>, StoreError> {
    if let [key] = keys(db, "SELECT key FROM workflow WHERE slug = ?1", &[name])?[..] {
        return Ok(Some(key));
    }
    let titled = db
        .prepare_cached("SELECT key, slug FROM workflow WHERE title = ?1 ORDER BY newest_run DESC LIMIT 6")?
        .query_map([name], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<Vec<(i64, String)>, _>>()?;
    match &titled[..] {
        [] => Ok(None),
        [(key, _)] => Ok(Some(*key)),
        several => {
            let slugs = several.iter().map(|(_, slug)| slug.clone()).collect();
            Err(ambiguous(name, "several workflows", slugs))
        }
    }
}

fn newest(db: &Connection, which: &str, value: &str) -> Result<Option<i64>, StoreError> {
    let mut newest = None;
    for (_, status) in crate::store::code::STATUSES {
        let sql = format!("SELECT max(key) FROM run WHERE status = {status} AND {which}");
        let values: &[&str] = if value.is_empty() { &[] } else { &[value] };
        let found: Option<i64> =
            db.prepare_cached(&sql)?.query_row(rusqlite::params_from_iter(values), |row| row.get(0))?;
        newest = newest.max(found);
    }
    Ok(newest)
}

fn by_prefix(db: &Connection, text: &str) -> Result<i64, StoreError> {
    let Some((first, last)) = page::id_range(text) else { return Err(nothing(text)) };
    let found = keys(
        db,
        "SELECT key FROM run WHERE id BETWEEN ?1 AND ?2 AND status <> 6 ORDER BY id DESC LIMIT 6",
        &[first, last],
    )?;
    match found[..] {
        [] => Err(nothing(text)),
        [key] => Ok(key),
        _ => {
            let names = rows(db, &found)?.into_iter().map(|(_, run)| format!("{} ({})", run.name(), run.id));
            Err(ambiguous(text, "several runs", names.collect()))
        }
    }
}

fn nothing(text: &str) -> StoreError {
    StoreError::NotFound(format!(
        "there is no run `{}`; `fanlight ps --all` lists them",
        text.chars().take(80).collect::<String>().escape_debug()
    ))
}

/// Returns the error for an ambiguous name. `candidates` holds at most six, of which five are listed.
pub(super) fn ambiguous(text: &str, what: &str, mut candidates: Vec<String>) -> StoreError {
    let more = if candidates.len() > 5 { ", …" } else { "" };
    candidates.truncate(5);
    StoreError::NotFound(format!("`{text}` may be {what}: {}{more}", candidates.join(", ")))
}
