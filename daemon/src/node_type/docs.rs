//! Generates the documentation of all node types from their specs.

use std::fmt::Write as _;

use fanlight_shared::node_type::{DeclaredOutputs, Effects, InputSpec, NodeTypeSpec, Place};

use super::NodeTypes;

/// Returns `docs/node-types.md`: all node types, in the order of the list.
#[must_use]
pub fn docs() -> String {
    let mut out = String::from(
        "# Node types\n\n\
         These are the node types that are built into Fanlight; `uses:` names one. This page is generated from their\n\
         declarations, like `fanlight nodes`, the checks and the schema.\n\n\
         An input without a default is required unless it is *optional*. A float input also accepts an int, and a file input\n\
         a picture; a list input never accepts a single value.\n\n",
    );
    let types = NodeTypes::built_in().now();
    for spec in types.catalogue().0.values() {
        let anchor = spec.name.replace('.', "");
        let _ = writeln!(out, "- [`{}`](#{anchor}): {}", spec.name, spec.summary);
    }
    for spec in types.catalogue().0.values() {
        write_type(&mut out, spec);
    }
    out
}

fn write_type(out: &mut String, spec: &NodeTypeSpec) {
    let place = match spec.place {
        Place::Inline => "in the daemon, inline",
        Place::Daemon => "in the daemon",
        Place::Worker => "in a worker process",
        Place::Executor => "outside the daemon",
    };
    let effects = match spec.effects {
        Effects::None => "no effects outside the run",
        Effects::Idempotent => "may be repeated without harm",
        Effects::External => {
            "has effects outside the run, so that an interrupted node fails unless `on_interrupt: again`"
        }
    };
    let reuse = match (spec.remember, spec.place) {
        (false, _) => "",
        (true, Place::Inline) => "; results of large inputs are [reused](cache.md)",
        (true, _) => "; results are [reused](cache.md)",
    };
    let most = spec.max_bytes >> 20;
    let _ = write!(
        out,
        "\n## {}\n\n{}\n\nRuns {place}; {effects}{reuse}; returns at most {most} MiB of values.\n",
        spec.name, spec.summary
    );
    if !spec.inputs.is_empty() || spec.more_inputs {
        out.push_str("\n| input | type | default | |\n|---|---|---|---|\n");
    }
    for (name, input) in &spec.inputs {
        let _ = writeln!(
            out,
            "| `{name}` | {} | {} | {} |",
            cell(&input.ty.to_string()),
            cell(&default(input)),
            cell(&(input.summary.clone() + &limits(input)))
        );
    }
    if spec.more_inputs {
        out.push_str("| any other | any | *optional* | An input with any other name. |\n");
    }
    out.push_str("\n| output | type | |\n|---|---|---|\n");
    for (name, output) in &spec.outputs {
        let _ = writeln!(out, "| `{name}` | {} | {} |", cell(&output.ty.to_string()), cell(&output.summary));
    }
    out.push_str(match spec.declared_outputs {
        None => "",
        Some(DeclaredOutputs::Values) => {
            "\nA node may declare other outputs instead, of any type but files: `outputs: { total: float }`.\n"
        }
        Some(DeclaredOutputs::Any) => {
            "\nA node may declare other outputs instead, of any type: `outputs: { poster: image }`.\n"
        }
    });
}

fn default(input: &InputSpec) -> String {
    match &input.default {
        Some(value) => format!("`{}`", value.to_json()),
        None if input.optional => "*optional*".into(),
        None => String::new(),
    }
}

fn limits(input: &InputSpec) -> String {
    let mut out = String::new();
    if input.secret {
        out.push_str(" May be built from secrets.");
    }
    if !input.choices.is_empty() {
        let choices: Vec<String> = input.choices.iter().map(|it| format!("`{it}`")).collect();
        let _ = write!(out, " One of {}.", choices.join(", "));
    }
    match (input.min, input.max) {
        (Some(min), Some(max)) => {
            let _ = write!(out, " Within {min}..{max}.");
        }
        (Some(min), None) => {
            let _ = write!(out, " At least {min}.");
        }
        (None, Some(max)) => {
            let _ = write!(out, " At most {max}.");
        }
        (None, None) => {}
    }
    out
}

/// Returns the text of a table cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::docs;

    /// `UPDATE_DOCS=1 cargo test -p fanlight-daemon docs` updates the page.
    #[test]
    fn the_page_in_the_repository_is_the_generated_one() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/node-types.md");
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(path, docs()).unwrap();
        }
        let kept = std::fs::read_to_string(path).unwrap_or_default();
        assert!(kept == docs(), "docs/node-types.md is out of date; run this test with UPDATE_DOCS=1");
    }
}
