//! Straighter edges: the layout library leads a long edge through lanes of its own, which dip and rise where the way is
//! free. A stretch between two bends is moved onto the row of its neighbour where that crosses no node and runs along no
//! stranger's edge.

use std::collections::HashMap;

use super::{FlowDirection, Place, Route};

/// The maximum number of edge cells to straighten: larger graphs are viewed as dots or a list.
const MAX_CELLS: usize = 400_000;
/// The maximum number of passes over all edges.
const MAX_PASSES: usize = 4;
/// The cost of a bend in crossings.
const BEND_COST: usize = 2;

/// An edge runs along the flow here.
const ALONG: u8 = 1;
/// An edge runs across the flow here; with [`ALONG`] it bends or ends here.
const ACROSS: u8 = 2;

/// A cell: how far along the flow, and across it.
type Cell = (i32, i32);

/// Removes bends from the edges of a drawing.
pub(super) fn straighten(routes: &mut [Route], placed: &[Place], flow: FlowDirection) {
    if routes.iter().map(|route| length(&route.points)).sum::<usize>() > MAX_CELLS {
        return;
    }
    let nodes: Vec<Place> = placed.iter().map(|place| turned(*place, flow)).collect();
    let mut lines: Vec<Option<Polyline>> = routes.iter().map(|route| Polyline::of(route, flow)).collect();
    let mut occupancy = Occupancy { nodes: Nodes::of(&nodes), used: HashMap::new() };
    for (index, route) in routes.iter().enumerate() {
        let points: Vec<Cell> = route.points.iter().map(|point| turn(*point, flow)).collect();
        occupancy.enter(index, &points);
    }
    for _ in 0..MAX_PASSES {
        let mut moved = false;
        for (index, slot) in lines.iter_mut().enumerate() {
            let Some(line) = slot.take() else { continue };
            occupancy.leave(index, &line.points());
            let better = occupancy.better(line, routes, index, &mut moved);
            occupancy.enter(index, &better.points());
            *slot = Some(better);
        }
        if !moved {
            break;
        }
    }
    for (route, line) in routes.iter_mut().zip(lines) {
        if let Some(line) = line {
            route.points = line.points().into_iter().map(|point| turn(point, flow)).collect();
        }
    }
}

fn turn((x, y): Cell, flow: FlowDirection) -> Cell {
    match flow {
        FlowDirection::Right => (x, y),
        FlowDirection::Down => (y, x),
    }
}

fn turned(place: Place, flow: FlowDirection) -> Place {
    match flow {
        FlowDirection::Right => place,
        FlowDirection::Down => Place { x: place.y, y: place.x, width: place.height, height: place.width },
    }
}

fn length(points: &[Cell]) -> usize {
    let steps = points.windows(2).map(|pair| pair[0].0.abs_diff(pair[1].0) + pair[0].1.abs_diff(pair[1].1));
    steps.map(|steps| steps as usize).sum::<usize>() + 1
}

/// An edge that never turns back: the rows of its segments along the flow, and the positions where it changes rows.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Polyline {
    start: i32,
    end: i32,
    rows: Vec<i32>,
    bends: Vec<i32>,
}

impl Polyline {
    fn of(route: &Route, flow: FlowDirection) -> Option<Self> {
        let points: Vec<Cell> = route.points.iter().map(|point| turn(*point, flow)).collect();
        let (first, last) = (*points.first()?, *points.last()?);
        let mut line = Self { start: first.0, end: last.0, rows: vec![first.1], bends: Vec::new() };
        for pair in points.windows(2) {
            let ((along, row), (to, next)) = (pair[0], pair[1]);
            match (along == to, row == next) {
                (true, true) => {}
                (true, false) if line.bends.last() == Some(&along) => *line.rows.last_mut()? = next,
                (true, false) => {
                    line.bends.push(along);
                    line.rows.push(next);
                }
                (false, true) if to > along => {}
                _ => return None,
            }
        }
        Some(line)
    }

    fn points(&self) -> Vec<Cell> {
        let mut points = vec![(self.start, self.rows[0])];
        for (index, bend) in self.bends.iter().enumerate() {
            points.push((*bend, self.rows[index]));
            points.push((*bend, self.rows[index + 1]));
        }
        points.push((self.end, self.rows[self.rows.len() - 1]));
        points.dedup();
        points
    }

    /// Returns it with the segment at `index` moved to the row of the previous or next segment.
    fn moved(&self, index: usize, onto_next: bool) -> Self {
        let mut line = self.clone();
        line.rows.remove(index);
        line.bends.remove(if onto_next { index } else { index - 1 });
        // Merges segments that are now in the same row.
        while let Some(same) = line.rows.windows(2).position(|pair| pair[0] == pair[1]) {
            line.rows.remove(same + 1);
            line.bends.remove(same);
        }
        line
    }

    /// Returns its cells and the direction in which it passes each, without the ends, which are on nodes.
    fn cells(points: &[Cell]) -> Vec<(Cell, u8)> {
        let mut cells: Vec<(Cell, u8)> = Vec::with_capacity(length(points));
        for pair in points.windows(2) {
            let ((mut x, mut y), to) = (pair[0], pair[1]);
            let how = if y == to.1 { ALONG } else { ACROSS };
            if let Some((_, last)) = cells.last_mut() {
                *last |= how;
            }
            while (x, y) != to {
                (x, y) = (x + (to.0 - x).signum(), y + (to.1 - y).signum());
                cells.push(((x, y), how));
            }
        }
        cells.pop();
        if let Some((_, arrow)) = cells.last_mut() {
            *arrow = ALONG | ACROSS;
        }
        cells
    }
}

