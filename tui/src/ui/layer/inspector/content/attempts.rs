//! The attempts of an instance, and what they spent.

use fanlight_shared::resources::GpuSlot;
use fanlight_shared::run::AttemptEnd;
use fanlight_shared::run_state::Attempt;
use fanlight_shared::sanitise;
use fanlight_shared::spent::Spent;
use fanlight_shared::time::human_duration;

use super::super::Inspector;
use super::Text;
use crate::ui::model::Model;
use crate::ui::theme::Theme;

pub(super) fn lines(inspector: &Inspector, model: &Model, theme: &Theme) -> Vec<Text> {
    let Some(instance) = inspector.instance(model) else { return Vec::new() };
    let mut lines = Vec::new();
    for attempt in &instance.attempts {
        lines.push(attempt_line(attempt, model, theme));
        if let Some(error) = &attempt.error {
            lines.push((format!("    {}", sanitise::line(&error.message)), theme.dim));
        }
        if let Some(question) = &attempt.question {
            lines.push((format!("    {}", sanitise::line(question)), theme.dim));
        }
        if let Some(answer) = &attempt.answer {
            let said = attempt.said.as_deref().unwrap_or("nobody answered");
            let by = if answer.request.is_none() && answer.value.is_some() { " (the default)" } else { "" };
            lines.push((format!("    {}{by}", sanitise::line(said)), theme.text));
        }
    }
    if let Some(spent) = spent(inspector, model) {
        lines.push((format!("spent in all: {spent}"), theme.text));
    }
    if let Some(at) = instance.retry_at.filter(|at| *at > model.now) {
        lines.push((format!("again in {}", human_duration(at.since(model.now))), theme.warning));
    }
    lines
}

/// Returns the cost and the tokens of the node, with its items; of an item its cost alone.
fn spent(inspector: &Inspector, model: &Model) -> Option<String> {
    if inspector.item.is_whole() {
        let spent = model.lens()?.state.nodes.get(&inspector.node)?.spent_so_far();
        return spent.short().map(|_| spent.to_string());
    }
    let mut total = Spent::default();
    inspector.instance(model)?.attempts.iter().for_each(|attempt| total.add(&cost(attempt)));
    total.short().map(|_| total.to_string())
}

/// Returns what an attempt has cost, without its tokens.
fn cost(attempt: &Attempt) -> Spent {
    Spent { cost_usd: attempt.cost_usd, unpriced: attempt.unpriced, ..Spent::default() }
}

fn attempt_line(attempt: &Attempt, model: &Model, theme: &Theme) -> Text {
    let (word, style) = match attempt.end {
        None => ("running", theme.running),
        Some(AttemptEnd::Completed) => ("completed", theme.good),
        Some(AttemptEnd::Failed) => ("failed", theme.bad),
        Some(AttemptEnd::Cancelled) => ("cancelled", theme.cancelled),
        Some(AttemptEnd::Lost) => ("lost: nobody saw how it ended", theme.warning),
        Some(AttemptEnd::Parked) => ("asked a person", theme.warning),
    };
    let took = human_duration(attempt.ended_at.unwrap_or(model.now).since(attempt.started_at));
    let ago = human_duration(model.now.since(attempt.started_at));
    let cost = Some(cost(attempt)).filter(|it| !it.is_nothing());
    let cost = cost.map(|it| format!(" · {it}")).unwrap_or_default();
    let gpus = GpuSlot::shown(&attempt.gpus).map(|gpus| {
        let name = attempt.gpus.first().and_then(|slot| slot.name.as_deref());
        let name = name.map(|name| format!(" {name}")).unwrap_or_default();
        format!(" · {gpus}{name}")
    });
    let gpus = gpus.unwrap_or_default();
    (format!("{:>3}  {word:<10} {took:<8} started {ago} ago{cost}{gpus}", attempt.number), style)
}
