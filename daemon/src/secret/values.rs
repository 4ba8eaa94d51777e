//! The secrets that one attempt uses.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use fanlight_shared::document::is_secret_name;
use fanlight_shared::event::NodeError;
use fanlight_shared::value::{Value, Values};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use super::mask::{Mask, MaskStream};
use crate::file_error::FileError;

/// The shortest value, in bytes: a shorter one appears in ordinary output, and is guessed from what was masked.
const MIN_VALUE_BYTES: usize = 8;
/// The longest value, in bytes.
pub(super) const MAX_VALUE_BYTES: usize = 16 << 10;
/// How much of a file is searched at once.
const CHUNK: usize = 64 << 10;

/// Checks the name of a secret.
///
/// # Errors
/// A sentence.
pub fn check_name(name: &str) -> Result<(), String> {
    if !is_secret_name(name) {
        let shown = fanlight_shared::value::cut(&fanlight_shared::sanitise::line(name), 60);
        return Err(format!("`{shown}` can't be the name of a secret; use letters, digits and `_`"));
    }
    Ok(())
}

/// Checks the value of a secret.
///
/// # Errors
/// What is wrong with it, to follow its name. The value is not part of the sentence.
pub fn check_value(value: &str) -> Result<(), String> {
    if value.trim().len() < MIN_VALUE_BYTES {
        return Err(format!(
            "is shorter than {MIN_VALUE_BYTES} bytes; such a value can't be masked, because it would appear in ordinary \
             output"
        ));
    }
    if value.len() > MAX_VALUE_BYTES {
        return Err(format!("is longer than {} KiB", MAX_VALUE_BYTES >> 10));
    }
    if value.contains(|it: char| it.is_control() && !matches!(it, '\n' | '\r' | '\t')) {
        return Err("contains a control character".into());
    }
    Ok(())
}

/// The secrets that an attempt uses, by name: cheap to clone. They are never written anywhere, and `Debug` shows the
/// names.
#[derive(Clone, Default)]
pub struct Secrets {
    inner: Option<Arc<Inner>>,
}

/// The secrets that attempts of this process use: attempts with the same secrets share their mask, which takes much more memory
/// than they do.
static ALIVE: Mutex<Vec<Weak<Inner>>> = Mutex::new(Vec::new());

struct Inner {
    names: Vec<String>,
    values: Vec<String>,
    mask: Mask,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = self.inner.as_deref().map(|inner| inner.names.as_slice());
        f.debug_list().entries(names.unwrap_or_default()).finish()
    }
}

/// Secrets are equal if their names and values are.
impl PartialEq for Secrets {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Secrets {}

impl FromIterator<(String, String)> for Secrets {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        let (names, values): (Vec<String>, Vec<String>) = pairs.into_iter().unzip();
        if names.is_empty() {
            return Self::default();
        }
        // Each step leaves the list whole.
        let mut alive = ALIVE.lock().unwrap_or_else(PoisonError::into_inner);
        alive.retain(|it| it.strong_count() > 0);
        let mut known = alive.iter().filter_map(Weak::upgrade);
        if let Some(inner) = known.find(|it| it.names == names && it.values == values) {
            return Self { inner: Some(inner) };
        }
        drop(known);
        let mask = Mask::new(&values);
        let inner = Arc::new(Inner { names, values, mask });
        alive.push(Arc::downgrade(&inner));
        Self { inner: Some(inner) }
    }
}

