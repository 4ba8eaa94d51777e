//! JSON from outside: the output, reports and files of commands.
//!
//! Python and others write NaN and the infinities as bare words, which isn't valid JSON. serde_json refuses them, so in
//! such a text they are replaced by strings that begin with a NUL, which [`Value::from_json`] turns into floats.

use std::borrow::Cow;
use std::ops::Range;

use serde::de::IgnoredAny;
use serde_json::Value as Json;

use super::float::MARK;
use super::{DEPTH_LIMIT, Value, float};

const WORDS: [&str; 3] = ["NaN", "Infinity", "-Infinity"];
/// How many digits of a number an error shows.
const MAX_SHOWN_DIGITS: usize = 40;

/// The error of reading JSON from outside.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum JsonError {
    /// It is nested deeper than [`DEPTH_LIMIT`].
    #[error("lists and objects are nested {0} levels deep; at most {DEPTH_LIMIT} are allowed")]
    TooDeep(usize),
    /// A whole number has more than 64 bits, so it can't be kept exactly.
    #[error(
        "{0} is too large to be kept exactly; whole numbers are from -2^63 to 2^63 - 1, so write it as a text"
    )]
    TooLarge(String),
    /// It isn't JSON; the sentence says where.
    #[error("{0}")]
    NoJson(String),
}

impl From<JsonError> for String {
    fn from(error: JsonError) -> Self {
        error.to_string()
    }
}

/// Parses JSON, with NaN and the infinities as Python writes them, marked for [`Value::from_json`].
///
/// # Errors
/// It isn't JSON, it is nested too deeply, or a whole number in it would be rounded.
pub fn parse(text: &str) -> Result<Json, JsonError> {
    let json = parse_rounded(text)?;
    check_whole_numbers(text)?;
    Ok(json)
}

/// Parses JSON as [`parse`] does, with whole numbers of more than 64 bits as floats: for readers that take numbers as floats.
///
/// # Errors
/// It isn't JSON, or it is nested too deeply.
pub fn parse_rounded(text: &str) -> Result<Json, JsonError> {
    // Check first: serde_json has a limit of its own, with a less helpful message.
    let depth = depth_of(text);
    if depth > DEPTH_LIMIT {
        return Err(JsonError::TooDeep(depth));
    }
    let error = match serde_json::from_str(text) {
        Ok(json) => return Ok(json),
        Err(error) => JsonError::NoJson(error.to_string()),
    };
    match marked(text) {
        Cow::Owned(marked) => serde_json::from_str(&marked).map_err(|_| error),
        Cow::Borrowed(_) => Err(error),
    }
}

