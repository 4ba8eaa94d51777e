//! The activity of an autonomous node: its plan, tasks, calls of tools and use of models, a page each.

use fanlight_shared::event::{Activity, Prediction, Task, TaskStatus, ToolCall};
use fanlight_shared::run::NodeStatus;

use super::Tab;
use super::page::Text;
use crate::ui::theme::{Theme, node_glyph};

/// Returns the pages that have something to show.
pub(super) fn tabs(activity: &Activity) -> impl Iterator<Item = Tab> {
    [
        (Tab::Plan, activity.plan.is_some()),
        (Tab::Tasks, !activity.tasks.is_empty()),
        (Tab::Calls, !activity.tool_calls.is_empty()),
        (Tab::Models, !activity.predictions.is_empty()),
    ]
    .into_iter()
    .filter_map(|(tab, has)| has.then_some(tab))
}

/// Returns the lines of one of these pages. Texts are previews: the log has them in full.
pub(super) fn lines(tab: Tab, activity: &Activity, ascii: bool, theme: &Theme) -> Vec<Text> {
    match tab {
        Tab::Plan => plan(activity, theme),
        Tab::Tasks => tasks(activity, ascii, theme),
        Tab::Calls => activity.tool_calls.iter().flat_map(|call| tool_call(call, theme)).collect(),
        Tab::Models => activity.predictions.iter().map(|it| (model(it), theme.text)).collect(),
        _ => Vec::new(),
    }
}

fn plan(activity: &Activity, theme: &Theme) -> Vec<Text> {
    let plan = activity.plan.as_deref().unwrap_or_default();
    plan.trim_end().lines().map(|line| (line.to_owned(), theme.text)).collect()
}

fn tasks(activity: &Activity, ascii: bool, theme: &Theme) -> Vec<Text> {
    let done = activity.tasks.iter().filter(|task| task.status == TaskStatus::Completed).count();
    let head = (format!("{done} of {} completed", activity.tasks.len()), theme.accent);
    let task = |task: &Task| {
        let status = status(task.status);
        let glyph = node_glyph(status, 0, ascii);
        (format!("{:>4} {glyph} {}", task.number, task.title), theme.node(status))
    };
    [head].into_iter().chain(activity.tasks.iter().map(task)).collect()
}

fn status(status: TaskStatus) -> NodeStatus {
    match status {
        TaskStatus::Waiting => NodeStatus::Waiting,
        TaskStatus::Running => NodeStatus::Running,
        TaskStatus::Completed => NodeStatus::Completed,
        TaskStatus::Failed => NodeStatus::Failed,
    }
}

fn tool_call(call: &ToolCall, theme: &Theme) -> [Text; 2] {
    let result = match &call.result {
        None => ("     no result yet".to_owned(), theme.dim),
        Some(result) if result.failed => (format!("     failed: {}", result.text), theme.bad),
        Some(result) => (format!("     {}", result.text), theme.dim),
    };
    [(format!("{:>4} {} {}", call.number, call.tool, call.arguments), theme.text), result]
}

fn model(of: &Prediction) -> String {
    let cost = of.cost_usd.map(|usd| format!(" · ${usd:.4}")).unwrap_or_default();
    let (input, output) = (of.input_tokens, of.output_tokens);
    format!("{} {} · {input} tokens in · {output} out{cost}", of.provider, of.model)
}
