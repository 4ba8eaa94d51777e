//! The JSON Schema of the workflow file, for completion in editors.

use serde_json::{Map, Value as Json, json};

use crate::node_type::{Catalogue, DeclaredOutputs, InputSpec, NodeTypeSpec};
use crate::types::Type;

/// Returns the schema of the workflow file with these node types.
#[must_use]
pub fn schema(catalogue: &Catalogue) -> Json {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Fanlight workflow",
        "type": "object",
        "additionalProperties": false,
        "required": ["nodes"],
        "properties": {
            "id": { "type": "string", "format": "uuid", "description": "Finds the workflow when its file has moved" },
            "name": { "type": "string", "description": "The title for people" },
            "description": { "type": "string" },
            "params": {
                "type": "object",
                "description": "The inputs of a run",
                "propertyNames": { "pattern": NAME },
                "additionalProperties": { "$ref": "#/$defs/param" }
            },
            "matrix": {
                "type": "object",
                "description": "The sweep that this file proposes: values per param",
                "properties": {
                    "include": { "description": "Further combinations: maps from params to values" },
                    "exclude": { "description": "Combinations with all these values are left out: maps from params to values" }
                },
                "additionalProperties": {
                    "anyOf": [
                        { "type": "string", "description": "A range such as 1..6 or 0..1/0.25, or a,b,c" },
                        { "type": "array" },
                        { "type": ["number", "boolean"] }
                    ]
                }
            },
            "search": {
                "type": "object",
                "description": "The search that this file proposes: each run is proposed from the results of those before",
                "additionalProperties": false,
                "properties": {
                    "space": {
                        "type": "object",
                        "minProperties": 1,
                        "description": "Values per param",
                        "additionalProperties": {
                            "anyOf": [
                                { "type": "string", "description": "A range such as 2..8 or log:1e-5..1e-1, or a,b,c" },
                                { "type": "array" },
                                { "type": ["number", "boolean"] }
                            ]
                        }
                    },
                    "maximize": { "$ref": "#/$defs/objectives" },
                    "minimize": { "$ref": "#/$defs/objectives" },
                    "trials": { "type": "integer", "minimum": 1, "maximum": crate::search::MAX_TRIALS },
                    "sampler": { "enum": ["random", "grid", "sobol", "tpe"] },
                    "pruner": { "type": "string", "pattern": "^(median|asha)(:[0-9]+)?$" },
                    "seed": { "type": "integer" },
                    "parallel": { "type": "integer", "minimum": 1 }
                }
            },
            "pass_env": { "$ref": "#/$defs/variables", "description": "Variables of the submitter that every command gets" },
            "concurrency": { "type": "integer", "minimum": 1, "description": "How many runs of this workflow run at once" },
            "engine": { "type": "string", "description": "The engine of its commands: one of the config, or local" },
            "on_end": {
                "description": "What to do when a run or a sweep has ended",
                "anyOf": [
                    { "$ref": "#/$defs/on_end" },
                    { "type": "array", "items": { "$ref": "#/$defs/on_end" }, "maxItems": 20 }
                ]
            },
            "nodes": {
                "type": "object",
                "description": "The steps by name; edges come from ${{ node.port }}",
                "minProperties": 1,
                "maxProperties": super::NODE_LIMIT,
                "propertyNames": { "pattern": NAME },
                "additionalProperties": { "$ref": "#/$defs/node" }
            },
            "outputs": {
                "type": "object",
                "description": "The results of the workflow",
                "propertyNames": { "pattern": NAME }
            }
        },
        "$defs": {
            "name": { "type": "string", "pattern": NAME },
            "objectives": {
                "description": "Outputs or metrics",
                "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }]
            },
            "duration": { "type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?(ms|s|m|h)$", "examples": ["500ms", "10s", "5m", "2h"] },
            "variables": { "type": "array", "items": { "type": "string", "pattern": VARIABLE } },
            "expression": { "type": "string", "pattern": EXPRESSION },
            "type": {
                "type": "string",
                "pattern": "^(list<)*(text|int|float|bool|choice|json|file|dir|image|audio|video|any)>*$",
                "examples": Type::WORDS
            },
            "on_end": on_end(),
            "param": param(),
            "output": output(),
            "node": node(catalogue)
        }
    })
}

