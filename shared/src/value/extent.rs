//! The size and depth of a value.

use indexmap::IndexMap;

use super::Value;

/// The most levels of lists and objects in a value. JSON parsers stop at 128 levels, and the messages and rows around a
/// value have a few of their own.
pub const DEPTH_LIMIT: usize = 64;

/// The size of a value without its text and its items, in bytes.
const OWN_SIZE: usize = 32;

/// The size and depth of a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Extent {
    /// Its approximate size in bytes, with everything in it.
    pub size: usize,
    /// Levels of lists and objects; 0 for a number or a text.
    pub depth: usize,
}

impl Extent {
    /// The extent of a value that contains nothing.
    pub const OF_NOTHING: Self = Self { size: OWN_SIZE, depth: 0 };

    /// Measures a text.
    #[must_use]
    pub fn of_text(text: &str) -> Self {
        Self { size: OWN_SIZE + text.len(), depth: 0 }
    }

    /// Measures a list of these.
    pub fn of_all<'a>(items: impl Iterator<Item = &'a Value>) -> Self {
        let mut extent = Self { depth: 1, ..Self::OF_NOTHING };
        items.for_each(|item| extent.add(item.extent()));
        extent
    }

    /// Measures an object of these.
    #[must_use]
    pub fn of_fields(fields: &IndexMap<String, Value>) -> Self {
        let mut extent = Self::of_all(fields.values());
        extent.size += fields.keys().map(String::len).sum::<usize>();
        extent
    }

    /// Adds a contained value.
    pub fn add(&mut self, inner: Self) {
        self.size = self.size.saturating_add(inner.size);
        self.depth = self.depth.max(inner.depth + 1);
    }

    /// Checks that it isn't deeper than [`DEPTH_LIMIT`].
    ///
    /// # Errors
    /// A sentence that says so.
    pub fn check_depth(self) -> Result<(), String> {
        if self.depth > DEPTH_LIMIT {
            return Err(format!(
                "lists and objects are nested {} levels deep; at most {DEPTH_LIMIT} are allowed",
                self.depth
            ));
        }
        Ok(())
    }
}

impl Value {
    /// Measures the value.
    #[must_use]
    pub fn extent(&self) -> Extent {
        match self {
            Self::Text(text) => Extent::of_text(text),
            Self::List(items) => Extent::of_all(items.iter()),
            Self::Object(fields) => Extent::of_fields(fields),
            Self::Large(large) => Extent::of_text(&large.head),
            Self::None | Self::Bool(_) | Self::Int(_) | Self::Float(_) | Self::Media(_) => Extent::OF_NOTHING,
        }
    }
}
