//! `plugins.*`

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Done, request};

/// `plugins.list`: the plugins that were added, by name.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct List {}

/// The response of `plugins.list`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Plugins {
    /// By name.
    pub plugins: Vec<Plugin>,
}

/// Where a plugin came from: a commit of a git repository.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// The repository.
    pub url: String,
    /// The commit: its whole hash, hexadecimal.
    pub commit: String,
}

/// A plugin that was added.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Plugin {
    /// Its name, which is the family of its node types.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The folder of its manifest, in which it runs.
    pub folder: String,
    /// The program and its arguments.
    pub command: Vec<String>,
    /// The names of its node types.
    pub node_types: Vec<String>,
    /// How many processes of it are alive.
    pub processes: u32,
    /// The repository from which it was fetched; `None` if it is a folder of the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// Why its nodes can't run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// `plugins.add`: starts the plugin in a folder, and adds its node types. A plugin of the same name is replaced.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Add {
    /// The folder, absolute.
    pub folder: String,
    /// The hash of the manifest that the user agreed to: BLAKE3, hexadecimal.
    pub manifest: String,
    /// The repository from which the folder was fetched, below `plugins` in the data of the home. Folders there that belong
    /// to no plugin are removed when a daemon starts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
}

/// `plugins.remove`: removes a plugin with its node types. Nodes that are running continue to their end.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Remove {
    /// Its name.
    pub name: String,
}

request!(List, "plugins.list", Plugins);
request!(Add, "plugins.add", Plugin);
request!(Remove, "plugins.remove", Done);
