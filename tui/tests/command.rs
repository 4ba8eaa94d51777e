//! Stories about commands with real processes: from inputs to outputs.

// Clippy doesn't treat helpers of an integration test as tests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/alive.rs"]
mod alive;
#[path = "support/leftovers.rs"]
mod leftovers;

#[path = "command/adoption.rs"]
mod adoption;
#[path = "command/ending.rs"]
mod ending;
#[path = "command/making.rs"]
mod making;
#[path = "command/story.rs"]
mod story;
