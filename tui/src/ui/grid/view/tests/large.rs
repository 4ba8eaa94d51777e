//! Cards with room for pictures and sounds.

use fanlight_shared::asset::{Asset, AssetKind, PreviewState};
use fanlight_shared::event::DaemonEvent;
use fanlight_shared::rpc::Page;
use image::{DynamicImage, Rgb, RgbImage};

use super::*;
use crate::ui::address::Address;
use crate::ui::effect::Effect;
use crate::ui::message::{Message, Response};
use crate::ui::picture::encode;
use crate::ui::testing::{asset, asset_id, paint, response};
use crate::ui::update::update;
use fanlight_shared::id::RunId;

fn product(id: u32, number: u32, node: &str, kind: AssetKind) -> Asset {
    let made = asset(id, &run(number, RunStatus::Completed), node, kind);
    Asset { preview: PreviewState::Ready, ..made }
}

fn stored(model: &mut Model, asset: Asset) -> Vec<Effect> {
    let event = DaemonEvent::AssetUpdate { asset: Box::new(asset) };
    update(model, Message::Notification(Box::new(Notification::Daemon { seq: 1, event })))
}

fn gradient() -> DynamicImage {
    let colour = |x: u32, y: u32| Rgb([x * 2, y * 3, 120].map(|it| u8::try_from(it).unwrap_or(u8::MAX)));
    RgbImage::from_fn(120, 80, colour).into()
}

/// Paints the screen until nothing more is requested, as painter and daemon respond. Returns all effects.
fn settle(model: &mut Model, columns: u16, rows: u16) -> Vec<Effect> {
    let mut all = Vec::new();
    for _ in 0..4 {
        for effect in paint(model, columns, rows) {
            if let Effect::Paint(request) = effect {
                let painted = encode::encode(&gradient(), request, model.pictures.drawing(), 1).unwrap();
                response(model, Response::Painted(Box::new(painted)));
            } else if let Effect::GetPreviewText(asset) = effect {
                let peaks: Vec<String> =
                    (0..64).map(|at: i32| format!("[-0.{0}, 0.{0}]", 1 + at % 9)).collect();
                let text = format!("{{\"peaks\": [{}]}}", peaks.join(", "));
                response(model, Response::PreviewText(asset, text));
            }
            all.push(effect);
        }
    }
    all
}

/// Returns the poster with a picture of `sky` in the run in focus, one of `poster` in an earlier one, and the sound of
/// `framed`.
fn pictured() -> Model {
    let mut model = poster();
    stored(&mut model, product(1, 5, "sky", AssetKind::Image));
    stored(&mut model, product(2, 4, "poster", AssetKind::Image));
    stored(&mut model, product(3, 4, "framed", AssetKind::Audio));
    model
}

#[test]
fn cards_grow_with_the_pane_and_show_pictures() {
    for (columns, rows) in [(100, 30), (140, 45), (240, 70)] {
        let mut model = pictured();
        settle(&mut model, columns, rows);
        let text = testing::screen(&mut model, columns, rows);
        insta::assert_snapshot!(format!("pictured__{columns}x{rows}"), text);
        testing::shot("pictured", columns, rows, |area, buffer| {
            let _ = crate::ui::view::view(&model, &Theme::default(), area, buffer);
        });
    }
}

#[test]
fn without_pictures_no_card_is_large() {
    let model = poster();
    let layout = model.drawn().unwrap().1.unwrap().clone();
    let zoom = |model: &Model| camera::drawing(&model.grid, &layout, Rect::new(0, 0, 240, 70)).unwrap().zoom;
    assert_eq!(zoom(&model), Zoom::Card);
    assert_eq!(zoom(&pictured()), Zoom::Large);
}

#[test]
fn the_picture_of_another_run_is_dark_and_makes_room_for_the_own_one() {
    let mut model = pictured();
    let requests = |effects: &[Effect]| {
        let paint = effects.iter().filter_map(|effect| match effect {
            Effect::Paint(request) => Some((request.of, request.dimmed)),
            _ => None,
        });
        paint.collect::<Vec<_>>()
    };
    let first = requests(&settle(&mut model, 240, 70));
    assert!(first.contains(&(asset_id(1).into(), false)), "{first:?}");
    assert!(first.contains(&(asset_id(2).into(), true)), "{first:?}");
    stored(&mut model, product(4, 5, "poster", AssetKind::Image));
    assert!(requests(&settle(&mut model, 240, 70)).contains(&(asset_id(4).into(), false)));
}

