//! The gallery pane: the products of all runs. Its content doesn't depend on the focus; only the ring does.

mod filters;
pub mod interim;
pub mod tile;
pub mod tiles;
pub mod update;
pub mod view;

use super::model::component::pane;

pane! {
    /// The gallery pane.
    GalleryPane Gallery
}

#[cfg(test)]
mod tests;
