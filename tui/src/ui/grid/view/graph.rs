//! Draws the graph: edges, then nodes, then markers for nodes out of view.

use fanlight_shared::run::NodeStatus;
use fanlight_shared::run_state::NodeState;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};

use super::{Scene, card};
use crate::ui::areas::{Areas, Hit};
use crate::ui::graph::route::{EdgeCanvas, Tone};
use crate::ui::graph::viewport::Viewport;
use crate::ui::graph::{Drawing, FlowDirection, Place, Zoom};
use crate::ui::node::Facts;

pub(super) fn view(
    scene: &Scene<'_>,
    drawing: &Drawing,
    viewport: &Viewport,
    area: Rect,
    buffer: &mut Buffer,
    areas: &mut Areas,
) {
    edges(scene, drawing, viewport, area, buffer, areas);
    let selected = scene.selected();
    for (index, place) in drawing.placed.iter().enumerate() {
        let Some(seen) = viewport.clip(*place, area) else { continue };
        let facts = scene.facts(index);
        let options = card::CardOptions {
            selected: selected == Some(index),
            dimmed: scene.is_dimmed(facts.name),
            ascii: scene.model.options.ascii,
        };
        let whole = Rect::new(0, 0, cells(place.width), cells(place.height));
        if seen.as_size() == whole.as_size() {
            Clear.render(seen, buffer);
            card::draw(drawing.zoom, &facts, scene.model, options, scene.theme, seen, buffer);
        } else {
            // Drawn in full, then cropped: nodes may extend beyond every side.
            let mut picture = Buffer::empty(whole);
            card::draw(drawing.zoom, &facts, scene.model, options, scene.theme, whole, &mut picture);
            let (left, top) = viewport.to_screen((place.x, place.y), area);
            for position in seen.positions() {
                let from = (cells(i32::from(position.x) - left), cells(i32::from(position.y) - top));
                if let (Some(cell), Some(drawn)) = (buffer.cell_mut(position), picture.cell(from)) {
                    *cell = drawn.clone();
                }
            }
        }
        areas.hit(seen, Hit::Node(facts.name.to_owned()));
        if facts.runs() {
            scene.moves(areas);
        }
        if drawing.zoom.is_card() {
            areas.nodes.push(facts.name.to_owned());
            badge(&facts, viewport.to_screen((place.right(), place.y), area), seen, areas);
        }
    }
    if drawing.zoom.is_card() {
        exits(scene, drawing, viewport, area, buffer);
    }
    if drawing.zoom == Zoom::Dot {
        name(scene, drawing, viewport, area, buffer);
    }
    beyond(scene, drawing, viewport, area, buffer);
}

/// Marks the clickable area of a card's badge; `right` is the cell after the card's first row.
fn badge(facts: &Facts<'_>, right: (i32, i32), seen: Rect, areas: &mut Areas) {
    let Some(badge) = facts.badge() else { return };
    let width = cells(i32::try_from(badge.chars().count()).unwrap_or(0));
    let x = u16::try_from(right.0 - 2).unwrap_or(0).saturating_sub(width);
    let place = Rect { x, y: cells(right.1 + 1), width, height: 1 };
    if seen.contains(place.as_position()) {
        areas.hit(place, Hit::Values(facts.name.to_owned()));
    }
}

/// Converts a cell count; negative counts are zero.
fn cells(count: i32) -> u16 {
    u16::try_from(count).unwrap_or(0)
}

fn edges(
    scene: &Scene<'_>,
    drawing: &Drawing,
    viewport: &Viewport,
    area: Rect,
    buffer: &mut Buffer,
    areas: &mut Areas,
) {
    let model = scene.model;
    let selected = scene.selected();
    let mut canvas = EdgeCanvas::new(viewport);
    for route in drawing.routes.iter().filter(|route| viewport.sees_any(&route.points)) {
        let carries = scene.state(route.to).is_some_and(NodeState::is_busy);
        if carries {
            scene.moves(areas);
        }
        let tone = match selected {
            Some(node) if route.from == node || route.to == node => Tone::Selected,
            _ if carries => Tone::Active,
            _ => Tone::Rest,
        };
        let beat = (carries && model.options.motion).then_some(model.beat);
        canvas.add(route, tone, beat);
    }
    canvas.draw(drawing.flow, scene.theme, model.options.ascii, area, buffer);
}

