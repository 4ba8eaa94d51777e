//! Tests the reducer with vectors that a client in another language can run too.
//!
//! `UPDATE_DOCS=1 cargo test -p fanlight-shared --test reducer` updates the states; review the changes.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::Path;

use fanlight_shared::event::{LiveEvent, Numbered};
use fanlight_shared::run_state::{Edges, RunState};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// A run, its events, and its state after each of them.
#[derive(Deserialize, Serialize)]
struct Vector {
    about: String,
    nodes: Vec<String>,
    edges: Vec<String>,
    steps: Vec<Step>,
}

#[derive(Deserialize, Serialize)]
struct Step {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    state: Option<Json>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    live: Option<Json>,
    #[serde(default)]
    after: Json,
}

#[test]
fn every_vector_folds_to_its_states() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reducer");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let mut vector: Vector = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let mut state = RunState::new(vector.nodes.clone()).with_edges(&Edges::new(vector.edges.clone()));
        for (at, step) in vector.steps.iter_mut().enumerate() {
            if let Some(event) = &step.state {
                state.fold(&serde_json::from_value::<Numbered>(event.clone()).unwrap());
            }
            if let Some(event) = &step.live {
                state.fold_live(&serde_json::from_value::<LiveEvent>(event.clone()).unwrap());
            }
            let after = serde_json::to_value(&state).unwrap();
            if std::env::var_os("UPDATE_DOCS").is_some() {
                step.after = after;
            } else {
                assert_eq!(step.after, after, "{name}, step {at}");
            }
        }
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(&path, serde_json::to_string_pretty(&vector).unwrap() + "\n").unwrap();
        }
        count += 1;
    }
    assert!(count >= 4, "{count} vectors");
}
