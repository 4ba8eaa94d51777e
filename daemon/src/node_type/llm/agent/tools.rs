//! The tools of an agent: those that its node lists, and no others.

use std::collections::BTreeMap;
use std::sync::Arc;

use fanlight_shared::node_type::{InputSpec, NodeTypeSpec, Place};
use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values};
use serde_json::{Map, Value as Json, json};

use super::files::Files;
use super::plan::{self, Plan};
use crate::content;
use crate::file_error::FileError;
use crate::json_schema;
use crate::llm::tool::Tool;
use crate::mcp::{McpServer, McpTool};
use crate::node_type::typed_inputs::TypedInputs as _;
use crate::node_type::{Made, NodeCall, NodeType, NodeTypes, Runner};
use crate::services::Level;

/// The longest name of a tool that providers take, in bytes.
const MAX_NAME_BYTES: usize = 64;
/// An input that no model chooses: whether private networks may be reached.
const LOCAL: &str = "local";

/// What a tool returns: its result, or why it failed.
pub(super) type ToolResult = Result<String, String>;

/// The servers that were started for a node.
pub(super) type Servers = Vec<Arc<dyn McpServer>>;

/// The tools by name.
pub(super) struct Tools {
    tools: BTreeMap<String, (Tool, Work)>,
}

/// What a tool does.
enum Work {
    /// Runs a node type, with inputs that the node has fixed.
    Node(Arc<NodeType>, Values),
    List(Arc<Files>),
    Read(Arc<Files>),
    Write(Arc<Files>),
    /// Shows the plan of the model.
    Plan(Plan),
    /// Calls this tool of a server.
    Mcp(Arc<dyn McpServer>, String),
}

impl Tools {
    /// Reads the input `tools`.
    ///
    /// # Errors
    /// A tool is not known, or can't be one.
    pub(super) async fn new(call: &NodeCall, servers: &mut Servers) -> Result<Self, String> {
        let mut tools = Self { tools: BTreeMap::new() };
        let Some(list) = call.inputs.maybe("tools") else { return Ok(tools) };
        let list = list.as_list().ok_or("input `tools` is not a list")?;
        let types = NodeTypes::built_in().now();
        let of_name = |name: &str| {
            types
                .get(name)
                .cloned()
                .ok_or_else(|| format!("input `tools`: there is no tool or node type `{name}`"))
        };
        for one in list {
            let fields = match one {
                Value::Text(name) if name == "http.fetch" => {
                    let fixed = [("method", Value::from("GET")), ("take", "text".into())];
                    let fixed = fixed.map(|(name, value)| (name.to_owned(), value)).into();
                    tools.add_node("http_fetch", of_name("http.request")?, fixed, Some(&["url"]))?;
                    continue;
                }
                Value::Text(name) if name == plan::NAME => {
                    let work = Work::Plan(Plan::default());
                    tools.add(plan::NAME, plan::DESCRIPTION, plan::schema(), work)?;
                    continue;
                }
                Value::Text(name) => {
                    tools.add_node(&name.replace('.', "_"), of_name(name)?, Values::new(), None)?;
                    continue;
                }
                Value::Object(fields) => fields,
                _ => {
                    return Err(
                        "input `tools`: a tool is a name, `{files: FOLDER}`, `{node: TYPE}` or `{mcp: NAME, tools: […]}`".to_owned()
                    );
                }
            };
            let known = ["files", "write", "node", "with", "mcp", "tools"];
            if let Some(name) = fields.keys().find(|name| !known.contains(&name.as_str())) {
                return Err(format!("input `tools`: a tool has no field `{name}`"));
            }
            if let Some(folder) = fields.get("files").and_then(Value::as_text) {
                let files = Arc::new(Files::open(folder, call.attempt.run.project.as_deref())?);
                tools.add_files(&files, fields.get("write").and_then(Value::as_bool) == Some(true))?;
            } else if let Some(name) = fields.get("node").and_then(Value::as_text) {
                let fixed = match fields.get("with") {
                    None => Values::new(),
                    Some(Value::Object(with)) => with.clone().into_iter().collect(),
                    Some(_) => return Err("input `tools`: `with` is not an object".to_owned()),
                };
                tools.add_node(&name.replace('.', "_"), of_name(name)?, fixed, None)?;
            } else if let Some(name) = fields.get("mcp").and_then(Value::as_text) {
                let wanted = fields.get("tools").and_then(Value::as_list).unwrap_or_default();
                let wanted: Option<Vec<&str>> = wanted.iter().map(Value::as_text).collect();
                let wanted = wanted.filter(|it| !it.is_empty()).ok_or_else(|| {
                    format!("input `tools`: `{{mcp: {name}}}` has no list `tools` with the names of those that may be used")
                })?;
                tools.add_mcp(call, name, &wanted, servers).await?;
            } else {
                return Err(
                    "input `tools`: a tool is a name, `{files: FOLDER}`, `{node: TYPE}` or `{mcp: NAME, tools: […]}`"
                        .to_owned(),
                );
            }
        }
        Ok(tools)
    }

