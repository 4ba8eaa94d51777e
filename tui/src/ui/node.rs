//! The state of a node from file, run and products, as cards and rows show it.

mod items;
mod ports;
mod room;

use fanlight_shared::problem::{Problem, Severity};
use fanlight_shared::question::Question;
use fanlight_shared::resources::{GpuSlot, shown_gpus};
use fanlight_shared::run::{NodeStatus, RunStatus};
use fanlight_shared::run_state::{InstanceState, NodeState, RunState};
use fanlight_shared::sanitise;
use fanlight_shared::time::human_duration;
use fanlight_shared::value::Value;
use fanlight_shared::workflow::Workflow;
use ratatui::style::Style;
use ratatui::text::Span;
use unicode_width::UnicodeWidthStr as _;

use crate::ui::fit::{fit, fit_end};
use crate::ui::graph::Layout;
use crate::ui::model::Model;
use crate::ui::products::Products;
use crate::ui::theme::{Theme, node_glyph, run_glyph};
pub use items::{failed_items, item_reason, missing_items};
pub use ports::{port, ports};
pub use room::{Shown, shown};

/// The label of a node that a stand-in answered instead of a model.
const OFFLINE: &str = " · offline";

/// The state of a node.
pub struct Facts<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its kind: the type's name, `run` or `cmd`.
    pub word: &'a str,
    /// Its state in the focused run; `None` before any run.
    pub status: Option<NodeStatus>,
    /// Its state in the focused run.
    pub state: Option<&'a NodeState>,
    /// Its worst problem from the check.
    pub problem: Option<&'a Problem>,
    /// Its ports in the file.
    named: &'a [String],
    /// The values of its ports in every run; `None` if the workflow isn't on screen.
    products: Option<&'a Products>,
    model: &'a Model,
}

impl<'a> Facts<'a> {
    /// Returns the facts of a node from the file, by its place in it.
    #[must_use]
    pub fn planned(
        model: &'a Model,
        workflow: &'a Workflow,
        layout: &'a Layout,
        problems: &'a [Problem],
        node: usize,
    ) -> Self {
        let name = layout.nodes[node].as_str();
        let of_node = problems.iter().filter(|problem| problem.node.as_deref() == Some(name));
        Self {
            name,
            word: workflow.nodes.get_index(node).map_or("", |(_, node)| node.action.word()),
            status: None,
            state: None,
            problem: of_node.min_by_key(|problem| problem.severity != Severity::Error),
            named: &layout.ports[node],
            products: None,
            model,
        }
    }

    /// Adds the state in runs of the workflow on screen; `state` is that of the focused run.
    #[must_use]
    pub fn run(self, state: Option<&'a NodeState>) -> Self {
        let status = state.map(|node| node.whole.status);
        Self { status, state, products: Some(&self.model.grid.products), ..self }
    }

