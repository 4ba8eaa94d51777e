//! Stories about the store. The builders are here, the stories in one file per noun.

mod cached;
mod damaged;
mod deletion;
mod disk;
mod environment;
mod event_rows;
mod frozen;
mod keeping;
mod listed;
mod on_end;
mod opening;
mod paging;
mod searches;
mod series;
mod source;
mod submitted;
mod sweeps;
mod totals;

use fanlight_shared::asset::{Asset, AssetKind, PreviewState};
use fanlight_shared::environment::Environment;
use fanlight_shared::event::{NodeUpdate, Numbered, RunUpdate, StateEvent};
use fanlight_shared::home::Home;
use fanlight_shared::id::{AssetId, RunId, SubmissionId, Version};
use fanlight_shared::item::ItemPath;
use fanlight_shared::lineage::MadeWith;
use fanlight_shared::media::{Media, MediaKind};
use fanlight_shared::origin::{Fresh, Origin};
use fanlight_shared::run::{NodeStatus, Run, RunStatus};
use fanlight_shared::run_state::Summary;
pub(crate) use fanlight_shared::testing::wait_for;
use fanlight_shared::time::Time;
use fanlight_shared::value::{Value, Values};
use indexmap::IndexMap;
use tempfile::TempDir;

use super::blob::Published;
use super::*;

/// A store in its own folder.
pub(crate) struct Fixture {
    pub(crate) store: Store,
    pub(crate) home: Home,
    _folder: TempDir,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let home = home(folder.path());
        Self { store: Store::open(&home).unwrap(), home, _folder: folder }
    }

    /// Closes the store and opens it again, as the next daemon does.
    pub(crate) fn reopen(&mut self) {
        self.store.close();
        self.store = Store::open(&self.home).unwrap();
    }

    pub(crate) fn commit(&self, ops: Vec<Op>) -> Committed {
        self.try_commit(ops).unwrap()
    }

    pub(crate) fn try_commit(&self, ops: Vec<Op>) -> Result<Committed, StoreError> {
        commit(&self.store, ops)
    }

    /// Changes the database behind the store's back.
    pub(crate) fn tamper(&self, sql: &str) {
        tamper(&self.home, sql);
    }

    /// Submits runs of the workflow `poster`.
    pub(crate) fn submit(&self, runs: usize) -> Vec<Run> {
        self.submit_with(submission(runs)).runs
    }

    pub(crate) fn submit_with(&self, submit: Submit) -> Submitted {
        self.commit(vec![Op::Submit(submit.into())]).submitted.unwrap()
    }

    /// Returns an ended run.
    pub(crate) fn ended(&self) -> Run {
        let run = self.submit(1).remove(0);
        self.end(&run);
        run
    }

    pub(crate) fn end(&self, run: &Run) {
        self.commit(vec![row(run.id, RunStatus::Completed)]);
    }

    /// Publishes bytes as a picture; the value is committed with them.
    pub(crate) fn picture(&self, bytes: &[u8]) -> (Published, Media) {
        let published = self.store.blobs().publish(bytes.to_vec()).unwrap();
        let media = Media {
            kind: MediaKind::Image,
            hash: published.hash,
            mime: "image/png".into(),
            bytes: published.bytes,
            name: "a.png".into(),
            width: None,
            height: None,
            executable: false,
            source: None,
        };
        (published, media)
    }

    /// Returns a picture that a node of a run made: blob, value and asset.
    pub(crate) fn product(&self, run: &Run, node: &str, bytes: &[u8]) -> Asset {
        let (published, media) = self.picture(bytes);
        let asset = asset(run, node, Value::from(media.clone()));
        self.commit(vec![
            Op::Blob(published),
            values(run.id, node, "image", Value::from(media)),
            Op::Asset(new_asset(&asset).into()),
        ]);
        asset
    }
}

pub(crate) fn home(folder: &std::path::Path) -> Home {
    Home::below(&folder.join("home")).unwrap()
}

/// Changes the database behind the back of its store. Each event has a row of its own then, as under earlier programs.
pub(crate) fn tamper(home: &Home, sql: &str) {
    const LISTS: &str = "substr(body, 1, 1) = '[' AND json_valid(body)";
    let db = Connection::open(home.database()).unwrap();
    db.execute_batch(&format!(
        "CREATE TEMP TABLE one AS SELECT run, seq + e.key AS seq, e.value AS body FROM event, \
         json_each(CASE WHEN {LISTS} THEN body ELSE '[]' END) AS e WHERE {LISTS}; DELETE FROM event WHERE {LISTS}; \
         INSERT INTO event SELECT run, seq, body FROM one; DROP TABLE one",
    ))
    .unwrap();
    db.execute_batch(sql).unwrap();
}

