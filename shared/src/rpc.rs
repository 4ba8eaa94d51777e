//! Requests and answers: JSON-RPC 2.0 over a WebSocket, one noun a file.
//!
//! Every request is a type with a method name and an answer type; the daemon dispatches on the name in one place, the
//! client sends the same types. `docs/protocol.md` shows the frames.

pub mod assets;
pub mod daemon;
pub mod frame;
pub mod logs;
pub mod previews;
pub mod questions;
pub mod queue;
pub mod runs;
#[cfg(feature = "schema")]
pub mod schema;
pub mod values;
pub mod watch;
pub mod workflows;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// What the published schema can describe. Without the feature `schema` that is everything, and nothing is built for it.
#[cfg(feature = "schema")]
pub use schemars::JsonSchema as Described;
/// What the published schema can describe. Without the feature `schema` that is everything, and nothing is built for it.
#[cfg(not(feature = "schema"))]
pub trait Described {}
#[cfg(not(feature = "schema"))]
impl<T: ?Sized> Described for T {}

/// The version of the protocol; `hello` compares it.
pub const PROTOCOL_VERSION: u32 = 1;

/// A request: its method and what answers it.
pub trait Request: Serialize + DeserializeOwned + Described {
    /// The method's name on the wire.
    const METHOD: &'static str;
    /// What answers it.
    type Response: Serialize + DeserializeOwned + Described;
}

/// The most bytes of JSON that the sentence of an error has.
const MAX_SENTENCE: usize = 16 * 1024;

/// Implements [`Request`].
macro_rules! request {
    ($request:ty, $method:literal, $response:ty) => {
        impl crate::rpc::Request for $request {
            const METHOD: &'static str = $method;
            type Response = $response;
        }
    };
}
pub(crate) use request;

/// An answer that says nothing but "done".
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Done {}

/// What went wrong with a request.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[error("{message}")]
pub struct RpcError {
    /// JSON-RPC's codes for malformed requests, [`ErrorCode`] otherwise.
    pub code: i32,
    /// One sentence that says what to do.
    pub message: String,
    /// Problems of a workflow file; JSON-RPC calls what an error carries `data`.
    #[serde(rename = "data", default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<crate::problem::Problem>,
}

/// Codes of [`RpcError`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ErrorCode {
    /// Not JSON-RPC.
    Malformed = -32700,
    /// No such method.
    UnknownMethod = -32601,
    /// The params don't fit the method.
    BadParams = -32602,
    /// The daemon failed, not the request.
    Internal = -32603,
    /// The workflow file has errors; they are in `problems`.
    InvalidWorkflow = 1,
    /// Nothing has this name or id.
    NotFound = 2,
    /// It can't be done in the present state.
    Refused = 3,
    /// The disk is full or the store can't be written.
    Storage = 4,
    /// The protocol versions don't fit.
    Version = 5,
}

impl RpcError {
    /// An error.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code: code as i32, message: message.into(), problems: Vec::new() }
    }
    /// Nothing has this name or id.
    #[must_use]
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::NotFound, message)
    }
    /// It can't be done in the present state.
    #[must_use]
    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Refused, message)
    }
    /// The daemon failed.
    #[must_use]
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Internal, message)
    }
    /// Makes it as short as a message carries it: a long sentence is cut. Its problems are short as a check makes them.
    pub fn shorten(&mut self) {
        crate::preview::cut_text(&mut self.message, MAX_SENTENCE);
    }
    /// Whether it has this code.
    #[must_use]
    pub fn is(&self, code: ErrorCode) -> bool {
        self.code == code as i32
    }
}

/// A page of a list and where the next one begins.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Page<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// Give this back to get the next page; `None` after the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// How many rows a page of this list had at most: what was asked for, unless that was more than the list allows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}
