//! `fanlight cancel`: ends runs.

use std::collections::{HashMap, HashSet};

use fanlight_shared::client::projection::{Projection, Row};
use fanlight_shared::client::{Client, ClientError};
use fanlight_shared::id::RunId;
use fanlight_shared::rpc::{ErrorCode, runs, sweeps};
use fanlight_shared::run::{Run, RunStatus};

use super::choice;
use super::follow::{Options, follow};
use super::interrupt::Interrupt;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Out;
use crate::{output, text};

/// The arguments of `cancel`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The runs.
    #[arg(value_name = "RUN")]
    runs: Vec<String>,
    /// Cancel all queued runs; with `--workflow` or `--sweep`, those of one.
    #[arg(long, conflicts_with_all = ["runs", "all"])]
    queued: bool,
    /// Cancel all queued and running runs.
    #[arg(long, conflicts_with_all = ["runs", "workflow"])]
    all: bool,
    /// Cancel all queued and running runs of this workflow: its name, or the path of its file.
    #[arg(short, long, value_name = "WORKFLOW", conflicts_with = "runs")]
    workflow: Option<String>,
    /// Cancel all queued and running runs of this sweep.
    #[arg(long, value_name = "SWEEP", conflicts_with_all = ["runs", "all", "workflow"])]
    sweep: Option<String>,
    /// Wait until the runs have ended. A command has a few seconds to end by itself; then its outputs are collected.
    #[arg(long)]
    wait: bool,
}

/// Runs `cancel`.
pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    if args.runs.is_empty() && !args.queued && !args.all && args.workflow.is_none() && args.sweep.is_none() {
        return Err(Failure::usage("no run is named").hint(
            "name runs, as in `fanlight cancel poster#12`, or choose them by `--workflow`, `--sweep`, `--queued` or `--all`",
        ));
    }
    let context = Context::from_env()?;
    let client = context.connect().await?;
    let states = [RunStatus::Queued, RunStatus::Running, RunStatus::Parked, RunStatus::Cancelling];
    let states = if args.queued { &states[..1] } else { &states };
    let sweep = choice::sweep(&client, args.sweep.clone()).await?;
    // All of a sweep: its search ends too.
    let whole = sweep.clone().filter(|_| !args.queued);
    let chosen = match (&args.workflow, sweep) {
        (_, Some(sweep)) => choice::of_sweep(&client, sweep, states).await?,
        (Some(name), None) => {
            let id = choice::workflow(&client, Some(name)).await?;
            choice::all(&client, id, states).await?
        }
        (None, None) => choice::named(&client, &args.runs).await?,
    };
    let by_name = !args.all && (!args.queued || args.workflow.is_some() || args.sweep.is_some());
    let request = if whole.is_some() {
        runs::Cancel { sweep: whole.clone(), ..runs::Cancel::default() }
    } else if by_name {
        runs::Cancel { runs: chosen.iter().map(|run| run.id).collect(), ..runs::Cancel::default() }
    } else {
        runs::Cancel { queued: true, running: args.all, ..runs::Cancel::default() }
    };
    let searching = match &whole {
        Some(sweep) => client.call(sweeps::Get { sweep: sweep.clone() }).await?.sweep.search,
        None => None,
    };
    let response = cancel(&client, request).await?;
    let mut out = Out::new();
    let ended = searching.filter(|search| search.proposed < search.trials);
    if let Some(search) = ended {
        output::note(&format!("ended the search after {} of {} trials", search.proposed, search.trials));
    } else if !by_name || chosen.is_empty() {
        say_counts(&response);
    }
    let names: HashMap<RunId, String> = chosen.iter().map(|run| (run.id, run.name())).collect();
    print(&mut out, &names, &response, !args.wait)?;
    out.flush()?;
    if !args.wait {
        return Ok(());
    }
    for run in wait(&context, client, &response).await? {
        out.line(&format!("{}\t{}", run.name(), run.state.word()))?;
    }
    out.flush()
}

