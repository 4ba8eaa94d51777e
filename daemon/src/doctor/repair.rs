//! `fanlight doctor --repair`: imports files that the database does not know, as assets.
//!
//! Such files are left when their database was lost, replaced, or restored from an older copy. Their names and runs
//! were lost with it; their types are detected from their bytes.

use std::fs::File;
use std::sync::Arc;

use fanlight_shared::asset::{Asset, AssetKind, PreviewState};
use fanlight_shared::environment::Environment;
use fanlight_shared::event::{NodeUpdate, Numbered, RunUpdate, StateEvent};
use fanlight_shared::id::{AssetId, BlobHash, RunId, SubmissionId, Version, WorkflowId};
use fanlight_shared::item::ItemPath;
use fanlight_shared::lineage::MadeWith;
use fanlight_shared::origin::Fresh;
use fanlight_shared::run::{NodeStatus, Run, RunStatus};
use fanlight_shared::time::Time;
use fanlight_shared::value::Value;
use indexmap::IndexMap;

use super::Report;
use crate::media;
use crate::store::blob::Published;
use crate::store::{ChildFiles, NewAsset, NewRun, NewVersion, Op, Store, StoreError, Submit};

/// The workflow that imported files belong to; running it does nothing.
const DOCUMENT: &str = "\
id: 0198f1a9-5c00-7000-8000-66616e6c6774
name: Recovered files
description: Files that `fanlight doctor --repair` found next to the database
nodes:
  files:
    run: echo 'its assets are what `fanlight doctor --repair` imported'
";
/// The node whose assets they become.
const NODE: &str = "files";
/// The number of files imported in one transaction.
const BATCH: usize = 256;

/// The result of an import.
#[derive(Default)]
pub struct Repaired {
    /// The run that the assets belong to, if there were any.
    pub run: Option<Run>,
    /// The assets.
    pub assets: Vec<Asset>,
}

/// Imports the files that the database does not know, and reports them. Blocks: it reads each of them.
pub(super) fn repair(store: &Store, report: &mut Report) -> Repaired {
    let mut repaired = Repaired::default();
    let (mut hashes, mut unread) = (Vec::new(), Vec::new());
    let outcome = store.for_each_unknown(|hash| hashes.push(hash)).and_then(|()| {
        for hashes in hashes.chunks(BATCH) {
            import(store, hashes, &mut unread, &mut repaired)?;
        }
        Ok(())
    });
    report.problems(unread, "files that were not imported");
    if let Err(error) = outcome {
        report.problem(format!("the files could not be imported: {error}"));
    }
    if let Some(run) = &repaired.run {
        let count = repaired.assets.len();
        report.checked(format!(
            "imported {count} {}: the assets of {} (`fanlight assets list --run {}`)",
            if count == 1 { "file" } else { "files" },
            run.name(),
            run.name(),
        ));
    }
    repaired
}

fn import(
    store: &Store,
    hashes: &[BlobHash],
    unread: &mut Vec<String>,
    repaired: &mut Repaired,
) -> Result<(), StoreError> {
    let mut found = Vec::new();
    for hash in hashes {
        match read_media(store, *hash) {
            Ok(file) => found.push(file),
            Err(error) => unread.push(format!(
                "{} was not imported: {error}; it stays where it is",
                store.blobs().path(*hash).display()
            )),
        }
    }
    if found.is_empty() {
        return Ok(());
    }
    let run = match &repaired.run {
        Some(run) => run.clone(),
        None => repaired.run.insert(new_run(store)?).clone(),
    };
    let mut ops = Vec::new();
    for (published, media) in found {
        let ordinal = u32::try_from(repaired.assets.len()).unwrap_or(u32::MAX);
        let asset = asset(&run, Value::from(media), ordinal);
        ops.push(Op::Blob(published));
        ops.push(Op::Asset(Box::new(NewAsset {
            asset: asset.clone(),
            attempt: 0,
            duration_ms: 0,
            cost_usd: None,
        })));
        repaired.assets.push(asset);
    }
    store.commit_blocking(ops).map(drop)
}

