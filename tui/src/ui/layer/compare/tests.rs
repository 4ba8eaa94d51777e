use fanlight_shared::rpc::Page;
use fanlight_shared::run::RunStatus;
use fanlight_shared::value::Value;
use ratatui::style::Modifier;

use super::*;
use crate::ui::layer::compare::Compare;
use crate::ui::message::Message;
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
        compare.expect("it is open").flicker
    };
    press(&mut model, "f");
    assert_eq!(flicker(&model), Some(0));
    press(&mut model, "f");
    assert_eq!(flicker(&model), Some(1));
    press(&mut model, "esc");
    assert_eq!(flicker(&model), None);
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
