//! The plugins that were added: a file for each in the folder of the configuration.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use fanlight_shared::folder as folders;
use fanlight_shared::rpc::plugins::Origin;
use fanlight_shared::sanitise;
use serde::{Deserialize, Serialize};

use super::describe::Described;
use super::manifest::{Manifest, ManifestFile};

/// The longest file, in bytes.
const MAX_BYTES: u64 = 2 << 20;

/// A plugin as it was when the user added it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Record {
    /// Its folder.
    pub(super) folder: PathBuf,
    /// The repository from which the folder was fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) origin: Option<Origin>,
    /// The hash of its manifest.
    pub(super) hash: String,
    /// Its manifest.
    pub(super) manifest: Manifest,
    /// Its node types.
    pub(super) described: Described,
}

impl Record {
    pub(super) fn new(file: ManifestFile, described: Described, origin: Option<Origin>) -> Self {
        Self { folder: file.folder, origin, hash: file.hash, manifest: file.manifest, described }
    }
}

/// The records of a folder.
#[derive(Debug, Default)]
pub(super) struct Records {
    /// The name of each plugin with its record, or why that can't be read.
    pub(super) by_name: Vec<(String, Result<Record, String>)>,
    /// Why the folder could not be listed whole: there may be more records.
    pub(super) unlisted: Option<io::Error>,
}

/// Reads the records of a folder. Blocks.
pub(super) fn load(folder: &Path) -> Records {
    let mut names = Vec::new();
    let listed = std::fs::read_dir(folder).and_then(|mut entries| {
        entries.try_for_each(|entry| {
            let name = entry?.file_name();
            let name = name.to_str().and_then(|it| it.strip_suffix(".json"));
            names.extend(name.filter(|it| !it.starts_with('.')).map(str::to_owned));
            Ok(())
        })
    });
    names.sort_unstable();
    let read = |name: String| {
        let record = read(folder, &name);
        (name, record)
    };
    Records { by_name: names.into_iter().map(read).collect(), unlisted: listed.err() }
}

fn read(folder: &Path, name: &str) -> Result<Record, String> {
    let path = folder.join(format!("{name}.json"));
    let wrong = |what: &dyn std::fmt::Display| {
        let path = sanitise::line(&path.to_string_lossy());
        format!("{path} can't be used: {}; add the plugin again", sanitise::line(&what.to_string()))
    };
    let about = std::fs::metadata(&path).map_err(|error| wrong(&error))?;
    if !about.is_file() || about.len() > MAX_BYTES {
        return Err(wrong(&"it is not a short file"));
    }
    let bytes = std::fs::read(&path).map_err(|error| wrong(&error))?;
    let record: Record = serde_json::from_slice(&bytes).map_err(|error| wrong(&error))?;
    if record.manifest.name != name {
        return Err(wrong(&"it is about another plugin"));
    }
    Ok(record)
}

/// Writes the record of a plugin: a reader sees the old one or the new one. Blocks.
pub(super) fn write(folder: &Path, record: &Record) -> io::Result<()> {
    folders::create_private(folder)?;
    let name = &record.manifest.name;
    let (path, new) = (folder.join(format!("{name}.json")), folder.join(format!(".{name}.new")));
    match std::fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    file.write_all(&serde_json::to_vec_pretty(record)?)?;
    file.sync_all()?;
    std::fs::rename(&new, &path)?;
    folders::sync(folder)
}

/// Removes the record of a plugin. Blocks.
pub(super) fn remove(folder: &Path, name: &str) -> io::Result<()> {
    match std::fs::remove_file(folder.join(format!("{name}.json"))) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => {
            removed?;
            folders::sync(folder)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        let toml = "name = \"clip\"\nversion = \"1\"\nprotocol = 1\ncommand = [\"true\"]";
        let described = serde_json::json!({ "node_types": [] });
        Record {
            folder: "/clip".into(),
            origin: None,
            hash: "00".into(),
            manifest: toml::from_str(toml).unwrap(),
            described: serde_json::from_value(described).unwrap(),
        }
    }

    #[test]
    fn a_record_is_read_as_it_was_written_until_it_is_removed() {
        let temp = tempfile::tempdir().unwrap();
        let folder = temp.path().join("config/plugins");
        let none = load(&folder);
        assert!(none.by_name.is_empty() && none.unlisted.is_some());
        write(&folder, &record()).unwrap();
        write(&folder, &record()).unwrap();
        assert_eq!(load(&folder).by_name, [("clip".to_owned(), Ok(record()))]);
        remove(&folder, "clip").unwrap();
        remove(&folder, "clip").unwrap();
        let none = load(&folder);
        assert!(none.by_name.is_empty() && none.unlisted.is_none());
    }

    #[test]
    fn a_damaged_record_is_named_and_hides_no_other() {
        let temp = tempfile::tempdir().unwrap();
        write(temp.path(), &record()).unwrap();
        std::fs::write(temp.path().join("bad.json"), "{").unwrap();
        std::fs::copy(temp.path().join("clip.json"), temp.path().join("other.json")).unwrap();
        let loaded = load(temp.path()).by_name;
        let error = |at: usize| loaded[at].1.as_ref().unwrap_err();
        assert!(error(0).contains("bad.json can't be used"), "{}", error(0));
        assert!(loaded[1].1.is_ok());
        assert!(error(2).contains("it is about another plugin"), "{}", error(2));
    }
}
