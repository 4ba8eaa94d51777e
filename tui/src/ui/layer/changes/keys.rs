//! The keys in an open diff.

use super::Changes;
use crate::ui::action::Action;
use crate::ui::changes::LineKind;
use crate::ui::model::Model;
use crate::ui::model::component::Step;
use crate::ui::toast::Tone;

impl Changes {
    /// Scrolls the open diff to the next head of changes, or to the previous one.
    fn jump(&mut self, next: bool) {
        let Some((_, Some(lines))) = &self.opened else { return };
        let mut heads =
            lines.iter().enumerate().filter(|(_, line)| line.kind == LineKind::Head).map(|(at, _)| at);
        let found = match next {
            true => heads.find(|at| *at > self.scroll),
            false => heads.rev().find(|at| *at < self.scroll),
        };
        self.scroll = found.unwrap_or(self.scroll);
    }

    /// Handles a key in the open diff of the file at this place.
    pub(super) fn key_in_diff(&mut self, model: &mut Model, at: usize, action: Action) -> Step {
        let half = usize::from(model.areas.layer.map_or(20, |it| it.height) / 2).max(1);
        match action {
            Action::Back if self.source.is_one() => return Step::close(),
            Action::Back => self.opened = None,
            Action::Quit => return Step::close(),
            Action::Down => self.scroll += 1,
            Action::Up => self.scroll = self.scroll.saturating_sub(1),
            Action::HalfPageDown => self.scroll += half,
            Action::HalfPageUp => self.scroll = self.scroll.saturating_sub(half),
            Action::First => self.scroll = 0,
            Action::Last => self.scroll = usize::MAX,
            Action::NextMatch => self.jump(true),
            Action::PreviousMatch => self.jump(false),
            Action::Right if at + 1 < self.files.len() => return Step::with(self.open(at + 1)),
            Action::Left if at > 0 => return Step::with(self.open(at - 1)),
            Action::Right | Action::Left => model.say(Tone::Note, "there is no further file"),
            _ => return Step::pass(),
        }
        self.stay_inside(model);
        Step::stay()
    }

    /// Keeps the view full, if the diff is long enough.
    pub(super) fn stay_inside(&mut self, model: &Model) {
        let height = model.areas.layer.map_or(1, |it| it.height).max(1);
        let last = match &self.opened {
            Some((_, Some(lines))) => lines.len().saturating_sub(height.into()),
            _ => 0,
        };
        self.scroll = self.scroll.min(last);
    }
}
