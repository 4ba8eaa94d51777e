//! Results that later nodes reuse: their keys, what is stored for them, and how they are found again.

mod nearest;
mod parts;

use std::collections::HashSet;
use std::fmt;

use fanlight_shared::id::{BlobHash, RunId};
use fanlight_shared::media::DirManifest;
use fanlight_shared::origin::Origin;
use fanlight_shared::rpc::Page;
use fanlight_shared::rpc::cache::{Entry, List, StatsResponse};
use fanlight_shared::time::Time;
use fanlight_shared::value::{Value, Values};
use rusqlite::{Connection, OptionalExtension, params};

pub use nearest::Nearest;
pub use parts::PartsDigest;

use super::blob::{Blobs, Published};
use super::{Bodies, Store, StoreError, code, page};

const LIST: page::List = page::List("cache.list");

/// Identifies a result by the hash of everything that it depends on.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CacheKey([u8; 32]);

impl CacheKey {
    /// Returns the key of a result that depends on these parts, each with its name.
    pub fn of<'a>(parts: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Self {
        let mut hasher = blake3::Hasher::new();
        for (name, part) in parts {
            for bytes in [name.as_bytes(), part] {
                hasher.update(&(bytes.len() as u64).to_le_bytes());
                hasher.update(bytes);
            }
        }
        Self(*hasher.finalize().as_bytes())
    }

    pub(super) fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(super) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        BlobHash::from_bytes(self.0).fmt(f)
    }
}

/// A result to be kept: the values of a node or item, which are stored before it in the same batch.
#[derive(Debug)]
pub struct NewEntry {
    /// Its key; an entry that has it is replaced.
    pub key: CacheKey,
    /// The type of the node.
    pub node_type: String,
    /// The node or item whose values they are.
    pub origin: Origin,
    /// The ports that it has.
    pub ports: Vec<String>,
    /// The parts of its key.
    pub parts: PartsDigest,
    /// The earlier result with this key that was found damaged, so that this one was computed.
    pub damaged: Option<Origin>,
    /// The size of the values and of everything that they refer to, in bytes.
    pub bytes: u64,
    /// The most bytes of all entries together; the least recently used ones are removed.
    pub limit: u64,
}

/// A result that was found. Its bytes stay while it lives.
#[derive(Clone, Debug)]
pub struct Cached {
    /// The values by port.
    pub values: Values,
    /// The bytes that they refer to.
    pub blobs: Vec<Published>,
    /// The JSON of values that is too long for a row.
    pub bodies: Bodies,
    /// Where they were computed.
    pub origin: Origin,
}

/// What the store has for a key.
#[derive(Clone, Debug, Default)]
pub enum Lookup {
    /// A result with everything that it refers to.
    Found(Box<Cached>),
    /// A result of which something is gone or damaged. It is computed again.
    Damaged(Origin),
    /// No result.
    #[default]
    Nothing,
}

/// An entry as it is stored.
struct Row {
    origin: Origin,
    /// Port, JSON, or the blob that holds the JSON.
    values: Vec<(String, Option<String>, Option<[u8; 32]>)>,
}

impl Store {
    /// Looks for a result. Blocks.
    ///
    /// # Errors
    /// The database can't be read.
    pub fn cached(&self, key: CacheKey) -> Result<Lookup, StoreError> {
        let Some(row) = self.cache_row(key)? else { return Ok(Lookup::Nothing) };
        let origin = row.origin.clone();
        let found = Finder { blobs: self.blobs(), seen: HashSet::new(), published: Vec::new() }.found(row);
        Ok(match found {
            Ok(found) => Lookup::Found(Box::new(found)),
            Err(Missing(why)) => {
                tracing::warn!("a stored result can't be reused, it is computed again: {why}");
                Lookup::Damaged(origin)
            }
        })
    }

    /// Returns a page of the stored results, the most recently used first. Blocks.
    ///
    /// # Errors
    /// The cursor is invalid.
    pub fn cache_entries(&self, list: &List) -> Result<Page<Entry>, StoreError> {
        let limit = page::limit(list.limit);
        let last = LIST.parse(list.cursor.as_deref(), |used| used.parse().ok())?.unwrap_or(i64::MAX);
        self.read(|db| {
            let mut query = db.prepare_cached(
                "SELECT key, type, run, name, node, item, bytes, created_at, uses, used_at FROM cache \
                 WHERE used_at < ?1 ORDER BY used_at DESC LIMIT ?2",
            )?;
            let mut found = query.query(params![last, limit as i64 + 1])?;
            let mut page = LIST.page(limit);
            while let Some(row) = found.next()? {
                let entry = Entry {
                    key: BlobHash::from_bytes(row.get(0)?).to_string(),
                    node_type: row.get(1)?,
                    origin: origin(row, 2)?,
                    bytes: code::unsigned(row.get(6)?),
                    created_at: Time(row.get(7)?),
                    uses: code::unsigned(row.get(8)?),
                };
                if !page.add(row.get::<_, i64>(9)?, entry) {
                    break;
                }
            }
            Ok(page.finish(i64::to_string))
        })
    }

