//! ComfyUI: graphs in its API format, and the servers that compute them. Nothing here knows nodes.
//!
//! - `graph`: a graph, and the fields that are set in it
//! - `server`: the requests to one server
//! - `place`: where a graph is on its server: in its queue, running, or in its history
//! - `message`: the messages of its websocket, which only show how far it is

#[cfg(test)]
pub(crate) mod fake;
mod graph;
mod message;
mod place;
mod server;

pub(crate) use graph::Graph;
pub(crate) use message::Message;
pub(crate) use place::{Entry, MadeFile, Place};
pub(crate) use server::{Server, ServerError, Socket, Submitted, Ticket, Withdrawn};
