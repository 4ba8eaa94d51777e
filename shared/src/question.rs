//! Questions that a node asks a person, and their answers.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::document::ranges;
use crate::id::BlobHash;
use crate::preview;
use crate::problem::near;
use crate::time::Time;
use crate::types::Type;
use crate::value::{Value, cut};

/// The most choices that a question has.
pub const MAX_CHOICES: usize = 100;
/// The most values that are shown beside a question.
pub const MAX_SHOWN: usize = 12;
/// How long an answer may be, in bytes of JSON.
pub const MAX_ANSWER: usize = 64 * 1024;

/// How long the parts of a question are, in bytes of JSON: a question is part of an event.
mod limit {
    pub(super) const TEXT: usize = 4096;
    pub(super) const CHOICE: usize = 256;
    pub(super) const SHOWN: usize = 1024;
    pub(super) const NAME: usize = 120;
}

/// The question of a node to a person.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Question {
    /// The question, safe to show.
    pub text: String,
    /// The kind of its answer.
    #[serde(flatten)]
    pub kind: QuestionKind,
    /// Values to look at before answering, shortened.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub show: Vec<Value>,
    /// The answer that is proposed; it is taken at the deadline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// When nobody is waited for any longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Time>,
}

/// The kind of the answer to a question.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum QuestionKind {
    /// Yes or no, as a bool.
    YesNo,
    /// A value of a type.
    Value {
        /// The type: text, a number, a bool, JSON, or a list of these.
        #[serde(rename = "type")]
        ty: Type,
    },
    /// One of the choices, by its place from 0, or by its text; several of them as a list.
    Choice {
        /// Texts, pictures or other values, shortened.
        choices: Vec<Value>,
        /// Whether any number of them may be picked.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        several: bool,
    },
}

/// How a question was answered.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Answer {
    /// The answer; of a choice its place from 0, or a list of places. Absent where the deadline passed and there was no default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// Names the request that brought it; absent where nobody answered until the deadline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<BlobHash>,
}

impl Question {
    /// Returns a question that is answered by yes or no.
    #[must_use]
    pub fn yes_no(text: &str) -> Self {
        Self::new(text, QuestionKind::YesNo)
    }

    /// Returns a question that is answered by a value of this type.
    #[must_use]
    pub fn value(text: &str, ty: Type) -> Self {
        Self::new(text, QuestionKind::Value { ty })
    }

    /// Returns a question that is answered by one of these, or by several of them.
    #[must_use]
    pub fn choice(text: &str, choices: Vec<Value>, several: bool) -> Self {
        Self::new(text, QuestionKind::Choice { choices, several })
    }

    fn new(text: &str, kind: QuestionKind) -> Self {
        Self { text: text.to_owned(), kind, show: Vec::new(), default: None, deadline: None }
    }

    /// Shortens it to the limits of questions: long texts are cut, values become previews.
    pub fn shorten(&mut self) {
        preview::cut_text(&mut self.text, limit::TEXT);
        if let QuestionKind::Choice { choices, .. } = &mut self.kind {
            choices.iter_mut().for_each(|choice| shorten(choice, limit::CHOICE));
        }
        self.show.truncate(MAX_SHOWN);
        self.show.iter_mut().for_each(|shown| shorten(shown, limit::SHOWN));
    }

    /// Checks an answer. Returns it as it is stored.
    ///
    /// # Errors
    /// A sentence that says what would be right.
    pub fn check(&self, answer: Value) -> Result<Value, String> {
        answer.extent().check_depth()?;
        if answer.has_media() || answer.has_large() {
            return Err("an answer can't be a file in this version".into());
        }
        if !preview::fits(&answer, MAX_ANSWER) {
            return Err(format!("an answer has at most {} KiB", MAX_ANSWER / 1024));
        }
        match &self.kind {
            QuestionKind::YesNo => match answer {
                Value::Bool(_) => Ok(answer),
                other => Err(format!("expected yes or no (`true` or `false`), got {}", other.summary(40))),
            },
            QuestionKind::Value { ty } => answer.convert(ty),
            QuestionKind::Choice { choices, several: false } => place(choices, &answer).map(Value::Int),
            QuestionKind::Choice { choices, several: true } => {
                let Value::List(picked) = answer else {
                    return Err(format!("expected a list of choices, got {}", answer.summary(40)));
                };
                let mut places = picked.iter().map(|it| place(choices, it)).collect::<Result<Vec<_>, _>>()?;
                places.sort_unstable();
                places.dedup();
                Ok(Value::List(places.into_iter().map(Value::Int).collect()))
            }
        }
    }

