//! Problems found in a workflow file: where, what, and what to do about it.

use std::fmt;

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::value::cut;
use crate::{preview, sanitise};

/// The most bytes of JSON that one text of a problem has in a message.
const MAX_TEXT: usize = 1024;

/// A place in a text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Position {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// A range in a text.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Span {
    /// Where it begins.
    pub start: Position,
    /// The position after its last character.
    pub end: Position,
}

/// How bad a problem is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The workflow can't run.
    Error,
    /// The workflow can run, but probably not as intended.
    Warning,
}

/// One problem.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// A stable name for the kind of problem, such as `unknown_node`, for tests and the UI.
    pub code: String,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// What to do about it, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Where.
    pub span: Span,
    /// The node that it belongs to, for the cards of the grid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
}

impl Problem {
    /// Returns an error.
    #[must_use]
    pub fn error(code: &str, span: Span, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            code: code.to_owned(),
            message: message.into(),
            hint: None,
            span,
            node: None,
        }
    }
    /// Returns a warning.
    #[must_use]
    pub fn warning(code: &str, span: Span, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, span, message) }
    }
    /// Adds a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
    /// Adds "did you mean …?" if one of the known words is similar.
    #[must_use]
    pub fn near<'a>(self, word: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        match near(word, known) {
            Some(near) => {
                let hint = format!("did you mean `{near}`?");
                self.hint(hint)
            }
            None => self,
        }
    }
    /// Shortens it to the limits of a message: long texts are cut.
    pub fn shorten(&mut self) {
        preview::cut_text(&mut self.message, MAX_TEXT);
        for text in [&mut self.hint, &mut self.node].into_iter().flatten() {
            preview::cut_text(text, MAX_TEXT);
        }
    }
    /// Adds the node that it is about.
    #[must_use]
    pub fn of_node(mut self, node: &str) -> Self {
        self.node = Some(node.to_owned());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.span.start.line, self.span.start.column, self.message)?;
        if let Some(hint) = &self.hint {
            write!(f, " ({hint})")?;
        }
        Ok(())
    }
}

/// Returns the known word most similar to `word`, if one is similar enough.
#[must_use]
pub fn near<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&word.to_lowercase(), &candidate.to_lowercase()), candidate))
        .filter(|(score, _)| *score >= 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

/// Returns what is wrong with the name of a node that `whole`, such as "the workflow", does not have, and a hint.
#[must_use]
pub fn no_node<'a>(
    whole: &str,
    name: &str,
    nodes: impl IntoIterator<Item = &'a str>,
) -> (String, Option<String>) {
    let hint = near(name, nodes).map(|near| format!("did you mean `{near}`?"));
    (format!("{whole} has no node `{}`", cut(&sanitise::line(name), 60)), hint)
}

#[cfg(test)]
mod tests {
    use super::near;

    #[test]
    fn a_misspelled_word_gets_a_suggestion() {
        assert_eq!(near("imgae.generate", ["image.generate", "text.join"]), Some("image.generate"));
        assert_eq!(near("zzz", ["image.generate"]), None);
    }
}
