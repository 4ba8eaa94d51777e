//! Tools that are runs: of a node type that does not run in the daemon, of a workflow, of a shell command. So a tool has what
//! every run has: pools and limits, a process that the supervisor holds, a log, a cost, and an end with its parent.

use fanlight_shared::node_type::InputSpec;
use fanlight_shared::run::AttemptEnd;
use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values};
use serde_json::{Map, Value as Json, json};

use super::ToolResult;
use super::given::{self, Inputs};
use super::made::MadeFiles;
use crate::child::Source;
use crate::content;
use crate::file_error::FileError;
use crate::node_type::NodeCall;
use crate::node_type::llm::runs::Runs;

/// How long a command may take, unless the tool says otherwise, in seconds.
pub(super) const SHELL_SECONDS: f64 = 120.0;
/// The input of an agent that limits its cost.
const LIMIT: &str = "max_cost_usd";
/// The longest command, in characters: it becomes a variable.
const MAX_COMMAND: usize = 32 << 10;
/// Gives the output of a command up to 60,000 bytes, and how it ended. The command is a variable, never a part of this script.
const SHELL: &str = r#"cd -- "$folder"
# What is not UTF-8, such as half a character at the cut, is left out.
text() { if command -v iconv >/dev/null; then iconv -c -f UTF-8 -t UTF-8 2>/dev/null || :; else cat; fi; }
{
    code=0
    sh -c "$command" 2>&1 < /dev/null || code=$?
    printf '{"type":"output","name":"code","value":%d}\n' "$code" >> "$FANLIGHT_EVENTS"
} | {
    head -c 60000 | text
    rest=$(wc -c)
    [ "$rest" -eq 0 ] || printf '\n(cut: there is more)\n'
}
"#;

/// A tool that is a run.
pub(super) struct RunTool {
    name: String,
    kind: Kind,
    pub(super) inputs: Inputs,
    pub(super) fixed: Values,
}

/// What it runs.
pub(super) enum Kind {
    /// A workflow file.
    File(String),
    /// A node type with these ports, and with the outputs that are declared.
    Type { name: String, ports: Vec<String>, outputs: Option<Json> },
    /// Commands in a folder, each for at most this many seconds.
    Shell { folder: String, seconds: f64 },
}

impl RunTool {
    /// Creates a tool.
    ///
    /// # Errors
    /// An input that the model can't choose is wrong, or is built from a secret: what a run gets is stored with it.
    pub(super) fn new(
        name: &str,
        kind: Kind,
        inputs: Inputs,
        mut fixed: Values,
        call: &NodeCall,
    ) -> Result<Self, String> {
        given::check_fixed(&inputs, &mut fixed, name)?;
        let tool = Self { name: name.to_owned(), kind, inputs, fixed };
        check_secrets(&tool.fixed, call).map_err(|why| format!("input `tools`: `{name}`: {why}"))?;
        Ok(tool)
    }

    /// Calls it. The outer error ends the node.
    pub(super) async fn call(
        &self,
        call: &NodeCall,
        runs: &Runs,
        made: &MadeFiles,
        arguments: Json,
    ) -> Result<ToolResult, FileError> {
        let given = given::values(&self.inputs, &self.fixed, arguments, made)
            .and_then(|given| check_secrets(&given, call).map(|()| given));
        let started = given.and_then(|given| self.source(self.limited(given, call)));
        let (source, params) = match started {
            Ok(started) => started,
            Err(why) => return Ok(Err(why)),
        };
        let outcome = runs.run(call, source, params).await?;
        let error = outcome.error.as_ref().map_or("it failed", |error| error.message.as_str());
        match outcome.end {
            AttemptEnd::Completed => {}
            AttemptEnd::Failed => return Ok(Err(error.to_owned())),
            AttemptEnd::Lost => return Err(format!("nobody saw the end of a tool: {error}").into()),
            _ => return Err("cancelled".into()),
        }
        let outputs = match outcome.values.get("outputs") {
            Some(Value::Object(outputs)) => outputs.clone(),
            _ => Values::new(),
        };
        let blobs = call.blobs.clone();
        let read = move || Ok(content::whole(outputs.clone(), &blobs)?);
        let outputs = call.services.blocking(read).await?;
        Ok(match self.kind {
            Kind::Shell { .. } => shell_result(&outputs),
            _ => Ok(made.take(&outputs, outcome.blobs)),
        })
    }

