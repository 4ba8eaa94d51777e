//! `fanlight watch`: follows a run until it ends.

use fanlight_shared::client::Client;
use fanlight_shared::client::projection::{Projection, Row};

use super::follow::{Options, follow};
use super::followed::verdict;
use super::interrupt::Interrupt;
use super::tail::failed_commands;
use super::{find_params, find_run};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::progress::change_line;
use crate::output::style::Paint;
use crate::output::{self, Out, json};

/// The arguments of `watch`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The run.
    #[arg(value_name = "RUN")]
    run: String,
    /// Print the events as JSON, one object per line, then the run.
    #[arg(long)]
    json: bool,
    /// Exit with code 4 once the run waits for a person.
    #[arg(long)]
    no_wait: bool,
}

/// Runs `watch`. Interrupting it doesn't affect the run.
pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let context = Context::from_env()?;
    let client = context.connect().await?;
    let detail = find_run(&client, &args.run).await?;
    // The full state may be newer than the list.
    let ended = detail.run.state.is_ended() || detail.state.status.is_ended();
    let mut projection = Projection::of(vec![detail.run.clone()]);
    // With events, the output begins with a snapshot, so that it is complete.
    if !args.json || ended {
        projection.put(detail.run, detail.state);
    }
    if ended {
        if args.json {
            print(&client, &projection).await?;
        } else {
            for row in projection.rows() {
                output::note(&change_line(row, Paint::stderr()));
            }
        }
        return verdict(&projection);
    }
    let mut interrupt = Interrupt::new()?;
    let mut nothing = |_: &Client, _: Row<'_>| {};
    let options = Options {
        json: args.json,
        stream: false,
        cancels: false,
        no_wait: args.no_wait,
        search: None,
        ended: &mut nothing,
    };
    let followed = follow(&context, client, projection, &mut interrupt, options).await?;
    if args.json {
        print(&followed.client, &followed.projection).await?;
    } else {
        failed_commands(&followed.client, &followed.projection).await;
    }
    followed.verdict(&interrupt)
}

async fn print(client: &Client, projection: &Projection) -> Result<(), Failure> {
    let mut out = Out::new();
    for row in projection.rows() {
        let mut run = row.run.clone();
        find_params(client, &mut run).await?;
        json::print(&mut out, &json::run(&run))?;
    }
    out.flush()
}
