//! The user's keymap file: the name of an action, and its keys instead of the default ones.
//!
//! ```toml
//! quit = "ctrl-q"
//! first = ["g g", "home"]
//! mouse = []
//! ```

use fanlight_shared::problem::near;
use toml::de::{DeTable, DeValue};

use super::key::{Key, sequence};
use super::{Keymap, words};
use crate::ui::action::{ACTIONS, Action};
use crate::ui::toml_error::{line_of, syntax_error};

impl Keymap {
    /// Returns the default keys, overridden by those of a file.
    ///
    /// # Errors
    /// One sentence per mistake, with its line and a similar name.
    pub fn with_file(text: &str) -> Result<Self, Vec<String>> {
        let table = DeTable::parse(text).map_err(|error| vec![syntax_error(text, &error)])?;
        let mut keymap = Self::default();
        let mut errors = Vec::new();
        let mut bound: Vec<(Action, Vec<Key>)> = Vec::new();
        for (name, value) in table.get_ref() {
            let line = line_of(text, name.span().start);
            let Some(action) = Action::named(name.get_ref()) else {
                let names = ACTIONS.iter().map(|info| info.name);
                let near = near(name.get_ref(), names).map(|near| format!(" (did you mean `{near}`?)"));
                let near = near.unwrap_or_default();
                errors.push(format!("line {line}: there is no action `{}`{near}", name.get_ref()));
                continue;
            };
            match sequences(value.get_ref()) {
                Err(error) => errors.push(format!("line {line}: `{}`: {error}", name.get_ref())),
                Ok(sequences) => {
                    for keys in &sequences {
                        let scope = action.info().scope;
                        let other =
                            bound.iter().find(|(other, of)| other.info().scope == scope && of == keys);
                        if let Some((other, _)) = other {
                            let (keys, other) = (words(keys), other.info().name);
                            errors.push(format!(
                                "line {line}: `{keys}` is given to `{}` and to `{other}`",
                                name.get_ref()
                            ));
                        }
                        bound.push((action, keys.clone()));
                    }
                    keymap.bind(action, sequences);
                }
            }
        }
        if errors.is_empty() { Ok(keymap) } else { Err(errors) }
    }
}

fn sequences(value: &DeValue<'_>) -> Result<Vec<Vec<Key>>, String> {
    let one = |value: &DeValue<'_>| match value {
        DeValue::String(text) => sequence(text).map_err(|error| error.to_string()),
        _ => Err("keys are texts: `\"j\"` or `[\"j\", \"down\"]`".to_owned()),
    };
    match value {
        DeValue::Array(items) => items.iter().map(|item| one(item.get_ref())).collect(),
        other => Ok(vec![one(other)?]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::action::Scope;
    use crate::ui::keymap::Found;

    #[test]
    fn a_keymap_file_changes_the_keys_of_an_action() {
        let keymap = Keymap::with_file("quit = \"ctrl-q\"\ncancel_run = [\"c c\"]\n").unwrap();
        let find = |keys: &str| keymap.find(&[Scope::Queue, Scope::All], &sequence(keys).unwrap());
        assert_eq!(find("ctrl-q"), Found::Action(Action::Quit));
        assert_eq!(find("q"), Found::Nothing);
        assert_eq!(find("c c"), Found::Action(Action::CancelRun));
    }

    #[test]
    fn a_key_that_is_bound_again_loses_its_old_action() {
        let keymap = Keymap::with_file("redraw = \"q\"").unwrap();
        assert_eq!(keymap.keys(Action::Quit), ["ctrl-c"]);
        assert_eq!(keymap.keys(Action::Redraw), ["q"]);
    }

    #[test]
    fn errors_have_their_lines() {
        let errors =
            Keymap::with_file("quit = \"q\"\nqiut = \"x\"\nstop = \"nokey\"\nedit = 3\nzoom = \"q\"\n")
                .unwrap_err();
        insta::assert_snapshot!(errors.join("\n"));
    }

    #[test]
    fn a_file_that_is_not_toml_is_an_error() {
        let errors = Keymap::with_file("quit = \n").unwrap_err();
        assert!(errors[0].starts_with("line 1:"), "{errors:?}");
    }
}
