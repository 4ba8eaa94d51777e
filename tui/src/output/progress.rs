//! Renders live progress as lines, from the projection and the size of the terminal.

use std::time::Duration;

use fanlight_shared::client::projection::{Projection, Row};
use fanlight_shared::run::{NodeStatus, RunStatus};
use fanlight_shared::run_state::{InstanceState, RunState};
use fanlight_shared::sanitise;
use fanlight_shared::time::{Time, human_duration};

use super::style::{Paint, Role, SPINNER, run_glyph};
use crate::text::{count, fit, pad, width};

/// Columns of a run's bar.
const BAR_WIDTH: usize = 8;
/// Columns of the overall bar.
const WIDE_BAR_WIDTH: usize = 12;
/// Below this width lines have no bar.
const MIN_WIDTH_WITH_BAR: usize = 60;
/// Columns of a time such as `12.3 s`.
const CLOCK_WIDTH: usize = 7;
/// How long a spinner shows one of its glyphs.
const SPINNER_INTERVAL: u64 = 100;

/// The size and style of the output.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    /// Columns of the terminal.
    pub(crate) columns: usize,
    /// The available lines, at least one.
    pub(crate) lines: usize,
    /// The wall clock.
    pub(crate) now: Time,
    /// Whether it is drawn in colours.
    pub(crate) paint: Paint,
}

/// Returns the banners, a line per run and, for several runs, a summary; never more lines or columns than the frame
/// has.
pub(crate) fn lines(projection: &Projection, frame: Frame) -> Vec<String> {
    let names = projection.rows().map(|row| width(&row.run.name())).max().unwrap_or(0).min(24);
    let labels = projection.rows().map(|row| width(&clean(row.label()))).max().unwrap_or(0);
    // A narrow line drops its label before its count and time.
    let narrow = frame.columns < MIN_WIDTH_WITH_BAR;
    let most = if narrow { frame.columns.saturating_sub(names + 20).min(16) } else { frame.columns / 3 };
    let labels = labels.min(if most < 4 { 0 } else { most });
    let overall = projection.rows().count() > 1;
    let banner = projection.banners().first().filter(|_| frame.lines > 2);
    let room = frame.lines.max(1) - usize::from(overall && frame.lines > 1) - usize::from(banner.is_some());
    let (shown, hidden) = choose(projection, room);
    let banner =
        banner.map(|it| frame.paint.apply(Role::Warning, &fit(&format!("! {}", clean(it)), frame.columns)));
    let mut lines: Vec<String> =
        banner.into_iter().chain(shown.iter().map(|row| run_line(*row, names, labels, frame))).collect();
    if hidden > 0 {
        lines.push(frame.paint.apply(Role::Dim, &fit(&format!("  +{hidden} more"), frame.columns)));
    }
    if overall && frame.lines > 1 {
        lines.push(overall_line(projection, frame));
    }
    lines
}

/// Returns all runs in order if they fit, else the most important ones, and how many are left out.
fn choose(projection: &Projection, room: usize) -> (Vec<Row<'_>>, usize) {
    let all: Vec<Row<'_>> = projection.rows().collect();
    if all.len() <= room {
        return (all, 0);
    }
    let mut ordered = all.clone();
    // Stable: within a group the order of the submission holds.
    ordered.sort_by_key(|row| match row.run.state {
        RunStatus::Running | RunStatus::Parked | RunStatus::Cancelling => 0,
        RunStatus::Failed => 1,
        RunStatus::Queued => 2,
        RunStatus::Cancelled => 3,
        RunStatus::Completed => 4,
    });
    let keep = room.saturating_sub(1).max(usize::from(room == 1));
    let hidden = if room == 1 { 0 } else { all.len() - keep };
    ordered.truncate(keep);
    (ordered, hidden)
}

/// The parts of a line with their roles, cut to a width.
struct Line {
    text: String,
    taken: usize,
    frame: Frame,
}

impl Line {
    fn add(&mut self, role: Role, text: &str) {
        let shown = fit(text, self.frame.columns.saturating_sub(self.taken));
        self.taken += width(&shown);
        self.text.push_str(&self.frame.paint.apply(role, &shown));
    }
    fn done(self) -> String {
        self.text.trim_end().to_owned()
    }
}

