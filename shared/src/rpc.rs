//! Requests and responses: JSON-RPC 2.0 over a WebSocket, one noun per file.
//!
//! Every request is a type with a method name and a response type. The daemon dispatches on the name in one place; the
//! client sends the same types. `docs/protocol.md` shows the frames.

pub mod assets;
pub mod cache;
pub mod daemon;
pub mod engines;
pub mod frame;
pub mod logs;
pub mod metrics;
pub mod models;
pub mod plugins;
pub mod previews;
pub mod questions;
pub mod queue;
pub mod runs;
#[cfg(feature = "schema")]
pub mod schema;
pub mod sweeps;
pub mod uploads;
pub mod values;
pub mod watch;
pub mod why;
pub mod workflows;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Implemented by types that the published schema can describe. Without the feature `schema` that is every type, at no
/// cost.
#[cfg(feature = "schema")]
pub use schemars::JsonSchema as Described;
/// Implemented by types that the published schema can describe. Without the feature `schema` that is every type, at no
/// cost.
#[cfg(not(feature = "schema"))]
pub trait Described {}
#[cfg(not(feature = "schema"))]
impl<T: ?Sized> Described for T {}

/// The version of the protocol; `hello` compares it.
pub const PROTOCOL_VERSION: u32 = 1;

/// A request: its method and its response.
pub trait Request: Serialize + DeserializeOwned + Described {
    /// The method's name on the wire.
    const METHOD: &'static str;
    /// The type of its response.
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

/// A response without content.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Done {}

/// The error of a request.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[error("{message}")]
pub struct RpcError {
    /// JSON-RPC's codes for malformed requests, [`ErrorCode`] otherwise.
    pub code: i32,
    /// One sentence that says what to do.
    pub message: String,
    /// Problems of a workflow file, in JSON-RPC's member `data`.
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
    /// The params don't match the method.
    BadParams = -32602,
    /// The daemon failed.
    Internal = -32603,
    /// The workflow file has errors; they are in `problems`.
    InvalidWorkflow = 1,
    /// Nothing has this name or id.
    NotFound = 2,
    /// It can't be done in the present state.
    Refused = 3,
    /// The disk is full or the store can't be written.
    Storage = 4,
    /// The protocol versions don't match.
    Version = 5,
}

impl RpcError {
    /// Returns an error with this code.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code: code as i32, message: message.into(), problems: Vec::new() }
    }
    /// Returns an error for a name or id that does not exist.
    #[must_use]
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::NotFound, message)
    }
    /// Returns an error for a request that is not possible in the present state.
    #[must_use]
    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Refused, message)
    }
    /// Returns an error for a failure of the daemon.
    #[must_use]
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Internal, message)
    }
    /// Shortens it to the limits of a message: a long sentence is cut. The problems of a check are short already.
    pub fn shorten(&mut self) {
        crate::preview::cut_text(&mut self.message, MAX_SENTENCE);
    }
    /// Returns whether it has this code.
    #[must_use]
    pub fn is(&self, code: ErrorCode) -> bool {
        self.code == code as i32
    }
}

/// A page of a list, with the cursor of the next.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Page<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// The cursor of the next page; `None` on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// How many rows a page of this list had at most: what was asked for, unless that was more than the list allows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}
