//! Asks before something is deleted for good.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use crossterm::terminal::{disable_raw_mode, enable_raw_mode};

use crate::failure::Failure;

/// Asks on the terminal; without a terminal, `--yes` is required.
pub(crate) async fn confirm(question: &str, yes: bool) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Err(Failure::usage(format!("{question} Nobody is there to answer"))
            .hint("add `--yes` to go ahead without a question"));
    }
    // Beside the command, so that Ctrl-C ends it also where that is caught.
    let question = question.to_owned();
    let asked = tokio::task::spawn_blocking(move || ask(&question)).await;
    let answer = asked
        .unwrap_or_else(|error| Err(std::io::Error::other(error)))
        .map_err(|error| Failure::failed(format!("the question could not be asked: {error}")))?;
    match answer.trim().to_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(Failure::failed("nothing was changed")),
    }
}

fn ask(question: &str) -> std::io::Result<String> {
    let mut stderr = std::io::stderr().lock();
    write!(stderr, "{} [y/N] ", super::for_people(question))?;
    stderr.flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(answer)
}

/// Asks for a line on the terminal that is not shown while it is typed.
pub(crate) fn hidden(question: &str) -> Result<String, Failure> {
    let failed = |error: std::io::Error| Failure::failed(format!("the question could not be asked: {error}"));
    let answer = type_hidden(&super::for_people(question));
    let _ = writeln!(std::io::stderr());
    answer.map_err(failed)?.ok_or_else(|| Failure::failed("nothing was changed"))
}

/// Returns the line that is typed; `None` if it is given up with Ctrl-C or Ctrl-D.
fn type_hidden(question: &str) -> std::io::Result<Option<String>> {
    /// Restores the terminal, whatever happens.
    struct Raw;
    impl Drop for Raw {
        fn drop(&mut self) {
            let _ = disable_raw_mode();
        }
    }
    // Before the question, so that nothing that is typed early is shown.
    enable_raw_mode()?;
    let _raw = Raw;
    let mut stderr = std::io::stderr();
    write!(stderr, "{question} ").and_then(|()| stderr.flush())?;
    let mut line = String::new();
    loop {
        let Event::Key(key) = event::read()? else { continue };
        if key.kind == KeyEventKind::Release {
            continue;
        }
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Enter => return Ok(Some(line)),
            KeyCode::Char('c' | 'd') if control => return Ok(None),
            KeyCode::Char('u') if control => line.clear(),
            KeyCode::Backspace => {
                line.pop();
            }
            KeyCode::Char(letter) if !control => line.push(letter),
            _ => {}
        }
    }
}
