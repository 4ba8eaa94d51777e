//! The pure view of a model: the layout of panes, layers and lines. Each draws itself in its own file.

mod ascii;
mod banner;
mod header;
mod hints;
mod toasts;
mod which_key;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::{Paragraph, Widget, Wrap};

use super::areas::{Areas, Border, Hit};
use super::frame;
use super::model::Model;
use super::pane::Pane;
use super::shell::component;
use super::size::SizeClass;
use super::theme::Theme;

/// How often clocks on screen change.
const CLOCK_INTERVAL: u64 = 1_000;

/// Draws everything. Returns the areas.
#[must_use]
pub fn view(model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer) -> Areas {
    let areas = draw(model, theme, area, buffer);
    if model.options.ascii {
        ascii::settle(buffer);
    }
    areas
}

fn draw(model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer) -> Areas {
    let mut areas = Areas::default();
    let class = SizeClass::of((area.width, area.height));
    if class == SizeClass::TooSmall {
        let words = format!("too small: 40×10 is needed, this is {}×{}", area.width, area.height);
        Paragraph::new(words).style(theme.warning).wrap(Wrap { trim: true }).render(area, buffer);
        return areas;
    }
    // Most themes leave text as the terminal has it, and this is an eighth of the work of a frame.
    if theme.text != Style::default() {
        buffer.set_style(area, theme.text);
    }
    let row = |y: u16| Rect { y, height: 1, ..area };
    header::view(model, theme, class, row(area.y), buffer, &mut areas);
    let mut top = area.y + 1;
    if class == SizeClass::Small && model.layers.is_empty() {
        header::strip(model, theme, row(top), buffer, &mut areas);
        top += 1;
    }
    if let Some(banner) = banner::words(model) {
        banner::view(&banner, theme, row(top), buffer);
        top += 1;
    }
    let body = Rect { y: top, height: area.bottom().saturating_sub(1).saturating_sub(top), ..area };
    panes(model, theme, class, body, buffer, &mut areas);
    for (depth, layer) in model.layers.iter().enumerate() {
        if depth + 1 == model.layers.len() {
            // Only the topmost layer can be clicked.
            areas.hits.clear();
            (areas.layer, areas.caret) = (None, None);
        }
        layer.view(model, theme, body, buffer, &mut areas);
    }
    toasts::view(model, theme, body, buffer, &mut areas);
    // Covers messages, because the user asked for it.
    which_key::view(model, theme, body, buffer, &mut areas);
    hints::view(model, theme, row(area.bottom() - 1), buffer, &mut areas);
    if model.projection.active().next().is_some() || model.silent_since.is_some() {
        areas.tick_in(CLOCK_INTERVAL);
    }
    areas
}

/// Draws the panes that fit, each in its frame.
fn panes(model: &Model, theme: &Theme, class: SizeClass, body: Rect, buffer: &mut Buffer, areas: &mut Areas) {
    if model.workflow.is_none() {
        return;
    }
    if class == SizeClass::Small {
        return pane(model, theme, model.pane, body, buffer, areas);
    }
    if model.zoomed {
        return framed(model, theme, model.pane, body, buffer, areas);
    }
    let gallery_below = class == SizeClass::Large;
    let wanted =
        model.split.gallery.unwrap_or(body.height / 3).clamp(4, body.height.saturating_sub(10).max(4));
    let below = if gallery_below { wanted } else { 0 };
    let upper = Rect { height: body.height - below, ..body };
    let most = upper.width.saturating_sub(40).max(20);
    let beside = model.split.queue.unwrap_or(if gallery_below { 48 } else { 40 }).clamp(20, most);
    let left = Rect { width: upper.width - beside, ..upper };
    let right = Rect { x: left.right(), width: beside, ..upper };
    let main = if model.pane == Pane::Gallery && !gallery_below { Pane::Gallery } else { Pane::Grid };
    framed(model, theme, main, left, buffer, areas);
    framed(model, theme, Pane::Queue, right, buffer, areas);
    areas.hit(Rect { width: 1, ..right }, Hit::Border(Border::Queue));
    if gallery_below {
        let lower = Rect { y: upper.bottom(), height: below, ..body };
        framed(model, theme, Pane::Gallery, lower, buffer, areas);
        areas.hit(Rect { height: 1, ..lower }, Hit::Border(Border::Gallery));
    }
}

