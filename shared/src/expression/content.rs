//! The content of large values, read on demand, up to a limit per evaluation.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::large::Large;
use crate::value::Value;

/// The most bytes of large texts that one evaluation reads; for large lists and objects, half as many.
pub const READ_LIMIT: u64 = 16 << 20;

/// Reads the content of large values.
pub trait Load: Send + Sync {
    /// Returns all bytes of the content. Blocks.
    ///
    /// # Errors
    /// A sentence: the content is gone, or can't be read.
    fn load(&self, large: &Large) -> Result<Vec<u8>, String>;
}

/// The large values that one evaluation has read. A text that passes through unchanged becomes the same handle again.
pub struct Content {
    load: Option<Arc<dyn Load>>,
    read: Mutex<Read>,
}

#[derive(Default)]
struct Read {
    bytes: u64,
    /// Why something could not be read: the result of the evaluation is then void.
    failure: Option<String>,
    texts: Vec<(Arc<str>, Large)>,
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Content")
    }
}

impl Content {
    /// Creates it, with nothing read yet.
    #[must_use]
    pub fn new(load: Option<Arc<dyn Load>>) -> Arc<Self> {
        Arc::new(Self { load, read: Mutex::default() })
    }

    /// Replaces every large value in it by its content.
    ///
    /// # Errors
    /// A sentence: the content exceeds [`READ_LIMIT`] in total, is gone, or was never complete.
    pub fn resolve(&self, value: Value) -> Result<Value, String> {
        Ok(match value {
            Value::Large(large) if large.is_text() => Value::Text(self.text(&large)?.as_ref().to_owned()),
            Value::Large(large) => self.json(&large)?,
            Value::List(items) => {
                Value::List(items.into_iter().map(|item| self.resolve(item)).collect::<Result<_, _>>()?)
            }
            Value::Object(map) => Value::Object(
                map.into_iter()
                    .map(|(key, value)| Ok((key, self.resolve(value)?)))
                    .collect::<Result<_, String>>()?,
            ),
            plain => plain,
        })
    }

    /// Returns a large text.
    pub(super) fn text(&self, large: &Large) -> Result<Arc<str>, String> {
        let text =
            String::from_utf8(self.bytes(large)?).map_err(|_| "a stored text is damaged".to_owned())?;
        let text: Arc<str> = text.into();
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        read.texts.push((text.clone(), large.clone()));
        Ok(text)
    }

    /// Reads a large list or object.
    pub(super) fn json(&self, large: &Large) -> Result<Value, String> {
        Value::from_content(large, &self.bytes(large)?)
    }

    /// Returns the handle of a text that was read here, if `text` is that same text.
    pub(super) fn handle(&self, text: &str) -> Option<Value> {
        let read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |known: &str| std::ptr::eq(known.as_ptr(), text.as_ptr()) && known.len() == text.len();
        read.texts.iter().find(|(known, _)| same(known)).map(|(_, large)| Value::from(large.clone()))
    }

