//! Reconnects to the daemon, for commands that follow runs.

use std::time::Duration;

use fanlight_shared::client::Client;
use tokio::time::Instant;

use super::interrupt::Interrupt;
use crate::context::Context;
use crate::failure::Failure;

/// How many times in a row the daemon may be lost.
const MAX_TRIES: u32 = 5;
/// As above, for a daemon on another computer: a network may be away for minutes.
const MAX_REMOTE_TRIES: u32 = 11;
/// The first delay between two attempts; each later one is twice as long.
const FIRST_RETRY_DELAY: Duration = Duration::from_millis(200);
/// A connection that lasts this long resets the count.
const STABLE_AFTER: Duration = Duration::from_secs(10);

/// How often the daemon was lost.
#[derive(Debug)]
pub(super) struct Reconnects {
    tries: u32,
    connected: Instant,
}

impl Reconnects {
    /// Begins with a connection that was just made.
    pub(super) fn new() -> Self {
        Self { tries: 0, connected: Instant::now() }
    }

    /// Returns a new connection, and starts a daemon if none runs. Counts Ctrl-C meanwhile; number `leaves` ends the
    /// attempt.
    ///
    /// # Errors
    /// The daemon can't be reached, or the connection keeps breaking; the hint names how `run` is found later.
    pub(super) async fn connect(
        &mut self,
        context: &Context,
        interrupt: &mut Interrupt,
        leaves: u32,
        run: &str,
    ) -> Result<Client, Failure> {
        tokio::select! {
            found = self.try_connect(context, run) => found,
            () = interrupt.reaches(leaves) => Err(Failure::interrupted()),
        }
    }

    async fn try_connect(&mut self, context: &Context, run: &str) -> Result<Client, Failure> {
        if self.connected.elapsed() >= STABLE_AFTER {
            self.tries = 0;
        }
        let mut why = format!("it ends again and again; its log is {}", context.log());
        let tries = if context.host.is_some() { MAX_REMOTE_TRIES } else { MAX_TRIES };
        while self.tries < tries {
            if self.tries > 0 {
                tokio::time::sleep(FIRST_RETRY_DELAY * 2u32.pow(self.tries - 1)).await;
            }
            self.tries += 1;
            match context.connect().await {
                Ok(client) => {
                    self.connected = Instant::now();
                    return Ok(client);
                }
                Err(error) => why = error.message().to_owned(),
            }
        }
        Err(Failure::no_daemon(format!(
            "the connection to the daemon was lost, and {tries} attempts to reconnect failed: {why}"
        ))
        .hint(format!(
            "what was submitted is kept: `fanlight watch '{run}'` follows it once a daemon can run"
        )))
    }
}
