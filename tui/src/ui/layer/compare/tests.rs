use fanlight_shared::rpc::Page;
use fanlight_shared::run::RunStatus;
use fanlight_shared::value::Value;
use ratatui::style::Modifier;

use super::*;
use crate::ui::layer::compare::Compare;
use crate::ui::message::Message;
use crate::ui::picture::PictureOf;
use crate::ui::testing::{asset, press, run, screen, with_runs};
use crate::ui::update::update;

fn compared(kind: AssetKind) -> Model {
    let runs = [run(1, RunStatus::Completed), run(2, RunStatus::Completed)];
    let mut model = with_runs(&runs);
    model.layers.push(Compare::of_runs(&runs).into());
    for of in &runs {
        let rows = vec![asset(of.number, of, "poster", kind)];
        let page = Page { rows, cursor: None, limit: None };
        let to = Address::Comparison(of.id);
        update(&mut model, Message::Response(Box::new(Response::Assets { to, page })));
    }
    model
}

#[test]
fn only_the_params_that_differ_are_shown() {
    let text = screen(&mut compared(AssetKind::Text), 100, 30);
    assert!(text.contains("seed") && !text.contains("place"), "{text}");
}

#[test]
fn the_most_and_the_least_number_are_marked() {
    let text = screen(&mut compared(AssetKind::Number), 100, 30);
    assert!(text.contains("0.25 ★ most") && text.contains("0.125 ★ least"), "{text}");
}

#[test]
fn the_words_that_the_first_text_lacks_are_marked() {
    let runs = [run(1, RunStatus::Completed), run(2, RunStatus::Completed)];
    let mut model = with_runs(&runs);
    model.layers.push(Compare::of_runs(&runs).into());
    for (of, text) in runs.iter().zip(["the sea is salty", "the old sea is calm"]) {
        let rows =
            vec![Asset { value: Value::from(text), ..asset(of.number, of, "poster", AssetKind::Text) }];
        let page = Page { rows, cursor: None, limit: None };
        let to = Address::Comparison(of.id);
        update(&mut model, Message::Response(Box::new(Response::Assets { to, page })));
    }
    model.size = (100, 30);
    let (theme, area) = (Theme::default(), Rect::new(0, 0, 100, 30));
    let mut buffer = Buffer::empty(area);
    let _areas = crate::ui::view::view(&model, &theme, area, &mut buffer);
    let marked = buffer.content.iter().filter(|cell| {
        theme.matched.fg.is_some_and(|colour| cell.fg == colour)
            && cell.modifier.contains(Modifier::UNDERLINED)
    });
    let marked: String = marked.map(ratatui::buffer::Cell::symbol).filter(|it| *it != " ").collect();
    assert_eq!(marked, "oldcalm");
}

#[test]
fn flicker_shows_one_after_the_other_in_one_place() {
    let mut model = compared(AssetKind::Text);
    let flicker = |model: &Model| {
        let compare = model.layers.last().and_then(|layer| layer.downcast_ref::<Compare>());
        compare.expect("it is open").mode
    };
    press(&mut model, "f");
    assert_eq!(flicker(&model), Mode::Flicker(0));
    press(&mut model, "f");
    assert_eq!(flicker(&model), Mode::Flicker(1));
    press(&mut model, "esc");
    assert_eq!(flicker(&model), Mode::Sides);
    press(&mut model, "esc");
    assert!(model.layers.is_empty());
}

#[test]
fn each_side_of_a_comparison_requests_the_products_of_its_run() {
    let runs = [run(1, RunStatus::Completed), run(2, RunStatus::Completed)];
    let effects = Compare::of_runs(&runs).begin();
    assert!(
        effects
            .iter()
            .all(|effect| matches!(effect, Effect::ListAssets { list, .. } if list.run_id.is_some()))
    );
    assert_eq!(effects.len(), 2);
}

/// Delivers the pictures that a frame requests: red for the first product, blue for the second, and their difference.
fn painted(model: &mut Model) -> Vec<PictureOf> {
    use image::{DynamicImage, Rgb, RgbImage};

    use crate::ui::picture::{Frame, Painted, difference, encode};
    use crate::ui::testing::{asset_id, paint, response};

    let mut wanted = Vec::new();
    for effect in paint(model, 100, 30) {
        let Effect::Paint(request) = effect else { continue };
        let plain = |colour| DynamicImage::from(RgbImage::from_pixel(40, 20, Rgb(colour)));
        let (red, blue) = (plain([255, 0, 0]), plain([0, 0, 255]));
        let (picture, found) = match request.of {
            PictureOf::Difference(..) => {
                let (map, found) = difference::between(&red, &blue).unwrap();
                (map, Some(found))
            }
            of if of == asset_id(1).into() => (red, None),
            _ => (blue, None),
        };
        let made = encode::encode(&picture, request, model.pictures.drawing(), 1).unwrap();
        let frame = std::sync::Arc::into_inner(made.frame).unwrap();
        let frame = std::sync::Arc::new(Frame { difference: found, ..frame });
        response(model, Response::Painted(Box::new(Painted { wanted: request, frame })));
        wanted.push(request.of);
    }
    wanted
}

