//! Somebody is asked, and answers in the UI.

use crate::support::{Fanlight, wait_for};
use crate::terminal::Terminal;
use crate::ui;

/// Three pictures: one is picked, lettered with a text, and approved.
pub(crate) const SHEET: &str = r#"name: Sheet
nodes:
  skies:
    each: "${{ range(1, 4) }}"
    uses: image.generate
    with: { style: plasma, seed: "${{ item }}", width: 240, height: 160 }
  pick:
    uses: human.pick
    with: { items: "${{ skies.image }}", question: "Which sky goes on the sheet?" }
  line:
    uses: human.ask
    with: { question: "Which line stands on it?", show: "${{ pick.item }}", default: "A quiet sea" }
  sheet:
    uses: image.text
    with: { image: "${{ pick.item }}", text: "${{ line.answer }}", position: bottom }
  approve:
    uses: human.approve
    with: { question: "Print this sheet?", value: "${{ sheet.image }}" }
outputs:
  print: "${{ approve.value }}"
  picked: "${{ pick.index }}"
"#;

/// Waits until this many cells show pictures.
pub(crate) fn pictures(ui: &Terminal, cells: usize) {
    ui.wait("pictures", |screen| screen.contents().matches(['▀', '▄']).count() > cells);
}

/// Returns the UI on a run that asks for one of three pictures.
pub(crate) fn asked(fanlight: &Fanlight, ui: impl FnOnce(&Fanlight) -> Terminal) -> Terminal {
    fanlight.file("sheet.yaml", SHEET);
    fanlight.say(&["run", "sheet.yaml", "--no-wait"]).exits(4);
    let mut ui = ui(fanlight);
    ui.wait_for("sheet.yaml");
    ui.press(&["enter"]);
    ui.wait_for_all(&["‖ parked", "asks: Which sky", "a answer what is asked"]);
    ui
}

#[test]
fn a_picture_is_picked_and_a_sheet_is_approved_in_the_ui() {
    let fanlight = Fanlight::new();
    let mut ui = asked(&fanlight, ui);
    ui.press(&["a"]);
    ui.wait_for_all(&["Which sky goes on the sheet?", "1 plasma.png", "3 plasma.png", "one of them"]);
    pictures(&ui, 300);
    ui.press(&["l", "enter"]);
    // The layer closes with its last question; the next one is announced.
    ui.wait_for_all(&["answered pick of sheet#1", "sheet#1 asks: Which line stands on it?"]);
    ui.press(&["a"]);
    ui.wait_for_all(&["Which line stands on it?", "A quiet sea"]);
    pictures(&ui, 100);
    // The draft survives the death of the daemon.
    ui.type_text(" at noon");
    let before = ui.bytes();
    fanlight.kill_daemon();
    let away = ["the daemon is away", "starting the daemon"];
    wait_for("the loss of the daemon to be said", || {
        ui.frames_since(before).iter().any(|frame| away.iter().any(|words| frame.contains(words)))
    });
    away.iter().for_each(|words| ui.wait_gone(words));
    ui.wait_for("A quiet sea at noon");
    ui.press(&["enter"]);
    ui.wait_for("sheet#1 asks: Print this sheet?");
    ui.press(&["a"]);
    ui.wait_for_all(&["Print this sheet?", "y yes", "n no"]);
    pictures(&ui, 300);
    ui.press(&["y"]);
    ui.wait_for("✓ completed");
    let shown = fanlight.say(&["show", "sheet", "--json"]).exits(0).json().remove(0);
    assert_eq!(shown["outputs"]["picked"], 1);
    let said: Vec<_> = shown["questions"].as_array().unwrap().iter().map(|it| it["said"].clone()).collect();
    assert_eq!(said[1..], ["A quiet sea at noon", "yes"]);
}

#[test]
fn help_and_an_ascii_terminal_know_the_questions() {
    let fanlight = Fanlight::new();
    fanlight
        .file("letter.yaml", "nodes: { approve: { uses: human.approve, with: { question: 'Send it?' } } }");
    fanlight.say(&["run", "letter.yaml", "--no-wait"]).exits(4);
    let mut ui = crate::terminal(&fanlight).arguments(&["--ascii"]).open();
    ui.wait_for("letter.yaml");
    ui.press(&["enter"]);
    ui.wait_for_all(&["= parked", "asks: Send it?"]);
    ui.press(&["a"]);
    ui.wait_for("Send it?");
    ui.press(&["?"]);
    ui.wait_for_all(&["questions", "next question", "answer what is asked"]);
    ui.press(&["esc"]);
    ui.wait_for("y yes");
    assert!(ui.text().is_ascii(), "{}", ui.text());
    ui.press(&["n"]);
    ui.wait_for("x failed");
}
