//! Validates documents and frames against the published schemas, with a third-party validator.

#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "documents/catalogue.rs"]
mod catalogue;

use std::fs;
use std::path::{Path, PathBuf};

use fanlight_shared::{document, rpc};
use jsonschema::Validator;
use serde_json::{Value as Json, json};

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// Returns the workflow files of a folder that are valid YAML, as an editor sees them.
fn documents(folder: &str) -> Vec<(String, Json)> {
    let yaml = files(folder).into_iter().filter(|path| path.extension().is_some_and(|it| it == "yaml"));
    let read = |path: PathBuf| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        Some((name, yaml_serde::from_str(&fs::read_to_string(&path).unwrap()).ok()?))
    };
    yaml.filter_map(read).collect()
}

fn complaints(validator: &Validator, document: &Json) -> Vec<String> {
    validator.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

fn workflow() -> Validator {
    jsonschema::validator_for(&document::schema(&catalogue::catalogue())).unwrap()
}

#[test]
fn valid_files_match_the_schema_of_workflow_files() {
    let validator = workflow();
    let good = documents("good");
    assert!(good.len() >= 3, "{} good files", good.len());
    for (name, document) in good {
        assert_eq!(complaints(&validator, &document), Vec::<String>::new(), "{name}");
    }
}

/// The mistakes that an editor marks while typing; the other bad files need more than a schema.
const CAUGHT: &[&str] = &[
    "bad_cmd",
    "bad_duration",
    "bad_env",
    "bad_input",
    "bad_isolation",
    "bad_metrics",
    "bad_name",
    "bad_on_end",
    "bad_retry",
    "comment_cuts_expression",
    "control_characters",
    "declared_outputs",
    "empty_file",
    "empty_search_space",
    "foreign_action",
    "foreign_node_keys",
    "foreign_param_words",
    "foreign_top_keys",
    "foreign_uses",
    "merge_key",
    "missing_input",
    "missing_type",
    "no_action",
    "no_nodes",
    "node_is_text",
    "not_a_map",
    "output_source",
    "path_for_media",
    "remember",
    "secrets",
    "separate_dir",
    "too_deep",
    "unknown_input",
    "unknown_node_key",
    "unknown_node_type",
    "unknown_shell",
    "unknown_top_key",
    "unknown_word",
    "yaml_bool",
];

#[test]
fn invalid_files_that_a_schema_can_catch_do_not_match() {
    let validator = workflow();
    let bad = documents("bad");
    let caught: Vec<&str> = bad
        .iter()
        .filter(|(_, document)| !validator.is_valid(document))
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(caught, CAUGHT);
}

/// Returns a validator for a part of the published protocol schema.
fn protocol(part: &Json) -> Validator {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/protocol.schema.json");
    let published: Json = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let schema = json!({ "$schema": published["$schema"], "$defs": published["$defs"], "allOf": [part] });
    jsonschema::validator_for(&schema).unwrap()
}

#[test]
fn recorded_frames_match_the_schema_of_the_protocol() {
    let schema = rpc::schema::schema();
    let mut seen = 0;
    for path in files("frames/v1") {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let frames: Vec<Json> = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        for frame in frames {
            let parts = match schema["methods"].get(&name) {
                Some(method) => {
                    vec![(&method["params"], &frame["params"]), (&method["result"], &frame["result"])]
                }
                None => vec![(&schema[&name], &frame)],
            };
            for (part, message) in parts {
                assert_eq!(complaints(&protocol(part), message), Vec::<String>::new(), "{name}: {message}");
                seen += 1;
            }
        }
    }
    assert!(seen > 50, "{seen} messages");
}

#[test]
fn a_message_with_a_mistake_does_not_match() {
    let schema = rpc::schema::schema();
    let get = protocol(&schema["methods"]["runs.get"]["params"]);
    assert!(get.is_valid(&json!({ "run": "poster#12" })));
    assert!(!get.is_valid(&json!({ "ran": "poster#12" })));
    assert!(!get.is_valid(&json!({ "run": 12 })));
    let event = protocol(&schema["event"]);
    assert!(event.is_valid(&json!({ "channel": "bye", "reason": "it was stopped" })));
    assert!(!event.is_valid(&json!({ "channel": "by", "reason": "it was stopped" })));
    assert!(!event.is_valid(&json!({ "channel": "bye" })));
}
