//! Types of params and ports.

use std::fmt;
use std::str::FromStr;

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::media::MediaKind;

/// The type of a param or a port.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Type {
    /// Text.
    Text,
    /// A 64-bit integer.
    Int,
    /// A number; whole numbers fit too.
    Float,
    /// `true` or `false`.
    Bool,
    /// One of a few texts.
    Choice,
    /// Any JSON value.
    Json,
    /// Bytes in the blob store.
    Media(MediaKind),
    /// A list of one type.
    List(Box<Type>),
    /// Any value.
    Any,
}

impl Type {
    /// Returns a list of this type.
    #[must_use]
    pub fn list(self) -> Self {
        Self::List(Box::new(self))
    }

    /// The names of all types that aren't lists, for messages and completion.
    pub const WORDS: [&str; 12] =
        ["text", "int", "float", "bool", "choice", "json", "file", "dir", "image", "audio", "video", "any"];

    /// Returns whether this type accepts values of type `from`.
    ///
    /// Text accepts numbers and bools (they are written as text), a float accepts an int, a file accepts any media but
    /// a folder, json accepts everything but media, and a list never accepts a single value. A source of type `any` or
    /// `json` is accepted here and checked when the value is known.
    #[must_use]
    pub fn accepts(&self, from: &Type) -> bool {
        match (self, from) {
            (Self::Any, _) | (_, Self::Any) => true,
            (Self::List(to), Self::List(from)) => to.accepts(from),
            (Self::Json, from) => !from.has_media(),
            (to, Self::Json) => !to.has_media(),
            (Self::Media(MediaKind::File), Self::Media(kind)) => *kind != MediaKind::Dir,
            (Self::Media(to), Self::Media(from)) => {
                to == from || *from == MediaKind::File && *to != MediaKind::Dir
            }
            (Self::Float, Self::Int) => true,
            (Self::Text | Self::Choice, Self::Text | Self::Choice) => true,
            (Self::Text, Self::Int | Self::Float | Self::Bool) => true,
            (to, from) => to == from,
        }
    }

    /// Returns the type of what is in lists of this type, however deep; the type itself if it is no list.
    #[must_use]
    pub fn innermost(&self) -> &Self {
        let mut of = self;
        while let Self::List(inner) = of {
            of = inner;
        }
        of
    }

    /// Returns whether values of this type are media or lists of media.
    #[must_use]
    pub fn has_media(&self) -> bool {
        matches!(self.innermost(), Self::Media(_))
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text => f.write_str("text"),
            Self::Int => f.write_str("int"),
            Self::Float => f.write_str("float"),
            Self::Bool => f.write_str("bool"),
            Self::Choice => f.write_str("choice"),
            Self::Json => f.write_str("json"),
            Self::Any => f.write_str("any"),
            Self::Media(kind) => f.write_str(kind.word()),
            Self::List(of) => write!(f, "list<{of}>"),
        }
    }
}

impl FromStr for Type {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if let Some(of) = text.strip_prefix("list<").and_then(|rest| rest.strip_suffix('>')) {
            return Ok(of.parse::<Self>()?.list());
        }
        Ok(match text {
            "text" => Self::Text,
            "int" => Self::Int,
            "float" => Self::Float,
            "bool" => Self::Bool,
            "choice" => Self::Choice,
            "json" => Self::Json,
            "any" => Self::Any,
            "file" => Self::Media(MediaKind::File),
            "dir" => Self::Media(MediaKind::Dir),
            "image" => Self::Media(MediaKind::Image),
            "audio" => Self::Media(MediaKind::Audio),
            "video" => Self::Media(MediaKind::Video),
            _ => return Err(format!("`{text}` is not a type")),
        })
    }
}

impl Serialize for Type {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Type {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(feature = "schema")]
impl JsonSchema for Type {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Type".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^(list<)*(text|int|float|bool|choice|json|file|dir|image|audio|video|any)>*$"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_parsed_as_they_are_displayed() {
        for text in Type::WORDS.into_iter().chain(["list<image>", "list<list<int>>"]) {
            assert_eq!(text.parse::<Type>().map(|t| t.to_string()), Ok(text.to_owned()));
        }
        assert!("str".parse::<Type>().is_err());
    }

    #[test]
    fn types_accept_what_fits() {
        let fits = |to: &str, from: &str| to.parse::<Type>().unwrap().accepts(&from.parse().unwrap());
        assert!(fits("float", "int") && !fits("int", "float"));
        assert!(fits("text", "int") && !fits("int", "text"));
        assert!(fits("file", "image") && !fits("file", "dir") && !fits("text", "image"));
        assert!(fits("list<any>", "list<image>") && !fits("list<image>", "image"));
        assert!(fits("json", "list<int>") && !fits("json", "list<image>"));
    }
}
