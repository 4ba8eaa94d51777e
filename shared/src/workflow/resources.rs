//! `resources:` of a node.

use crate::resources;

use super::Template;

/// The resources of the machine that an attempt needs: keys of [`resources::RESOURCE_KEYS`] with their values, in the order of
/// the file.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Resources(pub Vec<(&'static str, Template)>);

impl Resources {
    /// Returns those that are the same for every attempt.
    #[must_use]
    pub fn fixed(&self) -> resources::Resources {
        let mut fixed = resources::Resources::default();
        for (key, template) in &self.0 {
            if let Template::Literal(value) = template {
                // A literal was checked when the file was read.
                let _ = fixed.set(key, value);
            }
        }
        fixed
    }
}
