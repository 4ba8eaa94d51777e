//! What is kept: SQLite for rows and small bytes, files named by their hash for large ones.
//!
//! One thread writes. It takes whatever batches wait, commits them together in the order in which they came, and then
//! calls each batch's `after`. Readers work beside it. PLACEHOLDER bodies; signatures hold.

pub mod blob;

use std::path::PathBuf;

use fanlight_shared::asset::Asset;
use fanlight_shared::event::Numbered;
use fanlight_shared::home::Home;
use fanlight_shared::id::{AssetId, RunId, SubmissionId, Version, WorkflowId};
use fanlight_shared::item::ItemPath;
use fanlight_shared::run::{Run, RunStatus};
use fanlight_shared::time::Time;
use fanlight_shared::value::{Value, Values};
use indexmap::IndexMap;

use blob::{Blobs, Published};

/// Why the store refused.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// No space, no quota, or no permission to write.
    #[error("the disk that holds {0} is full; free some space and try again")]
    Full(PathBuf),
    /// A newer Fanlight made this database.
    #[error(
        "the database {path} was made by a newer Fanlight (schema {found}, this one knows {known}); use that version"
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its schema.
        found: u32,
        /// The newest this program knows.
        known: u32,
    },
    /// Nothing has this name or id; the sentence says what was looked for.
    #[error("{0}")]
    NotFound(String),
    /// The rest; the sentence says what was being done.
    #[error("{0}")]
    Other(String),
}

/// Something to write. The order within a batch and between batches is kept.
#[derive(Debug)]
pub enum Op {
    /// Runs of one submission: workflow, version, numbers, rows; answers [`Committed::submitted`].
    Submit(Box<Submit>),
    /// A state event of a run.
    Event {
        /// The run.
        run: RunId,
        /// The event.
        event: Numbered,
    },
    /// The row of a run, as lists show it.
    Run {
        /// The run.
        run: RunId,
        /// Its state.
        status: RunStatus,
        /// When it left the queue.
        started_at: Option<Time>,
        /// Its place among all starts.
        start_order: Option<u64>,
        /// When it ended.
        ended_at: Option<Time>,
        /// Why it failed.
        error: Option<String>,
        /// Nodes that ended.
        nodes_done: u32,
    },
    /// Bytes that later ops of this batch, or later batches, refer to.
    Blob(Published),
    /// Every port value of a node or item that finished, with the attempt that won.
    Values {
        /// The run.
        run: RunId,
        /// The node.
        node: String,
        /// The item.
        item: ItemPath,
        /// The values by port.
        values: Values,
    },
    /// A product that is kept.
    Asset(Box<NewAsset>),
    /// The user's own label.
    Label {
        /// The run.
        run: RunId,
        /// The label.
        label: String,
    },
    /// An ended run goes, with its telemetry and other values; its assets too if asked.
    DeleteRun {
        /// The run.
        run: RunId,
        /// Its assets too.
        assets: bool,
    },
    /// Assets get or lose their star.
    Star {
        /// The assets.
        assets: Vec<AssetId>,
        /// On or off.
        starred: bool,
    },
    /// Assets go for good, with the values they show.
    DeleteAssets(Vec<AssetId>),
    /// Other values of this workflow's ended runs beyond the newest `keep` go.
    Evict {
        /// The workflow.
        workflow: WorkflowId,
        /// How many of its newest runs keep theirs.
        keep: u32,
    },
    /// The preview of an asset is there, or there is none.
    Preview {
        /// The asset.
        asset: AssetId,
        /// MIME type and bytes; `None` is "there is none".
        preview: Option<(String, Vec<u8>)>,
    },
    /// A setting of the queue that survives restarts: `max_concurrent_runs`, `paused`.
    Setting {
        /// Its name.
        name: &'static str,
        /// Its value; `None` forgets it.
        value: Option<String>,
    },
}

/// An asset to be stored, with what makes its recipe beyond its run.
#[derive(Debug)]
pub struct NewAsset {
    /// As lists show it.
    pub asset: Asset,
    /// The attempt that made it, from 1.
    pub attempt: u32,
    /// How long that took, in milliseconds.
    pub duration_ms: u64,
    /// What it cost in US dollars.
    pub cost_usd: Option<f64>,
}

