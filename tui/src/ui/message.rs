//! The messages of the UI: keys, the daemon, finished background work, time.

use std::path::PathBuf;
use std::sync::Arc;

use crossterm::event::{KeyEvent, MouseEvent};
use fanlight_shared::asset::{Asset, Recipe};
use fanlight_shared::id::{AssetId, BlobHash, RunId, Version};
use fanlight_shared::media::DirManifest;
use fanlight_shared::rpc::daemon::HelloResponse;
use fanlight_shared::rpc::metrics::{Curve, Series};
use fanlight_shared::rpc::questions::OpenQuestion;
use fanlight_shared::rpc::sweeps::{Best, Progress, SearchDetail, Stretch, TrialRow};
use fanlight_shared::rpc::watch::Notification;
use fanlight_shared::rpc::{Page, logs, models, runs, values, workflows};
use fanlight_shared::run::Run;
use fanlight_shared::spent::Spent;
use fanlight_shared::time::Time;
use fanlight_shared::value::Values;
use fanlight_shared::workflow::Workflow;
use indexmap::IndexMap;

use super::address::Address;
use super::document::{Document, Request};
use super::effect::{CurvesOf, Effect};
use super::graph::Layout;
use super::picture::{Painted, PictureOf};
use crate::ui::areas::Areas;

/// A search: what it found, and how far it is.
#[derive(Clone, PartialEq, Debug)]
pub struct SearchRead {
    /// What it found.
    pub detail: SearchDetail,
    /// How far it is.
    pub progress: Progress,
}

/// A message.
#[derive(Debug)]
pub enum Message {
    /// A key was pressed.
    Key(KeyEvent),
    /// The mouse moved, clicked or scrolled.
    Mouse(MouseEvent),
    /// Text was pasted.
    Paste(String),
    /// The terminal has a new size, in cells.
    Resize(u16, u16),
    /// An animation step is due, or a clock on screen changes.
    Tick(Time),
    /// The connection changed.
    Link(Link),
    /// The daemon hasn't responded since then; `None` if it does again.
    Silence(Option<Time>),
    /// A notification of the daemon.
    Notification(Box<Notification>),
    /// A response, or the result of background work.
    Response(Box<Response>),
    /// A frame was painted, with these areas. It only leads to requests for what has come into view.
    Shown(Box<Areas>),
}

/// The state of the connection.
#[derive(Clone, PartialEq, Debug)]
pub enum Link {
    /// Looking for a daemon.
    Connecting,
    /// There was none; one is being started.
    Starting,
    /// Connected.
    Up(HelloResponse),
    /// Lost or refused; it is retried.
    Down(String),
}

/// Metrics with their curves.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Measured {
    /// The first ones.
    pub curves: Vec<(Series, Curve)>,
    /// Whether there are more than are shown.
    pub further: bool,
}

/// Why a request failed, as far as it matters to the UI.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Why {
    /// The daemon is away.
    Away,
    /// The object of the request is gone.
    Gone,
    /// Anything else.
    Other,
}

/// The result of background work.
#[derive(Debug)]
pub enum Response {
    /// A request failed.
    Failed {
        /// What.
        request: Box<Effect>,
        /// Why, in one sentence.
        error: String,
        /// Whether a retry may help.
        why: Why,
    },
    /// A simple request is done.
    Done(String),
    /// Runs were started.
    Started {
        /// The key of the request, as [`Effect::request_key`] returns it.
        request_key: String,
        /// The runs.
        started: runs::Started,
        /// Why others of the same request were not started.
        others: Option<String>,
    },
    /// A page of runs.
    Runs {
        /// Who asked.
        to: Address,
        /// The page.
        page: Page<Run>,
    },
    /// The states of the runs of a sweep, and what they made, if that was asked for.
    Sweep {
        /// Its name.
        name: String,
        /// The number of the request.
        request: u64,
        /// The states of its runs.
        runs: Vec<Stretch>,
        /// Its outputs that are numbers, and the cost and the tokens of its runs.
        best: Option<(IndexMap<String, Best>, Spent)>,
        /// Its search, if it was asked for and there is one.
        search: Option<Box<SearchRead>>,
    },
    /// The trials of a search.
    Trials(String, Box<SearchRead>, Vec<TrialRow>),
    /// The open questions, up to a limit.
    Questions(Vec<OpenQuestion>),
    /// An answer was stored.
    Answered(Box<runs::Answer>),
    /// A run in full, for the lens or the comparison.
    Run {
        /// The run.
        detail: Box<runs::Detail>,
        /// Its file, read.
        workflow: Option<Arc<Workflow>>,
    },
    /// All params of a run as they were submitted, not sanitised.
    Params(RunId, Values),
    /// A run that the registry asked for; `None` if it is gone.
    Known(RunId, Option<Box<Run>>),
    /// A page of products.
    Assets {
        /// Who asked.
        to: Address,
        /// The page.
        page: Page<Asset>,
    },
    /// The lineage of an asset.
    Recipe(AssetId, Box<Recipe>),
    /// The stored text preview of an asset.
    PreviewText(AssetId, String),
    /// A picture is ready to be drawn.
    Painted(Box<Painted>),
    /// A picture can't be shown.
    NotPainted(PictureOf, String),
    /// The text of an asset, for the viewer and the comparison.
    Text(AssetId, String),
    /// The list of the files of a folder.
    Manifest(AssetId, DirManifest),
    /// A file of a folder.
    File(AssetId, BlobHash, FileText),
    /// A part of a log, with its request.
    Log(Box<logs::Read>, Box<logs::Part>),
    /// Metrics with their curves, with the request.
    Metrics(CurvesOf, Measured),
    /// A page of the table of runs.
    Table(runs::Table, Box<Page<runs::TableRow>>),
    /// The values of a port in each run, with the request.
    Values(Box<values::List>, Box<Page<values::PortValue>>),
    /// The workflows that have runs.
    Workflows(Vec<workflows::WorkflowInfo>),
    /// Files of this folder that are workflows.
    Files(Vec<PathBuf>),
    /// The names in a folder.
    Folder(PathBuf, Vec<Entry>),
    /// The models of a provider.
    Models(Vec<models::Provider>),
    /// A workflow was read and checked; otherwise [`Response::Failed`].
    Document {
        /// The request.
        request: Request,
        /// What was read.
        document: Box<Document>,
    },
    /// The layout of the graph of a workflow of this version.
    Graph(Version, Arc<Layout>),
    /// A file was written.
    Saved(PathBuf),
}

/// What is in a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FileText {
    /// A text.
    Text(String),
    /// Bytes that are not a text.
    Binary,
    /// It could not be read, and why.
    Failed(String),
}

impl FileText {
    /// Returns what these bytes are.
    #[must_use]
    pub fn of(bytes: Vec<u8>) -> Self {
        match String::from_utf8(bytes) {
            Ok(text) if !text.contains('\0') => Self::Text(text),
            _ => Self::Binary,
        }
    }

    /// Returns its size in memory, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        match self {
            Self::Text(text) | Self::Failed(text) => text.len(),
            Self::Binary => 0,
        }
    }
}

/// A name in a folder.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Whether it is a folder.
    pub folder: bool,
}
