//! The node types that a daemon knows. Types may be added and removed while it runs.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use fanlight_shared::node_type::{Catalogue, NodeTypeSpec};

use super::NodeType;

/// The longest catalogue, as JSON: it is one message to a client.
const MAX_CATALOGUE_BYTES: usize = 768 << 10;
/// The longest name of a node type, in bytes.
const MAX_NAME_BYTES: usize = 100;

/// The node types that a daemon knows: cheap to clone, the same ones in every clone.
#[derive(Clone, Debug, Default)]
pub struct NodeTypes {
    set: Arc<RwLock<Arc<NodeTypeSet>>>,
}

/// The node types at one moment. Plans keep the set that they were made with, whatever happens to the registry.
#[derive(Debug, Default)]
pub struct NodeTypeSet {
    /// In the order in which they were added.
    catalogue: Catalogue,
    by_name: HashMap<String, Arc<NodeType>>,
}

impl NodeTypes {
    /// Returns the types that are compiled in.
    #[must_use]
    pub fn built_in() -> Self {
        Self { set: Arc::new(RwLock::new(Arc::new(NodeTypeSet::of(super::built_in())))) }
    }

    /// Adds all of these types, or on an error none.
    ///
    /// # Errors
    /// A sentence: a name is taken, a type is badly declared, or there are too many.
    pub fn add(&self, types: impl IntoIterator<Item = NodeType>) -> Result<(), String> {
        self.replace(&[], types)
    }

    /// Adds all of these types in place of those of the names in `old`, or on an error changes nothing. Runs that were
    /// planned with the old ones keep them.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub fn replace(&self, old: &[String], types: impl IntoIterator<Item = NodeType>) -> Result<(), String> {
        let types: Vec<NodeType> = types.into_iter().collect();
        types.iter().try_for_each(|it| check(&it.spec))?;
        let mut set = self.set.write().unwrap_or_else(PoisonError::into_inner);
        let mut next = set.without(old);
        for node_type in types {
            next.insert(node_type)?;
        }
        let bytes = serde_json::to_vec(&next.catalogue).map_or(usize::MAX, |json| json.len());
        if bytes > MAX_CATALOGUE_BYTES {
            return Err(format!(
                "all node types together would take {} KiB to describe, and at most {} KiB are sent to clients; remove \
                 some, or describe them more shortly",
                bytes >> 10,
                MAX_CATALOGUE_BYTES >> 10
            ));
        }
        *set = Arc::new(next);
        Ok(())
    }

    /// Removes the types of these names. Runs that were planned with them keep them.
    pub fn remove(&self, names: &[String]) {
        let mut set = self.set.write().unwrap_or_else(PoisonError::into_inner);
        *set = Arc::new(set.without(names));
    }

    /// Returns the current types.
    #[must_use]
    pub fn now(&self) -> Arc<NodeTypeSet> {
        Arc::clone(&self.set.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl NodeTypeSet {
    /// Creates a set. The first type of a name wins; a test checks that no two built-in types share a name.
    pub(super) fn of(types: Vec<NodeType>) -> Self {
        let mut set = Self::default();
        for node_type in types {
            let _ = set.insert(node_type);
        }
        set
    }

    /// Returns this set without the types of these names.
    fn without(&self, names: &[String]) -> Self {
        let kept = |name: &&String| !names.contains(name);
        let by_name = self.by_name.iter().filter(|(name, _)| kept(name));
        let specs = self.catalogue.0.values().filter(|it| kept(&&it.name)).cloned();
        Self {
            catalogue: specs.collect(),
            by_name: by_name.map(|(name, it)| (name.clone(), Arc::clone(it))).collect(),
        }
    }

    fn insert(&mut self, node_type: NodeType) -> Result<(), String> {
        let name = &node_type.spec.name;
        if self.by_name.contains_key(name) {
            return Err(format!("there is a node type `{name}` already; a name stands for one type"));
        }
        self.catalogue.0.insert(name.clone(), node_type.spec.clone());
        self.by_name.insert(name.clone(), Arc::new(node_type));
        Ok(())
    }

    /// Returns the node type of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<NodeType>> {
        self.by_name.get(name)
    }

    /// Returns all of them as data, for the checks of files.
    #[must_use]
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }
}

