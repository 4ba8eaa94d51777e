//! `fanlight reproduce`: makes a product again from its recipe, and compares the two.

mod children;
mod files;
mod submit;

use fanlight_shared::client::projection::{Projection, Row};
use fanlight_shared::client::{Client, ClientError};
use fanlight_shared::id::AssetId;
use fanlight_shared::lineage::{Lineage, MadeWith, Product, Step};
use fanlight_shared::rpc::assets;
use fanlight_shared::run::{Run, RunStatus};
use fanlight_shared::sanitise;
use serde_json::json;

use super::assets::of_asset;
use super::follow::{Options, follow};
use super::interrupt::Interrupt;
use super::tail::failed_commands;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{self, Out, json};
use crate::{recipe, text};

pub(super) use files::check_one;

/// The arguments of `reproduce`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// A saved PNG, JPEG, WAV or FLAC file that carries its recipe, or an asset: its id or the beginning of the id.
    #[arg(value_name = "FILE|ASSET")]
    product: String,
    /// The file for a param, if the recipe is from another home.
    #[arg(short, long = "param", value_name = "KEY=FILE")]
    params: Vec<String>,
    /// Don't ask for confirmation if the recipe is from a run that this home does not know.
    #[arg(short, long)]
    yes: bool,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Runs `reproduce`.
pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let saved = recipe::of_file(&args.product).transpose().map_err(Failure::failed)?;
    let context = Context::from_env()?;
    let client = context.connect().await?;
    let is_from_file = saved.is_some();
    let is_unchanged = saved.as_ref().is_none_or(|saved| saved.is_unchanged);
    let lineage = match saved {
        Some(saved) => {
            if !is_unchanged {
                let name = &args.product;
                output::note(&format!(
                    "`{name}` was changed after it was saved; the new product is compared with the one that was saved"
                ));
            }
            saved.lineage
        }
        None => of_asset(&client, &args.product).await?,
    };
    let Some(hash) = lineage.product.hash else {
        let name = &lineage.product.name;
        return Err(Failure::failed(format!(
            "`{name}` was not kept whole, so nothing can be compared with it"
        )));
    };
    files::check(&lineage, client.is_elsewhere())?;
    let run = submit::submit(&client, &lineage, is_from_file, &args).await?;
    let name = run.name();
    if !args.json {
        output::note(&format!("making `{}` again: {name}", sanitise::line(&lineage.product.name)));
    }
    let mut interrupt = Interrupt::new()?;
    let mut nothing = |_: &Client, _: Row<'_>| {};
    let options = Options {
        json: false,
        stream: false,
        cancels: true,
        no_wait: false,
        search: None,
        ended: &mut nothing,
    };
    let followed =
        follow(&context, client, Projection::of(vec![run.clone()]), &mut interrupt, options).await?;
    let client = &followed.client;
    failed_commands(client, &followed.projection).await;
    let verdict = followed.verdict(&interrupt);
    let has_failed = followed.projection.count(|status| status == RunStatus::Failed) > 0;
    if interrupt.received() || !has_failed {
        verdict?;
        if followed.projection.count(|status| status == RunStatus::Completed) == 0 {
            return Err(Failure::failed(format!("{name} did not complete")));
        }
    }
    let place = place(&lineage.product);
    let Some(made) = same_place(client, &run, &lineage.product).await? else {
        return Err(Failure::failed(match has_failed {
            true => format!("{name} failed before it made `{place}` again"),
            false => format!("{name} made no product `{place}`"),
        }));
    };
    if has_failed {
        output::note(&format!("{name} failed, and made `{place}` again"));
    }
    let made = client.call(assets::Lineage { asset: made.to_string() }).await?;
    report(&lineage, &made, made.product.hash == Some(hash), &name, args.json)?;
    if !is_unchanged {
        let file = &args.product;
        return Err(Failure::failed(format!("`{file}` itself was changed after it was saved")));
    }
    Ok(())
}

fn place(product: &Product) -> String {
    match product.node.as_str() {
        "" => product.port.clone(),
        node => format!("{node}{}.{}", product.item, product.port),
    }
}

