//! Values of params and ports, which flow along edges.

mod extent;
pub mod float;
mod from;
pub mod json;
mod keys;
mod named;
pub mod shortened;
mod wire;

use indexmap::IndexMap;
use serde_json::Value as Json;

use crate::id::BlobHash;
use crate::large::Large;
use crate::media::{Media, MediaKind, SourceFile};
use crate::types::Type;

pub use extent::{DEPTH_LIMIT, Extent};
pub use keys::repeated_key;

/// A value. On the wire and in the store it is plain JSON, with media as `{"$media": {…}}` and large values as
/// `{"$large": {…}}`; object keys that begin with `$` get a second `$` there, so that text from outside can't pose as
/// media.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum Value {
    /// Nothing: JSON's `null`.
    #[default]
    None,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Any other number, NaN and the infinities included.
    Float(f64),
    /// Text.
    Text(String),
    /// Several values.
    List(Vec<Value>),
    /// Values by name, in insertion order.
    Object(IndexMap<String, Value>),
    /// Bytes in the blob store.
    Media(Box<Media>),
    /// A text, list or object whose content is in the blob store.
    Large(Box<Large>),
}

/// Values by port or input name.
pub type Values = IndexMap<String, Value>;

impl Value {
    /// Returns a value from external JSON, as [`json::parse`] reads it: it never holds media, whatever its keys say. The
    /// parser refuses whole numbers of more than 64 bits, which become floats here.
    #[must_use]
    pub fn from_json(json: Json) -> Self {
        match json {
            Json::Null => Self::None,
            Json::Bool(it) => Self::Bool(it),
            Json::Number(number) => match number.as_i64() {
                Some(int) => Self::Int(int),
                None => Self::Float(number.as_f64().unwrap_or(0.0)),
            },
            Json::String(text) => json::float_of(&text).map_or(Self::Text(text), Self::Float),
            Json::Array(items) => Self::List(items.into_iter().map(Self::from_json).collect()),
            Json::Object(map) => {
                Self::Object(map.into_iter().map(|(k, v)| (k, Self::from_json(v))).collect())
            }
        }
    }

    /// Returns the list or object that a handle stands for, from its content.
    ///
    /// # Errors
    /// A sentence: the bytes are damaged.
    pub fn from_content(large: &Large, bytes: &[u8]) -> Result<Self, String> {
        let read = if large.media {
            serde_json::from_slice(bytes)
        } else {
            serde_json::from_slice(bytes).map(Self::from_json)
        };
        read.map_err(|error| format!("a stored value is damaged: {error}"))
    }

    /// Returns the value as plain JSON for people and programs outside: media and large values become objects of their
    /// fields, NaN and the infinities become strings.
    #[must_use]
    pub fn to_json(&self) -> Json {
        match self {
            Self::None => Json::Null,
            Self::Bool(it) => Json::Bool(*it),
            Self::Int(it) => Json::from(*it),
            Self::Float(it) => match float::word(*it) {
                Some(word) => Json::from(word),
                None => Json::from(*it),
            },
            Self::Text(text) => Json::String(text.clone()),
            Self::List(items) => Json::Array(items.iter().map(Self::to_json).collect()),
            Self::Object(map) => Json::Object(map.iter().map(|(k, v)| (k.clone(), v.to_json())).collect()),
            Self::Media(media) => serde_json::to_value(media).unwrap_or(Json::Null),
            Self::Large(large) => serde_json::to_value(large).unwrap_or(Json::Null),
        }
    }

    /// Returns the value as part of a longer text: numbers and bools as they are, lists and objects as JSON.
    ///
    /// # Errors
    /// A sentence: media and `none` have no text, and large values must be read first.
    pub fn to_text(&self) -> Result<String, String> {
        if self.has_media() {
            return Err("media can't be written into text; pass it as a separate input".into());
        }
        if self.has_large() {
            return Err("the value is too long to be written into text".into());
        }
        Ok(match self {
            Self::None => return Err("it is none, which has no text".into()),
            Self::Text(text) => text.clone(),
            Self::Float(it) => float::word(*it).map_or_else(|| it.to_string(), str::to_owned),
            other => other.to_json().to_string(),
        })
    }

    /// Returns the media in this value, in order.
    pub fn media(&self) -> Vec<&Media> {
        let mut found = Vec::new();
        self.collect_media(&mut found);
        found
    }

