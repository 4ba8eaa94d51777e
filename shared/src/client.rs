//! The connection of a client to the daemon: calls, notifications and bytes over the daemon's unix socket.
//!
//! Any number of calls may be in flight at once. Notifications arrive on one channel, in order. If a client does not
//! drain it, the connection stops reading once the channel is full, and the daemon later sends a fresh snapshot.

mod connection;
mod error;
mod fetch;
mod parts;
pub mod projection;
pub mod sheet;
mod silence;
mod start;
pub mod table;
mod upload;

use std::path::Path;
use std::sync::Arc;

use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

pub use connection::Notifications;
pub use error::ClientError;
pub use silence::SILENCE_LIMIT;
pub use start::start_daemon;

use crate::home::Home;
use crate::host_path;
use crate::id::{AssetId, BlobHash};
use crate::large::Large;
use crate::rpc::daemon::{Hello, HelloResponse};
use crate::rpc::{PROTOCOL_VERSION, Request, RpcError, assets, previews, runs, values};
use crate::value::{Value, Values};
use connection::{Connection, HANDSHAKE};

/// A connection to the daemon: cheap to clone. It is closed when the last clone is dropped.
#[derive(Clone, Debug)]
pub struct Client {
    connection: Arc<Connection>,
    hello: Arc<HelloResponse>,
    /// Set if the daemon is on another computer.
    hosts: Option<Arc<Hosts>>,
}

/// The names of two computers in paths.
#[derive(Debug)]
struct Hosts {
    /// Of this one, as the daemon knows it.
    here: String,
    /// Of the daemon's, as it is known here.
    there: String,
}

impl Client {
    /// Connects to the daemon of a home and greets it. Starts nothing: see [`start_daemon`].
    ///
    /// # Errors
    /// [`ClientError::NoDaemon`] if nothing listens or the listener hung up; otherwise the socket belongs to another
    /// user, or the daemon has another version.
    pub async fn connect(home: &Home) -> Result<Self, ClientError> {
        Self::at(&home.socket, None).await
    }

    /// Connects to a daemon on another computer through a local socket. `here` and `there` are the names of the two
    /// computers.
    ///
    /// # Errors
    /// As [`Client::connect`].
    pub async fn through(socket: &Path, here: &str, there: &str) -> Result<Self, ClientError> {
        let hosts = Hosts { here: host_path::host(here), there: host_path::host(there) };
        Self::at(socket, Some(Arc::new(hosts))).await
    }

