//! The manifest of a plugin: `plugin.toml` in its folder.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use fanlight_shared::document::is_name;
use fanlight_shared::sanitise;
use fanlight_shared::value::cut;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::PROTOCOL;

/// The name of the file.
pub(super) const FILE: &str = "plugin.toml";
/// The longest manifest, in bytes.
const MAX_BYTES: u64 = 64 << 10;
/// The longest name, in bytes.
const MAX_NAME_BYTES: usize = 40;
/// The most words of a command.
const MAX_WORDS: usize = 100;
/// The most processes of a plugin, and the most attempts of one process.
const MAX_AT_ONCE: u32 = 64;
/// The longest time that an idle process is kept, in seconds.
const MAX_IDLE_SECONDS: u64 = 24 * 60 * 60;

/// The content of a manifest.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Its name: the family of its node types.
    pub name: String,
    /// Its version, as the author counts.
    pub version: String,
    /// The version of the protocol that it speaks.
    pub protocol: u32,
    /// The program and its arguments. It runs in the plugin's folder.
    pub command: Vec<String>,
    /// The most processes.
    #[serde(default = "one")]
    pub processes: u32,
    /// How many attempts one process takes at once.
    #[serde(default = "one")]
    pub concurrent: u32,
    /// How long an idle process is kept, in seconds.
    #[serde(default = "minute")]
    pub idle_seconds: u64,
    /// What `fanlight plugin test` executes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub example: Vec<Example>,
}

/// Inputs of a node type with which it can be tried.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// The node type.
    #[serde(rename = "type")]
    pub node_type: String,
    /// The inputs by name; a file is a path in the plugin's folder.
    #[serde(default)]
    pub inputs: BTreeMap<String, Json>,
    /// Outputs that it must give.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub outputs: BTreeMap<String, Json>,
}

fn one() -> u32 {
    1
}

fn minute() -> u64 {
    60
}

/// A manifest that was read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ManifestFile {
    /// Its content.
    pub manifest: Manifest,
    /// Its folder, absolute and without links.
    pub folder: PathBuf,
    /// The hash of its bytes: BLAKE3, hexadecimal.
    pub hash: String,
}

/// Checks the name of a plugin.
///
/// # Errors
/// A sentence that says what a name may consist of.
pub fn check_name(name: &str) -> Result<(), String> {
    if is_name(name) && name.len() <= MAX_NAME_BYTES {
        return Ok(());
    }
    Err(format!(
        "`{}` can't be the name of a plugin; use at most {MAX_NAME_BYTES} lowercase letters, digits and `_`",
        cut(&sanitise::line(name), 60)
    ))
}

impl Manifest {
    /// Returns how many attempts of the plugin run at once.
    #[must_use]
    pub fn at_once(&self) -> u32 {
        self.processes.saturating_mul(self.concurrent)
    }

    fn check(&self) -> Result<(), String> {
        let Self { name, version, protocol, command, processes, concurrent, idle_seconds, example: _ } = self;
        check_name(name)?;
        if version.is_empty() || version.len() > 60 || sanitise::line(version) != *version {
            return Err("`version` must be a short text such as \"1.0.0\"".into());
        }
        if *protocol != PROTOCOL {
            return Err(format!(
                "it speaks version {protocol} of the plugin protocol, and this version of Fanlight speaks {PROTOCOL}"
            ));
        }
        if command.is_empty() || command[0].is_empty() {
            return Err("`command` must be a list of the program and its arguments".into());
        }
        if command.len() > MAX_WORDS || command.iter().any(|word| word.contains('\0')) {
            return Err(format!("`command` has more than {MAX_WORDS} words, or a NUL character"));
        }
        for (key, count) in [("processes", processes), ("concurrent", concurrent)] {
            if !(1..=MAX_AT_ONCE).contains(count) {
                return Err(format!("`{key}` must be within 1..{MAX_AT_ONCE}"));
            }
        }
        if *idle_seconds > MAX_IDLE_SECONDS {
            return Err(format!("`idle_seconds` is more than {MAX_IDLE_SECONDS}"));
        }
        Ok(())
    }
}

