//! Keys for the question that is shown.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use fanlight_shared::value::Value;

use super::Questions;
use super::draft::{self, Draft};
use crate::ui::action::Action;
use crate::ui::model::Model;
use crate::ui::model::component::Step;

impl Questions {
    /// Handles a key for the question that is shown.
    pub(super) fn edit(&mut self, model: &Model, key: KeyEvent, action: Option<Action>) -> Step {
        let multiline = key.code == KeyCode::Enter && key.modifiers.contains(KeyModifiers::ALT)
            || key.code == KeyCode::Char('j') && key.modifiers.contains(KeyModifiers::CONTROL);
        match self.draft_mut() {
            Some(Draft::Text { lines, written, .. }) => {
                let edited = if multiline {
                    lines.key(KeyEvent::from(KeyCode::Enter))
                } else if action == Some(Action::Give) {
                    return self.give();
                } else {
                    key.code != KeyCode::Enter && lines.key(key)
                };
                *written |= edited;
                if edited {
                    self.quiet();
                }
                Step::stay()
            }
            Some(Draft::YesNo) => match action {
                Some(Action::SayYes) => self.send(Ok(Value::Bool(true))),
                Some(Action::SayNo) => self.send(Ok(Value::Bool(false))),
                Some(Action::Give) => self.give(),
                Some(Action::Quit) => Step::close(),
                _ => Step::pass(),
            },
            Some(Draft::Pick { cursor, count, several, marked }) => {
                if let KeyCode::Char(digit @ '1'..='9') = key.code
                    && let Some(at) = digit.to_digit(10).map(|digit| digit as usize - 1)
                {
                    *cursor = at.min(count.saturating_sub(1));
                    return Step::stay();
                }
                match action {
                    Some(Action::Give | Action::Open) => self.give(),
                    Some(Action::Mark) if *several => {
                        draft::toggle(marked, *cursor);
                        Step::stay()
                    }
                    Some(Action::Quit) => Step::close(),
                    Some(action) if self.step(model, action) => Step::stay(),
                    _ => Step::pass(),
                }
            }
            None if action == Some(Action::Quit) => Step::close(),
            None => Step::pass(),
        }
    }

    /// Handles a key for a question that is closed: what was written can be read, but not changed or sent.
    pub(super) fn read(&mut self, key: KeyEvent, action: Option<Action>) -> Step {
        use KeyCode::{Char, Down, End, Home, Left, Right, Up};
        if let Some(Draft::Text { lines, .. }) = self.draft_mut() {
            if matches!(key.code, Up | Down | Left | Right | Home | End) {
                lines.key(key);
            } else {
                self.refuse_closed();
            }
            return Step::stay();
        }
        match action {
            _ if matches!(key.code, Char('1'..='9') | Up | Down | Left | Right) => {}
            Some(Action::Give | Action::SayYes | Action::SayNo | Action::Open | Action::Mark) | None => {}
            Some(Action::Quit) => return Step::close(),
            Some(_) => return Step::pass(),
        }
        self.refuse_closed();
        Step::stay()
    }

    /// Moves among the choices. Returns `false` for other actions.
    fn step(&mut self, model: &Model, action: Action) -> bool {
        let columns = self.layout(Self::place(model)).map_or(1, |layout| layout.columns);
        let Some(Draft::Pick { cursor, count, .. }) = self.draft_mut() else { return false };
        let last = count.saturating_sub(1);
        *cursor = match action {
            Action::Left => cursor.saturating_sub(1),
            Action::Right => (*cursor + 1).min(last),
            Action::Up if *cursor >= columns => *cursor - columns,
            Action::Down if *cursor + columns <= last => *cursor + columns,
            Action::HalfPageUp => cursor.saturating_sub(5 * columns),
            Action::HalfPageDown => (*cursor + 5 * columns).min(last),
            Action::First => 0,
            Action::Last => last,
            Action::Up | Action::Down => *cursor,
            _ => return false,
        };
        true
    }
}