fn run_line(row: Row<'_>, names: usize, labels: usize, frame: Frame) -> String {
    let status = row.run.state;
    let role = Role::of_run(status);
    let mut line = Line { text: String::new(), taken: 0, frame };
    line.add(role, glyph(status, frame.now));
    line.add(Role::Plain, " ");
    line.add(Role::Strong, &pad(&row.run.name(), names));
    if labels > 0 {
        line.add(Role::Plain, "  ");
        line.add(Role::Plain, &pad(&clean(row.label()), labels));
    }
    let (done, of) = row.nodes();
    if frame.columns >= MIN_WIDTH_WITH_BAR {
        line.add(Role::Plain, "  ");
        let (full, rest) = bar(fraction(row), BAR_WIDTH);
        line.add(role, &full);
        line.add(Role::Dim, &rest);
    }
    let digits = of.to_string().len();
    line.add(Role::Plain, &format!("  {done:>digits$}/{of}"));
    let elapsed = elapsed(row, frame.now).map(human_duration).unwrap_or_default();
    line.add(Role::Dim, &format!("  {elapsed:>CLOCK_WIDTH$}"));
    let (role, detail) = detail(row);
    if !detail.is_empty() {
        line.add(Role::Plain, "  ");
        line.add(role, &detail);
    }
    line.done()
}

fn overall_line(projection: &Projection, frame: Frame) -> String {
    let of = projection.rows().count();
    let ended = projection.count(RunStatus::is_ended);
    #[allow(clippy::cast_precision_loss)]
    let share = projection.rows().map(fraction).sum::<f64>() / of.max(1) as f64;
    let mut line = Line { text: String::new(), taken: 0, frame };
    line.add(Role::Plain, "  ");
    if frame.columns >= MIN_WIDTH_WITH_BAR {
        let (full, rest) = bar(share, WIDE_BAR_WIDTH);
        line.add(Role::Accent, &full);
        line.add(Role::Dim, &rest);
        line.add(Role::Plain, "  ");
    }
    line.add(Role::Strong, &format!("{ended} of {}", count(of, "run")));
    for (status, word) in [
        (RunStatus::Failed, "failed"),
        (RunStatus::Running, "running"),
        (RunStatus::Parked, "parked"),
        (RunStatus::Queued, "queued"),
        (RunStatus::Cancelling, "cancelling"),
        (RunStatus::Cancelled, "cancelled"),
    ] {
        let number = projection.count(|it| it == status);
        if number > 0 {
            line.add(Role::Plain, " · ");
            line.add(Role::of_run(status), &format!("{number} {word}"));
        }
    }
    let begin = projection.rows().filter_map(|row| row.run.started_at).min();
    let end =
        if projection.is_over() { projection.rows().filter_map(|row| row.run.ended_at).max() } else { None };
    if let Some(begin) = begin {
        let elapsed = human_duration(end.unwrap_or(frame.now).since(begin));
        line.add(Role::Dim, &format!(" · {elapsed}"));
    }
    line.done()
}

/// Returns the change of a run in words: for output without a terminal, and for the end.
pub(crate) fn change_line(row: Row<'_>, paint: Paint) -> String {
    let status = row.run.state;
    let mut line = row.run.name();
    if !row.label().is_empty() {
        line.push(' ');
        line.push_str(&clean(row.label()));
    }
    line.push_str("  ");
    line.push_str(&paint.apply(Role::of_run(status), status.word()));
    if status.is_ended()
        && let (Some(begin), Some(end)) = (row.run.started_at, row.run.ended_at)
    {
        line.push_str(&format!(" in {}", human_duration(end.since(begin))));
    }
    if let Some(error) = row.run.error.as_deref().filter(|_| status == RunStatus::Failed) {
        line.push_str(": ");
        line.push_str(&clean(error));
    }
    if let Some(state) = row.state.filter(|_| status == RunStatus::Completed) {
        line.push_str(&missing(state));
    }
    line
}

/// Returns the items that are missing from the lists of a completed run: `; thumb dropped 11 of 15 items`, `; pick skipped
/// 2 of 4 items ([2] m is absent)`. Items whose `if` is false are not counted as missing.
fn missing(state: &RunState) -> String {
    let mut words = String::new();
    for (name, node) in &state.nodes {
        let of = count(node.item_count.unwrap_or_default() as usize, "item");
        if node.items_dropped() > 0 {
            words.push_str(&format!("; {} dropped {} of {of}", clean(name), node.items_dropped()));
        }
        if let Some(first) = node.item_skips.first() {
            let reason = clean(&first.error.message);
            let (skipped, item) = (node.items_skipped, first.item);
            words.push_str(&format!("; {} skipped {skipped} of {of} ([{item}] {reason})", clean(name)));
        }
    }
    words
}