/// Returns how many cells of the screen have this background.
fn cells(model: &Model, red: u8, blue: u8) -> usize {
    let (theme, area) = (Theme::default(), Rect::new(0, 0, 100, 30));
    let mut buffer = Buffer::empty(area);
    let _areas = crate::ui::view::view(model, &theme, area, &mut buffer);
    let colour = ratatui::style::Color::Rgb(red, 0, blue);
    buffer.content.iter().filter(|cell| cell.bg == colour).count()
}

#[test]
fn the_difference_of_two_pictures_is_a_map_with_figures() {
    let mut model = compared(AssetKind::Image);
    press(&mut model, "d");
    let [a, b] = [1, 2].map(crate::ui::testing::asset_id);
    assert_eq!(painted(&mut model), [PictureOf::Difference(a, b)]);
    let text = screen(&mut model, 100, 30);
    let figures = "poster#1 and poster#2: 800 of 800 pixels differ (100.0 %), by at most 255 of 255";
    assert!(text.contains(figures), "{text}");
    press(&mut model, "d");
    assert!(!screen(&mut model, 100, 30).contains("pixels differ"));
    press(&mut model, "d");
    let of = PictureOf::Difference(a, b);
    model.pictures.forget(of);
    model.pictures.not_painted(of, "the pictures have different sizes: 4×4 and 5×4");
    assert!(screen(&mut model, 100, 30).contains("different sizes: 4×4 and 5×4"));
}

#[test]
fn a_slider_shows_a_part_of_each_picture_and_is_moved_by_keys_and_the_mouse() {
    let mut model = compared(AssetKind::Image);
    press(&mut model, "s");
    assert_eq!(painted(&mut model).len(), 2);
    let (red, blue) = (cells(&model, 255, 0), cells(&model, 0, 255));
    assert!(red > 0 && red.abs_diff(blue) < 60, "{red} {blue}");
    press(&mut model, "> > >");
    assert!(cells(&model, 255, 0) > red && cells(&model, 0, 255) < blue);
    for _ in 0..20 {
        press(&mut model, "<");
    }
    assert_eq!(cells(&model, 255, 0), 0);
    let inside = model.areas.layer.unwrap();
    let mouse = MouseEvent {
        kind: MouseEventKind::Drag(crossterm::event::MouseButton::Left),
        column: inside.right(),
        row: inside.y + 10,
        modifiers: crossterm::event::KeyModifiers::NONE,
    };
    update(&mut model, Message::Mouse(mouse));
    assert!(cells(&model, 0, 255) < 60 && cells(&model, 255, 0) > red);
    press(&mut model, "esc");
    assert!(!model.layers.is_empty(), "esc ends the slider first");
}

#[test]
fn a_difference_needs_two_pictures() {
    let mut model = compared(AssetKind::Text);
    press(&mut model, "d s < >");
    assert!(screen(&mut model, 100, 30).contains("this needs two pictures"));
    let runs = [run(1, RunStatus::Completed), run(2, RunStatus::Completed)];
    let mut model = with_runs(&runs);
    model.layers.push(Compare::of_runs(&runs).into());
    let rows = vec![asset(1, &runs[0], "poster", AssetKind::Image)];
    for (of, rows) in runs.iter().zip([rows, Vec::new()]) {
        press(&mut model, "d");
        let text = screen(&mut model, 100, 30);
        assert!(text.contains("still being read") && text.contains("are being read"), "{text}");
        let to = Address::Comparison(of.id);
        let page = Page { rows, cursor: None, limit: None };
        update(&mut model, Message::Response(Box::new(Response::Assets { to, page })));
    }
    press(&mut model, "d");
    assert!(screen(&mut model, 100, 30).contains("this needs two pictures"));
}

#[test]
fn a_terminal_that_draws_pictures_as_a_whole_gets_their_parts() {
    let mut model = compared(AssetKind::Image);
    let protocol = crate::ui::picture::probe::GraphicsProtocol::Sixel;
    model.pictures.begin(crate::ui::picture::probe::Drawing {
        protocol,
        font: (8, 16),
        ..Default::default()
    });
    press(&mut model, "s");
    let effects = crate::ui::testing::paint(&mut model, 100, 30);
    let parts: Vec<_> = effects
        .into_iter()
        .filter_map(|it| {
            if let Effect::Paint(request) = it { Some((request.part, request.cells.0)) } else { None }
        })
        .collect();
    assert_eq!(
        parts.iter().map(|(part, _)| *part).collect::<Vec<_>>(),
        [[0.0, 0.0, 0.5, 1.0], [0.5, 0.0, 0.5, 1.0]]
    );
    assert!(parts[0].1.abs_diff(parts[1].1) <= 1 && parts[0].1 > 20, "{parts:?}");
    assert_eq!(painted(&mut model).len(), 0, "they are requested once");
    let _ = screen(&mut model, 100, 30);
}
