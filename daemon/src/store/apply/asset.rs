//! Writes assets, stars and previews.

use fanlight_shared::asset::{Asset, PreviewState};
use fanlight_shared::id::AssetId;
use fanlight_shared::value::Value;
use rusqlite::{Connection, OptionalExtension, params};

use super::{Apply, Done, Failure, Work};
use crate::store::blob::INLINE_LIMIT;
use crate::store::{NewAsset, StoreError, code};

impl Apply {
    pub(super) fn store_asset(&self, db: &Connection, work: &mut Work, new: &NewAsset) -> Done {
        let asset = &new.asset;
        let key = self.key(db, asset.run_id)?;
        db.prepare_cached(
            "INSERT INTO asset (id, workflow, run, node, item, port, ordinal, kind, mime, bytes, name, created_at, \
             starred, preview, value, attempt, duration_ms, cost_usd) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)",
        )?
        .execute(params![
            asset.id.as_bytes(),
            key.workflow,
            key.run,
            asset.node,
            code::item(asset.item),
            asset.port,
            asset.ordinal,
            code::kind(asset.kind),
            asset.mime,
            code::signed(asset.bytes),
            asset.name,
            asset.created_at.0,
            asset.starred,
            code::preview(asset.preview),
            shown(&asset.value)?,
            new.attempt,
            code::signed(new.duration_ms),
            new.cost_usd,
        ])?;
        self.reference_value(db, work, &asset.value)
    }

    pub(super) fn star(&self, db: &Connection, work: &mut Work, assets: &[AssetId], starred: bool) -> Done {
        for id in assets {
            db.prepare_cached("UPDATE asset SET starred = ?2 WHERE id = ?1")?
                .execute(params![id.as_bytes(), starred])?;
            let asset = find(db, *id)?
                .ok_or_else(|| Failure::Batch(StoreError::NotFound(format!("no asset {id}"))))?;
            work.committed.changed_assets.push(asset);
        }
        Ok(())
    }

    /// Stores the preview of an asset, unless the asset was deleted meanwhile.
    pub(super) fn store_preview(
        &self,
        db: &Connection,
        work: &mut Work,
        id: AssetId,
        preview: Option<&(String, Vec<u8>)>,
    ) -> Done {
        let state = if preview.is_some() { PreviewState::Ready } else { PreviewState::None };
        let key: Option<i64> = db
            .prepare_cached("UPDATE asset SET preview = ?2 WHERE id = ?1 RETURNING key")?
            .query_row(params![id.as_bytes(), code::preview(state)], |row| row.get(0))
            .optional()?;
        let Some(key) = key else { return Ok(()) };
        match preview {
            Some((mime, bytes)) => db
                .prepare_cached("INSERT OR REPLACE INTO preview (asset, mime, bytes) VALUES (?1, ?2, ?3)")?
                .execute(params![key, mime, bytes])?,
            None => db.prepare_cached("DELETE FROM preview WHERE asset = ?1")?.execute([key])?,
        };
        work.committed.changed_assets.extend(find(db, id)?);
        Ok(())
    }
}

/// Returns the value for the row of an asset: all of it, or the beginning of a long text.
fn shown(value: &Value) -> Done<String> {
    let json = serde_json::to_string(value)?;
    if json.len() as u64 <= INLINE_LIMIT || value.has_media() {
        return Ok(json);
    }
    let text = match value {
        Value::Text(text) => text,
        _ => &json,
    };
    let mut end = INLINE_LIMIT as usize / 4;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    Ok(serde_json::to_string(&format!("{}…", &text[..end]))?)
}

fn find(db: &Connection, id: AssetId) -> Done<Option<Asset>> {
    let sql = format!("SELECT {} FROM {} WHERE a.id = ?1", code::ASSET, code::ASSET_TABLES);
    Ok(db
        .prepare_cached(&sql)?
        .query_row([id.as_bytes()], |row| code::asset(row).map(|(_, asset)| asset))
        .optional()?)
}
