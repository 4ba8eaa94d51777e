//! A question before an action that can't be undone: it names the object and the consequence, and the safe answer is
//! the default.

use crossterm::event::{KeyCode, KeyEvent, MouseButton, MouseEvent, MouseEventKind};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use crate::ui::action::Action;
use crate::ui::areas::{Areas, Hit};
use crate::ui::effect::Effect;
use crate::ui::frame::popup;
use crate::ui::model::Model;
use crate::ui::model::component::{Component, Step};
use crate::ui::theme::Theme;
use crate::ui::wrap::wrap;

/// A question.
#[derive(Clone, PartialEq, Debug)]
pub struct Confirm {
    /// The action and its object: `Delete 3 runs?`
    pub title: String,
    /// What follows.
    pub text: String,
    /// The word for doing it: `delete`.
    pub yes: String,
    /// The effects of a yes.
    pub effects: Vec<Effect>,
    /// Whether it is about the marked runs of the queue: a yes removes the marks.
    pub of_marks: bool,
}

impl Confirm {
    fn yes(&mut self, model: &mut Model) -> Vec<Effect> {
        if self.of_marks {
            model.queue.unmark();
        }
        std::mem::take(&mut self.effects)
    }
}

/// Asks, or acts at once if questions are switched off.
pub fn ask(model: &mut Model, mut question: Confirm) -> Vec<Effect> {
    if !model.options.confirm {
        return question.yes(model);
    }
    model.layers.push(question.into());
    Vec::new()
}

const YES: usize = 0;
const NO: usize = 1;

impl Component for Confirm {
    fn key(&mut self, model: &mut Model, key: KeyEvent, action: Option<Action>) -> Step {
        match key.code {
            KeyCode::Char('y' | 'Y') => Step::close_with(self.yes(model)),
            KeyCode::Char('n' | 'N' | 'q') | KeyCode::Enter | KeyCode::Esc => Step::close(),
            _ if action == Some(Action::Back) => Step::close(),
            _ => Step::stay(),
        }
    }

    fn mouse(&mut self, model: &mut Model, mouse: MouseEvent, hit: Option<&Hit>) -> Step {
        match (mouse.kind, hit) {
            (MouseEventKind::Down(MouseButton::Left), Some(Hit::Row(YES))) => {
                Step::close_with(self.yes(model))
            }
            (MouseEventKind::Down(MouseButton::Left), Some(Hit::Row(NO))) => Step::close(),
            _ => Step::stay(),
        }
    }

    fn hints(&self, _model: &Model) -> Vec<Action> {
        Vec::new()
    }

    fn view(&self, model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer, areas: &mut Areas) {
        let width = 60.min(area.width);
        let lines = wrap(&self.text, width.saturating_sub(4));
        let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(4);
        let inside = popup(&self.title, (width, height), model, theme, area, buffer, areas);
        let [text, answers] = [
            Rect { height: inside.height.saturating_sub(2), ..inside },
            Rect { y: inside.bottom().saturating_sub(1), height: 1.min(inside.height), ..inside },
        ];
        for (y, line) in (text.y..text.bottom()).zip(lines) {
            Line::styled(line, theme.text).render(Rect { y, height: 1, ..text }, buffer);
        }
        let yes = format!(" {}", self.yes);
        let line = Line::from(vec![
            Span::styled("y", theme.key),
            Span::styled(yes.clone(), theme.bad),
            Span::raw("    "),
            Span::styled("n", theme.key),
            Span::styled(" no", theme.text),
            Span::styled("  (enter, esc)", theme.dim),
        ]);
        line.render(answers, buffer);
        let first = u16::try_from(1 + ratatui::text::Span::raw(&yes).width()).unwrap_or(1).min(answers.width);
        areas.hit(Rect { width: first, ..answers }, Hit::Row(YES));
        let no = Rect { x: answers.x + first, width: answers.width - first, ..answers };
        areas.hit(no, Hit::Row(NO));
    }
}
