//! `fanlight models`: the providers of language models and their models.

use fanlight_shared::rpc::models::{List, Provider};
use fanlight_shared::sanitise;
use indexmap::IndexSet;

use crate::context::Context;
use crate::failure::Failure;
use crate::output::style::Role;
use crate::output::table::{Cell, Table};
use crate::output::{self, Out, json};

/// The arguments of `models`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// List the models of this provider only.
    #[arg(value_name = "PROVIDER")]
    provider: Option<String>,
    /// Print JSON, one object per line.
    #[arg(long)]
    json: bool,
}

/// Runs `models`.
pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let client = Context::from_env()?.connect().await?;
    let providers = client.call(List { provider: args.provider.clone() }).await?.providers;
    let mut out = Out::new();
    if args.json {
        for provider in &providers {
            json::print(&mut out, provider)?;
        }
        return out.flush();
    }
    if let (Some(_), [Provider { error: Some(error), models, .. }]) = (&args.provider, &providers[..])
        && models.is_empty()
    {
        return Err(Failure::failed(sanitise::line(error)));
    }
    let mut table = Table::new(&["PROVIDER", "MODEL", "DEFAULT FOR"]);
    for provider in &providers {
        // Those that can't be asked have nothing to show but the note below.
        let unlisted =
            provider.defaults.values().filter(|it| provider.ready && !provider.models.contains(it));
        let unlisted: IndexSet<&String> = unlisted.collect();
        for model in unlisted.into_iter().chain(&provider.models) {
            table.row(vec![
                Cell::new(&provider.provider, Role::Strong),
                sanitise::line(model).into(),
                Cell::new(purposes(provider, model), Role::Dim),
            ]);
        }
    }
    table.print(&mut out)?;
    out.flush()?;
    for provider in &providers {
        if provider.more > 0 {
            output::note(&format!("{} has {} more models", provider.provider, provider.more));
        }
    }
    say_unlisted(&providers);
    Ok(())
}

/// Returns the purposes for which a model is asked if a node names none.
fn purposes(provider: &Provider, model: &str) -> String {
    let of: Vec<&str> = provider
        .defaults
        .iter()
        .filter(|(_, it)| *it == model)
        .map(|(purpose, _)| purpose.as_str())
        .collect();
    // That of the config is for all of them.
    if of.len() > 1 && of.len() == provider.defaults.len() { "everything".to_owned() } else { of.join(", ") }
}

/// Says which providers listed nothing, and why.
fn say_unlisted(providers: &[Provider]) {
    let failed = providers.iter().filter(|provider| provider.error.is_some());
    // An error about a secret names it.
    let (others, keyless): (Vec<_>, Vec<_>) =
        failed.partition(|provider| provider.ready || provider.key_env.is_none());
    for provider in others {
        let error = sanitise::line(provider.error.as_deref().unwrap_or_default());
        output::note(&format!("{}: {error}", provider.provider));
    }
    if !keyless.is_empty() {
        let names =
            keyless.iter().filter_map(|it| Some(format!("{} (`{}`)", it.provider, it.key_env.as_ref()?)));
        output::note(&format!("without a key: {}", names.collect::<Vec<_>>().join(", ")));
    }
}