fn glyph(status: RunStatus, now: Time) -> &'static str {
    if status != RunStatus::Running {
        return run_glyph(status);
    }
    let turn = u64::try_from(now.0).unwrap_or(0) / SPINNER_INTERVAL;
    SPINNER[usize::try_from(turn % SPINNER.len() as u64).unwrap_or(0)]
}

fn bar(fraction: f64, columns: usize) -> (String, String) {
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let full = ((fraction.clamp(0.0, 1.0) * columns as f64) as usize).min(columns);
    ("━".repeat(full), "─".repeat(columns - full))
}

/// Returns how far a run is, between 0 and 1: its ended nodes, and the progress of those that run.
fn fraction(row: Row<'_>) -> f64 {
    if row.run.state.is_ended() {
        return 1.0;
    }
    let (done, of) = row.nodes();
    if of == 0 {
        return 0.0;
    }
    let running: f64 = row.state.iter().flat_map(|state| state.nodes.values()).map(part_of_node).sum();
    #[allow(clippy::cast_precision_loss)]
    let share = (done as f64 + running) / of as f64;
    share
}

fn part_of_node(node: &fanlight_shared::run_state::NodeState) -> f64 {
    if node.whole.status.is_ended() {
        return 0.0;
    }
    if let Some(items) = node.item_count.filter(|items| *items > 0) {
        return f64::from(node.items_done) / f64::from(items);
    }
    node.whole.progress.as_ref().and_then(|progress| progress.fraction).unwrap_or(0.0).clamp(0.0, 1.0)
}

fn elapsed(row: Row<'_>, now: Time) -> Option<Duration> {
    row.run.started_at.map(|begin| row.run.ended_at.unwrap_or(now).since(begin))
}

/// Returns what a run is doing, or why it failed.
fn detail(row: Row<'_>) -> (Role, String) {
    match row.run.state {
        RunStatus::Failed => (Role::Failed, row.run.error.as_deref().map(clean).unwrap_or_default()),
        RunStatus::Queued => {
            (Role::Dim, row.run.position.map(|place| format!("queued, place {place}")).unwrap_or_default())
        }
        RunStatus::Parked => (Role::Warning, row.state.map(asks).unwrap_or_default()),
        RunStatus::Cancelling => (Role::Cancelled, "cancelling".into()),
        RunStatus::Running => (Role::Plain, row.state.map(busy).unwrap_or_default()),
        RunStatus::Completed | RunStatus::Cancelled => (Role::Plain, String::new()),
    }
}

/// Returns the question of a parked run.
fn asks(state: &RunState) -> String {
    let mut asking = state.nodes.iter().flat_map(|(name, node)| {
        node.items
            .values()
            .chain([&node.whole])
            .filter_map(move |it| Some((name, &it.question.as_ref()?.text)))
    });
    asking.next().map_or_else(
        || "waits for a slot".into(),
        |(name, question)| format!("{name} asks: {}", clean(question)),
    )
}

/// Returns the node that started last among those that run, how far it is, and how many others run.
fn busy(state: &RunState) -> String {
    let running: Vec<_> =
        state.nodes.iter().filter(|(_, node)| node.whole.status == NodeStatus::Running).collect();
    let Some((name, node)) = running.iter().max_by_key(|(_, node)| node.whole.started_at()) else {
        let retry = state.nodes.iter().find(|(_, node)| node.whole.retry_at.is_some());
        return retry.map(|(name, _)| format!("{name} waits to try again")).unwrap_or_default();
    };
    let mut text = (*name).clone();
    if let Some(items) = node.item_count {
        text.push_str(&format!(" {}/{items}", node.items_done));
    }
    text.push_str(&progress_words(&node.whole));
    if running.len() > 1 {
        text.push_str(&format!(" +{}", running.len() - 1));
    }
    clean(&text)
}

fn progress_words(instance: &InstanceState) -> String {
    let Some(progress) = &instance.progress else { return String::new() };
    let mut text = String::new();
    if let Some(fraction) = progress.fraction {
        text.push_str(&format!(" {:.0} %", fraction.clamp(0.0, 1.0) * 100.0));
    }
    if let Some(message) = &progress.message {
        text.push(' ');
        text.push_str(message);
    }
    text
}

fn clean(text: &str) -> String {
    sanitise::line(text)
}

#[cfg(test)]
mod tests;
