//! A hostile run: whatever it prints, the screen stays intact.

use crate::support::Fanlight;
use crate::ui;

/// Every kind of text of a run, full of escape sequences.
const HOSTILE: &str = r#"name: "Bad\e]0;owned\atitle\u202e"
nodes:
  talk:
    outputs: { all: { glob: "*.txt", type: file } }
    run: |
      printf '\033]52;c;b3duZWQ=\007\033[2J\033[1;1Howned\033[?1049l\033[?25h\033]0;owned\007\n'
      printf '\033[31mred\033[0m \302\233 \342\200\256 \342\201\246back\033Pq~~owned\033\\\n'
      printf '{"type":"progress","value":0.5,"message":"\\u001b[2Jowned\\u202e"}\n' >> "$FANLIGHT_EVENTS"
      name=$(printf 'a\033[2Jb.txt'); printf 'x\033[5;5Hy\n' > "$name"
      printf '\033]52;c;b3duZWQ=\007\033[2J\033[3;3Hlast\n' >&2
      exit 3
outputs:
  all: "${{ talk.all }}"
"#;

#[test]
fn text_of_a_run_never_controls_the_terminal() {
    let fanlight = Fanlight::new();
    fanlight.file("bad.yaml", HOSTILE);
    let mut ui = ui(&fanlight);
    ui.wait_for("bad.yaml");
    ui.press(&["r"]);
    ui.wait_for("1 run ");

    ui.press(&["enter"]);
    ui.wait_for_all(&["✗ failed", "✗ talk"]);
    fanlight.say(&["label", "last", "evil\u{1b}[2J\u{1b}]52;c;b3duZWQ=\u{7}\u{202e}label"]).exits(2);
    ui.press(&["enter"]);
    ui.wait_for_all(&["talk · #1", "last"]);
    // Every page of the node.
    for tab in ["Error", "Attempts", "Outputs", "Inputs"] {
        ui.press(&["l"]);
        ui.wait_for(tab);
    }
    ui.press(&["esc"]);
    ui.wait_for("1 Grid");
    ui.press(&["3"]);
    ui.press(&["m"]);
    let before = ui.bytes();
    ui.press(&["ctrl-l"]);
    crate::support::wait_for("drawn again", || ui.bytes() > before + 4_000);
    ui.wait("a whole screen", |screen| {
        let text = screen.contents();
        let lines: Vec<&str> = text.lines().collect();
        lines.first().is_some_and(|it| it.starts_with(" fanlight"))
            && lines.get(1).is_some_and(|it| it.starts_with('╭'))
    });
    let raw = String::from_utf8_lossy(&ui.raw()).into_owned();
    for payload in
        ["\x1b]52;", "\x1b]0;", "b3duZWQ=\x07", "\x1bPq~", "\u{202e}", "\u{2066}", "\u{9b}", "\x1b[?1049l"]
    {
        assert!(!raw.contains(payload), "{} reached the terminal", payload.escape_debug());
    }
}
