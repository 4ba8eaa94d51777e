use fanlight_shared::asset::{Asset, AssetKind, PreviewState};
use fanlight_shared::event::DaemonEvent;
use fanlight_shared::rpc::Page;
use fanlight_shared::rpc::watch::Notification;
use fanlight_shared::run::RunStatus;
use fanlight_shared::value::Value;
use image::{DynamicImage, Rgb, RgbImage};
use ratatui::layout::Rect;
use ratatui::style::Color;

use super::*;
use crate::ui::address::Address;
use crate::ui::areas::Areas;
use crate::ui::effect::Effect;
use crate::ui::layer::confirm::Confirm;
use crate::ui::message::{Message, Response};
use crate::ui::model::Model;
use crate::ui::model::gallery::list::Paging;
use crate::ui::model::gallery::{Filter, Tile};
use crate::ui::pane::Pane;
use crate::ui::picture::{PictureRequest, encode};
use crate::ui::testing::{asset, busy, draw, paint, press, response, run, screen, with_runs, workflow_id};
use crate::ui::theme::Theme;
use crate::ui::update::update;

/// Products of the poster node of these runs, the newest first.
fn products(numbers: impl IntoIterator<Item = u32>) -> Vec<Asset> {
    let of = |number| asset(number, &run(number, RunStatus::Completed), "poster", AssetKind::Text);
    numbers.into_iter().map(of).collect()
}

fn page(model: &mut Model, rows: Vec<Asset>, cursor: Option<&str>) -> Vec<Effect> {
    let page = Page { rows, cursor: cursor.map(str::to_owned), limit: None };
    let to = Address::GalleryPage(model.gallery.generation);
    update(model, Message::Response(Box::new(Response::Assets { to, page })))
}

fn notification(model: &mut Model, event: DaemonEvent) -> Vec<Effect> {
    update(model, Message::Notification(Box::new(Notification::Daemon { seq: 1, event })))
}

/// Returns a gallery that has the keys, with its first page read.
fn gallery(rows: Vec<Asset>) -> Model {
    let mut model = busy();
    model.pane = Pane::Gallery;
    shown(&mut model, 160, 45);
    page(&mut model, rows, None);
    shown(&mut model, 160, 45);
    model
}

fn shown(model: &mut Model, columns: u16, rows: u16) -> Vec<Effect> {
    screen(model, columns, rows);
    let areas = Box::new(model.areas.clone());
    update(model, Message::Shown(areas))
}

fn pane(model: &Model, columns: u16, rows: u16) -> String {
    draw(columns, rows, |area, buffer| {
        view::view(model, &Theme::default(), area, buffer, &mut Areas::default())
    })
}

#[test]
fn the_first_page_shows_the_node_that_makes_the_output() {
    let mut model = busy();
    let effects = shown(&mut model, 160, 45);
    let list = effects.iter().find_map(|effect| match effect {
        Effect::ListAssets { list, to } if *to == Address::GalleryPage(model.gallery.generation) => {
            Some(list.clone())
        }
        _ => None,
    });
    let list = list.unwrap();
    assert_eq!((list.node.as_deref(), list.workflow_id), (Some("poster"), Some(workflow_id())));
    let generation = model.gallery.generation;
    shown(&mut model, 160, 45);
    assert_eq!(model.gallery.generation, generation);
}

#[test]
fn the_next_page_is_read_before_the_end_is_in_view() {
    let mut model = gallery(Vec::new());
    model.gallery.paging = Paging::Unread;
    shown(&mut model, 160, 45);
    page(&mut model, products((100..200).rev()), Some("next"));
    assert_eq!(shown(&mut model, 160, 45), []);
    press(&mut model, "G");
    let effects = shown(&mut model, 160, 45);
    assert!(
        matches!(&effects[..], [Effect::ListAssets { list, .. }] if list.cursor.as_deref() == Some("next")),
        "{effects:?}"
    );
    page(&mut model, products((50..110).rev()), None);
    assert_eq!(model.gallery.assets.len(), 150);
}

#[test]
fn a_live_tile_becomes_its_product_without_a_gap_or_a_double() {
    let mut model = gallery(products([4, 1]));
    assert_eq!(tiles::live(&model).iter().map(|run| run.number).collect::<Vec<_>>(), [5]);
    assert_eq!(tiles::count(&model), 3);
    model.gallery.at = Some(Tile::Live(run(5, RunStatus::Running).id));
    let made = asset(5, &run(5, RunStatus::Running), "poster", AssetKind::Text);
    notification(&mut model, DaemonEvent::AssetUpdate { asset: Box::new(made.clone()) });
    assert_eq!((tiles::count(&model), tiles::live(&model).len()), (3, 0));
    assert_eq!(tiles::at(&model), 0);
    notification(&mut model, DaemonEvent::AssetUpdate { asset: Box::new(made) });
    assert_eq!(tiles::count(&model), 3);
}

