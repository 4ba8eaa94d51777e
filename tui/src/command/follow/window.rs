//! The window of runs whose telemetry is read, where more are followed than a client may watch.

use std::time::Duration;

use fanlight_shared::client::ClientError;
use fanlight_shared::client::projection::Row;
use fanlight_shared::id::RunId;
use fanlight_shared::rpc::watch::{TELEMETRY_LIMIT, TelemetryOf, Watch};
use fanlight_shared::rpc::{ErrorCode, runs};
use fanlight_shared::run::RunStatus;
use tokio::time::Instant;

use super::Follower;
use crate::failure::Failure;

/// The minimum time between two changes of the subscription.
pub(super) const REWATCH_DELAY: Duration = Duration::from_millis(200);

impl Follower<'_> {
    /// Moves the window if an active run is outside of it, or half of it has ended.
    pub(super) fn consider_window(&mut self, moved: RunId) {
        let outside = !self.watched.contains(&moved);
        let active = self.projection.row(moved).is_some_and(|row| row.run.state.is_active());
        let open = |row: &Row<'_>| !row.run.state.is_ended();
        let watched_open =
            self.projection.rows().filter(open).filter(|row| self.watched.contains(&row.run.id)).count();
        let all_open = self.projection.rows().filter(open).count();
        let half_empty = watched_open < TELEMETRY_LIMIT / 2 && watched_open < all_open;
        if outside && active || half_empty {
            self.rewatch_at.get_or_insert_with(|| Instant::now() + REWATCH_DELAY);
        }
    }

    /// Subscribes to the registry and to the telemetry of active runs, then of parked ones and of those next in the
    /// queue, up to the limit. Of the other runs the state is known.
    pub(super) async fn watch(&mut self) -> Result<(), Failure> {
        self.rewatch_at = None;
        let with = |test: fn(RunStatus) -> bool| {
            self.projection.rows().filter(move |row| test(row.run.state)).collect::<Vec<_>>()
        };
        let mut window = with(RunStatus::is_active);
        window.extend(with(|status| status == RunStatus::Parked));
        window.extend(with(|status| status == RunStatus::Queued));
        window.truncate(TELEMETRY_LIMIT);
        let telemetry: Vec<TelemetryOf> =
            window.iter().map(|row| TelemetryOf { run_id: row.run.id, seq: None }).collect();
        self.watched = telemetry.iter().map(|of| of.run_id).collect();
        let watch = Watch { registry: true, telemetry, ..Watch::default() };
        match self.client.call(self.projection.resume(watch)).await {
            Ok(_) => Ok(()),
            // The loop that reads notifications notices the end of the connection and reconnects.
            Err(ClientError::Disconnected(_)) => Ok(()),
            // The others are watched, and one of them was deleted.
            Err(ClientError::Rpc(error)) if error.is(ErrorCode::NotFound) => self.read_watched().await,
            Err(error) => Err(error.into()),
        }
    }

    /// Reads the runs that are watched, of which some may be deleted.
    async fn read_watched(&mut self) -> Result<(), Failure> {
        for id in self.watched.clone() {
            let detail = self.client.call(runs::Get { run: id.to_string() }).await;
            if !self.put(id, detail)? {
                break;
            }
        }
        Ok(())
    }
}