    /// Reads an answer that a person typed, word by word: several words pick several choices. A choice is typed as its text or
    /// as its number from 1.
    ///
    /// # Errors
    /// A sentence that says what would be right.
    pub fn read(&self, words: &[String]) -> Result<Value, String> {
        match &self.kind {
            QuestionKind::Choice { choices, several: true } => {
                let picked = words.iter().map(|word| typed_place(choices, word));
                self.check(Value::List(picked.collect::<Result<_, _>>()?))
            }
            kind => {
                let [word] = words else {
                    return Err("it takes one answer; put words with blanks in quotes".into());
                };
                let value = match kind {
                    QuestionKind::YesNo => yes_or_no(word)?,
                    QuestionKind::Value { ty } => ranges::value_of(word, ty)?,
                    QuestionKind::Choice { choices, .. } => typed_place(choices, word)?,
                };
                self.check(value)
            }
        }
    }

    /// Returns what may be answered, in a few words: `yes or no`, `a number from 1 to 3`, `text`.
    #[must_use]
    pub fn expects(&self) -> String {
        match &self.kind {
            QuestionKind::YesNo => "yes or no".into(),
            QuestionKind::Value { ty } => ty.to_string(),
            QuestionKind::Choice { choices, several: false } => {
                format!("one of the numbers 1 to {}", choices.len())
            }
            QuestionKind::Choice { choices, several: true } => {
                format!("any of the numbers 1 to {}", choices.len())
            }
        }
    }

    /// Returns an answer as people read it: `yes`, the text of a choice.
    #[must_use]
    pub fn shown(&self, answer: &Value) -> String {
        const LENGTH: usize = 80;
        match (&self.kind, answer) {
            (QuestionKind::YesNo, Value::Bool(yes)) => if *yes { "yes" } else { "no" }.into(),
            (QuestionKind::Choice { choices, .. }, Value::Int(at)) => {
                let choice = usize::try_from(*at).ok().and_then(|at| choices.get(at));
                choice.map_or_else(|| answer.summary(LENGTH), |choice| choice.summary(LENGTH))
            }
            (QuestionKind::Choice { .. }, Value::List(picked)) if picked.is_empty() => "none".into(),
            (QuestionKind::Choice { .. }, Value::List(picked)) => {
                picked.iter().map(|it| self.shown(it)).collect::<Vec<_>>().join(", ")
            }
            _ => answer.summary(LENGTH),
        }
    }
}

fn shorten(value: &mut Value, limit: usize) {
    match value {
        Value::Media(media) => preview::cut_text(&mut media.name, limit::NAME),
        value => *value = preview::value(value, limit),
    }
}

/// Returns the place of a choice that is named by its place or by its text.
fn place(choices: &[Value], answer: &Value) -> Result<i64, String> {
    let texts = || choices.iter().filter_map(Value::as_text);
    match answer {
        Value::Int(at) if usize::try_from(*at).is_ok_and(|at| at < choices.len()) => Ok(*at),
        Value::Int(at) => {
            Err(format!("there is no choice at place {at}: there are {}, counted from 0", choices.len()))
        }
        Value::Text(text) => {
            let mut of = choices.iter().zip(0..).filter(|(choice, _)| choice.as_text() == Some(text));
            match (of.next(), of.next()) {
                (Some((_, at)), None) => Ok(at),
                (Some(_), Some(_)) => {
                    Err(format!("`{}` is there several times: answer with its place", cut(text, 40)))
                }
                (None, _) => {
                    let hint = near(text, texts()).map(|near| format!("; did you mean `{}`?", cut(near, 40)));
                    Err(format!("`{}` is none of the choices{}", cut(text, 40), hint.unwrap_or_default()))
                }
            }
        }
        other => Err(format!("expected a choice by its place or text, got {}", other.type_of())),
    }
}

/// Returns the name of a choice for people: its text, else its number from 1.
fn typed_place(choices: &[Value], word: &str) -> Result<Value, String> {
    let text = Value::from(word);
    if place(choices, &text).is_ok() {
        return Ok(text);
    }
    match word.trim().parse::<usize>() {
        Ok(number) if (1..=choices.len()).contains(&number) => {
            Ok(Value::Int(i64::try_from(number - 1).unwrap_or(0)))
        }
        Ok(number) => Err(format!("there is no choice {number}; there are {}", choices.len())),
        Err(_) => place(choices, &text).map(Value::Int),
    }
}

