//! Cleans text from outside before it reaches a terminal: the output of a run, the content of a file, a name.
//!
//! Such text must not move the cursor, set the title, write to the clipboard, or pose as other text. An unclosed escape
//! sequence ends with its line, so that it can't swallow the following text.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};
use vte::{Params, Parser, Perform};

/// The most combining marks on one character; more would cover the lines above.
const MAX_MARKS: usize = 8;

/// A tab, as it is shown.
const TAB: &str = "    ";

/// Returns plain text: no escape sequences, no control characters except newlines, tabs as spaces. Marks that change
/// the direction of writing become `�`, invisible characters are dropped.
#[must_use]
pub fn plain(text: &str) -> String {
    clean(text, false)
}

/// Does the same as [`plain`], but colours and weights (SGR) stay, and are reset at the end.
#[must_use]
pub fn colours(text: &str) -> String {
    clean(text, true)
}

/// Does the same as [`plain`], on one line: line breaks become blanks.
#[must_use]
pub fn line(text: &str) -> String {
    let clean = plain(text);
    if clean.contains('\n') { clean.trim_end_matches('\n').replace('\n', " ") } else { clean }
}

/// Returns the width of a clean text in terminal columns.
#[must_use]
pub fn width(text: &str) -> usize {
    text.width()
}

fn clean(text: &str, keep_colours: bool) -> String {
    // Most text is harmless; a look is cheaper than parsing.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\n')) {
        return text.to_owned();
    }
    let mut screen =
        Screen { out: String::with_capacity(text.len()), keep_colours, coloured: false, marks: 0 };
    for (number, line) in text.split(['\n', '\u{2028}', '\u{2029}', '\u{85}']).enumerate() {
        if number > 0 {
            screen.out.push('\n');
        }
        screen.marks = 0;
        let line = line.strip_suffix('\r').unwrap_or(line);
        let mut parser = Parser::new();
        // A single C1 character is another way to write `ESC` and a letter.
        if line.chars().any(|it| ('\u{80}'..='\u{9f}').contains(&it)) {
            let mut bytes = Vec::with_capacity(line.len());
            for character in line.chars() {
                match u32::from(character) {
                    code @ 0x80..=0x9f => bytes.extend([0x1b, u8::try_from(code - 0x40).unwrap_or(b' ')]),
                    _ => bytes.extend(character.encode_utf8(&mut [0; 4]).as_bytes()),
                }
            }
            parser.advance(&mut screen, &bytes);
        } else {
            parser.advance(&mut screen, line.as_bytes());
        }
    }
    if screen.coloured {
        screen.out.push_str("\u{1b}[0m");
    }
    screen.out
}

struct Screen {
    out: String,
    keep_colours: bool,
    coloured: bool,
    marks: usize,
}

impl Perform for Screen {
    fn print(&mut self, character: char) {
        match character {
            // They join emoji and letters of some scripts; after anything else they only hide.
            '\u{200c}' | '\u{200d}' if self.out.ends_with(|last: char| !last.is_ascii()) => {}
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                self.out.push('\u{fffd}');
                return;
            }
            _ if invisible(character) || character.is_control() => return,
            _ => {}
        }
        if character.width() == Some(0) {
            self.marks += 1;
            if self.marks > MAX_MARKS {
                return;
            }
        } else {
            self.marks = 0;
        }
        self.out.push(character);
    }

    fn execute(&mut self, byte: u8) {
        match byte {
            b'\t' => self.out.push_str(TAB),
            // Programs use it to redraw progress in place; every state gets its own line.
            b'\r' => self.out.push('\n'),
            _ => {}
        }
    }

    fn csi_dispatch(&mut self, params: &Params, intermediates: &[u8], ignore: bool, action: char) {
        if !self.keep_colours || action != 'm' || !intermediates.is_empty() || ignore {
            return;
        }
        let styles = visible_styles(params);
        if styles.is_empty() {
            return;
        }
        self.coloured = styles != ["0"];
        self.out.push_str("\u{1b}[");
        self.out.push_str(&styles.join(";"));
        self.out.push('m');
    }
}

/// Returns the styles of an SGR sequence without those that hide text or make it blink.
fn visible_styles(params: &Params) -> Vec<String> {
    let mut styles = Vec::new();
    let mut groups = params.iter();
    while let Some(group) = groups.next() {
        match group {
            [5 | 6 | 8] => {}
            // A colour, its kind and its parts written as params of their own.
            [colour @ (38 | 48 | 58)] => {
                let kind = groups.next().and_then(|it| it.first().copied());
                let parts = match kind {
                    Some(5) => 1,
                    Some(2) => 3,
                    _ => return styles,
                };
                styles.push(colour.to_string());
                styles.extend(kind.map(|kind| kind.to_string()));
                for _ in 0..parts {
                    let part = groups.next().and_then(|it| it.first().copied()).unwrap_or(0);
                    styles.push(part.to_string());
                }
            }
            group => styles.push(group.iter().map(ToString::to_string).collect::<Vec<_>>().join(":")),
        }
    }
    styles
}

/// Returns whether a character is invisible and means nothing to a reader.
fn invisible(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180e}'
            | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2065}' | '\u{206a}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

#[cfg(test)]
mod tests;
