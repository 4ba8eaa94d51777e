//! An empty folder, the first picture, the first sweep, a crash in between.

use crate::support::Fanlight;
use crate::ui;
use crate::workflows::PRINT;

/// Returns whether the queue marks the run as under the lens with `▌`.
fn is_in_lens(text: &str, run: &str) -> bool {
    text.lines().any(|line| line.split_once(run).is_some_and(|(before, _)| before.contains('▌')))
}

#[test]
fn three_keys_lead_from_an_empty_folder_to_the_first_picture() {
    let fanlight = Fanlight::new();
    let mut ui = ui(&fanlight);
    ui.wait_for_all(&["Examples", "Seaside poster", "○ sky"]);
    ui.press(&["enter"]);
    ui.wait_for("nothing made yet");
    ui.press(&["r"]);
    ui.wait_for("1 run");
    ui.press(&["enter"]);
    // There is only one run: no counts.
    ui.wait_for_all(&["#1", "✓ completed"]);
    let text = ui.text();
    assert!(!text.contains("On canvas") && !text.contains("pinned"), "{text}");
    ui.wait("a picture in the gallery", |screen| {
        screen.contents().contains('▀') || screen.contents().contains('▄')
    });
}

#[test]
fn six_runs_at_once_survive_a_crash() {
    let fanlight = Fanlight::new();
    fanlight.file("print.yaml", PRINT);
    // The commands of all six run at once: which of them come first is not known.
    fanlight.config("[pools]\nprocess = 6\n");
    let mut ui = ui(&fanlight);
    ui.wait_for_all(&["This folder", "print.yaml", "○ sky"]);

    // The form says how many runs it makes before it makes them.
    ui.press(&["r"]);
    ui.wait_for_all(&["Run Print", "1 run "]);
    ui.press(&["backspace"]);
    ui.type_text("1..6");
    ui.wait_for("6 runs");
    assert!(!ui.text().contains("Running"), "nothing runs yet:\n{}", ui.text());
    ui.press(&["enter"]);

    // Six run at once, each with its own label.
    ui.wait_for("Running 6");
    for seed in 1..=6 {
        ui.wait_for(&format!("#{seed} seed={seed}"));
    }
    ui.wait("the lens on the first of them, its command at work", |screen| {
        let text = screen.contents();
        is_in_lens(&text, "#1 seed=1") && text.contains("✓ sky") && text.contains("50 %")
    });
    ui.wait("the skies of all six made", |screen| {
        let text = screen.contents();
        (1..=6).all(|seed| {
            text.lines().any(|line| line.contains(&format!("#{seed} seed={seed} ")) && line.contains("1/3"))
        })
    });

    // Moving the lens never shows an empty grid, not even for a frame.
    let before = ui.bytes();
    for (key, run) in [("]", 2), ("]", 3), ("[", 2), ("]", 3), ("]", 4)] {
        ui.press(&[key]);
        ui.wait(&format!("the lens on #{run}"), |screen| {
            let text = screen.contents();
            is_in_lens(&text, &format!("#{run} seed={run}"))
                && text.lines().next().is_some_and(|line| line.contains(&format!("#{run} seed={run}")))
        });
    }
    ui.press(&["2", "g", "g", "j", "j", "enter"]);
    ui.wait("the lens where the queue's cursor is", |screen| {
        screen
            .contents()
            .lines()
            .next()
            .is_some_and(|line| line.contains("#2 seed=2") && line.contains("pinned"))
    });
    let frames = ui.frames_since(before);
    assert!(frames.len() > 5, "{} frames", frames.len());
    for frame in &frames {
        assert!(frame.contains("✓ sky") && frame.contains(" print"), "an empty grid:\n{frame}");
    }

    // Unpin, pin again.
    ui.press(&["p"]);
    ui.wait_gone("pinned");
    ui.press(&["p"]);
    ui.wait_for("pinned");

    // The one under the cursor is cancelled, after a question; the others go on.
    ui.press(&["x"]);
    ui.wait_for("Cancel print#2?");
    ui.press(&["y"]);
    ui.wait_for_all(&["Running 5", "Cancelled 1"]);

    // Two complete: their pictures are in the gallery.
    fanlight.file("go-1", "").file("go-3", "");
    ui.wait_for_all(&["Running 3", "Done 2"]);

    // A product full screen, and one deleted.
    ui.press(&["3", "G", "enter"]);
    ui.wait_for("i recipe");
    ui.press(&["D"]);
    ui.wait_for("Delete");
    ui.press(&["y"]);
    crate::support::wait_for("one picture less", || {
        fanlight.say(&["assets", "list", "--kind", "image", "--json"]).exits(0).json().len() == 7
    });
    ui.press(&["esc"]);
    ui.wait_for("1 Grid");

    // Leaving prints that the runs continue, which they do, even if the daemon dies.
    ui.press(&["q"]);
    assert_eq!(ui.ends().exit_code(), 0);
    ui.wait_for_bytes(b"3 runs continue");
    fanlight.kill_daemon();

    let ui = crate::ui(&fanlight);
    ui.wait_for("print.yaml");
    let mut ui = ui;
    ui.press(&["enter"]);
    ui.wait_for_all(&["Running 3", "Done 2", "Cancelled 1"]);
    fanlight.file("go", "");
    ui.wait_for("Done 5");
}
