//! The terminal is restored, and other programs may use it meanwhile.

use std::os::unix::fs::PermissionsExt as _;

use rustix::process::Signal;

use crate::support::Fanlight;
use crate::terminal::{Mouse, Opening, Terminal};
use crate::workflows::PRINT;
use crate::{failed_nightly, terminal, ui};

/// Panics unless the output ends by leaving the alternate screen, showing the cursor and disabling the mouse.
fn gave_back(terminal: &Terminal) {
    let raw = terminal.raw();
    let last = |wanted: &[u8]| raw.windows(wanted.len()).rposition(|it| it == wanted);
    for (taken, given) in [
        ("\x1b[?1049h", "\x1b[?1049l"),
        ("\x1b[?25l", "\x1b[?25h"),
        ("\x1b[?1000h", "\x1b[?1000l"),
        ("\x1b[?2004h", "\x1b[?2004l"),
    ] {
        assert!(last(given.as_bytes()) > last(taken.as_bytes()), "{} is missing", given.escape_debug());
    }
}

fn script(fanlight: &Fanlight, name: &str, text: &str) -> String {
    fanlight.file(name, text);
    std::fs::set_permissions(fanlight.path(name), std::fs::Permissions::from_mode(0o755)).unwrap();
    fanlight.path(name).to_str().unwrap().to_owned()
}

#[test]
fn the_terminal_is_given_back_after_quit_and_after_a_signal() {
    let fanlight = Fanlight::new();
    let mut quit = ui(&fanlight);
    quit.wait_for("Examples");
    quit.press(&["q"]);
    assert_eq!(quit.ends().exit_code(), 0);
    gave_back(&quit);
    let mut terminated = ui(&fanlight);
    terminated.wait_for("Examples");
    terminated.signal(Signal::TERM);
    terminated.ends();
    gave_back(&terminated);
}

#[test]
fn ctrl_z_gives_the_shell_the_terminal_and_fg_brings_the_lens_back() {
    let fanlight = Fanlight::new();
    let mut shell = Opening::new("/bin/sh", fanlight.path(""))
        .arguments(&["-i"])
        .environment(fanlight.environment())
        .environment([("PS1", "shell> "), ("UI", env!("CARGO_BIN_EXE_fanlight"))])
        .open();
    shell.wait_for("shell>");
    shell.type_text("\"$UI\"\r");
    shell.wait_for("Examples");
    shell.press(&["ctrl-z"]);
    shell.wait("the shell's own screen", |screen| {
        screen.contents().contains("Stopped") && !screen.alternate_screen() && !screen.hide_cursor()
    });
    gave_back(&shell);
    shell.type_text("echo the shell has the $((6 * 7))th line\r");
    shell.wait_for("the shell has the 42th line");
    shell.type_text("fg\r");
    shell.wait_for("Examples");
    shell.press(&["?"]);
    shell.wait_for("Help");
    shell.press(&["esc"]);
    shell.wait_gone("Help");
    shell.press(&["q"]);
    shell.wait("the shell's fourth prompt", |screen| {
        !screen.alternate_screen() && screen.contents().matches("shell>").count() == 4
    });
    shell.type_text("exit\r");
    shell.ends();
    gave_back(&shell);
}

#[test]
fn stopped_from_outside_it_takes_the_terminal_again_when_it_goes_on() {
    let fanlight = Fanlight::new();
    let mut shell = Opening::new("/bin/sh", fanlight.path(""))
        .arguments(&["-i"])
        .environment(fanlight.environment())
        .environment([("PS1", "shell> "), ("UI", env!("CARGO_BIN_EXE_fanlight"))])
        .open();
    shell.wait_for("shell>");
    shell.type_text("sh -c 'echo $$ > ui.pid; exec \"$UI\"'\r");
    shell.wait_for("Examples");
    let pid = std::fs::read_to_string(fanlight.path("ui.pid")).unwrap();
    let pid = rustix::process::Pid::from_raw(pid.trim().parse().unwrap()).unwrap();
    rustix::process::kill_process(pid, Signal::STOP).unwrap();
    shell.wait_for("Stopped");
    // What shells do with the terminal of a job that did not restore it.
    shell.type_text("stty sane\n");
    shell.wait("the next prompt", |screen| screen.contents().matches("shell>").count() == 2);
    shell.type_text("echo the shell has the $((6 * 7))th line\r");
    shell.wait_for("the shell has the 42th line");
    shell.type_text("fg\r");
    shell.wait("the whole lens", |screen| {
        let text = screen.contents();
        text.contains("Examples") && !text.contains("the shell has")
    });
    // A key still reaches it, and it paints.
    shell.press(&["?"]);
    shell.wait_for("Help");
    shell.press(&["esc", "q"]);
    shell.wait("the shell's own screen", |screen| !screen.alternate_screen());
    gave_back(&shell);
}

#[test]
fn an_editor_changes_the_workflow_and_the_change_is_picked_up() {
    let fanlight = Fanlight::new();
    fanlight.file("print.yaml", PRINT);
    let editor = script(&fanlight, "edit.sh", "#!/bin/sh\nsed -i 's/^name: Print/name: Reprint/' \"$1\"\n");
    let mut ui = terminal(&fanlight).environment([("EDITOR", editor)]).open();
    ui.wait_for("print.yaml");
    ui.press(&["enter"]);
    ui.wait_for_all(&["fanlight  Print", "nothing made yet"]);
    ui.press(&["e"]);
    ui.wait_for("fanlight  Reprint");
    ui.press(&["?"]);
    ui.wait_for("Help");
}

