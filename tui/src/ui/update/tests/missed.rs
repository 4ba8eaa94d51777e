//! What is shown is read again when changes may have been missed, and what was deleted meanwhile goes.

use fanlight_shared::asset::{Asset, AssetKind};
use fanlight_shared::rpc::Page;
use fanlight_shared::run::RunStatus;

use super::*;
use crate::ui::address::Address;
use crate::ui::layer::compare::Compare;
use crate::ui::layer::viewer::Viewer;
use crate::ui::message::{Response, Why};
use crate::ui::model::queue::At;
use crate::ui::testing::{
    asset, missed, paint, press, response, run, run_id, screen, with_runs, workflow_id,
};

fn products(numbers: &[u32]) -> Vec<Asset> {
    let of = |number: &u32| asset(*number, &run(*number, RunStatus::Completed), "poster", AssetKind::Text);
    numbers.iter().map(of).collect()
}

/// Returns a gallery with the keys, with a product of each of the runs 3, 2 and 1.
fn gallery() -> Model {
    let runs: Vec<_> = (1..=3).map(|number| run(number, RunStatus::Completed)).collect();
    let mut model = with_runs(&runs);
    model.pane = Pane::Gallery;
    paint(&mut model, 160, 45);
    model.gallery.assets = products(&[3, 2, 1]);
    model
}

/// Answers the requests for products: with those of these that they ask for. Returns what follows.
fn answer(model: &mut Model, effects: Vec<Effect>, products: &[Asset]) -> Vec<Effect> {
    let mut follow = Vec::new();
    for effect in effects {
        let Effect::ListAssets { to, list } = effect else { continue };
        let mut rows = products.to_vec();
        rows.retain(|it| list.run_id.is_none_or(|run| run == it.run_id));
        let gone = rows.is_empty() && list.run_id.is_some();
        follow.extend(if gone {
            let request = Box::new(Effect::ListAssets { to, list });
            response(model, Response::Failed { request, error: "no such run".to_owned(), why: Why::Gone })
        } else {
            response(model, Response::Assets { to, page: Page { rows, cursor: None, limit: None } })
        });
    }
    follow
}

#[test]
fn the_viewer_leaves_a_product_that_was_deleted_unnoticed() {
    let mut model = gallery();
    let effects = press(&mut model, "enter");
    answer(&mut model, effects, &products(&[3, 2, 1]));
    assert!(screen(&mut model, 120, 30).contains("text 3"));
    let effects = missed(&mut model);
    assert!(screen(&mut model, 120, 30).contains("text 3"), "nothing goes before it is known");
    let effects = answer(&mut model, effects, &products(&[2, 1]));
    answer(&mut model, effects, &products(&[2, 1]));
    let shown = screen(&mut model, 120, 30);
    assert!(shown.contains("text 2") && model.toasts.shown.is_empty(), "{shown}");
    let effects = missed(&mut model);
    answer(&mut model, effects, &products(&[]));
    let shown = screen(&mut model, 120, 30);
    assert!(shown.contains("this product was deleted") && !shown.contains("text 2"), "{shown}");
    assert!(model.layers.last().is_some_and(|layer| layer.is::<Viewer>()));
}

#[test]
fn the_viewer_takes_what_changed_unnoticed() {
    let mut model = gallery();
    press(&mut model, "enter");
    let effects = missed(&mut model);
    let starred: Vec<Asset> =
        products(&[3, 2, 1]).into_iter().map(|it| Asset { starred: true, ..it }).collect();
    answer(&mut model, effects, &starred);
    assert!(screen(&mut model, 120, 30).contains('★'));
}

#[test]
fn the_comparison_drops_what_was_deleted_unnoticed_and_keeps_the_side() {
    let mut model = gallery();
    press(&mut model, "space space c");
    assert!(model.layers.last().is_some_and(|layer| layer.is::<Compare>()));
    let shown = screen(&mut model, 120, 30);
    assert!(shown.contains("text 3") && shown.contains("text 2"), "{shown}");
    let effects = missed(&mut model);
    answer(&mut model, effects, &products(&[2, 1]));
    let shown = screen(&mut model, 120, 30);
    assert!(!shown.contains("text 3") && shown.contains("text 2") && shown.contains("#3"), "{shown}");
    assert!(model.toasts.shown.is_empty());
}

#[test]
fn the_comparison_of_runs_follows_what_is_made_and_deleted() {
    let mut model = gallery();
    model.pane = Pane::Queue;
    model.queue.cursor = Some(At::Run(run_id(3)));
    press(&mut model, "space space c");
    let compared = |effects: &[Effect]| {
        let of = |effect: &&Effect| matches!(effect, Effect::ListAssets { to: Address::Comparison(_), .. });
        effects.iter().filter(of).cloned().collect::<Vec<_>>()
    };
    assert!(model.layers.last().is_some_and(|layer| layer.is::<Compare>()));
    let effects = missed(&mut model);
    let effects = compared(&effects);
    assert_eq!(effects.len(), 2, "{effects:?}");
    answer(&mut model, effects, &products(&[3, 2, 1]));
    let shown = screen(&mut model, 120, 30);
    assert!(shown.contains("text 3") && shown.contains("text 2"), "{shown}");
    let event = DaemonEvent::RunDelete { workflow_id: workflow_id(), run_id: run_id(3) };
    update(&mut model, Message::Notification(Box::new(Notification::Daemon { seq: 2, event })));
    let shown = screen(&mut model, 120, 30);
    assert!(!shown.contains("text 3") && shown.contains("text 2"), "{shown}");
}

#[test]
fn the_gallery_unmarks_what_was_deleted_unnoticed_and_its_cursor_stays_near() {
    let mut model = gallery();
    press(&mut model, "g g space space");
    assert_eq!(model.gallery.marked.len(), 2);
    let effects = missed(&mut model);
    answer(&mut model, effects, &products(&[3, 1]));
    assert_eq!(model.gallery.marked, [products(&[3])[0].id]);
    let at = crate::ui::gallery::tiles::at(&model);
    assert_eq!(model.gallery.assets[at].id, products(&[1])[0].id);
}

#[test]
fn every_screen_that_reads_once_reads_again() {
    for keys in ["T", "Y", "V", "2 space space c", "3 enter"] {
        let mut model = gallery();
        model.pane = Pane::Grid;
        model.queue.cursor = Some(At::Run(run_id(3)));
        let open = press(&mut model, keys);
        assert!(!model.layers.is_empty(), "{keys}");
        let of_layer = |effect: &&Effect| {
            matches!(
                effect,
                Effect::ReadTable(_)
                    | Effect::ListRuns { to: Address::Curves, .. }
                    | Effect::ListAssets { to: Address::Comparison(_) | Address::Viewer(_), .. }
            )
        };
        assert!(open.iter().any(|it| of_layer(&it)), "{keys}: {open:?}");
        let again = missed(&mut model);
        assert!(again.iter().any(|it| of_layer(&it)), "{keys}: {again:?}");
    }
}
