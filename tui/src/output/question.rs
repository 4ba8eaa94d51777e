//! Questions of runs, as lines for people.

use fanlight_shared::question::{Question, QuestionKind};
use fanlight_shared::rpc::questions::OpenQuestion;
use fanlight_shared::run::{Asks, Run};
use fanlight_shared::run_state::RunState;
use fanlight_shared::sanitise;
use fanlight_shared::time::{Time, human_duration};
use fanlight_shared::types::Type;

use super::style::{Paint, Role};
use crate::text;

/// Returns the node that asks, with its item: `pick[3]`.
pub(crate) fn name_of(question: &OpenQuestion) -> String {
    format!("{}{}", question.node, question.item)
}

/// Returns the command that answers a question, with an answer that it takes.
pub(crate) fn command(question: &OpenQuestion) -> String {
    answer_command(&question.run, &name_of(question), Some(&question.question))
}

fn answer_command(run: &str, node: &str, question: Option<&Question>) -> String {
    let node = if node.contains('[') { format!("'{node}'") } else { node.to_owned() };
    let value = match question.map(|question| &question.kind) {
        Some(QuestionKind::YesNo) => "yes",
        Some(QuestionKind::Choice { several: false, .. }) => "1",
        Some(QuestionKind::Choice { several: true, .. }) => "1 2",
        Some(QuestionKind::Value { ty: Type::Text }) => "TEXT",
        Some(QuestionKind::Value { .. }) | None => "VALUE",
    };
    format!("`fanlight answer '{run}' {node} {value}`")
}

/// Returns a question with its choices, what to look at, and the command that answers it.
pub(crate) fn lines(one: &OpenQuestion, paint: Paint) -> Vec<String> {
    let question = &one.question;
    let mut lines = vec![format!("{}  {} asks", paint.apply(Role::Strong, &one.run), name_of(one))];
    lines.extend(sanitise::plain(&question.text).lines().map(|line| format!("  {line}")));
    let dim = |text: &str| paint.apply(Role::Dim, text);
    for value in &question.show {
        lines.push(format!("  {}  {}", dim("shown"), text::element_line(value)));
    }
    if let QuestionKind::Choice { choices, .. } = &question.kind {
        let digits = choices.len().to_string().len();
        for (at, choice) in (1..).zip(choices) {
            lines.push(format!("  {}  {}", dim(&format!("{at:>digits$}")), text::element_line(choice)));
        }
    }
    let mut expects = question.expects();
    if let Some(default) = &question.default {
        expects.push_str(&format!("; proposed: {}", sanitise::line(&question.shown(default))));
    }
    lines.push(format!("  {}  {expects}", dim("answer")));
    if let Some(deadline) = question.deadline {
        let then = if question.default.is_some() { "the proposed one is taken" } else { "the node fails" };
        let left = human_duration(deadline.since(Time::now()));
        lines.push(format!("  {}  {} (in {left}); then {then}", dim("until"), text::clock(deadline)));
    }
    lines.push(format!("  {}", paint.apply(Role::Accent, &command(one))));
    lines
}

/// Returns the lines for a followed run that asks something, with the command that answers it.
pub(crate) fn asks(run: &Run, asks: &Asks, state: Option<&RunState>) -> Vec<String> {
    let name = run.name();
    let question = state
        .and_then(|state| state.instance(&asks.node, asks.item))
        .and_then(|instance| instance.question.as_deref());
    let node = format!("{}{}", asks.node, asks.item);
    let expects = question.map(|question| format!(" ({})", question.expects())).unwrap_or_default();
    let mut lines = vec![
        format!("{name} {node} asks: {}{expects}", sanitise::line(&asks.text)),
        format!("  answer with {}", answer_command(&name, &node, question)),
    ];
    if asks.count > 1 {
        let more = asks.count - 1;
        lines.push(format!("  it asks {more} more: `fanlight answer '{name}'` shows all"));
    }
    lines
}
