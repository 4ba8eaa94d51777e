//! The draft of an answer.

use std::collections::BTreeSet;

use fanlight_shared::question::{Question, QuestionKind};
use fanlight_shared::value::Value;

use crate::ui::input::lines::Lines;

/// The draft of an answer.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Draft {
    /// Yes or no, which has no draft.
    YesNo,
    /// A text.
    Text {
        lines: Lines,
        /// Whether the user changed it.
        written: bool,
    },
    /// A choice.
    Pick {
        cursor: usize,
        /// How many there are.
        count: usize,
        /// Whether several may be picked.
        several: bool,
        /// The picked ones, if several may be picked.
        marked: BTreeSet<usize>,
    },
}

impl Draft {
    /// Returns the draft with the default answer.
    pub(super) fn new(question: &Question) -> Self {
        let default = question.default.as_ref();
        match &question.kind {
            QuestionKind::YesNo => Self::YesNo,
            QuestionKind::Value { .. } => {
                let text =
                    default.map(|value| value.to_text().unwrap_or_else(|_| value.to_json().to_string()));
                Self::Text { lines: Lines::new(&text.unwrap_or_default()), written: false }
            }
            QuestionKind::Choice { choices, several } => {
                let place = |value: &Value| usize::try_from(value.as_int()?).ok();
                let marked: BTreeSet<usize> =
                    default.and_then(Value::as_list).unwrap_or_default().iter().filter_map(place).collect();
                let cursor = default.and_then(place).or(marked.first().copied()).unwrap_or(0);
                Self::Pick { cursor, count: choices.len(), several: *several, marked }
            }
        }
    }

    /// Returns whether closing it would lose something.
    pub(super) fn is_written(&self) -> bool {
        matches!(self, Self::Text { written: true, .. })
    }

    /// Returns the choice under the cursor.
    pub(super) fn cursor(&self) -> usize {
        match self {
            Self::Pick { cursor, .. } => *cursor,
            Self::YesNo | Self::Text { .. } => 0,
        }
    }

    /// Returns the answer, or why it isn't valid.
    pub(super) fn value(&self, question: &Question) -> Result<Value, String> {
        let int = |at: usize| Value::Int(i64::try_from(at).unwrap_or(-1));
        match self {
            Self::YesNo => question.default.clone().ok_or_else(|| "press y or n".to_owned()),
            Self::Text { lines, .. } => question.read(&[lines.text()]),
            Self::Pick { marked, several: true, .. } => {
                Ok(Value::List(marked.iter().copied().map(int).collect()))
            }
            Self::Pick { cursor, .. } => Ok(int(*cursor)),
        }
    }
}

/// Adds or removes one.
pub(super) fn toggle(marked: &mut BTreeSet<usize>, at: usize) {
    if !marked.remove(&at) {
        marked.insert(at);
    }
}
