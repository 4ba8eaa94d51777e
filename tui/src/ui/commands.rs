//! The lists of all actions: [`help`] by scope with their keys, [`palette`] by their descriptions.

pub mod help;
pub mod palette;
