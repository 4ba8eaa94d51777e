//! `fanlight assets show`: everything that a product was made of.

use std::path::Path;
use std::time::Duration;

use fanlight_shared::client::Client;
use fanlight_shared::lineage::{InputFile, Lineage, RunOf, Step};
use fanlight_shared::rpc::assets;
use fanlight_shared::sanitise;
use fanlight_shared::time::human_duration;

use crate::failure::Failure;
use crate::output::style::Role;
use crate::output::table::{Cell, Table};
use crate::output::{Out, json};
use crate::{recipe, text};

/// The arguments of `assets show`.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// The asset: its id or the beginning of the id; or a saved file that carries its recipe.
    #[arg(value_name = "ASSET|FILE")]
    asset: String,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Runs `assets show`.
pub(super) async fn run(client: &Client, args: Args) -> Result<(), Failure> {
    let lineage = match recipe::of_file(&args.asset) {
        Some(saved) => saved.map_err(Failure::failed)?.lineage,
        None => of_asset(client, &args.asset).await?,
    };
    let mut out = Out::new();
    if args.json {
        json::print(&mut out, &lineage)?;
    } else {
        print(&mut out, &lineage)?;
    }
    out.flush()
}

/// Returns the lineage of an asset by the name that a person gives it.
pub(in crate::command) async fn of_asset(client: &Client, name: &str) -> Result<Lineage, Failure> {
    let asset = name.strip_prefix("asset:").unwrap_or(name).to_owned();
    client.call(assets::Lineage { asset }).await.map_err(|error| match error.is_unknown() {
        true => Failure::from(error).maybe_hint(no_such_file(name)),
        false => error.into(),
    })
}

/// Returns what to say of a name that is neither a file nor an asset, if it may be meant as a path.
fn no_such_file(name: &str) -> Option<String> {
    let (path, shown) = (Path::new(name), sanitise::line(name));
    if path.is_dir() {
        return Some(format!(
            "`{shown}` is a folder; name a saved file that carries its recipe, or an asset"
        ));
    }
    let is_path = name.contains(['/', '.']);
    is_path.then(|| format!("there is no file `{shown}` either; `fanlight assets list` lists the assets"))
}

fn print(out: &mut Out, lineage: &Lineage) -> Result<(), Failure> {
    let product = &lineage.product;
    let mut facts = Table::new(&["", ""]);
    let mut fact = |name: &str, value: String| {
        facts.row(vec![Cell::new(name, Role::Dim), sanitise::line(&value).into()]);
    };
    let size = text::size(product.bytes);
    fact("product", format!("{}  {}  {size}", product.name, product.mime));
    fact("asset", product.id.to_string());
    fact("stored", text::clock(product.created_at));
    if let Some(run) = lineage.runs.first() {
        let from = if product.node.is_empty() {
            format!("output {}", product.port)
        } else {
            format!("{}{}.{}", product.node, product.item, product.port)
        };
        let time = human_duration(Duration::from_millis(product.duration_ms));
        let cost = product.cost_usd.map(|cost| format!(", ${cost}")).unwrap_or_default();
        fact("made by", format!("{} · {from}, attempt {}, {time}{cost}", run.name, product.attempt));
        fact("workflow", run.title.clone());
        fact("version", run.version.as_str().to_owned());
        if let Some(path) = &run.path {
            fact("file", path.clone());
        }
        if let Some(made_with) = &run.made_with {
            fact("made with", format!("Fanlight {}", made_with.fanlight));
        }
        for (name, value) in &run.params {
            for (name, line) in text::value_lines(&format!("-p {name}"), value) {
                fact(&name, line);
            }
        }
    }
    facts.print_body(out)?;
    out.line("")?;
    steps(&lineage.steps).print(out)?;
    if !lineage.files.is_empty() {
        out.line("")?;
        files(&lineage.files).print(out)?;
    }
    if lineage.runs.len() > 1 {
        out.line("")?;
        runs(&lineage.runs).print(out)?;
    }
    if lineage.cut {
        out.line("  and earlier ones")?;
    }
    Ok(())
}

fn steps(steps: &[Step]) -> Table {
    let mut table = Table::new(&["RUN", "NODE", "TYPE", "READS", "NOTE"]);
    for step in steps {
        let version = step.version.map(|version| format!(" {version}")).unwrap_or_default();
        let reads = step.reads.iter().cloned();
        let params = step.params.iter().map(|name| format!("params.{name}"));
        let secrets = step.secrets.iter().map(|name| format!("secrets.{name}"));
        let reads: Vec<String> = reads.chain(params).chain(secrets).collect();
        table.row(vec![
            Cell::new(step.run.as_str(), Role::Strong),
            format!("{}{}", step.node, step.item).into(),
            sanitise::line(&format!("{}{version}", step.action)).into(),
            sanitise::line(&reads.join(" ")).into(),
            sanitise::line(&note(step)).into(),
        ]);
    }
    table
}

/// Returns where the result of a step comes from, and what is not known about it.
fn note(step: &Step) -> String {
    let origin = step.origin.iter().map(|it| format!("≡ {} · {}{}", it.run, it.node, it.item));
    let tools = programs(step);
    let tools = (!tools.is_empty()).then(|| format!("with {}", tools.join(", ")));
    let child = step.child.iter().map(|child| format!("ran {child}"));
    let dir = step.dir.iter().map(|dir| format!("worked in `{dir}`, whose files are not recorded"));
    origin.chain(tools).chain(child).chain(dir).collect::<Vec<_>>().join("; ")
}

/// Returns the programs of a step, with what is known of their files.
fn programs(step: &Step) -> Vec<String> {
    let known = step.programs.iter().map(|it| {
        let hash = it.hash.to_string();
        format!("{} ({}, {}, {})", it.name, it.path, text::size(it.bytes), hash.get(..16).unwrap_or(&hash))
    });
    let is_unknown = |name: &&String| !step.programs.iter().any(|known| known.name == **name);
    known.chain(step.tools.iter().filter(is_unknown).cloned()).collect()
}

fn files(files: &[InputFile]) -> Table {
    let mut table = Table::new(&["FILE", "SIZE", "READ BY", "HASH"]);
    for file in files {
        let kind = if file.is_param { "params." } else { "" };
        table.row(vec![
            sanitise::line(file.path.as_deref().unwrap_or(&file.name)).into(),
            text::size(file.bytes).into(),
            sanitise::line(&format!("{} · {kind}{}", file.run, file.reader)).into(),
            file.hash.to_string()[..16].to_owned().into(),
        ]);
    }
    table
}

fn runs(runs: &[RunOf]) -> Table {
    let mut table = Table::new(&["RUN", "SUBMITTED", "VERSION", "LABEL", "NOTE"]);
    for run in runs {
        let parent = run.parent.as_ref().map(|it| format!("started by {} · {}{}", it.name, it.node, it.item));
        let note = if run.deleted { Some("deleted".to_owned()) } else { parent };
        table.row(vec![
            Cell::new(run.name.as_str(), Role::Strong),
            text::clock(run.submitted_at).into(),
            run.version.as_str().chars().take(12).collect::<String>().into(),
            sanitise::line(&run.label).into(),
            sanitise::line(&note.unwrap_or_default()).into(),
        ]);
    }
    table
}