#[test]
fn a_product_that_is_stored_while_the_first_page_is_read_is_not_lost() {
    let mut model = gallery(Vec::new());
    model.gallery.paging = Paging::Unread;
    shown(&mut model, 160, 45);
    for new in products([9]) {
        notification(&mut model, DaemonEvent::AssetUpdate { asset: Box::new(new) });
    }
    page(&mut model, products([4, 1]), None);
    let runs: Vec<_> = model.gallery.assets.iter().map(|asset| asset.run.as_str()).collect();
    assert_eq!(runs, ["poster#9", "poster#4", "poster#1"]);
}

#[test]
fn moving_the_lens_does_not_change_it() {
    let mut model = gallery(products([4, 1]));
    let before = model.gallery.clone();
    let effects = press(&mut model, "[");
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::ListAssets { .. })));
    assert_eq!(model.gallery, before);
}

#[test]
fn an_old_answer_is_dropped() {
    let mut model = gallery(products([4]));
    press(&mut model, "m");
    let old = Response::Assets {
        to: Address::GalleryPage(model.gallery.generation - 1),
        page: Page { rows: products([1]), cursor: None, limit: None },
    };
    update(&mut model, Message::Response(Box::new(old)));
    assert!(model.gallery.assets.is_empty());
}

#[test]
fn the_scope_changes_and_filters_are_reset() {
    let mut model = gallery(products([4]));
    press(&mut model, "m m");
    assert_eq!(update::products(&model).unwrap().workflow_id, None);
    press(&mut model, "m");
    model.gallery.filter.starred = true;
    press(&mut model, "esc");
    assert_eq!(model.gallery.filter, Filter::default());
}

#[test]
fn marked_products_are_deleted_by_one_question_that_names_the_count() {
    let mut model = gallery(products([4, 3, 1]));
    press(&mut model, "l space space D");
    let question = model.layers.last().and_then(|layer| layer.downcast_ref::<Confirm>()).expect("a question");
    assert!(question.title.contains("2 products"), "{}", question.title);
    let effects = press(&mut model, "y");
    let Some(Effect::DeleteAssets(ids)) = effects.first() else { panic!("{effects:?}") };
    for id in ids.clone() {
        notification(&mut model, DaemonEvent::AssetDelete { workflow_id: workflow_id(), asset_id: id });
    }
    assert_eq!((model.gallery.assets.len(), model.gallery.marked.len()), (1, 0));
}

fn with_picture() -> Model {
    let mut rows = products([4, 1]);
    for row in &mut rows {
        (row.kind, row.preview) = (AssetKind::Image, PreviewState::Ready);
    }
    gallery(rows)
}

#[test]
fn pictures_in_view_are_asked_for_once_and_drawn_when_they_are_there() {
    let mut model = busy();
    model.pane = Pane::Gallery;
    shown(&mut model, 160, 45);
    let rows = with_picture().gallery.assets;
    page(&mut model, rows, None);
    let effects = shown(&mut model, 160, 45);
    let wanted: Vec<PictureRequest> = effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Paint(wanted) => Some(*wanted),
            _ => None,
        })
        .collect();
    assert_eq!(wanted.len(), 2);
    assert_eq!(shown(&mut model, 160, 45), []);
    let mut picture = RgbImage::from_pixel(64, 48, Rgb([200, 40, 40]));
    picture.put_pixel(0, 0, Rgb([0, 0, 255]));
    let picture = DynamicImage::from(picture);
    let red = Color::Rgb(200, 40, 40);
    let counts: Vec<usize> =
        wanted.into_iter().map(|wanted| coloured(&mut model, &picture, wanted, red)).collect();
    assert!(counts[1] > 50, "{counts:?}");
}

#[test]
fn a_single_run_has_no_ring() {
    let mut model = with_runs(&[run(1, RunStatus::Completed)]);
    model.gallery.assets = products([1]);
    assert!(!pane(&model, 60, 12).contains('┏'));
    let mut model = busy();
    model.gallery.assets = products([4, 1]);
    assert!(pane(&model, 80, 12).contains('┏'));
}

#[test]
fn what_does_not_fit_a_single_row_is_counted() {
    let model = gallery(products((1..=30).rev()));
    let text = pane(&model, 80, 8);
    assert!(text.contains("+2"), "{text}");
    // Two tiles and the count take the width of a small terminal.
    let text = pane(&gallery(products((1..=12).rev())), 80, 20);
    assert!(text.contains("+10") && text.contains("#6") && text.contains("#5"), "{text}");
    let text = pane(&gallery(products((1..=12).rev())), 163, 12);
    assert!(text.contains("+6") && text.contains("text 6") && text.contains("text 1"), "{text}");
    let text = pane(&gallery(products([1])), 80, 20);
    assert!(!text.contains("+1") && text.contains("#1"), "{text}");
}

