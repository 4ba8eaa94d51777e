//! The requester of a page, to which the response is routed.

use fanlight_shared::id::RunId;

/// The requester of a page, returned with the response. A number distinguishes a request from earlier ones, whose
/// responses are dropped.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Address {
    /// The workflow on screen: its newest runs.
    History,
    /// A section of the queue: its next runs.
    QueuePage(u64),
    /// The queue: the runs that nodes of this run started.
    Children(RunId),
    /// The queue: the numbers that runs output.
    QueueNumbers(u64),
    /// The queue: the assets of this run, for the picture beside its card.
    QueueThumbnail(RunId),
    /// The grid: products whose pictures its cards show.
    Cards(u64),
    /// The gallery: its next products.
    GalleryPage(u64),
    /// The gallery: the pictures that this run made so far, for its live tile.
    LiveTile(RunId),
    /// The screen of curves: its runs.
    Curves,
    /// The inspector: the assets of this run.
    Inspector(RunId),
    /// The viewer: the assets of this run.
    Viewer(RunId),
    /// The comparison: the assets of this run.
    Comparison(RunId),
    /// The contact sheet: the assets of this run.
    Sheet(RunId),
}
