//! The names of the files in an archive.

use std::fmt;

use fanlight_shared::id::{AttemptId, BlobHash, RunId};

/// The place of a file in an archive.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Place {
    Manifest,
    Shared,
    Run(RunId),
    Blob(BlobHash),
    Log(AttemptId, String),
}

impl Place {
    /// Returns the place with this name, which nothing else may have.
    pub(super) fn of(name: &str) -> Option<Self> {
        let place = match name.split_once('/') {
            None if name == "manifest.json" => Self::Manifest,
            None if name == "shared.ndjson" => Self::Shared,
            Some(("runs", file)) => Self::Run(file.strip_suffix(".ndjson")?.parse().ok()?),
            Some(("blobs", hash)) => Self::Blob(hash.parse().ok()?),
            Some(("logs", log)) => {
                let (attempt, file) = log.split_once('/')?;
                Self::Log(attempt.parse().ok().filter(|_| is_log(file))?, file.to_owned())
            }
            _ => return None,
        };
        // Ids and hashes can be written in several ways.
        (place.to_string() == name).then_some(place)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Manifest => f.write_str("manifest.json"),
            Self::Shared => f.write_str("shared.ndjson"),
            Self::Run(id) => write!(f, "runs/{id}.ndjson"),
            Self::Blob(hash) => write!(f, "blobs/{hash}"),
            Self::Log(attempt, file) => write!(f, "logs/{attempt}/{file}"),
        }
    }
}

/// Returns whether a file of an attempt's folder belongs to its log.
pub(super) fn is_log(file: &str) -> bool {
    let file = file.strip_prefix("said/").unwrap_or(file);
    let is_offset = |it: &str| it.len() == 20 && it.bytes().all(|byte| byte.is_ascii_digit());
    matches!(file, "log" | "notes") || file.strip_prefix("log.").is_some_and(is_offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_an_export_writes_are_places() {
        let id = "01990000-0000-7000-8000-000000000002";
        let hash = BlobHash::of(b"x");
        for name in [
            "manifest.json".to_owned(),
            "shared.ndjson".to_owned(),
            format!("runs/{id}.ndjson"),
            format!("blobs/{hash}"),
            format!("logs/{id}/log"),
            format!("logs/{id}/log.00000000000000524288"),
            format!("logs/{id}/said/log"),
            format!("logs/{id}/notes"),
        ] {
            assert_eq!(Place::of(&name).map(|it| it.to_string()), Some(name));
        }
        for name in [
            "",
            "/manifest.json",
            "./manifest.json",
            "../manifest.json",
            "runs/../x.ndjson",
            "blobs/../../x",
            "manifest.json/",
            &format!("blobs/{}", hash.to_string().to_uppercase()),
            &format!("runs/{{{id}}}.ndjson"),
            &format!("logs/{id}/../log"),
            &format!("logs/{id}/said/said/log"),
            &format!("logs/{id}/log.1"),
            &format!("logs/{id}/record"),
        ] {
            assert_eq!(Place::of(name), None, "{name}");
        }
    }
}
