//! All commands by their descriptions: fuzzy matches, with their keys beside them.

use crossterm::event::{KeyCode, KeyEvent, MouseButton, MouseEvent, MouseEventKind};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

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
const KEY_WIDTH: usize = 10;

/// Movements within lists and text aren't commands.
const MOVEMENTS: &[Action] = &[
    Action::Left,
    Action::Down,
    Action::Up,
    Action::Right,
    Action::First,
    Action::Last,
    Action::HalfPageDown,
    Action::HalfPageUp,
    Action::Open,
    Action::Back,
    Action::NextMatch,
    Action::PreviousMatch,
    Action::Palette,
];

/// All commands by their descriptions.
#[derive(Debug)]
pub struct Palette {
    rows: Vec<&'static Info>,
    input: Input,
    cursor: Cursor,
}

impl Palette {
    /// Creates it with the enabled actions.
    #[must_use]
    pub fn new(model: &Model) -> Self {
        let layer = model.layers.last().and_then(|layer| layer.scope());
        let fits = |info: &&Info| {
            let here = match info.scope {
                Scope::All => true,
                scope if shell::pane_of(scope).is_some() => layer.is_none(),
                scope => layer == Some(scope),
            };
            here && !MOVEMENTS.contains(&info.action) && shell::enabled(model, info.action)
        };
        let mut rows: Vec<&Info> = ACTIONS.iter().filter(fits).collect();
        let first = layer.or(shell::component(model.pane).scope());
        rows.sort_by_key(|info| Some(info.scope) != first);
        Self { rows, input: Input::default(), cursor: Cursor::default() }
    }

    fn found(&self) -> Vec<(&'static Info, Vec<usize>)> {
        let found = fuzzy::filter(self.input.text(), &self.rows, |info| words(info));
        found.into_iter().map(|(_, info, places)| (*info, places)).collect()
    }

    /// Closes and runs the action under the cursor, in the layer below or the shell.
    fn choose(&self) -> Step {
        let Some((info, _)) = self.found().into_iter().nth(self.cursor.at) else { return Step::stay() };
        Step::choose(info.action)
    }
}

/// Returns the name of an action in the palette: `queue: cancel the run`.
fn words(info: &Info) -> String {
    match info.scope {
        Scope::All => info.words.to_owned(),
        scope => format!("{}: {}", scope.word(), info.words),
    }
}

impl Component for Palette {
    fn key(&mut self, _model: &mut Model, key: KeyEvent, action: Option<Action>) -> Step {
        let count = self.found().len();
        match key.code {
            KeyCode::Esc => Step::close(),
            KeyCode::Enter => self.choose(),
            KeyCode::Home | KeyCode::End => {
                self.input.key(key);
                Step::stay()
            }
            _ if self.cursor.key(key, action, count, 10) => Step::stay(),
            _ => {
                if self.input.key(key) {
                    self.cursor = Cursor::default();
                }
                Step::stay()
            }
        }
    }

    fn paste(&mut self, _model: &mut Model, text: &str) -> Step {
        self.input.insert(text);
        self.cursor = Cursor::default();
        Step::stay()
    }

    fn mouse(&mut self, _model: &mut Model, mouse: MouseEvent, hit: Option<&Hit>) -> Step {
        match (mouse.kind, hit) {
            (MouseEventKind::Down(MouseButton::Left), Some(Hit::Row(row))) => {
                self.cursor.at = *row;
                self.choose()
            }
            (MouseEventKind::ScrollDown, _) => {
                self.cursor.wheel(true, self.found().len());
                Step::stay()
            }
            (MouseEventKind::ScrollUp, _) => {
                self.cursor.wheel(false, self.found().len());
                Step::stay()
            }
            _ => Step::stay(),
        }
    }

    fn takes_text(&self) -> bool {
        true
    }

    fn hints(&self, _model: &Model) -> Vec<Action> {
        vec![Action::Open, Action::Back]
    }

    fn view(&self, model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer, areas: &mut Areas) {
        let inside = popup("Commands", (64, 18), model, theme, area, buffer, areas);
        let prompt = Rect { height: 1.min(inside.height), ..inside };
        Line::styled(":", theme.key).render(prompt, buffer);
        let field = Rect { x: prompt.x + 2, width: prompt.width.saturating_sub(2), ..prompt };
        areas.caret = self.input.view(theme, field, buffer);
        let rows = Rect { y: inside.y + 2, height: inside.height.saturating_sub(2), ..inside };
        let found = self.found();
        if found.is_empty() {
            Line::styled("no command has these letters", theme.dim).render(rows, buffer);
        }
        list::view(self.cursor, found.len(), theme, rows, buffer, areas, |index| {
            let (info, places) = &found[index];
            let key = model.keymap.keys(info.action).into_iter().next().unwrap_or_default();
            let mut spans = vec![Span::styled(format!("{key:<KEY_WIDTH$}"), theme.key)];
            let words = fit(&words(info), usize::from(rows.width).saturating_sub(KEY_WIDTH));
            spans.extend(list::marked(&words, places, theme.text, theme.matched));
            Line::from(spans)
        });
    }
}
