//! The state that all readers share: the problems found so far, and the plain kinds of values.

use std::time::Duration;

use super::yaml::{Entry, Kind, Node, Scalar};
use crate::node_type::Catalogue;
use crate::problem::{Problem, Severity, Span};
use crate::time::read_duration;
use crate::value::{Value, cut};

/// The most words compared for near matches while reading one file, so that a file full of typos is still read quickly.
const NEAR_BUDGET: usize = 200_000;

/// A reading of one file.
pub(super) struct Reading<'t> {
    /// The file.
    pub(super) text: &'t str,
    /// The problems found so far.
    pub(super) problems: Vec<Problem>,
    /// The known node types.
    pub(super) catalogue: &'t Catalogue,
    /// The node that is being read.
    pub(super) node: Option<String>,
    /// The first number of a value that may be meant as a text, and how many there are.
    pub(super) spelling: Option<(Problem, usize)>,
    near_left: usize,
}

impl<'t> Reading<'t> {
    pub(super) fn new(text: &'t str, catalogue: &'t Catalogue) -> Self {
        Self { text, catalogue, problems: Vec::new(), node: None, spelling: None, near_left: NEAR_BUDGET }
    }

    /// Records a problem of the node that is being read.
    pub(super) fn report(&mut self, mut problem: Problem) {
        if problem.node.is_none() {
            problem.node.clone_from(&self.node);
        }
        self.problems.push(problem);
    }

    /// Returns whether an error was found since there were this many problems.
    pub(super) fn failed_since(&self, before: usize) -> bool {
        self.problems.iter().skip(before).any(|problem| problem.severity == Severity::Error)
    }

    /// Records an error.
    pub(super) fn error(&mut self, code: &str, span: Span, message: impl Into<String>) {
        self.report(Problem::error(code, span, message));
    }

    /// Records an error with a hint.
    pub(super) fn error_hint(
        &mut self,
        code: &str,
        span: Span,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.report(Problem::error(code, span, message).hint(hint));
    }

    /// Adds a near match among the known words to the problem, while the budget lasts.
    pub(super) fn near<'a>(
        &mut self,
        problem: Problem,
        word: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) -> Problem {
        let budget = self.near_left;
        let mut looked = 0;
        let problem = problem.near(word, known.into_iter().take(budget).inspect(|_| looked += 1));
        self.near_left -= looked;
        problem
    }

    /// Reports an unknown key, with a hint for a word of another format, a near match, or the list of known keys.
    pub(super) fn unknown_key(&mut self, entry: &Entry, place: &str, known: &[&str], foreign: Option<&str>) {
        let code = if foreign.is_some() { "foreign_key" } else { "unknown_key" };
        let problem =
            Problem::error(code, entry.key_span, format!("{place} has no key `{}`", cut(&entry.key, 60)));
        let problem = match foreign {
            Some(foreign) => problem.hint(foreign),
            None => {
                let problem = problem.hint(format!("the keys are {}", known.join(", ")));
                self.near(problem, &entry.key, known.iter().copied())
            }
        };
        self.report(problem);
    }

    /// Reports a value of the wrong kind.
    pub(super) fn wrong_kind(&mut self, node: &Node, what: &str, wanted: &str) {
        let message = format!("{what} must be {wanted}, got {}", describe(node));
        self.error("wrong_kind", node.span, message);
    }

    /// Returns the entries of a map.
    pub(super) fn map<'n>(&mut self, node: &'n Node, what: &str, wanted: &str) -> Option<&'n [Entry]> {
        match &node.kind {
            Kind::Map(entries) => Some(entries),
            _ => {
                self.wrong_kind(node, what, wanted);
                None
            }
        }
    }

    /// Returns a text; numbers and bools are taken as written.
    pub(super) fn text(&mut self, node: &Node, what: &str) -> Option<String> {
        match &node.kind {
            Kind::Scalar(scalar) if !is_null(scalar) => Some(scalar.text.clone()),
            _ => {
                self.wrong_kind(node, what, "text");
                None
            }
        }
    }

    /// Returns a text without expressions.
    pub(super) fn plain_text(&mut self, node: &Node, what: &str) -> Option<String> {
        let text = self.text(node, what)?;
        if text.contains("${{") {
            let message = format!("{what} can't hold `${{{{ }}}}`");
            self.error_hint("expression_not_here", node.span, message, "write it out; only `with`, `env`, `cmd`, `each`, `if` and the workflow's `outputs` take expressions");
            return None;
        }
        Some(text)
    }

    /// Reads `true` or `false`.
    pub(super) fn bool(&mut self, node: &Node, what: &str) -> Option<bool> {
        if let Kind::Scalar(scalar) = &node.kind {
            if let Some(Value::Bool(it)) = resolve(scalar) {
                return Some(it);
            }
            if let Some(meant) = yaml_bool(scalar) {
                self.yaml_bool(node, &scalar.text, meant);
                return None;
            }
        }
        self.wrong_kind(node, what, "`true` or `false`");
        None
    }

    /// Reports `no` or `on` where a bool is expected.
    pub(super) fn yaml_bool(&mut self, node: &Node, text: &str, meant: bool) {
        let message = format!("`{text}` is text in YAML 1.2, not a bool");
        self.error_hint("yaml_bool", node.span, message, format!("write `{meant}`"));
    }

    /// Returns a whole number within bounds.
    pub(super) fn int(&mut self, node: &Node, what: &str, least: i64, most: i64) -> Option<i64> {
        match self.literal(node) {
            Value::Int(it) if (least..=most).contains(&it) => Some(it),
            Value::Int(it) => {
                self.error(
                    "out_of_range",
                    node.span,
                    format!("{what} must be within {least}..{most}, got {it}"),
                );
                None
            }
            _ => {
                self.wrong_kind(node, what, "a whole number");
                None
            }
        }
    }

    /// Returns a number.
    pub(super) fn float(&mut self, node: &Node, what: &str) -> Option<f64> {
        let float = self.literal(node).as_float();
        if float.is_none() {
            self.wrong_kind(node, what, "a number");
        }
        float
    }

    /// Returns a duration such as `500ms`, `10s`, `5m`, `2h`.
    pub(super) fn duration(&mut self, node: &Node, what: &str) -> Option<Duration> {
        let text = self.plain_text(node, what)?;
        match read_duration(&text) {
            Ok(duration) => Some(duration),
            Err(why) => {
                self.error_hint(
                    "bad_duration",
                    node.span,
                    format!("{what}: {why}"),
                    "write `500ms`, `10s`, `5m` or `2h`",
                );
                None
            }
        }
    }

    /// Returns one of a few words.
    pub(super) fn word<T: Copy>(&mut self, node: &Node, what: &str, words: &[(&str, T)]) -> Option<T> {
        let text = self.plain_text(node, what)?;
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
            return Some(*value);
        }
        let names = words.iter().map(|(word, _)| format!("`{word}`")).collect::<Vec<_>>().join(" or ");
        let problem = Problem::error(
            "unknown_word",
            node.span,
            format!("{what} must be {names}, got `{}`", cut(&text, 60)),
        );
        let problem = self.near(problem, &text, words.iter().map(|(word, _)| *word));
        self.report(problem);
        None
    }

    /// Returns the literal value of a part of the file, ignoring expressions.
    pub(super) fn literal(&mut self, node: &Node) -> Value {
        match &node.kind {
            Kind::Scalar(scalar) => resolve(scalar).unwrap_or_else(|| {
                let message = format!("the number {} is too large", cut(&scalar.text, 60));
                self.error_hint(
                    "number_too_large",
                    node.span,
                    message,
                    "an int has 64 bits; put quotes around it for text",
                );
                Value::None
            }),
            Kind::List(items) => Value::List(items.iter().map(|item| self.literal(item)).collect()),
            Kind::Map(entries) => Value::Object(
                entries.iter().map(|entry| (entry.key.clone(), self.literal(&entry.value))).collect(),
            ),
        }
    }
}

