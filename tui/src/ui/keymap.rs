//! The key bindings: the defaults of the actions, overridden by the user's file.

mod file;
mod key;

pub use key::{BadKey, Key};

use super::action::{ACTIONS, Action, Scope};

/// The key bindings.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Keymap {
    bindings: Vec<Binding>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Binding {
    scope: Scope,
    keys: Vec<Key>,
    action: Action,
}

/// The meaning of the keys typed so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Found {
    /// This.
    Action(Action),
    /// The keys begin a sequence.
    More,
    /// Nothing.
    Nothing,
}

impl Default for Keymap {
    fn default() -> Self {
        let bindings = ACTIONS
            .iter()
            .flat_map(|info| info.keys.iter().map(move |keys| (info, keys)))
            .filter_map(|(info, keys)| {
                let keys = key::sequence(keys).ok()?;
                Some(Binding { scope: info.scope, keys, action: info.action })
            })
            .collect();
        Self { bindings }
    }
}

impl Keymap {
    /// Returns the meaning of these keys in these scopes; earlier scopes win.
    #[must_use]
    pub fn find(&self, scopes: &[Scope], keys: &[Key]) -> Found {
        for scope in scopes {
            let of_scope = || self.bindings.iter().filter(|binding| binding.scope == *scope);
            if let Some(binding) = of_scope().find(|binding| binding.keys == keys) {
                return Found::Action(binding.action);
            }
            if of_scope().any(|binding| binding.keys.starts_with(keys)) {
                return Found::More;
            }
        }
        Found::Nothing
    }

    /// Returns the keys of an action in readable form, the first one first.
    #[must_use]
    pub fn keys(&self, action: Action) -> Vec<String> {
        self.bindings.iter().filter(|binding| binding.action == action).map(|it| words(&it.keys)).collect()
    }

    /// Returns the possible continuations of these keys.
    #[must_use]
    pub fn continuations(&self, scopes: &[Scope], keys: &[Key]) -> Vec<(String, Action)> {
        self.bindings
            .iter()
            .filter(|it| scopes.contains(&it.scope) && it.keys.len() > keys.len())
            .filter(|it| it.keys.starts_with(keys))
            .map(|it| (words(&it.keys[keys.len()..]), it.action))
            .collect()
    }

    /// Binds an action to exactly these keys; other actions in the same scope lose them.
    fn bind(&mut self, action: Action, sequences: Vec<Vec<Key>>) {
        let scope = action.info().scope;
        self.bindings
            .retain(|it| it.action != action && !(it.scope == scope && sequences.contains(&it.keys)));
        self.bindings.extend(sequences.into_iter().map(|keys| Binding { scope, keys, action }));
    }
}

fn words(keys: &[Key]) -> String {
    keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Vec<Key> {
        key::sequence(text).unwrap()
    }

    #[test]
    fn every_default_key_can_be_read() {
        let all: usize = ACTIONS.iter().map(|info| info.keys.len()).sum();
        assert_eq!(Keymap::default().bindings.len(), all);
    }

    #[test]
    fn the_keys_of_a_pane_take_precedence() {
        let keymap = Keymap::default();
        assert_eq!(keymap.find(&[Scope::Grid, Scope::All], &keys("enter")), Found::Action(Action::Inspect));
        assert_eq!(keymap.find(&[Scope::All], &keys("enter")), Found::Action(Action::Open));
    }

    #[test]
    fn a_sequence_is_waited_for() {
        let keymap = Keymap::default();
        assert_eq!(keymap.find(&[Scope::All], &keys("g")), Found::More);
        assert_eq!(keymap.find(&[Scope::All], &keys("g g")), Found::Action(Action::First));
        assert_eq!(keymap.find(&[Scope::All], &keys("g x")), Found::Nothing);
        assert_eq!(keymap.continuations(&[Scope::All], &keys("g")), [("g".to_owned(), Action::First)]);
    }
}
