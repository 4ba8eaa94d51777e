//! Layers, lanes for long edges, few crossings: by `ascii-dag`, which only this file uses.

use ascii_dag::{CustomNode, Direction, EdgePath, FlowAxis, Graph, LayoutConfig, LayoutEdge};
use fanlight_shared::expression::Root;
use fanlight_shared::node_type::Catalogue;
use fanlight_shared::sanitise::width;
use fanlight_shared::types::Type;
use fanlight_shared::workflow::{Node, Workflow};
use indexmap::IndexSet;

use super::straight::straighten;
use super::{Drawing, FlowDirection, Layout, Place, Route, Zoom, lanes, ports};

/// The maximum number of nodes and of layers that their edges cross. Above it only the list is shown, because layout
/// would take seconds.
const MAX_CELLS_LAID_OUT: usize = 12_000;

/// Columns of a card, with its border.
const CARD_WIDTH: (usize, usize) = (20, 28);
/// Columns of a card if there is little room.
const NARROW_CARD_WIDTH: (usize, usize) = (12, 20);
/// Rows of a card, with its border.
const CARD_ROWS: usize = 4;
/// Rows of the pictures of large cards; cards grow in these steps.
const PICTURE_ROWS: [usize; 5] = [14, 11, 9, 7, 5];
/// The maximum number of nodes that are laid out as large cards: no screen has room for more.
const MAX_LARGE_CARDS: usize = 48;
/// Columns of a chip.
const CHIP_WIDTH: (usize, usize) = (5, 28);

/// Lays out the graph of a workflow; `types` are the known types of its nodes. Takes 1 ms for ten nodes and 30 ms for some hundred, so call it off the event
/// loop.
#[must_use]
pub fn layout(workflow: &Workflow, types: &Catalogue) -> Layout {
    let nodes: IndexSet<String> = workflow.nodes.keys().cloned().collect();
    let links = links(workflow);
    let levels = levels(nodes.len(), &links);
    let crossed: usize = links.iter().map(|(from, to)| levels[*to].saturating_sub(levels[*from] + 1)).sum();
    let mut drawings = Vec::new();
    if !nodes.is_empty() && nodes.len() + crossed <= MAX_CELLS_LAID_OUT {
        let large = large_cards(workflow, types, &levels).into_iter().map(|size| (Zoom::Large, size));
        let smaller = [
            (Zoom::Card, cards(&nodes)),
            (Zoom::Card, narrow_cards(&nodes, &levels)),
            (Zoom::Chip, chips(&nodes)),
            (Zoom::Dot, vec![(1, 1); nodes.len()]),
        ];
        for (zoom, size) in large.chain(smaller) {
            for flow in [FlowDirection::Right, FlowDirection::Down] {
                drawings.extend(drawing(&size, &links, zoom, flow));
            }
        }
    }
    let lanes = lanes::lanes(nodes.len(), &links);
    Layout { nodes, ports: ports(workflow), links, drawings, lanes }
}

/// Returns the dependencies between nodes, each pair once.
fn links(workflow: &Workflow) -> Vec<(usize, usize)> {
    let mut links = IndexSet::new();
    for (to, (_, node)) in workflow.nodes.iter().enumerate() {
        let read = node.references().filter_map(|(_, reference)| match &reference.root {
            Root::Node(name) => workflow.nodes.get_index_of(name),
            _ => None,
        });
        let needed = node.needs.iter().filter_map(|name| workflow.nodes.get_index_of(name));
        links.extend(read.chain(needed).filter(|from| *from != to).map(|from| (from, to)));
    }
    links.into_iter().collect()
}

/// Returns how many nodes lie before each on the longest way to it.
fn levels(nodes: usize, links: &[(usize, usize)]) -> Vec<usize> {
    let mut readers = vec![Vec::new(); nodes];
    for (from, to) in links {
        readers[*from].push(*to);
    }
    let mut levels = vec![0; nodes];
    for node in lanes::order(nodes, links) {
        for reader in &readers[node] {
            levels[*reader] = levels[*reader].max(levels[node] + 1);
        }
    }
    levels
}