/// Returns the asset of a run that stands where the product stood in its own.
async fn same_place(client: &Client, run: &Run, product: &Product) -> Result<Option<AssetId>, ClientError> {
    let mut list = assets::List { run_id: Some(run.id), limit: Some(1000), ..assets::List::default() };
    loop {
        let page = client.call(list.clone()).await?;
        let found = page.rows.iter().find(|asset| {
            (asset.node.as_str(), asset.item, asset.port.as_str(), asset.ordinal)
                == (product.node.as_str(), product.item, product.port.as_str(), product.ordinal)
        });
        if found.is_some() || page.cursor.is_none() {
            return Ok(found.map(|asset| asset.id));
        }
        list.cursor = page.cursor;
    }
}

fn report(
    lineage: &Lineage,
    made: &Lineage,
    is_identical: bool,
    run: &str,
    as_json: bool,
) -> Result<(), Failure> {
    let (old, new) = (&lineage.product, &made.product);
    let mut out = Out::new();
    if as_json {
        json::print(
            &mut out,
            &json!({
                "identical": is_identical,
                "run": run,
                "asset": new.id,
                "hash": new.hash,
                "expected": { "asset": old.id, "hash": old.hash },
            }),
        )?;
    } else {
        let verdict = if is_identical { "identical" } else { "different" };
        out.line(&format!("{run}\t{verdict}\tasset:{} {}", new.id, sanitise::line(&new.name)))?;
    }
    out.flush()?;
    if is_identical {
        return Ok(());
    }
    let name = sanitise::line(&old.name);
    let first = lineage.runs.first().map_or("its run", |run| run.name.as_str());
    let failure = Failure::failed(format!("`{name}` of {run} differs from that of {first}"));
    Err(failure.hint(reason(lineage, made)))
}

/// Returns why two products with the same recipe may differ, as far as that is known.
fn reason(lineage: &Lineage, made: &Lineage) -> String {
    if let Some(other) = other_program(lineage, made) {
        return other;
    }
    let made_with = |lineage: &Lineage| lineage.runs.first().and_then(|run| run.made_with.clone());
    if let (Some(old), Some(new)) = (made_with(lineage), made_with(made))
        && let Some(other) = other_version(&old, &new)
    {
        return other;
    }
    if let Some(step) = lineage.steps.iter().find(|step| step.dir.is_some()) {
        let node = &step.node;
        return format!("the node `{node}` reads files of a folder, which may have changed");
    }
    "some of its nodes do not give the same result for the same inputs".to_owned()
}

/// Returns which program is another file than when the product was made.
fn other_program(lineage: &Lineage, made: &Lineage) -> Option<String> {
    let first = |lineage: &Lineage| lineage.runs.first().map(|run| run.name.clone());
    let (then, now) = (first(lineage)?, first(made)?);
    let steps = |old: &Step| made.steps.iter().find(|new| new.run == now && new.node == old.node);
    let pairs = lineage.steps.iter().filter(|old| old.run == then).filter_map(|old| Some((old, steps(old)?)));
    for (old, new) in pairs {
        // A node whose program was replaced meanwhile has several of the same name.
        for program in &new.programs {
            let mut before = old.programs.iter().filter(|it| it.name == program.name).peekable();
            let known = before.peek().copied();
            if let Some(known) = known.filter(|_| before.all(|it| it.hash != program.hash)) {
                return Some(sanitise::line(&format!(
                    "`{}` of the node `{}` is another file than then: {}, written {}; it was {}, written {}",
                    program.name,
                    new.node,
                    program.path,
                    text::clock(program.modified),
                    known.path,
                    text::clock(known.modified)
                )));
            }
        }
    }
    None
}

fn other_version(old: &MadeWith, new: &MadeWith) -> Option<String> {
    for (name, version) in &old.types {
        match new.types.get(name) {
            Some(now) if now != version => {
                return Some(format!(
                    "it was made with version {version} of `{name}`, and now that is {now}"
                ));
            }
            _ => {}
        }
    }
    let (old, new) = (&old.fanlight, &new.fanlight);
    (old != new).then(|| format!("it was made with Fanlight {old}, and this is {new}"))
}
