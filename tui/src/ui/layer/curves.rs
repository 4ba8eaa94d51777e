//! The curves of many runs on shared axes: of marked runs, a sweep, or the newest runs of a workflow.

mod legend;
mod runs;
mod view;

use crossterm::event::{KeyEvent, MouseEvent, MouseEventKind};
use fanlight_shared::event::DaemonEvent;
use fanlight_shared::id::RunId;
use fanlight_shared::metric::SYSTEM;
use fanlight_shared::rpc::watch::{Metrics, Notification};
use fanlight_shared::time::Time;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::prompt::Prompt;
use crate::ui::action::{Action, Scope};
use crate::ui::address::Address;
use crate::ui::areas::{Areas, Hit};
use crate::ui::curves::line::Line;
use crate::ui::curves::lines::Lines;
use crate::ui::curves::scale::Scale;
use crate::ui::effect::{CurvesOf, Effect};
use crate::ui::message::Response;
use crate::ui::model::Model;
use crate::ui::model::component::{Component, Step};
use crate::ui::theme::Theme;
pub use runs::Of;
use runs::Runs;

/// Buckets of a small curve.
const SMALL_WIDTH: u32 = 96;
/// How far the cursor moves, as a share of the axis.
const STEP: f64 = 0.01;
const LARGE_STEP: f64 = 0.1;

/// The curves of many runs on shared axes, one metric enlarged.
#[derive(Debug, Default)]
pub struct CurvesOfRuns {
    runs: Runs,
    /// All metrics, for the small curves.
    small: Lines,
    /// The enlarged one.
    large: Lines,
    /// The name of the enlarged one.
    metric: Option<String>,
    /// The run whose curve is on top.
    focus: Option<RunId>,
    scale: Scale,
    /// The place at which values are read, as a share of the axis.
    cursor: Option<f64>,
    /// Only metrics whose name contains this text are shown.
    filter: String,
}

impl CurvesOfRuns {
    /// Opens the curves of these runs.
    pub fn open(model: &mut Model, of: Of) -> Vec<Effect> {
        let (layer, effects) = Self::of(model, of);
        model.layers.push(layer.into());
        effects
    }

    /// Returns these curves, and the effects that read them.
    #[must_use]
    pub fn of(model: &Model, of: Of) -> (Self, Vec<Effect>) {
        let focus = if let Of::Run(run) = of { Some(run) } else { model.focus() };
        let (runs, mut effects) = Runs::of(model, of);
        let mut layer = Self { focus, runs, ..Self::default() };
        effects.extend(layer.follow(model));
        (layer, effects)
    }

    /// Requests what is shown and not there.
    fn follow(&mut self, model: &Model) -> Vec<Effect> {
        let runs = self.runs.places();
        if runs.is_empty() || self.runs.is_loading() {
            return Vec::new();
        }
        let (axis, now) = (self.scale.axis, model.now);
        let of = CurvesOf { runs, width: SMALL_WIDTH, axis, ..CurvesOf::default() };
        let width = u32::from(model.areas.layer.map_or(80, |area| area.width)).max(40) * 2;
        let small = self.small.follow(of.clone(), now);
        let name = self.metric.clone();
        let large = name.and_then(|name| self.large.follow(CurvesOf { name: Some(name), width, ..of }, now));
        small.into_iter().chain(large).collect()
    }

    /// Enlarges the first metric, if the enlarged one is not there.
    fn choose(&mut self) {
        if self.small.all().is_empty() {
            // They are read again, for another axis.
            return;
        }
        let names = self.names();
        if !names.iter().any(|name| Some(*name) == self.metric.as_deref()) {
            self.metric = names.first().map(|name| (*name).to_owned());
        }
    }

    /// Returns the names of the metrics that the filter leaves, in the order in which they were first reported.
    fn names(&self) -> Vec<&str> {
        let wanted = self.filter.to_lowercase();
        let mut names: Vec<&str> = Vec::new();
        for line in self.small.all() {
            let name = line.series.name.as_str();
            if !names.contains(&name) && name.to_lowercase().contains(&wanted) {
                names.push(name);
            }
        }
        // What Fanlight measures itself is last.
        names.sort_by_key(|name| name.starts_with(SYSTEM));
        names
    }

