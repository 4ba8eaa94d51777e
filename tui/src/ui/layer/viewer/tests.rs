use fanlight_shared::run::RunStatus;

use crate::ui::effect::Effect;
use crate::ui::layer::confirm::Confirm;
use crate::ui::layer::viewer::Viewer;
use crate::ui::message::Response;
use crate::ui::model::Model;
use crate::ui::pane::Pane;
use crate::ui::testing::{asset, press, response, run, screen, with_runs};
use fanlight_shared::asset::AssetKind;

fn gallery() -> Model {
    let runs = [run(1, RunStatus::Completed), run(2, RunStatus::Completed)];
    let mut model = with_runs(&runs);
    model.pane = Pane::Gallery;
    screen(&mut model, 160, 45);
    model.gallery.assets =
        runs.iter().rev().map(|of| asset(of.number, of, "poster", AssetKind::Text)).collect();
    model
}

fn shown(model: &Model) -> Option<u32> {
    let viewer = model.layers.last()?.downcast_ref::<Viewer>()?;
    viewer.asset.run.rsplit_once('#').and_then(|(_, it)| it.parse().ok())
}

#[test]
fn enter_opens_it_and_h_l_go_through_the_runs() {
    let mut model = gallery();
    let effects = press(&mut model, "enter");
    assert!(effects.iter().any(|effect| matches!(effect, Effect::GetRecipe(_))));
    assert_eq!(shown(&model), Some(2));
    press(&mut model, "l");
    assert_eq!(shown(&model), Some(1));
    press(&mut model, "l");
    assert_eq!(shown(&model), Some(1));
    press(&mut model, "h");
    assert_eq!(shown(&model), Some(2));
    press(&mut model, "esc");
    assert_eq!(shown(&model), None);
}

#[test]
fn a_product_is_deleted_after_a_question() {
    let mut model = gallery();
    press(&mut model, "enter D");
    assert!(model.layers.last().is_some_and(|layer| layer.is::<Confirm>()));
    assert!(matches!(&press(&mut model, "y")[..], [Effect::DeleteAssets(ids)] if ids.len() == 1));
}

#[test]
fn it_shows_the_product_and_its_recipe() {
    let mut model = gallery();
    press(&mut model, "enter i");
    let text = screen(&mut model, 100, 30);
    assert!(text.contains("text 2") && text.contains("poster#2") && text.contains("12 KB"), "{text}");
}

#[test]
fn a_file_of_json_is_read_and_laid_out() {
    let mut model = gallery();
    for asset in &mut model.gallery.assets {
        (asset.kind, asset.mime) = (AssetKind::File, "application/json".into());
    }
    let effects = press(&mut model, "enter");
    let of = effects.iter().find_map(|it| if let Effect::GetText(id) = it { Some(*id) } else { None });
    let text = format!("{{\"layers\":[1.00],\"note\":\"{}END\"}}", "word ".repeat(60));
    response(&mut model, Response::Text(of.unwrap(), text));
    let shown = screen(&mut model, 100, 30);
    assert!(shown.contains("  \"layers\": [") && shown.contains("1.00") && shown.contains("END"), "{shown}");
}