/// Columns and rows of a node.
type Size = (usize, usize);

/// Returns cards of equal width, so that they line up in columns.
fn cards(nodes: &IndexSet<String>) -> Vec<Size> {
    let widest = nodes.iter().map(|name| width(name)).max().unwrap_or(0);
    vec![((widest + 6).clamp(CARD_WIDTH.0, CARD_WIDTH.1), CARD_ROWS); nodes.len()]
}

/// Returns cards that have room for a picture, in several sizes. Nodes that make no media keep small ones, as wide as
/// the others of their layer.
fn large_cards(workflow: &Workflow, types: &Catalogue, levels: &[usize]) -> Vec<Vec<Size>> {
    let grows: Vec<bool> = workflow.nodes.values().map(|node| may_make_media(node, types)).collect();
    if grows.len() > MAX_LARGE_CARDS || !grows.contains(&true) {
        return Vec::new();
    }
    let of_rows = |rows: usize| {
        // Pictures are usually 4:3, and a cell is half as wide as it is high.
        let picture = rows * 8 / 3 + 4;
        let mut widest = vec![0; levels.iter().max().map_or(0, |last| last + 1)];
        for ((name, level), grows) in workflow.nodes.keys().zip(levels).zip(&grows) {
            let card = (width(name) + 6).clamp(CARD_WIDTH.0, CARD_WIDTH.1);
            widest[*level] = widest[*level].max(if *grows { card.max(picture) } else { card });
        }
        let height = |grows: &bool| if *grows { CARD_ROWS + rows } else { CARD_ROWS };
        levels.iter().zip(&grows).map(|(level, grows)| (widest[*level], height(grows))).collect()
    };
    PICTURE_ROWS.into_iter().map(of_rows).collect()
}

/// Returns whether a node may make media.
fn may_make_media(node: &Node, types: &Catalogue) -> bool {
    if node.action.is_command() {
        return node.outputs.values().any(|output| output.ty.has_media());
    }
    let may = |ty: &Type| ty.has_media() || *ty == Type::Any;
    types.get(node.action.word()).is_none_or(|spec| node.outputs_of(spec).values().any(|it| may(&it.ty)))
}

/// Returns cards as wide as the widest name of their layer.
fn narrow_cards(nodes: &IndexSet<String>, levels: &[usize]) -> Vec<Size> {
    let mut widest = vec![0; levels.iter().max().map_or(0, |last| last + 1)];
    for (name, level) in nodes.iter().zip(levels) {
        widest[*level] = widest[*level].max(width(name));
    }
    let card =
        |level: &usize| ((widest[*level] + 6).clamp(NARROW_CARD_WIDTH.0, NARROW_CARD_WIDTH.1), CARD_ROWS);
    levels.iter().map(card).collect()
}

fn chips(nodes: &IndexSet<String>) -> Vec<Size> {
    nodes.iter().map(|name| ((width(name) + 4).clamp(CHIP_WIDTH.0, CHIP_WIDTH.1), 1)).collect()
}

