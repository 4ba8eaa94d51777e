//! The messages of the protocol: JSON-RPC 2.0, one message a line.

use fanlight_shared::sanitise;
use fanlight_shared::value::cut;
use fanlight_shared::value::json;
use serde_json::{Map, Value as Json, json};
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _};

/// The longest line, in bytes: the values of an attempt have at most 16 MiB.
pub(super) const MAX_LINE: usize = 17 << 20;
/// JSON-RPC's code for a method that is not known.
const UNKNOWN_METHOD: i32 = -32601;
/// How many characters of a bad line are shown.
const MAX_SHOWN: usize = 80;

/// A message of a plugin.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Message {
    /// The result of a request, or the sentence of an error.
    Response {
        /// The request.
        id: u64,
        /// The result.
        result: Result<Json, String>,
    },
    /// A notification.
    Notification {
        /// What it is about.
        method: String,
        /// Its params.
        params: Map<String, Json>,
    },
    /// A request; this version knows only `ping`, of MCP servers.
    Request {
        /// Its id.
        id: Json,
        /// Its method.
        method: String,
    },
}

impl Message {
    /// Reads a line.
    ///
    /// # Errors
    /// A phrase that says what is wrong with it.
    pub(super) fn read(line: &[u8]) -> Result<Self, String> {
        let shown =
            || cut(&sanitise::line(&String::from_utf8_lossy(&line[..line.len().min(400)])), MAX_SHOWN);
        let text = std::str::from_utf8(line).map_err(|_| format!("`{}`, which is not UTF-8", shown()))?;
        let unreadable = |error: json::JsonError| match error {
            json::JsonError::TooDeep(_) | json::JsonError::TooLarge(_) => format!("`{}`: {error}", shown()),
            json::JsonError::NoJson(_) => format!("`{}`, which is not JSON", shown()),
        };
        let json = json::parse_rounded(text).map_err(unreadable)?;
        // Metrics are floats.
        if json["method"] != "metric" {
            json::check_whole_numbers(text).map_err(unreadable)?;
        }
        let wrong = || format!("`{}`, which is not a message of JSON-RPC", shown());
        let Json::Object(mut message) = json else { return Err(wrong()) };
        if message.get("jsonrpc").is_none_or(|version| version != "2.0") {
            return Err(wrong());
        }
        let id = message.remove("id").filter(|id| !id.is_null());
        match (message.remove("method"), id) {
            (Some(Json::String(method)), Some(id)) => Ok(Self::Request { id, method }),
            (Some(Json::String(method)), None) => match message.remove("params") {
                Some(Json::Object(params)) => Ok(Self::Notification { method, params }),
                None => Ok(Self::Notification { method, params: Map::new() }),
                Some(_) => Err(wrong()),
            },
            (None, Some(id)) => {
                let id = id.as_u64().ok_or_else(wrong)?;
                let result = match (message.remove("result"), message.remove("error")) {
                    (Some(result), None | Some(Json::Null)) => Ok(result),
                    (None, Some(Json::Object(error))) => Err(sentence(&error)),
                    _ => return Err(wrong()),
                };
                Ok(Self::Response { id, result })
            }
            _ => Err(wrong()),
        }
    }
}

/// Returns the sentence of an error, as it may be shown.
fn sentence(error: &Map<String, Json>) -> String {
    let message = error.get("message").and_then(Json::as_str).unwrap_or_default();
    let message = cut(&sanitise::line(message), 500);
    if message.is_empty() { "it failed without a reason".to_owned() } else { message }
}

/// Returns the line of a request.
pub(super) fn request(id: u64, method: &str, params: &Json) -> Vec<u8> {
    line(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }))
}

/// Returns the line of a notification.
pub(super) fn notification(method: &str, params: &Json) -> Vec<u8> {
    line(&json!({ "jsonrpc": "2.0", "method": method, "params": params }))
}

/// Returns the line that answers a request of a plugin with an empty result.
pub(super) fn empty_result(id: &Json) -> Vec<u8> {
    line(&json!({ "jsonrpc": "2.0", "id": id, "result": {} }))
}

