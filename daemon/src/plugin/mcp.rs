//! Servers of the Model Context Protocol, whose tools agents may use. A program speaks JSON-RPC on its stdin and stdout, a
//! message a line, so it is a process as those of plugins are, and ends with the node that uses it. Others are reached over
//! HTTP.

mod http;
mod peer;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use fanlight_shared::problem::near;
use fanlight_shared::sanitise;
use fanlight_shared::value::cut;
use futures_util::future::BoxFuture;
use serde_json::{Value as Json, json};

use super::channel::Channel;
use super::environment;
use super::launch::Launch;
use super::process::{End, Failure, Process};
use crate::config::{Config, KeySource, McpSettings};
use crate::http::{Http, Reach, Redirects};
use crate::mcp::{McpLog, McpServer, McpTool, RunMcp};
use crate::secret::{SecretSettings, Secrets};
use http::HttpPeer;
use peer::{Peer, Stderr};

/// The version of the protocol that is asked for; servers may answer with an older one.
const PROTOCOL: &str = "2025-06-18";
/// How long a server may take to start, and to list its tools.
const START_TIMEOUT: Duration = Duration::from_secs(60);
/// The node's own limit is shorter.
const CALL_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);
/// The most pages of a list of tools, and the most tools.
const MAX_PAGES: usize = 100;
const MAX_TOOLS: usize = 1000;
/// The longest description of a tool, in characters.
const MAX_DESCRIPTION: usize = 4000;
/// The longest schema of a tool, in bytes.
const MAX_SCHEMA_BYTES: usize = 64 << 10;

/// Runs the servers of a config.
#[derive(Debug)]
pub(crate) struct ConfiguredMcp {
    settings: BTreeMap<String, McpSettings>,
    /// The file, for messages.
    config: PathBuf,
    /// The executable with the command `plugin-guard`.
    helper: PathBuf,
    http: Http,
    secrets: SecretSettings,
}

/// A server that runs until it is closed or dropped.
struct RunningServer {
    name: String,
    peer: Peer,
    tools: Vec<McpTool>,
}

impl ConfiguredMcp {
    /// Returns the servers of a config.
    pub(crate) fn new(config: &Config, helper: &Path, http: Http) -> Self {
        Self {
            settings: config.mcp.clone(),
            config: config.path.clone(),
            helper: helper.to_owned(),
            http,
            secrets: config.secrets.clone(),
        }
    }

    async fn start_server(
        &self,
        name: &str,
        folder: &Path,
        log: McpLog,
    ) -> Result<Arc<dyn McpServer>, String> {
        let Self { settings, config, .. } = self;
        let settings = settings.get(name).ok_or_else(|| {
            let near = near(name, settings.keys().map(String::as_str));
            let hint = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => "declare it there: `[mcp.NAME]` and below it `command = [\"PROGRAM\"]`".to_owned(),
            };
            let name = cut(&sanitise::line(name), 60);
            format!("{} has no MCP server `{name}`; {hint}", config.display())
        })?;
        let wrong = |why: String| format!("the MCP server `{name}` can't be used: {why}");
        let peer = match &settings.url {
            Some(url) => Peer::Http(Box::new(self.reach(name, settings, url).await.map_err(wrong)?)),
            None => self.launch(name, settings, folder, log).map_err(wrong)?,
        };
        let mut server = RunningServer { name: name.to_owned(), peer, tools: Vec::new() };
        if let Err(failure) = server.greet().await {
            server.close().await;
            return Err(wrong(explain(failure)));
        }
        Ok(Arc::new(server))
    }

    fn launch(&self, name: &str, settings: &McpSettings, folder: &Path, log: McpLog) -> Result<Peer, String> {
        let launch = Launch {
            helper: self.helper.clone(),
            folder: folder.to_owned(),
            command: settings.command.clone(),
            environment: environment(&settings.pass_env),
            channel: Channel::Standard,
        };
        let stderr = Arc::new(Stderr::new(name, log));
        let printed = Arc::clone(&stderr);
        let take = Box::new(move |text: &str| printed.take(text));
        let process = Process::start_printing(&launch, Secrets::default(), Some(take))?;
        Ok(Peer::Process(process, stderr))
    }

    /// Returns a server at a URL. It may be a private address, because the config names it.
    async fn reach(&self, name: &str, settings: &McpSettings, url: &str) -> Result<HttpPeer, String> {
        let named = match &settings.key {
            Some(KeySource::Secret(secret)) => {
                self.secrets.resolve(&BTreeSet::from([secret.clone()])).await?
            }
            Some(KeySource::Variable(variable)) => {
                let value = std::env::var(variable).unwrap_or_default().trim().to_owned();
                if value.is_empty() {
                    return Err(format!(
                        "it needs a key: set `{variable}` where the daemon is started, or name a secret with `key` below \
                         `[mcp.{name}]` in {}",
                        self.config.display()
                    ));
                }
                [(variable.clone(), value)].into_iter().collect()
            }
            None => Secrets::default(),
        };
        let key = named.iter().next().map(|(_, value)| value.to_owned());
        let client = self.http.client(Reach::Any, Redirects::Nowhere)?;
        HttpPeer::new(client, self.http.check(url, Reach::Any).await?, key.as_deref(), named)
    }
}

