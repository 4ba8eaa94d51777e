//! Where an attempt runs, if that is not the machine of the daemon.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The longest id of a job that stands before its host, in bytes.
const MAX_SHORT_ID: usize = 16;

/// Where an attempt runs, if that is not the machine of the daemon.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Location {
    /// The engine of the config.
    pub engine: String,
    /// The engine's name of what runs it, such as the id of a job; safe to show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// The machine, once it runs; safe to show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
}

impl Location {
    /// Returns its description for people: `cluster job 41 on n1`. The long id of a job comes last, where a card cuts it:
    /// `ray on n1 as job fanlight-…`.
    #[must_use]
    pub fn describe(&self) -> String {
        let host = self.host.iter().map(|host| format!(" on {host}")).collect::<String>();
        if let Some(job) = self.job.as_ref().filter(|job| job.len() > MAX_SHORT_ID) {
            return format!("{}{host} as job {job}", self.engine);
        }
        let job = self.job.iter().map(|job| format!(" job {job}")).collect::<String>();
        format!("{}{job}{host}", self.engine)
    }

    /// Returns its texts.
    pub fn texts_mut(&mut self) -> impl Iterator<Item = &mut String> {
        std::iter::once(&mut self.engine).chain(self.job.as_mut()).chain(self.host.as_mut())
    }
}
