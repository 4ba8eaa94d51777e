//! The list of open questions, and the one under the cursor.

use std::collections::HashMap;

use fanlight_shared::id::RunId;
use fanlight_shared::item::ItemPath;
use fanlight_shared::rpc::questions::OpenQuestion;
use fanlight_shared::run::Asks;

use super::Questions;
use super::draft::Draft;
use crate::ui::model::Model;
use crate::ui::model::component::Step;

/// Names a question.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Key {
    pub(super) run: RunId,
    pub(super) node: String,
    pub(super) item: ItemPath,
    pub(super) attempt: u32,
}

impl Key {
    pub(super) fn of(question: &OpenQuestion) -> Self {
        let OpenQuestion { run_id, node, item, attempt, .. } = question;
        Self { run: *run_id, node: node.clone(), item: *item, attempt: *attempt }
    }
}

/// Returns the summaries of the questions of all runs.
pub(super) fn asks(model: &Model) -> HashMap<RunId, Asks> {
    asking(model).map(|(run, asks)| (run, asks.clone())).collect()
}

/// Returns whether the runs ask what these summaries say.
pub(super) fn is_same(asks: &HashMap<RunId, Asks>, model: &Model) -> bool {
    asking(model).count() == asks.len() && asking(model).all(|(run, now)| asks.get(&run) == Some(now))
}

fn asking(model: &Model) -> impl Iterator<Item = (RunId, &Asks)> {
    model.projection.active().filter_map(|run| Some((run.id, run.asks.as_deref()?)))
}

impl Questions {
    /// Returns the index of the question under the cursor.
    pub(super) fn at(&self) -> Option<usize> {
        let shown = self.shown.as_ref()?;
        self.questions.iter().position(|open| Key::of(open) == *shown)
    }

    /// Takes the open questions. The one under the cursor stays, even if it is no longer open: what the user is about
    /// to send must not answer another one.
    pub(super) fn take(&mut self, model: &Model, questions: &[OpenQuestion]) {
        let at = self.at();
        let shown = self.question().cloned();
        self.questions = questions.to_vec();
        let was_closed = self.closed.take();
        if let Some(open) = shown.filter(|_| self.at().is_none()) {
            // The response to an answer that is being sent says what became of it.
            if self.sent != self.shown {
                self.closed = was_closed.clone().or_else(|| Some(self.why_closed(model, &open)));
            }
            self.questions.insert(at.unwrap_or(0).min(self.questions.len()), open);
        }
        if self.closed != was_closed {
            self.quiet();
        }
        for open in &self.questions {
            self.drafts.entry(Key::of(open)).or_insert_with(|| Draft::new(&open.question));
        }
        if self.at().is_none() {
            let first = self.first().unwrap_or(0);
            self.shown = self.questions.get(first).map(Key::of);
        }
        self.away = None;
        self.read = true;
    }

    /// Says why a question is no longer open.
    fn why_closed(&self, model: &Model, open: &OpenQuestion) -> String {
        let run = model.projection.run(open.run_id);
        let is_over = run.is_none_or(|run| run.state.is_ended())
            || model.projection.missing().any(|missing| missing == open.run_id);
        if is_over {
            format!("{} ended", open.run)
        } else if open.question.deadline.is_some_and(|deadline| deadline <= model.now) {
            format!("the time to answer {} is over", open.run)
        } else if self.unsure == Some(Key::of(open)) {
            // It may be the answer that was sent from here.
            format!("{} was answered", open.run)
        } else {
            format!("{} was answered elsewhere", open.run)
        }
    }

    /// Refuses an answer to a question that is closed, and says why. Returns whether it is closed.
    pub(super) fn refuse_closed(&mut self) -> bool {
        let Some(why) = &self.closed else { return false };
        self.refused = Some(format!("{why}, so this can't be sent; tab goes on"));
        true
    }

    /// Removes a question. If it was under the cursor, the next one is.
    pub(super) fn remove(&mut self, key: &Key) {
        let at = self.at();
        self.questions.retain(|open| Key::of(open) != *key);
        self.drafts.remove(key);
        if self.shown.as_ref() == Some(key) {
            let last = self.questions.len().saturating_sub(1);
            self.shown = at.and_then(|at| self.questions.get(at.min(last))).map(Key::of);
            self.closed = None;
        }
    }

    /// Moves to the next question or the previous one. A closed question is removed.
    pub(super) fn turn(&mut self, back: bool) -> Step {
        self.quiet();
        let (count, Some(at)) = (self.questions.len(), self.at()) else { return Step::stay() };
        let to = (at + if back { count - 1 } else { 1 }) % count;
        let to = self.questions.get(to).map(Key::of);
        if let Some(shown) = self.shown.take().filter(|_| self.closed.take().is_some()) {
            self.remove(&shown);
            if self.questions.is_empty() {
                return Step::close();
            }
        }
        self.shown = to;
        Step::stay()
    }

    /// Returns the index of the wanted question: of the item, else of the node, else of the run.
    fn first(&mut self) -> Option<usize> {
        let (run, node) = self.wanted.take()?;
        let of_run = |it: &&(usize, &OpenQuestion)| it.1.run_id == run;
        let all: Vec<(usize, &OpenQuestion)> = self.questions.iter().enumerate().collect();
        let nearness = |it: &(usize, &OpenQuestion)| match &node {
            Some((name, item)) => (it.1.node == *name, it.1.node == *name && it.1.item == *item),
            None => (false, false),
        };
        let best = all.iter().filter(of_run).map(nearness).max()?;
        all.iter().filter(of_run).find(|it| nearness(it) == best).map(|it| it.0)
    }
}
