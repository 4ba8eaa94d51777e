//! The tools of an agent: those that its node lists, and no others.

mod given;
mod made;
mod node;
mod run;

use std::collections::BTreeMap;
use std::sync::Arc;

use fanlight_shared::node_type::{InputSpec, NodeTypeSpec, Place};
use fanlight_shared::value::{Value, Values};
use indexmap::IndexMap;
use serde_json::{Value as Json, json};

use super::files::{self, Files};
use super::plan::{self, Plan};
use crate::file_error::FileError;
use crate::json_schema;
use crate::llm::tool::Tool;
use crate::mcp::{McpServer, McpTool};
use crate::node_type::llm::runs::Runs;
use crate::node_type::typed_inputs::TypedInputs as _;
use crate::node_type::{NodeCall, NodeType, NodeTypes};
use crate::services::Level;
use given::Inputs;
pub(super) use made::MadeFiles;
use run::{Kind, RunTool, SHELL_SECONDS};

/// The longest name of a tool that providers take, in bytes.
const MAX_NAME_BYTES: usize = 64;
/// The longest time of a command, in seconds.
const MAX_SHELL_SECONDS: f64 = 86_400.0;
/// An input that no model chooses: whether private networks may be reached.
const LOCAL: &str = "local";
/// The fields of a tool: the one that says what it is, and the others.
const FIELDS: [(&str, &[&str]); 5] = [
    ("files", &["write"]),
    ("node", &["with", "outputs"]),
    ("workflow", &["with"]),
    ("shell", &["timeout"]),
    ("mcp", &["tools"]),
];
/// A type with which a model could choose files itself; a workflow is a tool of its own kind.
const NEVER: &str = "workflow.run";
/// Types that are agents themselves: the file says what they may do, and the model chooses their prompt only.
const AGENTS: [&str; 2] = ["llm.agent", "agent.command"];

/// What a tool returns: its result, or why it failed.
pub(super) type ToolResult = Result<String, String>;

/// The servers that were started for a node.
pub(super) type Servers = Vec<Arc<dyn McpServer>>;

/// The tools by name.
pub(super) struct Tools {
    tools: BTreeMap<String, (Tool, Work)>,
    made: MadeFiles,
}

/// What a tool does.
enum Work {
    /// Runs a node type in the daemon, with inputs that the node has fixed.
    Node(Arc<NodeType>, Values),
    Run(Box<RunTool>),
    List(Arc<Files>),
    Read(Arc<Files>),
    Write(Arc<Files>),
    /// Shows the plan of the model.
    Plan(Plan),
    /// Calls this tool of a server.
    Mcp(Arc<dyn McpServer>, String),
}

/// A tool that is not one.
fn not_a_tool() -> String {
    "input `tools`: a tool is a name, `{files: FOLDER}`, `{node: TYPE}`, `{workflow: FILE}`, `{shell: FOLDER}` or \
     `{mcp: NAME, tools: […]}`"
        .to_owned()
}

impl Tools {
    /// Reads the input `tools`.
    ///
    /// # Errors
    /// A tool is not known, or can't be one.
    pub(super) async fn new(call: &NodeCall, servers: &mut Servers) -> Result<Self, String> {
        let mut tools = Self { tools: BTreeMap::new(), made: MadeFiles::default() };
        let Some(list) = call.inputs.maybe("tools") else { return Ok(tools) };
        let list = list.as_list().ok_or("input `tools` is not a list")?;
        for one in list {
            match one {
                Value::Text(name) if name == "http.fetch" => {
                    let fixed = [("method", Value::from("GET")), ("take", "text".into())];
                    let fixed = fixed.map(|(name, value)| (name.to_owned(), value)).into();
                    let only = Some(&["url"][..]);
                    tools.add_node("http_fetch", "http.request", fixed, only, None, call)?;
                }
                Value::Text(name) if name == plan::NAME => {
                    let work = Work::Plan(Plan::default());
                    tools.add(plan::NAME, plan::DESCRIPTION, plan::schema(), work)?;
                }
                Value::Text(name) => {
                    tools.add_node(&plain(name), name, Values::new(), None, None, call)?;
                }
                Value::Object(fields) => tools.add_fields(fields, call, servers).await?,
                _ => return Err(not_a_tool()),
            }
        }
        Ok(tools)
    }

