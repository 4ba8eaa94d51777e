//! The MCP servers of the config: programs whose tools agents may use.

/// How the server of a name is started.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct McpSettings {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// Names of environment variables that it gets from the daemon, besides the default ones.
    pub pass_env: Vec<String>,
}
