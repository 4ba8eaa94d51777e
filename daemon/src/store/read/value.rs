//! The values of one port, run by run.

use fanlight_shared::id::{BlobHash, RunId};
use fanlight_shared::item::ItemPath;
use fanlight_shared::preview;
use fanlight_shared::rpc::Page;
use fanlight_shared::rpc::values::{List, Port, PortValue, Source};
use fanlight_shared::value::{Value, Values};
use rusqlite::{Connection, OptionalExtension, params};

use super::page;
use crate::store::{Store, StoreError, code};

const LIST: page::List = page::List("values.list");

/// The most bytes of JSON of a value in a list.
const MAX_PREVIEW_BYTES: usize = 4096;

/// The location of the JSON of a value.
#[derive(Debug)]
pub enum StoredValue {
    /// In its row.
    Inline(String),
    /// In a blob.
    Blob(BlobHash),
}

impl Store {
    /// Returns the value of one port of one item in a run, if it was kept. Blocks.
    ///
    /// # Errors
    /// An error of SQLite.
    pub fn port_value(
        &self,
        run: RunId,
        node: &str,
        item: ItemPath,
        port: &str,
    ) -> Result<Option<Value>, StoreError> {
        self.read(|db| {
            let row = db
                .prepare_cached(
                    "SELECT v.body, v.large FROM run r JOIN value v ON v.run = r.key \
                     WHERE r.id = ?1 AND v.node = ?2 AND v.item = ?3 AND v.port = ?4",
                )?
                .query_row(params![run.as_bytes(), node, code::item(item), port], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })
                .optional()?;
            row.map_or(Ok(None), |(body, large): (Option<String>, Option<[u8; 32]>)| {
                self.value(db, body, large)
            })
        })
    }

    /// Returns a page of the values of one port, newest run first, items in their order. Blocks.
    ///
    /// # Errors
    /// The cursor is invalid.
    pub fn values(&self, list: &List) -> Result<Page<PortValue>, StoreError> {
        let limit = page::limit(list.limit);
        let place = LIST.parse(list.cursor.as_deref(), |text| {
            let (number, item) = text.split_once('.')?;
            Some((number.parse().ok()?, item.parse().ok()?))
        })?;
        let (number, item): (i64, i64) = place.unwrap_or((i64::MAX, i64::MAX));
        let only = if list.run_id.is_some() { "AND r.id = ?7" } else { "" };
        self.read(|db| {
            let mut query = db.prepare_cached(&format!(
                "SELECT r.id, r.number, v.item, v.body, v.large FROM run r CROSS JOIN value v ON v.run = r.key \
                 WHERE r.workflow = (SELECT key FROM workflow WHERE id = ?1) AND r.status <> 6 {only} \
                 AND v.node = ?2 AND v.port = ?3 AND r.number <= ?4 AND (r.number < ?4 OR v.item > ?5) \
                 ORDER BY r.number DESC, v.item LIMIT ?6"
            ))?;
            query.raw_bind_parameter(1, list.workflow_id.as_bytes())?;
            query.raw_bind_parameter(2, &list.node)?;
            query.raw_bind_parameter(3, &list.port)?;
            query.raw_bind_parameter(4, number)?;
            query.raw_bind_parameter(5, item)?;
            query.raw_bind_parameter(6, limit as i64 + 1)?;
            if let Some(run) = &list.run_id {
                query.raw_bind_parameter(7, run.as_bytes())?;
            }
            let mut found = query.raw_query();
            let mut page = LIST.page(limit);
            while let Some(row) = found.next()? {
                let (number, item): (u32, i64) = (row.get(1)?, row.get(2)?);
                let (value, bytes) = self.short_value(db, row.get(3)?, row.get(4)?)?;
                let value = PortValue {
                    run_id: RunId::from_bytes(row.get(0)?),
                    number,
                    item: code::item_from(item),
                    value,
                    bytes,
                };
                if !page.add((number, item), value) {
                    break;
                }
            }
            Ok(page.finish(|(number, item)| format!("{number}.{item}")))
        })
    }

    /// Returns a value from the columns of its row: all of it if it is short, else a preview and its length.
    fn short_value(
        &self,
        db: &Connection,
        body: Option<String>,
        large: Option<[u8; 32]>,
    ) -> Result<(Option<Value>, Option<u64>), StoreError> {
        let Some(value) = self.value(db, body, large)? else { return Ok((None, None)) };
        if preview::fits(&value, MAX_PREVIEW_BYTES) {
            return Ok((Some(value), None));
        }
        let bytes = preview::json_bytes(&value) as u64;
        Ok((Some(preview::value(&value, MAX_PREVIEW_BYTES)), Some(bytes)))
    }

    /// Returns all params of a run; large ones are handles. Blocks.
    ///
    /// # Errors
    /// There is no such run.
    pub fn params(&self, run: RunId) -> Result<Values, StoreError> {
        match self.stored_value(run, &Source::Params)? {
            StoredValue::Inline(json) => Ok(serde_json::from_str(&json)?),
            StoredValue::Blob(hash) => Ok(serde_json::from_slice(&self.blobs().read(hash)?)?),
        }
    }

    /// Returns the location of the JSON of a value. Blocks.
    ///
    /// # Errors
    /// There is no such run, the port has no value, or it was not kept.
    pub fn stored_value(&self, run: RunId, of: &Source) -> Result<StoredValue, StoreError> {
        let found = self.read(|db| match of {
            Source::Params => Ok(db
                .prepare_cached("SELECT params FROM run WHERE id = ?1 AND status <> 6")?
                .query_row([run.as_bytes()], |row| Ok((row.get::<_, Option<String>>(0)?, None)))
                .optional()?),
            Source::Port(Port { node, item, port }) => Ok(db
                .prepare_cached(
                    "SELECT v.body, v.large FROM run r CROSS JOIN value v ON v.run = r.key \
                     WHERE r.id = ?1 AND r.status <> 6 AND v.node = ?2 AND v.item = ?3 AND v.port = ?4",
                )?
                .query_row(params![run.as_bytes(), node, code::item(*item), port], |row| {
                    Ok((row.get(0)?, row.get::<_, Option<[u8; 32]>>(1)?))
                })
                .optional()?),
        })?;
        let nothing = || match of {
            Source::Params => StoreError::NotFound(format!("no run has the id {run}")),
            Source::Port(Port { node, item, port }) => StoreError::NotFound(format!(
                "`{node}{item}.{port}` of this run has no value, or it was not kept"
            )),
        };
        match found.ok_or_else(nothing)? {
            (Some(json), _) => Ok(StoredValue::Inline(json)),
            (None, Some(hash)) => Ok(StoredValue::Blob(BlobHash::from_bytes(hash))),
            (None, None) => Err(nothing()),
        }
    }
}