/// Runs to be submitted.
#[derive(Debug)]
pub struct Submit {
    /// The same key gives the same runs.
    pub request_key: String,
    /// `id:` of the file.
    pub workflow_id: Option<WorkflowId>,
    /// The canonical path of the file.
    pub path: Option<String>,
    /// What a new workflow's slug is made from (lower case, `a-z0-9-`); made unique with `-2`, `-3` ….
    pub slug: String,
    /// What the file calls itself.
    pub title: String,
    /// The text of the file.
    pub document: String,
    /// Its content hash.
    pub version: Version,
    /// How many nodes it has.
    pub nodes: u32,
    /// The submission.
    pub submission: SubmissionId,
    /// When.
    pub at: Time,
    /// The runs.
    pub runs: Vec<NewRun>,
    /// Blobs that the params refer to.
    pub blobs: Vec<Published>,
    /// They go to the head of the queue.
    pub next: bool,
    /// The ended run whose finished values are taken over (copied within the transaction, by reference to blobs):
    /// those of the named nodes and items.
    pub resume: Option<ResumeFrom>,
}

/// What a resumed run takes over.
#[derive(Debug)]
pub struct ResumeFrom {
    /// The ended run.
    pub run: RunId,
    /// Nodes and items that are finished and keep their values.
    pub finished: Vec<(String, ItemPath)>,
}

/// One run to be submitted.
#[derive(Debug)]
pub struct NewRun {
    /// Its id.
    pub id: RunId,
    /// Its label.
    pub label: String,
    /// All its params, defaults included.
    pub params: IndexMap<String, Value>,
}

/// What a commit made.
#[derive(Debug, Default)]
pub struct Committed {
    /// Of [`Op::Submit`]: the runs. Of a repeated request key: those of the first time.
    pub submitted: Option<Submitted>,
    /// Of [`Op::DeleteRun`] and [`Op::DeleteAssets`]: the assets that went.
    pub deleted_assets: Vec<(WorkflowId, AssetId)>,
    /// Of [`Op::Star`] and [`Op::Preview`]: the assets as they are now.
    pub changed_assets: Vec<Asset>,
}

/// What [`Op::Submit`] made.
#[derive(Debug)]
pub struct Submitted {
    /// The runs as lists show them.
    pub runs: Vec<Run>,
    /// They had been submitted before, under the same key: nothing was made.
    pub repeated: bool,
    /// The workflow is new but its version is known from this other path: the file was probably moved.
    pub moved_from: Option<String>,
}

/// What is called after the commit, on the writer's thread, in order; it must not wait.
pub type After = Box<dyn FnOnce(Result<Committed, StoreError>) + Send>;

/// Ops that are committed together.
pub struct Batch {
    /// What to write.
    pub ops: Vec<Op>,
    /// `true`: what the engine decided and can't take back; on a full disk the writer keeps it and tries again until it
    /// fits. `false`: somebody's request; on a full disk it is refused at once.
    pub must: bool,
    /// What is called after the commit.
    pub after: Option<After>,
}

/// A run that had not ended when the daemon did.
#[derive(Debug)]
pub struct OpenRun {
    /// As lists show it.
    pub run: Run,
    /// The text of the file it was submitted with.
    pub document: String,
    /// The path of that file.
    pub path: Option<String>,
    /// Its state events, in order.
    pub events: Vec<Numbered>,
    /// Its values: node, item, port, value (`None` where not kept).
    pub values: Vec<(String, ItemPath, String, Option<Value>)>,
}

/// The store: cheap to clone.
#[derive(Clone)]
pub struct Store {
    blobs: Blobs,
}

