//! What a person has written or picked so far.

use std::collections::BTreeSet;

use fanlight_shared::question::{Question, QuestionKind};
use fanlight_shared::value::Value;

use crate::ui::input::lines::Lines;

/// What a person has written or picked so far.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Draft {
    /// Nothing is written for yes and no.
    YesNo,
    /// A text.
    Text {
        lines: Lines,
        /// A person changed it.
        written: bool,
    },
    /// A choice.
    Pick {
        cursor: usize,
        /// How many there are.
        count: usize,
        /// Whether any number of them may be picked.
        several: bool,
        /// Those that are picked, where several may be.
        marked: BTreeSet<usize>,
    },
}

impl Draft {
    /// What is proposed.
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

    /// Whether something would be lost.
    pub(super) fn is_written(&self) -> bool {
        matches!(self, Self::Text { written: true, .. })
    }

    /// The choice under the cursor.
    pub(super) fn cursor(&self) -> usize {
        match self {
            Self::Pick { cursor, .. } => *cursor,
            Self::YesNo | Self::Text { .. } => 0,
        }
    }

    /// The answer that it is. The error says why it is none.
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

/// Takes one in, or out again.
pub(super) fn toggle(marked: &mut BTreeSet<usize>, at: usize) {
    if !marked.remove(&at) {
        marked.insert(at);
    }
}