const NAME: &str = "^[a-z][a-z0-9_]*$";
const VARIABLE: &str = "^[A-Za-z_][A-Za-z0-9_]*$";
const SIZE: &str = "^[0-9]+ *([KMGT]?B|[KMGT]iB)$";
const EXPRESSION: &str = r"\$\{\{[\s\S]*\}\}";

fn on_end() -> Json {
    let texts = json!({ "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" }, "minItems": 1 }] });
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "of": { "enum": ["run", "sweep"], "description": "By default sweeps, and runs that belong to none" },
            "states": {
                "anyOf": [
                    { "enum": ["completed", "failed", "cancelled"] },
                    { "type": "array", "items": { "enum": ["completed", "failed", "cancelled"] } }
                ]
            },
            "command": texts,
            "webhook": { "type": "string", "pattern": "^https?://" },
            "token": { "type": "string", "description": "The secret that a webhook gets as bearer token" },
            "notify": { "const": true, "description": "Show a notification on the desktop" },
            "secrets": texts
        },
        "oneOf": [{ "required": ["command"] }, { "required": ["webhook"] }, { "required": ["notify"] }]
    })
}

fn param() -> Json {
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["type"],
        "properties": {
            "type": { "$ref": "#/$defs/type" },
            "default": { "description": "The default; without it the param is required" },
            "min": { "type": "number", "description": "Least number" },
            "max": { "type": "number", "description": "Greatest number" },
            "choices": { "type": "array", "minItems": 1, "items": { "type": ["string", "number", "boolean"] } },
            "description": { "type": "string" },
            "multiline": { "type": "boolean", "description": "Whether a form offers several lines for the text" }
        }
    })
}

fn output() -> Json {
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["type"],
        "oneOf": [{ "required": ["path"] }, { "required": ["glob"] }, { "required": ["json"] }, { "required": ["event"] }],
        "properties": {
            "path": { "type": "string", "description": "One file or folder below the work folder" },
            "glob": { "type": "string", "description": "Files below the work folder that match, in name order: a list" },
            "json": { "type": "string", "description": "A field of stdout as JSON, such as results.0.score; . is the whole document" },
            "event": { "const": true, "description": "The value that the command reports under this name in $FANLIGHT_EVENTS" },
            "type": { "$ref": "#/$defs/type" },
            "name": { "type": "string", "description": "The file name under which media is stored" },
            "unchanged": { "enum": ["take", "leave"], "description": "take: a glob under dir: includes files that the command left unchanged; leave, the default: it does not" }
        }
    })
}

fn node(catalogue: &Catalogue) -> Json {
    let names: Vec<&str> = catalogue.0.keys().map(String::as_str).collect();
    let summaries: Vec<Json> =
        catalogue.0.values().map(|spec| json!({ "const": spec.name, "description": spec.summary })).collect();
    let uses = if names.is_empty() { json!({ "type": "string" }) } else { json!({ "anyOf": summaries }) };
    json!({
        "type": "object",
        "additionalProperties": false,
        "oneOf": [{ "required": ["uses"] }, { "required": ["run"] }, { "required": ["cmd"] }],
        "properties": {
            "uses": uses,
            "run": { "type": "string", "description": "A script; never interpolated: inputs are environment variables" },
            "cmd": { "type": "array", "minItems": 1, "items": { "type": ["string", "number", "boolean"] }, "description": "A program and its arguments, without a shell" },
            "shell": { "anyOf": [{ "enum": ["bash", "sh", "python"] }, { "type": "array", "minItems": 1, "items": { "type": "string" } }] },
            "with": { "type": "object", "propertyNames": { "pattern": NAME }, "description": "Inputs by name" },
            "needs": { "anyOf": [{ "$ref": "#/$defs/name" }, { "type": "array", "items": { "$ref": "#/$defs/name" } }], "description": "Nodes that must end first" },
            "if": { "type": ["string", "boolean"], "description": "An expression; ${{ }} may be left out. The default is success()" },
            "each": { "anyOf": [{ "type": "string" }, { "type": "array" }, { "type": "object", "minProperties": 1 }], "description": "Runs the node once per item; item and index are available inside" },
            "retry": {
                "type": "object",
                "additionalProperties": false,
                "required": ["times"],
                "properties": {
                    "times": { "type": "integer", "minimum": 0, "maximum": 1000, "description": "Tries after the first" },
                    "backoff": { "$ref": "#/$defs/duration" },
                    "factor": { "type": "number", "minimum": 1, "maximum": 100 },
                    "max": { "$ref": "#/$defs/duration" }
                }
            },
            "timeout": { "$ref": "#/$defs/duration" },
            "resources": resources(),
            "pool": { "type": "string", "description": "A pool of the config" },
            "lock": { "type": "string", "description": "Attempts with the same lock never run at the same time, across runs and workflows" },
            "engine": { "type": "string", "description": "The engine that this command runs on: one of the config, or local" },
            "pass_env": { "$ref": "#/$defs/variables", "description": "Variables of the submitter that this command gets" },
            "env": { "type": "object", "propertyNames": { "pattern": VARIABLE } },
            "dir": dir(),
            "outputs": {
                "type": "object",
                "propertyNames": { "pattern": NAME },
                "description": "The outputs of a command, or of a node type that leaves them to the file"
            },
            "keep": { "type": "boolean", "description": "false: its media does not become assets; true: its other values become assets too" },
            "metrics": metrics(),
            "remember": remember(),
            "effects": { "enum": ["none", "idempotent", "external"] },
            "on_interrupt": { "enum": ["again", "fail"] },
            "on_item_error": { "enum": ["drop", "fail"] },
            "allow_failure": { "type": "boolean", "description": "Its failure does not fail the run" },
            "description": { "type": "string" }
        },
        "allOf": std::iter::once(command_outputs()).chain(catalogue.0.values().map(inputs)).collect::<Vec<_>>()
    })
}

