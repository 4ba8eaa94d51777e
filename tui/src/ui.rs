//! The terminal UI: model → update → view.
//!
//! # Layout
//!
//! - [`app`]: the one loop: drains whatever waits, updates, carries out effects, paints once; [`app::session`] is all of it
//!   but the terminal, which tests drive
//! - [`model`]: all that is known; [`message`]: all that can happen; [`update`]: the pure step from one to the next;
//!   [`effect`]: what a step asks of the world
//! - [`address`]: who asked for a page, so that its answer finds them
//! - [`document`]: workflow files: where one is read from and why
//! - [`lens`]: which run is in focus, and what the daemon is asked to tell
//! - [`action`]: every action, declared once: keys, hints, help and palette are views of that list; [`keymap`]
//! - [`view`]: the pure picture of a model; [`theme`]: the only place that names colours
//! - [`products`]: what ports had in every run
//! - [`input`]: one line of text that is being written
//! - [`clean`]: text from runs is made safe where it enters the model; [`fuzzy`]: near matches
//! - [`settings`]: the user's keymap and theme files; [`wrap`]: text in lines
//! - [`component`]: what panes and layers have in common; [`pane`]: the list of panes, each a folder: [`grid`], [`queue`],
//!   [`gallery`]; [`layer`]: the list of layers over them; [`toast`]: short messages
//! - [`terminal`]: takes the terminal and restores it, whatever happens
//! - slow work, off the loop: [`link`] (the daemon), [`picture`] (decoding, encoding), [`graph`] (layout)

pub mod action;
pub mod address;
pub mod app;
#[cfg(test)]
mod blocks;
pub mod clean;
pub mod component;
pub mod document;
pub mod effect;
pub mod fit;
pub mod fuzzy;
pub mod gallery;
pub mod graph;
pub mod grid;
pub mod input;
pub mod keymap;
pub mod layer;
pub mod lens;
pub mod link;
pub mod message;
pub mod model;
pub mod pane;
pub mod picture;
pub mod products;
pub mod queue;
pub mod settings;
pub mod terminal;
#[cfg(test)]
pub(crate) mod testing;
pub mod theme;
pub mod toast;
pub mod update;
pub mod view;
pub mod wrap;
