//! The first file of an archive.

use fanlight_shared::id::RunId;
use fanlight_shared::run::RunStatus;
use fanlight_shared::time::Time;
use serde::{Deserialize, Serialize};

/// The newest format of archives.
pub(super) const FORMAT: u32 = 2;
/// The longest manifest, in bytes.
pub(super) const MAX_BYTES: u64 = 64 << 20;

/// What no archive holds.
const LEFT_OUT: [&str; 5] = [
    "secrets, and the values of the variables that runs were submitted with",
    "entries of the cache",
    "previews of assets, which are made again",
    "files of the user that params refer to",
    "the places of runs among the starts of their home",
];

/// The part of a manifest that every format has.
#[derive(Deserialize)]
struct Head {
    format: u32,
    fanlight: String,
}

/// The first file of an archive.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Manifest {
    pub(super) format: u32,
    /// The version of the daemon that wrote it.
    pub(super) fanlight: String,
    pub(super) created_at: Time,
    /// The runs, a parent before the runs that it started.
    pub(super) runs: Vec<ManifestRun>,
    /// How many bytes `shared.ndjson` has.
    pub(super) shared_bytes: u64,
    pub(super) blobs: Amount,
    pub(super) logs: Amount,
    /// What is not in it, in words.
    pub(super) left_out: Vec<String>,
}

/// A run of an archive.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct ManifestRun {
    pub(super) id: RunId,
    pub(super) name: String,
    pub(super) state: RunStatus,
    pub(super) events: u64,
    pub(super) values: u64,
    pub(super) assets: u64,
    pub(super) series: u64,
    /// How many bytes its file has.
    pub(super) bytes: u64,
}

/// Files of one kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Amount {
    pub(super) count: u64,
    pub(super) bytes: u64,
}

impl Amount {
    pub(super) fn add(&mut self, bytes: u64) {
        self.count += 1;
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// Returns whether it has more files or bytes than another one.
    pub(super) fn exceeds(&self, other: &Self) -> bool {
        self.count > other.count || self.bytes > other.bytes
    }
}

impl Manifest {
    /// Returns the manifest of these runs and files.
    pub(super) fn new(runs: Vec<ManifestRun>, shared_bytes: u64, blobs: Amount, logs: Amount) -> Self {
        Self {
            format: FORMAT,
            fanlight: env!("CARGO_PKG_VERSION").to_owned(),
            created_at: Time::now(),
            runs,
            shared_bytes,
            blobs,
            logs,
            left_out: LEFT_OUT.map(str::to_owned).to_vec(),
        }
    }

    /// Reads a manifest.
    ///
    /// # Errors
    /// A sentence to follow the name of the archive.
    pub(super) fn read(json: &[u8]) -> Result<Self, String> {
        let head: Head = serde_json::from_slice(json).map_err(|_| "is not an archive of runs".to_owned())?;
        if head.format > FORMAT {
            return Err(format!(
                "has the format {}, and this version of Fanlight reads formats up to {FORMAT}; it was written by \
                 version {}",
                head.format,
                fanlight_shared::sanitise::line(&head.fanlight)
            ));
        }
        serde_json::from_slice(json).map_err(|error| format!("has a manifest that can't be read: {error}"))
    }

    /// Returns how many bytes all its files have.
    pub(super) fn bytes(&self) -> u64 {
        let runs = self.runs.iter().fold(0_u64, |sum, run| sum.saturating_add(run.bytes));
        runs.saturating_add(self.shared_bytes)
            .saturating_add(self.blobs.bytes)
            .saturating_add(self.logs.bytes)
    }
}
