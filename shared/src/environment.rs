//! The environment that a submission passes to its commands: the submitter's `PATH`, and variables that are passed by
//! name.
//!
//! It is stored with the run, because runs outlive daemons, and only its owner can read it. Its values never leave the
//! daemon: no response and no event contains them. Anything that must not be stored at all does not belong here.

use std::fmt;

use indexmap::IndexMap;
#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::workflow::{Node, Workflow};

/// The longest value, in bytes; Linux accepts 128 KiB including the name and `=`.
pub const MAX_VALUE_BYTES: usize = 127 * 1024;
/// The maximum size of all variables of a submission, names included, in bytes.
pub const MAX_BYTES: usize = 256 * 1024;

/// The variable with the engine that the submitter chose for the commands. Only [`Environment::choose_engine`] sets it.
pub const ENGINE: &str = "FANLIGHT_ENGINE";

/// Variables by name. `Debug` shows only names, so that values never get into a log.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(transparent)]
pub struct Environment(IndexMap<String, String>);

impl Environment {
    /// Sets a variable.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.insert(name.into(), value.into());
    }
    /// Returns the value of a variable.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
    /// Returns the variables in the order in which they were set.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
    /// Chooses the engine that the commands run on.
    pub fn choose_engine(&mut self, engine: impl Into<String>) {
        self.insert(ENGINE, engine);
    }
    /// Returns the engine that the submitter chose for the commands.
    #[must_use]
    pub fn engine(&self) -> Option<&str> {
        self.get(ENGINE)
    }
    /// Returns the variables that commands get: all but the choice of the engine.
    pub fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
        self.iter().filter(|(name, _)| *name != ENGINE)
    }
    /// Returns the names of the variables.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
    /// Returns whether there are no variables.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    /// Adds the variables of `other`, which override existing ones.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Checks names, values and size.
    ///
    /// # Errors
    /// One sentence that names the variable and never shows its value.
    pub fn check(&self) -> Result<(), String> {
        let mut bytes = 0;
        for (name, value) in self.iter() {
            match name {
                ENGINE if check_name(&value.replace('-', "_")).is_ok() => {}
                ENGINE => return Err(format!("`{}` can't be the name of an engine", shown(value))),
                _ => check_name(name)?,
            }
            if value.contains('\0') {
                return Err(format!(
                    "the variable `{name}` contains a NUL character, which an environment can't hold"
                ));
            }
            if value.len() > MAX_VALUE_BYTES {
                return Err(format!(
                    "the variable `{name}` is {} bytes long; an environment variable holds at most {MAX_VALUE_BYTES}",
                    value.len()
                ));
            }
            bytes += name.len() + value.len();
        }
        if bytes > MAX_BYTES {
            return Err(format!(
                "the variables are {bytes} bytes together; a submission carries at most {MAX_BYTES}"
            ));
        }
        Ok(())
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

fn shown(text: &str) -> String {
    crate::value::cut(&crate::sanitise::line(text), 60)
}

/// The rule for names, as messages say it.
pub const NAMES: &str = "names match [A-Za-z_][A-Za-z0-9_]*";

/// Checks that a variable with this name may be set: it matches [`NAMES`] and isn't one of Fanlight's own.
///
/// # Errors
/// One sentence.
pub fn check_name(name: &str) -> Result<(), String> {
    let formed = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !formed {
        return Err(format!("`{}` can't be the name of an environment variable", shown(name)));
    }
    if name.starts_with("FANLIGHT_") {
        return Err(format!("`{name}` can't be set: Fanlight sets the variables that begin with FANLIGHT_"));
    }
    Ok(())
}

impl Workflow {
    /// Returns the names of the variables that the file takes from the submitter, without duplicates.
    #[must_use]
    pub fn passed_variables(&self) -> Vec<&str> {
        let of_nodes = self.nodes.values().flat_map(|node| &node.pass_env);
        let names: indexmap::IndexSet<&str> =
            self.pass_env.iter().chain(of_nodes).map(String::as_str).collect();
        names.into_iter().collect()
    }

    /// Returns the variables that other nodes request in `pass_env` and this one doesn't: they are withheld from it.
    #[must_use]
    pub fn withheld_variables(&self, node: &Node) -> Vec<String> {
        let asks = |name: &String| self.pass_env.contains(name) || node.pass_env.contains(name);
        self.nodes.values().flat_map(|other| &other.pass_env).filter(|name| !asks(name)).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_message_contains_a_value() {
        let mut environment = Environment::default();
        environment.insert("TOKEN", "hunter2\0");
        assert_eq!(format!("{environment:?}"), "{\"TOKEN\"}");
        let problem = environment.check().unwrap_err();
        assert!(problem.contains("`TOKEN`") && !problem.contains("hunter2"), "{problem}");
    }

    #[test]
    fn invalid_variables_are_refused_by_name() {
        let of =
            |name: &str, bytes: usize| Environment(IndexMap::from([(name.to_owned(), "x".repeat(bytes))]));
        assert!(of("", 1).check().unwrap_err().contains("the name of an environment variable"));
        assert!(of("a-b", 1).check().unwrap_err().contains("`a-b`"));
        assert!(of("FANLIGHT_KEY", 1).check().unwrap_err().contains("Fanlight sets"));
        assert!(of("BIG", MAX_VALUE_BYTES + 1).check().unwrap_err().contains("`BIG`"));
        let mut many = of("a", MAX_VALUE_BYTES);
        many.extend(of("b", MAX_VALUE_BYTES));
        assert!(many.check().is_ok());
        many.extend(of("c", MAX_VALUE_BYTES));
        assert!(many.check().unwrap_err().contains("together"));
    }
}