/// Prints what happens to each of the named runs; `running` are those that still run.
pub(super) fn print(
    out: &mut Out,
    names: &HashMap<RunId, String>,
    response: &runs::CancelResponse,
    running: bool,
) -> Result<(), Failure> {
    let mut say = |ids: &[RunId], what: &str| {
        ids.iter().filter_map(|id| names.get(id)).try_for_each(|name| out.line(&format!("{name}\t{what}")))
    };
    let cancelling: HashSet<RunId> = response.cancelling.iter().copied().collect();
    let at_once: Vec<RunId> =
        response.cancelled.iter().filter(|id| !cancelling.contains(id)).copied().collect();
    say(&at_once, "cancelled")?;
    say(&response.ended, "had ended before")?;
    if running { say(&response.cancelling, "cancelling") } else { Ok(()) }
}

/// Cancels the runs, repeating the request until every named run is covered.
pub(super) async fn cancel(client: &Client, request: runs::Cancel) -> Result<runs::CancelResponse, Failure> {
    if request.runs.len() <= runs::CANCEL_LIMIT {
        return Ok(client.call(request).await?);
    }
    let mut all = runs::CancelResponse::default();
    for some in request.runs.chunks(runs::CANCEL_LIMIT) {
        let response = client.call(runs::Cancel { runs: some.to_vec(), ..runs::Cancel::default() }).await?;
        all.cancelled.extend(response.cancelled);
        all.cancelling.extend(response.cancelling);
        all.ended.extend(response.ended);
    }
    Ok(all)
}

fn say_counts(response: &runs::CancelResponse) {
    let count = |runs: &[RunId], left: u32| runs.len() + left as usize;
    let cancelling = count(&response.cancelling, response.cancelling_left);
    let at_once = count(&response.cancelled, response.cancelled_left).saturating_sub(cancelling);
    if at_once > 0 || cancelling == 0 {
        output::note(&format!("cancelled {}", text::count(at_once, "run")));
    }
    if cancelling > 0 {
        output::note(&format!("cancelling {}", text::count(cancelling, "run")));
    }
}

/// Follows the runs that are being cancelled until they have ended. Ctrl-C stops following.
async fn wait(
    context: &Context,
    client: Client,
    response: &runs::CancelResponse,
) -> Result<Vec<Run>, Failure> {
    let listed = choice::all(&client, None, &[RunStatus::Cancelling]).await?;
    let (mut waited, ended) = split(response, listed);
    for id in ended {
        match client.call(runs::Get { run: id.to_string() }).await {
            Ok(detail) => waited.push(detail.run),
            Err(ClientError::Rpc(error)) if error.is(ErrorCode::NotFound) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let projection = Projection::of(waited);
    let mut interrupt = Interrupt::new()?;
    let mut nothing = |_: &Client, _: Row<'_>| {};
    let options = Options {
        json: false,
        stream: false,
        cancels: false,
        no_wait: false,
        search: None,
        ended: &mut nothing,
    };
    let followed = follow(context, client, projection, &mut interrupt, options).await?;
    Ok(followed.projection.rows().map(|row| row.run.clone()).collect())
}

/// Returns the runs to wait for, among all that are being cancelled, and the ids of those that have ended meanwhile. A
/// response that doesn't name all its runs is about all that are being cancelled.
fn split(response: &runs::CancelResponse, listed: Vec<Run>) -> (Vec<Run>, Vec<RunId>) {
    let named: HashSet<RunId> = response.cancelling.iter().copied().collect();
    let all = response.cancelling_left > 0;
    let waited: Vec<Run> = listed.into_iter().filter(|run| all || named.contains(&run.id)).collect();
    let open: HashSet<RunId> = waited.iter().map(|run| run.id).collect();
    let ended = response.cancelling.iter().copied().filter(|id| !open.contains(id)).collect();
    (waited, ended)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::testing::{run, run_id};

    #[test]
    fn a_wait_is_for_all_runs_even_if_the_response_names_only_some() {
        let listed = || vec![run(3, RunStatus::Cancelling), run(2, RunStatus::Cancelling)];
        let numbers = |(waited, ended): (Vec<Run>, Vec<RunId>)| {
            (waited.iter().map(|run| run.number).collect::<Vec<_>>(), ended)
        };
        let cancelling = vec![run_id(1), run_id(2)];
        let mut response = runs::CancelResponse { cancelling, ..runs::CancelResponse::default() };
        assert_eq!(numbers(split(&response, listed())), (vec![2], vec![run_id(1)]));
        response.cancelling_left = 1;
        assert_eq!(numbers(split(&response, listed())), (vec![3, 2], vec![run_id(1)]));
    }
}
