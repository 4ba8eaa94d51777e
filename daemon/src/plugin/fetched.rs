//! Plugins that were fetched from git repositories, each in a folder of its own in the data of the home. Clients fetch
//! them; what no plugin uses any more is removed when a daemon starts, when nothing runs in it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use fanlight_shared::rpc::plugins::Origin;
use fanlight_shared::sanitise;

use super::record::Record;
use crate::rooted::remove_tree;

/// The longest address of a repository, in bytes.
const MAX_URL_BYTES: usize = 2000;
/// A client may still be about to add what is newer than this.
const MAX_FETCH_TIME: Duration = Duration::from_secs(24 * 60 * 60);

/// Checks what a client says of the origin of a plugin: it is shown in lists.
///
/// # Errors
/// A sentence.
pub(super) fn check(origin: &Origin) -> Result<(), String> {
    let Origin { url, commit } = origin;
    if url.is_empty() || url.len() > MAX_URL_BYTES || sanitise::line(url) != *url {
        return Err("the address of its repository is not a short text".into());
    }
    if !matches!(commit.len(), 40 | 64) || !commit.bytes().all(|it| it.is_ascii_hexdigit()) {
        return Err("its commit is not a whole hash".into());
    }
    Ok(())
}

/// Removes the folders that belong to no record. If a record can't be read, nothing is known to be unused. Blocks.
pub(super) fn remove_unused(folder: &Path, records: &[(String, Result<Record, String>)]) {
    let used: Option<Vec<&PathBuf>> =
        records.iter().map(|(_, record)| record.as_ref().ok().map(|record| &record.folder)).collect();
    let (Some(used), Ok(folder)) = (used, folder.canonicalize()) else { return };
    for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let age = entry.metadata().and_then(|it| it.modified()).ok().and_then(|it| it.elapsed().ok());
        let is_new = entry.file_name().as_encoded_bytes().starts_with(b".")
            && age.is_none_or(|age| age < MAX_FETCH_TIME);
        if is_new || used.iter().any(|used| used.starts_with(&path)) {
            continue;
        }
        if let Err(error) = remove_tree(&path) {
            tracing::warn!(%error, folder = %path.display(), "a plugin that is no longer used could not be removed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_an_address_and_a_whole_hash() {
        let origin = |url: &str, commit: &str| Origin { url: url.into(), commit: commit.into() };
        let hash = "0123456789abcdef0123456789abcdef01234567";
        assert_eq!(check(&origin("https://example.org/a.git", hash)), Ok(()));
        for (url, commit) in [("", hash), ("a\u{1b}[2J", hash), ("https://example.org", "main")] {
            assert!(check(&origin(url, commit)).is_err(), "{url:?} {commit:?}");
        }
        assert!(check(&origin(&"x".repeat(2001), hash)).is_err());
    }

    #[test]
    fn only_folders_of_no_plugin_are_removed_and_none_if_a_record_is_damaged() {
        let temp = tempfile::tempdir().unwrap();
        let folder = temp.path().canonicalize().unwrap();
        for name in ["old", "used/sub", ".fetching"] {
            std::fs::create_dir_all(folder.join(name)).unwrap();
        }
        let record = |folder: PathBuf| {
            let toml = "name = \"clip\"\nversion = \"1\"\nprotocol = 1\ncommand = [\"true\"]";
            let described = serde_json::from_value(serde_json::json!({ "node_types": [] })).unwrap();
            let (manifest, hash, origin) = (toml::from_str(toml).unwrap(), String::new(), None);
            ("clip".to_owned(), Ok(Record { folder, origin, hash, manifest, described }))
        };
        let used = record(folder.join("used/sub"));
        remove_unused(&folder, &[used.clone(), ("bad".into(), Err("it is damaged".into()))]);
        assert!(folder.join("old").exists());
        remove_unused(&folder, &[used]);
        assert!(!folder.join("old").exists());
        assert!(folder.join("used/sub").exists() && folder.join(".fetching").exists());
    }
}
