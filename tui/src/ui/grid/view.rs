//! Draws the grid pane: a line for a failure, then the graph or the list.

pub mod body;
mod card;
mod graph;
mod list;

use fanlight_shared::problem::Problem;
use fanlight_shared::run::NodeStatus;
use fanlight_shared::run_state::NodeState;
use fanlight_shared::sanitise;
use fanlight_shared::workflow::Workflow;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::camera;
use crate::ui::areas::{Areas, Hit};
use crate::ui::document::Document;
use crate::ui::fit::fit;
use crate::ui::graph::{Layout, Zoom};
use crate::ui::model::Model;
use crate::ui::model::grid::Zooming;
use crate::ui::node::{self, Facts};
use crate::ui::theme::{Theme, node_glyph};

/// The duration of an animation frame, in milliseconds.
const FRAME_INTERVAL: u64 = 125;

/// The content of the pane: a graph, its workflow file and the problems in it.
struct Scene<'a> {
    model: &'a Model,
    theme: &'a Theme,
    workflow: &'a Workflow,
    layout: &'a Layout,
    problems: &'a [Problem],
    /// It has no state of the focused run.
    planned: bool,
}

impl<'a> Scene<'a> {
    fn facts(&self, node: usize) -> Facts<'a> {
        let facts = Facts::planned(self.model, self.workflow, self.layout, self.problems, node);
        if self.planned { facts } else { facts.run(self.state(node)) }
    }

    /// Returns the state of a node in the focused run.
    fn state(&self, node: usize) -> Option<&'a NodeState> {
        let lens = self.model.lens().filter(|_| !self.planned)?;
        node::state(lens.state, self.layout, node)
    }

    fn status(&self, node: usize) -> Option<NodeStatus> {
        self.state(node).map(|node| node.whole.status)
    }

    /// Schedules an animation step for a running node in view, if animations are on.
    fn moves(&self, areas: &mut Areas) {
        if self.model.options.motion {
            areas.tick_in(FRAME_INTERVAL);
        }
    }

    fn selected(&self) -> Option<usize> {
        if self.planned {
            return None;
        }
        self.layout.index(self.model.grid.selected.as_ref()?)
    }

    /// Returns whether a node is hidden by the filter.
    fn is_dimmed(&self, name: &str) -> bool {
        let filter = &self.model.grid.filter;
        !self.planned && !filter.is_empty() && crate::ui::fuzzy::matches(filter, name).is_none()
    }
}

/// Draws the inside of the pane; the root draws the border, with the title from [`title`].
pub fn view(model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer, areas: &mut Areas) {
    let below = failure(model, theme, area, buffer, areas);
    let Some((workflow, layout)) = model.drawn() else {
        return problems(model, theme, below, buffer);
    };
    let Some(layout) = layout else {
        return;
    };
    let problems = model.workflow.as_ref().map_or(&[][..], |open| &open.document.problems);
    let scene = Scene { model, theme, workflow, layout, problems, planned: false };
    if camera::is_list(model, layout, below) {
        list::view(&scene, below, buffer, areas);
    } else if let Some(drawing) = camera::drawing(&model.grid, layout, below) {
        let target = camera::target(model, layout);
        let viewport = camera::viewport(&model.grid, drawing, target, below);
        graph::view(&scene, drawing, &viewport, below, buffer, areas);
    }
}

/// Draws the failed node of a failed run, its exit code and its last line. Returns the area below.
fn failure(model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer, areas: &mut Areas) -> Rect {
    let Some((name, instance)) = node::first_failed(model) else { return area };
    if area.height < 4 {
        return area;
    }
    let row = Rect { height: 1, ..area };
    let glyph = node_glyph(instance.status, 0, model.options.ascii);
    let room = usize::from(row.width).saturating_sub(name.len() + 5);
    Line::from(vec![
        Span::styled(format!(" {glyph} {name}  "), theme.bad),
        Span::styled(fit(&node::failure(instance), room), theme.text),
    ])
    .render(row, buffer);
    areas.hit(row, Hit::Node(name.to_owned()));
    Rect { y: area.y + 1, height: area.height - 1, ..area }
}

/// Draws the problems of a file that can't run.
fn problems(model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let Some(open) = &model.workflow else { return };
    let mut y = area.y;
    for problem in &open.document.problems {
        let error = problem.severity == fanlight_shared::problem::Severity::Error;
        let style = if error { theme.bad } else { theme.warning };
        for line in crate::ui::wrap::wrap(&sanitise::line(&problem.to_string()), area.width.saturating_sub(2))
        {
            if y >= area.bottom() {
                return;
            }
            buffer.set_string(area.x + 1, y, line, style);
            y += 1;
        }
    }
}

/// Returns the titles in the pane's border: left and right.
#[must_use]
pub fn title(model: &Model) -> (String, String) {
    let grid = &model.grid;
    let left = if grid.filter.is_empty() { String::new() } else { format!("/{}", grid.filter) };
    let mut right = Vec::new();
    if grid.follow {
        right.push("following".to_owned());
    }
    if let Some(open) = &model.workflow {
        let count = open.document.problems.len();
        if count > 0 {
            right.push(format!("{count} problem{}", if count == 1 { "" } else { "s" }));
        }
    }
    (left, right.join(" · "))
}

/// Draws the graph of a workflow that isn't open, fitted, with its problems marked, as home shows it.
pub fn plan(
    document: &Document,
    layout: Option<&Layout>,
    model: &Model,
    theme: &Theme,
    area: Rect,
    buffer: &mut Buffer,
) {
    let (Some(workflow), Some(layout)) = (&document.workflow, layout) else { return };
    let problems = &document.problems;
    let scene = Scene { model, theme, workflow, layout, problems, planned: true };
    let mut areas = Areas::default();
    match camera::drawing_up_to(Zoom::Card, Zooming::Fit, layout, area) {
        Some(drawing) => {
            // Directly below the text above it, not centred.
            let rows = u16::try_from(drawing.size.1).unwrap_or(u16::MAX).saturating_add(2);
            let area = Rect { height: area.height.min(rows), ..area };
            let viewport = crate::ui::graph::viewport::Viewport::new(drawing, (0, 0), area);
            graph::view(&scene, drawing, &viewport, area, buffer, &mut areas);
        }
        None => list::view(&scene, area, buffer, &mut areas),
    }
}

#[cfg(test)]
mod tests;
