//! Fixtures of the UI's tests: models in every state, and their screens as text.

mod made;
mod picture;

use std::sync::Arc;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use fanlight_shared::event::Queue;
use fanlight_shared::rpc::daemon::HelloResponse;
use fanlight_shared::rpc::watch::Notification;
use fanlight_shared::run::{Run, RunStatus};
use fanlight_shared::run_state::RunState;
use fanlight_shared::time::Time;
use fanlight_shared::workflow::Workflow;

use super::document::{Document, Source};
use super::effect::Effect;
use super::keymap::Key;
use super::message::{Link, Message};
use super::model::lens::Shown;
use super::model::workflow::OpenWorkflow;
use super::model::{Model, Options};
use super::theme::Theme;
use super::update::update;
use super::view;
pub(crate) use made::{asset, asset_id, run, run_id, state, workflow_id};
pub(crate) use picture::{draw, shot};

/// The current time of the tests.
pub(crate) const NOW: Time = Time(1_800_000_000_000);

/// Four nodes: two sources, one in the middle, one that joins them.
pub(crate) const POSTER: &str = r#"name: Seaside poster
params:
  place: { type: text, default: Brighton }
  seed: { type: int, default: 1, min: 0 }
nodes:
  sky:
    run: make-sky
    with: { seed: "${{ params.seed }}" }
    outputs: { image: { path: sky.png, type: image } }
  title:
    run: make-title
    with: { place: "${{ params.place }}" }
  framed:
    run: make-frame
    with: { image: "${{ sky.image }}" }
    outputs: { image: { path: framed.png, type: image } }
  poster:
    run: make-poster
    with: { image: "${{ framed.image }}", text: "${{ title.stdout }}" }
    outputs: { image: { path: poster.png, type: image } }
outputs:
  poster: "${{ poster.image }}"
"#;

/// Returns a checked workflow; its nodes are commands, so no node type is needed.
pub(crate) fn workflow(text: &str) -> Arc<Workflow> {
    let catalogue = fanlight_shared::node_type::Catalogue::default();
    let checked = fanlight_shared::document::read(text, &catalogue);
    Arc::new(checked.unwrap_or_else(|problems| panic!("{problems:?}")).workflow)
}

/// Returns the graph of a workflow, laid out as if no node type was known.
pub(crate) fn laid_out(workflow: &Workflow) -> Arc<super::graph::Layout> {
    Arc::new(super::graph::layout(workflow, &fanlight_shared::node_type::Catalogue::default()))
}

/// Returns a connected model without a workflow.
pub(crate) fn connected() -> Model {
    let mut model = Model::new(Options { motion: false, ..Options::default() });
    model.now = NOW;
    model.size = (120, 40);
    model.link = Link::Up(HelloResponse {
        protocol: 1,
        version: "0.1.0".to_owned(),
        instance: "one".to_owned(),
        limits: fanlight_shared::rpc::daemon::Limits::default(),
        banners: Vec::new(),
    });
    model
}

/// Returns a connected model with [`POSTER`] on screen that never ran.
pub(crate) fn opened() -> Model {
    let mut model = connected();
    let workflow = workflow(POSTER);
    let document = Document {
        source: Source::File("/home/ada/poster.yaml".into()),
        path: Some("/home/ada/poster.yaml".into()),
        example: None,
        workflow_id: Some(workflow_id()),
        name: "poster.yaml".to_owned(),
        text: POSTER.into(),
        workflow: Some(workflow),
        problems: Vec::new(),
    };
    model.workflow = Some(OpenWorkflow { document, layout: None });
    model
}

/// Returns [`opened`], with these runs in the registry and the lens on the focused one.
pub(crate) fn with_runs(runs: &[Run]) -> Model {
    let mut model = opened();
    let count = |state: RunStatus| {
        u32::try_from(runs.iter().filter(|run| run.state == state).count()).unwrap_or(u32::MAX)
    };
    let queue = Queue {
        max_concurrent_runs: 8,
        paused: false,
        running: count(RunStatus::Running),
        queued: count(RunStatus::Queued),
    };
    let (ended, active): (Vec<Run>, Vec<Run>) = runs.iter().cloned().partition(|run| run.state.is_ended());
    model.projection.apply(&mut Notification::Registry {
        seq: 1,
        runs: active,
        runs_left: 0,
        queue,
        paused: indexmap::IndexMap::new(),
        banners: Vec::new(),
    });
    model.projection.add(ended);
    focus(&mut model);
    // The subscription exists before the test begins.
    let (columns, rows) = model.size;
    let _ = update(&mut model, Message::Resize(columns, rows));
    model
}

