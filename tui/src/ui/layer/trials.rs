//! The trials of a search: their values in the order in which they ended with the best so far, or the runs that no other one
//! beats; and a list of them, with why trials were pruned.

mod chart;
mod view;

use std::time::Duration;

use crossterm::event::{KeyEvent, MouseEvent, MouseEventKind};
use fanlight_shared::event::DaemonEvent;
use fanlight_shared::metric::Goal;
use fanlight_shared::rpc::sweeps::TrialRow;
use fanlight_shared::rpc::watch::Notification;
use fanlight_shared::search::Outcome;
use fanlight_shared::time::Time;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::list::Cursor;
use crate::ui::action::{Action, Scope};
use crate::ui::areas::{Areas, Hit};
use crate::ui::effect::Effect;
use crate::ui::message::{Response, SearchRead};
use crate::ui::model::Model;
use crate::ui::model::component::{Component, Step};
use crate::ui::theme::Theme;

/// How long to wait before the trials are read again.
const READ_INTERVAL: Duration = Duration::from_secs(2);

/// The trials of a search.
#[derive(Debug)]
pub struct TrialsOfSearch {
    sweep: String,
    search: Option<Box<SearchRead>>,
    /// Those that have ended, in that order, then the open ones.
    trials: Vec<TrialRow>,
    /// The places of the trials in the list.
    order: Vec<usize>,
    /// Whether the best are first in the list, and not the newest.
    by_value: bool,
    cursor: Cursor,
    error: Option<String>,
    asked_at: Time,
    asked: bool,
    /// Whether a run of the search has changed since they were read.
    changed: bool,
}

impl TrialsOfSearch {
    /// Returns the screen for a sweep, and the effect that reads its trials.
    #[must_use]
    pub fn open(sweep: String, now: Time) -> (Self, Vec<Effect>) {
        let effects = vec![Effect::ReadTrials(sweep.clone())];
        let screen = Self {
            sweep,
            search: None,
            trials: Vec::new(),
            order: Vec::new(),
            by_value: false,
            cursor: Cursor::default(),
            error: None,
            asked_at: now,
            asked: true,
            changed: false,
        };
        (screen, effects)
    }

    /// Orders the list; the cursor stays on its trial.
    fn arrange(&mut self, under: Option<&TrialRow>) {
        let mut order: Vec<usize> = (0..self.trials.len()).rev().collect();
        if self.by_value
            && let Some(objective) = self.search.as_ref().and_then(|it| it.detail.search.objectives.first())
        {
            let cost = |at: &usize| match &self.trials[*at].outcome {
                Some(Outcome::Completed { values }) if values.first().is_some_and(|it| !it.0.is_nan()) => {
                    let value = values[0].0;
                    (0, if objective.goal == Goal::Max { -value } else { value })
                }
                Some(Outcome::Pruned { .. }) => (1, 0.0),
                _ => (2, 0.0),
            };
            order.sort_by(|a, b| {
                let (a, b) = (cost(a), cost(b));
                a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
            });
        }
        let place = |row: &TrialRow| order.iter().position(|at| self.trials[*at].run_id == row.run_id);
        let last = order.len().saturating_sub(1);
        self.cursor.at = under.and_then(place).unwrap_or_else(|| self.cursor.at.min(last));
        self.order = order;
    }

    /// Returns the trial under the cursor, by its place.
    fn here(&self) -> Option<usize> {
        self.order.get(self.cursor.at).copied()
    }

    fn is_best(&self, trial: &TrialRow) -> bool {
        let best = self.search.iter().flat_map(|search| &search.detail.best);
        best.into_iter().any(|best| best.run == trial.run)
    }

    /// Reads the trials again, if they have changed and the last time is some time ago.
    fn follow(&mut self, now: Time) -> Option<Effect> {
        if !self.changed || self.asked {
            return None;
        }
        let passed = now.since(self.asked_at);
        if let Some(left) = READ_INTERVAL.checked_sub(passed).filter(|left| !left.is_zero()) {
            return Some(Effect::TickIn(u64::try_from(left.as_millis()).unwrap_or(u64::MAX)));
        }
        (self.changed, self.asked, self.asked_at) = (false, true, now);
        Some(Effect::ReadTrials(self.sweep.clone()))
    }
}

impl Component for TrialsOfSearch {
    fn key(&mut self, model: &mut Model, key: KeyEvent, action: Option<Action>) -> Step {
        if self.cursor.key(key, action, self.order.len(), 20) {
            return Step::stay();
        }
        match action {
            Some(Action::Back | Action::Quit) => Step::close(),
            Some(Action::SortTrials) => {
                self.by_value = !self.by_value;
                self.arrange(None);
                self.cursor.at = 0;
                Step::stay()
            }
            Some(Action::PinTrial) => match self.here() {
                Some(trial) => Step::close_with(model.pin(self.trials[trial].run_id)),
                None => Step::stay(),
            },
            _ => Step::pass(),
        }
    }

    fn mouse(&mut self, _model: &mut Model, mouse: MouseEvent, hit: Option<&Hit>) -> Step {
        match (mouse.kind, hit) {
            (MouseEventKind::Down(_), Some(Hit::Row(row))) => self.cursor.at = *row,
            (MouseEventKind::ScrollDown, _) => self.cursor.wheel(true, self.order.len()),
            (MouseEventKind::ScrollUp, _) => self.cursor.wheel(false, self.order.len()),
            _ => {}
        }
        Step::stay()
    }

    fn response(&mut self, _model: &mut Model, response: &mut Response) -> Vec<Effect> {
        match response {
            Response::Trials(sweep, search, trials) if *sweep == self.sweep => {
                let under = self.here().map(|at| self.trials[at].clone());
                (self.search, self.trials) = (Some(search.clone()), std::mem::take(trials));
                (self.asked, self.error) = (false, None);
                self.arrange(under.as_ref());
            }
            Response::Failed { request, error, .. } if matches!(&**request, Effect::ReadTrials(sweep) if *sweep == self.sweep) =>
            {
                (self.asked, self.error) = (false, Some(error.clone()));
            }
            _ => {}
        }
        Vec::new()
    }

    fn notification(&mut self, model: &mut Model, notification: &Notification) -> Vec<Effect> {
        match notification {
            Notification::Daemon { event: DaemonEvent::RunUpdate { run }, .. } => {
                self.changed |= run.sweep.as_ref() == Some(&self.sweep);
            }
            _ => return Vec::new(),
        }
        self.follow(model.now).into_iter().collect()
    }

    fn missed(&mut self, model: &mut Model) -> Vec<Effect> {
        (self.changed, self.asked) = (true, false);
        self.follow(model.now).into_iter().collect()
    }

    fn shown(&mut self, model: &mut Model) -> Vec<Effect> {
        self.follow(model.now).into_iter().collect()
    }

    fn scope(&self) -> Option<Scope> {
        Some(Scope::Trials)
    }

    fn hints(&self, _model: &Model) -> Vec<Action> {
        vec![Action::Down, Action::Up, Action::PinTrial, Action::SortTrials, Action::Back]
    }

    fn view(&self, model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer, areas: &mut Areas) {
        view::view(self, model, theme, area, buffer, areas);
    }
}

#[cfg(test)]
mod tests;