    /// Adds the tools of an entry with fields.
    async fn add_fields(
        &mut self,
        fields: &IndexMap<String, Value>,
        call: &NodeCall,
        servers: &mut Servers,
    ) -> Result<(), String> {
        let kinds = FIELDS.iter().filter(|(kind, _)| fields.contains_key(*kind));
        let [(kind, others)] = kinds.collect::<Vec<_>>()[..] else { return Err(not_a_tool()) };
        if let Some(name) = fields.keys().find(|name| name != kind && !others.contains(&name.as_str())) {
            return Err(format!("input `tools`: a tool with `{kind}` has no field `{name}`"));
        }
        let what = fields.get(*kind).and_then(Value::as_text).ok_or_else(not_a_tool)?;
        let fixed = match fields.get("with") {
            None => Values::new(),
            Some(Value::Object(with)) => with.clone(),
            Some(_) => return Err("input `tools`: `with` is not an object".to_owned()),
        };
        match *kind {
            "files" => {
                let files = Arc::new(Files::open(what, call.attempt.run.project.as_deref())?);
                self.add_files(&files, fields.get("write").and_then(Value::as_bool) == Some(true))
            }
            "node" => self.add_node(&plain(what), what, fixed, None, fields.get("outputs"), call),
            "workflow" => self.add_workflow(what, fixed, call).await,
            "shell" => self.add_shell(what, fields.get("timeout"), call),
            _ => {
                let wanted = fields.get("tools").and_then(Value::as_list).unwrap_or_default();
                let wanted: Option<Vec<&str>> = wanted.iter().map(Value::as_text).collect();
                let wanted = wanted.filter(|it| !it.is_empty()).ok_or_else(|| {
                    format!("input `tools`: `{{mcp: {what}}}` has no list `tools` with the names of those that may be used")
                })?;
                self.add_mcp(call, what, &wanted, servers).await
            }
        }
    }

    /// Returns the files that tools made.
    pub(super) fn made(&self) -> &MadeFiles {
        &self.made
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
            let offered = plain(&format!("{name}_{tool}"));
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
        shown: &str,
        mut fixed: Values,
        only: Option<&[&str]>,
        outputs: Option<&Value>,
        call: &NodeCall,
    ) -> Result<(), String> {
        let native = NodeTypes::built_in().now().get(shown).cloned();
        let known = || call.services.child_runs().get().ok()?.node_type(shown);
        let spec = native
            .as_ref()
            .map(|it| it.spec.clone())
            .or_else(known)
            .ok_or_else(|| format!("input `tools`: there is no tool or node type `{shown}`"))?;
        if shown == NEVER {
            return Err(format!(
                "input `tools`: `{shown}` can't be a tool, because a model could choose what it starts; list the file as \
                 `{{workflow: FILE}}`"
            ));
        }
        let is_agent = AGENTS.contains(&shown);
        let only = if is_agent { Some(&["prompt"][..]) } else { only };
        let inputs = &spec.inputs;
        let chosen = |input: &str, fixed: &Values| {
            !fixed.contains_key(input) && input != LOCAL && only.is_none_or(|only| only.contains(&input))
        };
        let schema = given::schema(inputs, &|input| chosen(input, &fixed));
        let lacks = |(name, it): &(&String, &InputSpec)| {
            it.required() && !chosen(name, &fixed) && !fixed.contains_key(*name)
        };
        if is_agent && let Some((name, _)) = inputs.iter().find(lacks) {
            return Err(format!(
                "input `tools`: `{shown}` needs `{name}` in `with`, because no model chooses it"
            ));
        }
        // An agent has a log, a limit and runs of its own, so that it is always a run.
        let direct = native.filter(|it| outputs.is_none() && !is_agent && runs_in_daemon(it));
        let work = match direct {
            Some(native) => {
                given::check_fixed(inputs, &mut fixed, shown)?;
                Work::Node(native, fixed)
            }
            None => {
                let (ports, outputs) = ports(&spec, outputs)?;
                let kind = Kind::Type { name: shown.to_owned(), ports, outputs };
                Work::Run(Box::new(RunTool::new(name, kind, spec.inputs.clone(), fixed, call)?))
            }
        };
        self.add(name, &spec.summary, schema, work)
    }

