//! Every key and its action, by scope; searchable, and Enter runs the action under the cursor.

use crossterm::event::{KeyCode, KeyEvent, MouseButton, MouseEvent, MouseEventKind};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use crate::text;
use crate::ui::action::{ACTIONS, Action, Info, Scope};
use crate::ui::areas::{Areas, Hit};
use crate::ui::fit::fit;
use crate::ui::frame::popup;
use crate::ui::fuzzy;
use crate::ui::input::Input;
use crate::ui::layer::list::{self, Cursor};
use crate::ui::model::Model;
use crate::ui::model::component::{Component, Step};
use crate::ui::shell;
use crate::ui::theme::Theme;

/// Columns of the keys.
const KEY_WIDTH: usize = 18;
/// The minimum number of columns between the description and the name.
const GAP: usize = 2;

/// Every key and its action.
#[derive(Debug)]
pub struct Help {
    /// The scopes, that of the caller first.
    scopes: Vec<Scope>,
    filter: Input,
    /// Whether letters go to the filter.
    typing: bool,
    cursor: Cursor,
}

enum Row {
    Heading(Scope),
    Action(&'static Info, Vec<usize>),
}

impl Help {
    /// Returns the help for the current scope.
    #[must_use]
    pub fn new(model: &Model) -> Self {
        let mut scopes: Vec<Scope> = shell::scopes(model);
        scopes.extend(Scope::ALL.into_iter().filter(|scope| !scopes.contains(scope)).collect::<Vec<_>>());
        Self { scopes, filter: Input::default(), typing: false, cursor: Cursor { at: 1 } }
    }

    fn rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        for scope in &self.scopes {
            let of_scope: Vec<&'static Info> = ACTIONS.iter().filter(|info| info.scope == *scope).collect();
            let found: Vec<Row> = of_scope
                .into_iter()
                .filter_map(|info| {
                    let places = fuzzy::matches(self.filter.text(), info.words)?.1;
                    Some(Row::Action(info, places))
                })
                .collect();
            if !found.is_empty() {
                rows.push(Row::Heading(*scope));
                rows.extend(found);
            }
        }
        rows
    }

    fn choose(&self) -> Step {
        match self.rows().into_iter().nth(self.cursor.at) {
            Some(Row::Action(info, _)) => Step::choose(info.action),
            Some(Row::Heading(_)) | None => Step::stay(),
        }
    }
}

impl Component for Help {
    fn key(&mut self, _model: &mut Model, key: KeyEvent, action: Option<Action>) -> Step {
        let rows = self.rows();
        match key.code {
            KeyCode::Enter => return self.choose(),
            KeyCode::Esc if self.typing || !self.filter.text().is_empty() => {
                self.typing = false;
                self.filter = Input::default();
                self.cursor.at = 1;
            }
            KeyCode::Esc => return Step::close(),
            _ if self.cursor.key(key, action, rows.len(), 16) => {
                // The cursor skips headings.
                if matches!(rows.get(self.cursor.at), Some(Row::Heading(_))) {
                    let down = key.code == KeyCode::Down || action == Some(Action::Down);
                    let to = if down { self.cursor.at + 1 } else { self.cursor.at.saturating_sub(1).max(1) };
                    self.cursor.at = to.min(rows.len().saturating_sub(1));
                }
            }
            _ if self.typing && self.filter.key(key) => self.cursor.at = 1,
            _ if self.typing => {}
            _ if action == Some(Action::Search) => self.typing = true,
            _ if matches!(action, Some(Action::Help | Action::Quit | Action::Back)) => return Step::close(),
            _ => {}
        }
        Step::stay()
    }

    fn paste(&mut self, _model: &mut Model, text: &str) -> Step {
        self.filter.insert(text);
        self.cursor.at = 1;
        Step::stay()
    }

    fn mouse(&mut self, _model: &mut Model, mouse: MouseEvent, hit: Option<&Hit>) -> Step {
        match (mouse.kind, hit) {
            (MouseEventKind::Down(MouseButton::Left), Some(Hit::Row(row))) => {
                self.cursor.at = *row;
                return self.choose();
            }
            (MouseEventKind::ScrollDown, _) => self.cursor.wheel(true, self.rows().len()),
            (MouseEventKind::ScrollUp, _) => self.cursor.wheel(false, self.rows().len()),
            _ => {}
        }
        Step::stay()
    }

    fn takes_text(&self) -> bool {
        self.typing
    }

    fn hints(&self, _model: &Model) -> Vec<Action> {
        vec![Action::Open, Action::Search, Action::Back]
    }

    fn view(&self, model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer, areas: &mut Areas) {
        let size = (84, area.height.saturating_sub(2).min(44));
        let inside = popup("Help", size, model, theme, area, buffer, areas);
        let top = Rect { height: 1.min(inside.height), ..inside };
        if self.typing || !self.filter.text().is_empty() {
            Line::styled("/", theme.key).render(top, buffer);
            let field = Rect { x: top.x + 2, width: top.width.saturating_sub(2), ..top };
            let caret = self.filter.view(theme, field, buffer);
            areas.caret = caret.filter(|_| self.typing);
        } else {
            let words = "enter does it, / searches; keys are set in keymap.toml by these names";
            Line::styled(words, theme.dim).render(top, buffer);
        }
        let place = Rect { y: inside.y + 2, height: inside.height.saturating_sub(2), ..inside };
        let rows = self.rows();
        if rows.is_empty() {
            Line::styled("nothing has these letters", theme.dim).render(place, buffer);
        }
        list::view(self.cursor, rows.len(), theme, place, buffer, areas, |index| match &rows[index] {
            Row::Heading(scope) => Line::styled(scope.word(), theme.accent),
            Row::Action(info, places) => {
                let keys = model.keymap.keys(info.action).join(", ");
                let mut spans = vec![Span::styled(format!("  {} ", text::pad(&keys, KEY_WIDTH)), theme.key)];
                let off = !shell::enabled(model, info.action);
                let style = if off { theme.dim } else { theme.text };
                let room = usize::from(place.width).saturating_sub(KEY_WIDTH + 3);
                // The name is dropped if there isn't room for both; the description is never cut for it.
                let words = fit(info.words, room);
                let free = room.saturating_sub(text::width(&words));
                spans.extend(list::marked(&words, places, style, theme.matched));
                if free >= info.name.len() + GAP {
                    let blanks = free - info.name.len();
                    spans.push(Span::styled(format!("{:blanks$}{}", "", info.name), theme.dim));
                }
                Line::from(spans)
            }
        });
    }
}
