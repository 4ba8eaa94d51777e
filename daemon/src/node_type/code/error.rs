//! Errors of code, in one sentence with the line.

use fanlight_shared::value::cut;
use rquickjs::{Ctx, Error, Function, Value as Js};

/// The name of the code in stack traces.
pub(super) const FILE: &str = "<code>";
/// How many characters of a message are shown.
const MAX_MESSAGE: usize = 500;

/// Why there are no values.
pub(super) enum Stopped {
    Failed(String),
    TooLong,
    OutOfMemory,
    /// It threw null, as the engine does where memory is too short for an error.
    Null,
}

impl From<String> for Stopped {
    fn from(error: String) -> Self {
        Self::Failed(error)
    }
}

/// Returns why the code stopped. `text` describes values in words.
pub(super) fn stopped<'js>(
    ctx: &Ctx<'js>,
    error: &Error,
    text: Option<&Function<'js>>,
    lines: usize,
) -> Stopped {
    if !error.is_exception() {
        return match error {
            Error::Allocation => Stopped::OutOfMemory,
            Error::InvalidString(_) => Stopped::Failed("the code contains a NUL character".into()),
            error => Stopped::Failed(format!("the code can't be run: {error}")),
        };
    }
    let thrown = ctx.catch();
    if thrown.is_null() {
        return Stopped::Null;
    }
    let exception = thrown.as_exception();
    let message = exception.and_then(rquickjs::Exception::message);
    if let Some(exception) = exception
        && message.as_deref() == Some("out of memory")
        && exception.get::<_, String>("name").is_ok_and(|name| name == "InternalError")
    {
        return Stopped::OutOfMemory;
    }
    let line = exception.and_then(rquickjs::Exception::stack).and_then(|stack| line(&stack, lines));
    let words = words(ctx, &thrown, text).unwrap_or_else(|| message.unwrap_or_default());
    Stopped::Failed(match (line, exception.is_some()) {
        (Some(line), _) => format!("the code, line {line}: {}", cut(&words, MAX_MESSAGE)),
        (None, true) => format!("the code: {}", cut(&words, MAX_MESSAGE)),
        (None, false) => format!("the code threw {}", cut(&words, MAX_MESSAGE)),
    })
}

/// Describes a thrown value.
fn words<'js>(ctx: &Ctx<'js>, thrown: &Js<'js>, text: Option<&Function<'js>>) -> Option<String> {
    let words = text?.call::<_, String>((thrown.clone(),));
    if words.is_err() {
        ctx.catch();
    }
    words.ok()
}

/// Returns the first line of the code in a stack trace. The code ends where it is found to be cut off, which may be one line
/// later than its last.
fn line(stack: &str, lines: usize) -> Option<usize> {
    let (_, place) = stack.split_once(&format!("{FILE}:"))?;
    let digits: String = place.chars().take_while(char::is_ascii_digit).collect();
    digits.parse::<usize>().ok().map(|line| line.min(lines))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_that_of_the_innermost_function_of_the_code() {
        let stack =
            "    at JSON.parse (native)\n    at inner (<code>:3:9)\n    at <anonymous> (<code>:7:1)\n";
        assert_eq!(line(stack, 9), Some(3));
        assert_eq!(line("    at <code>:12:1\n", 11), Some(11));
        assert_eq!(line("    at JSON.parse (native)\n", 1), None);
    }
}
