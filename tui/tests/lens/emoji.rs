//! Labels of flags and other emoji in tmux, which gives some of them another width than the UI.

use std::path::PathBuf;
use std::process::Command;

use crate::support::{Fanlight, wait_for};

/// Flags, a family, a heart with its selector, a hand with a skin tone, a keycap, a combined letter, a plain emoji.
const WORDS: [&str; 7] = [
    "\u{1F1E9}\u{1F1EA}\u{1F1EB}\u{1F1F7}",
    "\u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467}",
    "\u{2764}\u{FE0F}",
    "\u{1F44D}\u{1F3FD}",
    "1\u{FE0F}\u{20E3}",
    "e\u{301}",
    "\u{1F680}",
];

const FLAGS: &str = "name: Flags
params: { word: { type: text, default: x } }
nodes: { a: { uses: text.template, with: { template: \"{{ w }}\", w: \"${{ params.word }}\" } } }
outputs: { o: \"${{ a.text }}\" }
";

/// The UI in a tmux of its own.
struct Tmux<'a> {
    socket: PathBuf,
    fanlight: &'a Fanlight,
}

impl<'a> Tmux<'a> {
    /// Returns `None` without a tmux.
    fn open(fanlight: &'a Fanlight) -> Option<Self> {
        let tmux = Self { socket: fanlight.path("../tmux"), fanlight };
        let line = ["-f", "/dev/null", "-u", "new-session", "-d", "-x", "150", "-y", "40"];
        let opened = tmux.command(&line).arg(env!("CARGO_BIN_EXE_fanlight")).output();
        opened.is_ok_and(|it| it.status.success()).then_some(tmux)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("tmux");
        command.arg("-S").arg(&self.socket).args(arguments);
        command.env_clear().envs(self.fanlight.environment()).env("TERM", "xterm-256color");
        command.current_dir(self.fanlight.path(""));
        command
    }

    fn press(&self, keys: &[&str]) {
        assert!(self.command(&["send-keys"]).args(keys).status().unwrap().success());
    }

    fn screen(&self) -> String {
        String::from_utf8(self.command(&["capture-pane", "-p"]).output().unwrap().stdout).unwrap()
    }

    #[track_caller]
    fn shows(&self, text: &str) {
        wait_for(&format!("`{text}` in tmux"), || self.screen().contains(text));
    }

    /// Waits for the header, the queue and the gallery. The run in focus, which the header names too, is one of these at
    /// most.
    #[track_caller]
    fn has_tiles(&self) {
        wait_for("the header, the queue and the gallery", || {
            let screen = self.screen();
            let both = ["#3 word=", "#5 word="].iter().all(|run| screen.matches(run).count() > 1);
            both && screen.contains("✓ completed · ")
        });
    }

    /// Returns the screen once it stays as it is: a frame may be half drawn.
    fn settled(&self) -> String {
        let (mut seen, mut times) = (self.screen(), 0);
        wait_for("a screen that stays", || {
            let now = self.screen();
            times = if now == seen { times + 1 } else { 0 };
            seen = now;
            times == 5
        });
        seen
    }

    /// Checks that the screen is the same when everything is drawn again on an empty one.
    #[track_caller]
    fn is_clean(&self) {
        let mut before = String::new();
        // A frame that comes between, such as one with a picture, is drawn on the empty screen: it is not the last one.
        wait_for("a screen that tmux has cleared", || {
            before = self.settled();
            assert!(self.command(&["send-keys", "-R"]).status().unwrap().success());
            let cleared = self.screen().trim().is_empty();
            self.press(&["C-l"]);
            cleared
        });
        let mut after = String::new();
        let same = fanlight_shared::testing::happens(|| {
            after = self.screen();
            after == before
        });
        assert!(same, "cells are left behind in\n{before}\ninstead of\n{after}");
    }
}

impl Drop for Tmux<'_> {
    fn drop(&mut self) {
        let _ = self.command(&["kill-server"]).output();
    }
}

#[test]
fn no_cell_of_an_emoji_is_left_behind_in_tmux() {
    let fanlight = Fanlight::new();
    fanlight.file("flags.yaml", FLAGS);
    fanlight.say(&["run", "flags.yaml", "--sweep", &format!("word={}", WORDS.join(","))]).exits(0);
    let Some(tmux) = Tmux::open(&fanlight) else {
        return fanlight_shared::testing::skip("there is no tmux");
    };
    tmux.shows("flags.yaml");
    tmux.press(&["Enter"]);
    tmux.shows(" a · 7 runs ");
    tmux.has_tiles();
    tmux.is_clean();
    // Rows are marked and unmarked, covered and uncovered.
    tmux.press(&["2", "g", "g", "j", "Space", "j", "Space", "j", "Space"]);
    tmux.shows("3 marked");
    tmux.is_clean();
    tmux.press(&["k", "Space"]);
    tmux.shows("2 marked");
    tmux.is_clean();
    tmux.press(&["?"]);
    tmux.shows("half a page down");
    tmux.is_clean();
    tmux.press(&["Escape"]);
    wait_for("the end of the help", || !tmux.screen().contains("half a page down"));
    tmux.is_clean();
    // The list of workflows says how long ago the last run was, so that its screens are never the same.
    tmux.press(&["w"]);
    tmux.shows("Examples");
    let all: Vec<char> = WORDS.iter().flat_map(|word| word.chars()).filter(|it| !it.is_ascii()).collect();
    // The header still names the run in focus.
    wait_for("a list without emoji", || !tmux.screen().lines().skip(1).any(|line| line.contains(&all[..])));
    tmux.press(&["Escape"]);
    tmux.has_tiles();
    tmux.is_clean();
}
