//! The graph: edges, then the nodes over them, and what lies out of view.

use fanlight_shared::run::NodeStatus;
use fanlight_shared::run_state::NodeState;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Scene, card};
use crate::ui::graph::route::{Strokes, Tone};
use crate::ui::graph::viewport::Viewport;
use crate::ui::graph::{Drawing, Flow, Place, Zoom};
use crate::ui::view::{Areas, Hit};

pub(super) fn view(
    scene: &Scene<'_>,
    drawing: &Drawing,
    viewport: &Viewport,
    area: Rect,
    buffer: &mut Buffer,
    areas: &mut Areas,
) {
    edges(scene, drawing, viewport, area, buffer);
    let selected = scene.selected();
    for (index, place) in drawing.placed.iter().enumerate() {
        let Some(seen) = viewport.clip(*place, area) else { continue };
        let (left, top) = viewport.to_screen((place.x, place.y), area);
        let facts = scene.facts(index);
        let look = card::Look {
            selected: selected == Some(index),
            dimmed: scene.is_dimmed(facts.name),
            ascii: scene.model.options.ascii,
        };
        // Drawn whole, then the part in view is taken: nodes may hang off every edge.
        let size = |cells: i32| u16::try_from(cells).unwrap_or(0);
        let whole = Rect::new(0, 0, size(place.width), size(place.height));
        let mut picture = Buffer::empty(whole);
        card::draw(drawing.zoom, &facts, look, scene.theme, &mut picture);
        for y in seen.y..seen.bottom() {
            for x in seen.x..seen.right() {
                let from = (size(i32::from(x) - left), size(i32::from(y) - top));
                if let (Some(cell), Some(drawn)) = (buffer.cell_mut((x, y)), picture.cell(from)) {
                    *cell = drawn.clone();
                }
            }
        }
        areas.hit(seen, Hit::Node(facts.name.to_owned()));
        if let Some(badge) = facts.badge().filter(|_| drawing.zoom == Zoom::Card) {
            let width = size(i32::try_from(badge.chars().count()).unwrap_or(0));
            let x = u16::try_from(left + place.width - 2).unwrap_or(0).saturating_sub(width);
            let y = size(top + 1);
            if (seen.x..seen.right()).contains(&x) && (seen.y..seen.bottom()).contains(&y) {
                areas.hit(Rect { x, y, width, height: 1 }, Hit::Values(facts.name.to_owned()));
            }
        }
    }
    if drawing.zoom == Zoom::Card {
        exits(scene, drawing, viewport, area, buffer);
    }
    if drawing.zoom == Zoom::Dot {
        name(scene, drawing, viewport, area, buffer);
    }
    beyond(scene, drawing, viewport, area, buffer);
}

fn edges(scene: &Scene<'_>, drawing: &Drawing, viewport: &Viewport, area: Rect, buffer: &mut Buffer) {
    let model = scene.model;
    let selected = scene.selected();
    let states = (!scene.planned).then_some(model.lens.as_ref()).flatten().map(|lens| &lens.state.nodes);
    let reads = |index: usize| {
        let node: Option<&NodeState> = states.and_then(|nodes| nodes.get(&scene.layout.nodes[index]));
        node.is_some_and(NodeState::is_busy)
    };
    let active: Vec<bool> = (0..scene.layout.nodes.len()).map(reads).collect();
    let mut strokes = Strokes::new(viewport);
    for route in &drawing.routes {
        let carries = active.get(route.to).copied().unwrap_or(false);
        let tone = match selected {
            Some(node) if route.from == node || route.to == node => Tone::Selected,
            _ if carries => Tone::Active,
            _ => Tone::Rest,
        };
        let beat = (carries && model.options.motion).then_some(model.beat);
        strokes.add(route, tone, beat);
    }
    strokes.draw(drawing.flow, scene.theme, model.options.ascii, area, buffer);
}

