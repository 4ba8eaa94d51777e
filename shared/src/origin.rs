//! Where a reused result comes from, and which nodes reuse none.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::RunId;
use crate::item::ItemPath;

/// The node, or the item of it, that computed a result which others reuse.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Origin {
    /// Its run, which may have been deleted since.
    pub run_id: RunId,
    /// The name of that run, such as `poster#4`.
    pub run: String,
    /// The node.
    pub node: String,
    /// The item.
    #[serde(default, skip_serializing_if = "ItemPath::is_whole")]
    pub item: ItemPath,
}

/// The nodes that compute their results, even if an earlier run computed the same.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(untagged)]
pub enum Fresh {
    /// All of them, or none.
    All(bool),
    /// Those with these names.
    Nodes(Vec<String>),
}

impl Default for Fresh {
    fn default() -> Self {
        Self::All(false)
    }
}

impl Fresh {
    /// Returns whether it includes a node.
    #[must_use]
    pub fn has(&self, node: &str) -> bool {
        match self {
            Self::All(all) => *all,
            Self::Nodes(nodes) => nodes.iter().any(|name| name == node),
        }
    }

    /// Includes one more node.
    pub fn add(&mut self, node: &str) {
        if self.has(node) {
            return;
        }
        match self {
            Self::All(true) => {}
            Self::All(false) => *self = Self::Nodes(vec![node.to_owned()]),
            Self::Nodes(nodes) => nodes.push(node.to_owned()),
        }
    }

    /// Returns whether it includes no node.
    #[must_use]
    pub fn is_none(&self) -> bool {
        match self {
            Self::All(all) => !all,
            Self::Nodes(nodes) => nodes.is_empty(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fresh_nodes_are_all_none_or_named() {
        let read = |json: &str| serde_json::from_str::<Fresh>(json).unwrap();
        assert!(read("true").has("sky") && !read("true").is_none());
        assert!(!read("false").has("sky") && read("false").is_none());
        let named = read(r#"["sky"]"#);
        assert_eq!((named.has("sky"), named.has("title"), named.is_none()), (true, false, false));
        assert!(read("[]").is_none());
    }
}
