//! The terminal UI: the real executable in a real terminal, with the real daemon.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/fanlight.rs"]
mod support;
#[path = "support/terminal.rs"]
mod terminal;

#[path = "lens/comparing.rs"]
mod comparing;
#[path = "lens/cull.rs"]
mod cull;
#[path = "lens/curves.rs"]
mod curves;
#[path = "lens/emoji.rs"]
mod emoji;
#[path = "lens/environment.rs"]
mod environment;
#[path = "lens/failure.rs"]
mod failure;
#[path = "lens/first_contact.rs"]
mod first_contact;
#[path = "lens/hostile.rs"]
mod hostile;
#[path = "lens/instructions.rs"]
mod instructions;
#[path = "lens/leaving.rs"]
mod leaving;
#[path = "lens/people.rs"]
mod people;
#[path = "lens/reconnect.rs"]
mod reconnect;
#[path = "lens/saving.rs"]
mod saving;
#[path = "lens/shots.rs"]
mod shots;
#[path = "lens/trials.rs"]
mod trials;
#[path = "lens/workflows.rs"]
mod workflows;

use support::Fanlight;
use terminal::{Opening, Terminal};

/// Returns a terminal at this home's folder, not opened yet.
fn terminal(fanlight: &Fanlight) -> Opening {
    Opening::new(env!("CARGO_BIN_EXE_fanlight"), fanlight.path("")).environment(fanlight.environment())
}

/// Returns the UI with the lens on a nightly build that failed to compile.
fn failed_nightly(fanlight: &Fanlight, opening: Opening) -> Terminal {
    fanlight.file("nightly.yaml", workflows::NIGHTLY);
    fanlight.say(&["run", "nightly.yaml"]).exits(1);
    let mut ui = opening.open();
    ui.wait_for("nightly.yaml");
    ui.press(&["enter"]);
    ui.wait_for_all(&["✗ failed", "exit 7", "✗ compile"]);
    ui
}

/// Returns the UI in a large terminal.
fn ui(fanlight: &Fanlight) -> Terminal {
    terminal(fanlight).open()
}