fn framed(model: &Model, theme: &Theme, which: Pane, area: Rect, buffer: &mut Buffer, areas: &mut Areas) {
    let titles = component(which).title(model);
    let inside = frame::pane(model, theme, which, &titles, area, buffer);
    areas.hit(area, Hit::Pane(which));
    pane(model, theme, which, inside, buffer, areas);
}

fn pane(model: &Model, theme: &Theme, which: Pane, area: Rect, buffer: &mut Buffer, areas: &mut Areas) {
    areas.hit(area, Hit::Pane(which));
    areas.panes.push((which, area));
    component(which).view(model, theme, area, buffer, areas);
}

#[cfg(test)]
mod tests {
    use fanlight_shared::event::{LiveEvent, Prediction, Source};
    use fanlight_shared::item::ItemPath;
    use fanlight_shared::run::RunStatus;
    use fanlight_shared::time::Time;

    use crate::ui::message::{Link, Message};
    use crate::ui::pane::Pane;
    use crate::ui::testing::{busy, change_state, connected, opened, press, run, screen, with_runs};
    use crate::ui::toast::Tone;
    use crate::ui::update;

    fn line(screen: &str, row: usize) -> &str {
        screen.lines().nth(row).unwrap_or("")
    }

    #[test]
    fn the_first_line_names_workflow_run_and_state() {
        let shown = screen(&mut busy(), 140, 40);
        let first = line(&shown, 0);
        assert!(first.contains("Seaside poster") && first.contains("#5 seed=5"), "{first}");
        assert!(first.contains("running 2/4") && first.contains("▶1 …2"), "{first}");
    }

    #[test]
    fn the_header_shows_what_the_run_has_spent_so_far() {
        let mut model = busy();
        change_state(&mut model, |state| {
            state.spent.cost_usd = Some(0.0125);
            let source = Source { node: "framed".to_owned(), item: ItemPath::WHOLE, attempt: 1 };
            let prediction = Prediction { input_tokens: 1_200, ..Prediction::default() };
            state.fold_live(&LiveEvent::Prediction { source, prediction });
        });
        assert!(line(&screen(&mut model, 140, 40), 0).contains(" · at least $0.0125 · 1.2k tokens   ▶1"));
    }

    #[test]
    fn the_header_names_the_other_computer_with_the_home() {
        let mut model = busy();
        model.options.host = Some("ada@box".to_owned());
        let shown = screen(&mut model, 80, 24);
        let header = line(&shown, 0);
        assert!(header.starts_with(" fanlight on ada@box  ") && header.contains('▶'), "{header}");
    }

    #[test]
    fn a_single_run_has_no_extra_chrome() {
        let shown = screen(&mut with_runs(&[run(1, RunStatus::Running)]), 140, 40);
        assert!(!line(&shown, 0).contains("▶1"), "{}", line(&shown, 0));
        assert!(!line(&shown, 0).contains("pinned"));
    }

    #[test]
    fn a_small_terminal_shows_one_pane_under_a_strip() {
        let mut model = busy();
        let shown = screen(&mut model, 80, 24);
        let strip = line(&shown, 1);
        assert!(strip.contains("1 Grid  2 Queue  3 Gallery"), "{strip}");
        assert!(strip.ends_with("▶1 …2 ✓2 ✗1"), "{strip}");
        assert!(model.areas.pane(Pane::Queue).is_none());
        screen(&mut model, 120, 40);
        assert!(model.areas.pane(Pane::Queue).is_some() && model.areas.pane(Pane::Gallery).is_none());
        screen(&mut model, 200, 60);
        assert!(model.areas.pane(Pane::Queue).is_some() && model.areas.pane(Pane::Gallery).is_some());
        press(&mut model, "z");
        screen(&mut model, 200, 60);
        assert!(model.areas.pane(Pane::Queue).is_none());
    }

    #[test]
    fn a_far_too_small_terminal_says_so() {
        assert!(screen(&mut busy(), 39, 12).contains("40×10 is needed"));
        assert!(screen(&mut busy(), 20, 5).contains("40×10 is"), "it is wrapped, not cut");
        assert!(screen(&mut busy(), 1, 1).contains('t'));
    }

    #[test]
    fn a_lost_daemon_is_shown_in_a_banner() {
        let mut model = busy();
        model.link = Link::Down("it was closed".to_owned());
        assert!(line(&screen(&mut model, 120, 40), 1).contains("the daemon is away"));
    }

