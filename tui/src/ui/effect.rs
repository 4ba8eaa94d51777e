//! Effects of a step, as plain data. [`super::app`] carries them out, off the event loop if they take time.

use std::path::PathBuf;
use std::sync::Arc;

use fanlight_shared::id::{AssetId, BlobHash, RunId};
use fanlight_shared::item::ItemPath;
use fanlight_shared::rpc::metrics::Axis;
use fanlight_shared::rpc::{assets, logs, queue, runs, sweeps, values, watch};
use fanlight_shared::time::Time;
use fanlight_shared::workflow::Workflow;

use super::address::Address;
use super::document::{Request, Source, Submission};
use super::picture::PictureRequest;

/// The most bytes of a text that are read.
pub const MAX_TEXT_BYTES: u64 = 1024 * 1024;

/// A workflow whose graph must be laid out; two of the same version are equal.
#[derive(Clone, Debug)]
pub struct Topology(pub Arc<Workflow>);

impl PartialEq for Topology {
    fn eq(&self, other: &Self) -> bool {
        self.0.version == other.0.version
    }
}

/// Curves of metrics.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CurvesOf {
    /// Of these runs, with their starts.
    pub runs: Vec<(RunId, Time)>,
    /// Of this node only.
    pub node: Option<String>,
    /// Of this item only.
    pub item: Option<ItemPath>,
    /// Of the metric with this name only.
    pub name: Option<String>,
    /// The axis.
    pub axis: Axis,
    /// The number of buckets.
    pub width: u32,
}

/// An effect of a step.
#[derive(Clone, PartialEq, Debug)]
pub enum Effect {
    /// End the UI; runs continue.
    Quit,
    /// Stop the process as ctrl-z does, and draw again afterwards.
    Suspend,
    /// Forget what the terminal shows and draw everything again.
    Redraw,
    /// Set the subscription; replaces the previous one.
    Watch(watch::Watch),
    /// Start runs.
    Start(Box<Submission>),
    /// End runs.
    Cancel(runs::Cancel),
    /// Answer a question of a node.
    Answer(Box<runs::Answer>),
    /// Read the open questions; returned as [`super::message::Response::Questions`].
    ListQuestions,
    /// Start runs that take over what an ended one computed before one of its nodes.
    Fork(Vec<runs::Resume>),
    /// Resume a run.
    Resume(Box<runs::Resume>),
    /// Delete runs.
    DeleteRuns(runs::Delete),
    /// Label a run.
    Label(runs::Label),
    /// Change the queue.
    SetQueue(queue::Set),
    /// Read a page of runs.
    ListRuns {
        /// The requester; returned with the response.
        to: Address,
        /// Which.
        list: runs::List,
    },
    /// Read the states of the runs of a sweep, and with `best` its best numbers; returned as
    /// [`super::message::Response::Sweep`].
    ReadSweep {
        /// Its name.
        name: String,
        /// The number of the request; returned with the response.
        request: u64,
        /// Whether the best numbers are read too.
        best: bool,
    },
    /// Read the trials of the search of a sweep; returned as [`super::message::Response::Trials`].
    ReadTrials(String),
    /// Pause a sweep or let it continue.
    SetSweep(sweeps::Set),
    /// Read a run in full; returned as [`super::message::Response::Run`].
    GetRun(RunId),
    /// Read all params of a run as they were submitted; returned as [`super::message::Response::Params`].
    GetParams(RunId),
    /// Read runs that may be gone; each is returned as [`super::message::Response::Known`].
    CheckRuns(Vec<RunId>),
    /// Read a page of assets.
    ListAssets {
        /// The requester; returned with the response.
        to: Address,
        /// Which.
        list: assets::List,
    },
    /// Reads the lineage of an asset.
    GetRecipe(AssetId),
    /// Star assets.
    Star(assets::Star),
    /// Delete assets.
    DeleteAssets(Vec<AssetId>),
    /// Decode and encode a picture for these cells; the newest request wins.
    Paint(PictureRequest),
    /// Read the stored text preview of an asset.
    GetPreviewText(AssetId),
    /// Read the text of an asset, at most [`MAX_TEXT_BYTES`].
    GetText(AssetId),
    /// Read the list of the files of a folder.
    GetManifest(AssetId),
    /// Read a file of a folder.
    GetFile(AssetId, BlobHash),
    /// Read a part of a log.
    ReadLog(logs::Read),
    /// Read metrics with their curves.
    ReadMetrics(CurvesOf),
    /// Read a page of the table of runs.
    ReadTable(runs::Table),
    /// Read the values of a port in each run.
    ListValues(values::List),
    /// Read the workflows that have runs.
    ListWorkflows,
    /// Find workflow files in the current folder.
    ListFiles,
    /// Read the names in a folder.
    ListFolder(PathBuf),
    /// Ask a provider of language models for its models.
    ListModels(String),
    /// Read and check a workflow.
    ReadWorkflow(Request),
    /// Read this file now and whenever it changes; replaces the previously watched file.
    WatchFile(Option<PathBuf>),
    /// Lay out the graph of a workflow.
    Layout(Topology),
    /// Open a file in `$VISUAL`, `$EDITOR` or `vi`; the UI waits and then reads the file again.
    Edit(PathBuf),
    /// Open text in `$PAGER`.
    Pager {
        /// The name of the temporary file.
        name: String,
        /// The text, sanitised.
        text: String,
    },
    /// Open an asset with the desktop's program.
    OpenOutside(AssetId),
    /// Save an asset to a file, which must not exist.
    SaveAs(AssetId, PathBuf),
    /// Copy text to the clipboard by OSC 52, or save it in a file and report the path.
    Copy(String),
    /// Ring the bell or send a notification: the last run ended.
    Notify(String),
    /// Request a [`super::message::Message::Tick`] after at most this many milliseconds. Views use
    /// [`super::areas::Areas::tick_in`].
    TickIn(u64),
    /// Enable or disable the mouse.
    Mouse(bool),
    /// Draw the terminal's pictures again, after it was cleared or another program used it.
    ForgetPictures,
    /// Write this to the terminal before the next frame: pictures to store or to delete.
    Terminal(Arc<str>),
}

