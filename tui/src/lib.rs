//! Fanlight: the terminal UI and the headless commands.

pub mod ui;
