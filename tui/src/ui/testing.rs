//! What the tests of the UI are told with: models in every state, and pictures of them as text.

use std::sync::Arc;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use fanlight_shared::asset::{Asset, AssetKind, PreviewState};
use fanlight_shared::event::{EdgeActivity, NodeError, Progress, Queue};
use fanlight_shared::id::{AssetId, RunId, SubmissionId, Version, WorkflowId};
use fanlight_shared::item::ItemPath;
use fanlight_shared::rpc::daemon::HelloAnswer;
use fanlight_shared::run::{AttemptEnd, NodeStatus, Run, RunStatus};
use fanlight_shared::run_state::{Attempt, RunState};
use fanlight_shared::time::Time;
use fanlight_shared::value::Value;
use fanlight_shared::workflow::Workflow;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};

use super::effect::Effect;
use super::keymap::Key;
use super::message::{Document, Link, Message};
use super::model::{Lens, Model, OpenWorkflow, Options};
use super::theme::Theme;
use super::update::update;
use super::view;

/// The moment in which the tests happen.
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

/// A checked workflow; its nodes are commands, so no node type is needed.
pub(crate) fn workflow(text: &str) -> Arc<Workflow> {
    let catalogue = fanlight_shared::node_type::Catalogue::default();
    let checked = fanlight_shared::document::read(text, &catalogue);
    Arc::new(checked.unwrap_or_else(|problems| panic!("{problems:?}")).workflow)
}

/// The same id for the same number, so that pictures of ids stay the same.
pub(crate) fn run_id(number: u32) -> RunId {
    RunId::from_bytes(bytes(1, number))
}

/// The workflow's id of all tests.
pub(crate) fn workflow_id() -> WorkflowId {
    WorkflowId::from_bytes(bytes(2, 0))
}

/// The same id for the same number.
pub(crate) fn asset_id(number: u32) -> AssetId {
    AssetId::from_bytes(bytes(3, number))
}

fn bytes(kind: u8, number: u32) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[0] = kind;
    bytes[12..].copy_from_slice(&number.to_be_bytes());
    bytes
}

/// A run of [`POSTER`] in a state; each is a submission of its own.
pub(crate) fn run(number: u32, state: RunStatus) -> Run {
    let started = state != RunStatus::Queued;
    let at = NOW.0 - 60_000 + i64::from(number) * 1_000;
    Run {
        id: run_id(number),
        workflow: "poster".to_owned(),
        number,
        label: format!("seed={number}"),
        state,
        params: [
            ("place".to_owned(), Value::Text("Brighton".to_owned())),
            ("seed".to_owned(), Value::Int(i64::from(number))),
        ]
        .into_iter()
        .collect(),
        submitted_at: Time(at),
        started_at: started.then_some(Time(at + 100)),
        ended_at: state.is_ended().then_some(Time(at + 5_300)),
        error: (state == RunStatus::Failed).then(|| "framed failed: exit code 1".to_owned()),
        workflow_id: workflow_id(),
        title: "Seaside poster".to_owned(),
        version: Version::of(POSTER),
        submission: SubmissionId::from_bytes(bytes(4, number)),
        index: 0,
        start_order: started.then_some(u64::from(number)),
        resumed_from: None,
        nodes_done: match state {
            RunStatus::Completed => 4,
            RunStatus::Queued => 0,
            _ => 2,
        },
        nodes: 4,
        position: None,
    }
}

/// What is known of a run of [`POSTER`]: in the middle of it, done, failed, or nothing yet.
pub(crate) fn state(run: &Run) -> RunState {
    let mut state = RunState::new(["sky", "title", "framed", "poster"]);
    state.status = run.state;
    state.started_at = run.started_at;
    state.ended_at = run.ended_at;
    state.error.clone_from(&run.error);
    let Some(started) = run.started_at else { return state };
    set(&mut state, "sky", NodeStatus::Completed, started);
    set(&mut state, "title", NodeStatus::Completed, started);
    if let Some(title) = state.nodes.get_mut("title") {
        title.whole.outputs.insert("stdout".to_owned(), Value::Text("Greetings from Brighton".to_owned()));
    }
    match run.state {
        RunStatus::Running | RunStatus::Cancelling => {
            set(&mut state, "framed", NodeStatus::Running, started);
            if let Some(framed) = state.nodes.get_mut("framed") {
                framed.whole.progress =
                    Some(Progress { fraction: Some(0.6), message: Some("18/30".to_owned()) });
            }
            state.edges.insert("sky.image>framed.image".to_owned(), EdgeActivity { active: true, count: 0 });
        }
        RunStatus::Completed => {
            set(&mut state, "framed", NodeStatus::Completed, started);
            set(&mut state, "poster", NodeStatus::Completed, started);
        }
        RunStatus::Failed => {
            set(&mut state, "framed", NodeStatus::Failed, started);
            set(&mut state, "poster", NodeStatus::Skipped, started);
            if let Some(framed) = state.nodes.get_mut("framed") {
                framed.whole.error = Some(NodeError {
                    message: "exit code 1".to_owned(),
                    exit_code: Some(1),
                    last_line: Some("convert: no such file sky.png".to_owned()),
                });
            }
        }
        RunStatus::Cancelled => {
            set(&mut state, "framed", NodeStatus::Cancelled, started);
            set(&mut state, "poster", NodeStatus::Cancelled, started);
        }
        RunStatus::Queued => {}
    }
    state
}

