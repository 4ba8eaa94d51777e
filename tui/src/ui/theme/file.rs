//! The user's theme file: roles and their styles.
//!
//! ```toml
//! accent = "magenta bold"
//! selected = "black on lightcyan"
//! dim = "#808080"
//! ```

use fanlight_shared::problem::near;
use ratatui::style::{Color, Modifier, Style};
use toml::de::{DeTable, DeValue};

use super::{ROLES, Theme};
use crate::ui::toml_error::{line_of, syntax_error};

impl Theme {
    /// Returns the default theme, overridden by the roles of a file.
    ///
    /// # Errors
    /// One sentence per mistake, with its line and a similar name.
    pub fn with_file(text: &str) -> Result<Self, Vec<String>> {
        let table = DeTable::parse(text).map_err(|error| vec![syntax_error(text, &error)])?;
        let mut theme = Self::default();
        let mut errors = Vec::new();
        for (name, value) in table.get_ref() {
            let line = line_of(text, name.span().start);
            let style = match value.get_ref() {
                DeValue::String(text) => style(text),
                _ => Err("a style is a text such as `\"cyan bold\"` or `\"black on yellow\"`".to_owned()),
            };
            match (theme.role_mut(name.get_ref()), style) {
                (Some(role), Ok(style)) => *role = style,
                (Some(_), Err(error)) => errors.push(format!("line {line}: `{}`: {error}", name.get_ref())),
                (None, _) => {
                    let near = near(name.get_ref(), ROLES.iter().copied());
                    let near = near.map(|near| format!(" (did you mean `{near}`?)")).unwrap_or_default();
                    errors.push(format!("line {line}: there is no role `{}`{near}", name.get_ref()));
                }
            }
        }
        if errors.is_empty() { Ok(theme) } else { Err(errors) }
    }
}

const MODIFIERS: &[(&str, Modifier)] = &[
    ("bold", Modifier::BOLD),
    ("dim", Modifier::DIM),
    ("italic", Modifier::ITALIC),
    ("underlined", Modifier::UNDERLINED),
    ("reversed", Modifier::REVERSED),
];

const COLOURS: &[&str] = &[
    "black",
    "red",
    "green",
    "yellow",
    "blue",
    "magenta",
    "cyan",
    "gray",
    "darkgray",
    "lightred",
    "lightgreen",
    "lightyellow",
    "lightblue",
    "lightmagenta",
    "lightcyan",
    "white",
    "default",
];

/// Parses a style: `cyan bold`, `black on yellow`, `#ff8800`, `214`, `default`.
fn style(text: &str) -> Result<Style, String> {
    let mut style = Style::new();
    let mut behind = false;
    for word in text.split_whitespace() {
        if word == "on" {
            behind = true;
        } else if let Some((_, modifier)) = MODIFIERS.iter().find(|(name, _)| *name == word) {
            style = style.add_modifier(*modifier);
        } else {
            let colour = colour(word)?;
            style = if behind { style.bg(colour) } else { style.fg(colour) };
        }
    }
    Ok(style)
}

fn colour(word: &str) -> Result<Color, String> {
    if word == "default" {
        return Ok(Color::Reset);
    }
    word.parse().map_err(|_| {
        let known = COLOURS.iter().copied().chain(MODIFIERS.iter().map(|(name, _)| *name));
        let near = near(word, known).map(|near| format!(" (did you mean `{near}`?)")).unwrap_or_default();
        format!("`{word}` is no colour, `#rrggbb`, number up to 255, or weight{near}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_theme_file_changes_the_style_of_a_role() {
        let theme = Theme::with_file("accent = \"magenta bold\"\nselected = \"black on #ff8800\"\n").unwrap();
        assert_eq!(theme.accent, Style::new().fg(Color::Magenta).add_modifier(Modifier::BOLD));
        assert_eq!(theme.selected, Style::new().fg(Color::Black).bg(Color::Rgb(255, 136, 0)));
        assert_eq!(theme.bad, Theme::default().bad);
    }

    #[test]
    fn errors_have_their_lines() {
        let errors = Theme::with_file("acent = \"red\"\nbad = \"rde bold\"\ngood = 3\n").unwrap_err();
        insta::assert_snapshot!(errors.join("\n"));
    }
}
