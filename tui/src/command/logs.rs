//! `fanlight logs`: what the commands of a run wrote.

mod reader;

use std::str::FromStr as _;

use fanlight_shared::client::projection::{Change, Projection};
use fanlight_shared::client::{Client, ClientError, Notifications};
use fanlight_shared::id::RunId;
use fanlight_shared::item::ItemPath;
use fanlight_shared::problem::no_node;
use fanlight_shared::rpc::watch::{Notification, TelemetryOf, Watch};
use fanlight_shared::run::{NodeStatus, Run, RunStatus};
use fanlight_shared::run_state::{InstanceState, RunState};
use fanlight_shared::sanitise;

use super::follow::take_notifications;
use super::interrupt::Interrupt;
use super::reconnect::Reconnects;
use super::{find_items, find_run};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{self, Out};
use reader::{Place, Readers};

/// The arguments of `logs`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The run.
    #[arg(value_name = "RUN")]
    run: String,
    /// Only this node; `node[3]` is one of its items.
    #[arg(value_name = "NODE")]
    node: Option<String>,
    /// Follow the logs until the run ends.
    #[arg(short, long)]
    follow: bool,
    /// Only failed nodes.
    #[arg(long)]
    failed: bool,
    /// Also print the reasoning of the nodes.
    #[arg(long)]
    reasoning: bool,
    /// Keep escape sequences; only if the output is a pipe or file.
    #[arg(long)]
    raw: bool,
}

/// Which logs to print.
struct PictureRequest {
    node: Option<(String, ItemPath)>,
    failed: bool,
}

impl PictureRequest {
    fn new(args: &Args, state: &RunState) -> Result<Self, Failure> {
        let node = match &args.node {
            None => None,
            Some(text) => Some(parse_node(text, state)?),
        };
        Ok(Self { node, failed: args.failed })
    }

    /// Returns the places whose log is wanted and may be there: those whose attempt left the daemon's process.
    fn places(&self, state: &RunState) -> Vec<Place> {
        let mut places = Vec::new();
        for (name, node) in &state.nodes {
            let items = node.items.iter().map(|(index, item)| (ItemPath::item(*index), item));
            for (item, instance) in std::iter::once((ItemPath::WHOLE, &node.whole)).chain(items) {
                if self.takes(name, item, instance) {
                    places.push(Place {
                        node: name.clone(),
                        item,
                        attempt: instance.attempt(),
                        log_end: instance.log_end,
                        ended: instance.status.is_ended(),
                    });
                }
            }
        }
        places
    }

    fn takes(&self, name: &str, item: ItemPath, instance: &InstanceState) -> bool {
        let named = match &self.node {
            None => true,
            Some((node, ItemPath::WHOLE)) => node == name,
            Some((node, one)) => node == name && *one == item,
        };
        let left = instance.attempts.last().is_some_and(|attempt| attempt.id.is_some());
        named && left && (!self.failed || instance.status == NodeStatus::Failed)
    }
}

/// Returns why a node, or an item of it, has no log.
fn no_log(shown: &str, wanted: &PictureRequest, state: &RunState) -> String {
    let shown = sanitise::line(shown);
    let named = wanted.node.as_ref().and_then(|(name, item)| Some((state.nodes.get(name)?, *item)));
    let instance = named.and_then(|(node, item)| match item.0 {
        None => Some(&node.whole),
        Some(index) => node.items.get(&index),
    });
    match instance {
        Some(instance) if instance.status == NodeStatus::Skipped => {
            let why = instance.error.as_ref().map(|error| format!(": {}", sanitise::line(&error.message)));
            format!("`{shown}` was skipped{}", why.unwrap_or_default())
        }
        Some(instance) if instance.status == NodeStatus::Cached => {
            format!("`{shown}` reused a result and did not run")
        }
        Some(instance) if instance.started_at().is_some() => format!("`{shown}` wrote no log"),
        _ => format!("`{shown}` has not run"),
    }
}

fn parse_node(text: &str, state: &RunState) -> Result<(String, ItemPath), Failure> {
    let (name, item) = match text.find('[') {
        Some(at) => (&text[..at], ItemPath::from_str(&text[at..]).map_err(Failure::usage)?),
        None => (text, ItemPath::WHOLE),
    };
    if state.nodes.contains_key(name) {
        return Ok((name.to_owned(), item));
    }
    let known = || state.nodes.keys().map(String::as_str);
    let (message, hint) = no_node("the run", name, known());
    let hint = hint.unwrap_or_else(|| format!("it has {}", known().collect::<Vec<_>>().join(", ")));
    Err(Failure::usage(message).hint(hint))
}