impl Secrets {
    /// Returns whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.inner.is_none()
    }

    /// Returns the names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.inner.iter().flat_map(|inner| {
            inner.names.iter().map(String::as_str).zip(inner.values.iter().map(String::as_str))
        })
    }

    /// Returns the value of a secret.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// Returns a stream that masks them; `None` if there are none.
    pub(crate) fn stream(&self) -> Option<MaskStream> {
        self.inner.as_ref().map(|inner| inner.mask.stream())
    }

    /// Returns the text with the secrets in it masked.
    #[must_use]
    pub fn mask(&self, text: String) -> String {
        self.masked(&text).unwrap_or(text)
    }

    /// Returns the masked text; `None` if it contains no secret.
    pub(crate) fn masked(&self, text: &str) -> Option<String> {
        self.inner.as_ref()?.mask.text(text)
    }

    /// Returns an error with the secrets in it masked.
    #[must_use]
    pub fn mask_error(&self, error: NodeError) -> NodeError {
        let last_line = error.last_line.map(|line| self.mask(line));
        NodeError { message: self.mask(error.message), last_line, ..error }
    }

    /// Returns an event or a report with the secrets in it masked; `None` if nothing is left of it, such as of a metric
    /// whose value is a secret.
    pub(crate) fn mask_all<T: Serialize + DeserializeOwned>(&self, event: T) -> Option<T> {
        if self.is_empty() {
            return Some(event);
        }
        // Every text of every variant, also of those that are added later.
        let mut json = serde_json::to_value(&event).ok()?;
        if !self.mask_json(&mut json) {
            return Some(event);
        }
        serde_json::from_value(json).ok()
    }

    /// Masks the secrets in JSON. Returns whether there were any.
    pub(crate) fn mask_json(&self, json: &mut Json) -> bool {
        match json {
            _ if self.is_empty() => false,
            Json::Null | Json::Bool(_) => false,
            Json::String(text) => self.masked(text).map(|masked| *text = masked).is_some(),
            Json::Number(number) => {
                let masked = self.masked(&number.to_string());
                masked.map(|masked| *json = Json::String(masked)).is_some()
            }
            Json::Array(items) => {
                // All of them, not only the first.
                let masked = items.iter_mut().map(|item| self.mask_json(item));
                masked.filter(|masked| *masked).count() > 0
            }
            Json::Object(fields) => {
                let mut any = false;
                *fields = std::mem::take(fields)
                    .into_iter()
                    .map(|(key, mut value)| {
                        any |= self.mask_json(&mut value);
                        let masked = self.masked(&key);
                        any |= masked.is_some();
                        (masked.unwrap_or(key), value)
                    })
                    .collect();
                any
            }
        }
    }

    /// Returns the name of a secret that a text contains.
    #[must_use]
    pub fn find(&self, text: &str) -> Option<&str> {
        let mut stream = self.stream()?;
        stream.push(text.as_bytes(), &mut Vec::new());
        self.name(&stream)
    }

    /// Returns the name of the secret that a stream found first.
    pub(crate) fn name(&self, stream: &MaskStream) -> Option<&str> {
        self.inner.as_ref()?.names.get(stream.found()?).map(String::as_str)
    }

    /// Returns the name of a secret that what is read contains. Blocks.
    ///
    /// # Errors
    /// It can't be read.
    pub(crate) fn find_in(&self, mut read: impl Read) -> std::io::Result<Option<&str>> {
        let Some(mut stream) = self.stream() else { return Ok(None) };
        let (mut chunk, mut out) = (vec![0; CHUNK], Vec::new());
        loop {
            match read.read(&mut chunk) {
                Ok(0) => return Ok(None),
                Ok(length) => stream.push(&chunk[..length], &mut out),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
            if stream.has_found() {
                return Ok(self.name(&stream));
            }
            out.clear();
        }
    }

    /// Checks the values of an attempt, which are stored. The content of media is checked where it is read.
    ///
    /// # Errors
    /// One of them contains a secret.
    pub(crate) fn check_values(&self, values: &Values) -> Result<(), String> {
        if self.is_empty() {
            return Ok(());
        }
        for (port, value) in values {
            if let Some(name) = self.find_in_value(value) {
                return Err(format!("output `{port}` {}", contains(name)));
            }
        }
        Ok(())
    }

    /// Returns the name of a secret that a value contains. The content of media is not read.
    pub(crate) fn find_in_value(&self, value: &Value) -> Option<&str> {
        match value {
            Value::None | Value::Bool(_) => None,
            Value::Text(text) => self.find(text),
            Value::Int(_) | Value::Float(_) => self.find(&value.to_json().to_string()),
            Value::List(items) => items.iter().find_map(|item| self.find_in_value(item)),
            Value::Object(fields) => {
                fields.iter().find_map(|(key, value)| self.find(key).or_else(|| self.find_in_value(value)))
            }
            Value::Media(media) => self.find(&media.name),
            Value::Large(large) => self.find(&large.head),
        }
    }
}

