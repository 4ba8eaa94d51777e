//! The content of the inspector's pages.

mod attempts;
mod inputs;

use fanlight_shared::id::AssetId;
use fanlight_shared::item::ItemPath;
use fanlight_shared::media::Media;
use fanlight_shared::run::NodeStatus;
use fanlight_shared::run_state::InstanceState;
use fanlight_shared::sanitise;
use fanlight_shared::time::human_duration;
use fanlight_shared::value::{Value, shortened};
use ratatui::style::Style;

use super::page::{Page, Row, Text};
use super::{Inspector, Tab, activity, curves, question, wait};
use crate::ui::model::Model;
use crate::ui::node;
use crate::ui::theme::{Theme, node_glyph};

/// The maximum number of lines per port; the pager and the viewer show the rest.
const MAX_LINES: usize = 400;
/// The maximum number of pictures per list.
const MAX_PICTURES: usize = 6;
/// Cells of a progress bar.
const BAR_WIDTH: usize = 30;

/// Returns the page that is open.
pub(super) fn page<'a>(inspector: &'a Inspector, model: &Model, theme: &Theme) -> Page<'a> {
    let texts = |lines: Vec<Text>| lines.into_iter().map(|(text, style)| Row::Text(text, style)).collect();
    match inspector.tab {
        Tab::Outputs => Page { rows: outputs(inspector, model, theme), log: &[] },
        Tab::Inputs => Page { rows: inputs::rows(inspector, model, theme), log: &[] },
        Tab::Items => Page { rows: texts(items(inspector, model, theme)), log: &[] },
        Tab::Metrics => Page { rows: texts(metrics(inspector, model, theme)), log: &[] },
        Tab::Plan | Tab::Tasks | Tab::Calls | Tab::Models => {
            Page { rows: texts(activity_lines(inspector, model, theme)), log: &[] }
        }
        Tab::Log => log(inspector, model, theme),
        Tab::Error => Page { rows: texts(error(inspector, model, theme)), log: &[] },
        Tab::Attempts => Page { rows: texts(attempts::lines(inspector, model, theme)), log: &[] },
    }
}

fn text(words: impl Into<String>, style: Style) -> Row {
    Row::Text(words.into(), style)
}

fn outputs(inspector: &Inspector, model: &Model, theme: &Theme) -> Vec<Row> {
    let mut rows = Vec::new();
    let Some(instance) = inspector.instance(model) else {
        return vec![text("no run yet", theme.dim)];
    };
    if let Some(location) = instance.location() {
        rows.push(text(location.describe(), theme.dim));
    }
    if instance.status == NodeStatus::Running {
        let state = model.lens().and_then(|lens| lens.state.nodes.get(&inspector.node));
        rows.extend(state.and_then(|state| state.waits_for.clone()).map(|waits| text(waits, theme.dim)));
        progress(instance, model, theme, &mut rows);
    }
    if let Some(question) = &instance.question {
        rows.extend(question::rows(question, model, theme));
    }
    if inspector.item.is_whole() {
        missing(inspector, model, theme, &mut rows);
    }
    for (name, note, value) in values(instance) {
        let pictures = inspector.products.pictures(&inspector.node, inspector.item, name);
        named(&format!("{name}{note}"), value, &pictures, theme, &mut rows);
    }
    for (name, number) in &instance.metrics {
        rows.push(text(format!("{name}: {}", crate::text::number(*number)), theme.text));
    }
    if rows.is_empty() {
        let words = match instance.status {
            status if status.has_values() => "it has no outputs".to_owned(),
            NodeStatus::Running => "nothing yet".to_owned(),
            status if status.is_ended() => "it has no values: it did not complete".to_owned(),
            _ => wait::sentence(inspector, instance, model),
        };
        rows.push(text(words, theme.dim));
    }
    rows
}

/// Adds the items that are missing from its lists, and why.
fn missing(inspector: &Inspector, model: &Model, theme: &Theme, rows: &mut Vec<Row>) {
    let state = model.lens().and_then(|lens| lens.state.nodes.get(&inspector.node));
    let Some((state, words)) = state.and_then(|state| Some((state, node::failed_items(state)?))) else {
        return;
    };
    let of = state.item_count.unwrap_or(state.items_failed + state.items_skipped);
    rows.push(text(format!("{words} of {of} items"), theme.warning));
    rows.extend(
        node::missing_items(state).map(|it| text(format!("  {}", node::item_reason(it)), theme.text)),
    );
    let skipped = if state.item_skips.is_empty() { 0 } else { state.items_skipped };
    let missing = (state.items_failed + skipped) as usize;
    let more = missing.saturating_sub(node::missing_items(state).count());
    if more > 0 {
        rows.push(text(format!("  and {more} more, under Items"), theme.dim));
    }
    rows.push(text("", theme.text));
}

