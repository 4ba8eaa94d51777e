//! The words of a paragraph, with their styles, and how they fill lines.

use unicode_segmentation::UnicodeSegmentation as _;

use crate::output::style::{Paint, Role};
use crate::text::width;

/// A word: pieces of text with their roles, without blanks between them.
pub(super) type Word = Vec<(Role, String)>;

/// Splits text into words. Code and emphasis get their roles, links are their words. Without colours, code keeps its
/// backticks.
pub(super) fn words(text: &str, plain: Role, paint: Paint) -> Vec<Word> {
    let mut words: Vec<Word> = vec![Vec::new()];
    let mut add = |role: Role, text: &str| {
        for (at, part) in text.split(' ').enumerate() {
            if at > 0 {
                words.push(Vec::new());
            }
            if let Some(word) = words.last_mut().filter(|_| !part.is_empty()) {
                word.push((role, part.to_owned()));
            }
        }
    };
    let mut strong = false;
    for (at, piece) in without_links(text).split('`').enumerate() {
        if at % 2 == 1 {
            // A table escapes the bars in its code.
            let code = piece.replace("\\|", "|");
            let code = if paint.is_on() { code } else { format!("`{code}`") };
            add(if plain == Role::Plain { Role::Accent } else { plain }, &code);
            continue;
        }
        for (at, piece) in piece.split("**").enumerate() {
            strong ^= at > 0;
            let text = piece.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").replace('*', "");
            add(if strong { Role::Strong } else { plain }, &text);
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

fn without_links(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, target)) = rest.split_once("](") {
        let Some((_, after)) = target.split_once(')') else { break };
        let (lead, words) = before.rsplit_once('[').unwrap_or(("", before));
        out.push_str(lead);
        out.push_str(words);
        rest = after;
    }
    out.push_str(rest);
    out
}

fn columns(word: &Word) -> usize {
    word.iter().map(|(_, text)| width(text)).sum()
}

/// Fills lines of this width with words. The first line begins with `first`, the others with `indent`.
pub(super) fn fill(words: &[Word], first: &str, indent: &str, limit: usize) -> Vec<Vec<Word>> {
    let begin =
        |start: &str| if start.is_empty() { Vec::new() } else { vec![(Role::Plain, start.to_owned())] };
    let room = limit.saturating_sub(width(indent)).max(1);
    let mut lines: Vec<Vec<Word>> = vec![vec![begin(first)]];
    let mut taken = width(first);
    let mut empty = true;
    for word in words.iter().flat_map(|word| broken(word, room)) {
        let columns = columns(&word);
        if !empty && taken + 1 + columns > limit {
            lines.push(vec![begin(indent)]);
            (taken, empty) = (width(indent), true);
        }
        let Some(line) = lines.last_mut() else { continue };
        if empty {
            // The word follows the indentation without a blank.
            if let Some(start) = line.last_mut() {
                start.extend(word);
            }
            taken += columns;
        } else {
            line.push(word);
            taken += 1 + columns;
        }
        empty = false;
    }
    lines
}

/// Breaks a word that is wider than a line.
fn broken(word: &Word, room: usize) -> Vec<Word> {
    if columns(word) <= room {
        return vec![word.clone()];
    }
    let mut parts: Vec<Word> = vec![Vec::new()];
    let mut taken = 0;
    for (role, text) in word {
        for grapheme in text.graphemes(true) {
            if taken + width(grapheme) > room && taken > 0 {
                parts.push(Vec::new());
                taken = 0;
            }
            taken += width(grapheme);
            let Some(part) = parts.last_mut() else { continue };
            match part.last_mut() {
                Some((last, text)) if last == role => text.push_str(grapheme),
                _ => part.push((*role, grapheme.to_owned())),
            }
        }
    }
    parts
}

/// Returns a line with its styles.
pub(super) fn render(line: &[Word], paint: Paint) -> String {
    let word = |word: &Word| {
        word.iter()
            .map(|(role, text)| if *role == Role::Plain { text.clone() } else { paint.apply(*role, text) })
            .collect::<String>()
    };
    line.iter().map(word).collect::<Vec<_>>().join(" ")
}

/// Returns the width of a line in columns.
pub(super) fn line_width(line: &[Word]) -> usize {
    line.iter().map(columns).sum::<usize>() + line.len().saturating_sub(1)
}
