//! The banner line: the daemon is away or doesn't respond, or a banner of the daemon.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Widget;

use crate::ui::fit::fit;
use crate::ui::message::Link;
use crate::ui::model::Model;
use crate::ui::theme::Theme;

/// Returns its text, if there is something to show.
pub(super) fn words(model: &Model) -> Option<String> {
    if let Some(since) = model.silent_since {
        let seconds = model.now.since(since).as_secs();
        return Some(format!("the daemon doesn't respond (since {seconds} s)"));
    }
    match &model.link {
        // Connecting takes only a moment; see `Link::Starting`.
        Link::Connecting => None,
        Link::Starting => Some("starting the daemon".to_owned()),
        Link::Up(_) => model.projection.banners().first().map(|it| fanlight_shared::sanitise::line(it)),
        Link::Down(why) => {
            let why = fanlight_shared::sanitise::line(why);
            Some(format!("the daemon is away and is tried again: {why}"))
        }
    }
}

pub(super) fn view(words: &str, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    buffer.set_style(area, theme.warning);
    let words = format!("! {words}");
    let place = Rect { x: area.x + 1.min(area.width), width: area.width.saturating_sub(1), ..area };
    Line::styled(fit(&words, place.width.into()), theme.warning).render(place, buffer);
}