#[test]
fn ten_thousand_products_are_drawn_and_scrolled() {
    let mut model = gallery(products((10..10_010).rev()));
    press(&mut model, "G");
    assert_eq!(tiles::at(&model), tiles::count(&model) - 1);
    assert!(pane(&model, 200, 40).contains("#10"));
}

#[test]
fn every_size_is_drawn() {
    let mut rows = products([4, 3, 2, 1]);
    rows[0].value = Value::Text("日本語のとても長いテキスト".repeat(40));
    rows[1].name = "a very long name ".repeat(20);
    rows[1].kind = AssetKind::File;
    rows[2].kind = AssetKind::Number;
    rows[2].value = Value::Float(0.25);
    rows[2].starred = true;
    let model = gallery(rows);
    for (columns, rows) in [(1, 1), (5, 2), (16, 3), (60, 6), (80, 20), (120, 30), (200, 50)] {
        let _ = pane(&model, columns, rows);
    }
    insta::assert_snapshot!("gallery__kinds__120x12", pane(&model, 120, 12));
    let empty = with_runs(&[run(1, RunStatus::Completed)]);
    insta::assert_snapshot!("gallery__empty__60x4", pane(&empty, 60, 4));
    insta::assert_snapshot!("gallery__low__80x3", pane(&model, 80, 3));
}

/// Delivers a picture. Returns how many cells of the gallery have this colour then.
fn coloured(model: &mut Model, picture: &DynamicImage, request: PictureRequest, colour: Color) -> usize {
    let painted = encode::encode(picture, request, model.pictures.drawing(), 1).unwrap();
    response(model, Response::Painted(Box::new(painted)));
    let area = Rect::new(0, 0, 160, 14);
    let mut buffer = ratatui::buffer::Buffer::empty(area);
    view::view(model, &Theme::default(), area, &mut buffer, &mut Areas::default());
    buffer.content.iter().filter(|cell| cell.bg == colour || cell.fg == colour).count()
}

#[test]
fn a_live_tile_shows_the_newest_picture_that_leads_to_what_it_waits_for() {
    let mut model = with_runs(&[run(1, RunStatus::Running)]);
    let picture = |number: u32, node: &str, at: i64| {
        let mut asset = asset(number, &run(1, RunStatus::Running), node, AssetKind::Image);
        (asset.preview, asset.created_at) = (PreviewState::Ready, fanlight_shared::time::Time(at));
        asset
    };
    let wanted = |effects: &[Effect]| {
        effects.iter().find_map(|it| match it {
            Effect::Paint(wanted) => Some((wanted.of, wanted.dimmed)),
            _ => None,
        })
    };
    let to = Address::LiveTile(crate::ui::testing::run_id(1));
    let asked = paint(&mut model, 180, 50);
    assert!(
        !asked.iter().any(|it| matches!(it, Effect::ListAssets { to: it, .. } if *it == to)),
        "it may go by"
    );
    model.now = model.now.plus(std::time::Duration::from_millis(250));
    let asked = paint(&mut model, 180, 50);
    assert!(asked.iter().any(|it| matches!(it, Effect::ListAssets { to: it, .. } if *it == to)), "{asked:?}");
    let sky = picture(1, "sky", 1_000);
    response(
        &mut model,
        Response::Assets { to, page: Page { rows: vec![sky.clone()], cursor: None, limit: None } },
    );
    assert_eq!(wanted(&paint(&mut model, 180, 50)), Some((sky.id.into(), true)));
    let framed = picture(2, "framed", 2_000);
    let stored = DaemonEvent::AssetUpdate { asset: Box::new(framed.clone()) };
    update(&mut model, Message::Notification(Box::new(Notification::Daemon { seq: 1, event: stored })));
    assert_eq!(wanted(&paint(&mut model, 180, 50)), Some((framed.id.into(), true)));
    // It is dark, because it is not the product.
    let request = PictureRequest::thumbnail(framed.id, (20, 9));
    let red = DynamicImage::from(RgbImage::from_pixel(64, 48, Rgb([200, 40, 40])));
    assert_eq!(
        coloured(&mut model, &red, request, Color::Rgb(200, 40, 40)),
        0,
        "a bright one is no stand-in"
    );
    assert!(coloured(&mut model, &red, request.dimmed(), Color::Rgb(100, 20, 20)) > 50);
    // The awaited product replaces the live tile.
    let poster = picture(3, "poster", 3_000);
    let stored = DaemonEvent::AssetUpdate { asset: Box::new(poster.clone()) };
    update(&mut model, Message::Notification(Box::new(Notification::Daemon { seq: 2, event: stored })));
    assert_eq!(wanted(&paint(&mut model, 180, 50)), Some((poster.id.into(), false)));
}