    /// Returns the port that a card shows; chips and dots show none.
    fn port(&self) -> Option<&'a str> {
        port(self.named, self.name, self.state.map(|node| &node.whole), self.products?)
    }

    /// Returns its open question, or that of its first item that has one.
    #[must_use]
    pub fn question(&self) -> Option<&'a Question> {
        let state = self.state.filter(|state| !state.whole.status.is_ended())?;
        let items = state.items.values().filter(|_| self.model.lens().is_some_and(|lens| lens.asks()));
        std::iter::once(&state.whole).chain(items).find_map(|instance| instance.question.as_deref())
    }

    /// Returns its glyph and colour.
    #[must_use]
    pub fn glyph(&self, theme: &Theme) -> (&'static str, Style) {
        let ascii = self.model.options.ascii;
        if self.question().is_some() {
            return (run_glyph(RunStatus::Parked, 0, ascii), theme.warning);
        }
        match (self.problem, self.status) {
            (Some(problem), None) => ("!", severity(problem, theme)),
            (_, None) => (node_glyph(NodeStatus::Waiting, 0, ascii), theme.dim),
            (_, Some(status)) => {
                let beat = if self.model.options.motion { self.model.beat } else { 0 };
                (node_glyph(status, beat, ascii), theme.node(status))
            }
        }
    }

    /// Returns whether it runs.
    #[must_use]
    pub fn runs(&self) -> bool {
        self.status == Some(NodeStatus::Running)
    }

    /// Returns whether it writes text piece by piece, whose end is the newest; a command writes whole lines.
    fn writes_text(&self) -> bool {
        !matches!(self.word, "run" | "cmd")
    }

    /// Returns how far it is, between 0 and 1.
    #[must_use]
    pub fn fraction(&self) -> Option<f64> {
        let state = self.state.filter(|_| self.runs())?;
        let said = state.whole.progress.as_ref().and_then(|progress| progress.fraction);
        said.or_else(|| {
            let count = state.item_count.filter(|count| *count > 0)?;
            Some(f64::from(state.items_done) / f64::from(count))
        })
    }

    /// Returns one line: its time, its progress, or its kind, and whether a stand-in answered instead of a model.
    #[must_use]
    pub fn line(&self, theme: &Theme, columns: usize) -> Vec<Span<'static>> {
        if !self.is_offline() || columns < OFFLINE.width() + 4 {
            let mut spans = self.status_line(theme, columns);
            spans.extend(self.spent(&spans, columns).map(|spent| Span::styled(spent, theme.dim)));
            return spans;
        }
        let mut spans = self.status_line(theme, columns - OFFLINE.width());
        spans.push(Span::styled(OFFLINE, theme.warning));
        spans
    }

    /// Returns ` · $0.0125`, its cost or else its tokens, if there is room for it after these words.
    fn spent(&self, words: &[Span<'_>], columns: usize) -> Option<String> {
        let spent = self.state.filter(|_| !self.is_offline())?.spent_so_far().brief()?;
        let taken: usize = words.iter().map(Span::width).sum();
        let spent = if taken == 0 { spent } else { format!(" · {spent}") };
        (taken + spent.width() <= columns).then_some(spent)
    }

    /// Returns whether the provider of its model, or of that of its first item, is the stand-in.
    fn is_offline(&self) -> bool {
        let Some(state) = self.state else { return false };
        let first = state.items.values().next().into_iter();
        let activities = std::iter::once(&state.whole).chain(first).filter_map(|it| it.activity.as_deref());
        activities.flat_map(|activity| &activity.predictions).any(|it| it.provider == "offline")
    }

    fn status_line(&self, theme: &Theme, columns: usize) -> Vec<Span<'static>> {
        let Some(state) = self.state else {
            return vec![Span::styled(fit(self.word, columns), theme.dim)];
        };
        let whole = &state.whole;
        let took = whole
            .started_at()
            .map(|started| human_duration(whole.ended_at.unwrap_or(self.model.now).since(started)));
        let items = state.item_count.map(|count| format!("{}/{count}", state.items_done));
        let plain = |text: String, style: Style| vec![Span::styled(fit(&text, columns), style)];
        if self.question().is_some() {
            let many = items.map(|items| format!(" · {items}")).unwrap_or_default();
            return plain(format!("asks{many}"), theme.warning);
        }
        match whole.status {
            NodeStatus::Running => match self.fraction() {
                Some(fraction) => {
                    let share = fraction.clamp(0.0, 1.0);
                    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                    let words = items.unwrap_or_else(|| format!("{} %", (share * 100.0) as u32));
                    let bar = columns.saturating_sub(words.len() + 1).min(12);
                    let mut spans = bar_spans(share, bar, theme, self.model.options.ascii);
                    spans.push(Span::styled(format!(" {words}"), theme.text));
                    spans
                }
                None => plain(with_gpus(took.unwrap_or_default(), whole, columns), theme.text),
            },
            NodeStatus::Completed | NodeStatus::Failed => {
                let many = items.filter(|_| state.item_count > Some(1)).map(|items| format!(" · {items}"));
                let words = format!("{}{}", took.unwrap_or_default(), many.unwrap_or_default());
                // Missing items matter more than the duration.
                match failed_items(state) {
                    Some(failed) if columns < words.width() + failed.width() + 3 => {
                        plain(failed, theme.warning)
                    }
                    Some(failed) => vec![
                        Span::styled(format!("{words} · "), theme.dim),
                        Span::styled(failed, theme.warning),
                    ],
                    None => plain(words, theme.dim),
                }
            }
            NodeStatus::Cached | NodeStatus::Skipped | NodeStatus::Cancelled => {
                let words = ended_word(whole);
                match &whole.origin {
                    // The glyph says that it is cached.
                    Some(origin) if words.width() > columns => plain(origin.run.clone(), theme.dim),
                    _ => plain(words, theme.dim),
                }
            }
            NodeStatus::Waiting | NodeStatus::Ready => match whole.retry_at {
                Some(at) if at > self.model.now => {
                    let words = format!("again in {}", human_duration(at.since(self.model.now)));
                    plain(words, theme.warning)
                }
                _ => plain(self.word.to_owned(), theme.dim),
            },
        }
    }

    /// Returns another line: its error, its message, its value, or else the value of another run.
    #[must_use]
    pub fn value(&self, theme: &Theme, columns: usize) -> Vec<Span<'static>> {
        let plain = |text: &str, style: Style| vec![Span::styled(fit(text, columns), style)];
        let port = self.port();
        if let Some(question) = self.question() {
            return plain(&question.text, theme.warning);
        }
        if let Some(whole) = self.state.map(|state| &state.whole) {
            if whole.status == NodeStatus::Failed {
                return plain(&failure(whole), theme.bad);
            }
            if let Some(first) = self.state.and_then(|state| missing_items(state).next()) {
                return plain(&item_reason(first), theme.warning);
            }
            if let Some(value) = port.and_then(|port| whole.outputs.get(port)) {
                return plain(&summary(value, columns), theme.text);
            }
            let preview = port.and_then(|port| whole.previews.get(port));
            if let Some(value) = preview.filter(|_| self.runs()) {
                return plain(&summary(value, columns), theme.dim);
            }
            let waits = self.state.and_then(|state| state.waits_for.as_deref());
            if self.runs() {
                let message = whole.progress.as_ref().and_then(|progress| progress.message.as_deref());
                let message = message.filter(|message| !message.is_empty());
                if let (None, Some(line)) = (message, &whole.last_line)
                    && self.writes_text()
                {
                    return vec![Span::styled(fit_end(line, columns), theme.dim)];
                }
                if let Some(message) = message.or(whole.last_line.as_deref()).or(waits) {
                    return plain(message, theme.dim);
                }
                if let Some(location) = whole.location() {
                    return plain(&location.describe(), theme.dim);
                }
            } else if let Some(waits) = waits {
                return plain(waits, theme.dim);
            }
        }
        if let Some(problem) = self.problem {
            return plain(&sanitise::line(&problem.message), severity(problem, theme));
        }
        let focused = self.model.lens().map(|lens| lens.run.id);
        let made = port.and_then(|port| self.products?.port(self.name, port));
        let other = made.and_then(|made| {
            made.newest().filter(|(run, _)| Some(*run) != focused).find_map(|(run, made)| {
                let known = self.model.projection.run(run).map(|run| run.number);
                Some((made.number.or(known)?, made.value.as_ref()?))
            })
        });
        match other {
            Some((number, value)) => {
                let number = format!("#{number} ");
                let room = columns.saturating_sub(number.len());
                plain(&format!("{number}{}", summary(value, room)), theme.dim)
            }
            None => Vec::new(),
        }
    }

    /// Returns the number of runs in which it has a value, if that is more than one.
    #[must_use]
    pub fn badge(&self) -> Option<String> {
        let port = self.products?.port(self.name, self.port()?)?;
        let more = if port.more.is_some() { "+" } else { "" };
        (port.count() > 1).then(|| format!("×{}{more}", port.count()))
    }
}