/// Checks the hash of a file in the store, and returns it as media.
fn read_media(
    store: &Store,
    hash: BlobHash,
) -> Result<(Published, fanlight_shared::media::Media), StoreError> {
    let published = store.blobs().adopt(hash)?;
    let unreadable = |error: std::io::Error| StoreError::Disk(format!("it can't be read: {error}"));
    let mut file = File::open(store.blobs().path(hash)).map_err(unreadable)?;
    let sniffed = media::sniff(&mut file).map_err(unreadable)?;
    let ending = match sniffed.mime.split_once('/') {
        Some(("text", "plain")) => "txt",
        Some(("image" | "audio" | "video", kind)) => kind.trim_start_matches("x-"),
        Some(("application", "json")) => "json",
        _ => "bin",
    };
    let name = format!("{}.{ending}", &hash.to_string()[..12]);
    let media = media::describe(sniffed, hash, published.bytes, &name);
    Ok((published, media))
}

/// Creates an ended run that the assets belong to.
fn new_run(store: &Store) -> Result<Run, StoreError> {
    let at = Time::now();
    let submit = Submit {
        request_key: RunId::new().to_string(),
        workflow_id: Some(workflow_id()),
        path: None,
        slug: "recovered".to_owned(),
        title: "Recovered files".to_owned(),
        version: NewVersion {
            hash: Version::of(DOCUMENT),
            document: DOCUMENT.to_owned(),
            nodes: vec![NODE.to_owned()],
            edges: Vec::new(),
            concurrency: None,
            on_end: Vec::new(),
        },
        digest: fanlight_shared::id::BlobHash::of(b"repair"),
        submission: SubmissionId::new(),
        at,
        runs: vec![NewRun {
            id: RunId::new(),
            label: "files that the database did not know".to_owned(),
            params: IndexMap::new(),
        }],
        blobs: Vec::new(),
        next: false,
        priority: None,
        resume: None,
        sweep: None,
        parent: None,
        trial: None,
        files: ChildFiles::default(),
        environment: Environment::default(),
        made_with: MadeWith::default(),
        fresh: Fresh::default(),
    };
    let submitted = store.commit_blocking(vec![Op::Submit(Box::new(submit))])?.submitted;
    let mut run = submitted
        .and_then(|submitted| submitted.runs.into_iter().next())
        .ok_or_else(|| StoreError::Other("no run was created for the imported files".to_owned()))?;
    let done = NodeUpdate::new(NODE, ItemPath::WHOLE, NodeStatus::Completed, at);
    let events = [
        StateEvent::RunUpdate(RunUpdate::new(RunStatus::Running, at)),
        StateEvent::NodeUpdate(done),
        StateEvent::RunUpdate(RunUpdate::new(RunStatus::Completed, at)),
    ];
    let mut ops = Vec::new();
    for (seq, event) in (1..).zip(events) {
        run.fold(&event);
        ops.push(Op::Event { run: run.id, event: Arc::new(Numbered { seq, event }) });
    }
    store.commit_blocking(ops)?;
    Ok(run)
}

/// Returns the id of the workflow that imported files belong to.
fn workflow_id() -> WorkflowId {
    WorkflowId::from_bytes([
        0x01, 0x98, 0xf1, 0xa9, 0x5c, 0, 0x70, 0, 0x80, 0, 0x66, 0x61, 0x6e, 0x6c, 0x67, 0x74,
    ])
}

fn asset(run: &Run, value: Value, ordinal: u32) -> Asset {
    let media = value.as_media();
    let (mime, bytes, name) =
        media.map(|it| (it.mime.clone(), it.bytes, it.name.clone())).unwrap_or_default();
    Asset {
        id: AssetId::new(),
        workflow: run.workflow.clone(),
        run: run.name(),
        node: NODE.to_owned(),
        item: ItemPath::WHOLE,
        port: "file".to_owned(),
        kind: AssetKind::of(&value),
        mime,
        bytes,
        name,
        created_at: Time::now(),
        starred: false,
        ordinal,
        workflow_id: run.workflow_id,
        run_id: run.id,
        value,
        preview: PreviewState::Pending,
    }
}