    /// Returns the inputs with the limit of the cost: a model with tools has what its agent has left, if that is less.
    fn limited(&self, mut given: Values, call: &NodeCall) -> Values {
        let is_model = matches!(&self.kind, Kind::Type { name, .. } if name == "llm.agent");
        let limit = |values: &Values| values.get(LIMIT).and_then(Value::as_float);
        if let Some(max) = limit(&call.inputs).filter(|_| is_model) {
            let spent =
                [call.services.cost_usd(), call.attempt.spent_before].into_iter().flatten().sum::<f64>();
            let left = (max - spent).max(0.0);
            given.insert(LIMIT.to_owned(), limit(&given).map_or(left, |own| own.min(left)).into());
        }
        given
    }

    /// Returns what is run with these inputs.
    fn source(&self, mut given: Values) -> Result<(Source, Values), String> {
        let document = match &self.kind {
            Kind::File(file) => return Ok((Source::File(file.clone()), given)),
            Kind::Shell { folder, seconds } => {
                given.insert("folder".to_owned(), folder.as_str().into());
                shell(*seconds)
            }
            Kind::Type { name, ports, outputs } => self.of_type(name, ports, outputs.as_ref(), &mut given)?,
        };
        Ok((Source::Document { text: document.to_string(), tool: self.name.clone() }, given))
    }

    /// Returns a workflow of one node, whose inputs are params. Code is written into it, as into every file, and leaves `given`.
    fn of_type(
        &self,
        name: &str,
        ports: &[String],
        outputs: Option<&Json>,
        given: &mut Values,
    ) -> Result<Json, String> {
        let (mut params, mut with) = (Map::new(), Map::new());
        let is_code = |input: &str| self.inputs.get(input).is_some_and(|it| it.code.is_some());
        for input in given.keys().cloned().collect::<Vec<_>>() {
            if is_code(&input) {
                let code = given.shift_remove(&input).unwrap_or_default();
                let code = code.as_text().ok_or_else(|| format!("`{input}` is not a text"))?;
                if code.contains("${{") {
                    return Err(format!("`{input}` can't contain `${{{{`"));
                }
                with.insert(input, code.into());
                continue;
            }
            let ty =
                self.inputs.get(&input).map(|it| &it.ty).filter(|ty| ty.has_media()).unwrap_or(&Type::Any);
            params.insert(input.clone(), json!({"type": ty.to_string()}));
            with.insert(input.clone(), format!("${{{{ params.{input} }}}}").into());
        }
        let node: String = name.chars().map(|it| if it.is_ascii_alphanumeric() { it } else { '_' }).collect();
        let mut action = json!({"uses": name, "with": with});
        if let Some(outputs) = outputs {
            action["outputs"] = outputs.clone();
        }
        let port = |port: &String| (port.clone(), format!("${{{{ {node}.{port} }}}}").into());
        let taken: Map<String, Json> = ports.iter().map(port).collect();
        Ok(json!({"name": self.name, "params": params, "nodes": {&node: action}, "outputs": taken}))
    }
}

fn shell(seconds: f64) -> Json {
    json!({
        "name": "shell",
        "params": {"command": {"type": "text"}, "folder": {"type": "text"}},
        "nodes": {"shell": {
            "with": {"command": "${{ params.command }}", "folder": "${{ params.folder }}"},
            "run": SHELL,
            "shell": "sh",
            "engine": "local",
            "timeout": format!("{}ms", (seconds * 1000.0).ceil()),
            "outputs": {"code": {"event": true, "type": "int"}},
        }},
        "outputs": {"output": "${{ shell.stdout }}", "exit_code": "${{ shell.code }}"},
    })
}

/// Returns the only input of a shell that its model chooses.
pub(super) fn shell_inputs() -> Inputs {
    let command = InputSpec {
        ty: Type::Text,
        summary: format!("A command for `sh`, at most {MAX_COMMAND} characters."),
        default: None,
        optional: false,
        min: None,
        max: None,
        choices: Vec::new(),
        code: None,
        secret: false,
    };
    Inputs::from([("command".to_owned(), command)])
}

/// Returns the result of a command as a model reads it.
fn shell_result(outputs: &Values) -> ToolResult {
    let output = outputs.get("output").and_then(Value::as_text).unwrap_or_default();
    match outputs.get("exit_code") {
        Some(Value::Int(0)) => Ok(output.to_owned()),
        Some(Value::Int(code)) => Err(format!("exit code {code}\n{output}")),
        _ => Err(format!("nobody saw how the command ended\n{output}")),
    }
}

/// Refuses secrets: what a run gets is stored with it.
fn check_secrets(values: &Values, call: &NodeCall) -> Result<(), String> {
    let found =
        values.iter().find_map(|(name, value)| Some((name, call.attempt.secrets.find_in_value(value)?)));
    match found {
        Some((name, secret)) => Err(format!(
            "input `{name}` contains the secret `{secret}`, and what a run gets is stored; let the workflow use the secret"
        )),
        None => Ok(()),
    }
}