    /// Returns the small curves of a metric.
    fn small_of(&self, name: &str) -> Vec<&Line> {
        self.small.all().iter().filter(|line| line.series.name == name).collect()
    }

    /// Returns the curves of the enlarged metric; the small ones until the others are there.
    fn enlarged(&self) -> Vec<&Line> {
        let Some(name) = self.metric.as_deref() else { return Vec::new() };
        let large: Vec<&Line> = self.large.all().iter().filter(|line| line.series.name == name).collect();
        if large.is_empty() { self.small_of(name) } else { large }
    }

    fn turn(&mut self, by: usize) {
        let names = self.names();
        let at = names.iter().position(|name| Some(*name) == self.metric.as_deref()).unwrap_or(0);
        self.metric = (!names.is_empty()).then(|| names[(at + by) % names.len()].to_owned());
    }

    /// Moves to another curve of the legend.
    fn move_focus(&mut self, to: impl Fn(usize, usize) -> usize) {
        let mut runs: Vec<RunId> = self.enlarged().iter().map(|line| line.series.run_id).collect();
        runs.dedup();
        let Some(last) = runs.len().checked_sub(1) else { return };
        let at = runs.iter().position(|run| Some(*run) == self.focus).unwrap_or(0);
        self.focus = Some(runs[to(at, last).min(last)]);
    }

    fn move_cursor(&mut self, by: f64) {
        let begin = if by > 0.0 { 0.0 } else { 1.0 };
        self.cursor = Some(self.cursor.map_or(begin, |at| (at + by).clamp(0.0, 1.0)));
    }

    fn ask_filter(&self) -> Step {
        let set = |model: &mut Model, text: &str| {
            let layer = model.layers.iter_mut().rev().find_map(|layer| layer.downcast_mut::<Self>());
            if let Some(layer) = layer {
                text.trim().clone_into(&mut layer.filter);
                layer.choose();
            }
            Vec::new()
        };
        let prompt = Prompt::new("Metrics whose name contains", self.filter.clone(), move |model, text| {
            Ok(set(model, text))
        });
        Step::open(prompt.live(set).into())
    }
}

impl Component for CurvesOfRuns {
    fn key(&mut self, model: &mut Model, _key: KeyEvent, action: Option<Action>) -> Step {
        match action {
            Some(Action::Back) if self.cursor.is_some() => self.cursor = None,
            Some(Action::Back) if !self.filter.is_empty() => {
                self.filter.clear();
                self.choose();
            }
            Some(Action::Back | Action::Quit | Action::Curves) => return Step::close(),
            Some(Action::Left) => self.move_cursor(-STEP),
            Some(Action::Right) => self.move_cursor(STEP),
            Some(Action::HalfPageUp) => self.move_cursor(-LARGE_STEP),
            Some(Action::HalfPageDown) => self.move_cursor(LARGE_STEP),
            Some(Action::Up) => self.move_focus(|at, _| at.saturating_sub(1)),
            Some(Action::Down) => self.move_focus(|at, _| at + 1),
            Some(Action::First) => self.move_focus(|_, _| 0),
            Some(Action::Last) => self.move_focus(|_, last| last),
            Some(Action::NextMetric) => self.turn(1),
            Some(Action::PreviousMetric) => self.turn(self.names().len().saturating_sub(1)),
            Some(Action::CurvesAxis) => self.scale.turn_axis(),
            Some(Action::CurvesLog) => self.scale.turn_log(),
            Some(Action::Smooth) => self.scale.turn_smoothing(),
            Some(Action::Search) => return self.ask_filter(),
            Some(Action::PinCurve) => match self.focus {
                Some(run) => return Step::close_with(model.pin(run)),
                None => return Step::stay(),
            },
            Some(
                Action::Help
                | Action::Palette
                | Action::Mouse
                | Action::Retry
                | Action::Dismiss
                | Action::Messages,
            ) => return Step::pass(),
            _ => return Step::stay(),
        }
        Step::with(self.follow(model))
    }

