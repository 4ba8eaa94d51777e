//! The line that says that the daemon is away, or something every client should know.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Widget;

use crate::ui::fit::fit;
use crate::ui::message::Link;
use crate::ui::model::Model;
use crate::ui::theme::Theme;

/// What it says, if there is something to say.
pub(super) fn words(model: &Model) -> Option<String> {
    match &model.link {
        // A moment of looking for it is nothing to speak of; see `Link::Starting`.
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
