//! The values of a port in every run: the newest first; Enter moves the lens to that run and pins it.

use crossterm::event::{KeyEvent, MouseEvent, MouseEventKind};
use fanlight_shared::id::RunId;
use fanlight_shared::rpc::values;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::list::{self, Cursor};
use crate::ui::action::{Action, Scope};
use crate::ui::areas::{Areas, Hit};
use crate::ui::effect::Effect;
use crate::ui::fit::fit;
use crate::ui::frame::screen;
use crate::ui::model::Model;
use crate::ui::model::component::{Component, Step};
use crate::ui::node;
use crate::ui::products::Made;
use crate::ui::theme::{Theme, run_glyph};

/// The values of a port in every run.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ValuesOfRuns {
    node: String,
    ports: Vec<String>,
    port: usize,
    cursor: Cursor,
    /// The page of older runs that was requested last.
    asked: Option<String>,
}

impl ValuesOfRuns {
    /// Opens the values of the port that the node's card shows; `None` if no port is known.
    #[must_use]
    pub fn open(model: &mut Model, name: &str) -> Option<(Self, Vec<Effect>)> {
        let mut layer = Self { node: name.to_owned(), ports: node::ports(model, name), ..Self::default() };
        layer.ports.first()?;
        let effects = layer.read(model);
        Some((layer, effects))
    }

    fn port(&self) -> &str {
        self.ports.get(self.port).map_or("", String::as_str)
    }

    fn rows<'a>(&self, model: &'a Model) -> Vec<(RunId, &'a Made)> {
        let port = model.grid.products.port(&self.node, self.port());
        port.map(|port| port.newest().collect()).unwrap_or_default()
    }

    fn turn(&mut self, model: &mut Model, by: usize) -> Step {
        if self.ports.is_empty() {
            return Step::stay();
        }
        self.port = (self.port + by) % self.ports.len();
        self.cursor = Cursor::default();
        Step::with(self.read(model))
    }

    /// Requests the first page, unless it is known.
    fn read(&mut self, model: &mut Model) -> Vec<Effect> {
        self.asked = None;
        model.grid.products.ask(&self.node, self.port()).map(Effect::ListValues).into_iter().collect()
    }

    /// Requests the next page once the cursor is near the end.
    fn more(&mut self, model: &Model) -> Vec<Effect> {
        let rows = self.rows(model).len();
        let more = model.grid.products.port(&self.node, self.port()).and_then(|port| port.more.clone());
        let (Some(workflow_id), Some(cursor)) = (model.workflow_id(), more) else { return Vec::new() };
        if self.cursor.at + 30 < rows || self.asked.as_ref() == Some(&cursor) {
            return Vec::new();
        }
        self.asked = Some(cursor.clone());
        vec![Effect::ListValues(values::List {
            workflow_id,
            node: self.node.clone(),
            port: self.port().to_owned(),
            run_id: None,
            cursor: Some(cursor),
            limit: None,
        })]
    }
}

impl Component for ValuesOfRuns {
    fn key(&mut self, model: &mut Model, key: KeyEvent, action: Option<Action>) -> Step {
        let rows = self.rows(model);
        if self.cursor.key(key, action, rows.len(), 20) {
            return Step::with(self.more(model));
        }
        let row = rows.get(self.cursor.at).copied();
        match action {
            Some(Action::Back | Action::Quit) => Step::close(),
            Some(Action::Open) => match row.map(|(run, _)| run) {
                Some(run) => Step::close_with(model.pin(run)),
                None => Step::stay(),
            },
            Some(Action::NextTab) => self.turn(model, 1),
            Some(Action::PreviousTab) => self.turn(model, self.ports.len().saturating_sub(1)),
            Some(Action::Copy) => {
                let text = row.and_then(|(_, made)| made.value.as_ref()?.to_text().ok());
                Step::with(text.map(Effect::Copy).into_iter().collect())
            }
            _ => Step::pass(),
        }
    }

    fn mouse(&mut self, model: &mut Model, mouse: MouseEvent, hit: Option<&Hit>) -> Step {
        let rows = self.rows(model).len();
        match (mouse.kind, hit) {
            (MouseEventKind::Down(_), Some(Hit::Row(row))) => self.cursor.at = *row,
            (MouseEventKind::ScrollDown, _) => self.cursor.wheel(true, rows),
            (MouseEventKind::ScrollUp, _) => self.cursor.wheel(false, rows),
            _ => {}
        }
        Step::with(self.more(model))
    }

    fn missed(&mut self, model: &mut Model) -> Vec<Effect> {
        self.read(model)
    }

    fn scope(&self) -> Option<Scope> {
        Some(Scope::Inspector)
    }

    fn hints(&self, _model: &Model) -> Vec<Action> {
        vec![Action::Open, Action::NextTab, Action::Copy, Action::Back]
    }

    fn view(&self, model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer, areas: &mut Areas) {
        let title = format!("{}.{} · all runs", self.node, self.port());
        let inside = screen(&title, model, theme, area, buffer, areas);
        let rows = self.rows(model);
        if rows.is_empty() {
            Line::styled("no run made a value here yet", theme.dim).render(inside, buffer);
            return;
        }
        let focused = model.lens().map(|lens| lens.run.id);
        list::view(self.cursor, rows.len(), theme, inside, buffer, areas, |index| {
            let (id, made) = rows[index];
            let run = model.projection.run(id);
            let number =
                made.number.or(run.map(|run| run.number)).map_or_else(String::new, |it| format!("#{it}"));
            let label = run.map(|run| run.label.as_str()).unwrap_or_default();
            let (glyph, style) = run.map_or((" ", theme.dim), |run| {
                (run_glyph(run.state, 0, model.options.ascii), theme.run(run.state))
            });
            let bar = if focused == Some(id) { ("▌", theme.accent) } else { (" ", theme.dim) };
            let value = made.value.as_ref().map_or_else(
                || Span::styled("not kept", theme.dim),
                |value| {
                    let room = usize::from(inside.width).saturating_sub(36);
                    Span::styled(fit(&node::summary(value, room), room), theme.text)
                },
            );
            Line::from(vec![
                Span::styled(bar.0, bar.1),
                Span::styled(
                    format!("{number:>6} "),
                    if focused == Some(id) { theme.accent } else { theme.text },
                ),
                Span::styled(format!("{glyph} "), style),
                Span::styled(format!("{:<24} ", fit(label, 24)), theme.dim),
                value,
            ])
        });
    }
}
