//! The last line: the enabled actions, from the list of actions and the keymap.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;
use unicode_width::UnicodeWidthStr;

use crate::ui::action::Action;
use crate::ui::areas::{Areas, Hit};
use crate::ui::model::Model;
use crate::ui::shell;
use crate::ui::theme::Theme;

pub(super) fn view(model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer, areas: &mut Areas) {
    let mut x = area.x + 1;
    let hints = shell::hints(model);
    // Help, which lists the other actions, and the way back from a layer always have room.
    let last = [Action::Help, Action::Back].into_iter().find(|it| hints.contains(it));
    let reserved = last.and_then(|it| words(model, it)).as_ref().map_or(0, |(key, words)| width(key, words));
    for action in hints {
        let Some((key, words)) = words(model, action) else { continue };
        let wide = width(&key, &words);
        let room = area.right().saturating_sub(x);
        let needed = if Some(action) == last { wide } else { wide + reserved };
        if needed > room {
            continue;
        }
        let place = Rect { x, width: wide, ..area };
        Line::from(vec![Span::styled(key, theme.key), Span::styled(format!(" {words}"), theme.dim)])
            .render(place, buffer);
        areas.hit(place, Hit::Action(action));
        x += wide;
        if Some(action) == last {
            break;
        }
    }
    quit(model, theme, area, x, buffer, areas);
}

/// Draws how to quit at the right end, if it fits.
fn quit(model: &Model, theme: &Theme, area: Rect, x: u16, buffer: &mut Buffer, areas: &mut Areas) {
    let Some((key, words)) = words(model, Action::Quit).filter(|_| model.layers.is_empty()) else { return };
    let wide = width(&key, &words);
    if x + wide > area.right() {
        return;
    }
    let place = Rect { x: area.right() - wide, width: wide, ..area };
    Line::from(vec![Span::styled(key, theme.key), Span::styled(format!(" {words}"), theme.dim)])
        .render(place, buffer);
    areas.hit(place, Hit::Action(Action::Quit));
}

fn words(model: &Model, action: Action) -> Option<(String, String)> {
    let key = model.keymap.keys(action).into_iter().next()?;
    let words = action.info().words;
    // Text after a comma or semicolon is only for the help.
    let short = words.split([';', ',']).next().unwrap_or(words);
    Some((key, short.to_owned()))
}

fn width(key: &str, words: &str) -> u16 {
    u16::try_from(key.width() + words.width() + 3).unwrap_or(u16::MAX)
}
