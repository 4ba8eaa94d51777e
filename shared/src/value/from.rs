//! Conversions from Rust types.

use super::Value;
use crate::large::Large;
use crate::media::Media;

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}
impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}
impl From<i64> for Value {
    fn from(int: i64) -> Self {
        Self::Int(int)
    }
}
impl From<f64> for Value {
    fn from(float: f64) -> Self {
        Self::Float(float)
    }
}
impl From<bool> for Value {
    fn from(it: bool) -> Self {
        Self::Bool(it)
    }
}
impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Self {
        Self::List(items)
    }
}
impl From<Large> for Value {
    fn from(large: Large) -> Self {
        Self::Large(Box::new(large))
    }
}
impl From<Media> for Value {
    fn from(media: Media) -> Self {
        Self::Media(Box::new(media))
    }
}
