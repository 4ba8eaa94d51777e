//! Who asked for a page, so that its answer finds them.

use fanlight_shared::id::RunId;

/// Who asked for a page; returned with it. A number tells a request from those before it, whose answers are dropped.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Address {
    /// The workflow that came on screen: its newest runs.
    History,
    /// A section of the queue: its next runs.
    QueuePage(u64),
    /// The queue: the numbers that runs put out.
    QueueNumbers(u64),
    /// The queue: what this run made, for the picture beside its card.
    QueueThumbnail(RunId),
    /// The gallery: its next products.
    GalleryPage(u64),
    /// The gallery: the pictures that this run made so far, for its live tile.
    LiveTile(RunId),
    /// The inspector: what this run made.
    Inspector(RunId),
    /// The viewer: what this run made.
    Viewer(RunId),
    /// The comparison: what this run made.
    Comparison(RunId),
}