impl Secrets {
    /// Refuses a file that contains a secret, before its bytes are stored.
    ///
    /// # Errors
    /// It contains one, or can't be read.
    pub(crate) fn check_file(&self, mut file: &File) -> Result<(), FileError> {
        if self.is_empty() {
            return Ok(());
        }
        let unread = |error: io::Error| FileError::from(format!("can't be read: {error}"));
        let found = self.find_in(file).map_err(unread)?;
        file.rewind().map_err(unread)?;
        found.map_or(Ok(()), |name| Err(format!("it {}", contains(name)).into()))
    }
}

/// Returns the sentence about an output that contains this secret, to follow its name.
pub(crate) fn contains(name: &str) -> String {
    format!("contains the secret `{name}`, and outputs are stored")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets() -> Secrets {
        [("token", "s3cr3t-t0ken"), ("pin", "1234567890")]
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
            .into_iter()
            .collect()
    }

    #[test]
    fn names_and_values_that_can_not_be_kept_secret_are_refused() {
        assert!(check_name("API_TOKEN_2").is_ok());
        for name in ["", "2", "a-b", "a.b", "é"] {
            assert!(check_name(name).is_err(), "{name}");
        }
        assert!(check_value("12345678").is_ok());
        assert!(check_value("  1234567  ").unwrap_err().contains("shorter than 8 bytes"));
        assert!(check_value(&"x".repeat(MAX_VALUE_BYTES + 1)).unwrap_err().contains("longer than 16 KiB"));
        assert!(check_value("12345678\0").unwrap_err().contains("control character"));
    }

    #[test]
    fn attempts_with_the_same_secrets_share_their_mask() {
        let (one, other) = (secrets(), secrets());
        assert!(Arc::ptr_eq(one.inner.as_ref().unwrap(), other.inner.as_ref().unwrap()));
        let different: Secrets = [("token".to_owned(), "an0ther-t0ken".to_owned())].into_iter().collect();
        assert!(!Arc::ptr_eq(one.inner.as_ref().unwrap(), different.inner.as_ref().unwrap()));
    }

    #[test]
    fn their_values_are_not_shown_by_debug() {
        assert_eq!(format!("{:?}", secrets()), r#"["token", "pin"]"#);
    }

    #[test]
    fn keys_texts_and_numbers_of_json_are_masked() {
        let mut json = serde_json::json!({"s3cr3t-t0ken": [1, 1_234_567_890, "a s3cr3t-t0ken"], "b": null});
        assert!(secrets().mask_json(&mut json));
        assert_eq!(json, serde_json::json!({"***": [1, "***", "a ***"], "b": null}));
        assert!(!secrets().mask_json(&mut json));
    }

    #[test]
    fn a_value_that_contains_a_secret_is_found_wherever_it_stands() {
        for json in [
            serde_json::json!("x s3cr3t-t0ken"),
            serde_json::json!([{"a": "czNjcjN0LXQwa2Vu"}]),
            serde_json::json!({"s3cr3t-t0ken": 1}),
        ] {
            let values = Values::from([("out".to_owned(), Value::from_json(json))]);
            let error = secrets().check_values(&values).unwrap_err();
            assert_eq!(error, "output `out` contains the secret `token`, and outputs are stored");
        }
        let number = Values::from([("n".to_owned(), Value::Int(1_234_567_890))]);
        assert!(secrets().check_values(&number).unwrap_err().contains("`pin`"));
        assert!(secrets().check_values(&Values::from([("n".to_owned(), Value::Int(1))])).is_ok());
        assert!(Secrets::default().check_values(&number).is_ok());
    }

    #[test]
    fn a_secret_in_a_long_file_is_found_across_the_borders_of_what_is_read() {
        let mut bytes = vec![b'x'; CHUNK - 5];
        bytes.extend(b"s3cr3t-t0ken");
        assert_eq!(secrets().find_in(&bytes[..]).unwrap(), Some("token"));
        assert_eq!(secrets().find_in(&bytes[..CHUNK]).unwrap(), None);
    }
}
