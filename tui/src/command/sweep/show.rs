//! `fanlight sweep show`

use fanlight_shared::client::Client;
use fanlight_shared::metric::Goal;
use fanlight_shared::rpc::sweeps::{Best, Detail, Get, Progress, SearchDetail, SweepState, Varied};
use fanlight_shared::sanitise;
use serde_json::{Value as Json, json};

use crate::failure::Failure;
use crate::output::style::{Paint, Role};
use crate::output::table::{Cell, Table};
use crate::output::{Out, json};
use crate::text;
use crate::trial;

/// The most runs of a Pareto front that are shown; `--json` has all.
const BEST_LIMIT: usize = 20;

/// The arguments of `sweep show`.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// The sweep: its name, a workflow's name (its newest sweep), or `last`.
    #[arg(value_name = "SWEEP")]
    sweep: String,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Runs `sweep show`.
pub(super) async fn run(client: &Client, args: Args, as_json: bool) -> Result<(), Failure> {
    let detail = client.call(Get { sweep: args.sweep }).await?;
    let mut out = Out::new();
    if as_json || args.json {
        json::print(&mut out, &object(&detail))?;
    } else {
        print(&mut out, &detail)?;
    }
    out.flush()
}

/// Returns the stable JSON of a sweep with its params and its best outputs.
fn object(detail: &Detail) -> Json {
    let mut sweep = json::sweep(&detail.sweep);
    let varied = |varied: &Varied| {
        let values: Vec<Json> = varied.values.iter().map(fanlight_shared::value::Value::to_json).collect();
        json!({ "count": varied.count, "values": values })
    };
    let params = detail.params.iter().map(|(name, values)| (name.clone(), varied(values)));
    if let Some(object) = sweep.as_object_mut() {
        object.insert("params".into(), Json::Object(params.collect()));
        object.insert("best".into(), json!(detail.best));
        if let Some(search) = &detail.search {
            object.insert("found".into(), found(search));
        }
    }
    sweep
}

/// Returns the stable JSON of what a search found.
fn found(detail: &SearchDetail) -> Json {
    let best = detail.best.iter().map(|trial| {
        let names = detail.search.objectives.iter().map(|objective| objective.name.clone());
        let values: serde_json::Map<String, Json> =
            names.zip(trial.values.iter().map(|value| json!(value))).collect();
        json!({ "run": trial.run, "params": json::values(&trial.params), "values": values })
    });
    json!({ "best": best.collect::<Vec<_>>(), "unmeasured": detail.unmeasured })
}

fn print(out: &mut Out, detail: &Detail) -> Result<(), Failure> {
    let sweep = &detail.sweep;
    out.line(&Paint::stdout().apply(Role::Strong, &sanitise::line(&sweep.name)))?;
    let mut facts = Table::new(&["", ""]);
    let mut fact = |name: String, value: Cell| facts.row(vec![Cell::new(name, Role::Dim), value]);
    fact("state".into(), super::state(sweep));
    if let Some(pause) = sweep.paused.filter(|_| sweep.state == SweepState::Paused) {
        fact("reason".into(), pause.to_string().into());
    }
    fact("runs".into(), format!("{}: {}", super::runs(sweep), super::counts(&sweep.runs)).into());
    fact("workflow".into(), sanitise::line(&sweep.workflow).into());
    fact("submitted".into(), text::clock(sweep.created_at).into());
    fact("time".into(), super::time(sweep).into());
    if !sweep.spent.is_nothing() {
        fact("spent".into(), sweep.spent.to_string().into());
    }
    if let Some(search) = &detail.search {
        search_facts(search, sweep.search.as_ref(), &mut fact);
    }
    for (name, values) in &detail.params {
        fact(format!("-p {}", sanitise::line(name)), values_line(values).into());
    }
    for (name, best) in &detail.best {
        fact(format!("output {}", sanitise::line(name)), best_line(best).into());
    }
    facts.print_body(out)
}

/// Shows the search of a sweep, and what it found.
fn search_facts(detail: &SearchDetail, progress: Option<&Progress>, fact: &mut impl FnMut(String, Cell)) {
    let SearchDetail { search, best, unmeasured, .. } = detail;
    let goals = search.objectives.iter().map(|objective| {
        let verb = if objective.goal == Goal::Max { "maximize" } else { "minimize" };
        format!("{verb} {}", sanitise::line(&objective.name))
    });
    let pruner = search.pruner.map(|pruner| format!(", pruner {}", String::from(pruner))).unwrap_or_default();
    let goals = goals.collect::<Vec<_>>().join(", ");
    fact(
        "search".into(),
        format!("{goals}; sampler {}{pruner}, seed {}", search.sampler.word(), search.seed).into(),
    );
    if let Some(progress) = progress {
        let Progress { trials, proposed, .. } = progress;
        let counts = trial::counts(progress);
        // Its runs can be more: those that it was extended by, or that a person started.
        let runs = if counts.is_empty() { String::new() } else { format!("; runs: {}", counts.join(", ")) };
        fact("trials".into(), format!("{proposed} of {trials} proposed{runs}").into());
    }
    for trial in best.iter().take(BEST_LIMIT) {
        fact("best".into(), trial::line(search, trial).into());
    }
    if best.len() > BEST_LIMIT {
        fact("best".into(), format!("and {} more", best.len() - BEST_LIMIT).into());
    }
    if let Some(why) = unmeasured {
        fact("no value".into(), sanitise::line(why).into());
    }
    if let Some(why) = trial::idle_pruner(detail, progress) {
        fact("pruner".into(), why.into());
    }
}

fn values_line(varied: &Varied) -> String {
    let mut shown: Vec<String> = varied.values.iter().map(text::element_line).collect();
    if varied.count as usize > shown.len() {
        shown.push("…".into());
    }
    format!("{}: {}", text::count(varied.count as usize, "value"), shown.join(", "))
}

fn best_line(best: &Best) -> String {
    let Best { lowest, highest } = best;
    format!("lowest {} ({}), highest {} ({})", lowest.value, lowest.run, highest.value, highest.run)
}
