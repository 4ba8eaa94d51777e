//! What the pages of the inspector say, as lines.

use fanlight_shared::item::ItemPath;
use fanlight_shared::media::Media;
use fanlight_shared::rpc::logs::Stream;
use fanlight_shared::run::{AttemptEnd, NodeStatus};
use fanlight_shared::run_state::{Attempt, Instance};
use fanlight_shared::sanitise;
use fanlight_shared::time::human_duration;
use fanlight_shared::value::Value;
use fanlight_shared::workflow::{Action, Piece, Template};
use ratatui::style::Style;

use super::{Inspector, Tab};
use crate::ui::grid::node;
use crate::ui::model::Model;
use crate::ui::theme::{Theme, node_glyph};

pub(super) type Text = (String, Style);

/// Lines of a value that are shown of each port; the pager and the viewer have the rest.
const LINES: usize = 400;

pub(super) fn lines(inspector: &Inspector, model: &Model, theme: &Theme) -> Vec<Text> {
    match inspector.tab {
        Tab::Outputs => outputs(inspector, model, theme),
        Tab::Inputs => inputs(inspector, model, theme),
        Tab::Items => items(inspector, model, theme),
        Tab::Log => log(inspector, model, theme),
        Tab::Error => error(inspector, model, theme),
        Tab::Attempts => attempts(inspector, model, theme),
    }
}

fn outputs(inspector: &Inspector, model: &Model, theme: &Theme) -> Vec<Text> {
    let mut lines = Vec::new();
    let Some(instance) = inspector.instance(model) else {
        return vec![("no run yet".to_owned(), theme.dim)];
    };
    for (name, value) in &instance.outputs {
        named(name, value, theme, &mut lines);
    }
    for (name, value) in instance.previews.iter().filter(|(name, _)| !instance.outputs.contains_key(*name)) {
        named(&format!("{name} (so far)"), value, theme, &mut lines);
    }
    for (name, number) in &instance.metrics {
        lines.push((format!("{name}: {number}"), theme.text));
    }
    if lines.is_empty() {
        let words = match instance.status {
            status if status.has_values() => "it put out nothing",
            NodeStatus::Running => "nothing yet",
            status if status.is_ended() => "it has no values: it did not complete",
            _ => "it has not started",
        };
        lines.push((words.to_owned(), theme.dim));
    }
    lines
}

/// A name, then the value below it; short ones on the same line.
fn named(name: &str, value: &Value, theme: &Theme, lines: &mut Vec<Text>) {
    match value {
        Value::Media(media) => {
            lines.push((name.to_owned(), theme.accent));
            lines.extend(frame(media, theme));
        }
        Value::List(items) if items.iter().any(Value::has_media) => {
            lines.push((format!("{name} · {} items", items.len()), theme.accent));
            for (index, item) in items.iter().enumerate().take(LINES) {
                let words = match item {
                    Value::None => "hole: the item was skipped or dropped".to_owned(),
                    item => node::summary(item, 200),
                };
                lines.push((format!("  [{index}] {words}"), theme.text));
            }
        }
        Value::Text(text) if text.trim().contains('\n') => {
            lines.push((name.to_owned(), theme.accent));
            lines.extend(text.trim_end().lines().take(LINES).map(|line| (format!("  {line}"), theme.text)));
        }
        Value::Object(_) | Value::List(_) => {
            lines.push((name.to_owned(), theme.accent));
            let json = serde_json::to_string_pretty(&value.to_json()).unwrap_or_default();
            lines.extend(json.lines().take(LINES).map(|line| (format!("  {line}"), theme.text)));
        }
        value => {
            lines.push((name.to_owned(), theme.accent));
            lines.push((
                format!("  {}", value.to_text().unwrap_or_else(|_| "–".to_owned()).trim_end()),
                theme.text,
            ));
        }
    }
    lines.push((String::new(), theme.text));
}

/// What is known of a picture or file, in a frame.
fn frame(media: &Media, theme: &Theme) -> Vec<Text> {
    let size = media.width.zip(media.height).map(|(width, height)| format!(" · {width}×{height}"));
    let words =
        format!("{} · {}{} · {}", media.name, media.mime, size.unwrap_or_default(), bytes(media.bytes));
    let line = "─".repeat(sanitise::width(&words) + 2);
    vec![
        (format!("  ╭{line}╮"), theme.border),
        (format!("  │ {words} │"), theme.text),
        (format!("  ╰{line}╯"), theme.border),
    ]
}

fn bytes(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{} KB", bytes / 1_000),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10),
    }
}

fn inputs(inspector: &Inspector, model: &Model, theme: &Theme) -> Vec<Text> {
    let Some((workflow, _)) = model.drawn() else { return Vec::new() };
    let Some(node) = workflow.nodes.get(&inspector.node) else { return Vec::new() };
    let mut lines = vec![(node.action.word().to_owned(), theme.dim), (String::new(), theme.text)];
    for (name, template) in &node.with {
        lines.push((sanitise::line(name), theme.accent));
        lines.push((format!("  {}", sanitise::line(&source(template))), theme.text));
        for expression in template.expressions() {
            for reference in expression.references() {
                if let Some((from, value)) = read(reference, model) {
                    lines.push((format!("  {from} = {}", node::summary(value, 200)), theme.dim));
                }
            }
        }
    }
    if !node.needs.is_empty() {
        lines.push(("needs".to_owned(), theme.accent));
        lines.push((format!("  {}", node.needs.join(", ")), theme.text));
    }
    if let Action::Run { script, .. } = &node.action {
        lines.push((String::new(), theme.text));
        lines.push(("script".to_owned(), theme.accent));
        let script = sanitise::plain(script);
        lines.extend(script.trim_end().lines().map(|line| (format!("  {line}"), theme.text)));
    }
    lines
}