fn set(state: &mut RunState, node: &str, status: NodeStatus, started: Time) {
    let Some(node) = state.nodes.get_mut(node) else { return };
    let ended = status.is_ended().then(|| Time(started.0 + 420));
    node.whole.status = status;
    node.whole.ended_at = ended;
    if status != NodeStatus::Skipped {
        node.whole.attempts.push(Attempt {
            number: 1,
            id: None,
            started_at: started,
            ended_at: ended,
            end: ended.map(|_| match status {
                NodeStatus::Failed => AttemptEnd::Failed,
                NodeStatus::Cancelled => AttemptEnd::Cancelled,
                _ => AttemptEnd::Completed,
            }),
            error: None,
            cost_usd: None,
        });
    }
}

/// A product of a run.
pub(crate) fn asset(number: u32, of: &Run, node: &str, kind: AssetKind) -> Asset {
    let value = match kind {
        AssetKind::Number => Value::Float(f64::from(number) / 8.0),
        _ => Value::Text(format!("text {number}")),
    };
    Asset {
        id: asset_id(number),
        workflow: of.workflow.clone(),
        run: of.name(),
        node: node.to_owned(),
        item: ItemPath::WHOLE,
        port: "image".to_owned(),
        kind,
        mime: if kind == AssetKind::Image { "image/png" } else { "text/plain" }.to_owned(),
        bytes: 12_345,
        name: format!("{node}.png"),
        created_at: NOW,
        starred: false,
        ordinal: 0,
        workflow_id: of.workflow_id,
        run_id: of.id,
        value,
        preview: PreviewState::None,
    }
}

/// A connected model without a workflow.
pub(crate) fn connected() -> Model {
    let mut model = Model::new(Options { motion: false, ..Options::default() });
    model.now = NOW;
    model.size = (120, 40);
    model.link = Link::Up(HelloAnswer {
        protocol: 1,
        version: "0.1.0".to_owned(),
        instance: "one".to_owned(),
        banners: Vec::new(),
    });
    model
}

