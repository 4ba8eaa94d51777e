//! `fanlight plugin test`: tries a plugin as its author wants to know it.

use std::path::PathBuf;
use std::time::Duration;

use fanlight_shared::sanitise;
use fanlight_shared::time::{human_duration, read_duration};
use serde::Serialize;

use crate::context::Context;
use crate::embedded::{self, Check, ManifestFile, Verdict};
use crate::failure::Failure;
use crate::output::style::{Paint, Role};
use crate::output::{Out, json};

/// The arguments of `plugin test`.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// The folder with its `plugin.toml`.
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
    /// How long an execution may take.
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = read_duration)]
    timeout: Duration,
    /// Print JSON, one object per line.
    #[arg(long)]
    json: bool,
}

/// A check in JSON.
#[derive(Serialize)]
struct Line<'a> {
    check: &'a str,
    result: &'static str,
    text: &'a str,
    seconds: f64,
}

/// Runs `plugin test`.
pub(super) async fn run(args: Args) -> Result<(), Failure> {
    let file = ManifestFile::read(&args.folder).map_err(Failure::usage)?;
    let scratch = tempfile::Builder::new().prefix("fl").tempdir();
    let scratch =
        scratch.map_err(|error| Failure::failed(format!("no temporary folder can be made: {error}")))?;
    let settings = embedded::trial_settings(&Context::from_env()?.home, scratch.path(), args.timeout)?;
    let (mut out, mut faults) = (Out::new(), 0);
    let mut printed = Ok(());
    let trying = embedded::trial(file, settings, |check| {
        faults += u32::from(matches!(check.verdict, Verdict::Fault(_)));
        if printed.is_ok() {
            printed = print(&mut out, &check, args.json);
        }
    });
    tokio::select! {
        tried = trying => tried.map_err(Failure::failed)?,
        // Its processes end with this one.
        _ = tokio::signal::ctrl_c() => return Err(Failure::interrupted()),
    }
    printed?;
    match faults {
        0 => Ok(()),
        1 => Err(Failure::failed("the plugin has 1 fault")),
        _ => Err(Failure::failed(format!("the plugin has {faults} faults"))),
    }
}

fn print(out: &mut Out, check: &Check, as_json: bool) -> Result<(), Failure> {
    let (glyph, role, result, text) = match &check.verdict {
        Verdict::Right(text) => ("✓", Role::Completed, "right", text),
        Verdict::Skipped(text) => ("–", Role::Dim, "skipped", text),
        Verdict::Fault(text) => ("✗", Role::Failed, "fault", text),
    };
    if as_json {
        let seconds = check.took.as_secs_f64();
        json::print(out, &Line { check: &check.what, result, text, seconds })?;
    } else {
        let glyph = Paint::stdout().apply(role, glyph);
        let took = human_duration(check.took);
        out.line(&format!("{glyph} {}: {} ({took})", check.what, sanitise::line(text)))?;
    }
    // Each is seen when it is done.
    out.flush()
}
