//! What the lineage of an asset shows of runs, deleted ones included.

use fanlight_shared::id::{RunId, Version};
use fanlight_shared::item::ItemPath;
use fanlight_shared::lineage::{ChildDocument, MadeWith, RunOf};
use fanlight_shared::media::Media;
use fanlight_shared::run::Parent;
use fanlight_shared::time::Time;
use fanlight_shared::value::Value;
use rusqlite::{OptionalExtension, params};

use crate::store::{Store, StoreError, code};

/// How many runs that items of one node started are looked at.
const MAX_CHILDREN: i64 = 20;

impl Store {
    /// Returns a run with the text of its file; `None` if nothing of it is left. Blocks.
    pub(crate) fn run_of(&self, id: RunId) -> Result<Option<RunOf>, StoreError> {
        self.read(|db| {
            Ok(db
                .prepare_cached(
                    "SELECT w.slug || '#' || r.number, w.title, v.hash, r.path, v.document, r.params, r.label, \
                     r.submitted_at, r.parent, r.parent_name, r.parent_node, r.parent_item, m.body, r.status \
                     FROM run r JOIN workflow w ON w.key = r.workflow JOIN version v ON v.key = r.version \
                     LEFT JOIN made_with m ON m.key = r.made_with WHERE r.id = ?1",
                )?
                .query_row([id.as_bytes()], |row| {
                    let parent = match row.get::<_, Option<[u8; 16]>>(8)? {
                        Some(run) => Some(Box::new(Parent {
                            run: RunId::from_bytes(run),
                            name: row.get(9)?,
                            node: row.get(10)?,
                            item: code::item_from(row.get(11)?),
                        })),
                        None => None,
                    };
                    let made_with: Option<MadeWith> = match row.get_ref(12)? {
                        rusqlite::types::ValueRef::Null => None,
                        _ => Some(code::json(row, 12)?),
                    };
                    Ok(RunOf {
                        id,
                        name: row.get(0)?,
                        title: row.get(1)?,
                        version: Version::from_stored(row.get(2)?),
                        path: row.get(3)?,
                        document: row.get(4)?,
                        params: code::json(row, 5)?,
                        params_short: false,
                        label: row.get(6)?,
                        submitted_at: Time(row.get(7)?),
                        parent,
                        made_with,
                        deleted: row.get::<_, i64>(13)? == code::DELETED,
                    })
                })
                .optional()?)
        })
    }

    /// Returns the files of the workflows that a run may start, itself or through others. Blocks.
    pub(crate) fn child_documents(&self, run: RunId) -> Result<Vec<ChildDocument>, StoreError> {
        self.read(|db| {
            let mut query = db.prepare_cached(
                "SELECT f.reader, f.name, f.path, v.document FROM run r JOIN run_file f ON f.run = r.key \
                 JOIN version v ON v.key = f.version WHERE r.id = ?1 ORDER BY f.reader, f.name",
            )?;
            let found = query.query_map([run.as_bytes()], |row| {
                Ok(ChildDocument {
                    reader: row.get(0)?,
                    name: row.get(1)?,
                    path: row.get(2)?,
                    document: row.get(3)?,
                })
            })?;
            Ok(found.collect::<Result<_, _>>()?)
        })
    }

    /// Returns the files of the user that values of a node refer to. Blocks.
    pub(crate) fn files_of(&self, run: RunId, node: &str) -> Result<Vec<Media>, StoreError> {
        self.read(|db| {
            let mut query = db.prepare_cached(
                "SELECT v.body FROM run r JOIN value v ON v.run = r.key WHERE r.id = ?1 AND v.node = ?2 \
                 AND instr(v.body, '\"source\"') > 0",
            )?;
            let bodies = query.query_map(params![run.as_bytes(), node], |row| row.get::<_, String>(0))?;
            let mut files = Vec::new();
            for body in bodies {
                let value: Value = serde_json::from_str(&body?)?;
                files.extend(value.media().into_iter().filter(|media| media.source.is_some()).cloned());
            }
            Ok(files)
        })
    }

    /// Returns the runs that a node, or an item of it, started: the last one of each item. Blocks.
    pub(crate) fn children_of(
        &self,
        run: RunId,
        node: &str,
        item: ItemPath,
    ) -> Result<Vec<RunId>, StoreError> {
        self.read(|db| {
            let mut query = db.prepare_cached(
                "SELECT id, max(key) FROM run WHERE parent = ?1 AND parent_node = ?2 \
                 AND (?3 = -1 OR parent_item = ?3) GROUP BY parent_item ORDER BY parent_item LIMIT ?4",
            )?;
            let ids = query
                .query_map(params![run.as_bytes(), node, code::item(item), MAX_CHILDREN], |row| {
                    row.get(0).map(RunId::from_bytes)
                })?;
            Ok(ids.collect::<Result<_, _>>()?)
        })
    }
}
