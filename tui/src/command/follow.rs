//! Follows runs until they have ended: for `run` and `watch`.

mod window;

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use fanlight_shared::client::projection::{Change, Projection, Row};
use fanlight_shared::client::{Client, ClientError, Notifications};
use fanlight_shared::id::RunId;
use fanlight_shared::rpc::sweeps::SweepState;
use fanlight_shared::rpc::watch::Notification;
use fanlight_shared::rpc::{ErrorCode, runs, sweeps};
use fanlight_shared::run::{Asks, Run, RunStatus};
use tokio::sync::watch;
use tokio::time::Instant;

use super::choice;
use super::followed::Followed;
use super::interrupt::Interrupt;
use super::reconnect::Reconnects;
use super::stream::Streamer;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::live::{Live, REDRAW_INTERVAL};
use crate::output::{Out, json, question, silence};
use window::REWATCH_DELAY;

/// How often the state of a search is read while none of its runs is open.
const SEARCH_INTERVAL: Duration = Duration::from_millis(500);

/// How runs are followed.
pub(super) struct Options<'a> {
    /// Prints the events on stdout, a line each, instead of progress on stderr.
    pub(super) json: bool,
    /// Prints the text that the nodes of the run write, for one run.
    pub(super) stream: bool,
    /// The first Ctrl-C cancels the runs; else it only ends the following.
    pub(super) cancels: bool,
    /// Stops following once every open run waits for a person.
    pub(super) no_wait: bool,
    /// The sweep whose search proposes further runs, which are followed too.
    pub(super) search: Option<String>,
    /// Called once for each ended run, with its complete state.
    pub(super) ended: &'a mut dyn FnMut(&Client, Row<'_>),
}

/// Follows the runs of a projection until all have ended.
pub(super) async fn follow<'a>(
    context: &'a Context,
    client: Client,
    mut projection: Projection,
    interrupt: &mut Interrupt,
    options: Options<'a>,
) -> Result<Followed, Failure> {
    // Connecting has printed the banners already.
    projection.connected(client.hello());
    let notifications = take_notifications(&client)?;
    // On one terminal, a picture that is redrawn would cover the text.
    let live = if options.stream { Live::lines() } else { Live::new(options.json) };
    let streamer = projection.rows().next().filter(|_| options.stream).map(|row| Streamer::new(row.run.id));
    let out = options.json.then(Out::new);
    let silence = watched(&client);
    let mut follower = Follower {
        context,
        client,
        notifications,
        silence,
        projection,
        live,
        out,
        streamer,
        after_stream: Vec::new(),
        options,
        watched: HashSet::new(),
        asked: HashMap::new(),
        settled: HashSet::new(),
        deleted: Vec::new(),
        rewatch_at: None,
        reconnects: Reconnects::new(),
    };
    follower.watch().await?;
    follower.run(interrupt).await?;
    follower.live.draw_now(&follower.projection);
    let Follower { projection, client, deleted, .. } = follower;
    Ok(Followed { projection, client, deleted, pruned: 0 })
}

/// Returns the notifications of a connection that nobody watches yet.
pub(super) fn take_notifications(client: &Client) -> Result<Notifications, Failure> {
    client.notifications().ok_or_else(|| Failure::failed("this connection is watched already"))
}

/// Notices from now on if the daemon doesn't respond, although only events are expected of it.
fn watched(client: &Client) -> watch::Receiver<Option<Instant>> {
    client.expect_events(true);
    client.silence()
}

struct Follower<'a> {
    context: &'a Context,
    client: Client,
    notifications: Notifications,
    /// Since when the daemon hasn't responded, while it doesn't.
    silence: watch::Receiver<Option<Instant>>,
    projection: Projection,
    live: Live,
    out: Option<Out>,
    streamer: Option<Streamer>,
    /// Ended runs whose line is printed behind the text of their nodes.
    after_stream: Vec<RunId>,
    options: Options<'a>,
    /// Whose telemetry comes.
    watched: HashSet<RunId>,
    /// The questions that were printed.
    asked: HashMap<RunId, Asks>,
    /// Ended runs that were passed to `ended`.
    settled: HashSet<RunId>,
    /// The names of the runs that were deleted without having been seen to complete.
    deleted: Vec<String>,
    /// When to move the window, if it has to move.
    rewatch_at: Option<Instant>,
    reconnects: Reconnects,
}

