//! `fanlight nodes`: the node types, from the same data that the checks use.

use fanlight_shared::node_type::{InputSpec, NodeTypeSpec, Place};
use fanlight_shared::problem::near;

use crate::failure::Failure;
use crate::output::style::{Paint, Role};
use crate::output::table::{Cell, Table};
use crate::output::{Out, json};
use crate::{node_types, text};

/// The arguments of `nodes`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Describe this type.
    #[arg(value_name = "TYPE")]
    name: Option<String>,
    /// Print JSON, one object per line.
    #[arg(long)]
    json: bool,
}

/// Runs `nodes`.
pub(crate) async fn run(args: &Args) -> Result<(), Failure> {
    let catalogue = node_types::current().await;
    let mut out = Out::new();
    let Some(name) = &args.name else {
        if args.json {
            for spec in catalogue.0.values() {
                json::print(&mut out, spec)?;
            }
        } else {
            let mut table = Table::new(&["TYPE", "WHAT IT DOES"]);
            for spec in catalogue.0.values() {
                table.row(vec![Cell::new(&spec.name, Role::Strong), spec.summary.as_str().into()]);
            }
            table.print(&mut out)?;
        }
        return out.flush();
    };
    let spec = catalogue.get(name).ok_or_else(|| {
        let hint = match near(name, catalogue.0.keys().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`fanlight nodes` lists them".to_owned(),
        };
        Failure::usage(format!("there is no node type `{name}`")).hint(hint)
    })?;
    if args.json {
        json::print(&mut out, spec)?;
    } else {
        describe(&mut out, spec)?;
    }
    out.flush()
}

fn describe(out: &mut Out, spec: &NodeTypeSpec) -> Result<(), Failure> {
    let paint = Paint::stdout();
    out.line(&format!("{}  {}", paint.apply(Role::Strong, &spec.name), spec.summary))?;
    out.line(match spec.place {
        Place::Inline | Place::Daemon => "runs in the daemon",
        Place::Worker => "runs in a worker process",
        Place::Executor => "runs outside of the daemon",
    })?;
    out.line("")?;
    let mut inputs = Table::new(&["INPUT", "TYPE", "DEFAULT", "WHAT IT IS"]);
    for (name, input) in &spec.inputs {
        inputs.row(vec![
            Cell::new(name, Role::Strong),
            input.ty.to_string().into(),
            default(input).into(),
            format!("{}{}", input.summary, limits(input)).into(),
        ]);
    }
    if spec.more_inputs {
        let what = "Any other input is taken too, by its name.";
        inputs.row(vec![Cell::new("…", Role::Strong), "any".into(), "".into(), what.into()]);
    }
    inputs.print(out)?;
    out.line("")?;
    let mut outputs = Table::new(&["OUTPUT", "TYPE", "WHAT IT IS"]);
    for (name, output) in &spec.outputs {
        outputs.row(vec![
            Cell::new(name, Role::Strong),
            output.ty.to_string().into(),
            output.summary.as_str().into(),
        ]);
    }
    outputs.print(out)?;
    match spec.declared_outputs {
        None => Ok(()),
        Some(_) => {
            out.line("")?;
            out.line("A node may declare other outputs instead: `outputs: { total: float }`.")
        }
    }
}

fn default(input: &InputSpec) -> String {
    match &input.default {
        Some(value) => text::value_line(value),
        None if input.optional => "–".into(),
        None => "required".into(),
    }
}

fn limits(input: &InputSpec) -> String {
    if input.secret {
        return " (may be built from secrets)".into();
    }
    if !input.choices.is_empty() {
        return format!(" ({})", input.choices.join(", "));
    }
    match (input.min, input.max) {
        (Some(min), Some(max)) => format!(" ({min}..{max})"),
        (Some(min), None) => format!(" (at least {min})"),
        (None, Some(max)) => format!(" (at most {max})"),
        (None, None) => String::new(),
    }
}
