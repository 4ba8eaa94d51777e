//! The guarantees for many runs at once, with a real daemon in this process and the real link, from keys to cells.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "promises/gallery.rs"]
mod gallery;
#[path = "promises/house.rs"]
mod house;
#[path = "support/leftovers.rs"]
mod leftovers;
#[path = "promises/lens.rs"]
mod lens;
#[path = "promises/line.rs"]
mod line;
#[path = "promises/link.rs"]
mod link;
#[path = "promises/person.rs"]
mod person;