/// Describes a part of the file for messages.
pub(super) fn describe(node: &Node) -> String {
    match &node.kind {
        Kind::List(_) => "a list".into(),
        Kind::Map(_) => "a map".into(),
        Kind::Scalar(scalar) => match resolve(scalar) {
            Some(Value::None) => "nothing".into(),
            _ => format!("`{}`", cut(&scalar.text, 60)),
        },
    }
}

/// Returns whether it is null or empty.
pub(super) fn is_null(scalar: &Scalar) -> bool {
    scalar.plain && matches!(scalar.text.as_str(), "" | "~" | "null" | "Null" | "NULL")
}

/// Returns the bool that the word was in YAML 1.1.
pub(super) fn yaml_bool(scalar: &Scalar) -> Option<bool> {
    match scalar.text.to_lowercase().as_str() {
        "yes" | "on" | "y" | "true" => Some(true),
        "no" | "off" | "n" | "false" => Some(false),
        _ => None,
    }
}

/// Returns the value of a scalar by the core schema of YAML 1.2; `None` for an integer that doesn't fit.
pub(super) fn resolve(scalar: &Scalar) -> Option<Value> {
    let text = scalar.text.as_str();
    if !scalar.plain {
        return Some(Value::from(text));
    }
    if is_null(scalar) {
        return Some(Value::None);
    }
    match text {
        "true" | "True" | "TRUE" => return Some(Value::Bool(true)),
        "false" | "False" | "FALSE" => return Some(Value::Bool(false)),
        _ => {}
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = text.strip_prefix(prefix)
            && !digits.is_empty()
            && digits.chars().all(|digit| digit.is_digit(radix))
        {
            return i64::from_str_radix(digits, radix).ok().map(Value::Int);
        }
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !unsigned.is_empty() && unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.strip_prefix('+').unwrap_or(text).parse().ok().map(Value::Int);
    }
    let float = unsigned.starts_with(|first: char| first.is_ascii_digit() || first == '.')
        && unsigned.bytes().any(|byte| byte.is_ascii_digit())
        && unsigned.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'));
    match text.parse::<f64>() {
        Ok(number) if float && number.is_finite() => Some(Value::Float(number)),
        Ok(_) if float => None,
        _ => Some(Value::from(text)),
    }
}