/// Returns the line that refuses a request of a plugin.
pub(super) fn unknown_method(id: &Json, method: &str) -> Vec<u8> {
    let message = format!("there is no method `{}`", cut(method, 60));
    line(&json!({ "jsonrpc": "2.0", "id": id, "error": { "code": UNKNOWN_METHOD, "message": message } }))
}

fn line(message: &Json) -> Vec<u8> {
    let mut line = message.to_string().into_bytes();
    line.push(b'\n');
    line
}

/// Reads the next line of at most `most` bytes, without its end. Returns `None` at the end of the input. Not cancel-safe.
///
/// # Errors
/// It can't be read; [`std::io::ErrorKind::InvalidData`] if the line is longer.
pub(super) async fn next_line(
    input: &mut (impl AsyncBufRead + Unpin),
    most: usize,
) -> std::io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    loop {
        let available = input.fill_buf().await?;
        if available.is_empty() {
            return Ok((!line.is_empty()).then_some(line));
        }
        let (part, used, ended) = match available.iter().position(|byte| *byte == b'\n') {
            Some(at) => (&available[..at], at + 1, true),
            None => (available, available.len(), false),
        };
        if line.len() + part.len() > most {
            return Err(std::io::ErrorKind::InvalidData.into());
        }
        line.extend_from_slice(part);
        input.consume(used);
        if ended {
            return Ok(Some(line));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Message, String> {
        Message::read(text.as_bytes())
    }

    #[test]
    fn messages_are_read_and_unknown_members_are_ignored() {
        assert_eq!(
            read(r#"{"jsonrpc":"2.0","id":7,"result":{"a":1},"later":true}"#),
            Ok(Message::Response { id: 7, result: Ok(json!({ "a": 1 })) })
        );
        let error = read(r#"{"jsonrpc":"2.0","id":7,"error":{"code":1,"message":"no\u001b[2J luck\nmore"}}"#);
        assert_eq!(error, Ok(Message::Response { id: 7, result: Err("no luck more".into()) }));
        let nothing = read(r#"{"jsonrpc":"2.0","id":7,"error":{}}"#);
        assert_eq!(
            nothing,
            Ok(Message::Response { id: 7, result: Err("it failed without a reason".into()) })
        );
        let method = "progress".to_owned();
        assert_eq!(
            read(r#"{"jsonrpc":"2.0","method":"progress"}"#),
            Ok(Message::Notification { method, params: Map::new() })
        );
        let request = read(r#"{"jsonrpc":"2.0","id":"x","method":"files.read","params":[]}"#);
        assert_eq!(request, Ok(Message::Request { id: "x".into(), method: "files.read".into() }));
        assert!(matches!(read(r#"{"jsonrpc":"2.0","id":1,"result":NaN}"#), Ok(Message::Response { .. })));
    }

    #[test]
    fn anything_else_is_explained() {
        for (text, expected) in [
            ("hello\u{1b}[2J", "`hello`, which is not JSON"),
            ("[]", "not a message of JSON-RPC"),
            ("{}", "not a message of JSON-RPC"),
            (r#"{"jsonrpc":"2.0"}"#, "not a message of JSON-RPC"),
            (r#"{"jsonrpc":"2.0","id":-1,"result":1}"#, "not a message of JSON-RPC"),
            (r#"{"jsonrpc":"2.0","id":1,"result":1,"error":{}}"#, "not a message of JSON-RPC"),
            (r#"{"jsonrpc":"2.0","method":"log","params":[1]}"#, "not a message of JSON-RPC"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
        assert!(Message::read(b"\xff").unwrap_err().contains("not UTF-8"));
        assert!(read(&"[".repeat(100_000)).unwrap_err().contains("levels deep"));
    }

    #[tokio::test]
    async fn a_line_is_read_up_to_its_limit() {
        let mut input = &b"one\ntwo\nlast"[..];
        for expected in [Some("one"), Some("two"), Some("last"), None] {
            let line = next_line(&mut input, 4).await.unwrap();
            assert_eq!(line.as_deref(), expected.map(str::as_bytes));
        }
        assert!(next_line(&mut &b"12345\n"[..], 4).await.is_err());
    }
}