/// Returns a time, with the GPUs of the newest attempt if they fit: one that is cut would look like another one.
fn with_gpus(took: String, instance: &InstanceState, columns: usize) -> String {
    let slots = instance.attempts.last().map(|attempt| attempt.gpus.as_slice()).unwrap_or_default();
    let short = match slots {
        [] => None,
        [one] => Some(format!("GPU {}", one.id)),
        more => Some(shown_gpus(more.len())),
    };
    let mut named = GpuSlot::shown(slots).into_iter().chain(short).map(|gpus| format!("{took} · {gpus}"));
    named.find(|it| it.width() <= columns).unwrap_or(took)
}

/// Returns the state of an ended node, and the run that computed its result.
#[must_use]
pub fn ended_word(instance: &InstanceState) -> String {
    let origin = instance.origin.iter().map(|origin| format!(" · {}", origin.run));
    std::iter::once(instance.status.word().to_owned()).chain(origin).collect()
}

fn severity(problem: &Problem, theme: &Theme) -> Style {
    if problem.severity == Severity::Error { theme.bad } else { theme.warning }
}

/// Returns a bar of `cells` cells.
#[must_use]
pub fn bar_spans(share: f64, cells: usize, theme: &Theme, ascii: bool) -> Vec<Span<'static>> {
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let done = ((share * cells as f64).round() as usize).min(cells);
    let (full, rest) = if ascii { ("=", "-") } else { ("━", "─") };
    vec![Span::styled(full.repeat(done), theme.running), Span::styled(rest.repeat(cells - done), theme.dim)]
}