/// A connected model with [`POSTER`] on screen that never ran.
pub(crate) fn opened() -> Model {
    let mut model = connected();
    let workflow = workflow(POSTER);
    let document = Document {
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

/// [`opened`], with these runs in the registry and the lens on the one that has the focus.
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
    model.registry.snapshot(active, queue);
    model.registry.know(ended);
    focus(&mut model);
    // What is watched was asked for before the story begins.
    let _ = super::lens::follow(&mut model);
    model
}

/// A run in every state, the lens on the running one.
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

/// Puts the run that has the focus under the lens, as its snapshot does.
pub(crate) fn focus(model: &mut Model) {
    let of = model.workflow_id().and_then(|workflow| model.registry.focus(workflow));
    model.lens = of.and_then(|id| model.registry.run(id)).map(|run| Lens {
        run: run.clone(),
        state: state(run),
        workflow: Some(workflow(POSTER)),
        layout: None,
    });
}

/// Presses keys, written as in a keymap file; answers all effects.
pub(crate) fn press(model: &mut Model, keys: &str) -> Vec<Effect> {
    let mut effects = Vec::new();
    for key in keys.split_whitespace() {
        let key: Key = key.parse().unwrap_or_else(|error| panic!("{error}"));
        effects.extend(update(model, Message::Key(key.event())));
    }
    effects
}

/// Writes text, a key after the other.
pub(crate) fn write(model: &mut Model, text: &str) -> Vec<Effect> {
    let keys = text.chars().map(|it| KeyEvent::new(KeyCode::Char(it), KeyModifiers::NONE));
    keys.flat_map(|key| update(model, Message::Key(key))).collect()
}

/// The whole screen as text and styles.
pub(crate) fn screen(model: &mut Model, columns: u16, rows: u16) -> String {
    model.size = (columns, rows);
    draw(columns, rows, |area, buffer| {
        model.areas = view::view(model, &Theme::default(), area, buffer);
    })
}

/// Paints the whole screen and lets the update know, as the loop does; answers what it then asks for.
pub(crate) fn paint(model: &mut Model, columns: u16, rows: u16) -> Vec<Effect> {
    screen(model, columns, rows);
    let areas = model.areas.clone();
    update(model, Message::Shown(Box::new(areas)))
}

/// Lets an answer come.
pub(crate) fn came(model: &mut Model, came: super::message::Came) -> Vec<Effect> {
    update(model, Message::Came(Box::new(came)))
}

/// Lets a request fail, though the daemon is there.
pub(crate) fn fail(model: &mut Model, request: Effect, error: &str) -> Vec<Effect> {
    let (request, error) = (Box::new(request), error.to_owned());
    came(model, super::message::Came::Failed { request, error, why: super::message::Why::Other })
}

/// What a block draws: its text, then a letter per cell for its style (a capital is bold; `.` is plain).
pub(crate) fn draw(columns: u16, rows: u16, block: impl FnOnce(Rect, &mut Buffer)) -> String {
    let area = Rect::new(0, 0, columns, rows);
    let mut buffer = Buffer::empty(area);
    block(area, &mut buffer);
    let (mut text, mut styles) = (String::new(), String::new());
    for y in 0..rows {
        let (mut line, mut letters) = (String::new(), String::new());
        let mut covered = 0;
        for x in 0..columns {
            let cell = &buffer[(x, y)];
            if covered > 0 {
                covered -= 1;
            } else {
                line.push_str(cell.symbol());
                covered = unicode_width::UnicodeWidthStr::width(cell.symbol()).saturating_sub(1);
            }
            letters.push(letter(cell));
        }
        text.push_str(line.trim_end());
        text.push('\n');
        styles.push_str(letters.trim_end_matches('.'));
        styles.push('\n');
    }
    format!("{}\n=== styles\n{}", text.trim_end(), styles.trim_end())
}

fn letter(cell: &ratatui::buffer::Cell) -> char {
    let letter = match cell.fg {
        Color::Reset => '.',
        Color::Red | Color::LightRed => 'r',
        Color::Green | Color::LightGreen => 'g',
        Color::Yellow | Color::LightYellow => 'y',
        Color::Blue | Color::LightBlue => 'b',
        Color::Magenta | Color::LightMagenta => 'm',
        Color::Cyan | Color::LightCyan => 'c',
        Color::DarkGray => 'd',
        Color::Gray | Color::White => 'w',
        _ => 'o',
    };
    match letter {
        _ if cell.modifier.contains(Modifier::REVERSED) => '#',
        '.' if cell.modifier.contains(Modifier::BOLD) => 'B',
        letter if cell.modifier.contains(Modifier::BOLD) => letter.to_ascii_uppercase(),
        letter => letter,
    }
}

/// What a block draws, as a terminal takes it: for looking at.
pub(crate) fn ansi(columns: u16, rows: u16, block: impl FnOnce(Rect, &mut Buffer)) -> String {
    use std::fmt::Write as _;
    let area = Rect::new(0, 0, columns, rows);
    let mut buffer = Buffer::empty(area);
    block(area, &mut buffer);
    let mut out = String::new();
    for y in 0..rows {
        let mut covered = 0;
        for x in 0..columns {
            let cell = &buffer[(x, y)];
            if covered > 0 {
                covered -= 1;
                continue;
            }
            covered = unicode_width::UnicodeWidthStr::width(cell.symbol()).saturating_sub(1);
            out.push_str("\u{1b}[0");
            for (modifier, code) in [(Modifier::BOLD, 1), (Modifier::UNDERLINED, 4), (Modifier::REVERSED, 7)]
            {
                if cell.modifier.contains(modifier) {
                    let _ = write!(out, ";{code}");
                }
            }
            let colour = match cell.fg {
                Color::Red => 31,
                Color::Green => 32,
                Color::Yellow => 33,
                Color::Blue => 34,
                Color::Magenta => 35,
                Color::Cyan => 36,
                Color::Gray => 37,
                Color::DarkGray => 90,
                _ => 39,
            };
            let _ = write!(out, ";{colour}m{}", cell.symbol());
        }
        out.push_str("\u{1b}[0m\r\n");
    }
    out
}

/// Writes pictures of blocks into the folder that `FANLIGHT_SHOTS` names, as ANSI files; nothing without it.
pub(crate) fn shot(name: &str, columns: u16, rows: u16, block: impl FnOnce(Rect, &mut Buffer)) {
    if let Some(folder) = std::env::var_os("FANLIGHT_SHOTS") {
        let path = std::path::Path::new(&folder).join(format!("{name}_{columns}x{rows}.ansi"));
        std::fs::write(path, ansi(columns, rows, block)).unwrap_or_else(|error| panic!("{error}"));
    }
}
