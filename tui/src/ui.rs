//! The terminal UI: model → update → view. The modules form layers without cycles; a test holds them.
//!
//! # Layout
//!
//! From the lowest layer to the highest:
//!
//! - [`action`]: every action, declared once: keys, hints, help and palette are views of that list; [`keymap`]; [`theme`]:
//!   the only place that names colours; [`settings`]: the user's files of both; [`toml_error`]
//! - [`input`]: text that is being written; [`clean`]: text from runs is made safe where it enters the model; [`fuzzy`]: near
//!   matches; [`wrap`], [`fit`]: text in lines; [`toast`]: short messages
//! - [`document`]: workflow files: where one is read from and why; [`files`] reads them; [`products`]: the values of ports in
//!   every run
//! - [`graph`]: layouts; [`picture`]: from bytes to cells, and what the terminal can draw
//! - [`pane`]: the list of panes; [`areas`]: the click targets of a frame; [`size`]: the classes of its size
//! - [`effect`]: what a step asks of the world, [`address`]: who asked; [`message`]: all that can happen
//! - `assets`: the assets of a run, for screens that show them
//! - [`braille`], [`curves`]: curves of metrics
//! - [`model`]: all that is known, with the state of each pane; [`model::component`]: what panes and layers have in common
//! - [`frame`], [`content`], [`node`]: drawn in more than one place
//! - [`layer`]: the layers over the panes; then the panes: [`grid`], [`queue`], [`gallery`]; [`shell`]: what is around them
//! - [`home`], [`commands`]: layers that know the panes
//! - [`update`]: the pure step from one model to the next; [`view`]: the pure picture of a model
//! - [`link`]: the connection to the daemon; [`terminal`]: takes the terminal and restores it, whatever happens
//! - [`app`]: the one loop: drains whatever waits, updates, carries out effects, paints once; [`app::session`] is all of it
//!   but the terminal, which tests drive

pub mod action;
pub mod address;
pub mod app;
pub mod areas;
mod assets;
#[cfg(test)]
mod blocks;
pub mod braille;
pub mod changes;
mod children;
pub mod clean;
pub mod commands;
pub mod content;
pub mod curves;
pub mod document;
pub mod effect;
pub mod files;
pub mod fit;
pub mod frame;
pub mod fuzzy;
pub mod gallery;
pub mod graph;
pub mod grid;
pub mod home;
pub mod input;
pub mod keymap;
pub mod layer;
pub mod link;
pub mod message;
pub mod model;
pub mod node;
pub mod pane;
pub mod picture;
pub mod products;
pub mod queue;
pub mod settings;
pub mod shell;
pub mod size;
pub mod terminal;
#[cfg(test)]
pub(crate) mod testing;
pub mod theme;
pub mod toast;
pub mod toml_error;
pub mod update;
pub mod view;
pub mod wrap;