#[test]
fn a_file_that_was_changed_on_screen_is_what_runs() {
    let fanlight = Fanlight::new();
    let say = |word: &str| {
        format!(
            "name: Say\nnodes: {{ say: {{ run: 'echo {word}' }} }}\noutputs: {{ said: \"${{{{ say.stdout }}}}\" }}\n"
        )
    };
    fanlight.file("say.yaml", &say("one"));
    let mut ui = ui(&fanlight);
    ui.wait_for("say.yaml");
    ui.press(&["enter"]);
    ui.wait_for_all(&["fanlight  Say", "nothing made yet"]);
    // An error comes and goes by itself.
    fanlight.file("say.yaml", "name: Say\nnodes: { say: { runs: 1 } }\n");
    ui.wait_for("say.yaml: 2 problems");
    fanlight.file("say.yaml", &say("two"));
    ui.wait_gone("2 problems");
    ui.press(&["r"]);
    ui.wait_for("Run Say");
    // The file on disk counts, not the one the form was opened with.
    fanlight.file("say.yaml", &say("three"));
    ui.press(&["ctrl-s"]);
    ui.wait_for("✓ completed");
    let shown = fanlight.say(&["show", "last", "--json"]).exits(0);
    assert!(shown.out.contains("three"), "{}", shown.out);
    // Home stays open, although it begins with the workflow on screen.
    ui.press(&["w"]);
    ui.wait_for_all(&["Workflows", "This folder", "Examples"]);
    ui.press(&["G"]);
    ui.wait_for_all(&["Workflows", "This folder", "Examples"]);
}

#[test]
fn a_pager_gets_the_log() {
    let fanlight = Fanlight::new();
    let (seen, left) = (fanlight.path("seen.txt"), fanlight.path("left"));
    let page = format!(
        "#!/bin/sh\ncp \"$1\" '{}'\necho all of the log\nuntil [ -e '{}' ]; do sleep 0.02; done\n",
        seen.display(),
        left.display()
    );
    let pager = script(&fanlight, "page.sh", &page);
    let mut ui = failed_nightly(&fanlight, terminal(&fanlight).environment([("PAGER", pager)]));
    ui.press(&["!", "enter"]);
    ui.wait_for("compiling part 300");
    ui.press(&["o"]);
    ui.wait_for("all of the log");
    let text = std::fs::read_to_string(&seen).unwrap();
    assert!(text.contains("compiling part 1 of 300") && text.ends_with("device\n"), "{text}");
    std::fs::write(&left, "").unwrap();
    // What is typed before the UI has the terminal again is the pager's.
    ui.wait("the UI is back", vt100::Screen::alternate_screen);
    ui.wait_for("compiling part 300");
    ui.press(&["esc"]);
    ui.wait_for("1 Grid");
}

#[test]
fn the_mouse_can_focus_click_and_drag() {
    let fanlight = Fanlight::new();
    let mut ui = failed_nightly(&fanlight, terminal(&fanlight));
    ui.wait("the mouse is taken", |screen| screen.mouse_protocol_mode() != vt100::MouseProtocolMode::None);
    // The border left of the queue follows the mouse.
    let (column, row) = ui.find("╭ 2 Queue").unwrap();
    ui.mouse(Mouse::Down, (column, row + 4));
    ui.mouse(Mouse::Drag, (column - 20, row + 4));
    ui.mouse(Mouse::Up, (column - 20, row + 4));
    ui.wait("a wider queue", |screen| {
        screen.contents().lines().any(|line| {
            line.find("╭ 2 Queue").is_some_and(|at| line[..at].chars().count() == usize::from(column) - 20)
        })
    });
    // A click on a node, a second one opens it; the wheel scrolls its log.
    ui.click("✗ compile");
    ui.click("✗ compile");
    ui.wait_for_all(&["compile · #1", "compiling part 300"]);
    let at = ui.find("compiling part 290").unwrap();
    for _ in 0..4 {
        ui.mouse(Mouse::WheelUp, at);
    }
    ui.wait_gone("compiling part 300");
    for _ in 0..8 {
        ui.mouse(Mouse::WheelDown, at);
    }
    ui.wait_for("compiling part 300");
}

#[test]
fn every_size_is_drawn() {
    let fanlight = Fanlight::new();
    let mut ui = failed_nightly(&fanlight, terminal(&fanlight));
    for (columns, rows) in [(60, 20), (300, 100), (39, 9), (80, 24), (1, 1), (140, 30), (300, 100), (60, 20)]
    {
        ui.resize(columns, rows);
        if columns < 40 {
            continue;
        }
        ui.wait(&format!("{columns}×{rows}"), |screen| {
            let text = screen.contents();
            text.contains("compile") && text.lines().count() == usize::from(rows)
        });
    }
    ui.press(&["q"]);
    assert_eq!(ui.ends().exit_code(), 0);
}