/// What a reference had in the focused run.
fn read<'a>(
    reference: &fanlight_shared::expression::Reference,
    model: &'a Model,
) -> Option<(String, &'a Value)> {
    use fanlight_shared::expression::Root;
    let lens = model.lens.as_ref()?;
    let port = reference.port.as_ref()?;
    match &reference.root {
        Root::Node(from) => {
            let value = lens.state.nodes.get(from)?.whole.outputs.get(port)?;
            Some((format!("{from}.{port}"), value))
        }
        Root::Params => Some((format!("params.{port}"), lens.run.params.get(port)?)),
        _ => None,
    }
}

/// A value as the file writes it.
fn source(template: &Template) -> String {
    match template {
        Template::Literal(value) => value.to_text().unwrap_or_else(|_| value.summary(200)),
        Template::Expression(expression) => format!("${{{{ {} }}}}", expression.source()),
        Template::Text(pieces) => pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => text.clone(),
                Piece::Expression(expression) => format!("${{{{ {} }}}}", expression.source()),
            })
            .collect(),
        Template::List(items) => {
            format!("[{}]", items.iter().map(source).collect::<Vec<_>>().join(", "))
        }
        Template::Object(map) => {
            let entries = map.iter().map(|(name, value)| format!("{name}: {}", source(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}

fn items(inspector: &Inspector, model: &Model, theme: &Theme) -> Vec<Text> {
    let state = model.lens.as_ref().and_then(|lens| lens.state.nodes.get(&inspector.node));
    let Some(state) = state else { return Vec::new() };
    let count = state.item_count.unwrap_or(0);
    let mut lines =
        vec![(format!("{} of {count} done; {{ and }} move between them", state.items_done()), theme.dim)];
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

fn about(instance: &Instance) -> String {
    if instance.status == NodeStatus::Failed {
        return node::failure(instance);
    }
    instance.outputs.values().next().map(|value| node::summary(value, 120)).unwrap_or_default()
}

fn log(inspector: &Inspector, model: &Model, theme: &Theme) -> Vec<Text> {
    let log = &inspector.log;
    let mut lines = Vec::with_capacity(log.lines.len() + 2);
    if log.cut {
        lines.push(("… older lines are in the log file: fanlight logs shows them".to_owned(), theme.dim));
    }
    lines.extend(log.lines.iter().map(|(stream, line)| {
        let style = match stream {
            Stream::Stdout => theme.text,
            Stream::Stderr => theme.warning,
            Stream::Log => theme.dim,
        };
        (line.clone(), style)
    }));
    if lines.is_empty() {
        let ended = inspector.instance(model).is_some_and(|it| it.status.is_ended());
        let words = match (log.read, ended) {
            (false, _) => "reading…",
            (true, true) => "it wrote nothing",
            (true, false) => "nothing yet",
        };
        lines.push((words.to_owned(), theme.dim));
    }
    lines
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

fn attempts(inspector: &Inspector, model: &Model, theme: &Theme) -> Vec<Text> {
    let Some(instance) = inspector.instance(model) else { return Vec::new() };
    let mut lines = Vec::new();
    for attempt in &instance.attempts {
        lines.push(attempt_line(attempt, model, theme));
        if let Some(error) = &attempt.error {
            lines.push((format!("    {}", sanitise::line(&error.message)), theme.dim));
        }
    }
    let total: f64 = instance.attempts.iter().filter_map(|attempt| attempt.cost_usd).sum();
    if total > 0.0 {
        lines.push((format!("cost in all: ${total:.4}"), theme.text));
    }
    if let Some(at) = instance.retry_at.filter(|at| *at > model.now) {
        lines.push((format!("again in {}", human_duration(at.since(model.now))), theme.warning));
    }
    lines
}

fn attempt_line(attempt: &Attempt, model: &Model, theme: &Theme) -> Text {
    let (word, style) = match attempt.end {
        None => ("running", theme.running),
        Some(AttemptEnd::Completed) => ("completed", theme.good),
        Some(AttemptEnd::Failed) => ("failed", theme.bad),
        Some(AttemptEnd::Cancelled) => ("cancelled", theme.gone),
        Some(AttemptEnd::Lost) => ("lost: nobody saw how it ended", theme.warning),
    };
    let took = human_duration(attempt.ended_at.unwrap_or(model.now).since(attempt.started_at));
    let ago = human_duration(model.now.since(attempt.started_at));
    let cost = attempt.cost_usd.map(|cost| format!(" · ${cost:.4}")).unwrap_or_default();
    (format!("{:>3}  {word:<10} {took:<8} started {ago} ago{cost}", attempt.number), style)
}
