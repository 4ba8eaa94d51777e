//! Snapshots of every block at every size, with a letter per cell for its style, so that a review shows how a change
//! looks.
use fanlight_shared::asset::{AssetKind, PreviewState};
use fanlight_shared::event::DaemonEvent;
use fanlight_shared::item::ItemPath;
use fanlight_shared::rpc::Page;
use fanlight_shared::rpc::sweeps::{Best, Reached, Stretch};
use fanlight_shared::rpc::watch::Notification;
use fanlight_shared::run::{Parent, Run, RunStatus};
use fanlight_shared::spent::Spent;
use fanlight_shared::sweep::Pause;
use fanlight_shared::time::Time;
use fanlight_shared::value::Value;
use indexmap::IndexMap;

use super::effect::Effect;

use super::layer::form::Form;
use super::message::{Link, Message, Response};
use super::model::Model;
use super::pane::Pane;
use super::testing::{
    POSTER, asset, busy, connected, opened, paint, press, response, run, run_id, screen, with_runs, workflow,
};
use super::toast::Tone;
use super::update::update;
use crate::ui::model::component::Layer;

const SIZES: [(u16, u16); 4] = [(60, 20), (80, 24), (120, 40), (200, 60)];

/// Snapshots the whole screen at every size, each from a new model.
fn pictures(name: &str, model: impl Fn((u16, u16)) -> Model) {
    for (columns, rows) in SIZES {
        let mut model = model((columns, rows));
        paint(&mut model, columns, rows);
        insta::assert_snapshot!(format!("{name}__{columns}x{rows}"), screen(&mut model, columns, rows));
    }
}

/// Returns the model with the focus on this pane, painted once.
fn at(pane: Pane, mut model: Model, (columns, rows): (u16, u16)) -> Model {
    model.pane = pane;
    let layout = super::testing::laid_out(&workflow(POSTER));
    model.workflow.iter_mut().for_each(|open| open.layout = Some(layout.clone()));
    model.shown.iter_mut().for_each(|shown| shown.layout = Some(layout.clone()));
    paint(&mut model, columns, rows);
    model
}

/// Returns runs with labels that are long, wide, or both.
fn wide() -> Vec<Run> {
    let labels = [
        "place=東京都千代田区の夜景 · seed=7",
        "a label that somebody wrote without thinking of how wide a queue is, or isn't · seed=8",
        "🌃🌆🏙 emoji=👩‍👩‍👧‍👦 · e\u{301}",
        "x",
    ];
    let states = [RunStatus::Running, RunStatus::Failed, RunStatus::Completed, RunStatus::Queued];
    let numbers = [9, 10_001, 7, 12];
    let runs = labels.into_iter().zip(states).zip(numbers);
    let mut runs: Vec<Run> =
        runs.map(|((label, state), number)| Run { label: label.to_owned(), ..run(number, state) }).collect();
    // The lens is on the running one.
    runs[0].start_order = Some(20_000);
    runs
}

fn failed() -> Model {
    with_runs(&[run(1, RunStatus::Completed), run(2, RunStatus::Failed)])
}

/// Adds products of every kind, the newest first.
fn kinds(model: &mut Model) {
    let of = run(4, RunStatus::Completed);
    let kinds = [AssetKind::Text, AssetKind::Number, AssetKind::Json, AssetKind::Audio, AssetKind::File];
    let mut rows = Vec::new();
    for (number, kind) in (1u32..).zip(kinds) {
        let mut made = asset(number, &of, "poster", kind);
        made.preview = PreviewState::Ready;
        if kind == AssetKind::Json {
            made.value = Value::from_json(serde_json::json!({"epoch": 3, "loss": [0.5, 0.25], "best": true}));
        }
        rows.push(made);
    }
    rows.reverse();
    let to = crate::ui::address::Address::GalleryPage(model.gallery.generation);
    response(model, Response::Assets { to, page: Page { rows, cursor: None, limit: None } });
    let peaks: Vec<[f32; 2]> = (0..64u8).map(|it| [-f32::from(it) / 64.0, f32::from(it) / 64.0]).collect();
    let peaks = serde_json::json!({ "peaks": peaks }).to_string();
    response(model, Response::PreviewText(super::testing::asset_id(4), peaks));
    response(model, Response::PreviewText(super::testing::asset_id(5), "first line\nsecond line".to_owned()));
}