pub(crate) fn commit(store: &Store, ops: Vec<Op>) -> Result<Committed, StoreError> {
    write(store, ops, false).recv().unwrap()
}

/// Sends a batch; the writer's response arrives at the receiver.
pub(crate) fn write(
    store: &Store,
    mut ops: Vec<Op>,
    must: bool,
) -> std::sync::mpsc::Receiver<Result<Committed, StoreError>> {
    for op in &mut ops {
        if let Op::Values { values, bodies, .. } = op {
            *bodies = super::bodies(values.iter(), store.blobs()).unwrap();
        }
    }
    let (send, receive) = channel();
    let after: After = Box::new(move |answer| {
        let _ = send.send(answer);
    });
    store.write(Batch { ops, must, after: Some(after), ..Batch::default() });
    receive
}

/// Returns the version of a document with one node.
pub(crate) fn version_of(document: &str, node: &str) -> NewVersion {
    NewVersion {
        hash: Version::of(document),
        document: document.into(),
        nodes: vec![node.into()],
        edges: Vec::new(),
        concurrency: None,
        on_end: Vec::new(),
    }
}

pub(crate) fn submission(runs: usize) -> Submit {
    let document = "nodes: { sky: { uses: image.generate } }";
    Submit {
        request_key: uuid::Uuid::now_v7().to_string(),
        workflow_id: None,
        path: Some("/home/ada/poster.yaml".into()),
        slug: "poster".into(),
        title: "Seaside poster".into(),
        version: version_of(document, "sky"),
        digest: BlobHash::of(document.as_bytes()),
        submission: SubmissionId::new(),
        at: Time::now(),
        runs: (0..runs)
            .map(|seed| NewRun {
                id: RunId::new(),
                label: format!("seed={seed}"),
                params: IndexMap::from([("seed".to_owned(), Value::Int(seed as i64))]),
            })
            .collect(),
        blobs: Vec::new(),
        environment: Environment::default(),
        made_with: MadeWith::default(),
        fresh: Fresh::default(),
        next: false,
        priority: None,
        resume: None,
        sweep: None,
        parent: None,
        trial: None,
        files: ChildFiles::default(),
    }
}

pub(crate) fn row(run: RunId, status: RunStatus) -> Op {
    let started = (status != RunStatus::Queued).then_some(Time(1));
    let summary = Summary {
        status,
        started_at: started,
        start_order: started.map(|_| 1),
        ended_at: status.is_ended().then_some(Time(2)),
        ..Summary::default()
    };
    Op::Row { run, summary }
}

pub(crate) fn event(run: RunId, seq: u64) -> Op {
    let update = NodeUpdate::new("sky", ItemPath::WHOLE, NodeStatus::Running, Time(seq as i64));
    Op::Event { run, event: Numbered { seq, event: StateEvent::NodeUpdate(update) }.into() }
}

pub(crate) fn values(run: RunId, node: &str, port: &str, value: Value) -> Op {
    Op::Values {
        run,
        node: node.into(),
        item: ItemPath::WHOLE,
        values: Values::from([(port.to_owned(), value)]),
        bodies: Bodies::new(),
        cache_key: None,
    }
}

/// Returns a node of an ended run whose values a new run takes over.
pub(crate) fn finished(run: &Run, node: &str) -> Finished {
    let origin = Origin { run_id: run.id, run: run.name(), node: node.to_owned(), item: ItemPath::WHOLE };
    Finished { node: node.to_owned(), item: ItemPath::WHOLE, origin }
}

pub(crate) fn asset(run: &Run, node: &str, value: Value) -> Asset {
    let (mime, bytes, name) = match value.as_media() {
        Some(media) => (media.mime.clone(), media.bytes, media.name.clone()),
        None => ("application/json".to_owned(), 1, "value.json".to_owned()),
    };
    Asset {
        id: AssetId::new(),
        workflow: run.workflow.clone(),
        run: run.name(),
        node: node.into(),
        item: ItemPath::WHOLE,
        port: "image".into(),
        kind: AssetKind::of(&value),
        mime,
        bytes,
        name,
        created_at: Time::now(),
        starred: false,
        ordinal: 0,
        workflow_id: run.workflow_id,
        run_id: run.id,
        value,
        preview: PreviewState::Pending,
    }
}

pub(crate) fn new_asset(asset: &Asset) -> NewAsset {
    NewAsset { asset: asset.clone(), attempt: 1, duration_ms: 40, cost_usd: None }
}

/// Returns bytes that are too many for SQLite.
pub(crate) fn large(fill: u8) -> Vec<u8> {
    vec![fill; 100_000]
}
