//! What one port had in each run.

use fanlight_shared::id::RunId;
use fanlight_shared::rpc::Page;
use fanlight_shared::rpc::values::{List, PortValue};

use super::page;
use crate::store::{Store, StoreError, code};

impl Store {
    /// A page of the values of one port, newest run first, items in their order. Blocks.
    ///
    /// # Errors
    /// A cursor that is none.
    pub fn values(&self, list: &List) -> Result<Page<PortValue>, StoreError> {
        let limit = page::limit(list.limit);
        let (number, item) = match list.cursor.as_deref() {
            None => (i64::MAX, i64::MAX),
            Some(text) => text
                .split_once('.')
                .and_then(|(number, item)| Some((number.parse().ok()?, item.parse().ok()?)))
                .ok_or_else(|| page::no_cursor(text))?,
        };
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
            let mut rows = Vec::new();
            while let Some(row) = found.next()? {
                let (number, item): (u32, i64) = (row.get(1)?, row.get(2)?);
                let value = PortValue {
                    run_id: RunId::from_bytes(row.get(0)?),
                    number,
                    item: code::item_from(item),
                    value: self.value(db, row.get(3)?, row.get(4)?)?,
                };
                rows.push(((number, item), value));
            }
            Ok(page::cut(rows, limit, |(number, item)| format!("{number}.{item}")))
        })
    }
}
