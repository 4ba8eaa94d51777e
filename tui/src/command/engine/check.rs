//! `fanlight engine check`

use std::time::Duration;

use fanlight_shared::rpc::engines::{CHECK_SECONDS, Check, List, MAX_CHECK_SECONDS, Step, StepResult};
use fanlight_shared::sanitise;
use fanlight_shared::time::{human_duration, read_duration};

use crate::context::Context;
use crate::failure::Failure;
use crate::output::style::{Paint, Role};
use crate::output::{self, Out, json};

/// The arguments of `engine check`.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// The engine: its name in the config.
    #[arg(value_name = "NAME")]
    name: String,
    /// Ask for a GPU too.
    #[arg(long)]
    gpu: bool,
    /// How long the jobs may take, with the time that they wait in the queue of the cluster: `2m` by default.
    #[arg(long, value_name = "DURATION", value_parser = seconds)]
    timeout: Option<u32>,
    /// Print JSON, one object per step.
    #[arg(long)]
    json: bool,
}

/// Runs `engine check`. It fails if a step does.
pub(super) async fn run(args: Args) -> Result<(), Failure> {
    let client = Context::from_env()?.connect().await?;
    // The daemon says why it checks none of another name.
    let is_known = client.call(List {}).await?.engines.iter().any(|it| it.engine == args.name);
    if is_known && !args.json {
        let seconds = args.timeout.unwrap_or(CHECK_SECONDS);
        let limit = human_duration(Duration::from_secs(u64::from(seconds)));
        output::note(&format!("checking `{}`; its jobs may take {limit}", sanitise::line(&args.name)));
    }
    let check = Check { engine: args.name, gpu: args.gpu, seconds: args.timeout };
    let steps = client.call(check).await?.steps;
    let mut out = Out::new();
    for step in &steps {
        if args.json {
            json::print(&mut out, step)?;
        } else {
            print(&mut out, step)?;
        }
    }
    out.flush()?;
    let failed = steps.iter().any(|step| step.result == StepResult::Failed);
    if failed { Err(Failure::run_failed()) } else { Ok(()) }
}

fn print(out: &mut Out, step: &Step) -> Result<(), Failure> {
    let paint = Paint::stdout();
    let (glyph, role) = match step.result {
        StepResult::Ok => ("✓", Role::Completed),
        StepResult::Failed => ("✗", Role::Failed),
        StepResult::Skipped => ("–", Role::Dim),
    };
    let name = format!("{:<10}", sanitise::line(&step.step));
    let message = sanitise::line(&step.message);
    out.line(&format!("{} {} {message}", paint.apply(role, glyph), paint.apply(Role::Strong, &name)))?;
    match &step.hint {
        Some(hint) => out.line(&format!("  {:<10} hint: {}", "", sanitise::line(hint))),
        None => Ok(()),
    }
}

/// Reads how long a check may take, in seconds.
fn seconds(text: &str) -> Result<u32, String> {
    let seconds = u32::try_from(read_duration(text)?.as_secs()).unwrap_or(u32::MAX);
    let wrong = || "a check takes from `1s` to `1h`".to_owned();
    Some(seconds).filter(|it| (1..=MAX_CHECK_SECONDS).contains(it)).ok_or_else(wrong)
}