impl RunMcp for ConfiguredMcp {
    fn start<'a>(
        &'a self,
        name: &'a str,
        folder: &'a Path,
        log: McpLog,
    ) -> BoxFuture<'a, Result<Arc<dyn McpServer>, String>> {
        Box::pin(self.start_server(name, folder, log))
    }
}

impl RunningServer {
    async fn greet(&mut self) -> Result<(), Failure> {
        let fault = |why: &str| Failure::Over(End::Fault(why.to_owned()));
        let about = json!({ "name": "fanlight", "version": env!("CARGO_PKG_VERSION") });
        let hello = json!({ "protocolVersion": PROTOCOL, "capabilities": {}, "clientInfo": about });
        let hello = self.peer.ask("initialize", &hello, START_TIMEOUT).await?;
        if hello.get("protocolVersion").and_then(Json::as_str).is_none() {
            return Err(fault("its answer to `initialize` has no `protocolVersion`"));
        }
        self.peer.notify("notifications/initialized", &json!({}), START_TIMEOUT).await?;
        let mut cursor = None;
        for _ in 0..MAX_PAGES {
            let params = cursor.map_or_else(|| json!({}), |cursor: Json| json!({ "cursor": cursor }));
            let mut page = self.peer.ask("tools/list", &params, START_TIMEOUT).await?;
            let Some(Json::Array(tools)) = page.get_mut("tools").map(Json::take) else {
                return Err(fault("its answer to `tools/list` has no `tools`"));
            };
            for tool in tools {
                self.tools.push(read_tool(tool).map_err(|why| fault(&why))?);
            }
            if self.tools.len() > MAX_TOOLS {
                return Err(fault(&format!("it has more than {MAX_TOOLS} tools")));
            }
            match page.get_mut("nextCursor").map(Json::take) {
                None | Some(Json::Null) => return Ok(()),
                next => cursor = next,
            }
        }
        Err(fault(&format!("its list of tools has more than {MAX_PAGES} pages")))
    }
}

impl McpServer for RunningServer {
    fn tool(&self, name: &str) -> Result<&McpTool, String> {
        self.tools.iter().find(|it| it.name == name).ok_or_else(|| {
            let names: Vec<&str> = self.tools.iter().map(|it| it.name.as_str()).collect();
            let shown = cut(&sanitise::line(name), 60);
            let names = cut(&sanitise::line(&names.join(", ")), 500);
            format!("the MCP server `{}` has no tool `{shown}`; it has {names}", self.name)
        })
    }

    fn call<'a>(
        &'a self,
        tool: &'a str,
        arguments: &'a Json,
    ) -> BoxFuture<'a, Result<Result<String, String>, String>> {
        Box::pin(async move {
            let params = json!({ "name": tool, "arguments": arguments });
            match self.peer.ask("tools/call", &params, CALL_TIMEOUT).await {
                Ok(result) => Ok(read_result(&result)),
                Err(Failure::Refused(why)) => Ok(Err(why)),
                Err(failure) => Err(format!("the MCP server `{}`: {}", self.name, explain(failure))),
            }
        })
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.peer.close())
    }
}