impl Follower<'_> {
    async fn run(&mut self, interrupt: &mut Interrupt) -> Result<(), Failure> {
        if interrupt.received() {
            self.cancel()?;
        }
        if self.live.is_in_place() {
            silence::take_over();
        }
        let mut redraw = tokio::time::interval(REDRAW_INTERVAL);
        redraw.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            if !self.read_missing().await? || !self.settle().await? || !self.stream().await? {
                self.reconnect(interrupt).await?;
                continue;
            }
            self.say_questions();
            let over = self.projection.is_over();
            if over && self.awaits_search().await? {
                // Its next run is on the way.
            } else if over || self.options.no_wait && self.is_parked() || self.is_held() {
                return Ok(());
            }
            let waits = over && self.options.search.is_some();
            let rewatch_at = self.rewatch_at.unwrap_or_else(Instant::now);
            tokio::select! {
                Ok(()) = self.silence.changed() => {
                    let silent = self.silence.borrow_and_update().is_some();
                    if self.live.is_in_place() {
                        self.live.say(silence::sentence(silent));
                    }
                }
                notification = self.notifications.recv() => match notification {
                    Some(notification) => self.take_all(notification)?,
                    None => self.reconnect(interrupt).await?,
                },
                count = interrupt.next() => {
                    if count > 1 || !self.options.cancels {
                        return Err(Failure::interrupted());
                    }
                    self.cancel()?;
                }
                () = tokio::time::sleep_until(rewatch_at), if self.rewatch_at.is_some() => self.watch().await?,
                () = tokio::time::sleep(SEARCH_INTERVAL), if waits => {}
                _ = redraw.tick(), if self.live.is_in_place() => self.live.draw_now(&self.projection),
            }
        }
    }

    /// Applies a notification and all that are queued behind it, then shows the result.
    fn take_all(&mut self, first: Notification) -> Result<(), Failure> {
        let mut next = Some(first);
        while let Some(notification) = next {
            self.take(notification)?;
            next = self.notifications.try_recv();
        }
        self.live.draw(&self.projection);
        if let Some(out) = &mut self.out {
            out.flush()?;
        }
        Ok(())
    }

    fn take(&mut self, mut notification: Notification) -> Result<(), Failure> {
        // A snapshot of the registry isn't about one run.
        let printed = self.out.is_some() && !matches!(notification, Notification::Registry { .. });
        let line = printed.then(|| json::line(&notification)).transpose()?;
        let mut ours = false;
        for change in self.projection.apply(&mut notification) {
            match change {
                Change::Updated(_) => ours = true,
                Change::Moved(id) => {
                    ours = true;
                    self.moved(id);
                }
                Change::Gap(_) => {
                    self.rewatch_at.get_or_insert_with(|| Instant::now() + REWATCH_DELAY);
                }
                Change::Deleted(run) => self.was_deleted(&run),
                Change::Banners => self.live.banners(&self.projection),
                Change::Bye { reason, home_gone } => return Err(self.bye(&reason, home_gone)),
            }
        }
        match (&mut self.out, line) {
            (Some(out), Some(line)) if ours => out.json(&line),
            _ => Ok(()),
        }
    }

    /// Prints what nodes have written. Returns `false` if the connection was lost.
    async fn stream(&mut self) -> Result<bool, Failure> {
        let Some(streamer) = &mut self.streamer else { return Ok(true) };
        if let Some(state) = self.projection.rows().next().and_then(|row| row.state)
            && !streamer.advance(&self.client, state).await?
        {
            return Ok(false);
        }
        for id in std::mem::take(&mut self.after_stream) {
            self.live.moved(&self.projection, id);
        }
        Ok(true)
    }

    fn moved(&mut self, id: RunId) {
        let ended = self.projection.row(id).is_some_and(|row| row.run.state.is_ended());
        if ended && self.streamer.is_some() {
            // Its last text is still to come, and stdout may be the same terminal.
            self.after_stream.push(id);
        } else {
            self.live.moved(&self.projection, id);
        }
        self.consider_window(id);
    }

    fn was_deleted(&mut self, run: &Run) {
        self.live.say(&format!("{} was deleted", run.name()));
        if run.state != RunStatus::Completed || !self.settled.contains(&run.id) {
            self.deleted.push(run.name());
        }
    }

    /// Reads runs that no notification mentioned. Returns `false` if the connection was lost.
    async fn read_missing(&mut self) -> Result<bool, Failure> {
        let missing: Vec<RunId> = self.projection.missing().collect();
        for id in missing {
            let detail = self.client.call(runs::Get { run: id.to_string() }).await;
            if !self.put(id, detail)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Applies the daemon's state of a run. Returns `false` if the connection was lost.
    fn put(&mut self, id: RunId, detail: Result<runs::Detail, ClientError>) -> Result<bool, Failure> {
        match detail {
            Ok(detail) => {
                if let Some(Change::Moved(id)) = self.projection.put(detail.run, detail.state) {
                    self.moved(id);
                }
            }
            Err(ClientError::Rpc(error)) if error.is(ErrorCode::NotFound) => {
                if let Some(run) = self.projection.remove(id) {
                    self.was_deleted(&run);
                }
            }
            Err(ClientError::Disconnected(_)) => return Ok(false),
            Err(error) => return Err(error.into()),
        }
        Ok(true)
    }

    /// Prints each question of a run once, with the command that answers it.
    fn say_questions(&mut self) {
        let same = |one: &Asks, other: &Asks| {
            (&one.node, one.item, &one.text) == (&other.node, other.item, &other.text)
        };
        let mut said = Vec::new();
        for row in self.projection.rows() {
            let Some(asks) = &row.run.asks else { continue };
            // The full question follows in a moment.
            let incomplete = row.state.is_none() && self.watched.contains(&row.run.id);
            if !incomplete && !self.asked.get(&row.run.id).is_some_and(|known| same(known, asks)) {
                said.push((row.run.id, (**asks).clone(), question::asks(row.run, asks, row.state)));
            }
        }
        for (run, asks, lines) in said {
            lines.iter().for_each(|line| self.live.say(line));
            self.asked.insert(run, asks);
        }
    }

    /// Returns whether every open run waits for a person, and that has been printed.
    fn is_parked(&self) -> bool {
        let waits = |row: Row<'_>| row.run.state == RunStatus::Parked && row.run.asks.is_some();
        let open = |row: &Row<'_>| !row.run.state.is_ended();
        self.projection.rows().filter(open).all(|row| waits(row) && self.asked.contains_key(&row.run.id))
    }

    /// Returns whether the search proposes further runs. Those that no notification mentioned are followed from then on.
    async fn awaits_search(&mut self) -> Result<bool, Failure> {
        let Some(name) = self.options.search.clone() else { return Ok(false) };
        let sweep = match self.client.call(sweeps::Get { sweep: name.clone() }).await {
            Ok(detail) => detail.sweep,
            Err(ClientError::Rpc(error)) if error.is(ErrorCode::NotFound) => return Ok(false),
            // The loop notices the end of the connection.
            Err(ClientError::Disconnected(_)) => return Ok(true),
            Err(error) => return Err(error.into()),
        };
        if sweep.runs.all() as usize > self.projection.rows().count() {
            match choice::of_sweep(&self.client, name, &[]).await {
                Ok(runs) => self.projection.add(runs),
                Err(_) => return Ok(true),
            }
        }
        let paused = sweep.paused.is_some_and(|pause| pause.is_limit());
        Ok(!self.projection.is_over() || sweep.state != SweepState::Ended && !paused)
    }

    /// Returns whether every open run waits in a sweep that a limit has paused.
    fn is_held(&self) -> bool {
        let mut open = self.projection.rows().filter(|row| !row.run.state.is_ended());
        open.all(|row| {
            row.run.state == RunStatus::Queued
                && self.projection.pause(row.run).is_some_and(|pause| pause.is_limit())
        })
    }

    /// Returns the name of the first run that has not ended.
    fn open_run(&self) -> String {
        let open = self.projection.rows().find(|row| !row.run.state.is_ended());
        open.map(|row| row.run.name()).unwrap_or_default()
    }

    fn bye(&self, reason: &str, home_gone: bool) -> Failure {
        let failure = Failure::no_daemon(format!("the daemon ended ({reason}) before the runs did"));
        if home_gone {
            return failure.hint("they are gone with their home");
        }
        let name = self.open_run();
        failure.hint(format!(
            "they continue with the next daemon: `fanlight watch '{name}'` starts one and follows them"
        ))
    }

    /// Passes each ended run on once, with its complete state. Returns `false` if the connection was lost.
    async fn settle(&mut self) -> Result<bool, Failure> {
        let ended: Vec<RunId> = self
            .projection
            .rows()
            .filter(|row| row.run.state.is_ended() && !self.settled.contains(&row.run.id))
            .map(|row| row.run.id)
            .collect();
        for id in ended {
            let whole = |row: Row<'_>| row.state.is_some_and(|state| state.status.is_ended());
            if !self.projection.row(id).is_some_and(whole) {
                let detail = self.client.run(&id.to_string()).await;
                if !self.put(id, detail)? {
                    return Ok(false);
                }
            }
            self.settled.insert(id);
            if let Some(row) = self.projection.row(id) {
                (self.options.ended)(&self.client, row);
            }
        }
        Ok(true)
    }

    fn cancel(&mut self) -> Result<(), Failure> {
        self.live.say("cancelling what was started; Ctrl-C again leaves at once");
        let open: Vec<RunId> =
            self.projection.rows().filter(|row| !row.run.state.is_ended()).map(|row| row.run.id).collect();
        // With the whole sweep its search ends.
        let sweep = self.options.search.clone();
        let open = if sweep.is_some() { Vec::new() } else { open };
        let client = self.client.clone();
        // Not awaited, so that the next Ctrl-C is noticed. The result arrives as events.
        tokio::spawn(async move {
            let _ = client.call(runs::Cancel { runs: open, sweep, ..runs::Cancel::default() }).await;
        });
        Ok(())
    }

    /// Reconnects to the daemon and continues from the state of the projection.
    async fn reconnect(&mut self, interrupt: &mut Interrupt) -> Result<(), Failure> {
        self.live.say("the connection to the daemon was lost; connecting again");
        let leaves = if self.options.cancels { 2 } else { 1 };
        let open = self.open_run();
        self.client = self.reconnects.connect(self.context, interrupt, leaves, &open).await?;
        self.notifications = take_notifications(&self.client)?;
        self.silence = watched(&self.client);
        self.projection.connected(self.client.hello());
        self.watch().await?;
        // The previous daemon may not have received it.
        if interrupt.received() {
            self.cancel()?;
        }
        Ok(())
    }
}
