//! `logs.*`

use std::sync::Arc;

use fanlight_shared::preview;
use fanlight_shared::rpc::RpcError;
use fanlight_shared::rpc::frame::{LOG_LIMIT, PAGE};
use fanlight_shared::rpc::logs::{Part, Read};

use super::session::Session;
use super::state::state_of;

/// The default size of a part, in bytes.
const DEFAULT_PART: u32 = 64 * 1024;
/// A part of this size fits into a message whatever its bytes are.
const MIN_PART: u32 = 8 * 1024;

pub(super) async fn read(session: &Arc<Session>, read: Read) -> Result<Part, RpcError> {
    let context = &session.context;
    let run = read.run_id;
    let state = match session.recent.get(run).filter(|state| state.status.is_ended()) {
        Some(state) => state,
        None => {
            let state = state_of(context, run).await?;
            if state.status.is_ended() {
                session.recent.keep(run, Arc::clone(&state));
            }
            state
        }
    };
    let name = format!("{}{}", read.node, read.item);
    let instance = state
        .instance(&read.node, read.item)
        .ok_or_else(|| RpcError::not_found(format!("this run has no node `{name}`, or it did not start")))?;
    let attempt = match read.attempt {
        Some(number) => instance.attempts.iter().find(|attempt| attempt.number == number),
        None => instance.attempts.last(),
    };
    let attempt = attempt.ok_or_else(|| match read.attempt {
        Some(number) => RpcError::not_found(format!("`{name}` has no attempt {number}")),
        None => RpcError::not_found(format!("`{name}` did not start")),
    })?;
    let id =
        attempt.id.ok_or_else(|| RpcError::not_found(format!("`{name}` is not a command; it has no log")))?;
    let (number, ended) = (attempt.number, attempt.end.is_some());
    let mut read = read;
    loop {
        let part = context.executors.log(id, number, &read, ended).await.map_err(RpcError::not_found)?;
        // Control characters and many short pieces are longer as JSON than in the log.
        let asked = read.limit.unwrap_or(DEFAULT_PART);
        if preview::fits(&part, PAGE) || asked <= MIN_PART {
            return Ok(part);
        }
        read.limit = Some(asked.min(LOG_LIMIT) / 2);
    }
}
