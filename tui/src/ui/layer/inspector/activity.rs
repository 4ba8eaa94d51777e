//! The activity of an autonomous node: its plan, tasks, tool calls and model usage.

use fanlight_shared::event::{Activity, Prediction, TaskStatus, ToolCall};
use fanlight_shared::run::NodeStatus;

use super::content::Text;
use crate::ui::theme::{Theme, node_glyph};

/// Returns the lines of the page. Texts are previews: the log has them in full.
pub(super) fn lines(activity: &Activity, ascii: bool, theme: &Theme) -> Vec<Text> {
    let mut lines = Vec::new();
    if let Some(plan) = &activity.plan {
        lines.push(("plan".to_owned(), theme.accent));
        lines.extend(plan.trim_end().lines().map(|line| (format!("  {line}"), theme.text)));
        lines.push(Default::default());
    }
    if !activity.tasks.is_empty() {
        let done = activity.tasks.iter().filter(|task| task.status == TaskStatus::Completed).count();
        lines.push((format!("tasks · {done} of {} completed", activity.tasks.len()), theme.accent));
        lines.extend(activity.tasks.iter().map(|task| {
            let status = status(task.status);
            let glyph = node_glyph(status, 0, ascii);
            (format!("{:>4} {glyph} {}", task.number, task.title), theme.node(status))
        }));
        lines.push(Default::default());
    }
    if !activity.tool_calls.is_empty() {
        lines.push(("calls of tools".to_owned(), theme.accent));
        activity.tool_calls.iter().for_each(|call| tool_call(call, theme, &mut lines));
        lines.push(Default::default());
    }
    if !activity.predictions.is_empty() {
        lines.push(("models".to_owned(), theme.accent));
        lines.extend(activity.predictions.iter().map(|it| (format!("  {}", model(it)), theme.text)));
    }
    while lines.last().is_some_and(|(text, _)| text.is_empty()) {
        lines.pop();
    }
    lines
}

fn status(status: TaskStatus) -> NodeStatus {
    match status {
        TaskStatus::Waiting => NodeStatus::Waiting,
        TaskStatus::Running => NodeStatus::Running,
        TaskStatus::Completed => NodeStatus::Completed,
        TaskStatus::Failed => NodeStatus::Failed,
    }
}

fn tool_call(call: &ToolCall, theme: &Theme, lines: &mut Vec<Text>) {
    lines.push((format!("{:>4} {} {}", call.number, call.tool, call.arguments), theme.text));
    let result = match &call.result {
        None => ("     no result yet".to_owned(), theme.dim),
        Some(result) if result.failed => (format!("     failed: {}", result.text), theme.bad),
        Some(result) => (format!("     {}", result.text), theme.dim),
    };
    lines.push(result);
}

fn model(of: &Prediction) -> String {
    let cost = of.cost_usd.map(|usd| format!(" · ${usd:.4}")).unwrap_or_default();
    let (input, output) = (of.input_tokens, of.output_tokens);
    format!("{} {} · {input} tokens in · {output} out{cost}", of.provider, of.model)
}
