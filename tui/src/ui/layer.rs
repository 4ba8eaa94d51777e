//! Layers over the panes: a stack whose topmost layer gets the keys first. Each kind has its own file.

mod axis;
pub mod changes;
pub mod choose;
pub mod compare;
pub mod confirm;
pub mod curves;
pub mod delete;
pub mod form;
pub mod importance;
pub mod inspector;
pub mod list;
pub mod messages;
pub mod parallel;
pub mod product_actions;
pub mod prompt;
pub mod questions;
pub mod runs;
pub mod sheet;
pub mod trials;
pub mod values;
pub mod viewer;
