//! The MCP servers of the config, whose tools agents may use.

use super::KeySource;

/// How the server of a name is started, or reached.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct McpSettings {
    /// The program and its arguments; none for a server that is reached over HTTP.
    pub command: Vec<String>,
    /// Names of environment variables that it gets from the daemon, besides the default ones.
    pub pass_env: Vec<String>,
    /// The URL of a server that is reached over HTTP. It may be a private address.
    pub url: Option<String>,
    /// The place of the key that is sent to it.
    pub key: Option<KeySource>,
}
