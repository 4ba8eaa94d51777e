//! Effects outside the UI: programs in the terminal, the clipboard, notifications.

use std::io::Write as _;

use crossterm::Command as _;
use crossterm::clipboard::CopyToClipboard;
use fanlight_shared::sanitise;

use crate::editor::{program, run};

/// The longest text that terminals take by OSC 52.
const MAX_CLIPBOARD_BYTES: usize = 74_000;

/// Opens text in `$PAGER` or `less`.
pub(super) async fn page(name: &str, text: &str) -> Result<(), String> {
    let name: String =
        name.chars().map(|it| if it.is_alphanumeric() || "-_.".contains(it) { it } else { '-' }).collect();
    let suffix = format!("-{name}");
    let mut file = tempfile::Builder::new()
        .prefix("fanlight-")
        .suffix(&suffix)
        .tempfile()
        .map_err(|error| error.to_string())?;
    file.write_all(text.as_bytes()).map_err(|error| error.to_string())?;
    run(&program(&["PAGER"], "less -R"), file.path()).await
}

/// Returns the sequence that puts a text on the clipboard, where the terminal supports it.
pub(super) fn copy(text: &str) -> String {
    let mut out = String::new();
    if text.len() <= MAX_CLIPBOARD_BYTES {
        let _ = CopyToClipboard::to_clipboard_from(text).write_ansi(&mut out);
    }
    out
}

/// Returns the sequence that rings the bell and shows a notice on the desktop, where the terminal supports it: OSC 99 in kitty,
/// whose notices of OSC 9 have no title, else OSC 9, which most others know. `terminal`: the variable `TERM`.
pub(super) fn notice(text: &str, terminal: Option<&str>) -> String {
    let text = sanitise::line(text);
    match terminal {
        Some("xterm-kitty") => {
            format!(
                "\u{7}\u{1b}]99;i=fanlight:d=0;fanlight\u{1b}\\\u{1b}]99;i=fanlight:p=body;{text}\u{1b}\\"
            )
        }
        _ => format!("\u{7}\u{1b}]9;fanlight: {text}\u{7}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_has_the_sequence_of_its_terminal_and_no_others_in_its_text() {
        let text = "poster#1 \u{1b}]0;x\u{7}ended";
        let plain = notice(text, Some("xterm-256color"));
        assert!(
            plain.starts_with("\u{7}\u{1b}]9;fanlight: poster#1") && plain.ends_with("ended\u{7}"),
            "{plain:?}"
        );
        assert_eq!(plain.matches('\u{1b}').count(), 1);
        let kitty = notice(text, Some("xterm-kitty"));
        assert!(
            kitty.contains("]99;i=fanlight:d=0;fanlight\u{1b}\\") && kitty.ends_with("ended\u{1b}\\"),
            "{kitty:?}"
        );
        assert_eq!(kitty.matches('\u{1b}').count(), 4);
    }
}
