//! Servers of the Model Context Protocol as nodes see them: tools that agents may call. What runs them depends on much
//! of this crate, so it is behind traits.

use std::path::Path;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde_json::Value as Json;

/// Takes lines for the log of a node.
pub(crate) type McpLog = Arc<dyn Fn(&str) + Send + Sync>;

/// Starts the servers that the config names.
pub(crate) trait RunMcp: Send + Sync {
    /// Starts the server of a name in a folder, and asks it for its tools. Its stderr goes to `log`.
    ///
    /// # Errors
    /// A sentence: there is none of this name, it doesn't start, it doesn't speak the protocol.
    fn start<'a>(
        &'a self,
        name: &'a str,
        folder: &'a Path,
        log: McpLog,
    ) -> BoxFuture<'a, Result<Arc<dyn McpServer>, String>>;
}

/// A server that runs until it is dropped.
pub(crate) trait McpServer: Send + Sync {
    /// Returns a tool.
    ///
    /// # Errors
    /// It has none of this name; the sentence names those that it has.
    fn tool(&self, name: &str) -> Result<&McpTool, String>;

    /// Calls a tool. Returns its text, or why it failed.
    ///
    /// # Errors
    /// The server is over.
    fn call<'a>(
        &'a self,
        tool: &'a str,
        arguments: &'a Json,
    ) -> BoxFuture<'a, Result<Result<String, String>, String>>;

    /// Ends it, and waits until it has ended. A server that is dropped is ended at once.
    fn close(&self) -> BoxFuture<'_, ()>;
}

/// A tool of a server.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct McpTool {
    pub(crate) name: String,
    pub(crate) description: String,
    /// What its arguments must be.
    pub(crate) schema: Json,
}

/// The servers of a config: cheap to clone. By default there are none.
#[derive(Clone, Default)]
pub(crate) struct McpServers {
    run: Option<Arc<dyn RunMcp>>,
}

impl McpServers {
    /// Returns servers that are started by `run`.
    pub(crate) fn new(run: impl RunMcp + 'static) -> Self {
        Self { run: Some(Arc::new(run)) }
    }

    /// Starts a server; see [`RunMcp::start`].
    pub(crate) async fn start(
        &self,
        name: &str,
        folder: &Path,
        log: McpLog,
    ) -> Result<Arc<dyn McpServer>, String> {
        match &self.run {
            Some(run) => run.start(name, folder, log).await,
            None => Err("there are no MCP servers here".to_owned()),
        }
    }
}
