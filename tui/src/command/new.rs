//! `fanlight new`: a new workflow file from an example.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use crate::example;
use crate::failure::Failure;
use crate::output::Out;

/// The arguments of `new`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The file to create; an existing file is never overwritten.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The example to copy.
    #[arg(long, value_name = "EXAMPLE", default_value = "poster")]
    from: String,
}

/// Runs `new`.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let Some(example) = example::find(&args.from) else {
        let hint = match example::near_name(&args.from) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are {}", example::names()),
        };
        return Err(Failure::usage(format!("there is no example `{}`", args.from)).hint(hint));
    };
    let shown = args.file.display();
    let refused = |error: std::io::Error| match error.kind() {
        ErrorKind::AlreadyExists => {
            Failure::failed(format!("`{shown}` exists already; it was left as it is"))
                .hint("give another name, or move the old file away")
        }
        ErrorKind::NotFound => Failure::failed(format!("the folder of `{shown}` does not exist"))
            .hint("make it first, with `mkdir -p`"),
        _ => Failure::failed(format!("`{shown}` can't be written: {error}")),
    };
    let mut file = OpenOptions::new().write(true).create_new(true).open(&args.file).map_err(refused)?;
    file.write_all(example.document.as_bytes()).map_err(refused)?;
    if let Err(error) = example.write_companions(args.file.parent().unwrap_or(Path::new(""))) {
        // Without them it is of no use.
        let _ = std::fs::remove_file(&args.file);
        return Err(Failure::failed(error));
    }
    let mut out = Out::new();
    out.line(&format!("made {shown}; run it with `fanlight run {shown}`"))?;
    out.flush()
}
