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

/// Returns the sequence that rings the bell and shows a notice, where the terminal supports it.
pub(super) fn notice(text: &str) -> String {
    format!("\u{7}\u{1b}]9;fanlight: {}\u{7}", sanitise::line(text))
}