fn explain(failure: Failure) -> String {
    match failure {
        Failure::Refused(why) => format!("it refused: {why}"),
        Failure::Over(End::Fault(why)) => why,
        Failure::Over(End::Outside(_)) => "its process was ended from outside".to_owned(),
        Failure::Cancelled => "it was cancelled".to_owned(),
    }
}

/// Reads a tool of a list.
fn read_tool(mut tool: Json) -> Result<McpTool, String> {
    let Some(name) = tool.get("name").and_then(Json::as_str).map(str::to_owned) else {
        return Err("a tool has no name".to_owned());
    };
    let shown = cut(&sanitise::line(&name), 60);
    if name.is_empty() || name.len() > 200 || sanitise::line(&name) != name {
        return Err(format!("`{shown}` can't be the name of a tool"));
    }
    let description = tool.get("description").and_then(Json::as_str).unwrap_or_default();
    let description = sanitise::plain(description).chars().take(MAX_DESCRIPTION).collect();
    let schema = tool.get_mut("inputSchema").map(Json::take).unwrap_or_default();
    if !schema.is_object() || schema.to_string().len() > MAX_SCHEMA_BYTES {
        let most = MAX_SCHEMA_BYTES >> 10;
        return Err(format!("the tool `{shown}` has no schema of at most {most} KiB"));
    }
    Ok(McpTool { name, description, schema })
}

/// Returns the text of a result, or why the tool failed. What is not text is named.
fn read_result(result: &Json) -> Result<String, String> {
    let Some(parts) = result.get("content").and_then(Json::as_array) else {
        return Err("the server answered without `content`".to_owned());
    };
    let part = |part: &Json| {
        let kind = part.get("type").and_then(Json::as_str);
        let text = match kind {
            Some("resource") => part.pointer("/resource/text"),
            _ => part.get("text"),
        };
        match (kind, text.and_then(Json::as_str)) {
            (Some("text" | "resource"), Some(text)) => text.to_owned(),
            (kind, _) => format!("(left out: {})", cut(&sanitise::line(kind.unwrap_or("a part")), 40)),
        }
    };
    let text = parts.iter().map(part).collect::<Vec<_>>().join("\n");
    // Newer servers may give an object alone.
    let text = match result.get("structuredContent") {
        Some(object) if parts.is_empty() => object.to_string(),
        _ => text,
    };
    if result.get("isError").and_then(Json::as_bool) == Some(true) { Err(text) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_has_a_name_and_a_bounded_schema() {
        let tool = |name: &str, schema: Json| read_tool(json!({ "name": name, "inputSchema": schema }));
        assert_eq!(tool("now", json!({ "type": "object" })).unwrap().name, "now");
        for (name, schema) in [
            ("", json!({})),
            ("a\u{1b}[2J", json!({})),
            ("now", Json::Null),
            ("now", json!({ "description": "x".repeat(70_000) })),
        ] {
            assert!(tool(name, schema).is_err(), "{name:?}");
        }
        assert!(read_tool(json!({})).is_err());
    }

    #[test]
    fn the_texts_of_a_result_are_joined_and_the_rest_is_named() {
        let text = |text: &str| json!({ "type": "text", "text": text });
        let image = json!({ "type": "image", "data": "AAAA", "mimeType": "image/png" });
        let result = json!({ "content": [text("one"), image, text("two")] });
        assert_eq!(read_result(&result), Ok("one\n(left out: image)\ntwo".to_owned()));
        let resource = |resource: Json| json!({ "type": "resource", "resource": resource });
        let embedded = resource(json!({ "uri": "file:///a.txt", "text": "three" }));
        let result = json!({ "content": [embedded, resource(json!({ "blob": "AAAA" }))] });
        assert_eq!(read_result(&result), Ok("three\n(left out: resource)".to_owned()));
        assert_eq!(read_result(&json!({ "content": [text("no")], "isError": true })), Err("no".to_owned()));
        let structured = json!({ "content": [], "structuredContent": { "a": 1 } });
        assert_eq!(read_result(&structured), Ok("{\"a\":1}".to_owned()));
        assert!(read_result(&json!({})).is_err());
    }
}
