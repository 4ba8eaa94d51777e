use fanlight_shared::client::ClientError;
use fanlight_shared::id::BlobHash;
use fanlight_shared::rpc::frame::CHUNK;
use fanlight_shared::rpc::uploads::{End, Start, Started};
use fanlight_shared::rpc::{ErrorCode, RpcError};
use serde_json::json;

use super::frames::{Raw, request};
use super::*;

async fn send(client: &Client, bytes: &[u8]) -> Result<Vec<u64>, ClientError> {
    let mut seen = Vec::new();
    let (hash, length) = (BlobHash::of(bytes), bytes.len() as u64);
    client.upload(hash, length, &mut &bytes[..], &mut |arrived| seen.push(arrived)).await.map(|()| seen)
}

fn refused<T: std::fmt::Debug>(result: Result<T, ClientError>) -> RpcError {
    match result.unwrap_err() {
        ClientError::Rpc(error) => error,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn bytes_arrive_whole_and_are_not_sent_twice() {
    let served = Served::new().await;
    let client = served.client().await;
    let bytes: Vec<u8> = (0..10 * CHUNK as u32 + 7).map(|it| (it % 251) as u8).collect();
    let seen = send(&client, &bytes).await.unwrap();
    // The ninth frame may have been taken already when the first eight are asked for.
    assert!(seen.len() == 2 && seen[0] >= 8 * CHUNK as u64, "{seen:?}");
    assert_eq!(seen[1], bytes.len() as u64);
    assert_eq!(client.read_blob(BlobHash::of(&bytes)).await.unwrap(), bytes);
    let again = Start { hash: BlobHash::of(&bytes), bytes: bytes.len() as u64 };
    assert_eq!(client.call(again).await.unwrap(), Started { stream: None });
    for small in [&b""[..], b"a"] {
        assert_eq!(send(&client, small).await.unwrap(), [small.len() as u64]);
    }
}

#[tokio::test]
async fn bytes_that_nothing_refers_to_are_gone_with_their_connection() {
    let served = Served::new().await;
    let bytes = vec![7; CHUNK];
    let first = served.client().await;
    send(&first, &bytes).await.unwrap();
    let path = served.context.store.blobs().path(BlobHash::of(&bytes));
    assert!(path.exists());
    drop(first);
    until("its bytes are gone", || !path.exists()).await;
}

#[tokio::test]
async fn other_bytes_than_those_announced_are_refused() {
    let served = Served::new().await;
    let client = served.client().await;
    let start = |bytes: &[u8], length| Start { hash: BlobHash::of(bytes), bytes: length };
    let stream = client.call(start(b"abc", 3)).await.unwrap().stream.unwrap();
    assert!(refused(client.call(End { stream }).await).message.contains("0 of 3 bytes arrived"));
    assert!(refused(client.call(End { stream }).await).is(ErrorCode::NotFound));
    let sent = client.upload(BlobHash::of(b"abc"), 3, &mut &b"abd"[..], &mut |_| ()).await;
    assert!(refused(sent).message.contains("another hash"));
    let sent = client.upload(BlobHash::of(b"abc"), 3, &mut &b"ab"[..], &mut |_| ()).await;
    assert!(refused(sent).message.contains("2 of 3 bytes arrived"));
    let mut raw = Raw::connect(&served.home).await;
    raw.hello().await;
    raw.send(request(1, "uploads.start", json!({ "hash": BlobHash::of(b"abc"), "bytes": 3 }))).await;
    let stream = raw.next().await.unwrap()["result"]["stream"].as_u64().unwrap() as u32;
    raw.send_bytes(&[&stream.to_le_bytes()[..], b"abcd"].concat()).await;
    raw.send(request(2, "uploads.end", json!({ "stream": stream }))).await;
    assert!(raw.next().await.unwrap()["error"]["message"].as_str().unwrap().contains("more bytes"));
    for malformed in [&b"ab"[..], &[9, 9, 9, 9, 1]] {
        raw.send_bytes(malformed).await;
        assert_eq!(raw.next().await.unwrap()["error"]["code"], ErrorCode::Malformed as i64);
    }
}

#[tokio::test]
async fn a_connection_has_a_few_uploads_at_once() {
    let served = Served::new().await;
    let client = served.client().await;
    let start = || Start { hash: BlobHash::of(b"abc"), bytes: 3 };
    for _ in 0..fanlight_shared::rpc::uploads::MAX_UPLOADS {
        client.call(start()).await.unwrap();
    }
    assert!(refused(client.call(start()).await).is(ErrorCode::Refused));
}