/// Returns why a node failed, on one line: the exit code and the last line of stderr, else the error.
#[must_use]
pub fn failure(instance: &InstanceState) -> String {
    let Some(error) = &instance.error else { return "failed".to_owned() };
    match (error.exit_code, &error.last_line) {
        (Some(code), Some(line)) => format!("exit {code} · {line}"),
        (None, Some(line)) => format!("{} · {line}", error.message),
        (_, None) => error.message.clone(),
    }
}

/// Returns a value on one line.
#[must_use]
pub fn summary(value: &Value, columns: usize) -> String {
    match value {
        Value::Media(media) => {
            let size = media.width.zip(media.height).map(|(width, height)| format!(" {width}×{height}"));
            format!("{}{}", media.name, size.unwrap_or_default())
        }
        Value::Text(text) => text.trim().replace('\n', " "),
        Value::Large(large) => format!("{}…", large.head.trim().replace('\n', " ")),
        value => value.summary(columns.max(1)),
    }
}

/// Returns the state of a node in a run, by its place in the file. Runs normally have their nodes in that order, so
/// that no search is needed; otherwise it searches.
#[must_use]
pub fn state<'a>(state: &'a RunState, layout: &Layout, node: usize) -> Option<&'a NodeState> {
    let name = layout.nodes.get_index(node)?;
    match state.nodes.get_index(node) {
        Some((there, found)) if there == name => Some(found),
        _ => state.nodes.get(name),
    }
}

/// Returns the node that failed first in the focused run, where a run failed or fails.
#[must_use]
pub fn first_failed(model: &Model) -> Option<(&str, &InstanceState)> {
    let state = model.lens()?.state;
    if matches!(state.status, RunStatus::Completed | RunStatus::Queued) {
        return None;
    }
    let failed = state.nodes.iter().filter(|(_, node)| node.whole.status == NodeStatus::Failed);
    failed.min_by_key(|(_, node)| node.whole.ended_at).map(|(name, node)| (name.as_str(), &node.whole))
}
