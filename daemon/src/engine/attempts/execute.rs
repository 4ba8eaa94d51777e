//! Runs an attempt by its executor.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use fanlight_shared::event::NodeError;

use super::Begin;
use crate::attempt::{Attempt, Outcome};
use crate::config::Config;
use crate::engine::active::Prepared;
use crate::executor::{self, Executor};
use crate::machine;

/// Runs an attempt to its end.
pub(super) async fn execute(
    executor: &dyn Executor,
    attempt: Attempt,
    prepared: Prepared,
    begin: Begin,
    left: Option<Duration>,
    config: &Config,
    home: PathBuf,
) -> Outcome {
    let Prepared { work, sealed, resources } = prepared;
    if matches!(begin, Begin::Adopt)
        && let Some(outcome) = executor::adopt(executor, attempt.clone(), work.clone(), left).await
    {
        return outcome;
    }
    let is_here = !executor.capabilities().survives_reboot;
    let disk = resources.filter(|_| is_here).map_or(0, |needed| needed.disk);
    if disk > 0
        && let Err(why) = machine::check_disk(home, disk).await
    {
        return Outcome::failed(NodeError::new(why));
    }
    let pool = work.pool();
    let key = pool.as_deref().and_then(|pool| config.key_secret(pool));
    if sealed.is_none() && key.is_none() {
        return executor::run(executor, attempt, work, left).await;
    }
    let opened = tokio::select! {
        biased;
        () = attempt.cancel.cancelled() => return Outcome::cancelled(),
        opened = sealed.unwrap_or_default().open(work, &config.secrets, key) => opened,
    };
    match opened {
        Ok((work, secrets)) => {
            let attempt = Attempt { secrets: secrets.clone(), ..attempt };
            executor::run(executor, attempt, Arc::new(work), left).await.without(&secrets)
        }
        Err(why) => Outcome::failed(NodeError::new(why)),
    }
}
