//! What is copied, and what the pager shows.

use super::super::choose::{Choice, Choose};
use super::tab::Tab;
use super::{Inspector, content};
use crate::ui::action::Action;
use crate::ui::effect::Effect;
use crate::ui::model::Model;
use crate::ui::model::component::Step;
use crate::ui::node;

impl Inspector {
    /// Returns the text of the page.
    pub(super) fn text(&self, model: &Model) -> String {
        let page = self.page(model);
        let mut text = String::new();
        for row in 0..page.len() {
            text.push_str(&page.text(row));
            text.push('\n');
        }
        if self.tab != Tab::Log {
            text.truncate(text.trim_end().len());
        }
        text
    }

    /// Copies the value of an output, or the text of other pages.
    pub(super) fn copy(&self, model: &Model) -> Step {
        let values = match self.tab {
            Tab::Outputs => self.instance(model).map(content::values).unwrap_or_default(),
            _ => Vec::new(),
        };
        if values.is_empty() {
            return Step::with(vec![Effect::Copy(self.text(model))]);
        }
        let choices = values.into_iter().map(|(name, note, value)| Choice {
            name: format!("{name}{note}"),
            about: node::summary(value, 200),
            effect: Effect::Copy(value.to_text().unwrap_or_else(|_| value.to_json().to_string())),
        });
        Choose::one("Copy", Action::Copy, choices.collect())
    }
}