/// The nodes by the rows that they cover.
struct Nodes(HashMap<i32, Vec<(i32, i32)>>);

impl Nodes {
    fn of(nodes: &[Place]) -> Self {
        let mut rows: HashMap<i32, Vec<(i32, i32)>> = HashMap::new();
        for node in nodes {
            for row in node.y..node.bottom() {
                rows.entry(row).or_default().push((node.x, node.right()));
            }
        }
        Self(rows)
    }

    fn covers(&self, (along, row): Cell) -> bool {
        self.0.get(&row).is_some_and(|row| row.iter().any(|(from, to)| (*from..*to).contains(&along)))
    }
}

/// The edges in each cell.
struct Occupancy {
    nodes: Nodes,
    used: HashMap<Cell, Vec<(usize, u8)>>,
}

impl Occupancy {
    fn enter(&mut self, route: usize, points: &[Cell]) {
        for (cell, how) in Polyline::cells(points) {
            self.used.entry(cell).or_default().push((route, how));
        }
    }

    fn leave(&mut self, route: usize, points: &[Cell]) {
        for (cell, _) in Polyline::cells(points) {
            if let Some(used) = self.used.get_mut(&cell) {
                used.retain(|(other, _)| *other != route);
            }
        }
    }

    /// Moves segments as long as that lowers the cost.
    fn better(&self, mut line: Polyline, routes: &[Route], index: usize, moved: &mut bool) -> Polyline {
        let mut cost = self.cost(&line, routes, index);
        loop {
            let inner = 1..line.rows.len().saturating_sub(1);
            let tries = inner.flat_map(|stretch| [(stretch, false), (stretch, true)]);
            let found = tries.map(|(stretch, onto_next)| line.moved(stretch, onto_next)).find_map(|other| {
                let less = self.cost(&other, routes, index)?;
                cost.is_none_or(|cost| less < cost).then_some((other, less))
            });
            let Some((other, less)) = found else { return line };
            (line, cost) = (other, Some(less));
            *moved = true;
        }
    }

    /// Returns the cost in bends and crossings; `None` if the line isn't possible.
    fn cost(&self, line: &Polyline, routes: &[Route], index: usize) -> Option<usize> {
        let mut cost = line.bends.len() * BEND_COST;
        let own = &routes[index];
        for (cell, how) in Polyline::cells(&line.points()) {
            if self.nodes.covers(cell) {
                return None;
            }
            for (other, theirs) in self.used.get(&cell).into_iter().flatten() {
                let other = &routes[*other];
                if other.from == own.from || other.to == own.to {
                    continue;
                }
                if how & theirs != 0 {
                    return None;
                }
                cost += 1;
            }
        }
        Some(cost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(x: i32, y: i32) -> Place {
        Place { x, y, width: 5, height: 1 }
    }

    fn route(from: usize, to: usize, points: &[Cell]) -> Route {
        Route { from, to, points: points.to_vec() }
    }

    const DIP: [Cell; 6] = [(4, 0), (6, 0), (6, 1), (15, 1), (15, 0), (20, 0)];

    #[test]
    fn an_edge_that_bends_needlessly_is_straightened() {
        let placed = [node(0, 0), node(20, 0)];
        let mut routes = [route(0, 1, &DIP)];
        straighten(&mut routes, &placed, FlowDirection::Right);
        assert_eq!(routes[0].points, [(4, 0), (20, 0)]);
    }

    #[test]
    fn an_edge_goes_around_a_node() {
        let placed = [node(0, 0), node(20, 0), node(8, 0)];
        let mut routes = [route(0, 1, &DIP)];
        straighten(&mut routes, &placed, FlowDirection::Right);
        assert_eq!(routes[0].points, DIP);
    }

    #[test]
    fn unrelated_edges_cross_but_never_share_cells() {
        // Another edge runs along row 0 between columns 8 and 12.
        let placed = [node(0, 0), node(20, 0), node(0, 3), node(20, 3)];
        let along = [(4, 3), (8, 3), (8, 0), (12, 0), (12, 3), (20, 3)];
        let mut routes = [route(0, 1, &DIP), route(2, 3, &along)];
        straighten(&mut routes[..1], &placed, FlowDirection::Right);
        assert_eq!(routes[0].points, [(4, 0), (20, 0)], "alone it is straight");
        let mut routes = [route(0, 1, &DIP), route(2, 3, &along)];
        straighten(&mut routes, &placed, FlowDirection::Right);
        for cell in Polyline::cells(&routes[0].points) {
            for other in Polyline::cells(&routes[1].points) {
                assert!(cell.0 != other.0 || cell.1 & other.1 == 0, "{routes:?}");
            }
        }
    }

    #[test]
    fn edges_that_lead_down_are_straightened_too() {
        let placed: Vec<Place> =
            [node(0, 0), node(20, 0)].into_iter().map(|place| turned(place, FlowDirection::Down)).collect();
        let points: Vec<Cell> = DIP.iter().map(|point| turn(*point, FlowDirection::Down)).collect();
        let mut routes = [route(0, 1, &points)];
        straighten(&mut routes, &placed, FlowDirection::Down);
        assert_eq!(routes[0].points, [(0, 4), (0, 20)]);
    }
}
