//! `fanlight secrets rm`

use crate::embedded::{SecretFileError, SecretSettings, Source};
use crate::failure::Failure;
use crate::output::{Out, ask};
use crate::text;

/// The arguments of `secrets rm`.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// The secrets.
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
    /// Doesn't ask.
    #[arg(short, long)]
    yes: bool,
}

/// Runs `secrets rm`.
pub(super) async fn run(settings: &SecretSettings, args: &Args) -> Result<(), Failure> {
    let failed = |error: SecretFileError| Failure::failed(error.to_string());
    let all = settings.list().map_err(failed)?;
    for name in &args.names {
        match all.get(name) {
            None => {
                let name = fanlight_shared::sanitise::line(name);
                return Err(Failure::failed(format!("there is no secret `{name}`"))
                    .hint("`fanlight secrets list` lists them"));
            }
            Some(Source::File) => {}
            Some(source) => return Err(super::elsewhere(name, source)),
        }
    }
    let what = match args.names.as_slice() {
        [name] => format!("the secret `{name}`"),
        all => text::count(all.len(), "secret"),
    };
    ask::confirm(&format!("Remove {what} for good?"), args.yes).await?;
    let mut out = Out::new();
    for name in &args.names {
        settings.file.remove(name).map_err(failed)?;
        out.line(&format!("{name}\tremoved"))?;
    }
    out.flush()
}
