//! The history of messages, the newest first.

use crossterm::event::{KeyEvent, MouseEvent, MouseEventKind};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget, Wrap};

use super::list::{self, Cursor};
use crate::ui::action::Action;
use crate::ui::areas::{Areas, Hit};
use crate::ui::effect::Effect;
use crate::ui::frame::screen;
use crate::ui::model::Model;
use crate::ui::model::component::{Component, Step};
use crate::ui::theme::Theme;
use crate::ui::toast::Tone;

/// The history of messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Messages {
    cursor: Cursor,
}

impl Component for Messages {
    fn key(&mut self, model: &mut Model, key: KeyEvent, action: Option<Action>) -> Step {
        let all = &model.toasts.all;
        if self.cursor.key(key, action, all.len(), 20) {
            return Step::stay();
        }
        match action {
            Some(Action::Back | Action::Messages | Action::Quit) => Step::close(),
            Some(Action::Copy) => {
                let text = all.iter().rev().nth(self.cursor.at).map(|toast| toast.text.clone());
                Step::with(text.map(Effect::Copy).into_iter().collect())
            }
            _ => Step::pass(),
        }
    }

    fn mouse(&mut self, model: &mut Model, mouse: MouseEvent, hit: Option<&Hit>) -> Step {
        let rows = model.toasts.all.len();
        match (mouse.kind, hit) {
            (MouseEventKind::Down(_), Some(Hit::Row(row))) => self.cursor.at = *row,
            (MouseEventKind::ScrollDown, _) => self.cursor.wheel(true, rows),
            (MouseEventKind::ScrollUp, _) => self.cursor.wheel(false, rows),
            _ => {}
        }
        Step::stay()
    }

    fn hints(&self, _model: &Model) -> Vec<Action> {
        vec![Action::Copy, Action::Back]
    }

    fn holds_lens(&self) -> bool {
        false
    }

    fn view(&self, model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer, areas: &mut Areas) {
        let inside = screen("Messages", model, theme, area, buffer, areas);
        let all = &model.toasts.all;
        if all.is_empty() {
            Line::styled("nothing was said yet", theme.dim).render(inside, buffer);
            return;
        }
        // The full text of the selected message is below.
        let below = (inside.height / 3).min(8);
        let rows = Rect { height: inside.height - below, ..inside };
        list::view(self.cursor, all.len(), theme, rows, buffer, areas, |index| {
            let toast = &all[all.len() - 1 - index];
            let (mark, style) = match toast.tone {
                Tone::Good => ("ok  ", theme.good),
                Tone::Note => ("note", theme.warning),
                Tone::Bad => ("fail", theme.bad),
            };
            let line = toast.text.lines().next().unwrap_or("").to_owned();
            Line::from(vec![
                Span::styled(format!("{}  ", clock(toast.at)), theme.dim),
                Span::styled(format!("{mark}  "), style),
                Span::styled(line, theme.text),
            ])
        });
        if let Some(toast) = all.iter().rev().nth(self.cursor.at) {
            let place = Rect { y: rows.bottom(), height: below, ..inside };
            Paragraph::new(toast.text.as_str())
                .style(theme.text)
                .wrap(Wrap { trim: false })
                .render(place, buffer);
        }
    }
}

/// Returns the local time.
fn clock(at: fanlight_shared::time::Time) -> String {
    jiff::Timestamp::from_millisecond(at.0)
        .map(|it| it.to_zoned(jiff::tz::TimeZone::system()).strftime("%H:%M:%S").to_string())
        .unwrap_or_default()
}