fn drawing(sizes: &[Size], links: &[(usize, usize)], zoom: Zoom, flow: FlowDirection) -> Option<Drawing> {
    let mut graph = Graph::new();
    for (index, (width, height)) in sizes.iter().enumerate() {
        let node = CustomNode { label: "", width: *width, height: *height, painter: None, payload: "" };
        graph.add_node(index, node);
    }
    for (from, to) in links {
        graph.add_edge(*from, *to, None);
    }
    let mut config = LayoutConfig::standard();
    (config.direction, config.node_spacing, config.level_spacing) = match (flow, zoom) {
        (FlowDirection::Right, Zoom::Card | Zoom::Large) => (Direction::LeftRight, 0, 2),
        (FlowDirection::Right, Zoom::Chip) => (Direction::LeftRight, 1, 1),
        (FlowDirection::Right, Zoom::Dot) => (Direction::LeftRight, 0, 0),
        (FlowDirection::Down, Zoom::Card | Zoom::Large) => (Direction::TopDown, 2, 0),
        (FlowDirection::Down, Zoom::Chip) => (Direction::TopDown, 2, 0),
        (FlowDirection::Down, Zoom::Dot) => (Direction::TopDown, 1, 0),
    };
    let laid = graph.compute_layout_with_config(&config);
    let mut placed = vec![Place::default(); sizes.len()];
    for node in laid.nodes() {
        *placed.get_mut(node.id)? =
            Place { x: cell(node.x), y: cell(node.y), width: cell(node.width), height: cell(node.height) };
    }
    let mut routes: Vec<Route> = laid.edges().iter().map(route).collect();
    // The library starts edges below the highest node of a layer.
    for route in routes.iter_mut().filter(|_| flow == FlowDirection::Down) {
        if let (Some(start), Some(place)) = (route.points.first_mut(), placed.get(route.from)) {
            start.1 = place.bottom() - 1;
        }
    }
    straighten(&mut routes, &placed, flow);
    let mut drawing = Drawing { zoom, flow, size: (0, 0), placed, routes };
    trim(&mut drawing);
    Some(drawing)
}

/// Moves everything to the upper left corner and measures it.
fn trim(drawing: &mut Drawing) {
    let nodes = drawing.placed.iter().flat_map(|it| [(it.x, it.y), (it.right() - 1, it.bottom() - 1)]);
    let corners = drawing.routes.iter().flat_map(|route| route.points.iter().copied());
    let all: Vec<(i32, i32)> = nodes.chain(corners).collect();
    let left = all.iter().map(|(x, _)| *x).min().unwrap_or(0);
    let top = all.iter().map(|(_, y)| *y).min().unwrap_or(0);
    let right = all.iter().map(|(x, _)| *x).max().unwrap_or(0);
    let bottom = all.iter().map(|(_, y)| *y).max().unwrap_or(0);
    drawing.size = (right - left + 1, bottom - top + 1);
    for place in &mut drawing.placed {
        (place.x, place.y) = (place.x - left, place.y - top);
    }
    for point in drawing.routes.iter_mut().flat_map(|route| &mut route.points) {
        *point = (point.0 - left, point.1 - top);
    }
}

fn cell(at: usize) -> i32 {
    i32::try_from(at).unwrap_or(i32::MAX / 4)
}

/// Returns the corners of an edge, as the library's own painter draws it.
fn route(edge: &LayoutEdge<'_>) -> Route {
    // Relative to the direction of the flow: `at` is the position along it, `beside` across it.
    let turned = edge.flow_axis == FlowAxis::Y;
    let turn = |(x, y): (usize, usize)| if turned { (cell(y), cell(x)) } else { (cell(x), cell(y)) };
    let from = turn((edge.from_x, edge.from_y));
    let to = turn((edge.to_x, edge.to_y));
    let mut points = vec![from];
    let mut bend = |at: i32, before: (i32, i32), after: (i32, i32)| {
        points.push((at, before.1));
        points.push((at, after.1));
    };
    match &edge.path {
        EdgePath::Direct => {}
        EdgePath::Corner { bend_at } => bend(cell(*bend_at), from, to),
        EdgePath::SideChannel { channel_at, span_start, span_end } => {
            let channel = (0, cell(*channel_at));
            bend(cell(*span_start), from, channel);
            bend(cell(*span_end), channel, to);
        }
        EdgePath::MultiSegment { waypoints, start_offset } => {
            let mut before = from;
            for (index, next) in waypoints.iter().map(|it| turn(*it)).chain([to]).enumerate() {
                if next.1 != before.1 {
                    let offset = if index == 0 { cell(*start_offset) } else { 0 };
                    bend(before.0 + 1 + offset, before, next);
                }
                before = next;
            }
        }
        _ => bend((from.0 + to.0) / 2, from, to),
    }
    points.push(to);
    if turned {
        points.iter_mut().for_each(|(x, y)| std::mem::swap(x, y));
    }
    points.dedup();
    Route { from: edge.from_id, to: edge.to_id, points }
}
