//! The terminal UI as people use it: the real executable in a real terminal, with the real daemon.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/fanlight.rs"]
mod support;
#[path = "support/terminal.rs"]
mod terminal;

#[path = "lens/cull.rs"]
mod cull;
#[path = "lens/failure.rs"]
mod failure;
#[path = "lens/first_contact.rs"]
mod first_contact;
#[path = "lens/hostile.rs"]
mod hostile;
#[path = "lens/leaving.rs"]
mod leaving;
#[path = "lens/reconnect.rs"]
mod reconnect;
#[path = "lens/shots.rs"]
mod shots;
#[path = "lens/workflows.rs"]
mod workflows;

use support::Fanlight;
use terminal::{Opening, Terminal};

/// A terminal at this home's folder, not opened yet.
fn terminal(fanlight: &Fanlight) -> Opening {
    Opening::new(env!("CARGO_BIN_EXE_fanlight"), fanlight.path("")).environment(fanlight.environment())
}

/// The UI in a large terminal.
fn ui(fanlight: &Fanlight) -> Terminal {
    terminal(fanlight).open()
}