    fn mouse(&mut self, model: &mut Model, mouse: MouseEvent, hit: Option<&Hit>) -> Step {
        match (mouse.kind, hit) {
            (MouseEventKind::Down(_), Some(Hit::Tab(at))) => {
                self.metric = self.names().get(*at).map(|name| (*name).to_owned());
            }
            (MouseEventKind::Down(_), Some(Hit::Run(run))) => self.focus = Some(*run),
            (MouseEventKind::ScrollDown, _) => self.move_focus(|at, _| at + 1),
            (MouseEventKind::ScrollUp, _) => self.move_focus(|at, _| at.saturating_sub(1)),
            _ => return Step::stay(),
        }
        Step::with(self.follow(model))
    }

    fn response(&mut self, model: &mut Model, response: &mut Response) -> Vec<Effect> {
        match response {
            Response::Runs { to: Address::Curves, page } => self.runs.read(page),
            Response::Known(_, Some(run)) => self.runs.known(run),
            Response::Known(run, None) => self.runs.deleted(*run),
            Response::Metrics(of, read) => {
                self.small.response(of, read);
                self.large.response(of, read);
                self.choose();
            }
            Response::Failed { request, error, .. } => match &**request {
                Effect::ReadMetrics(of) => {
                    self.small.failed(of, error);
                    self.large.failed(of, error);
                }
                Effect::ListRuns { to: Address::Curves, .. } => self.runs.failed(error),
                _ => {}
            },
            _ => return Vec::new(),
        }
        self.follow(model)
    }

    fn notification(&mut self, model: &mut Model, notification: &Notification) -> Vec<Effect> {
        if let Notification::Daemon { event, .. } = notification {
            match event {
                DaemonEvent::RunUpdate { run } => self.runs.updated(run),
                DaemonEvent::RunDelete { run_id, .. } => self.runs.deleted(*run_id),
                _ => return Vec::new(),
            }
        }
        self.small.notification(notification);
        self.large.notification(notification);
        let only_grows = matches!(notification, Notification::Points { .. });
        if only_grows && !self.small.is_loading() && !self.large.is_loading() {
            return Vec::new();
        }
        self.follow(model)
    }

    fn missed(&mut self, model: &mut Model) -> Vec<Effect> {
        self.watched(model.now);
        let runs = self.runs.missed();
        runs.into_iter().chain(self.follow(model)).collect()
    }

    fn shown(&mut self, model: &mut Model) -> Vec<Effect> {
        self.follow(model)
    }

    fn scope(&self) -> Option<Scope> {
        Some(Scope::Curves)
    }

    fn watched(&mut self, _now: Time) {
        self.small.refresh();
        self.large.refresh();
    }

    fn metrics(&self, _model: &Model) -> Option<Metrics> {
        let run_ids: Vec<RunId> = self.runs.places().into_iter().map(|(run, _)| run).collect();
        (!run_ids.is_empty()).then_some(Metrics { run_ids, node: None, item: None })
    }

    fn enabled(&self, _model: &Model, action: Action) -> bool {
        match action {
            Action::NextMetric | Action::PreviousMetric => self.names().len() > 1,
            Action::PinCurve => self.focus.is_some(),
            _ => !self.names().is_empty(),
        }
    }

    fn hints(&self, model: &Model) -> Vec<Action> {
        let mut hints = vec![
            Action::NextMetric,
            Action::CurvesAxis,
            Action::CurvesLog,
            Action::Smooth,
            Action::Search,
            Action::PinCurve,
        ];
        hints.retain(|action| self.enabled(model, *action));
        hints.extend([Action::Back, Action::Help]);
        hints
    }

    fn view(&self, model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer, areas: &mut Areas) {
        view::view(self, model, theme, area, buffer, areas);
    }
}

#[cfg(test)]
mod tests;