    /// Returns how many results are stored, and their size; `limit` is 0. Blocks.
    ///
    /// # Errors
    /// An error of SQLite.
    pub fn cache_stats(&self) -> Result<StatsResponse, StoreError> {
        self.read(|db| {
            let sums = "SELECT count(*), coalesce(sum(bytes), 0), coalesce(sum(uses), 0) FROM cache";
            Ok(db.prepare_cached(sums)?.query_row([], |row| {
                Ok(StatsResponse {
                    entries: code::unsigned(row.get(0)?),
                    bytes: code::unsigned(row.get(1)?),
                    uses: code::unsigned(row.get(2)?),
                    limit: 0,
                })
            })?)
        })
    }

    /// Returns the keys that begin like each of these, which must be exactly one. Blocks.
    ///
    /// # Errors
    /// A beginning is not of a key, or of several.
    pub(crate) fn cache_keys(&self, beginnings: &[String]) -> Result<Vec<CacheKey>, StoreError> {
        self.read(|db| beginnings.iter().map(|beginning| key_of(db, beginning)).collect())
    }

    fn cache_row(&self, key: CacheKey) -> Result<Option<Row>, StoreError> {
        self.read(|db| {
            let found = db
                .prepare_cached("SELECT entry, run, name, node, item FROM cache WHERE key = ?1")?
                .query_row([key.as_bytes()], |row| Ok((row.get::<_, i64>(0)?, origin(row, 1)?)))
                .optional()?;
            let Some((entry, origin)) = found else { return Ok(None) };
            let values = db
                .prepare_cached("SELECT port, body, large FROM cache_value WHERE entry = ?1")?
                .query_map([entry], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
                .collect::<Result<_, _>>()?;
            Ok(Some(Row { origin, values }))
        })
    }
}

/// Reads an origin from four columns: id and name of the run, node, item.
fn origin(row: &rusqlite::Row<'_>, first: usize) -> rusqlite::Result<Origin> {
    Ok(Origin {
        run_id: RunId::from_bytes(row.get(first)?),
        run: row.get(first + 1)?,
        node: row.get(first + 2)?,
        item: code::item_from(row.get(first + 3)?),
    })
}

fn key_of(db: &Connection, beginning: &str) -> Result<CacheKey, StoreError> {
    let hexadecimal = beginning.len() <= 64 && beginning.bytes().all(|it| it.is_ascii_hexdigit());
    if beginning.is_empty() || !hexadecimal {
        let shown: String = beginning.chars().take(70).collect();
        return Err(StoreError::BadParam(format!("`{}` is not a key of a result", shown.escape_debug())));
    }
    let found = db
        .prepare_cached("SELECT key FROM cache WHERE hex(key) LIKE ?1 || '%' LIMIT 2")?
        .query_map([beginning], |row| row.get(0).map(CacheKey))?
        .collect::<Result<Vec<_>, _>>()?;
    match found[..] {
        [key] => Ok(key),
        [] => Err(StoreError::NotFound(format!("no result has the key `{beginning}`"))),
        _ => Err(StoreError::BadParam(format!("several keys begin with `{beginning}`; give more of it"))),
    }
}

/// Why a result can't be reused.
struct Missing(String);

impl From<StoreError> for Missing {
    fn from(error: StoreError) -> Self {
        Self(error.to_string())
    }
}

impl From<serde_json::Error> for Missing {
    fn from(error: serde_json::Error) -> Self {
        Self(error.to_string())
    }
}

/// Publishes everything that an entry refers to again, so that nothing removes it before the values are stored.
struct Finder<'a> {
    blobs: &'a Blobs,
    seen: HashSet<BlobHash>,
    published: Vec<Published>,
}

impl Finder<'_> {
    fn found(mut self, row: Row) -> Result<Cached, Missing> {
        let (mut values, mut bodies) = (Values::new(), Bodies::new());
        for (port, body, large) in row.values {
            let value: Value = match (body, large) {
                (Some(body), _) => serde_json::from_str(&body)?,
                (None, Some(hash)) => {
                    let published = self.republished(BlobHash::from_bytes(hash))?;
                    let value = serde_json::from_slice(&self.blobs.read(published.hash)?)?;
                    bodies.insert(port.clone(), published);
                    value
                }
                (None, None) => return Err(Missing(format!("the value of `{port}` was deleted"))),
            };
            for (hash, folder) in value.blobs() {
                self.keep(hash, folder)?;
            }
            values.insert(port, value);
        }
        Ok(Cached { values, blobs: self.published, bodies, origin: row.origin })
    }

    fn keep(&mut self, hash: BlobHash, folder: bool) -> Result<(), Missing> {
        if !self.seen.insert(hash) {
            return Ok(());
        }
        let published = self.republished(hash)?;
        self.published.push(published);
        if folder {
            let manifest: DirManifest = serde_json::from_slice(&self.blobs.read(hash)?)?;
            for file in manifest.files {
                self.keep(file.hash, false)?;
            }
        }
        Ok(())
    }

    fn republished(&self, hash: BlobHash) -> Result<Published, Missing> {
        self.blobs.republish(hash)?.ok_or_else(|| Missing(format!("the bytes {hash} are gone or damaged")))
    }
}
