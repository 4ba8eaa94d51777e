//! `fanlight import`: adds the runs of an archive to this home.

use std::io::{IsTerminal as _, Read as _, Write as _};
use std::path::{Path, PathBuf};

use fanlight_shared::rpc::runs;
use fanlight_shared::sanitise;

use crate::context::Context;
use crate::failure::Failure;
use crate::host::Host;
use crate::output::amount::Amount;
use crate::output::{self, Out, json};
use crate::text;

/// The arguments of `import`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// An archive that `fanlight export` wrote; `-` is stdin.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Runs `import`.
pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let context = Context::from_env()?;
    if let Some(host) = &context.host {
        return Err(is_here(host, &args.file));
    }
    let copy = if args.file == Path::new("-") { Some(from_stdin()?) } else { None };
    let path = copy.as_ref().map_or(args.file.as_path(), tempfile::NamedTempFile::path);
    let path = absolute(path)?;
    let client = context.connect().await?;
    let imported = client.call(runs::Import { path }).await?;
    let mut out = Out::new();
    if args.json {
        json::print(&mut out, &imported)?;
        return out.flush();
    }
    print(&mut out, &imported)?;
    out.flush()?;
    say(&imported);
    Ok(())
}

/// Returns the error of an archive of this computer, which the daemon on another one can't read.
fn is_here(host: &Host, file: &Path) -> Failure {
    let shown = sanitise::line(&file.to_string_lossy());
    let (what, file) = match shown.as_str() {
        "-" => ("stdin".to_owned(), "FILE"),
        shown => (format!("`{shown}`"), shown),
    };
    let line = host.shell_line(["import", "-"]).ok();
    Failure::usage(format!("{what} is on this computer, where the daemon on `{}` can't read it", host.name()))
        .maybe_hint(line.map(|line| format!("`{line} < {file}` imports it there")))
}

fn print(out: &mut Out, imported: &runs::Imported) -> Result<(), Failure> {
    for run in &imported.runs {
        out.line(&format!("{}\timported", sanitise::line(&run.name)))?;
    }
    for name in &imported.known {
        out.line(&format!("{}\talready there", sanitise::line(name)))?;
    }
    for name in &imported.left_out {
        out.line(&format!("{}\tleft out", sanitise::line(name)))?;
    }
    Ok(())
}

fn say(imported: &runs::Imported) {
    let names = imported.runs.iter().map(|run| (&run.was, &run.name));
    let names = names.chain(imported.renamed_sweeps.iter().map(|sweep| (&sweep.was, &sweep.name)));
    for (was, name) in names.filter(|(was, name)| was != name) {
        output::note(&format!("{} is {} here", sanitise::line(was), sanitise::line(name)));
    }
    let count = |number: u64, noun: &str| text::count(usize::try_from(number).unwrap_or(usize::MAX), noun);
    let runs::Imported { count: new, known_count: known, left_out_count: left_out, assets, .. } = *imported;
    let there = if known == 1 { "was there already" } else { "were there already" };
    if left_out > 0 {
        let were = if left_out == 1 { "was" } else { "were" };
        output::note(&format!(
            "{} {were} left out: deleted here, while their assets stayed; `fanlight assets rm` deletes these, and then the \
             archive can be imported again",
            count(left_out, "run")
        ));
    }
    output::note(&match (new, known) {
        (0, 0) => "nothing is new".to_owned(),
        (0, known) => format!("nothing is new: {} {there}", count(known, "run")),
        (new, 0) => format!("imported {} with {}", count(new, "run"), count(assets, "asset")),
        (new, known) => format!(
            "imported {} with {}; {} {there}",
            count(new, "run"),
            count(assets, "asset"),
            count(known, "run")
        ),
    });
}

/// Copies stdin to a temporary file, which the daemon reads.
fn from_stdin() -> Result<tempfile::NamedTempFile, Failure> {
    let mut stdin = std::io::stdin().lock();
    if stdin.is_terminal() {
        return Err(Failure::usage("an archive is not read from a terminal").hint("name a file, or pipe it"));
    }
    let failed = |error: std::io::Error| Failure::failed(format!("stdin can't be copied: {error}"));
    let mut copy = tempfile::NamedTempFile::new().map_err(failed)?;
    let (mut amount, mut part) = (Amount::new("read"), vec![0; 256 << 10]);
    loop {
        let read = stdin.read(&mut part).map_err(failed)?;
        if read == 0 {
            return Ok(copy);
        }
        copy.write_all(&part[..read]).map_err(failed)?;
        amount.add(read as u64);
    }
}

/// Returns the absolute path of a file.
fn absolute(path: &Path) -> Result<String, Failure> {
    let shown = sanitise::line(&path.to_string_lossy());
    let path = std::path::absolute(path).map_err(|error| Failure::usage(format!("`{shown}`: {error}")))?;
    let path = path.into_os_string().into_string();
    path.map_err(|_| Failure::usage(format!("the path `{shown}` is not UTF-8")))
}