#[test]
fn the_whole_screen() {
    pictures("screen", |size| at(Pane::Grid, busy(), size));
    pictures("screen_empty", |size| at(Pane::Grid, opened(), size));
    pictures("screen_one_run", |size| at(Pane::Grid, with_runs(&[run(1, RunStatus::Running)]), size));
}

#[test]
fn the_grid_zoomed_out() {
    for (name, keys) in [("grid_chips", "-"), ("grid_dots", "- -")] {
        pictures(name, |size| {
            let mut model = at(Pane::Grid, busy(), size);
            press(&mut model, keys);
            model
        });
    }
}

#[test]
fn the_queue() {
    pictures("queue", |size| at(Pane::Queue, busy(), size));
    pictures("queue_empty", |size| at(Pane::Queue, opened(), size));
    pictures("queue_wide", |size| at(Pane::Queue, with_runs(&wide()), size));
    pictures("queue_ten_thousand", |size| {
        let runs: Vec<Run> = (1..=10_000).map(|number| run(number, RunStatus::Completed)).collect();
        let mut model = at(Pane::Queue, with_runs(&runs), size);
        press(&mut model, "ctrl-d ctrl-d space space");
        model
    });
}

/// Returns runs of a large sweep that runs, one that is paused, one that has ended, and a run with two that it started.
fn swept() -> Model {
    let of = |sweep: &str, run: Run| Run { sweep: Some(sweep.to_owned()), ..run };
    let mut runs = vec![
        of("poster/1", run(1, RunStatus::Completed)),
        of("lr-scan", run(64, RunStatus::Running)),
        of("seeds-of-all-kinds", run(400, RunStatus::Queued)),
        run(501, RunStatus::Running),
        run(504, RunStatus::Completed),
    ];
    for number in [502, 503] {
        let (run, name) = (run_id(501), "poster#501".to_owned());
        let parent = Some(Box::new(Parent { run, name, node: "sky".to_owned(), item: ItemPath::WHOLE }));
        runs.push(Run {
            parent,
            workflow: "sky".to_owned(),
            ..super::testing::run(number, RunStatus::Completed)
        });
    }
    let mut model = with_runs(&runs);
    let paused =
        DaemonEvent::SweepUpdate { sweep: "seeds-of-all-kinds".to_owned(), paused: Some(Pause::Person) };
    update(&mut model, Message::Notification(Box::new(Notification::Daemon { seq: 2, event: paused })));
    model
}

/// Reads the sweeps in view.
fn read_sweeps(model: &mut Model, (columns, rows): (u16, u16)) {
    let stretch = |first, count, state| Stretch { first, count, state };
    let (completed, failed, queued) = (RunStatus::Completed, RunStatus::Failed, RunStatus::Queued);
    let sweeps = [
        ("poster/1", vec![stretch(1, 52, completed), stretch(53, 1, failed)]),
        (
            "lr-scan",
            vec![stretch(60, 4, completed), stretch(64, 2, RunStatus::Running), stretch(66, 60, queued)],
        ),
        (
            "seeds-of-all-kinds",
            vec![stretch(100, 250, completed), stretch(350, 40, failed), stretch(400, 99_710, queued)],
        ),
    ];
    let reached = |value| Reached { value, run: "poster#1".to_owned() };
    let best = Best { lowest: reached(0.0625), highest: reached(0.9375) };
    // The requests of the first frame are lost.
    model.queue.sections.sweeps.missed();
    for _ in 0..8 {
        model.now = Time(model.now.0 + 10_000);
        for effect in paint(model, columns, rows) {
            let Effect::ReadSweep { name, request, best: wanted } = effect else { continue };
            let runs = sweeps.iter().find(|(of, _)| *of == name).expect("a sweep").1.clone();
            let best =
                wanted.then(|| (IndexMap::from([("accuracy".to_owned(), best.clone())]), Spent::default()));
            response(model, Response::Sweep { name, request, runs, best, search: None });
        }
    }
}