    async fn at(socket: &Path, hosts: Option<Arc<Hosts>>) -> Result<Self, ClientError> {
        let connection = Connection::open(socket).await?;
        let hello = Hello {
            protocol: PROTOCOL_VERSION,
            client: format!("{} {}", env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION")),
        };
        let greeted = tokio::time::timeout(HANDSHAKE, connection.call(&hello)).await;
        let greeted = greeted.unwrap_or_else(|_| Err(ClientError::Silent(socket.to_owned())));
        let hello: HelloResponse = greeted.map_err(|error| match error {
            ClientError::Rpc(error) if error.is(crate::rpc::ErrorCode::Version) => {
                ClientError::Version(error.message)
            }
            // The daemon is shutting down.
            ClientError::Disconnected(_) => ClientError::NoDaemon(socket.to_owned()),
            other => other,
        })?;
        if hello.protocol != PROTOCOL_VERSION {
            return Err(ClientError::Version(format!(
                "the daemon (version {}) speaks protocol {}, this program {PROTOCOL_VERSION}: restart it with `fanlight daemon stop`",
                hello.version, hello.protocol
            )));
        }
        Ok(Self { connection: Arc::new(connection), hello: Arc::new(hello), hosts })
    }

    /// Returns whether the daemon is on another computer: it can't read files of this one.
    #[must_use]
    pub fn is_elsewhere(&self) -> bool {
        self.hosts.is_some()
    }

    /// Returns a path as the daemon knows it: that of a file of this computer with its name.
    #[must_use]
    pub fn path_there(&self, path: &str) -> String {
        match (&self.hosts, host_path::split(path)) {
            (Some(hosts), None) => host_path::on(&hosts.here, path),
            (Some(hosts), Some((host, path))) if host == hosts.there => path.to_owned(),
            _ => path.to_owned(),
        }
    }

    /// Returns a path that the daemon named as it is known here; undoes [`Client::path_there`].
    #[must_use]
    pub fn path_here(&self, path: &str) -> String {
        match (&self.hosts, host_path::split(path)) {
            (Some(hosts), None) => host_path::on(&hosts.there, path),
            (Some(hosts), Some((host, path))) if host == hosts.here => path.to_owned(),
            _ => path.to_owned(),
        }
    }

    /// Returns the daemon's response to `hello`.
    #[must_use]
    pub fn hello(&self) -> &HelloResponse {
        &self.hello
    }

    /// Sends a request and waits for the response.
    ///
    /// # Errors
    /// [`ClientError::Rpc`] if the daemon refused the request; otherwise the connection was lost.
    pub async fn call<R: Request>(&self, request: R) -> Result<R::Response, ClientError> {
        self.connection.call(&request).await
    }

    /// Returns the notifications of what is watched. There is one receiver: the first call gets it, later calls get
    /// `None`. It ends with the connection.
    #[must_use]
    pub fn notifications(&self) -> Option<Notifications> {
        self.connection.notifications()
    }

    /// Waits until the connection is lost, and returns the reason.
    pub async fn closed(&self) -> String {
        self.connection.closed().await
    }

    /// Returns since when the daemon has sent nothing although something is expected of it, while that is so. It is noticed
    /// after [`SILENCE_LIMIT`]; the connection may continue at any moment.
    #[must_use]
    pub fn silence(&self) -> watch::Receiver<Option<Instant>> {
        self.connection.silence().since()
    }

    /// Notices silence also while no response is expected, as long as `events` is true: asks for a sign of life now and then.
    pub fn expect_events(&self, events: bool) {
        self.connection.silence().expect_events(events);
    }

    /// Returns all bytes of an asset, or of one file of a folder that is an asset.
    ///
    /// # Errors
    /// There is no such asset, its bytes are gone, or the connection was lost.
    pub async fn read_asset(&self, asset: AssetId, file: Option<BlobHash>) -> Result<Vec<u8>, ClientError> {
        let mut bytes = Vec::new();
        self.read_asset_into(assets::Read { asset, file, offset: 0, limit: None }, &mut bytes).await?;
        Ok(bytes)
    }

    /// Streams the bytes of an asset to a writer. Returns their MIME type and size.
    ///
    /// # Errors
    /// There is no such asset, its bytes are gone, the connection was lost, or the writer failed.
    pub async fn read_asset_into<W: AsyncWrite + Unpin>(
        &self,
        read: assets::Read,
        into: &mut W,
    ) -> Result<assets::Bytes, ClientError> {
        let (bytes, chunks) = self.connection.stream(&read).await?;
        self.copy(&bytes, chunks, into).await?;
        Ok(bytes)
    }

    /// Returns all bytes of a blob, such as those of a media value.
    ///
    /// # Errors
    /// The bytes were not kept, or the connection was lost.
    pub async fn read_blob(&self, hash: BlobHash) -> Result<Vec<u8>, ClientError> {
        let (bytes, chunks) =
            self.connection.stream(&values::Content { hash, offset: 0, limit: None }).await?;
        let mut all = Vec::new();
        self.copy(&bytes, chunks, &mut all).await?;
        Ok(all)
    }

    /// Streams the content of a large value to a writer: a text as it is, any other value as JSON.
    ///
    /// # Errors
    /// The content was not kept, the connection was lost, or the writer failed.
    pub async fn read_large_into<W: AsyncWrite + Unpin>(
        &self,
        large: &Large,
        into: &mut W,
    ) -> Result<(), ClientError> {
        let read = values::Content { hash: large.hash, offset: 0, limit: None };
        let (bytes, chunks) = self.connection.stream(&read).await?;
        self.copy(&bytes, chunks, into).await
    }

    /// Returns a value in which every large value is replaced by its content, read one after the other.
    ///
    /// # Errors
    /// Some content was not kept, or the connection was lost.
    pub async fn full_value(&self, value: Value) -> Result<Value, ClientError> {
        Ok(match value {
            Value::Large(large) => {
                let mut bytes = Vec::new();
                self.read_large_into(&large, &mut bytes).await?;
                let damaged = |sentence| ClientError::Rpc(RpcError::internal(sentence));
                if large.is_text() {
                    Value::Text(
                        String::from_utf8(bytes).map_err(|_| damaged("a stored text is damaged".into()))?,
                    )
                } else {
                    // The content holds further large values only if it also holds media.
                    Box::pin(self.full_value(Value::from_content(&large, &bytes).map_err(damaged)?)).await?
                }
            }
            Value::List(items) => {
                let mut whole = Vec::with_capacity(items.len());
                for item in items {
                    whole.push(Box::pin(self.full_value(item)).await?);
                }
                Value::List(whole)
            }
            Value::Object(map) => {
                let mut whole = Values::with_capacity(map.len());
                for (key, value) in map {
                    whole.insert(key, Box::pin(self.full_value(value)).await?);
                }
                Value::Object(whole)
            }
            plain => plain,
        })
    }

    /// Streams the archive of runs to a writer, after passing on the response.
    ///
    /// # Errors
    /// A run is gone, has not ended or can't be read, the connection was lost, or the writer failed.
    pub async fn export_into<W: AsyncWrite + Unpin>(
        &self,
        export: &runs::Export,
        begins: impl FnOnce(&runs::Exported),
        into: &mut W,
    ) -> Result<runs::Exported, ClientError> {
        let (exported, chunks) = self.connection.stream(export).await?;
        begins(&exported);
        self.copy(&exported.stream, chunks, into).await?;
        Ok(exported)
    }

    /// Returns the stored preview of an asset: MIME type and bytes.
    ///
    /// # Errors
    /// There is none (yet), or the connection was lost.
    pub async fn thumbnail(&self, asset: AssetId) -> Result<(String, Vec<u8>), ClientError> {
        self.bytes(&assets::Thumbnail { asset }).await
    }

    /// Returns a thumbnail of the newest preview of a port of a running node: MIME type and bytes.
    ///
    /// # Errors
    /// There is none at the moment, or the connection was lost.
    pub async fn live_preview(&self, of: &previews::Thumbnail) -> Result<(String, Vec<u8>), ClientError> {
        self.bytes(of).await
    }

    async fn bytes<R: Request<Response = assets::Bytes>>(
        &self,
        request: &R,
    ) -> Result<(String, Vec<u8>), ClientError> {
        let (bytes, chunks) = self.connection.stream(request).await?;
        let mut all = Vec::new();
        self.copy(&bytes, chunks, &mut all).await?;
        Ok((bytes.mime, all))
    }

    async fn copy<W: AsyncWrite + Unpin>(
        &self,
        bytes: &assets::Bytes,
        mut chunks: mpsc::Receiver<Vec<u8>>,
        into: &mut W,
    ) -> Result<(), ClientError> {
        let mut copied = 0_u64;
        let mut hasher = bytes.hash.map(|_| blake3::Hasher::new());
        while let Some(chunk) = chunks.recv().await {
            if let Some(hasher) = &mut hasher {
                hasher.update(&chunk);
            }
            into.write_all(&chunk).await.map_err(|error| ClientError::Write(error.to_string()))?;
            copied += chunk.len() as u64;
        }
        into.flush().await.map_err(|error| ClientError::Write(error.to_string()))?;
        if copied == bytes.bytes {
            let hash = hasher.map(|hasher| BlobHash::from_bytes(*hasher.finalize().as_bytes()));
            return if hash == bytes.hash { Ok(()) } else { Err(ClientError::Damaged) };
        }
        Err(match self.connection.reason() {
            Some(reason) => ClientError::Disconnected(reason),
            None => ClientError::Broken { got: copied, of: bytes.bytes },
        })
    }
}