    /// Returns why something could not be read.
    pub(super) fn failure(&self) -> Option<String> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner).failure.clone()
    }

    fn bytes(&self, large: &Large) -> Result<Vec<u8>, String> {
        self.load(large).inspect_err(|sentence| {
            self.read.lock().unwrap_or_else(PoisonError::into_inner).failure = Some(sentence.clone());
        })
    }

    fn load(&self, large: &Large) -> Result<Vec<u8>, String> {
        large.check_whole()?;
        let load = self.load.as_ref().ok_or("a large value can't be read here")?;
        {
            let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
            // Parsed JSON takes several times the memory of its text.
            let weight = if large.is_text() { 1 } else { 2 };
            read.bytes = read.bytes.saturating_add(large.bytes.saturating_mul(weight));
            if read.bytes > READ_LIMIT {
                return Err(format!(
                    "the values that this reads are longer than {} MiB together; pass them as separate inputs",
                    READ_LIMIT >> 20
                ));
            }
        }
        load.load(large)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::{Expression, Root, Scope};
    use crate::id::BlobHash;
    use crate::problem::Span;
    use crate::types::Type;

    /// One node `a` with large values; counts the reads.
    struct Store {
        loads: Arc<Loads>,
    }

    #[derive(Default)]
    struct Loads(Mutex<u32>);

    impl Load for Loads {
        fn load(&self, large: &Large) -> Result<Vec<u8>, String> {
            *self.0.lock().unwrap() += 1;
            Ok(match large.is_text() {
                true => b"one two".to_vec(),
                false if large.ty == Type::Json => br#"{"n": 3}"#.to_vec(),
                false => br#"[{"n": 1}, {"n": 2}]"#.to_vec(),
            })
        }
    }

    fn large(ty: Type, bytes: u64) -> Value {
        let hash = BlobHash::of(b"");
        Value::from(Large {
            ty,
            hash,
            bytes,
            head: String::new(),
            media: false,
            cut: false,
            masked: false,
            not_utf8: false,
        })
    }

    impl Scope for Store {
        fn get(&self, root: &Root, field: Option<&str>) -> Option<Value> {
            Some(match field {
                None if *root == Root::Item => large(Type::Json, 20),
                _ if *root == Root::Item => return None,
                Some("rows") => large(Type::Json.list(), 20),
                Some("huge") => large(Type::Text, READ_LIMIT + 1),
                Some("many") => Value::List(vec![large(Type::Text, 7), large(Type::Text, READ_LIMIT + 1)]),
                _ => large(Type::Text, 7),
            })
        }
        fn loader(&self) -> Option<Arc<dyn Load>> {
            Some(self.loads.clone())
        }
    }

    fn evaluate(source: &str) -> (Result<Option<Value>, String>, u32) {
        let store = Store { loads: Arc::default() };
        let value = Expression::parse(source, Span::default()).unwrap().evaluate(&store);
        let loads = *store.loads.0.lock().unwrap();
        (value, loads)
    }

    #[test]
    fn a_large_value_that_is_only_passed_on_is_never_read() {
        assert_eq!(evaluate("a.text"), (Ok(Some(large(Type::Text, 7))), 0));
        assert_eq!(evaluate("a.many | length"), (Ok(Some(Value::Int(2))), 0));
    }

    #[test]
    fn an_expression_sees_the_whole_content() {
        assert_eq!(evaluate("a.text | length").0, Ok(Some(Value::Int(7))));
        assert_eq!(evaluate("a.text == 'one two'").0, Ok(Some(Value::Bool(true))));
        assert_eq!(evaluate("a.rows[1].n").0, Ok(Some(Value::Int(2))));
        assert_eq!(evaluate("a.many[0] ~ '!'").0, Ok(Some(Value::from("one two!"))));
        assert_eq!(evaluate("item.n").0, Ok(Some(Value::Int(3))));
        assert_eq!(evaluate("item.m").0, Ok(None));
    }

    #[test]
    fn an_unchanged_value_stays_a_handle() {
        assert_eq!(evaluate("a.text if true else 1").0, Ok(Some(large(Type::Text, 7))));
        assert_eq!(evaluate("a.many[0]").0, Ok(Some(large(Type::Text, 7))));
        assert_eq!(evaluate("a.rows if true else 1").0, Ok(Some(large(Type::Json.list(), 20))));
    }

    #[test]
    fn reading_more_than_the_limit_is_an_error() {
        let error = evaluate("a.huge | length").0.unwrap_err();
        assert!(error.contains("longer than 16 MiB together"), "{error}");
        let error = evaluate("a.huge == 'one'").0.unwrap_err();
        assert!(error.contains("longer than 16 MiB together"), "{error}");
        let error = evaluate("a.many[1] | length").0.unwrap_err();
        assert!(error.contains("longer than 16 MiB together"), "{error}");
    }
}
