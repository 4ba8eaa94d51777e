//! All that can happen to the UI: keys, the daemon, finished slow work, time.

use std::path::PathBuf;
use std::sync::Arc;

use crossterm::event::{KeyEvent, MouseEvent};
use fanlight_shared::asset::{Asset, Recipe};
use fanlight_shared::id::{AssetId, RunId, Version};
use fanlight_shared::rpc::daemon::HelloResponse;
use fanlight_shared::rpc::questions::OpenQuestion;
use fanlight_shared::rpc::watch::Notification;
use fanlight_shared::rpc::{Page, logs, runs, values, workflows};
use fanlight_shared::run::Run;
use fanlight_shared::time::Time;
use fanlight_shared::workflow::Workflow;

use super::address::Address;
use super::document::{Document, Request};
use super::effect::Effect;
use super::graph::Layout;
use super::picture::{Painted, PictureOf};
use super::view::Areas;

/// A message.
#[derive(Debug)]
pub enum Message {
    /// A key was pressed.
    Key(KeyEvent),
    /// The mouse did something.
    Mouse(MouseEvent),
    /// Text was pasted.
    Paste(String),
    /// The terminal has this size now, in cells.
    Resize(u16, u16),
    /// An animation step is due, or a clock on screen changes.
    Tick(Time),
    /// The connection changed.
    Link(Link),
    /// A notification of the daemon.
    Notification(Box<Notification>),
    /// A response, or the result of slow work.
    Response(Box<Response>),
    /// A frame was painted; says what lies where. Only what is new to see follows from it.
    Shown(Box<Areas>),
}

/// How the connection stands.
#[derive(Clone, PartialEq, Debug)]
pub enum Link {
    /// Looking for a daemon.
    Connecting,
    /// None was there; one is being started.
    Starting,
    /// Connected.
    Up(HelloResponse),
    /// Lost or refused; it is tried again.
    Down(String),
}

/// Why something failed, as far as it matters for what follows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Why {
    /// Nobody could be asked: the daemon is away.
    Away,
    /// What it was about is gone.
    Gone,
    /// Anything else.
    Other,
}

/// The result of slow work.
#[derive(Debug)]
pub enum Response {
    /// A request failed.
    Failed {
        /// What.
        request: Box<Effect>,
        /// Why, in one sentence.
        error: String,
        /// Whether asking again may help.
        why: Why,
    },
    /// A request that needs no more than a word is done.
    Done(String),
    /// Runs were started.
    Started(runs::Started),
    /// A page of runs.
    Runs {
        /// Who asked.
        to: Address,
        /// The page.
        page: Page<Run>,
    },
    /// What runs ask: the first of it, where it is very much.
    Questions(Vec<OpenQuestion>),
    /// An answer was stored.
    Answered(Box<runs::Answer>),
    /// A run with everything, for the lens or the comparison.
    Run {
        /// The run.
        detail: Box<runs::Detail>,
        /// Its file, read.
        workflow: Option<Arc<Workflow>>,
    },
    /// A run that the registry asked after; `None` where it is gone.
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
    /// The stored preview of an asset, as text where it is text.
    PreviewText(AssetId, String),
    /// A picture is ready to be drawn.
    Painted(Box<Painted>),
    /// A picture can't be shown.
    NotPainted(PictureOf, String),
    /// The text of an asset, for the viewer and the comparison.
    Text(AssetId, String),
    /// A part of a log, and which was asked for.
    Log(Box<logs::Read>, Box<logs::Part>),
    /// What a port had in each run, and which was asked for.
    Values(Box<values::List>, Box<Page<values::PortValue>>),
    /// Workflows that ever ran.
    Workflows(Vec<workflows::WorkflowInfo>),
    /// Files of this folder that are workflows.
    Files(Vec<PathBuf>),
    /// What is in a folder.
    Folder(PathBuf, Vec<Entry>),
    /// A workflow was read and checked; one that could not be read comes as [`Response::Failed`].
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

/// A name in a folder.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Whether it is a folder.
    pub folder: bool,
}
