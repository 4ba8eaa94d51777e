//! The frames themselves: JSON-RPC 2.0 in text frames, bytes in binary ones. Both sides use these types.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value as Json;

use super::RpcError;
use super::watch::Notification;

/// The longest text frame of a client in bytes; a longer one ends the connection.
pub const REQUEST_LIMIT: usize = 8 * 1024 * 1024;

/// The longest text frame that the daemon sends, in bytes.
pub const MESSAGE_LIMIT: usize = 1024 * 1024;

/// The longest text frame that a client accepts, in bytes: daemons of earlier versions did not have [`MESSAGE_LIMIT`].
pub const ACCEPTED_LIMIT: usize = 64 * 1024 * 1024;

/// The most bytes of responses that wait for one connection; past that, requests wait.
pub const RESPONSES_LIMIT: usize = 8 * 1024 * 1024;

/// The most bytes of notifications that wait for one connection; past that, they are dropped, and snapshots follow when
/// the client reads again.
pub const NOTIFICATIONS_LIMIT: usize = 4 * 1024 * 1024;

/// The most bytes of rows in one page of a list.
pub const PAGE: usize = 512 * 1024;

/// The most rows of one page of a list, whatever its `limit`.
pub const ROWS_LIMIT: u32 = 1000;

/// The most bytes of one part of a log, whatever its `limit`.
pub const LOG_LIMIT: u32 = 1024 * 1024;

/// How many requests of one connection are worked on at once.
pub const REQUESTS_AT_ONCE: u32 = 32;

/// How often in a second the newest of a live value goes out.
pub const UPDATES_A_SECOND: u32 = 30;

/// The most bytes of an asset in one binary frame, without its mark.
pub const CHUNK: usize = 256 * 1024;

/// The most bytes of one part of a snapshot; a longer item is sent on its own.
pub const PART: usize = 256 * 1024;

/// The size of the mark of a binary frame, which names its stream: a little-endian `u32`.
pub const MARK: usize = 4;

/// The method of notifications.
pub const EVENT: &str = "event";

/// The member `jsonrpc`: always `"2.0"`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct JsonRpc2;

impl Serialize for JsonRpc2 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("2.0")
    }
}

impl<'de> Deserialize<'de> for JsonRpc2 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        if text == "2.0" { Ok(Self) } else { Err(serde::de::Error::custom("`jsonrpc` must be \"2.0\"")) }
    }
}

#[cfg(feature = "schema")]
impl JsonSchema for JsonRpc2 {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "JsonRpcVersion".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "const": "2.0" })
    }
}

/// A request on its way to the daemon.
#[derive(Debug, Serialize)]
pub struct RequestFrame<'a, R> {
    /// Always 2.0.
    pub jsonrpc: JsonRpc2,
    /// Returned with the response.
    pub id: u64,
    /// [`super::Request::METHOD`].
    pub method: &'a str,
    /// The request.
    pub params: &'a R,
}

/// A request as the daemon reads it, before its method is known.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceivedRequest {
    /// Always 2.0.
    #[allow(dead_code)]
    jsonrpc: JsonRpc2,
    /// A whole number or a text.
    pub id: Json,
    /// Its method.
    pub method: String,
    /// Its params; `{}` by default.
    #[serde(default)]
    pub params: Option<Json>,
}

/// A successful response.
#[derive(Debug, Serialize)]
pub struct ResultFrame<'a, A> {
    /// Always 2.0.
    pub jsonrpc: JsonRpc2,
    /// Of the request.
    pub id: &'a Json,
    /// The result.
    pub result: A,
}

/// An error response.
#[derive(Debug, Serialize)]
pub struct ErrorFrame<'a> {
    /// Always 2.0.
    pub jsonrpc: JsonRpc2,
    /// The id of the request; null if it could not be read.
    pub id: &'a Json,
    /// Why.
    pub error: &'a RpcError,
}

/// A notification.
#[derive(Debug, Serialize)]
pub struct NotificationFrame<'a> {
    /// Always 2.0.
    pub jsonrpc: JsonRpc2,
    /// Always [`EVENT`].
    pub method: &'static str,
    /// What.
    pub params: &'a Notification,
}

/// A response as the caller reads it.
#[derive(Debug, Deserialize)]
pub struct ReceivedResponse<A> {
    /// The result of a successful response.
    pub result: Option<A>,
    /// The error of an error response.
    pub error: Option<RpcError>,
}

impl<A> ReceivedResponse<A> {
    /// Returns the result or the error.
    ///
    /// # Errors
    /// The error that the daemon returned.
    pub fn outcome(self) -> Result<A, RpcError> {
        match (self.result, self.error) {
            (_, Some(error)) => Err(error),
            (Some(result), None) => Ok(result),
            (None, None) => Err(RpcError::internal("the answer is empty")),
        }
    }
}

/// A text frame as a client first reads it: a response, which the caller then reads as a [`ReceivedResponse`], or a
/// notification.
#[derive(Debug, Deserialize)]
pub struct Incoming {
    /// Of a response: the id of its request.
    #[serde(default)]
    pub id: Option<u64>,
    /// Of a notification.
    #[serde(default)]
    pub params: Option<Notification>,
}

/// Splits a binary frame into the number of its stream and its bytes; returns `None` if it is too short for a mark.
#[must_use]
pub fn split_mark(frame: &[u8]) -> Option<(u32, &[u8])> {
    let (mark, bytes) = frame.split_first_chunk::<MARK>()?;
    Some((u32::from_le_bytes(*mark), bytes))
}