impl ManifestFile {
    /// Reads the manifest in a folder. Blocks.
    ///
    /// # Errors
    /// A sentence that names the file: it is missing, is not TOML, or has a wrong value.
    pub fn read(folder: &Path) -> Result<Self, String> {
        let shown = |path: &Path| sanitise::line(&path.to_string_lossy());
        let folder =
            folder.canonicalize().map_err(|error| format!("{} can't be opened: {error}", shown(folder)))?;
        let path = folder.join(FILE);
        let wrong = |what: String| format!("{}: {what}", shown(&path));
        let mut bytes = Vec::new();
        let file = std::fs::File::open(&path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => format!("there is no {FILE} in {}", shown(&folder)),
            _ => wrong(format!("it can't be read: {error}")),
        })?;
        if !file.metadata().is_ok_and(|meta| meta.is_file()) {
            return Err(wrong("it is not a file".into()));
        }
        file.take(MAX_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| wrong(format!("it can't be read: {error}")))?;
        if bytes.len() as u64 > MAX_BYTES {
            return Err(wrong(format!("it is longer than {} KiB", MAX_BYTES >> 10)));
        }
        let text = std::str::from_utf8(&bytes).map_err(|_| wrong("it is not UTF-8 text".into()))?;
        let manifest: Manifest = toml::from_str(text).map_err(|error| {
            let begin = error.span().map_or(0, |span| span.start).min(text.len());
            let line = text.as_bytes()[..begin].iter().filter(|byte| **byte == b'\n').count() + 1;
            wrong(format!("line {line}: {}", sanitise::line(error.message())))
        })?;
        manifest.check().map_err(wrong)?;
        Ok(Self { manifest, hash: blake3::hash(&bytes).to_hex().to_string(), folder })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<ManifestFile, String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), text).unwrap();
        ManifestFile::read(folder.path())
    }

    const GOOD: &str =
        "name = \"clip\"\nversion = \"1.0\"\nprotocol = 1\ncommand = [\"python3\", \"main.py\"]\n";

    #[test]
    fn a_short_manifest_has_defaults_and_its_hash_is_that_of_its_bytes() {
        let read = read(GOOD).unwrap();
        let Manifest { processes, concurrent, idle_seconds, .. } = read.manifest;
        assert_eq!((processes, concurrent, idle_seconds), (1, 1, 60));
        assert_eq!(read.hash, blake3::hash(GOOD.as_bytes()).to_hex().to_string());
    }

    #[test]
    fn a_bad_manifest_is_refused_with_the_reason() {
        for (from, to, expected) in [
            ("clip", "Clip", "can't be the name of a plugin"),
            ("clip", "../x", "can't be the name of a plugin"),
            ("protocol = 1", "protocol = 9", "speaks version 9"),
            ("[\"python3\", \"main.py\"]", "[]", "`command` must be a list"),
            ("[\"python3\", \"main.py\"]", "\"python3 main.py\"", "line 4"),
            ("version = \"1.0\"\n", "", "missing field `version`"),
            ("\"1.0\"", "\"\\u001b[2J\"", "`version` must be"),
            ("protocol = 1", "protocol = 1\nprocesses = 0", "`processes` must be within 1..64"),
            ("protocol = 1", "protocol = 1\nprocceses = 2", "unknown field `procceses`"),
        ] {
            let error = read(&GOOD.replace(from, to)).unwrap_err();
            assert!(error.contains(expected) && error.contains(FILE), "{error}");
        }
        let none = tempfile::tempdir().unwrap();
        assert!(ManifestFile::read(none.path()).unwrap_err().contains("there is no plugin.toml in"));
        assert!(read(&format!("#{}", "x".repeat(70_000))).unwrap_err().contains("longer than 64 KiB"));
    }
}