    #[test]
    fn a_daemon_that_does_not_respond_is_shown_in_a_banner_with_a_clock_at_every_size() {
        for (columns, rows) in [(40, 10), (60, 20), (80, 24), (120, 40)] {
            let mut model = busy();
            let begin = model.now;
            update::update(&mut model, Message::Silence(Some(begin)));
            update::update(&mut model, Message::Tick(Time(begin.0 + 7_400)));
            let shown = screen(&mut model, columns, rows);
            assert!(shown.contains("the daemon doesn't respond (since 7"), "{shown}");
            insta::assert_snapshot!(format!("silent_{columns}x{rows}"), shown);
            update::update(&mut model, Message::Silence(None));
            assert!(!screen(&mut model, columns, rows).contains("respond"));
        }
        let mut model = connected();
        assert_eq!((screen(&mut model, 80, 24), model.areas.tick).1, None, "nothing moves");
        let now = model.now;
        update::update(&mut model, Message::Silence(Some(now)));
        screen(&mut model, 80, 24);
        assert_eq!(model.areas.tick, Some(1_000));
        let link = model.link.clone();
        update::update(&mut model, Message::Link(Link::Down("it was killed".to_owned())));
        assert!(screen(&mut model, 80, 24).contains("the daemon is away and is tried again: it was killed"));
        update::update(&mut model, Message::Link(link));
        assert!(!screen(&mut model, 80, 24).contains("away"));
    }

    #[test]
    fn hints_show_enabled_actions() {
        let mut model = opened();
        let shown = screen(&mut model, 120, 40);
        let last = line(&shown, 39);
        assert!(last.contains("r run with a form") && !last.contains("s stop"), "{last}");
        assert!(last.contains("q quit"), "{last}");
    }

    #[test]
    fn a_border_can_be_dragged() {
        use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
        let mut model = busy();
        screen(&mut model, 160, 50);
        let edge = model.areas.pane(Pane::Queue).unwrap().x - 1;
        let mut mouse = |kind, column| {
            let event = MouseEvent { kind, column, row: 5, modifiers: KeyModifiers::NONE };
            update::update(&mut model, crate::ui::message::Message::Mouse(event));
        };
        mouse(MouseEventKind::Down(MouseButton::Left), edge);
        mouse(MouseEventKind::Drag(MouseButton::Left), 90);
        mouse(MouseEventKind::Up(MouseButton::Left), 90);
        assert_eq!(model.split.queue, Some(70));
    }

    #[test]
    fn with_ascii_only_ascii_is_drawn_whatever_runs_and_people_write() {
        let mut model = busy();
        model.options.ascii = true;
        model.say(Tone::Note, "Göteborg 日本 \u{1F1E9}\u{1F1EA} …");
        for keys in ["", "?", ":", "r", "2", "3"] {
            press(&mut model, keys);
            for (columns, rows) in [(60, 20), (120, 40), (200, 60)] {
                let drawn = screen(&mut model, columns, rows);
                assert!(drawn.is_ascii(), "{keys}: {drawn}");
            }
            model.layers.clear();
        }
    }

    #[test]
    fn help_never_runs_into_the_names() {
        for columns in [60, 80, 120] {
            let mut model = opened();
            press(&mut model, "?");
            let mut pages = String::new();
            for _ in 0..24 {
                pages.push_str(&screen(&mut model, columns, 60));
                press(&mut model, "ctrl-d");
            }
            for info in crate::ui::action::ACTIONS {
                // The minimum width has no room for the longest descriptions, which would leave none for the name.
                let words: String = info.words.chars().take(30).collect();
                let whole = format!("  {}", info.name);
                let short = columns > 60 && info.words.len() + info.name.len() < 50;
                let fits = |line: &&str| line.contains(&words) && (!short || line.contains(&whole));
                assert!(pages.lines().any(|line| fits(&line)), "{words} or {} is cut", info.name);
            }
        }
    }

    #[test]
    fn blocks_at_every_size() {
        for (columns, rows) in [(60, 20), (80, 24), (120, 40)] {
            let mut model = connected();
            model.options.examples = vec!["poster".to_owned(), "contact_sheet".to_owned()];
            update::begin(&mut model);
            insta::assert_snapshot!(format!("home_{columns}x{rows}"), screen(&mut model, columns, rows));
            let mut model = opened();
            press(&mut model, "?");
            insta::assert_snapshot!(format!("help_{columns}x{rows}"), screen(&mut model, columns, rows));
            let mut model = opened();
            press(&mut model, ":");
            model.say(Tone::Bad, "cancel poster#12: the daemon is away, 日本語 and a long sentence");
            insta::assert_snapshot!(format!("palette_{columns}x{rows}"), screen(&mut model, columns, rows));
        }
    }
}
