//! At three in the morning, in a small terminal, inside tmux, at the end of a slow line.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::support::Fanlight;
use crate::terminal;
use crate::workflows::NIGHTLY;

/// Returns the texts that a program put on the clipboard.
fn copied(raw: &[u8]) -> Vec<String> {
    let raw = String::from_utf8_lossy(raw);
    let parts = raw.split("\x1b]52;c;").skip(1);
    let texts = parts.filter_map(|part| STANDARD.decode(part.split(['\x07', '\x1b']).next()?).ok());
    texts.map(|text| String::from_utf8(text).unwrap()).collect()
}

#[test]
fn a_failed_run_is_understood_copied_and_resumed_in_eight_keys() {
    let fanlight = Fanlight::new();
    fanlight.file("nightly.yaml", NIGHTLY);
    fanlight.say(&["run", "nightly.yaml"]).exits(1);
    let tmux = [("TERM", "screen-256color"), ("TMUX", "/tmp/tmux-1/default,1,0")];
    let mut ui = terminal(&fanlight).environment(tmux).size(80, 24).slow(4_000).open();
    ui.wait_for("nightly.yaml");
    let mut keys = 0;
    let mut press = |ui: &mut crate::terminal::Terminal, key: &str| {
        keys += 1;
        ui.press(&[key]);
    };

    // The failed node, and why.
    press(&mut ui, "enter");
    ui.wait_for_all(&["✗ failed", "compile", "exit 7", "error: no space left on device"]);
    // The end of its log, without another key.
    press(&mut ui, "!");
    press(&mut ui, "enter");
    ui.wait_for_all(&["compile · #1", "compiling part 300 of 300", "error: no space left on device"]);
    press(&mut ui, "y");
    ui.wait_for("copied");
    let copied = copied(&ui.raw());
    assert!(
        copied.iter().any(|text| text.contains("compiling part 1 of 300\n") && text.ends_with("on device\n")),
        "{copied:?}"
    );

    // Repaired, and resumed from where it stopped.
    fanlight.file("room", "");
    press(&mut ui, "esc");
    ui.wait_gone("compiling part");
    press(&mut ui, "2");
    ui.wait_for("u resume");
    press(&mut ui, "u");
    ui.wait("the resumed run under the lens, completed", |screen| {
        let text = screen.contents();
        text.lines().next().is_some_and(|line| line.contains("#2") && line.contains("✓ completed"))
    });
    assert!(keys <= 8, "{keys} keys");
}
