//! Events for tests of the protocols.

use super::reply::{Reply, StreamError};
use super::sse::Event;

/// Takes an event of a protocol.
pub(super) type Take = fn(&Event, &mut Reply) -> Result<(), StreamError>;

/// Takes events up to the first error.
pub(super) fn taken(take: Take, events: &[&str]) -> (Reply, Option<StreamError>) {
    let mut reply = Reply::default();
    let event = |data: &&str| Event { name: String::new(), data: (*data).to_owned() };
    let error = events.iter().find_map(|data| take(&event(data), &mut reply).err());
    (reply, error)
}