impl Store {
    /// Opens or makes the store of a home.
    ///
    /// # Errors
    /// A newer schema, a folder that can't be made or written, a database that is none.
    pub fn open(home: &Home) -> Result<Self, StoreError> {
        Ok(Self { blobs: Blobs::open(home)? })
    }
    /// Hands a batch to the writer; never waits for the disk.
    pub fn write(&self, batch: Batch) {
        let _ = batch;
    }
    /// Writes ops as one request and waits for the commit.
    ///
    /// # Errors
    /// What the writer says.
    pub async fn commit(&self, ops: Vec<Op>) -> Result<Committed, StoreError> {
        let (send, receive) = tokio::sync::oneshot::channel();
        let after: After = Box::new(move |answer| {
            let _ = send.send(answer);
        });
        self.write(Batch { ops, must: false, after: Some(after) });
        receive.await.unwrap_or_else(|_| Err(StoreError::Other("the store is closed".into())))
    }
    /// Where bytes lie.
    #[must_use]
    pub fn blobs(&self) -> &Blobs {
        &self.blobs
    }
    /// Runs that had not ended, in queue order (running ones first, by start). Blocks.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn open_runs(&self) -> Result<Vec<OpenRun>, StoreError> {
        Ok(Vec::new())
    }
    /// One run with everything, ended or not. Blocks.
    ///
    /// # Errors
    /// No such run.
    pub fn run(&self, id: RunId) -> Result<OpenRun, StoreError> {
        Err(StoreError::NotFound(format!("no run {id}")))
    }
    /// A setting of the queue. Blocks.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn setting(&self, name: &str) -> Result<Option<String>, StoreError> {
        let _ = name;
        Ok(None)
    }
    /// `runs.list`. Blocks.
    ///
    /// # Errors
    /// A bad cursor.
    pub fn runs(&self, list: &fanlight_shared::rpc::runs::List) -> Result<fanlight_shared::rpc::Page<Run>, StoreError> {
        let _ = list;
        Ok(fanlight_shared::rpc::Page { rows: Vec::new(), cursor: None })
    }
    /// The run that a person named. Blocks.
    ///
    /// # Errors
    /// No such run.
    pub fn find_run(&self, text: &str) -> Result<Run, StoreError> {
        Err(StoreError::NotFound(format!("no run `{text}`")))
    }
    /// What is known of a run. Blocks.
    ///
    /// # Errors
    /// No such run.
    pub fn run_state(&self, id: RunId) -> Result<fanlight_shared::run_state::RunState, StoreError> {
        Err(StoreError::NotFound(format!("no run {id}")))
    }
    /// `workflows.list`. Blocks.
    ///
    /// # Errors
    /// A bad cursor.
    pub fn workflows(
        &self,
        list: &fanlight_shared::rpc::workflows::List,
    ) -> Result<fanlight_shared::rpc::Page<fanlight_shared::rpc::workflows::WorkflowInfo>, StoreError> {
        let _ = list;
        Ok(fanlight_shared::rpc::Page { rows: Vec::new(), cursor: None })
    }
    /// `workflows.get`. Blocks.
    ///
    /// # Errors
    /// No such workflow.
    pub fn workflow(&self, text: &str) -> Result<fanlight_shared::rpc::workflows::Detail, StoreError> {
        Err(StoreError::NotFound(format!("no workflow `{text}`")))
    }
    /// `values.list`. Blocks.
    ///
    /// # Errors
    /// A bad cursor.
    pub fn values(
        &self,
        list: &fanlight_shared::rpc::values::List,
    ) -> Result<fanlight_shared::rpc::Page<fanlight_shared::rpc::values::PortValue>, StoreError> {
        let _ = list;
        Ok(fanlight_shared::rpc::Page { rows: Vec::new(), cursor: None })
    }
    /// `assets.list`. Blocks.
    ///
    /// # Errors
    /// A bad cursor.
    pub fn assets(
        &self,
        list: &fanlight_shared::rpc::assets::List,
    ) -> Result<fanlight_shared::rpc::Page<Asset>, StoreError> {
        let _ = list;
        Ok(fanlight_shared::rpc::Page { rows: Vec::new(), cursor: None })
    }
    /// `assets.get`. Blocks.
    ///
    /// # Errors
    /// No such asset.
    pub fn asset(&self, prefix: &str) -> Result<fanlight_shared::rpc::assets::Detail, StoreError> {
        Err(StoreError::NotFound(format!("no asset `{prefix}`")))
    }
    /// The stored preview of an asset: MIME type and bytes. Blocks.
    ///
    /// # Errors
    /// No such asset.
    pub fn preview(&self, id: AssetId) -> Result<Option<(String, Vec<u8>)>, StoreError> {
        Err(StoreError::NotFound(format!("no asset {id}")))
    }
    /// Ends the writer after what waits is committed.
    pub fn close(&self) {}
}