    fn collect_media<'a>(&'a self, found: &mut Vec<&'a Media>) {
        match self {
            Self::Media(media) => found.push(media),
            Self::List(items) => items.iter().for_each(|item| item.collect_media(found)),
            Self::Object(map) => map.values().for_each(|value| value.collect_media(found)),
            _ => {}
        }
    }

    /// Returns whether this value contains media.
    #[must_use]
    pub fn has_media(&self) -> bool {
        match self {
            Self::Media(_) => true,
            Self::List(items) => items.iter().any(Self::has_media),
            Self::Object(map) => map.values().any(Self::has_media),
            _ => false,
        }
    }

    /// Calls `change` with all media in this value.
    ///
    /// # Errors
    /// The first error of `change`.
    pub fn change_media<E>(&mut self, change: &mut dyn FnMut(&mut Media) -> Result<(), E>) -> Result<(), E> {
        match self {
            Self::Media(media) => change(media),
            Self::List(items) => items.iter_mut().try_for_each(|item| item.change_media(change)),
            Self::Object(map) => map.values_mut().try_for_each(|value| value.change_media(change)),
            _ => Ok(()),
        }
    }

    /// Returns whether media in this value is read from files of the user.
    #[must_use]
    pub fn has_source(&self) -> bool {
        match self {
            Self::Media(media) => media.source.is_some(),
            Self::List(items) => items.iter().any(Self::has_source),
            Self::Object(map) => map.values().any(Self::has_source),
            _ => false,
        }
    }

    /// Returns whether this value is, or contains, a large value.
    #[must_use]
    pub fn has_large(&self) -> bool {
        match self {
            Self::Large(_) => true,
            Self::List(items) => items.iter().any(Self::has_large),
            Self::Object(map) => map.values().any(Self::has_large),
            _ => false,
        }
    }

    /// Returns the blobs that this value names, and for each whether it is a folder.
    pub fn blobs(&self) -> Vec<(BlobHash, bool)> {
        let mut found = Vec::new();
        self.collect_blobs(&mut found);
        found
    }

    fn collect_blobs(&self, found: &mut Vec<(BlobHash, bool)>) {
        match self {
            // The bytes of the user's own files are in no blob.
            Self::Media(media) if media.source.is_some() => {}
            Self::Media(media) => found.push((media.hash, media.kind == MediaKind::Dir)),
            Self::Large(large) => found.push((large.hash, false)),
            Self::List(items) => items.iter().for_each(|item| item.collect_blobs(found)),
            Self::Object(map) => map.values().for_each(|value| value.collect_blobs(found)),
            _ => {}
        }
    }

    /// Estimates the memory that this value takes, in bytes.
    #[must_use]
    pub fn memory(&self) -> usize {
        size_of::<Self>()
            + match self {
                Self::Text(text) => text.len(),
                Self::List(items) => items.iter().map(Self::memory).sum(),
                Self::Object(map) => {
                    map.iter().map(|(key, value)| 2 * size_of::<String>() + key.len() + value.memory()).sum()
                }
                Self::Media(media) => {
                    let source = media.source.as_ref();
                    let source = source.map_or(0, |it| size_of::<SourceFile>() + it.path.len());
                    size_of::<Media>() + media.name.len() + media.mime.len() + source
                }
                Self::Large(large) => size_of::<Large>() + large.head.len(),
                Self::None | Self::Bool(_) | Self::Int(_) | Self::Float(_) => 0,
            }
    }

    /// Estimates the size of this value when it is serialised, in bytes, including large values but not media.
    #[must_use]
    pub fn content_bytes(&self) -> u64 {
        match self {
            Self::Text(text) => text.len() as u64,
            Self::Large(large) => large.bytes,
            Self::List(items) => items
                .iter()
                .fold(2, |sum: u64, item| sum.saturating_add(item.content_bytes()).saturating_add(1)),
            Self::Object(map) => map.iter().fold(2, |sum: u64, (key, value)| {
                sum.saturating_add(key.len() as u64 + 4).saturating_add(value.content_bytes())
            }),
            Self::None | Self::Bool(_) | Self::Media(_) => 4,
            Self::Int(_) | Self::Float(_) => 8,
        }
    }

    /// Returns the most precise type of this value.
    #[must_use]
    pub fn type_of(&self) -> Type {
        match self {
            Self::None => Type::Any,
            Self::Bool(_) => Type::Bool,
            Self::Int(_) => Type::Int,
            Self::Float(_) => Type::Float,
            Self::Text(_) => Type::Text,
            Self::Media(media) => Type::Media(media.kind),
            Self::Large(large) => large.ty.clone(),
            Self::Object(_) => Type::Json,
            Self::List(items) => {
                let mut types = items.iter().map(Self::type_of);
                let first = types.next().unwrap_or(Type::Any);
                let same = types.all(|other| other == first);
                if same { first.list() } else { Type::Any.list() }
            }
        }
    }

    /// Converts this value to type `to`, by the rules of [`Type::accepts`].
    ///
    /// # Errors
    /// A sentence that names both types.
    pub fn convert(self, to: &Type) -> Result<Self, String> {
        match (to, self) {
            (Type::Any, value) => Ok(value),
            (Type::List(of), Self::List(items)) => {
                items.into_iter().map(|item| item.convert(of)).collect::<Result<_, _>>().map(Self::List)
            }
            (Type::Float, Self::Int(int)) => float::of_int(int).map(Self::Float).ok_or_else(|| {
                format!("expected float, got {int}, which has more digits than a float keeps")
            }),
            (Type::Text, value @ (Self::Int(_) | Self::Float(_) | Self::Bool(_))) => {
                value.to_text().map(Self::Text)
            }
            (Type::Json, value) if !value.has_media() => Ok(value),
            (Type::Choice, Self::Large(large)) => {
                Err(format!("expected choice, got {} bytes of text", large.bytes))
            }
            (Type::Text, value @ (Self::List(_) | Self::Object(_))) => Err(format!(
                "expected text, got {}; write it inside a longer text to get JSON",
                value.type_of()
            )),
            // Only of a source that is not known yet, `json` may be the type of another value.
            (to, value) if *to != Type::Json && value.type_of() == Type::Json => {
                Err(format!("expected {to}, got {}", Type::Json))
            }
            (to, value) if value != Self::None && to.accepts(&value.type_of()) => match (to, value) {
                (Type::Int, Self::Float(it)) => Err(format!("expected int, got {it}")),
                (_, value) => Ok(value),
            },
            (to, Self::None) => Err(format!("expected {to}, got nothing")),
            (to, value) => Err(format!("expected {to}, got {}", value.type_of())),
        }
    }

    /// Returns the text, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
    /// Returns the whole number, if it is one.
    #[must_use]
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Self::Int(it) => Some(*it),
            _ => None,
        }
    }
    /// Returns the number, whole or not.
    #[must_use]
    pub fn as_float(&self) -> Option<f64> {
        match self {
            #[allow(clippy::cast_precision_loss)]
            Self::Int(it) => Some(*it as f64),
            Self::Float(it) => Some(*it),
            _ => None,
        }
    }
    /// Returns the bool, if it is one.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(it) => Some(*it),
            _ => None,
        }
    }
    /// Returns the media, if it is media.
    #[must_use]
    pub fn as_media(&self) -> Option<&Media> {
        match self {
            Self::Media(media) => Some(media),
            _ => None,
        }
    }
    /// Returns the items, if it is a list.
    #[must_use]
    pub fn as_list(&self) -> Option<&[Value]> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }

    /// Returns the handle, if it is a large value.
    #[must_use]
    pub fn as_large(&self) -> Option<&Large> {
        match self {
            Self::Large(large) => Some(large),
            _ => None,
        }
    }

    /// Returns one short line for cards: text cut after `limit` characters, media by name, lists by length.
    #[must_use]
    pub fn summary(&self, limit: usize) -> String {
        match self {
            Self::None => "–".into(),
            Self::Text(text) => cut(text, limit),
            Self::Media(media) => cut(&media.name, limit),
            Self::Large(large) => cut(&format!("{}…", large.head), limit),
            Self::List(items) if self.has_media() => {
                let (there, count) = shortened::items(items);
                let first = there.iter().find(|it| **it != Self::None).unwrap_or(&Self::None);
                format!("{count} × {}", first.type_of())
            }
            Self::Float(it) => match float::word(*it) {
                Some(word) => word.to_owned(),
                None if *it != 0.0 && !(1e-6..1e15).contains(&it.abs()) => format!("{it:e}"),
                None => it.to_string(),
            },
            other => cut(&other.to_json().to_string(), limit),
        }
    }
}

/// Returns the first line of `text`, at most `limit` characters, with `…` if something was cut.
#[must_use]
pub fn cut(text: &str, limit: usize) -> String {
    let line = text.trim().lines().next().unwrap_or("");
    let more = line.len() < text.trim().len();
    let mut out: String = line.chars().take(limit).collect();
    if more || line.chars().nth(limit).is_some() {
        if out.chars().count() == limit {
            out.pop();
        }
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests;
