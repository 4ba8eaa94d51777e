//! Effects outside the UI: programs in the terminal, the clipboard, notifications.

use std::io::Write as _;
use std::path::Path;

use crossterm::Command as _;
use crossterm::clipboard::CopyToClipboard;
use fanlight_shared::sanitise;
use tokio::process::Command;

/// The longest text that terminals take by OSC 52.
const MAX_CLIPBOARD_BYTES: usize = 74_000;

/// Returns a program that a variable names, with its arguments; the first variable that is set wins.
fn program(variables: &[&str], otherwise: &str) -> Vec<String> {
    let set = variables.iter().filter_map(|name| std::env::var(name).ok()).find(|it| !it.trim().is_empty());
    set.unwrap_or_else(|| otherwise.to_owned()).split_whitespace().map(str::to_owned).collect()
}

async fn run(words: &[String], path: &Path) -> Result<(), String> {
    let [program, arguments @ ..] = words else { return Ok(()) };
    let status = Command::new(program)
        .args(arguments)
        .arg(path)
        .status()
        .await
        .map_err(|error| format!("{program} can't be started: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{program} ended with {status}")) }
}

/// Opens a file in `$VISUAL`, `$EDITOR` or `vi`.
pub(super) async fn edit(path: &Path) -> Result<(), String> {
    run(&program(&["VISUAL", "EDITOR"], "vi"), path).await
}

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
