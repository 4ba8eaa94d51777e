//! Stories about the supervisor with real processes. Each runs with both kinds of containment.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

#[path = "support/alive.rs"]
mod alive;
#[path = "supervisor/story.rs"]
mod story;

#[path = "supervisor/death.rs"]
mod death;
#[path = "supervisor/ending.rs"]
mod ending;
#[path = "supervisor/frames.rs"]
mod frames;
#[path = "supervisor/output.rs"]
mod output;
#[path = "supervisor/socket.rs"]
mod socket;
#[path = "supervisor/starting.rs"]
mod starting;
