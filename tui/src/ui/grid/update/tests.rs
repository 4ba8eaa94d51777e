use fanlight_shared::event::DaemonEvent;
use fanlight_shared::item::ItemPath;
use fanlight_shared::run::RunStatus;
use fanlight_shared::value::Value;

use super::*;
use crate::ui::graph::Zoom;
use crate::ui::message::Message;
use crate::ui::testing::{self, busy, press, run, run_id, screen, workflow_id};
use crate::ui::update::update;

/// Returns the poster, laid out and painted once.
fn painted(mut model: Model, columns: u16, rows: u16) -> Model {
    let layout = testing::laid_out(&testing::workflow(testing::POSTER));
    if let Some(open) = &mut model.workflow {
        open.layout = Some(layout.clone());
    }
    if let Some(shown) = &mut model.shown {
        shown.layout = Some(layout);
    }
    screen(&mut model, columns, rows);
    model.grid.selected = Some("sky".to_owned());
    model
}

fn selected(model: &Model) -> &str {
    model.grid.selected.as_deref().unwrap_or("")
}

#[test]
fn the_cursor_moves_by_the_positions_of_nodes() {
    let mut model = painted(busy(), 160, 50);
    press(&mut model, "l");
    assert_eq!(selected(&model), "framed");
    press(&mut model, "l");
    assert_eq!(selected(&model), "poster");
    press(&mut model, "l");
    assert_eq!(selected(&model), "poster");
    press(&mut model, "g g");
    assert_eq!(selected(&model), "sky");
}

#[test]
fn the_list_moves_by_rows() {
    let mut model = painted(busy(), 80, 24);
    press(&mut model, "j");
    assert_eq!(selected(&model), "title");
    press(&mut model, "G");
    assert_eq!(selected(&model), "poster");
}

#[test]
fn the_next_failed_node_is_found() {
    let mut model = painted(testing::with_runs(&[run(2, RunStatus::Failed)]), 160, 50);
    press(&mut model, "!");
    assert_eq!(selected(&model), "framed");
}

#[test]
fn panning_by_hand_stops_following() {
    let mut model = painted(busy(), 160, 50);
    press(&mut model, "f");
    assert!(model.grid.follow);
    press(&mut model, "L");
    assert!(!model.grid.follow);
    assert!(model.grid.panned);
    press(&mut model, "esc");
    assert!(!model.grid.panned);
}

#[test]
fn the_filter_selects_and_esc_takes_it_back() {
    let mut model = painted(busy(), 160, 50);
    press(&mut model, "/");
    testing::write(&mut model, "post");
    press(&mut model, "enter");
    assert_eq!((selected(&model), model.grid.filter.as_str()), ("poster", "post"));
    press(&mut model, "esc");
    assert_eq!(model.grid.filter, "");
}

fn notification(model: &mut Model, number: u32, text: &str) {
    let event = DaemonEvent::OutputUpdate {
        workflow_id: workflow_id(),
        run_id: run_id(number),
        node: "title".to_owned(),
        item: ItemPath::WHOLE,
        port: "stdout".to_owned(),
        value: Value::from(text),
    };
    update(model, Message::Notification(Box::new(Notification::Daemon { seq: 1, event })));
}

#[test]
fn products_accumulate_and_moving_the_lens_keeps_them() {
    let mut model = painted(busy(), 160, 50);
    notification(&mut model, 1, "one");
    notification(&mut model, 4, "four");
    press(&mut model, "[");
    let port = model.grid.products.port("title", "stdout").map(crate::ui::products::Port::count);
    assert_eq!(port, Some(2));
}

#[test]
fn choosing_the_value_of_another_run_moves_the_lens_there() {
    let mut model = painted(busy(), 160, 50);
    notification(&mut model, 1, "one");
    notification(&mut model, 4, "four");
    model.grid.selected = Some("title".to_owned());
    press(&mut model, "v");
    assert!(screen(&mut model, 160, 50).contains("four"));
    press(&mut model, "j enter");
    assert_eq!(model.projection.pinned(workflow_id()), Some(run_id(1)));
    assert!(model.layers.is_empty());
}

#[test]
fn values_of_older_runs_are_requested_once() {
    let mut model = painted(busy(), 160, 50);
    let values = |effects: &[Effect]| {
        effects.iter().filter(|it| matches!(it, Effect::ListValues(of) if of.node == "title")).count()
    };
    assert_eq!(values(&testing::paint(&mut model, 160, 50)), 1);
    assert_eq!(values(&testing::paint(&mut model, 160, 50)), 0);
}

#[test]
fn products_of_older_runs_are_requested_once_if_they_are_shown() {
    let mut model = painted(busy(), 160, 50);
    let asked = |model: &mut Model| {
        let effects = testing::paint(model, 160, 50);
        effects.iter().filter(|it| matches!(it, Effect::ListValues(_))).count()
    };
    model.grid.zooming = Zooming::At(Zoom::Chip);
    assert_eq!(asked(&mut model), 0, "chips have no room for it");
    model.grid.zooming = Zooming::At(Zoom::Card);
    assert_eq!(asked(&mut model), 4, "once for each card");
    assert_eq!(asked(&mut model), 0, "and not again with every frame");
}