/// Checks that the docs, the checks and the schema can use the declaration of a type.
///
/// # Errors
/// A sentence that names the type.
fn check(spec: &NodeTypeSpec) -> Result<(), String> {
    let name = fanlight_shared::value::cut(&fanlight_shared::sanitise::line(&spec.name), MAX_NAME_BYTES);
    let wrong = |what: String| Err(format!("the node type `{name}` is not well declared: {what}"));
    let part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_lowercase())
            && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    if spec.name.split('.').count() < 2 || !spec.name.split('.').all(part) || spec.name.len() > MAX_NAME_BYTES
    {
        return wrong(
            "its name must be a family and a word in lowercase letters, such as `image.resize`".to_owned(),
        );
    }
    if !is_sentence(&spec.summary) {
        return wrong("its summary must be a sentence that ends in a full stop".to_owned());
    }
    if spec.outputs.is_empty() {
        return wrong("it has no output".to_owned());
    }
    let ports = spec.inputs.iter().map(|(name, it)| (name, &it.summary));
    for (port, summary) in ports.chain(spec.outputs.iter().map(|(name, it)| (name, &it.summary))) {
        if !fanlight_shared::document::is_name(port) {
            return wrong(format!("`{}` can't be the name of a port", fanlight_shared::sanitise::line(port)));
        }
        if !is_sentence(summary) {
            return wrong(format!("the summary of `{port}` must be a sentence that ends in a full stop"));
        }
    }
    for (input, declared) in &spec.inputs {
        let Some(default) = &declared.default else { continue };
        match declared.check(default.clone()) {
            Ok(checked) if checked == *default => {}
            Ok(_) => return wrong(format!("the default of `{input}` is not of its type")),
            Err(error) => return wrong(format!("the default of `{input}`: {error}")),
        }
    }
    Ok(())
}

fn is_sentence(text: &str) -> bool {
    text.ends_with('.') && fanlight_shared::sanitise::line(text) == text
}

#[cfg(test)]
mod tests {
    use fanlight_shared::types::Type;
    use fanlight_shared::value::Values;

    use super::*;
    use crate::node_type::Runner;
    use crate::node_type::build::Build;

    fn nothing(name: &str, summary: &str) -> NodeType {
        Build::new(name, summary)
            .output("value", Type::Any, "Nothing.")
            .run(Runner::inline(|_| Ok(Values::new())))
    }

    #[test]
    fn every_built_in_type_is_well_declared_and_has_its_own_name() {
        for node_type in crate::node_type::built_in() {
            assert_eq!(check(&node_type.spec), Ok(()));
        }
        assert_eq!(NodeTypes::built_in().now().catalogue().0.len(), crate::node_type::built_in().len());
    }

    #[test]
    fn a_name_is_used_once_and_an_error_adds_nothing() {
        let types = NodeTypes::built_in();
        let before = types.now();
        for taken in ["text.join", "own.one"] {
            let error = types.add([nothing("own.one", "Does."), nothing(taken, "Does.")]).unwrap_err();
            assert!(error.contains(&format!("`{taken}` already")), "{error}");
        }
        assert_eq!(types.now().catalogue(), before.catalogue());
        types.add([nothing("own.one", "Does.")]).unwrap();
        assert_eq!(types.now().catalogue().0.keys().last().map(String::as_str), Some("own.one"));
        assert!(before.get("own.one").is_none(), "a moment stays as it was");
    }

    #[test]
    fn a_removed_type_stays_in_sets_that_already_have_it() {
        let types = NodeTypes::built_in();
        types.add([nothing("own.one", "Does."), nothing("own.two", "Does.")]).unwrap();
        let before = types.now();
        types.remove(&["own.one".to_owned(), "own.never".to_owned()]);
        let names: Vec<String> = types.now().catalogue().0.keys().rev().take(1).cloned().collect();
        assert_eq!(names, ["own.two"]);
        assert!(types.now().get("own.one").is_none() && before.get("own.one").is_some());
        types.add([nothing("own.one", "Does again.")]).unwrap();
        assert_eq!(types.now().get("own.one").unwrap().spec.summary, "Does again.");
    }

    #[test]
    fn a_badly_declared_type_is_refused_by_name() {
        let types = NodeTypes::default();
        for (name, summary, expected) in [
            ("join", "Does.", "a family and a word"),
            ("own.One", "Does.", "a family and a word"),
            ("own.", "Does.", "a family and a word"),
            ("own.one", "Does", "a full stop"),
            ("own.one", "\u{1b}[2JDoes.", "a full stop"),
        ] {
            let error = types.add([nothing(name, summary)]).unwrap_err();
            assert!(error.contains(expected) && error.contains(&format!("`{name}`")), "{error}");
        }
        let range = Build::new("own.one", "Does.")
            .input("side", Type::Int, "Pixels.")
            .default(0_i64)
            .range(1.0, 2.0)
            .output("value", Type::Any, "Nothing.")
            .run(Runner::inline(|_| Ok(Values::new())));
        assert!(types.add([range]).unwrap_err().contains("the default of `side`: 0 is not within"));
        let port = Build::new("own.one", "Does.")
            .output("a b", Type::Any, "Nothing.")
            .run(Runner::inline(|_| Ok(Values::new())));
        assert!(types.add([port]).unwrap_err().contains("`a b` can't be the name of a port"));
    }

    #[test]
    fn the_catalogue_fits_into_a_message() {
        let types = NodeTypes::built_in();
        let long = "word ".repeat(40_000) + "end.";
        types.add((0..3).map(|at| nothing(&format!("own.n{at}"), &long))).unwrap();
        let error = types.add([nothing("own.more", &long)]).unwrap_err();
        assert!(error.contains("at most 768 KiB"), "{error}");
    }
}
