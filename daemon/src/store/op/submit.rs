//! Submissions: what [`Op::Submit`](super::Op::Submit) stores, and what comes of it.

use std::collections::HashSet;
use std::sync::Arc;

use fanlight_shared::environment::Environment;
use fanlight_shared::id::{BlobHash, RunId, SubmissionId, Version, WorkflowId};
use fanlight_shared::item::ItemPath;
use fanlight_shared::lineage::MadeWith;
use fanlight_shared::on_end::OnEnd;
use fanlight_shared::origin::{Fresh, Origin};
use fanlight_shared::run::{Parent, Run};
use fanlight_shared::search::{Report, Search};
use fanlight_shared::sweep::{Limits, Pause, Used};
use fanlight_shared::time::Time;
use fanlight_shared::value::{Value, Values};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::store::blob::Published;

/// Runs to be submitted.
#[derive(Debug)]
pub struct Submit {
    /// The same key gives the same runs.
    pub request_key: String,
    /// `id:` of the file.
    pub workflow_id: Option<WorkflowId>,
    /// The canonical path of the file.
    pub path: Option<String>,
    /// The base of a new workflow's slug (lower case, `a-z0-9-`), made unique with `-2`, `-3` ….
    pub slug: String,
    /// The title in the file.
    pub title: String,
    /// The file, and what is stored with it.
    pub version: NewVersion,
    /// The digest of the request: the same key with another digest is an error.
    pub digest: BlobHash,
    /// The submission.
    pub submission: SubmissionId,
    /// When.
    pub at: Time,
    /// The runs.
    pub runs: Vec<NewRun>,
    /// Blobs that the params refer to.
    pub blobs: Vec<Published>,
    /// The variables that their commands get from the submitter.
    pub environment: Environment,
    /// The versions of the program and of the node types.
    pub made_with: MadeWith,
    /// The nodes that reuse no results.
    pub fresh: Fresh,
    /// Whether they go to the head of the queue.
    pub next: bool,
    /// Their priority; without one, that of the newest run of their sweep.
    pub priority: Option<i32>,
    /// The sweep that the runs are.
    pub sweep: Option<SweepOf>,
    /// The trial that the run is, of a search.
    pub trial: Option<NewTrial>,
    /// The ended run whose finished values are reused: those of the named nodes and items are copied within the
    /// transaction, by reference to blobs.
    pub resume: Option<ResumeFrom>,
    /// The node that starts it. Its run doesn't wait for a slot, and uses its variables.
    pub parent: Option<Parent>,
    /// The files of the workflows that it runs.
    pub files: ChildFiles,
}

/// The files of the workflows that a run starts.
#[derive(Debug)]
pub enum ChildFiles {
    /// These.
    Read(Vec<NewFile>),
    /// Those of another run.
    Of(RunId),
}

impl Default for ChildFiles {
    fn default() -> Self {
        Self::Read(Vec::new())
    }
}

/// The files of the workflows that a run starts: the file whose node names each, the name there, and the version.
pub type ChildVersions = HashSet<(String, String, Version)>;

/// The file of a workflow that a run starts.
#[derive(Clone, Debug)]
pub struct NewFile {
    /// The canonical path of the file whose node names it.
    pub reader: String,
    /// Its name there.
    pub name: String,
    /// Its canonical path.
    pub path: String,
    /// The document and what is stored with it.
    pub version: NewVersion,
}

/// A version of a workflow file.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewVersion {
    /// Its content hash.
    pub hash: Version,
    /// The text of the file.
    pub document: String,
    /// The names of its nodes, in the order of the file; the state of a run is folded over them.
    pub nodes: Vec<String>,
    /// The names of its edges, in the order of the file.
    pub edges: Vec<String>,
    /// `concurrency:` of the file.
    pub concurrency: Option<u32>,
    /// `on_end:` of the file. It is not part of an archive: only the file says what is done on this machine.
    #[serde(skip)]
    pub on_end: Vec<OnEnd>,
}

/// The sweep of a submission.
#[derive(Debug)]
pub enum SweepOf {
    /// A new one.
    New(NewSweep),
    /// One that exists, and gets further runs.
    Extended {
        /// Its name.
        name: String,
        /// The params that have several values with the new runs.
        swept: Vec<String>,
    },
}

impl SweepOf {
    /// Returns the params that have several values.
    #[must_use]
    pub fn swept(&self) -> &[String] {
        match self {
            Self::New(new) => &new.swept,
            Self::Extended { swept, .. } => swept,
        }
    }
}

/// A sweep to be created.
#[derive(Debug)]
pub struct NewSweep {
    /// The name that the user gave it; without one it is named after its workflow.
    pub name: Option<String>,
    /// The params that were given several values.
    pub swept: Vec<String>,
    /// Its limits.
    pub limits: Limits,
    /// How its further runs are proposed.
    pub search: Option<Search>,
}

/// A run that a search proposed.
#[derive(Clone, Debug)]
pub struct NewTrial {
    /// The key of its sweep; `None` if the sweep is created with it.
    pub sweep: Option<i64>,
    /// Its number, from 0.
    pub number: u32,
    /// The params that the search chose.
    pub params: Values,
    /// How many observations it was proposed from.
    pub seen: u32,
}

/// A search as the engine needs it.
#[derive(Clone, Debug)]
pub struct StoredSearch {
    /// The search.
    pub search: Arc<Search>,
    /// How many trials it has in all.
    pub length: u32,
    /// How many trials were proposed.
    pub proposed: u32,
    /// The reports that its pruner has decided about.
    pub reports: Vec<Report>,
}

/// A sweep as the engine needs it.
#[derive(Clone, Debug)]
pub struct StoredSweep {
    /// Its name.
    pub name: String,
    /// Its limits.
    pub limits: Limits,
    /// Why it is paused.
    pub paused: Option<Pause>,
    /// What it had used when it last continued after a limit.
    pub before: Used,
    /// What its runs have used, without the time of those that have not ended.
    pub used: Used,
    /// The search that proposes its runs.
    pub search: Option<StoredSearch>,
}

/// The part of an ended run that a resumed run reuses.
#[derive(Debug)]
pub struct ResumeFrom {
    /// The ended run.
    pub run: RunId,
    /// Nodes and items that are finished and keep their values.
    pub finished: Vec<Finished>,
}

/// A finished node or item of an ended run, whose values a new run takes over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finished {
    /// The node.
    pub node: String,
    /// The item.
    pub item: ItemPath,
    /// Where its values were computed.
    pub origin: Origin,
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

/// The result of [`Op::Submit`](super::Op::Submit).
#[derive(Debug)]
pub struct Submitted {
    /// The runs as lists show them.
    pub runs: Vec<Run>,
    /// Their sweep.
    pub sweep: Option<Box<StoredSweep>>,
    /// Whether they had been submitted before with the same key, so that nothing was created.
    pub repeated: bool,
    /// The workflow is new but its version is known from this other path: the file was probably moved.
    pub moved_from: Option<String>,
}
