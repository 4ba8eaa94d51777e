//! Reads from the store: bytes of assets, ended runs.

use fanlight_shared::client::ClientError;
use fanlight_shared::rpc::assets::Read;
use fanlight_shared::rpc::watch::{Notification, TelemetryOf, Watch};
use fanlight_shared::rpc::{ErrorCode, runs};
use fanlight_shared::value::Value;

use super::*;
use crate::store::Op;
use crate::store::tests::{asset, commit, new_asset, row, submission};

impl Served {
    /// Returns a submitted run of `poster`.
    fn submitted(&self) -> Run {
        let committed = commit(&self.context.store, vec![Op::Submit(submission(1).into())]).unwrap();
        committed.submitted.unwrap().runs.remove(0)
    }

    /// Returns a picture that a node of a run made.
    fn picture(&self, run: &Run, node: &str, bytes: &[u8]) -> fanlight_shared::id::AssetId {
        let published = self.context.store.blobs().publish(bytes.to_vec()).unwrap();
        let media = fanlight_shared::media::Media {
            kind: fanlight_shared::media::MediaKind::Image,
            hash: published.hash,
            mime: "image/png".into(),
            bytes: published.bytes,
            name: "a.png".into(),
            width: None,
            height: None,
            executable: false,
            source: None,
        };
        let asset = asset(run, node, Value::from(media));
        let ops = vec![Op::Blob(published), Op::Asset(new_asset(&asset).into())];
        commit(&self.context.store, ops).unwrap();
        asset.id
    }
}

fn noise(bytes: usize, seed: u8) -> Vec<u8> {
    (0..bytes).map(|at| (at % 251) as u8 ^ seed).collect()
}

#[tokio::test]
async fn bytes_arrive_complete_with_many_transfers_at_once() {
    let served = Served::new().await;
    let run = served.submitted();
    let (large, other) = (noise(700_000, 1), noise(300_000, 2));
    let (first, second) = (served.picture(&run, "a", &large), served.picture(&run, "b", &other));
    let client = served.client().await;
    let (one, two) = tokio::join!(client.read_asset(first, None), client.read_asset(second, None));
    assert_eq!(one.unwrap(), large);
    assert_eq!(two.unwrap(), other);
    let mut part = Vec::new();
    let read = Read { asset: first, file: None, offset: 699_000, limit: Some(500) };
    let bytes = client.read_asset_into(read, &mut part).await.unwrap();
    assert_eq!((bytes.bytes, bytes.mime.as_str()), (500, "image/png"));
    assert_eq!(part, large[699_000..699_500]);
    let behind = Read { asset: first, file: None, offset: 700_000, limit: None };
    assert_eq!(client.read_asset_into(behind, &mut Vec::new()).await.unwrap().bytes, 0);
}

#[tokio::test]
async fn a_blob_that_no_asset_names_cannot_be_read() {
    let served = Served::new().await;
    let run = served.submitted();
    let (first, other) = (served.picture(&run, "a", b"one"), noise(100, 3));
    let published = served.context.store.blobs().publish(other).unwrap();
    let client = served.client().await;
    let error = client.read_asset(first, Some(published.hash)).await.unwrap_err();
    assert!(matches!(error, ClientError::Rpc(error) if error.is(ErrorCode::Refused)));
}

#[tokio::test]
async fn an_inactive_run_is_read_from_the_store() {
    let served = Served::new().await;
    let run = served.submitted();
    let events = [NodeStatus::Running, NodeStatus::Completed].into_iter().zip(1..).map(|(status, seq)| {
        Op::Event { run: run.id, event: node(seq, "sky", ItemPath::WHOLE, status).into() }
    });
    commit(&served.context.store, events.chain([row(run.id, RunStatus::Completed)]).collect()).unwrap();
    let client = served.client().await;
    let mut notifications = client.notifications().unwrap();
    let watch = |run_id, seq| Watch { telemetry: vec![TelemetryOf { run_id, seq }], ..Watch::default() };
    client.call(watch(run.id, None)).await.unwrap();
    let Some(Notification::Snapshot { state, .. }) = recv(&mut notifications).await else { panic!() };
    assert_eq!((state.seq, state.nodes["sky"].whole.status), (2, NodeStatus::Completed));

    let client = served.client().await;
    let mut notifications = client.notifications().unwrap();
    client.call(watch(run.id, Some(1))).await.unwrap();
    let Some(Notification::State { event, .. }) = recv(&mut notifications).await else { panic!() };
    assert_eq!(event.seq, 2, "who has the first event gets the second");

    let error = client.call(watch(RunId::new(), None)).await.unwrap_err();
    assert!(matches!(error, ClientError::Rpc(error) if error.is(ErrorCode::NotFound)));
}

#[tokio::test]
async fn a_run_is_found_by_its_name() {
    let served = Served::new().await;
    let run = served.submitted();
    let client = served.client().await;
    let detail = client.call(runs::Get { run: "poster#1".into() }).await.unwrap();
    assert_eq!(detail.run.id, run.id);
    assert_eq!(detail.document, submission(1).version.document);
}