fn dir() -> Json {
    let collect = json!({ "enum": ["patch", "files", "branch"] });
    let collect = json!({ "anyOf": [collect, { "type": "array", "items": collect }], "description": "What the command changed, as outputs of these names" });
    let patterns = json!({ "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }], "description": "What is not copied, such as target or **/*.o" });
    let own = |required: &str, properties: Json| json!({ "type": "object", "additionalProperties": false, "required": [required], "properties": properties });
    json!({ "description": "The folder in which a command runs", "anyOf": [
        { "type": "string", "description": "A folder relative to this file, which others use too" },
        own("copy", json!({ "copy": { "type": "string", "description": "A folder relative to this file, of which each attempt gets a copy" }, "exclude": patterns, "collect": collect })),
        own("worktree", json!({ "worktree": { "type": ["string", "number"], "description": "The revision of which each attempt gets a git work tree" }, "repo": { "type": "string", "description": "A folder of the repository, relative to this file" }, "collect": collect }))
    ] })
}

fn resources() -> Json {
    let expression = json!({ "$ref": "#/$defs/expression" });
    let size = |description: &str| json!({ "anyOf": [{ "type": "string", "pattern": SIZE, "examples": ["500 MB", "4GB", "16 GiB"] }, { "type": "integer" }, expression], "description": description });
    json!({
        "type": "object",
        "additionalProperties": false,
        "minProperties": 1,
        "description": "What an attempt needs of the machine: it starts when this much is free",
        "properties": {
            "cpus": { "anyOf": [{ "type": "number", "exclusiveMinimum": 0 }, expression], "description": "CPUs, or a part of one" },
            "memory": size("Memory"),
            "gpus": { "anyOf": [{ "type": "integer", "minimum": 1 }, { "type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1 }, expression], "description": "GPUs, or a part of one by its memory" },
            "time": { "anyOf": [{ "$ref": "#/$defs/duration" }, expression], "description": "How long it takes at most; its time limit unless it has a timeout" },
            "disk": size("Free disk space before it starts")
        }
    })
}

fn metrics() -> Json {
    let source = json!({
        "type": "object",
        "additionalProperties": false,
        "oneOf": [{ "required": ["file"] }, { "required": ["stdout"] }, { "required": ["tensorboard"] }],
        "properties": {
            "file": { "type": "string", "description": "A file below the folder of the command, as CSV or JSON lines" },
            "stdout": { "type": "string", "description": "A regular expression whose named groups are metrics" },
            "tensorboard": { "type": "string", "description": "A folder below the folder of the command, with event files of TensorBoard" },
            "columns": { "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }], "description": "The columns of the file, or the scalars of the event files, that are metrics; all with numbers by default" },
            "step": { "type": "string", "description": "The column or the group with the step; `step` by default" },
            "goal": { "type": "object", "additionalProperties": { "enum": ["min", "max"] }, "description": "Whether the smallest or the largest value is the best" }
        }
    });
    json!({
        "description": "Where a command writes numbers that become metrics, besides $FANLIGHT_EVENTS",
        "anyOf": [source, { "type": "array", "items": source }]
    })
}

fn remember() -> Json {
    let list = |items: Json, description: &str| json!({ "anyOf": [{ "type": "string" }, { "type": "array", "items": items }], "description": description });
    json!({
        "description": "Reuses the result of a command whenever everything is the same that it depends on",
        "anyOf": [{ "type": "boolean" }, {
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "files": list(json!({ "type": "string" }), "Files below the folder of this file that it reads, such as src/**"),
                "env": list(json!({ "type": "string", "pattern": VARIABLE }), "Variables of the daemon that it reads"),
                "tools": list(json!({ "type": "string" }), "Programs that it starts, such as ffmpeg")
            }
        }]
    })
}

/// Returns the schema of `outputs` for a command.
fn command_outputs() -> Json {
    let outputs = json!({ "additionalProperties": { "$ref": "#/$defs/output" } });
    json!({ "if": { "not": { "required": ["uses"] } }, "then": { "properties": { "outputs": outputs } } })
}

/// Returns the schema of `outputs` for a native node that may declare them.
fn declared_outputs(declared: DeclaredOutputs) -> Json {
    let media = match declared {
        DeclaredOutputs::Values => json!({ "not": { "pattern": "file|dir|image|audio|video" } }),
        DeclaredOutputs::Any => json!({}),
    };
    let ty = json!({ "allOf": [{ "$ref": "#/$defs/type" }, media] });
    let map = json!({ "type": "object", "additionalProperties": false, "required": ["type"], "properties": { "type": ty } });
    json!({ "minProperties": 1, "additionalProperties": { "anyOf": [ty, map] } })
}

/// Returns the schema of `with` and `outputs` for a node of this type.
fn inputs(spec: &NodeTypeSpec) -> Json {
    let properties: Map<String, Json> =
        spec.inputs.iter().map(|(name, input)| (name.clone(), input_schema(input))).collect();
    let required: Vec<&str> =
        spec.inputs.iter().filter(|(_, input)| input.required()).map(|(name, _)| name.as_str()).collect();
    let with =
        json!({ "additionalProperties": spec.more_inputs, "properties": properties, "required": required });
    let mut then = json!({ "properties": { "with": with } });
    if !required.is_empty() {
        then["required"] = json!(["with"]);
    }
    if let Some(declared) = spec.declared_outputs {
        then["properties"]["outputs"] = declared_outputs(declared);
    }
    json!({
        "if": { "required": ["uses"], "properties": { "uses": { "const": spec.name } } },
        "then": then
    })
}

fn input_schema(input: &InputSpec) -> Json {
    let mut literal = type_schema(&input.ty, &input.choices);
    if let Some(object) = literal.as_object_mut() {
        if let Some(min) = input.min {
            object.insert("minimum".into(), json!(min));
        }
        if let Some(max) = input.max {
            object.insert("maximum".into(), json!(max));
        }
    }
    let mut schema = if literal == json!({}) {
        json!({})
    } else {
        json!({ "anyOf": [literal, { "$ref": "#/$defs/expression" }] })
    };
    schema["description"] = json!(format!("{} ({})", input.summary, input.ty));
    if let Some(default) = &input.default {
        schema["default"] = default.to_json();
    }
    schema
}

fn type_schema(ty: &Type, choices: &[String]) -> Json {
    match ty {
        Type::Choice | Type::Text if !choices.is_empty() => json!({ "enum": choices }),
        Type::Text | Type::Choice => json!({ "type": ["string", "number", "boolean"] }),
        Type::Int => json!({ "type": "integer" }),
        Type::Float => json!({ "type": "number" }),
        Type::Bool => json!({ "type": "boolean" }),
        Type::Media(_) => json!({ "$ref": "#/$defs/expression" }),
        Type::List(of) => match type_schema(of, choices) {
            items if items == json!({}) => json!({ "type": "array" }),
            items => {
                json!({ "type": "array", "items": { "anyOf": [items, { "$ref": "#/$defs/expression" }] } })
            }
        },
        Type::Json | Type::Any => json!({}),
    }
}
