//! Effects that a step asks for. They are plain data; [`super::app`] carries them out, off the loop where they take time.

use std::path::PathBuf;
use std::sync::Arc;

use fanlight_shared::id::{AssetId, RunId};
use fanlight_shared::rpc::{assets, logs, queue, runs, values, watch};
use fanlight_shared::workflow::Workflow;

use super::address::Address;
use super::document::{Request, Source, Submission};
use super::picture::Wanted;

/// A workflow whose graph is to be laid out; two of one version are equal.
#[derive(Clone, Debug)]
pub struct Topology(pub Arc<Workflow>);

impl PartialEq for Topology {
    fn eq(&self, other: &Self) -> bool {
        self.0.version == other.0.version
    }
}

/// An effect that a step asks for.
#[derive(Clone, PartialEq, Debug)]
pub enum Effect {
    /// End the UI; runs go on.
    Quit,
    /// Stop the process as ctrl-z does, and draw again afterwards.
    Suspend,
    /// Forget what the terminal shows and draw everything again.
    Redraw,
    /// Tell the daemon what to tell; replaces what was watched before.
    Watch(watch::Watch),
    /// Start runs.
    Start(Box<Submission>),
    /// End runs.
    Cancel(runs::Cancel),
    /// Answer what a node asks.
    Answer(Box<runs::Answer>),
    /// Read what runs ask; comes as [`super::message::Response::Questions`].
    ListQuestions,
    /// Resume a run.
    Resume(RunId),
    /// Delete runs.
    DeleteRuns(runs::Delete),
    /// Label a run.
    Label(runs::Label),
    /// Change the queue.
    SetQueue(queue::Set),
    /// Read a page of runs.
    ListRuns {
        /// Who asks; comes back with the answer.
        to: Address,
        /// Which.
        list: runs::List,
    },
    /// Read a run with everything; comes as [`super::message::Response::Run`].
    GetRun(RunId),
    /// Ask after runs that the registry lost sight of; each comes as [`super::message::Response::Known`].
    LookAfter(Vec<RunId>),
    /// Read a page of assets.
    ListAssets {
        /// Who asks; comes back with the answer.
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
    Paint(Wanted),
    /// Read the stored text preview of an asset.
    GetPreviewText(AssetId),
    /// Read the text of an asset, at most 1 MiB.
    GetText(AssetId),
    /// Read a part of a log.
    ReadLog(logs::Read),
    /// Read what a port had in each run.
    ListValues(values::List),
    /// Read which workflows ever ran.
    ListWorkflows,
    /// Look for workflow files in the current folder.
    ListFiles,
    /// Read the names in a folder.
    ListFolder(PathBuf),
    /// Read and check a workflow.
    ReadWorkflow(Request),
    /// Read this file whenever it changes, and now; replaces what was watched before.
    WatchFile(Option<PathBuf>),
    /// Lay out the graph of a workflow.
    Layout(Topology),
    /// Open a file in `$VISUAL`, `$EDITOR` or `vi`; the UI waits and then reads the file again.
    Edit(PathBuf),
    /// Open text in `$PAGER`.
    Pager {
        /// What it is, for the name of the temporary file.
        name: String,
        /// The text, sanitised.
        text: String,
    },
    /// Open an asset with the desktop's program.
    OpenOutside(AssetId),
    /// Save an asset to a file, which must not exist.
    SaveAs(AssetId, PathBuf),
    /// Copy text to the clipboard by OSC 52, or leave it in a file and say where.
    Copy(String),
    /// Ring the bell or send a notice: the last run ended.
    Notify(String),
    /// Ask for a [`super::message::Message::Tick`] no later than after so many milliseconds. Views ask by
    /// [`super::view::Areas::tick_in`].
    TickIn(u64),
    /// Take the mouse, or leave it to the terminal.
    Mouse(bool),
    /// Draw the pictures that this terminal drew again, after it was cleared or another program had it.
    ForgetPictures,
    /// Write this to the terminal before the next frame: pictures that it is to keep or to forget.
    Terminal(Arc<str>),
}

impl Effect {
    /// Whether only a terminal can carry it out.
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

    /// What it does, for the message that it failed.
    #[must_use]
    pub fn words(&self) -> &'static str {
        match self {
            Self::Watch(_) => "watch",
            Self::Start(_) => "start",
            Self::Cancel(_) => "cancel",
            Self::Answer(_) => "answer",
            Self::ListQuestions => "questions",
            Self::Resume(_) => "resume",
            Self::DeleteRuns(_) | Self::DeleteAssets(_) => "delete",
            Self::Label(_) => "label",
            Self::SetQueue(_) => "queue",
            Self::ListRuns { .. } | Self::GetRun(_) | Self::LookAfter(_) => "runs",
            Self::ListAssets { .. } | Self::GetRecipe(_) => "gallery",
            Self::GetPreviewText(_) | Self::GetText(_) => "preview",
            Self::Star(_) => "star",
            Self::ReadLog(_) => "log",
            Self::ListValues(_) => "values",
            Self::ListWorkflows => "workflows",
            Self::ListFiles | Self::ListFolder(_) => "folder",
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

    /// Whether it only reads from the daemon, so that asking again can do no harm.
    #[must_use]
    pub fn reads(&self) -> bool {
        matches!(
            self,
            Self::ListRuns { .. }
                | Self::ListQuestions
                | Self::ListAssets { .. }
                | Self::ListWorkflows
                | Self::ListValues(_)
                | Self::GetRun(_)
                | Self::GetRecipe(_)
                | Self::GetPreviewText(_)
                | Self::GetText(_)
                | Self::LookAfter(_)
                | Self::ReadLog(_)
                | Self::ReadWorkflow(Request { source: Source::Stored(_), .. })
        )
    }
}