    /// Adds a workflow that was submitted with this one; the model chooses the params that are not fixed.
    async fn add_workflow(&mut self, file: &str, fixed: Values, call: &NodeCall) -> Result<(), String> {
        let (runs, run) = (Arc::clone(call.services.child_runs().get()?), call.attempt.run.id);
        let named = file.to_owned();
        let read = tokio::task::spawn_blocking(move || runs.workflow(run, &named));
        let workflow = read.await.map_err(|error| error.to_string())?;
        let workflow = workflow.map_err(|why| format!("input `tools`: {why}"))?;
        let input = |(name, param): (&String, &fanlight_shared::workflow::Param)| {
            let input = InputSpec {
                ty: param.ty.clone(),
                summary: param.description.clone().unwrap_or_default(),
                default: param.default.clone(),
                optional: false,
                min: param.min,
                max: param.max,
                choices: param.choices.clone(),
                code: None,
                secret: false,
            };
            (name.clone(), input)
        };
        let inputs: Inputs = workflow.params.iter().map(input).collect();
        let schema = given::schema(&inputs, &|input| !fixed.contains_key(input));
        let stem = std::path::Path::new(file).file_stem().and_then(|it| it.to_str()).unwrap_or("workflow");
        let name = plain(stem);
        let summary = workflow.description.or(workflow.name).unwrap_or_else(|| format!("Runs {stem}."));
        let tool = RunTool::new(&name, Kind::File(file.to_owned()), inputs, fixed, call)?;
        self.add(&name, &summary, schema, Work::Run(Box::new(tool)))
    }

    /// Adds a shell whose commands begin in a folder.
    fn add_shell(&mut self, folder: &str, seconds: Option<&Value>, call: &NodeCall) -> Result<(), String> {
        let seconds = match seconds {
            None => SHELL_SECONDS,
            Some(value) => value
                .as_float()
                .filter(|it| (0.001..=MAX_SHELL_SECONDS).contains(it))
                .ok_or("input `tools`: `timeout` of `shell` is a number of seconds, at most 86400")?,
        };
        let path = files::folder("shell", folder, call.attempt.run.project.as_deref())?;
        let path = path.to_str().ok_or("input `tools`: the path of the folder of `shell` is not UTF-8")?;
        let kind = Kind::Shell { folder: path.to_owned(), seconds };
        let tool = RunTool::new("shell", kind, run::shell_inputs(), Values::new(), call)?;
        let summary =
            format!("Runs a command in the folder, for at most {seconds} seconds, and returns its output.");
        let schema = given::schema(&tool.inputs, &|_| true);
        self.add("shell", &summary, schema, Work::Run(Box::new(tool)))
    }

    /// Calls a tool. The outer error ends the node.
    pub(super) async fn call(
        &self,
        call: &NodeCall,
        runs: &Runs,
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
            Work::Node(native, fixed) => node::call(call, native, fixed, arguments, &self.made).await,
            Work::Run(tool) => tool.call(call, runs, &self.made, arguments).await,
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

/// Returns the name of a tool for what has this name.
fn plain(name: &str) -> String {
    let plain = |it: char| if it.is_ascii_alphanumeric() || matches!(it, '_' | '-') { it } else { '_' };
    name.chars().map(plain).take(MAX_NAME_BYTES).collect()
}

/// Returns whether a call needs no run: neither a process, nor a person, nor a place in the pool of a provider.
fn runs_in_daemon(native: &NodeType) -> bool {
    let is_here = matches!(native.spec.place, Place::Inline | Place::Daemon);
    is_here && !native.spec.name.starts_with("human.") && native.pool.is_none()
}

/// Returns the ports of a node type, and its outputs as they are declared.
fn ports(spec: &NodeTypeSpec, outputs: Option<&Value>) -> Result<(Vec<String>, Option<Json>), String> {
    match outputs {
        None => Ok((spec.outputs.keys().cloned().collect(), None)),
        Some(Value::Object(declared)) => {
            let types = declared.iter().map(|(name, ty)| (name.clone(), ty.to_json()));
            Ok((declared.keys().cloned().collect(), Some(Json::Object(types.collect()))))
        }
        Some(_) => Err("input `tools`: `outputs` is not an object".to_owned()),
    }
}
