//! The daemon dies while the UI is open, or another client starts a run.

use crate::support::Fanlight;
use crate::ui;
use crate::workflows::PRINT;

#[test]
fn the_ui_comes_back_to_three_active_runs_and_an_unbroken_gallery() {
    let fanlight = Fanlight::new();
    fanlight.file("print.yaml", PRINT);
    let mut ui = ui(&fanlight);
    ui.wait_for("print.yaml");
    ui.press(&["r"]);
    ui.wait_for("1 run ");
    ui.press(&["backspace"]);
    ui.type_text("1..3");
    ui.wait_for("3 runs");
    ui.press(&["enter"]);
    // Each run has made `sky`, so that its node shows it, whichever run the lens is on.
    ui.wait_for_all(&["Running 3", "50 %", "×3", "╰ live", "┗ live"]);
    let before = ui.bytes();
    fanlight.kill_daemon();
    fanlight.file("go-1", "");
    ui.wait_for_all(&["Running 2", "Done 1"]);
    let frames = ui.frames_since(before);
    assert!(
        frames
            .iter()
            .any(|frame| frame.contains("the daemon is away") || frame.contains("starting the daemon"))
    );
    for frame in &frames {
        assert!(frame.contains("╰ live") && frame.contains("✓ sky"), "a broken picture:\n{frame}");
    }
    fanlight.file("go", "");
    ui.wait_for("Done 3");
}

#[test]
fn a_run_of_another_client_takes_an_unpinned_lens_and_leaves_a_pinned_one() {
    let fanlight = Fanlight::new();
    fanlight.file("print.yaml", PRINT);
    fanlight.say(&["run", "print.yaml", "--detach"]).exits(0);
    let mut ui = ui(&fanlight);
    ui.wait_for("print.yaml");
    ui.press(&["enter"]);
    ui.wait_for_all(&["#1", "▶ running"]);
    fanlight.say(&["run", "print.yaml", "-p", "seed=7", "--detach"]).exits(0);
    ui.wait("the lens on the new one", |screen| {
        screen.contents().lines().next().is_some_and(|line| line.contains("#2"))
    });
    ui.press(&["["]);
    ui.wait_for("pinned");
    fanlight.say(&["run", "print.yaml", "-p", "seed=8", "--detach"]).exits(0);
    ui.wait_for("Running 3");
    let first = ui.text().lines().next().unwrap().to_owned();
    assert!(first.contains("#1") && first.contains("pinned"), "{first}");

    // `s` stops the run under the lens, `x` the one under the cursor.
    ui.press(&["s"]);
    ui.wait_for("Stop print#1?");
    ui.press(&["y"]);
    ui.wait_for_all(&["Running 2", "Cancelled 1"]);
    ui.press(&["2", "g", "g", "j"]);
    ui.press(&["x"]);
    ui.wait_for("Cancel print#");
    let asked = ui.line("Cancel print#").unwrap();
    ui.press(&["y"]);
    ui.wait_for_all(&["Running 1", "Cancelled 2"]);
    let ended = if asked.contains("print#2") { 2 } else { 3 };
    let runs = fanlight.runs();
    let state = |number: u64| runs.iter().find(|run| run["number"] == number).unwrap()["state"].clone();
    assert_eq!((state(ended), state(5 - ended)), ("cancelled".into(), "running".into()));
    fanlight.file("go", "");
    ui.wait_for("Done 1");
}
