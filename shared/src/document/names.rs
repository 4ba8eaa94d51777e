//! Names of params, nodes, ports and inputs: which are allowed, and which are reserved.

use super::reading::Reading;
use super::yaml::Entry;
use crate::expression::{FUNCTIONS, ROOTS};

/// The keywords and constants of minijinja.
const WORDS: [&str; 12] =
    ["true", "false", "none", "and", "or", "not", "in", "is", "if", "else", "for", "loop"];

/// Returns whether a text can name a param, node or port: `[a-z][a-z0-9_]*`.
pub fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
}

/// Returns whether a text can name a secret: letters, digits and `_`, at most 100, and no digit first. Capitals are usual
/// elsewhere.
#[must_use]
pub fn is_secret_name(name: &str) -> bool {
    name.len() <= 100
        && name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Returns whether a name means something else in expressions.
pub(super) fn reserved(name: &str) -> bool {
    ROOTS.contains(&name) || FUNCTIONS.contains(&name) || WORDS.contains(&name) || name == "self"
}

impl Reading<'_> {
    /// Checks the key that names `what`; `free` allows reserved words.
    pub(super) fn name(&mut self, entry: &Entry, what: &str, free: bool) -> bool {
        let name = entry.key.as_str();
        if !is_name(name) {
            let shown = crate::value::cut(name, 60);
            let message = format!("`{shown}` can't be the name of {what}");
            let hint = match suggestion(name) {
                Some(better) => format!("names match [a-z][a-z0-9_]*; write `{better}`"),
                None => "names match [a-z][a-z0-9_]*".to_owned(),
            };
            self.error_hint("bad_name", entry.key_span, message, hint);
            return false;
        }
        if !free && reserved(name) {
            let message =
                format!("`{name}` can't be the name of {what}: the word is reserved for expressions");
            self.error_hint(
                "reserved_name",
                entry.key_span,
                message,
                format!("write `{name}_1` or another word"),
            );
            return false;
        }
        true
    }
}

fn suggestion(name: &str) -> Option<String> {
    let mut better = String::new();
    for character in name.chars() {
        match character {
            'a'..='z' | '0'..='9' | '_' => better.push(character),
            'A'..='Z' => {
                if better.ends_with(|last: char| last.is_ascii_lowercase()) {
                    better.push('_');
                }
                better.push(character.to_ascii_lowercase());
            }
            '-' | ' ' | '.' | '/' => better.push('_'),
            _ => return None,
        }
    }
    (is_name(&better) && !reserved(&better)).then_some(better)
}