/// Draws a junction in a card's border where an edge leaves it.
fn exits(scene: &Scene<'_>, drawing: &Drawing, viewport: &Viewport, area: Rect, buffer: &mut Buffer) {
    for route in &drawing.routes {
        let (Some(place), Some(start)) = (drawing.placed.get(route.from), route.points.first()) else {
            continue;
        };
        let face = match drawing.flow {
            FlowDirection::Right => Place { x: place.right() - 1, y: start.1, width: 1, height: 1 },
            FlowDirection::Down => Place { x: start.0, y: place.bottom() - 1, width: 1, height: 1 },
        };
        let inside = match drawing.flow {
            FlowDirection::Right => (place.y + 1..place.bottom() - 1).contains(&face.y),
            FlowDirection::Down => (place.x + 1..place.right() - 1).contains(&face.x),
        };
        let Some(seen) = viewport.clip(face, area).filter(|_| inside) else { continue };
        let symbol = match (drawing.flow, scene.status(route.from) == Some(NodeStatus::Running)) {
            _ if scene.model.options.ascii => "+",
            (FlowDirection::Right, false) => "├",
            (FlowDirection::Right, true) => "┠",
            (FlowDirection::Down, false) => "┬",
            (FlowDirection::Down, true) => "┯",
        };
        if let Some(cell) = buffer.cell_mut((seen.x, seen.y)) {
            cell.set_symbol(symbol);
        }
    }
}

/// Draws the name of the selected dot beside it, where it covers no other dot.
fn name(scene: &Scene<'_>, drawing: &Drawing, viewport: &Viewport, area: Rect, buffer: &mut Buffer) {
    let Some(index) = scene.selected() else { return };
    let Some(seen) = drawing.placed.get(index).and_then(|place| viewport.clip(*place, area)) else { return };
    let name = format!(" {} ", scene.layout.nodes[index]);
    let width = u16::try_from(fanlight_shared::sanitise::width(&name)).unwrap_or(0);
    let beside = |x: u16, y: u16| Rect { x, y, width, height: 1 };
    let places = [
        beside(seen.right(), seen.y),
        beside(seen.x.saturating_sub(width), seen.y),
        beside(seen.x, seen.y.saturating_sub(1)),
        beside(seen.x, seen.bottom()),
    ];
    let dots = || drawing.placed.iter().filter_map(|place| viewport.clip(*place, area));
    let free = |place: &&Rect| area.union(**place) == area && !dots().any(|dot| dot.intersects(**place));
    let place = places.iter().find(free).unwrap_or(&places[0]).intersection(area);
    buffer.set_stringn(place.x, place.y, name, usize::from(place.width), scene.theme.selected);
}

/// The nodes that are out of view on one side.
#[derive(Clone, Copy, Default)]
struct Hidden {
    count: usize,
    fails: bool,
    runs: bool,
}

/// Draws arrows towards nodes that are out of view, in the colour of the worst state.
fn beyond(scene: &Scene<'_>, drawing: &Drawing, viewport: &Viewport, area: Rect, buffer: &mut Buffer) {
    if viewport.holds(drawing) || area.width < 4 || area.height < 4 {
        return;
    }
    let view = viewport.place();
    let ascii = scene.model.options.ascii;
    let mut sides = [Hidden::default(); 4];
    for (index, place) in drawing.placed.iter().enumerate() {
        let lies = [
            place.right() <= view.x,
            place.x >= view.right(),
            place.bottom() <= view.y,
            place.y >= view.bottom(),
        ];
        if !lies.contains(&true) {
            continue;
        }
        let status = scene.status(index);
        for (side, _) in sides.iter_mut().zip(lies).filter(|(_, lies)| *lies) {
            side.count += 1;
            side.fails |= status == Some(NodeStatus::Failed);
            side.runs |= status == Some(NodeStatus::Running);
        }
    }
    let marks = [
        (["◂", "<"], (area.x, area.y + area.height / 2)),
        (["▸", ">"], (area.right() - 1, area.y + area.height / 2)),
        (["▴", "^"], (area.x + area.width / 2, area.y)),
        (["▾", "v"], (area.x + area.width / 2, area.bottom() - 1)),
    ];
    for (side, (Hidden { count, fails, runs }, (glyphs, (x, y)))) in sides.into_iter().zip(marks).enumerate()
    {
        if count == 0 {
            continue;
        }
        let style = match (fails, runs) {
            (true, _) => scene.theme.bad,
            (false, true) => scene.theme.running,
            (false, false) => scene.theme.text,
        };
        let words = format!("{}{count}", glyphs[usize::from(ascii)]);
        let width = u16::try_from(words.chars().count()).unwrap_or(1);
        let x = if side == 1 { area.right().saturating_sub(width) } else { x };
        buffer.set_stringn(x, y, words, usize::from(area.right().saturating_sub(x)), style);
    }
}