/// Returns a run in every state, the lens on the running one.
pub(crate) fn busy() -> Model {
    with_runs(&[
        run(1, RunStatus::Completed),
        run(2, RunStatus::Failed),
        run(3, RunStatus::Cancelled),
        run(4, RunStatus::Completed),
        run(5, RunStatus::Running),
        run(6, RunStatus::Queued),
        run(7, RunStatus::Queued),
    ])
}

/// Focuses the run, as its snapshot does.
pub(crate) fn focus(model: &mut Model) {
    let of = model.workflow_id().and_then(|workflow| model.projection.focus(workflow));
    let run = of.and_then(|id| model.projection.run(id)).cloned();
    model.shown = run.map(|run| {
        let id = run.id;
        let state = state(&run);
        model.projection.put(run, state);
        Shown { run: id, workflow: Some(workflow(POSTER)), layout: None }
    });
}

/// Changes the state of the shown run.
pub(crate) fn change_state(model: &mut Model, change: impl FnOnce(&mut RunState)) {
    let Some((run, mut state)) = model.lens().map(|lens| (lens.run.clone(), lens.state.clone())) else {
        return;
    };
    change(&mut state);
    model.projection.put(run, state);
}

/// Presses keys, written as in a keymap file. Returns all effects.
pub(crate) fn press(model: &mut Model, keys: &str) -> Vec<Effect> {
    let mut effects = Vec::new();
    for key in keys.split_whitespace() {
        let key: Key = key.parse().unwrap_or_else(|error| panic!("{error}"));
        effects.extend(update(model, Message::Key(key.event())));
    }
    effects
}

/// Types text, key by key.
pub(crate) fn write(model: &mut Model, text: &str) -> Vec<Effect> {
    let keys = text.chars().map(|it| KeyEvent::new(KeyCode::Char(it), KeyModifiers::NONE));
    keys.flat_map(|key| update(model, Message::Key(key))).collect()
}

/// Returns the whole screen as text and styles.
pub(crate) fn screen(model: &mut Model, columns: u16, rows: u16) -> String {
    model.size = (columns, rows);
    draw(columns, rows, |area, buffer| {
        model.areas = view::view(model, &Theme::default(), area, buffer);
        // The position of the terminal's cursor.
        if let Some(cell) = model.areas.caret.and_then(|caret| buffer.cell_mut(caret)) {
            cell.modifier.insert(ratatui::style::Modifier::REVERSED);
        }
    })
}

/// Paints the whole screen and informs the update, as the event loop does. Returns the effects.
pub(crate) fn paint(model: &mut Model, columns: u16, rows: u16) -> Vec<Effect> {
    screen(model, columns, rows);
    let areas = model.areas.clone();
    update(model, Message::Shown(Box::new(areas)))
}

/// Delivers a response.
pub(crate) fn response(model: &mut Model, response: super::message::Response) -> Vec<Effect> {
    update(model, Message::Response(Box::new(response)))
}

/// Delivers the registry as it is known, which says that changes may have been missed.
pub(crate) fn missed(model: &mut Model) -> Vec<Effect> {
    let registry = Notification::Registry {
        seq: 1,
        runs: model.projection.active().cloned().collect(),
        runs_left: 0,
        queue: model.projection.queue(),
        paused: indexmap::IndexMap::new(),
        banners: Vec::new(),
    };
    update(model, Message::Notification(Box::new(registry)))
}

/// Lets a request fail with the daemon up.
pub(crate) fn fail(model: &mut Model, request: Effect, error: &str) -> Vec<Effect> {
    let (request, error) = (Box::new(request), error.to_owned());
    response(model, super::message::Response::Failed { request, error, why: super::message::Why::Other })
}
