//! Scenes of the real UI for review: `cargo xtask shot`. Each waits for its content like a test.

use std::path::PathBuf;

use crate::support::Fanlight;
use crate::terminal::{Opening, Terminal};
use crate::workflows::{GRADE, NIGHTLY, PRINT};
use crate::{failed_nightly, people, terminal};

/// A scene: sets up a home, opens the UI and navigates to the view.
type Scene = fn(&Fanlight) -> Terminal;

const SCENES: [(&str, Scene); 14] = [
    ("home", home),
    ("form", form),
    ("first", first),
    ("six", six),
    ("queue", queue),
    ("gallery", gallery),
    ("viewer", viewer),
    ("compare", compare),
    ("failed", failed),
    ("small", small),
    ("help", help),
    ("asked", asked),
    ("pick", pick),
    ("write", write),
];

/// Returns the UI in a terminal of many colours.
fn colours(fanlight: &Fanlight) -> Opening {
    terminal(fanlight).environment([("COLORTERM", "truecolor")])
}

/// Waits until this many cells show pictures, and none is pending.
fn pictures(ui: &Terminal, cells: usize) {
    ui.wait("pictures", |screen| {
        let text = screen.contents();
        text.matches(['▀', '▄']).count() > cells && !text.contains("96×64") && !text.contains("on its way")
    });
}

fn home(fanlight: &Fanlight) -> Terminal {
    fanlight.file("print.yaml", PRINT).file("nightly.yaml", NIGHTLY);
    let ui = colours(fanlight).open();
    ui.wait_for_all(&["print.yaml", "Examples", "○ "]);
    ui
}

fn form(fanlight: &Fanlight) -> Terminal {
    let mut ui = colours(fanlight).open();
    ui.wait_for_all(&["Seaside poster", "○ sky"]);
    ui.press(&["r"]);
    ui.wait_for("1 run ");
    ui.press(&["tab", "tab", "tab", "backspace"]);
    ui.type_text("1..6");
    ui.wait_for("6 runs");
    ui
}

fn first(fanlight: &Fanlight) -> Terminal {
    let mut ui = colours(fanlight).open();
    ui.wait_for_all(&["Seaside poster", "○ sky"]);
    ui.press(&["r"]);
    ui.wait_for("1 run ");
    ui.press(&["enter"]);
    ui.wait_for("✓ completed");
    pictures(&ui, 100);
    ui
}

/// Returns a sweep of a workflow, its form filled in.
fn sweep(fanlight: &Fanlight, name: &str, text: &str, seeds: &str) -> Terminal {
    fanlight.file(name, text);
    fanlight.say(&["run", name, "--sweep", &format!("seed={seeds}"), "--detach"]).exits(0);
    let mut ui = colours(fanlight).open();
    ui.wait_for(name);
    ui.press(&["enter"]);
    ui.wait_for("Running");
    ui
}

fn six(fanlight: &Fanlight) -> Terminal {
    fanlight.file("go-1", "").file("go-2", "");
    let ui = sweep(fanlight, "print.yaml", PRINT, "1..6");
    ui.wait_for_all(&["Running 4", "Done 2", "50 %"]);
    // Two thumbnails in the queue.
    pictures(&ui, 40);
    ui
}

fn queue(fanlight: &Fanlight) -> Terminal {
    fanlight.say(&["queue", "--max", "4"]).exits(0);
    for seed in 1..=8 {
        fanlight.file(&format!("go-{seed}"), "");
    }
    let mut ui = sweep(fanlight, "grade.yaml", GRADE, "1..24");
    ui.wait_for_all(&["Running 4", "Done 8"]);
    ui.press(&["2"]);
    ui.wait_for("cancel the run");
    pictures(&ui, 200);
    ui
}

fn gallery(fanlight: &Fanlight) -> Terminal {
    fanlight.file("go", "");
    let mut ui = sweep(fanlight, "print.yaml", PRINT, "1..12");
    ui.wait_for("Done 12");
    ui.press(&["3", "z"]);
    ui.wait_gone("1 Grid");
    pictures(&ui, 1_000);
    ui
}

fn viewer(fanlight: &Fanlight) -> Terminal {
    let mut ui = first(fanlight);
    ui.press(&["3", "enter"]);
    ui.wait_for("i recipe");
    pictures(&ui, 300);
    ui
}

fn compare(fanlight: &Fanlight) -> Terminal {
    fanlight.file("go", "");
    let mut ui = sweep(fanlight, "grade.yaml", GRADE, "1..6");
    ui.wait_for("Done 6");
    ui.press(&["2", "g", "g", "j", "space", "space", "space", "c"]);
    ui.wait_for("Compare 3");
    pictures(&ui, 300);
    ui
}

fn failed(fanlight: &Fanlight) -> Terminal {
    failed_nightly(fanlight, colours(fanlight))
}

fn small(fanlight: &Fanlight) -> Terminal {
    failed_nightly(fanlight, colours(fanlight).size(80, 24))
}

fn help(fanlight: &Fanlight) -> Terminal {
    let mut ui = failed(fanlight);
    ui.press(&["?"]);
    ui.wait_for("Help");
    ui
}

fn asked(fanlight: &Fanlight) -> Terminal {
    let ui = people::asked(fanlight, |fanlight| colours(fanlight).open());
    pictures(&ui, 100);
    ui
}

fn pick(fanlight: &Fanlight) -> Terminal {
    let mut ui = asked(fanlight);
    ui.press(&["a"]);
    ui.wait_for("Which sky goes on the sheet?");
    people::pictures(&ui, 1_000);
    ui.press(&["l"]);
    ui
}

fn write(fanlight: &Fanlight) -> Terminal {
    let mut ui = pick(fanlight);
    ui.press(&["enter"]);
    ui.wait_for("asks: Which line");
    ui.press(&["a"]);
    ui.wait_for("A quiet sea");
    people::pictures(&ui, 500);
    ui
}

/// Returns the screen as lines with their colours.
fn coloured(screen: &vt100::Screen) -> String {
    let (_, columns) = screen.size();
    let rows: Vec<String> = screen.rows_formatted(0, columns.into()).collect();
    rows.join("\x1b[m\r\n")
}

#[test]
#[ignore = "pictures for people to look at, made by `cargo xtask shot`"]
fn shots() {
    let folder = PathBuf::from(std::env::var_os("FANLIGHT_SHOTS").expect("cargo xtask shot"));
    let wanted = std::env::var("FANLIGHT_SCENES").unwrap_or_default();
    let wanted: Vec<&str> = wanted.split_whitespace().collect();
    for name in &wanted {
        let names: Vec<&str> = SCENES.iter().map(|(name, _)| *name).collect();
        assert!(names.contains(name), "there is no scene `{name}`; there are {}", names.join(", "));
    }
    for (name, scene) in SCENES.iter().filter(|(name, _)| wanted.is_empty() || wanted.contains(name)) {
        let fanlight = Fanlight::new();
        let ui = scene(&fanlight);
        let (lines, (rows, columns)) = ui.look(|screen| (coloured(screen), screen.size()));
        std::fs::write(folder.join(format!("{name}.{columns}x{rows}.ansi")), lines).unwrap();
        drop(ui);
        fanlight.file("go", "");
    }
}