/// Returns whether a text is one JSON document that isn't nested deeper than [`DEPTH_LIMIT`].
#[must_use]
pub fn is_document(text: &str) -> bool {
    // Check first: serde_json has no limit for what it ignores.
    depth_of(text) <= DEPTH_LIMIT && serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// Checks that the whole numbers in a JSON text are kept exactly.
///
/// # Errors
/// [`JsonError::TooLarge`]: one isn't.
pub fn check_whole_numbers(text: &str) -> Result<(), JsonError> {
    numbers(text).try_for_each(|number| check_whole_number(&text[number]))
}

/// Returns where the numbers in a JSON text are; in `-Infinity` it finds the sign.
fn numbers(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut outside = Outside::default();
    let mut begin = None;
    let ends = text.char_indices().chain(std::iter::once((text.len(), ' ')));
    ends.filter_map(move |(at, character)| {
        let part = matches!(character, '0'..='9' | '-' | '+' | '.' | 'e' | 'E');
        match (begin, outside.step(character) && part) {
            (None, true) if !matches!(character, 'e' | 'E') => begin = Some(at),
            (Some(_), false) => return begin.take().map(|begin| begin..at),
            _ => {}
        }
        None
    })
}

fn check_whole_number(number: &str) -> Result<(), JsonError> {
    let digits = number.strip_prefix('-').unwrap_or(number);
    let is_whole = !digits.is_empty() && digits.bytes().all(|it| it.is_ascii_digit());
    if is_whole && number.parse::<i64>().is_err() {
        let end = number.char_indices().nth(MAX_SHOWN_DIGITS).map_or("", |_| "…");
        let shown: String = number.chars().take(MAX_SHOWN_DIGITS).collect();
        return Err(JsonError::TooLarge(shown + end));
    }
    Ok(())
}

/// Returns the float that a marked string stands for.
pub(super) fn float_of(text: &str) -> Option<f64> {
    float::of_word(text.strip_prefix(MARK)?)
}

/// Returns the text with the bare words NaN, Infinity and -Infinity as marked strings; borrowed if it has none.
pub(super) fn marked(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut copied = 0;
    let mut outside = Outside::default();
    let mut skip_to = 0;
    for (at, character) in text.char_indices() {
        if at < skip_to || !outside.step(character) {
            continue;
        }
        let Some(word) = WORDS.iter().find(|word| text[at..].starts_with(**word)) else { continue };
        out.push_str(&text[copied..at]);
        out.push_str("\"\\u0000");
        out.push_str(word);
        out.push('"');
        skip_to = at + word.len();
        copied = skip_to;
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[copied..]);
    Cow::Owned(out)
}

/// Returns valid JSON with quotes around its numbers, but not around NaN and the infinities.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut copied = 0;
    for number in
        numbers(text).filter(|number| text[number.clone()].ends_with(|it: char| it.is_ascii_digit()))
    {
        out.push_str(&text[copied..number.start]);
        copied = number.end;
        out.extend(["\"", &text[number], "\""]);
    }
    out.push_str(&text[copied..]);
    out
}