/// Returns its values by port, each with a note, including intermediate ones.
pub(super) fn values(instance: &InstanceState) -> Vec<(&str, &'static str, &Value)> {
    let note = |name: &String| if instance.unchanged.contains(name) { " (unchanged)" } else { "" };
    let done = instance.outputs.iter().map(|(name, value)| (name.as_str(), note(name), value));
    let so_far = instance.previews.iter().filter(|(name, _)| !instance.outputs.contains_key(*name));
    done.chain(so_far.map(|(name, value)| (name.as_str(), " (so far)", value))).collect()
}

/// Adds the progress of a running attempt, and its last message.
fn progress(instance: &InstanceState, model: &Model, theme: &Theme, rows: &mut Vec<Row>) {
    if let Some(progress) = &instance.progress {
        let message = progress.message.as_deref().unwrap_or_default();
        let words = match progress.fraction {
            Some(fraction) => {
                #[allow(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    clippy::cast_precision_loss
                )]
                let full = (fraction.clamp(0.0, 1.0) * BAR_WIDTH as f64).round() as usize;
                let (bar, rest) = if model.options.ascii { ("=", "-") } else { ("━", "─") };
                format!(
                    "{}{} {:.0} %  {message}",
                    bar.repeat(full),
                    rest.repeat(BAR_WIDTH - full),
                    fraction * 100.0
                )
            }
            None => message.to_owned(),
        };
        rows.push(text(words.trim_end(), theme.running));
    }
    if let Some(line) = &instance.last_line {
        rows.push(text(line.clone(), theme.dim));
    }
    if !rows.is_empty() {
        rows.push(text("", theme.text));
    }
}

/// Adds a name, and the value below it.
fn named(name: &str, value: &Value, pictures: &[AssetId], theme: &Theme, rows: &mut Vec<Row>) {
    match value {
        Value::Media(media) => {
            rows.push(text(name, theme.accent));
            rows.extend(media_rows(media, pictures.first(), theme));
        }
        Value::List(items) if items.iter().any(Value::has_media) => {
            let (there, count) = shortened::items(items);
            rows.push(text(format!("{name} · {}", crate::text::count(count, "item")), theme.accent));
            let shown = &there[..there.len().min(MAX_LINES)];
            for (index, item) in shown.iter().enumerate() {
                let words = match item {
                    Value::None => "hole: the item was skipped or dropped".to_owned(),
                    item => node::summary(item, 200),
                };
                rows.push(text(format!("  [{index}] {words}"), theme.text));
            }
            if count > shown.len() {
                rows.push(text(format!("  and {} more", count - shown.len()), theme.dim));
            }
            rows.extend(pictures.iter().take(MAX_PICTURES).map(|asset| Row::Picture(*asset)));
        }
        Value::Large(large) => {
            rows.push(text(format!("{name} · {} bytes", large.bytes), theme.accent));
            let lines = large.head.lines().take(MAX_LINES);
            rows.extend(lines.map(|line| text(format!("  {line}"), theme.text)));
            rows.push(text("  …", theme.dim));
        }
        Value::Text(words) if words.trim().contains('\n') => {
            rows.push(text(name, theme.accent));
            let lines = words.trim_end().lines().take(MAX_LINES);
            rows.extend(lines.map(|line| text(format!("  {line}"), theme.text)));
        }
        Value::Object(_) | Value::List(_) => {
            rows.push(text(name, theme.accent));
            let json = serde_json::to_string_pretty(&value.to_json()).unwrap_or_default();
            rows.extend(json.lines().take(MAX_LINES).map(|line| Row::Json(format!("  {line}"))));
        }
        value => {
            rows.push(text(name, theme.accent));
            let words = value.to_text().unwrap_or_else(|_| "–".to_owned());
            rows.push(text(format!("  {}", words.trim_end()), theme.text));
        }
    }
    rows.push(text("", theme.text));
}