impl Effect {
    /// Returns whether it needs the terminal.
    #[must_use]
    pub fn is_of_terminal(&self) -> bool {
        matches!(
            self,
            Self::Quit
                | Self::Suspend
                | Self::Redraw
                | Self::Edit(_)
                | Self::Pager { .. }
                | Self::Copy(_)
                | Self::Notify(_)
                | Self::TickIn(_)
                | Self::Mouse(_)
                | Self::ForgetPictures
                | Self::Terminal(_)
        )
    }

    /// Returns a description, for the message that it failed.
    #[must_use]
    pub fn words(&self) -> &'static str {
        match self {
            Self::Watch(_) => "watch",
            Self::Start(_) => "start",
            Self::Cancel(_) => "cancel",
            Self::Answer(_) => "answer",
            Self::ListQuestions => "questions",
            Self::Fork(_) => "fork",
            Self::Resume(_) => "resume",
            Self::DeleteRuns(_) | Self::DeleteAssets(_) => "delete",
            Self::Label(_) => "label",
            Self::SetQueue(_) => "queue",
            Self::ReadSweep { .. } | Self::ReadTrials(_) | Self::SetSweep(_) => "sweep",
            Self::ListRuns { .. } | Self::GetRun(_) | Self::CheckRuns(_) => "runs",
            Self::GetParams(_) => "params",
            Self::ListAssets { .. } | Self::GetRecipe(_) => "gallery",
            Self::GetPreviewText(_) | Self::GetText(_) => "preview",
            Self::GetManifest(_) | Self::GetFile(..) => "folder",
            Self::Star(_) => "star",
            Self::ReadLog(_) => "log",
            Self::ReadMetrics(_) => "metrics",
            Self::ReadTable(_) => "table",
            Self::ListValues(_) => "values",
            Self::ListWorkflows => "workflows",
            Self::ListFiles | Self::ListFolder(_) => "folder",
            Self::ListModels(_) => "models",
            Self::ReadWorkflow(Request { source: Source::New { .. }, .. }) => "new",
            Self::ReadWorkflow(_) => "read",
            Self::Layout(_) => "layout",
            Self::Edit(_) => "editor",
            Self::Pager { .. } => "pager",
            Self::OpenOutside(_) => "open",
            Self::SaveAs(..) => "save",
            Self::Copy(_) => "copy",
            _ => "terminal",
        }
    }

    /// Returns the key of a request that creates runs: of several requests the first one's.
    #[must_use]
    pub fn request_key(&self) -> Option<&str> {
        match self {
            Self::Start(submission) => Some(&submission.start.request_key),
            Self::Resume(request) => Some(&request.request_key),
            Self::Fork(requests) => requests.first().map(|request| request.request_key.as_str()),
            _ => None,
        }
    }

    /// Returns whether it only reads from the daemon, so that it can safely be repeated.
    #[must_use]
    pub fn reads(&self) -> bool {
        matches!(
            self,
            Self::ListRuns { .. }
                | Self::ReadSweep { .. }
                | Self::ReadTrials(_)
                | Self::ListQuestions
                | Self::ListAssets { .. }
                | Self::ListWorkflows
                | Self::ListModels(_)
                | Self::ListValues(_)
                | Self::GetRun(_)
                | Self::GetParams(_)
                | Self::GetRecipe(_)
                | Self::GetPreviewText(_)
                | Self::GetText(_)
                | Self::GetManifest(_)
                | Self::GetFile(..)
                | Self::CheckRuns(_)
                | Self::ReadLog(_)
                | Self::ReadMetrics(_)
                | Self::ReadTable(_)
                | Self::ReadWorkflow(Request { source: Source::Stored(_), .. })
        )
    }
}
