//! `fanlight secrets set`

use std::io::{IsTerminal as _, Read as _};

use crate::embedded::{self, SecretSettings, Source};
use crate::failure::Failure;
use crate::output::{Out, ask};

/// The most that is read, in bytes: more than a value can have.
const MAX_BYTES: u64 = 64 << 10;

/// The arguments of `secrets set`.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// The name: letters, digits and `_`.
    #[arg(value_name = "NAME")]
    name: String,
}

/// Runs `secrets set`. The value is never an argument: those are in the history of the shell and in the list of processes.
pub(super) fn run(settings: &SecretSettings, args: &Args) -> Result<(), Failure> {
    let name = args.name.as_str();
    embedded::check_secret_name(name).map_err(Failure::usage)?;
    match settings.sources.get(name) {
        None | Some(Source::File) => {}
        Some(source) => return Err(super::elsewhere(name, source)),
    }
    let value = if std::io::stdin().is_terminal() {
        ask::hidden(&format!("Value of `{name}` (it is not shown):"))?
    } else {
        read()?
    };
    let existed = settings.file.set(name, &value).map_err(|error| Failure::failed(error.to_string()))?;
    let mut out = Out::new();
    out.line(&format!("{name}\t{}", if existed { "replaced" } else { "set" }))?;
    out.flush()
}

/// Reads the value from standard input, without the newline that `echo` and editors add.
fn read() -> Result<String, Failure> {
    let mut value = String::new();
    let read = std::io::stdin().lock().take(MAX_BYTES).read_to_string(&mut value);
    read.map_err(|error| Failure::usage(format!("standard input can't be read as text: {error}")))?;
    if value.ends_with('\n') {
        value.pop();
        if value.ends_with('\r') {
            value.pop();
        }
    }
    Ok(value)
}
