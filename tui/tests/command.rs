//! Stories about commands with real processes: from inputs to outputs.

#[path = "command/adoption.rs"]
mod adoption;
#[path = "command/ending.rs"]
mod ending;
#[path = "command/making.rs"]
mod making;
#[path = "command/story.rs"]
mod story;
