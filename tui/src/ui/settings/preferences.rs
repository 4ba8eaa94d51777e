//! The user's `ui.toml`: the preferences of the UI, which flags override.
//!
//! ```toml
//! confirm = false      # do destructive things without asking
//! bell = true          # ring the bell, and send a notice, when the last run ended
//! motion = false
//! mouse = false
//! ascii = true
//! pictures = "blocks"  # auto, kitty, sixel, iterm, blocks, off
//! ```

use fanlight_shared::problem::near;
use toml::de::{DeTable, DeValue};

use crate::ui::picture::PictureMode;
use crate::ui::toml_error::{line_of, syntax_error};

const KEYS: [&str; 6] = ["confirm", "bell", "motion", "mouse", "ascii", "pictures"];

/// The user's preferences; `None` if not set.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Preferences {
    /// Whether destructive actions ask first.
    pub confirm: Option<bool>,
    /// Whether a bell and a notification announce the end of the last run.
    pub bell: Option<bool>,
    /// Whether edges and spinners are animated.
    pub motion: Option<bool>,
    /// Whether the mouse is used.
    pub mouse: Option<bool>,
    /// Whether only ASCII is drawn.
    pub ascii: Option<bool>,
    /// How pictures are drawn.
    pub pictures: Option<PictureMode>,
}

impl Preferences {
    /// Returns the preferences in a file.
    ///
    /// # Errors
    /// One sentence per mistake, with its line and a similar name.
    pub fn with_file(text: &str) -> Result<Self, Vec<String>> {
        let table = DeTable::parse(text).map_err(|error| vec![syntax_error(text, &error)])?;
        let (mut preferences, mut errors) = (Self::default(), Vec::new());
        for (name, value) in table.get_ref() {
            if let Err(error) = preferences.set(name.get_ref(), value.get_ref()) {
                errors.push(format!("line {}: {error}", line_of(text, name.span().start)));
            }
        }
        if errors.is_empty() { Ok(preferences) } else { Err(errors) }
    }

    fn set(&mut self, name: &str, value: &DeValue<'_>) -> Result<(), String> {
        let field = match name {
            "confirm" => &mut self.confirm,
            "bell" => &mut self.bell,
            "motion" => &mut self.motion,
            "mouse" => &mut self.mouse,
            "ascii" => &mut self.ascii,
            "pictures" => {
                let mode = value.as_str().and_then(PictureMode::named);
                let words =
                    || format!("`pictures` is one of {}", PictureMode::NAMES.map(|it| it.0).join(", "));
                self.pictures = Some(mode.ok_or_else(words)?);
                return Ok(());
            }
            unknown => {
                let near = near(unknown, KEYS);
                let near = near.map(|near| format!(" (did you mean `{near}`?)")).unwrap_or_default();
                return Err(format!("there is no key `{unknown}`{near}"));
            }
        };
        *field = Some(value.as_bool().ok_or_else(|| format!("`{name}` is true or false"))?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preferences_file_sets_only_what_it_names() {
        let preferences = Preferences::with_file("confirm = false\npictures = \"sixel\"\n").unwrap();
        assert_eq!(
            (preferences.confirm, preferences.bell, preferences.pictures),
            (Some(false), None, Some(PictureMode::Sixel))
        );
    }

    #[test]
    fn mistakes_are_named_with_their_lines() {
        let errors = Preferences::with_file("bell = 1\nconfrim = true\npictures = \"oil\"\n").unwrap_err();
        assert_eq!(
            errors,
            [
                "line 1: `bell` is true or false",
                "line 2: there is no key `confrim` (did you mean `confirm`?)",
                "line 3: `pictures` is one of auto, kitty, sixel, iterm, blocks, sextants, octants, off",
            ]
        );
    }
}
