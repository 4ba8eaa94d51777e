//! `fanlight why`: says what a run, or one of its nodes, waits for.

use fanlight_shared::rpc::why::{Explanation, Reason, ReasonKind, Why};
use fanlight_shared::run::Run;
use fanlight_shared::sanitise;
use fanlight_shared::time::{Time, human_duration};
use serde_json::{Value as Json, json};

use super::find_run;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::style::{Paint, Role};
use crate::output::{self, Out, json};
use crate::text;

/// The arguments of `why`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The run.
    #[arg(value_name = "RUN")]
    run: String,
    /// Only this node. Without it, every node that runs or could run is explained.
    #[arg(value_name = "NODE")]
    node: Option<String>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Runs `why`.
pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let client = Context::from_env()?.connect().await?;
    let run = find_run(&client, &args.run).await?.run.id;
    let explanation = client.call(Why { run, node: args.node }).await?;
    let mut out = Out::new();
    if args.json {
        json::print(&mut out, &object(&explanation))?;
        return out.flush();
    }
    let paint = Paint::stdout();
    let now = Time::now();
    for reason in &explanation.reasons {
        out.line(&line(&explanation.run.name(), reason, now, paint))?;
    }
    let name = explanation.run.name();
    if explanation.reasons_left > 0 {
        out.line(&format!("and {} more", text::count(explanation.reasons_left as usize, "reason")))?;
    }
    if explanation.nodes_after > 0 {
        let nodes = text::count(explanation.nodes_after as usize, "node");
        let verb = if explanation.nodes_after == 1 { "follows" } else { "follow" };
        out.line(&paint.apply(Role::Dim, &format!("{name}: {nodes} {verb}")))?;
    }
    out.flush()?;
    for hint in hints(&explanation.run, &explanation.reasons) {
        output::note(&format!("hint: {hint}"));
    }
    Ok(())
}

/// Returns a reason as a line: `poster#3 sky: waits for `gpu`: 1 at once; poster#2 sky has it`.
fn line(run: &str, reason: &Reason, now: Time, paint: Paint) -> String {
    let node = reason.node.as_deref().map(|node| format!(" {node}")).unwrap_or_default();
    let items = match reason.items {
        0 => String::new(),
        items => format!(", {}", text::count(items as usize, "item")),
    };
    let name = paint.apply(Role::Strong, &sanitise::line(&format!("{run}{node}{items}")));
    let mut line = format!("{name}: {}", sanitise::line(&reason.text));
    if let Some(since) = reason.since {
        let word = if reason.kind == ReasonKind::Ended { "ago" } else { "so far" };
        line.push_str(&format!(", {} {word}", human_duration(now.since(since))));
    }
    if let Some(until) = reason.until {
        line.push_str(&format!(", in {}", human_duration(until.since(now))));
    }
    // A node that computes the same result is in the phrase already.
    if reason.kind != ReasonKind::Result && !reason.holders.is_empty() {
        let verb = match (reason.kind, reason.holders.len()) {
            (ReasonKind::Resources, 1) => "uses some",
            (ReasonKind::Resources, _) => "use some",
            (_, 1) => "has it",
            _ => "have them",
        };
        line.push_str(&format!("; {} {verb}", sanitise::line(&reason.holders.join(", "))));
    }
    line
}

/// Returns what the user may do about it.
fn hints(run: &Run, reasons: &[Reason]) -> Vec<String> {
    let mut hints = Vec::new();
    for reason in reasons {
        let hint = match reason.kind {
            ReasonKind::Paused => "`fanlight queue --continue` continues the queue".to_owned(),
            ReasonKind::Slots => "`fanlight queue --max N` sets how many runs may run at once".to_owned(),
            ReasonKind::Sweep => match &run.sweep {
                Some(sweep) => {
                    format!("`fanlight sweep continue '{}'` lets the sweep continue", sanitise::line(sweep))
                }
                None => continue,
            },
            ReasonKind::Person => format!("`fanlight answer '{}'` shows the question", run.name()),
            ReasonKind::Storage => "`fanlight doctor` says more".to_owned(),
            _ => continue,
        };
        if !hints.contains(&hint) {
            hints.push(hint);
        }
    }
    hints
}

/// Returns the stable JSON of an explanation.
fn object(explanation: &Explanation) -> Json {
    let reason = |reason: &Reason| {
        json!({
            "node": reason.node,
            "items": reason.items,
            "kind": reason.kind.word(),
            "text": reason.text,
            "holders": reason.holders,
            "since": reason.since,
            "until": reason.until,
        })
    };
    json!({
        "run": explanation.run.name(),
        "state": explanation.run.state.word(),
        "reasons": explanation.reasons.iter().map(reason).collect::<Vec<_>>(),
        "reasons_left": explanation.reasons_left,
        "nodes_after": explanation.nodes_after,
    })
}
