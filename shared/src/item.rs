//! Item paths: the element of an `each` that something belongs to.

use std::fmt;
use std::str::FromStr;

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The place of an item: `None` is the node itself, `Some(3)` is `[3]`, the fourth element of its `each`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct ItemPath(pub Option<u32>);

impl ItemPath {
    /// The node itself, not one of its items.
    pub const WHOLE: Self = Self(None);

    /// Returns the item with this index.
    #[must_use]
    pub fn item(index: u32) -> Self {
        Self(Some(index))
    }
    /// Returns whether this is the node itself.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.0.is_none()
    }
}

impl fmt::Display for ItemPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => Ok(()),
            Some(index) => write!(f, "[{index}]"),
        }
    }
}

impl FromStr for ItemPath {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Ok(Self::WHOLE);
        }
        text.strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .and_then(|digits| digits.parse().ok())
            .map(Self::item)
            .ok_or_else(|| format!("`{text}` is not an item path (one looks like `[3]`)"))
    }
}

impl Serialize for ItemPath {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ItemPath {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(feature = "schema")]
impl JsonSchema for ItemPath {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ItemPath".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^(\\[[0-9]+\\])?$" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_survive_the_wire() {
        for path in [ItemPath::WHOLE, ItemPath::item(0), ItemPath::item(99_999)] {
            assert_eq!(path.to_string().parse(), Ok(path));
        }
        assert!("[x]".parse::<ItemPath>().is_err());
    }
}
