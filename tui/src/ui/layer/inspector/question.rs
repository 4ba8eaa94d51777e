//! The question of a node, on the page of its outputs.

use fanlight_shared::question::{Question, QuestionKind};
use fanlight_shared::time::human_duration;

use super::page::Row;
use crate::ui::action::Action;
use crate::ui::model::Model;
use crate::ui::node;
use crate::ui::theme::Theme;

/// Returns the question, and the key that answers it.
pub(super) fn rows(question: &Question, model: &Model, theme: &Theme) -> Vec<Row> {
    let text = |words: String, style| Row::Text(words, style);
    let key = model.keymap.keys(Action::Answer).into_iter().next().unwrap_or_default();
    let mut rows: Vec<Row> = question.text.lines().map(|line| text(line.to_owned(), theme.warning)).collect();
    if let QuestionKind::Choice { choices, .. } = &question.kind {
        for (number, choice) in (1..).zip(choices) {
            rows.push(text(format!("  {number}  {}", node::summary(choice, 200)), theme.text));
        }
    }
    let proposed =
        question.default.as_ref().map(|default| format!("; proposed: {}", question.shown(default)));
    let words = format!("{key} answers: {}{}", question.expects(), proposed.unwrap_or_default());
    rows.push(text(words, theme.dim));
    if let Some(deadline) = question.deadline {
        let left = human_duration(deadline.since(model.now));
        rows.push(text(format!("{left} left"), theme.warning));
    }
    rows.push(text(String::new(), theme.text));
    rows
}