fn yes_or_no(word: &str) -> Result<Value, String> {
    match word.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" | "true" => Ok(Value::Bool(true)),
        "n" | "no" | "false" => Ok(Value::Bool(false)),
        _ => Err(format!("`{}` is neither `yes` nor `no`", cut(word, 40))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    fn colours(several: bool) -> Question {
        Question::choice("which?", ["red", "green", "3"].map(Value::from).into(), several)
    }

    #[test]
    fn people_answer_in_words() {
        let yes = Question::yes_no("print it?");
        assert_eq!(yes.read(&words("Yes")), Ok(Value::Bool(true)));
        assert_eq!(yes.read(&words("n")), Ok(Value::Bool(false)));
        assert_eq!(yes.read(&words("perhaps")), Err("`perhaps` is neither `yes` nor `no`".into()));
        let number = Question::value("how many?", Type::Int);
        assert_eq!(number.read(&words("3")), Ok(Value::Int(3)));
        assert_eq!(number.read(&words("three")), Err("`three` is not an int".into()));
        let text = Question::value("name?", Type::Text);
        assert_eq!(text.read(&["a b".into()]), Ok(Value::from("a b")));
        assert!(text.read(&words("a b")).unwrap_err().contains("in quotes"));
    }

    #[test]
    fn a_choice_is_named_by_its_text_or_its_number() {
        let one = colours(false);
        assert_eq!(one.read(&words("green")), Ok(Value::Int(1)));
        assert_eq!(one.read(&words("2")), Ok(Value::Int(1)));
        assert_eq!(one.read(&words("3")), Ok(Value::Int(2)), "a text goes before a number");
        assert_eq!(one.read(&words("4")), Err("there is no choice 4; there are 3".into()));
        let slip = one.read(&words("grene")).unwrap_err();
        assert_eq!(slip, "`grene` is none of the choices; did you mean `green`?");
        assert_eq!(one.shown(&Value::Int(1)), "green");
        let some = colours(true);
        assert_eq!(some.read(&words("2 red 1")), Ok(Value::List(vec![Value::Int(0), Value::Int(1)])));
        assert_eq!(some.read(&[]), Ok(Value::List(Vec::new())));
        assert_eq!(some.shown(&Value::List(vec![Value::Int(0), Value::Int(1)])), "red, green");
    }

    #[test]
    fn the_answer_of_a_program_is_checked() {
        let one = colours(false);
        assert_eq!(one.check(Value::Int(2)), Ok(Value::Int(2)));
        assert_eq!(one.check(Value::from("red")), Ok(Value::Int(0)));
        for (answer, part) in [
            (Value::Int(3), "no choice at place 3"),
            (Value::Int(-1), "no choice at place -1"),
            (Value::from("blue"), "none of the choices"),
            (Value::Bool(true), "got bool"),
            (Value::List(Vec::new()), "got list"),
        ] {
            assert!(one.check(answer).unwrap_err().contains(part), "{part}");
        }
        assert!(colours(true).check(Value::Int(1)).unwrap_err().contains("a list of choices"));
        let twice = Question::choice("which?", vec![Value::from("a"), Value::from("a")], false);
        assert!(twice.check(Value::from("a")).unwrap_err().contains("several times"));
        let yes = Question::yes_no("?");
        assert!(yes.check(Value::from("yes")).unwrap_err().contains("yes or no"));
        let text = Question::value("?", Type::Text);
        assert_eq!(text.check(Value::Int(3)), Ok(Value::from("3")));
        assert!(text.check(Value::from("x".repeat(MAX_ANSWER))).unwrap_err().contains("at most 64 KiB"));
        assert!(text.check(Value::None).is_err());
    }

    #[test]
    fn a_question_survives_the_wire_and_has_a_bounded_size() {
        let long = "x".repeat(100_000);
        let mut question = Question {
            show: vec![Value::from(long.clone()); 100],
            default: Some(Value::Int(1)),
            deadline: Some(Time(7)),
            ..Question::choice(&long, vec![Value::from(long.clone()); MAX_CHOICES], false)
        };
        question.shorten();
        let json = serde_json::to_string(&question).unwrap();
        assert!(json.len() < 50_000, "{} bytes", json.len());
        assert_eq!(serde_json::from_str::<Question>(&json).unwrap(), question);
        let yes = Question::yes_no("print it?");
        assert_eq!(
            serde_json::to_value(&yes).unwrap(),
            serde_json::json!({ "text": "print it?", "kind": "yes_no" })
        );
    }
}
