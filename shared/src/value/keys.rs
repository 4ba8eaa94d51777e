//! Finds keys that an object of JSON has twice; serde_json keeps the last value of such a key.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::json;

/// Returns the first key that an object has twice, in a JSON text from outside that can be parsed.
#[must_use]
pub fn repeated_key(text: &str) -> Option<String> {
    let found = RefCell::default();
    let marked = json::marked(text);
    // What is wrong with the text besides is for the parser to say.
    let _ = Keys { found: &found }.deserialize(&mut serde_json::Deserializer::from_str(&marked));
    found.into_inner()
}

#[derive(Clone, Copy)]
struct Keys<'a> {
    found: &'a RefCell<Option<String>>,
}

impl<'de> DeserializeSeed<'de> for Keys<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Keys<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut keys = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            if let Some(again) = keys.replace(key.clone()) {
                self.found.borrow_mut().get_or_insert(again);
                map.next_value::<IgnoredAny>()?;
            } else {
                map.next_value_seed(self)?;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(self)?.is_some() {}
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_is_there_twice_is_found_at_any_depth() {
        for good in ["{}", r#"{"a": {"a": 1}, "b": [{"a": NaN}, {"a": 2}]}"#, "[1", "3"] {
            assert_eq!(repeated_key(good), None, "{good}");
        }
        for bad in [
            r#"{"a": 1, "a": 1}"#,
            r#"{"b": [1.5, {"a": NaN, "c": null, "a": "x"}]}"#,
            r#"{"a": 1, "\u0061": 2}"#,
        ] {
            assert_eq!(repeated_key(bad).as_deref(), Some("a"), "{bad}");
        }
    }
}