#[test]
fn pictures_made_before_are_read_once() {
    let mut model = poster();
    model.grid.zooming = Zooming::At(Zoom::Large);
    let read = lists(&settle(&mut model, 240, 70));
    let asked: Vec<_> = read.iter().map(|(_, run, node)| (*run, node.as_deref())).collect();
    assert!(asked.contains(&(Some(run_id(5)), None)), "{read:?}");
    assert!(asked.contains(&(None, Some("sky"))), "{read:?}");
    assert_eq!(read.len(), 5, "{read:?}");
    cards(&mut model, &read, vec![product(1, 5, "sky", AssetKind::Image)]);
    assert_eq!(lists(&settle(&mut model, 240, 70)), []);
    assert!(model.grid.pictures.any());
}

/// Returns the requests of cards: the address, and the run or the node.
fn lists(effects: &[Effect]) -> Vec<(Address, Option<RunId>, Option<String>)> {
    let lists = effects.iter().filter_map(|effect| match effect {
        Effect::ListAssets { to: to @ Address::Cards(_), list } => {
            Some((*to, list.run_id, list.node.clone()))
        }
        _ => None,
    });
    lists.collect()
}

/// Answers requests of cards: with those of these products that they ask for.
fn cards(model: &mut Model, requests: &[(Address, Option<RunId>, Option<String>)], products: Vec<Asset>) {
    for (to, run, node) in requests {
        let mut rows = products.clone();
        rows.retain(|it| {
            run.is_none_or(|run| run == it.run_id) && node.as_ref().is_none_or(|node| *node == it.node)
        });
        response(model, Response::Assets { to: *to, page: Page { rows, cursor: None, limit: None } });
    }
}

#[test]
fn a_picture_that_was_deleted_unnoticed_goes_once_that_is_known() {
    let mut model = poster();
    model.grid.zooming = Zooming::At(Zoom::Large);
    let read = lists(&settle(&mut model, 240, 70));
    let made = [product(2, 5, "sky", AssetKind::Image), product(1, 4, "sky", AssetKind::Image)];
    cards(&mut model, &read, made.to_vec());
    let newest = |model: &Model| model.grid.pictures.newest("sky", None).map(|it| it.asset);
    assert_eq!(newest(&model), Some(asset_id(2)));
    testing::missed(&mut model);
    assert_eq!(newest(&model), Some(asset_id(2)), "nothing is blank meanwhile");
    let read = lists(&settle(&mut model, 240, 70));
    assert_eq!(read.len(), 5, "{read:?}");
    stored(&mut model, product(3, 5, "title", AssetKind::Image));
    cards(&mut model, &read, made[1..].to_vec());
    assert_eq!(newest(&model), Some(asset_id(1)));
    assert!(model.grid.pictures.own(run_id(5), "sky", None).is_none());
    assert!(model.grid.pictures.own(run_id(5), "title", None).is_some(), "it was stored meanwhile");
    assert_eq!(lists(&settle(&mut model, 240, 70)), []);
}

#[test]
fn a_large_card_shows_more_of_a_text_and_of_an_error() {
    let mut model = laid(busy(), &format!("nodes:\n  told: {{ {MAKES} }}\n"), "told");
    model.grid.zooming = Zooming::At(Zoom::Large);
    testing::change_state(&mut model, |state| {
        let whole = &mut state.nodes["told"].whole;
        whole.status = NodeStatus::Completed;
        whole.outputs.insert("picture".to_owned(), Value::Text("one\ntwo\nthree".to_owned()));
    });
    let shown = testing::screen(&mut model, 140, 45);
    assert!(shown.contains("one ") && shown.contains("three "), "{shown}");
    status(&mut model, "told", NodeStatus::Failed);
    testing::change_state(&mut model, |state| {
        let error = "the first part of a long sentence that goes on for a while and then ends with words";
        state.nodes["told"].whole.error = Some(fanlight_shared::event::NodeError {
            message: error.to_owned(),
            exit_code: None,
            last_line: None,
        });
    });
    let shown = testing::screen(&mut model, 140, 45);
    assert!(shown.contains("ends with words"), "{shown}");
}

/// A command that may make a picture.
const MAKES: &str = "run: \"true\", outputs: { picture: { path: a.png, type: image } }";
