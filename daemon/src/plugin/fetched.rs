//! Plugins that were fetched from git repositories, each in a folder of its own in the data of the home. Clients fetch
//! them; what no plugin uses any more when a daemon starts is removed, since nothing runs in it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use fanlight_shared::rpc::plugins::Origin;
use fanlight_shared::sanitise;

use super::record::Records;
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

/// Returns the folders that belong to no record. If a record can't be listed or read, nothing is known to be unused. Blocks.
pub(super) fn unused(folder: &Path, records: &Records) -> Vec<PathBuf> {
    let used = records.by_name.iter().map(|(_, record)| record.as_ref().ok().map(|record| &record.folder));
    let used: Option<Vec<&PathBuf>> = used.collect();
    let (Some(used), None, Ok(folder)) = (used, &records.unlisted, folder.canonicalize()) else {
        return Vec::new();
    };
    let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
    let unused = entries.filter(|entry| {
        let age = entry.metadata().and_then(|it| it.modified()).ok().and_then(|it| it.elapsed().ok());
        let is_new = entry.file_name().as_encoded_bytes().starts_with(b".")
            && age.is_none_or(|age| age < MAX_FETCH_TIME);
        !is_new && !used.iter().any(|used| used.starts_with(entry.path()))
    });
    unused.map(|entry| entry.path()).collect()
}

/// Removes folders in a thread of its own: one with many files takes longer than clients wait for a daemon to start.
/// They are chosen before, so that it never removes what a client fetches meanwhile.
pub(super) fn remove(folders: Vec<PathBuf>) {
    if folders.is_empty() {
        return;
    }
    let remove = move || {
        for folder in folders {
            if let Err(error) = remove_tree(&folder) {
                tracing::warn!(%error, folder = %folder.display(), "a plugin that is no longer used could not be removed");
            }
        }
    };
    // The next daemon removes what is left.
    if let Err(error) = std::thread::Builder::new().name("plugins".into()).spawn(remove) {
        tracing::warn!(%error, "plugins that are no longer used could not be removed");
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::{self, Record};
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
    fn only_folders_of_no_plugin_are_unused_and_none_if_a_record_is_damaged_or_may_be_missing() {
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
        let mut records = Records { by_name: vec![record(folder.join("used/sub"))], unlisted: None };
        assert_eq!(unused(&folder, &records), [folder.join("old")]);
        records.by_name.push(("bad".into(), Err("it is damaged".into())));
        assert_eq!(unused(&folder, &records), Vec::<PathBuf>::new());
        // A file in place of the folder can't be listed, not even by root.
        std::fs::write(temp.path().join("records"), "").unwrap();
        let unlisted = record::load(&temp.path().join("records"));
        assert_eq!(unused(&folder, &unlisted), Vec::<PathBuf>::new());
    }
}
