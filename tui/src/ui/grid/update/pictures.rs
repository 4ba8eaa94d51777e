//! Requests the pictures and sounds of the large cards in view.

use crate::ui::effect::Effect;
use crate::ui::graph::Zoom;
use crate::ui::grid::camera;
use crate::ui::grid::update::shown::shown_layout;
use crate::ui::grid::view::body;
use crate::ui::model::Model;
use crate::ui::node;

/// How many nodes' newest pictures are requested per frame.
const MAX_REQUESTS: usize = 8;

/// Called after each frame. Pictures are drawn for this size only, so the rest are not requested.
pub(super) fn shown(model: &mut Model) -> Vec<Effect> {
    let Some((layout, area)) = shown_layout(model) else { return Vec::new() };
    if camera::is_list(model, &layout, area) {
        return Vec::new();
    }
    let Some(drawing) = camera::drawing(&model.grid, &layout, area) else { return Vec::new() };
    if drawing.zoom != Zoom::Large {
        return Vec::new();
    }
    let focus = model.lens().map(|lens| lens.run.id);
    let mut effects: Vec<Effect> = model.grid.pictures.follow(focus).into_iter().collect();
    let (mut pictures, mut sounds) = (Vec::new(), Vec::new());
    for name in model.areas.nodes.clone() {
        if effects.len() < MAX_REQUESTS {
            effects.extend(model.grid.pictures.want(&name));
        }
        if let Some(index) = layout.index(&name)
            && let Some(shown) = node::shown(model, &layout, index)
        {
            let place = drawing.placed[index];
            let cells = |count: i32| u16::try_from(count).unwrap_or(0);
            match body::request(&shown, (cells(place.width), cells(place.height))) {
                Some(request) => pictures.push(request),
                None => sounds.push(shown.picture.asset),
            }
        }
    }
    effects.extend(sounds.into_iter().filter_map(|asset| model.gallery.previews.ask(asset)));
    effects.extend(model.pictures.want(pictures));
    effects
}