/// Returns how many levels of lists and objects a JSON text has.
fn depth_of(text: &str) -> usize {
    let (mut depth, mut deepest) = (0usize, 0);
    let mut outside = Outside::default();
    for character in text.chars().filter(|character| outside.step(*character)) {
        match character {
            '[' | '{' => depth += 1,
            ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// Recognises characters outside of strings.
#[derive(Default)]
struct Outside {
    quoted: bool,
    escaped: bool,
}

impl Outside {
    /// Takes the next character and returns whether it is outside of strings.
    fn step(&mut self, character: char) -> bool {
        match (self.quoted, character) {
            (true, _) if self.escaped => self.escaped = false,
            (true, '\\') => self.escaped = true,
            (_, '"') => self.quoted = !self.quoted,
            (quoted, _) => return !quoted,
        }
        false
    }
}

impl Value {
    /// Parses a value from external JSON, as [`parse`] does; it never holds media, whatever its keys say.
    ///
    /// # Errors
    /// Those of [`parse`].
    pub fn parse_json(text: &str) -> Result<Self, JsonError> {
        parse(text).map(Self::from_json)
    }

    /// Parses a value as [`parse_rounded`] does.
    ///
    /// # Errors
    /// Those of [`parse_rounded`].
    pub fn parse_json_rounded(text: &str) -> Result<Self, JsonError> {
        parse_rounded(text).map(Self::from_json)
    }

    /// Checks that no whole number in this value was rounded. `texts` is the same value with its numbers as texts.
    ///
    /// # Errors
    /// [`JsonError::TooLarge`]: one was.
    pub fn check_rounded(&self, texts: &Self) -> Result<(), JsonError> {
        match (self, texts) {
            (Self::Float(_), Self::Text(written)) => check_whole_number(written),
            (Self::List(items), Self::List(texts)) => {
                items.iter().zip(texts).try_for_each(|(item, text)| item.check_rounded(text))
            }
            (Self::Object(fields), Self::Object(texts)) => fields
                .iter()
                .filter_map(|(name, field)| Some((field, texts.get(name)?)))
                .try_for_each(|(field, text)| field.check_rounded(text)),
            _ => Ok(()),
        }
    }

    /// Parses a value as [`Value::parse_json`] does, with its numbers as texts, as they are written.
    ///
    /// # Errors
    /// It isn't JSON, or it is nested too deeply.
    pub fn parse_json_texts(text: &str) -> Result<Self, JsonError> {
        parse_rounded(text)?;
        parse_rounded(&quoted(text)).map(Self::from_json)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nan_and_the_infinities_are_read_as_python_writes_them() {
        let text = r#"{"loss": NaN, "all": [1, -Infinity, Infinity], "text": "NaN, \"Infinity", "n": 2}"#;
        let Ok(Value::Object(fields)) = Value::parse_json(text) else { panic!("an object") };
        assert!(matches!(fields["loss"], Value::Float(it) if it.is_nan()));
        let infinities = [Value::Int(1), Value::Float(f64::NEG_INFINITY), Value::Float(f64::INFINITY)];
        assert_eq!(fields["all"], Value::List(infinities.into()));
        assert_eq!((&fields["text"], &fields["n"]), (&"NaN, \"Infinity".into(), &Value::Int(2)));
        assert_eq!(Value::parse_json("\"NaN\""), Ok("NaN".into()), "a text is a text");
        for bad in ["nan", "[NaN", "NaNs", "{\"a\": -NaN}", "Infinity Infinity", ""] {
            assert!(Value::parse_json(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_whole_number_that_would_be_rounded_is_refused_by_name() {
        let kept = r#"{"a": [9223372036854775807, -9223372036854775808, 1.8446744073709552e19, 1E30, 0],
            "id": "18446744073709551615", "-18446744073709551615": true}"#;
        assert!(Value::parse_json(kept).is_ok());
        for bad in ["18446744073709551615", "-9223372036854775809", "123456789012345678901234567890"] {
            for text in [bad.to_owned(), format!("[1,{bad}]"), format!("{{\"a\": {bad} , \"b\": NaN}}")] {
                let error = Value::parse_json(&text).unwrap_err();
                assert_eq!(error, JsonError::TooLarge(bad.to_owned()), "{text}");
            }
            assert!(matches!(parse_rounded(bad), Ok(Json::Number(_))));
        }
        assert!(matches!(Value::parse_json("18446744073709551615 x"), Err(JsonError::NoJson(_))));
        let error = Value::parse_json(&"9".repeat(100)).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{}… is too large", "9".repeat(40))), "{error}");
    }

    #[test]
    fn numbers_are_read_as_texts_as_they_are_written() {
        let text = r#"[3.10, -1e+3,0, {"7": 1.50}, "8.0, 9", -Infinity, NaN, true, false, null, 18446744073709551615]"#;
        let Ok(value) = Value::parse_json_texts(text) else { panic!("JSON") };
        let read = r#"["3.10","-1e+3","0",{"7":"1.50"},"8.0, 9","-Infinity","NaN",true,false,null,"18446744073709551615"]"#;
        assert_eq!(value.to_json().to_string(), read);
        let Value::List(items) = value else { panic!("a list") };
        assert_eq!(items[5], Value::Float(f64::NEG_INFINITY));
        assert_eq!(Value::parse_json_texts("3.10"), Ok("3.10".into()));
        for bad in ["", "[1 2]", "1-2", "[-]", "[01]", "3.", "1e", "\"1"] {
            assert!(Value::parse_json_texts(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_document_is_one_value_that_is_not_too_deep() {
        let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        for text in ["{\"a\": [1, \"[[\"]}\n", " 7 ", &nested(DEPTH_LIMIT)] {
            assert!(is_document(text), "{text}");
        }
        for text in
            ["", "[1", "{} {}", "text", &nested(DEPTH_LIMIT + 1), &nested(100_000), &"[".repeat(100_000)]
        {
            assert!(!is_document(text));
        }
    }

    #[test]
    fn deep_nesting_is_refused_with_one_sentence() {
        let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        assert!(Value::parse_json(&nested(DEPTH_LIMIT)).is_ok());
        for levels in [DEPTH_LIMIT + 1, 126, 127, 128, 100_000] {
            let error = Value::parse_json(&nested(levels)).unwrap_err();
            assert_eq!(error, JsonError::TooDeep(levels));
        }
        assert!(Value::parse_json(&format!("\"{}\"", "[".repeat(100))).is_ok(), "brackets in a text");
    }
}