    /// Returns the tools as the model is offered them.
    pub(super) fn offered(&self) -> Vec<Tool> {
        self.tools.values().map(|(tool, _)| tool.clone()).collect()
    }

    fn add(&mut self, name: &str, description: &str, schema: Json, work: Work) -> Result<(), String> {
        let (name, description) = (name.to_owned(), description.to_owned());
        let tool = Tool { name: name.clone(), description, schema };
        match self.tools.insert(name.clone(), (tool, work)) {
            None => Ok(()),
            Some(_) => Err(format!("input `tools`: two tools have the name `{name}`")),
        }
    }

    fn add_files(&mut self, files: &Arc<Files>, write: bool) -> Result<(), String> {
        let path = json!({"type": "string", "description": "A path below the folder, such as `src/a.py`."});
        let object = |properties: Json, required: &[&str]| json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false});
        let (of_path, none) = (object(json!({"path": path}), &["path"]), object(json!({"path": path}), &[]));
        self.add(
            "list_files",
            "Lists the files below the folder or one of its folders.",
            none,
            Work::List(Arc::clone(files)),
        )?;
        self.add("read_file", "Returns the text of a file.", of_path, Work::Read(Arc::clone(files)))?;
        if write {
            let both = object(json!({"path": path, "text": {"type": "string"}}), &["path", "text"]);
            self.add(
                "write_file",
                "Writes a text file, and replaces one that exists.",
                both,
                Work::Write(Arc::clone(files)),
            )?;
        }
        Ok(())
    }

    /// Starts a server, and adds those of its tools that the node lists.
    async fn add_mcp(
        &mut self,
        call: &NodeCall,
        name: &str,
        wanted: &[&str],
        servers: &mut Servers,
    ) -> Result<(), String> {
        let folder = call.services.scratch().map_err(|error| format!("no folder can be made: {error}"))?;
        let services = call.services.clone();
        let log = Arc::new(move |line: &str| services.log(Level::Info, line));
        let server = call.services.mcp().start(name, &folder, log).await?;
        servers.push(Arc::clone(&server));
        for wanted in wanted {
            let McpTool { name: tool, description, schema } = server.tool(wanted)?.clone();
            let plain =
                |it: char| if it.is_ascii_alphanumeric() || matches!(it, '_' | '-') { it } else { '_' };
            let mut offered: String = format!("{name}_{tool}").chars().map(plain).collect();
            offered.truncate(MAX_NAME_BYTES);
            json_schema::compile(&schema)
                .map_err(|why| format!("the schema of `{tool}` of the MCP server `{name}`: {why}"))?;
            self.add(&offered, &description, schema, Work::Mcp(Arc::clone(&server), tool))?;
        }
        Ok(())
    }

    /// Adds a node type; the model chooses the inputs that are not fixed, or only these.
    fn add_node(
        &mut self,
        name: &str,
        native: Arc<NodeType>,
        mut fixed: Values,
        only: Option<&[&str]>,
    ) -> Result<(), String> {
        let spec = &native.spec;
        let shown = &spec.name;
        let runs = matches!(spec.place, Place::Inline | Place::Daemon);
        // A person who is asked parks the run. What asks a provider has a pool: it would be outside of all limits here.
        if !runs || shown.starts_with("human.") || native.pool.is_some() {
            return Err(format!(
                "input `tools`: `{shown}` can't be a tool; those can that run in the daemon, without people and models"
            ));
        }
        for (input, value) in &mut fixed {
            let spec = spec
                .inputs
                .get(input)
                .ok_or_else(|| format!("input `tools`: `{shown}` has no input `{input}`"))?;
            *value = spec
                .check(value.clone())
                .map_err(|why| format!("input `tools`: `{input}` of `{shown}`: {why}"))?;
        }
        let chosen = |input: &str| {
            !fixed.contains_key(input) && input != LOCAL && only.is_none_or(|only| only.contains(&input))
        };
        let schema = schema(spec, &chosen)?;
        let summary = spec.summary.clone();
        self.add(name, &summary, schema, Work::Node(native, fixed))
    }

    /// Calls a tool. The outer error ends the node.
    pub(super) async fn call(
        &self,
        call: &NodeCall,
        name: &str,
        arguments: Json,
    ) -> Result<ToolResult, FileError> {
        let Some((tool, work)) = self.tools.get(name) else {
            let names: Vec<&str> = self.tools.keys().map(String::as_str).collect();
            let known = if names.is_empty() {
                "there are none".to_owned()
            } else {
                format!("there are {}", names.join(", "))
            };
            return Ok(Err(format!("there is no tool `{name}`; {known}")));
        };
        let validator = json_schema::compile(&tool.schema)?;
        if let Some(wrong) = json_schema::sentence(&json_schema::errors(&arguments, &validator)) {
            return Ok(Err(format!("the arguments do not fit the tool: {wrong}")));
        }
        let of = |name: &str| arguments[name].as_str().unwrap_or_default().to_owned();
        let (path, text) = (of("path"), of("text"));
        match work {
            Work::Node(native, fixed) => node(call, native, fixed, arguments).await,
            Work::Plan(plan) => Ok(plan.show(&call.services, &arguments)),
            Work::Mcp(server, tool) => Ok(server.call(tool, &arguments).await?),
            Work::List(files) => blocking(call, files, move |files| files.list(&path)).await,
            Work::Read(files) => blocking(call, files, move |files| files.read(&path)).await,
            Work::Write(files) => blocking(call, files, move |files| files.write(&path, &text)).await,
        }
    }
}

