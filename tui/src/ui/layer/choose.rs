//! A short list to choose from.

use crossterm::event::{KeyCode, KeyEvent, MouseButton, MouseEvent, MouseEventKind};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::list::{self, Cursor};
use crate::ui::action::Action;
use crate::ui::areas::{Areas, Hit};
use crate::ui::effect::Effect;
use crate::ui::fit::fit;
use crate::ui::frame::popup;
use crate::ui::model::Model;
use crate::ui::model::component::{Component, Step};
use crate::ui::theme::Theme;

/// Columns of the list.
const WIDTH: u16 = 72;
/// Columns of a name.
const NAME_WIDTH: usize = 20;

/// A choice.
#[derive(Clone, PartialEq, Debug)]
pub struct Choice {
    /// Its name.
    pub name: String,
    /// What distinguishes it from the others.
    pub about: String,
    /// The effect of choosing it.
    pub effect: Effect,
}

/// A short list to choose from.
#[derive(Debug)]
pub struct Choose {
    title: String,
    choices: Vec<Choice>,
    /// The action that opened it also chooses: pressed twice, it takes the first.
    again: Action,
    cursor: Cursor,
}

impl Choose {
    /// Asks which choice, or takes the only one.
    #[must_use]
    pub fn one(title: &str, again: Action, mut choices: Vec<Choice>) -> Step {
        match choices.len() {
            0 => Step::stay(),
            1 => Step::with(vec![choices.remove(0).effect]),
            _ => {
                Step::open(Self { title: title.to_owned(), choices, again, cursor: Cursor::default() }.into())
            }
        }
    }

    fn choose(&self) -> Step {
        let chosen = self.choices.get(self.cursor.at).map(|it| it.effect.clone());
        Step::close_with(chosen.into_iter().collect())
    }
}

impl Component for Choose {
    fn key(&mut self, _model: &mut Model, key: KeyEvent, action: Option<Action>) -> Step {
        if self.cursor.key(key, action, self.choices.len(), 10) {
            return Step::stay();
        }
        match (key.code, action) {
            (KeyCode::Enter, _) | (_, Some(Action::Open)) => self.choose(),
            (KeyCode::Esc, _) | (_, Some(Action::Back | Action::Quit)) => Step::close(),
            (_, Some(action)) if action == self.again => self.choose(),
            _ => Step::stay(),
        }
    }

    fn mouse(&mut self, _model: &mut Model, mouse: MouseEvent, hit: Option<&Hit>) -> Step {
        if let (MouseEventKind::Down(MouseButton::Left), Some(Hit::Row(row))) = (mouse.kind, hit) {
            self.cursor.at = *row;
            return self.choose();
        }
        Step::stay()
    }

    fn hints(&self, _model: &Model) -> Vec<Action> {
        vec![Action::Open, Action::Back]
    }

    fn view(&self, model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer, areas: &mut Areas) {
        let rows = u16::try_from(self.choices.len()).unwrap_or(u16::MAX).min(12);
        let inside = popup(&self.title, (WIDTH, rows + 2), model, theme, area, buffer, areas);
        list::view(self.cursor, self.choices.len(), theme, inside, buffer, areas, |index| {
            let choice = &self.choices[index];
            let about = usize::from(inside.width).saturating_sub(NAME_WIDTH + 2);
            let name = crate::text::pad(&choice.name, NAME_WIDTH);
            Line::from(vec![
                Span::styled(format!("{name}  "), theme.accent),
                Span::styled(fit(&choice.about, about), theme.text),
            ])
        });
    }
}
