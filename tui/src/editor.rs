//! Programs of the user that open a file in the terminal.

use std::path::Path;

use tokio::process::Command;

/// Returns a program that a variable names, with its arguments; the first variable that is set wins.
pub(crate) fn program(variables: &[&str], otherwise: &str) -> Vec<String> {
    let set = variables.iter().filter_map(|name| std::env::var(name).ok()).find(|it| !it.trim().is_empty());
    set.unwrap_or_else(|| otherwise.to_owned()).split_whitespace().map(str::to_owned).collect()
}

/// Opens a file in a program, and waits for its end.
///
/// # Errors
/// It can't be started, or ended with an error.
pub(crate) async fn run(words: &[String], path: &Path) -> Result<(), String> {
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
///
/// # Errors
/// The editor can't be started, or ended with an error.
pub(crate) async fn edit(path: &Path) -> Result<(), String> {
    run(&program(&["VISUAL", "EDITOR"], "vi"), path).await
}
