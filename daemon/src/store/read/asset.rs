//! Assets, their recipes and previews.

use fanlight_shared::asset::{Asset, Recipe};
use fanlight_shared::id::{AssetId, Version};
use fanlight_shared::rpc::Page;
use fanlight_shared::rpc::assets::{Detail, List};
use rusqlite::{OptionalExtension, params};

use super::find::ambiguous;
use super::page;
use crate::store::{Store, StoreError, code};

impl Store {
    /// Returns a page of assets, newest first. Blocks.
    ///
    /// # Errors
    /// The cursor is invalid.
    pub fn assets(&self, list: &List) -> Result<Page<Asset>, StoreError> {
        const LIST: page::List = page::List("assets.list");
        let before = LIST.before(list.cursor.as_deref())?;
        let limit = page::limit(list.limit);
        self.read(|db| {
            let mut query = db.prepare_cached(&statement(list))?;
            query.raw_bind_parameter(1, before)?;
            query.raw_bind_parameter(2, limit as i64 + 1)?;
            if let Some(workflow) = &list.workflow_id {
                query.raw_bind_parameter(3, workflow.as_bytes())?;
            }
            if let Some(node) = &list.node {
                query.raw_bind_parameter(4, node)?;
            }
            if let Some(run) = &list.run_id {
                query.raw_bind_parameter(5, run.as_bytes())?;
            }
            if let Some(kind) = list.kind {
                query.raw_bind_parameter(6, code::kind(kind))?;
            }
            if let Some(text) = &list.text {
                query.raw_bind_parameter(7, page::pattern(text))?;
            }
            let mut found = query.raw_query();
            let mut page = LIST.page(limit);
            while let Some(row) = found.next()? {
                let (key, mut asset) = code::asset(row)?;
                asset.shorten();
                if !page.add(key, asset) {
                    break;
                }
            }
            Ok(page.finish(i64::to_string))
        })
    }

    /// Returns one asset by its id or a unique prefix of it, with its recipe. Blocks.
    ///
    /// # Errors
    /// No asset has this id, or several begin with it.
    pub fn asset(&self, id: &str) -> Result<Detail, StoreError> {
        let shown: String = id.chars().take(80).collect();
        let nothing = || StoreError::NotFound(format!("no asset has the id `{}`", shown.escape_debug()));
        let (first, last) = page::id_range(id.trim()).ok_or_else(nothing)?;
        let sql = format!(
            "SELECT {}, v.hash, r.params, r.label, a.attempt, a.duration_ms, a.cost_usd \
             FROM {} CROSS JOIN version v ON v.key = r.version WHERE a.id BETWEEN ?1 AND ?2 \
             ORDER BY a.id DESC LIMIT 6",
            code::ASSET,
            code::ASSET_TABLES
        );
        let mut found = self.read(|db| {
            let rows = db
                .prepare_cached(&sql)?
                .query_map(params![first, last], |row| {
                    let (_, mut asset) = code::asset(row)?;
                    asset.shorten();
                    let recipe = Recipe {
                        version: Version::from_stored(row.get(18)?),
                        params: code::json(row, 19)?,
                        params_short: false,
                        label: row.get(20)?,
                        node: asset.node.clone(),
                        attempt: row.get(21)?,
                        duration_ms: code::unsigned(row.get(22)?),
                        cost_usd: row.get(23)?,
                    };
                    Ok(Detail { asset, recipe })
                })?
                .collect::<Result<Vec<_>, _>>()?;
            Ok(rows)
        })?;
        if found.len() > 1 {
            let names = found.iter().map(|it| format!("{} ({})", it.asset.id, it.asset.name)).collect();
            return Err(ambiguous(&shown, "several assets", names));
        }
        let mut detail = found.pop().ok_or_else(nothing)?;
        detail.recipe.shorten();
        Ok(detail)
    }

    /// Returns the stored preview of an asset: MIME type and bytes. Blocks.
    ///
    /// # Errors
    /// An error of SQLite.
    pub fn preview(&self, asset: AssetId) -> Result<Option<(String, Vec<u8>)>, StoreError> {
        self.read(|db| {
            Ok(db
                .prepare_cached(
                    "SELECT p.mime, p.bytes FROM asset a JOIN preview p ON p.asset = a.key WHERE a.id = ?1",
                )?
                .query_row([asset.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?)
        })
    }

    /// Returns assets whose previews have not been made yet, oldest first. Blocks.
    ///
    /// # Errors
    /// An error of SQLite.
    pub fn pending_previews(&self) -> Result<Vec<Asset>, StoreError> {
        self.read(|db| {
            let sql = format!(
                "SELECT {} FROM {} WHERE a.preview = 0 ORDER BY a.key",
                code::ASSET,
                code::ASSET_TABLES
            );
            let assets = db
                .prepare_cached(&sql)?
                .query_map([], |row| code::asset(row).map(|(_, asset)| asset))?
                .collect::<Result<Vec<_>, _>>()?;
            Ok(assets)
        })
    }
}

/// Returns the query of a list. `+` stops SQLite from using the index of a filter if another filter is more selective.
fn statement(list: &List) -> String {
    let run = list.run_id.is_some();
    let starred = list.starred && !run;
    let workflow = list.workflow_id.is_some() && !run && !starred;
    let node = workflow && list.node.is_some();
    let kind = !run && !starred && !node;
    let index = |used: bool| if used { "" } else { "+" };
    let mut sql = format!("SELECT {} FROM {} WHERE a.key < ?1", code::ASSET, code::ASSET_TABLES);
    if list.workflow_id.is_some() {
        sql.push_str(&format!(
            " AND {}a.workflow = (SELECT key FROM workflow WHERE id = ?3)",
            index(workflow)
        ));
    }
    if list.node.is_some() {
        sql.push_str(&format!(" AND {}a.node = ?4", index(node)));
    }
    if list.run_id.is_some() {
        sql.push_str(&format!(" AND {}a.run = (SELECT key FROM run WHERE id = ?5)", index(run)));
    }
    if list.kind.is_some() {
        sql.push_str(&format!(" AND {}a.kind = ?6", index(kind)));
    }
    if list.starred {
        sql.push_str(&format!(" AND {}a.starred = 1", index(starred)));
    }
    if list.text.is_some() {
        sql.push_str(
            " AND (a.name LIKE ?7 ESCAPE '\\' OR r.label LIKE ?7 ESCAPE '\\' \
             OR (a.kind = 3 AND json_extract(a.value, '$') LIKE ?7 ESCAPE '\\'))",
        );
    }
    sql.push_str(" ORDER BY a.key DESC LIMIT ?2");
    sql
}
