//! Upgrades a connection to a WebSocket, and answers bad handshakes.

use std::io::Write;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream as Spare;
use std::time::Duration;

use fanlight_shared::rpc::frame::REQUEST_LIMIT;
use tokio::net::UnixStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request as Upgrade, Response};
use tokio_tungstenite::tungstenite::http::StatusCode;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};

use super::progress::{Noted, Progress};

/// How long the upgrade to a WebSocket may take, and then the client's `hello`.
pub(super) const HANDSHAKE: Duration = Duration::from_secs(10);

/// A connection after the handshake.
pub(super) type Socket = WebSocketStream<Noted<UnixStream>>;

/// Upgrades a connection to a WebSocket. A client that fails to gets an HTTP status with the reason.
pub(super) async fn accept(stream: UnixStream) -> Option<(Socket, Progress)> {
    let spare = stream.as_fd().try_clone_to_owned();
    let limits =
        WebSocketConfig::default().max_message_size(Some(REQUEST_LIMIT)).max_frame_size(Some(REQUEST_LIMIT));
    let (stream, progress) = Noted::new(stream);
    let upgrade = tokio_tungstenite::accept_hdr_async_with_config(stream, allow, Some(limits));
    let status = match tokio::time::timeout(HANDSHAKE, upgrade).await {
        Ok(Ok(socket)) => return Some((socket, progress)),
        Ok(Err(error)) => {
            tracing::debug!(%error, "no handshake");
            refusal(&error)
        }
        Err(_) => {
            tracing::debug!("a connection said nothing");
            Some((StatusCode::REQUEST_TIMEOUT, "no request arrived within ten seconds"))
        }
    };
    if let (Some((status, reason)), Ok(spare)) = (status, spare) {
        answer(spare, status, reason);
    }
    None
}

/// Returns the status for a failed handshake, unless one was already sent or the client is gone.
fn refusal(error: &Error) -> Option<(StatusCode, &'static str)> {
    const UPGRADE: &str = "this is a WebSocket (RFC 6455, version 13): ask for an upgrade";
    Some(match error {
        Error::Http(_)
        | Error::Io(_)
        | Error::ConnectionClosed
        | Error::Protocol(ProtocolError::HandshakeIncomplete) => return None,
        Error::Protocol(ProtocolError::WrongHttpMethod) => {
            (StatusCode::METHOD_NOT_ALLOWED, "the only method is GET")
        }
        Error::Protocol(
            ProtocolError::MissingConnectionUpgradeHeader
            | ProtocolError::MissingUpgradeWebSocketHeader
            | ProtocolError::MissingSecWebSocketVersionHeader,
        ) => (StatusCode::UPGRADE_REQUIRED, UPGRADE),
        _ => (StatusCode::BAD_REQUEST, "this is not a WebSocket request"),
    })
}

/// Sends a short response; a client that doesn't read gets none.
fn answer(stream: OwnedFd, status: StatusCode, reason: &str) {
    let upgrade = if status == StatusCode::UPGRADE_REQUIRED {
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    } else {
        ""
    };
    let response = format!(
        "HTTP/1.1 {status}\r\nConnection: close\r\n{upgrade}Content-Type: text/plain\r\nContent-Length: {}\r\n\r\n{reason}\n",
        reason.len() + 1
    );
    // The socket does not block, and its buffer is empty.
    if let Err(error) = Spare::from(stream).write_all(response.as_bytes()) {
        tracing::debug!(%error, "a refusal was not sent");
    }
}

/// Accepts requests for the only path that don't come from a web page.
#[allow(clippy::result_large_err)]
fn allow(request: &Upgrade, response: Response) -> Result<Response, ErrorResponse> {
    let refuse = |status: StatusCode, reason: &str| {
        let mut refusal = ErrorResponse::new(Some(reason.to_owned()));
        *refusal.status_mut() = status;
        Err(refusal)
    };
    if request.uri().path() != "/" {
        return refuse(StatusCode::NOT_FOUND, "the only path is /");
    }
    if request.headers().contains_key("origin") {
        return refuse(StatusCode::FORBIDDEN, "web pages may not connect");
    }
    Ok(response)
}

/// Returns the close frame for an error of a client; none if it is gone.
pub(super) fn close_frame(error: &Error) -> Option<CloseFrame> {
    let (code, reason) = match error {
        Error::Capacity(_) => (CloseCode::Size, "a message may have at most 8 MiB"),
        Error::Utf8(_) => (CloseCode::Invalid, "text must be UTF-8"),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => return None,
        Error::Protocol(ProtocolError::UnmaskedFrameFromClient) => {
            (CloseCode::Protocol, "frames of a client must be masked")
        }
        Error::Protocol(_) => (CloseCode::Protocol, "this is not a WebSocket frame"),
        _ => return None,
    };
    Some(CloseFrame { code, reason: reason.into() })
}