/// Runs `logs`.
pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let mut out = Out::new();
    if args.raw && out.is_terminal() {
        return Err(Failure::usage("`--raw` writes whatever the command wrote, which may harm a terminal")
            .hint("send it into a pipe or a file"));
    }
    let context = Context::from_env()?;
    let client = context.connect().await?;
    let mut detail = find_run(&client, &args.run).await?;
    let follow = args.follow && !detail.run.state.is_ended();
    if !follow {
        find_items(&client, &mut detail).await?;
    }
    let wanted = PictureRequest::new(&args, &detail.state)?;
    let places = wanted.places(&detail.state);
    let prefixed = places.len() > 1 || follow && wanted.node.is_none();
    let mut readers = Readers::new(client.clone(), detail.run.id, prefixed, args.raw, args.reasoning);
    let mut whole = true;
    for place in &places {
        whole = whole && readers.read(place, &mut out).await?;
    }
    out.flush()?;
    if follow {
        let following = Following::new(&context, client, detail.run.clone(), detail.state.clone(), &wanted)?;
        following.follow(&mut readers, &mut out).await?;
    } else if !whole {
        return Err(Failure::no_daemon("the connection to the daemon was lost before all was read"));
    }
    readers.finish(&mut out)?;
    out.flush()?;
    if readers.found_nothing() {
        let name = detail.run.name();
        output::note(&match (&args.node, args.failed, detail.run.state) {
            (_, _, RunStatus::Queued) => format!("{name} is queued: nothing of it has run yet"),
            (_, true, _) => "no failed node has a log".to_owned(),
            (Some(node), ..) if follow || !places.is_empty() => {
                format!("`{}` wrote nothing", sanitise::line(node))
            }
            (Some(node), ..) => no_log(node, &wanted, &detail.state),
            (None, _, RunStatus::Running) => "nothing has written a log yet".to_owned(),
            (None, ..) => format!("no node of {name} wrote a log"),
        });
    }
    Ok(())
}

/// Reads the logs whenever they grow, until the run has ended.
struct Following<'a> {
    context: &'a Context,
    run: RunId,
    /// `poster#12`
    name: String,
    projection: Projection,
    wanted: &'a PictureRequest,
    client: Client,
    notifications: Notifications,
    reconnects: Reconnects,
}

impl<'a> Following<'a> {
    fn new(
        context: &'a Context,
        client: Client,
        run: Run,
        state: RunState,
        wanted: &'a PictureRequest,
    ) -> Result<Self, Failure> {
        let notifications = take_notifications(&client)?;
        let reconnects = Reconnects::new();
        let (id, name) = (run.id, run.name());
        let mut projection = Projection::of(vec![run.clone()]);
        projection.put(run, state);
        Ok(Self { context, run: id, name, projection, wanted, client, notifications, reconnects })
    }

    async fn follow(mut self, readers: &mut Readers, out: &mut Out) -> Result<(), Failure> {
        let mut interrupt = Interrupt::new()?;
        let mut connected = self.watch().await?;
        loop {
            if connected {
                connected = self.read(readers, out).await?;
                out.flush()?;
            }
            if !connected {
                output::note("the connection to the daemon was lost; connecting again");
                self.client = self.reconnects.connect(self.context, &mut interrupt, 1, &self.name).await?;
                self.notifications = take_notifications(&self.client)?;
                readers.reconnect(self.client.clone());
                connected = self.watch().await?;
                continue;
            }
            if self.projection.is_over() {
                return Ok(());
            }
            tokio::select! {
                notification = self.notifications.recv() => connected = self.take(notification).await?,
                _ = interrupt.next() => return Err(Failure::interrupted()),
            }
        }
    }

    /// Subscribes to the run's telemetry, from the last known event. Returns `false` if the connection was lost.
    async fn watch(&self) -> Result<bool, Failure> {
        self.client.expect_events(true);
        let telemetry = vec![TelemetryOf { run_id: self.run, seq: None }];
        match self.client.call(self.projection.resume(Watch { telemetry, ..Watch::default() })).await {
            Ok(_) => Ok(true),
            Err(ClientError::Disconnected(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Reads the logs that grew. Returns `false` if the connection was lost.
    async fn read(&self, readers: &mut Readers, out: &mut Out) -> Result<bool, Failure> {
        let Some((_, state)) = self.projection.watched(self.run) else { return Ok(true) };
        for place in self.wanted.places(state) {
            if readers.is_behind(&place) && !readers.read(&place, out).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Handles a notification. Returns `false` if the connection was lost.
    async fn take(&mut self, notification: Option<Notification>) -> Result<bool, Failure> {
        let Some(mut notification) = notification else { return Ok(false) };
        let mut connected = true;
        for change in self.projection.apply(&mut notification) {
            match change {
                Change::Gap(_) => connected = self.watch().await?,
                Change::Bye { reason, home_gone } => {
                    let ended = Failure::no_daemon(format!("the daemon ended ({reason}) before the run did"));
                    if home_gone {
                        return Err(ended.hint("it is gone with its home"));
                    }
                    let name = &self.name;
                    let hint =
                        format!("it continues with the next daemon: `fanlight logs '{name}' --follow`");
                    return Err(ended.hint(hint));
                }
                Change::Updated(_) | Change::Moved(_) | Change::Deleted(_) | Change::Banners => {}
            }
        }
        Ok(connected)
    }
}

#[cfg(test)]
mod tests {
    use fanlight_shared::id::AttemptId;
    use fanlight_shared::run_state::Attempt;
    use fanlight_shared::time::Time;

    use super::*;

    fn tried(id: Option<AttemptId>) -> InstanceState {
        let attempt = Attempt { id, ..Attempt::new(1, Time(0)) };
        InstanceState { attempts: vec![attempt], ..InstanceState::default() }
    }

    #[test]
    fn no_log_is_requested_for_a_node_that_ran_in_the_daemon() {
        let mut state = RunState::new(["each"]);
        state.nodes["each"].items = [(0, tried(None)), (1, tried(Some(AttemptId::new())))].into();
        let places = PictureRequest { node: None, failed: false }.places(&state);
        assert_eq!(places.iter().map(|place| place.item).collect::<Vec<_>>(), [ItemPath::item(1)]);
    }
}