/// Returns the rows of a picture or file: a line about it, and the picture below.
fn media_rows(media: &Media, picture: Option<&AssetId>, theme: &Theme) -> Vec<Row> {
    let size = media.width.zip(media.height).map(|(width, height)| format!(" · {width}×{height}"));
    let size = size.unwrap_or_default();
    let bytes = crate::text::size(media.bytes);
    let words = match crate::text::input(media) {
        Some(input) => format!("{}{size} · {input}", media.mime),
        None => format!("{} · {}{size} · {bytes}", media.name, media.mime),
    };
    if let Some(asset) = picture {
        return vec![text(format!("  {words}"), theme.dim), Row::Picture(*asset)];
    }
    let line = "─".repeat(sanitise::width(&words) + 2);
    vec![
        text(format!("  ╭{line}╮"), theme.border),
        text(format!("  │ {words} │"), theme.text),
        text(format!("  ╰{line}╯"), theme.border),
    ]
}

fn items(inspector: &Inspector, model: &Model, theme: &Theme) -> Vec<Text> {
    let state = model.lens().and_then(|lens| lens.state.nodes.get(&inspector.node));
    let Some(state) = state else { return Vec::new() };
    let count = state.item_count.unwrap_or(0);
    let failed = node::failed_items(state).map(|words| format!(", {words}")).unwrap_or_default();
    let words = format!("{} of {count} done{failed}; {{ and }} move between them", state.items_done);
    let mut lines = vec![(words, theme.dim)];
    lines.extend((0..count).map(|index| {
        let instance = state.items.get(&index);
        let status = instance.map_or(NodeStatus::Waiting, |it| it.status);
        let glyph = node_glyph(status, 0, model.options.ascii);
        let took = instance.and_then(|it| Some(it.ended_at.unwrap_or(model.now).since(it.started_at()?)));
        let took = took.map(human_duration).unwrap_or_default();
        let words = instance.map(about).unwrap_or_default();
        let here = if inspector.item == ItemPath::item(index) { "▌" } else { " " };
        (format!("{here}{:>6} {glyph} {took:<8} {words}", format!("[{index}]")), theme.node(status))
    }));
    lines
}

fn activity_lines(inspector: &Inspector, model: &Model, theme: &Theme) -> Vec<Text> {
    let activity = inspector.instance(model).and_then(|it| it.activity.as_deref());
    activity.map(|it| activity::lines(inspector.tab, it, model.options.ascii, theme)).unwrap_or_default()
}

fn about(instance: &InstanceState) -> String {
    if instance.status == NodeStatus::Failed {
        return node::failure(instance);
    }
    if let Some(question) = &instance.question {
        return format!("asks: {}", sanitise::line(&question.text));
    }
    instance.outputs.values().next().map(|value| node::summary(value, 120)).unwrap_or_default()
}

fn not_read(what: &str, error: &str, model: &Model) -> String {
    let key = model.keymap.keys(crate::ui::action::Action::Retry).into_iter().next().unwrap_or_default();
    format!("{what} could not be read: {error} ({key} tries again)")
}

fn metrics(inspector: &Inspector, model: &Model, theme: &Theme) -> Vec<Text> {
    let curves = &inspector.curves;
    let error = curves.error().map(|error| (not_read("the metrics", error, model), theme.bad));
    error.into_iter().chain(curves::text(curves, Inspector::place(model).width, theme)).collect()
}

fn log<'a>(inspector: &'a Inspector, model: &Model, theme: &Theme) -> Page<'a> {
    let log = &inspector.log;
    let mut rows = Vec::new();
    if log.cut {
        rows.push(text("… older lines are in the log file: fanlight logs shows them", theme.dim));
    }
    if let Some(error) = &log.error {
        rows.push(text(not_read("the log", error, model), theme.bad));
    } else if log.shown().is_empty() {
        let ended = inspector.instance(model).is_some_and(|it| it.status.is_ended());
        let words = match (log.read, ended) {
            (false, _) => "reading…",
            (true, true) => "it wrote nothing",
            (true, false) => "nothing yet",
        };
        rows.push(text(words, theme.dim));
    }
    Page { rows, log: log.shown() }
}

fn error(inspector: &Inspector, model: &Model, theme: &Theme) -> Vec<Text> {
    let Some(error) = inspector.instance(model).and_then(|it| it.error.as_ref()) else { return Vec::new() };
    let mut lines: Vec<Text> = error.message.lines().map(|line| (line.to_owned(), theme.bad)).collect();
    if let Some(code) = error.exit_code.map(|code| format!("exit code {code}"))
        && !error.message.contains(&code)
    {
        lines.push((code, theme.text));
    }
    if let Some(line) = &error.last_line {
        lines.push((String::new(), theme.text));
        lines.push(("last line of stderr".to_owned(), theme.accent));
        lines.push((format!("  {line}"), theme.text));
    }
    lines
}
