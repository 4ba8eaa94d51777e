//! Floats that JSON can't write: NaN and the infinities.
//!
//! In the number fields of messages and rows, such a float is the string `NaN`, `Infinity` or `-Infinity`; use
//! `#[serde(with = "float")]` there. Inside a [`super::Value`], which may also be a text, it is `{"$float": "NaN"}`.

#[cfg(feature = "schema")]
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serializer};

/// Begins a string that stands for such a float while JSON is read.
pub(super) const MARK: char = '\0';

/// Returns the text without its mark.
pub(super) fn unmarked(text: &str) -> &str {
    text.strip_prefix(MARK).unwrap_or(text)
}

/// Returns the word for a float that JSON can't write; `None` for any other.
#[must_use]
pub fn word(float: f64) -> Option<&'static str> {
    match float {
        it if it.is_nan() => Some("NaN"),
        f64::INFINITY => Some("Infinity"),
        f64::NEG_INFINITY => Some("-Infinity"),
        _ => None,
    }
}

/// Returns the float that a word of [`word`] stands for.
#[must_use]
pub fn of_word(word: &str) -> Option<f64> {
    Some(match word {
        "NaN" => f64::NAN,
        "Infinity" => f64::INFINITY,
        "-Infinity" => f64::NEG_INFINITY,
        _ => return None,
    })
}

/// Returns the float that equals an int; `None` if none does, because the int has too many digits.
#[must_use]
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]
pub fn of_int(int: i64) -> Option<f64> {
    let float = int as f64;
    (float as i128 == i128::from(int)).then_some(float)
}

/// Writes a number, or its word.
///
/// # Errors
/// Those of the serializer.
// serde passes a reference.
#[allow(clippy::trivially_copy_pass_by_ref)]
pub fn serialize<S: Serializer>(float: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    match word(*float) {
        Some(word) => serializer.serialize_str(word),
        None => serializer.serialize_f64(*float),
    }
}

/// Reads a number, or its word.
///
/// # Errors
/// It is neither.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Number::deserialize(deserializer).map(|number| number.0)
}

/// A number of JSON, or the word for one that JSON can't write.
#[derive(Clone, Copy, Debug)]
pub struct Number(pub f64);

/// NaN equals itself, because stored numbers are compared to find differences.
impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0 || (self.0.is_nan() && other.0.is_nan())
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Number;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a number")
            }
            fn visit_f64<E>(self, it: f64) -> Result<Number, E> {
                Ok(Number(it))
            }
            #[allow(clippy::cast_precision_loss)]
            fn visit_i64<E>(self, it: i64) -> Result<Number, E> {
                Ok(Number(it as f64))
            }
            #[allow(clippy::cast_precision_loss)]
            fn visit_u64<E>(self, it: u64) -> Result<Number, E> {
                Ok(Number(it as f64))
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Number, E> {
                of_word(unmarked(text))
                    .map(Number)
                    .ok_or_else(|| E::invalid_type(serde::de::Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl serde::Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize(&self.0, serializer)
    }
}

#[cfg(feature = "schema")]
impl JsonSchema for Number {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Number".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "a number; what JSON can't write is one of these strings",
            "anyOf": [{ "type": "number" }, { "enum": ["NaN", "Infinity", "-Infinity"] }]
        })
    }
}

/// Numbers by name, for `#[serde(with = "float::by_name")]`.
pub mod by_name {
    use indexmap::IndexMap;
    use serde::{Deserialize, Deserializer, Serializer};

    use super::Number;

    /// Writes numbers, or their words.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(
        floats: &IndexMap<String, f64>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_map(floats.iter().map(|(name, float)| (name, Number(*float))))
    }

    /// Reads numbers, or their words.
    ///
    /// # Errors
    /// One is neither.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<IndexMap<String, f64>, D::Error> {
        let numbers = IndexMap::<String, Number>::deserialize(deserializer)?;
        Ok(numbers.into_iter().map(|(name, number)| (name, number.0)).collect())
    }
}