#[test]
fn the_queue_with_sweeps() {
    let swept = |size, keys: &str| {
        let mut model = at(Pane::Queue, swept(), size);
        read_sweeps(&mut model, size);
        press(&mut model, keys);
        model
    };
    pictures("queue_sweeps", |size| swept(size, "g g j"));
    pictures("queue_sweep_cancel", |size| swept(size, "g g j x"));
    pictures("queue_children", |size| {
        let mut model = at(Pane::Queue, super::blocks::swept(), size);
        model.queue.cursor = Some(super::model::queue::At::Run(run_id(501)));
        press(&mut model, "l j");
        model
    });
    pictures("queue_sweeps_ascii", |size| {
        let mut model = swept(size, "g g j");
        model.options.ascii = true;
        model
    });
}

#[test]
fn the_queue_with_pictures() {
    pictures("queue_pictures", |size| {
        let mut model = at(Pane::Queue, failed(), size);
        let mut made = asset(1, &run(1, RunStatus::Completed), "poster", AssetKind::Image);
        made.preview = PreviewState::Ready;
        // The local time of the test machine must not be part of the snapshot.
        model.projection.add([Run { ended_at: None, ..run(1, RunStatus::Completed) }]);
        let event = DaemonEvent::AssetUpdate { asset: Box::new(made) };
        update(&mut model, Message::Notification(Box::new(Notification::Daemon { seq: 1, event })));
        model
    });
}

#[test]
fn the_gallery_and_the_viewer() {
    let gallery = |size| {
        let mut model = at(Pane::Gallery, busy(), size);
        kinds(&mut model);
        model
    };
    pictures("gallery_kinds", gallery);
    pictures("viewer_json", |size| {
        let mut model = gallery(size);
        press(&mut model, "l l l enter");
        model
    });
    pictures("viewer_sound", |size| {
        let mut model = gallery(size);
        press(&mut model, "l l enter");
        model
    });
}

#[test]
fn the_comparison() {
    pictures("compare", |size| {
        let mut model = at(Pane::Queue, busy(), size);
        model.queue.cursor = Some(super::model::queue::At::Run(run_id(4)));
        press(&mut model, "space space c");
        model
    });
}

#[test]
fn the_form() {
    let form = |model: &Model| Layer::from(Form::open(model).expect("a form").0);
    pictures("form", |size| {
        let mut model = at(Pane::Grid, opened(), size);
        let layer = form(&model);
        model.layers.push(layer);
        press(&mut model, "tab ctrl-u 1 . . 6");
        model
    });
}

#[test]
fn questions_and_messages() {
    pictures("confirm", |size| {
        let mut model = at(Pane::Queue, busy(), size);
        press(&mut model, "X");
        model
    });
    pictures("messages", |size| {
        let mut model = at(Pane::Grid, busy(), size);
        // Messages show the local time, so there must be none.
        model.toasts.all.clear();
        press(&mut model, ":");
        super::testing::write(&mut model, "messages");
        press(&mut model, "enter");
        model
    });
    pictures("toasts", |size| {
        let mut model = at(Pane::Grid, busy(), size);
        model.say(Tone::Good, "poster#12 started");
        model.say(Tone::Note, "`photo` takes a file: choose it again");
        model.say(Tone::Bad, "save: 写真.png exists already, and this sentence continues on a second line");
        model
    });
    pictures("banner", |size| {
        let mut model = at(Pane::Grid, busy(), size);
        model.link = Link::Down("the connection to the daemon was lost".to_owned());
        model
    });
    pictures("which_key", |size| {
        let mut model = at(Pane::Grid, busy(), size);
        press(&mut model, "g");
        model.now = Time(model.now.0 + 1_000);
        model
    });
}

#[test]
fn home_without_workflows_and_a_failed_run() {
    pictures("home_nothing", |_| {
        let mut model = connected();
        super::update::begin(&mut model);
        model
    });
    pictures("failed_lens", |size| at(Pane::Grid, failed(), size));
}