/// Where edges leave cards, their borders branch.
fn exits(scene: &Scene<'_>, drawing: &Drawing, viewport: &Viewport, area: Rect, buffer: &mut Buffer) {
    for route in &drawing.routes {
        let (Some(place), Some(start)) = (drawing.placed.get(route.from), route.points.first()) else {
            continue;
        };
        let face = match drawing.flow {
            Flow::Right => Place { x: place.right() - 1, y: start.1, width: 1, height: 1 },
            Flow::Down => Place { x: start.0, y: place.bottom() - 1, width: 1, height: 1 },
        };
        let inside = match drawing.flow {
            Flow::Right => (place.y + 1..place.bottom() - 1).contains(&face.y),
            Flow::Down => (place.x + 1..place.right() - 1).contains(&face.x),
        };
        let Some(seen) = viewport.clip(face, area).filter(|_| inside) else { continue };
        let symbol = match (drawing.flow, scene.facts_status(route.from) == Some(NodeStatus::Running)) {
            _ if scene.model.options.ascii => "+",
            (Flow::Right, false) => "├",
            (Flow::Right, true) => "┠",
            (Flow::Down, false) => "┬",
            (Flow::Down, true) => "┯",
        };
        if let Some(cell) = buffer.cell_mut((seen.x, seen.y)) {
            cell.set_symbol(symbol);
        }
    }
}

/// Dots have no room for names: that of the selected one stands beside it.
fn name(scene: &Scene<'_>, drawing: &Drawing, viewport: &Viewport, area: Rect, buffer: &mut Buffer) {
    let Some(index) = scene.selected() else { return };
    let Some(seen) = drawing.placed.get(index).and_then(|place| viewport.clip(*place, area)) else { return };
    let name = format!(" {} ", scene.layout.nodes[index]);
    let width = u16::try_from(fanlight_shared::sanitise::width(&name)).unwrap_or(0);
    let right = seen.right() + width <= area.right();
    let x = if right { seen.right() } else { seen.x.saturating_sub(width).max(area.x) };
    let room = usize::from(area.right().saturating_sub(x));
    buffer.set_stringn(x, seen.y, name, room, scene.theme.selected);
}

/// Arrows where nodes lie out of view, in the colour of the worst of them.
fn beyond(scene: &Scene<'_>, drawing: &Drawing, viewport: &Viewport, area: Rect, buffer: &mut Buffer) {
    if viewport.holds(drawing) || area.width < 4 || area.height < 4 {
        return;
    }
    let view = viewport.place();
    let ascii = scene.model.options.ascii;
    let sides = [
        (["◂", "<"], (area.x, area.y + area.height / 2)),
        (["▸", ">"], (area.right() - 1, area.y + area.height / 2)),
        (["▴", "^"], (area.x + area.width / 2, area.y)),
        (["▾", "v"], (area.x + area.width / 2, area.bottom() - 1)),
    ];
    for (side, (glyphs, (x, y))) in sides.into_iter().enumerate() {
        let lies = |index: usize| {
            let place = drawing.placed[index];
            match side {
                0 => place.right() <= view.x,
                1 => place.x >= view.right(),
                2 => place.bottom() <= view.y,
                _ => place.y >= view.bottom(),
            }
        };
        let hidden: Vec<usize> = (0..drawing.placed.len()).filter(|index| lies(*index)).collect();
        if hidden.is_empty() {
            continue;
        }
        let states: Vec<_> = hidden.iter().filter_map(|index| scene.facts_status(*index)).collect();
        let style = if states.contains(&NodeStatus::Failed) {
            scene.theme.bad
        } else if states.contains(&NodeStatus::Running) {
            scene.theme.running
        } else {
            scene.theme.text
        };
        let words = format!("{}{}", glyphs[usize::from(ascii)], hidden.len());
        let width = u16::try_from(words.chars().count()).unwrap_or(1);
        let x = if side == 1 { area.right().saturating_sub(width) } else { x };
        buffer.set_stringn(x, y, words, usize::from(area.right().saturating_sub(x)), style);
    }
}

impl Scene<'_> {
    fn facts_status(&self, index: usize) -> Option<NodeStatus> {
        let state = &self.model.lens.as_ref().filter(|_| !self.planned)?.state;
        Some(state.nodes.get(&self.layout.nodes[index])?.whole.status)
    }
}
