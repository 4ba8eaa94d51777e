//! The question before runs are deleted, which has two kinds of yes.

use crossterm::event::{KeyCode, KeyEvent, MouseButton, MouseEvent, MouseEventKind};
use fanlight_shared::id::RunId;
use fanlight_shared::rpc::runs;
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

/// The question before runs are deleted.
#[derive(Clone, PartialEq, Debug)]
pub struct Delete {
    name: String,
    runs: Vec<RunId>,
    /// How many of the chosen runs stay because they have not ended.
    stay: usize,
}

const CHOICES: [(&str, &str); 3] = [("y", "delete"), ("a", "delete with their assets"), ("n", "no")];

impl Delete {
    /// Asks about these runs; `name` is `poster#12` or `3 runs`.
    #[must_use]
    pub fn new(name: String, runs: Vec<RunId>, stay: usize) -> Self {
        Self { name, runs, stay }
    }

    /// Returns the effects of the answer.
    #[must_use]
    pub fn effects(&self, assets: bool) -> Vec<Effect> {
        vec![Effect::DeleteRuns(runs::Delete { runs: self.runs.clone(), assets })]
    }

    fn text(&self) -> String {
        let mut text =
            "States, times, errors and logs go for good. Pictures and other assets stay in the gallery, \
                        unless they are to go too."
                .to_owned();
        match self.stay {
            0 => {}
            1 => text.push_str(" One run that did not end stays."),
            stay => text.push_str(&format!(" {stay} runs that did not end stay.")),
        }
        text
    }

    fn answer(&self, model: &mut Model, answer: usize) -> Step {
        if answer == 2 {
            return Step::close();
        }
        model.queue.unmark();
        Step::close_with(self.effects(answer == 1))
    }
}

impl Component for Delete {
    fn key(&mut self, model: &mut Model, key: KeyEvent, action: Option<Action>) -> Step {
        match key.code {
            KeyCode::Char('y' | 'Y') => self.answer(model, 0),
            KeyCode::Char('a' | 'A') => self.answer(model, 1),
            KeyCode::Char('n' | 'N' | 'q') | KeyCode::Enter | KeyCode::Esc => Step::close(),
            _ if action == Some(Action::Back) => Step::close(),
            _ => Step::stay(),
        }
    }

    fn mouse(&mut self, model: &mut Model, mouse: MouseEvent, hit: Option<&Hit>) -> Step {
        match (mouse.kind, hit) {
            (MouseEventKind::Down(MouseButton::Left), Some(Hit::Row(answer))) => self.answer(model, *answer),
            _ => Step::stay(),
        }
    }

    fn hints(&self, _model: &Model) -> Vec<Action> {
        Vec::new()
    }

    fn view(&self, model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer, areas: &mut Areas) {
        let width = 60.min(area.width);
        let lines = wrap(&self.text(), width.saturating_sub(4));
        let rows = u16::try_from(lines.len()).unwrap_or(u16::MAX);
        let title = format!("Delete {}?", self.name);
        let inside = popup(&title, (width, rows.saturating_add(6)), model, theme, area, buffer, areas);
        for (y, line) in (inside.y..inside.bottom()).zip(&lines) {
            Line::styled(line.as_str(), theme.text).render(Rect { y, height: 1, ..inside }, buffer);
        }
        let first = inside.bottom().saturating_sub(3);
        for (answer, (key, words)) in CHOICES.into_iter().enumerate() {
            let y = first + u16::try_from(answer).unwrap_or(0);
            let place = Rect { y, height: 1, ..inside }.intersection(inside);
            let style = if answer == 2 { theme.text } else { theme.bad };
            let mut spans = vec![Span::styled(key, theme.key), Span::styled(format!(" {words}"), style)];
            if answer == 2 {
                spans.push(Span::styled("  (enter, esc)", theme.dim));
            }
            Line::from(spans).render(place, buffer);
            areas.hit(place, Hit::Row(answer));
        }
    }
}