async fn blocking(
    call: &NodeCall,
    files: &Arc<Files>,
    work: impl Fn(&Files) -> ToolResult + Send + Sync + 'static,
) -> Result<ToolResult, FileError> {
    let files = Arc::clone(files);
    call.services.blocking(move || Ok(work(&files))).await
}

/// Runs a node type with the model's inputs.
async fn node(
    call: &NodeCall,
    native: &Arc<NodeType>,
    fixed: &Values,
    arguments: Json,
) -> Result<ToolResult, FileError> {
    let Json::Object(mut given) = arguments else {
        return Ok(Err("the arguments are not an object".to_owned()));
    };
    let mut inputs = fixed.clone();
    for (name, spec) in &native.spec.inputs {
        if inputs.contains_key(name) {
            continue;
        }
        match (given.remove(name).filter(|it| !it.is_null()), &spec.default) {
            (Some(json), _) => match spec.check(Value::from_json(json)) {
                Ok(value) => drop(inputs.insert(name.clone(), value)),
                Err(why) => return Ok(Err(format!("`{name}`: {why}"))),
            },
            (None, Some(default)) => drop(inputs.insert(name.clone(), default.clone())),
            (None, None) => {}
        }
    }
    let made: Made = match &native.run {
        Runner::Daemon(run) => {
            let (attempt, services, blobs) =
                (call.attempt.clone(), call.services.clone(), call.blobs.clone());
            run(NodeCall { attempt, services, inputs, blobs, writable: call.writable.clone() }).await
        }
        _ => {
            let (native, blobs) = (Arc::clone(native), call.blobs.clone());
            call.services.blocking(move || native.run_off_loop(inputs.clone(), &blobs)).await
        }
    };
    match made {
        Err(full @ FileError::Full(_)) => Err(full),
        Err(FileError::Other(why)) => Ok(Err(why)),
        Ok((values, held)) => {
            let blobs = call.blobs.clone();
            let read = move || Ok(content::whole(values.clone(), &blobs)?);
            let values = call.services.blocking(read).await?;
            drop(held);
            Ok(Ok(result(&values)))
        }
    }
}

/// Returns values as the model reads them: one text as it is, all else as JSON.
fn result(values: &Values) -> String {
    match (values.get("text").and_then(Value::as_text), values.len()) {
        (Some(text), 1) => text.to_owned(),
        _ => Json::Object(values.iter().map(|(name, value)| (name.clone(), value.to_json())).collect())
            .to_string(),
    }
}

/// Returns the schema of the inputs that a model chooses.
fn schema(spec: &NodeTypeSpec, chosen: &dyn Fn(&str) -> bool) -> Result<Json, String> {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for (name, input) in spec.inputs.iter().filter(|(name, _)| chosen(name)) {
        let needed = input.default.is_none() && !input.optional;
        let Some(mut property) = of_type(&input.ty, input) else {
            if needed {
                return Err(format!(
                    "input `tools`: `{}` needs the file `{name}`, which a model can't give; fix it by `with`",
                    spec.name
                ));
            }
            continue;
        };
        property["description"] = input.summary.clone().into();
        properties.insert(name.clone(), property);
        if needed {
            required.push(name.clone());
        }
    }
    Ok(
        json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false}),
    )
}

fn of_type(ty: &Type, input: &InputSpec) -> Option<Json> {
    Some(match ty {
        Type::Text => json!({"type": "string"}),
        Type::Choice => json!({"type": "string", "enum": input.choices}),
        Type::Int => json!({"type": "integer"}),
        Type::Float => json!({"type": "number"}),
        Type::Bool => json!({"type": "boolean"}),
        Type::List(of) => json!({"type": "array", "items": of_type(of, input)?}),
        Type::Media(_) => return None,
        _ => json!({}),
    })
}
