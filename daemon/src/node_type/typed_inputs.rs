//! Typed access to inputs. The engine has checked them against the spec, so an error here is a bug in a node type.

use fanlight_shared::value::{Value, Values};
use image::Rgba;

/// Inputs by name, typed.
pub(super) trait TypedInputs {
    fn value(&self, name: &str) -> Result<&Value, String>;
    /// Returns an optional input; `None` if it was left out.
    fn maybe(&self, name: &str) -> Option<&Value>;

    fn text(&self, name: &str) -> Result<&str, String> {
        self.value(name)?.as_text().ok_or_else(|| wrong(name, "text"))
    }
    fn int(&self, name: &str) -> Result<i64, String> {
        self.value(name)?.as_int().ok_or_else(|| wrong(name, "a whole number"))
    }
    fn float(&self, name: &str) -> Result<f64, String> {
        self.value(name)?.as_float().ok_or_else(|| wrong(name, "a number"))
    }
    fn flag(&self, name: &str) -> Result<bool, String> {
        self.value(name)?.as_bool().ok_or_else(|| wrong(name, "true or false"))
    }
    fn list(&self, name: &str) -> Result<&[Value], String> {
        self.value(name)?.as_list().ok_or_else(|| wrong(name, "a list"))
    }
    /// Returns a number of pixels or columns.
    fn count(&self, name: &str) -> Result<u32, String> {
        u32::try_from(self.int(name)?).map_err(|_| wrong(name, "a whole number that is not negative"))
    }
    /// Returns a colour: `#rgb`, `#rrggbb`, `#rrggbbaa` or one of a few names.
    fn colour(&self, name: &str) -> Result<Rgba<u8>, String> {
        colour(self.text(name)?).map_err(|error| format!("input `{name}`: {error}"))
    }
}

impl TypedInputs for Values {
    fn value(&self, name: &str) -> Result<&Value, String> {
        self.maybe(name).ok_or_else(|| format!("input `{name}` is missing"))
    }
    fn maybe(&self, name: &str) -> Option<&Value> {
        self.get(name).filter(|value| **value != Value::None)
    }
}

fn wrong(name: &str, expected: &str) -> String {
    format!("input `{name}` is not {expected}")
}

/// Checks that two lists that belong together have the same length.
///
/// # Errors
/// A sentence with both lengths and what to do. A dropped item is removed from all lists of its own node, but not from
/// those of other nodes, so lists of two nodes may no longer correspond.
pub(super) fn check_lengths(
    (one, first): (&str, &[Value]),
    (other, second): (&str, &[Value]),
) -> Result<(), String> {
    if first.len() == second.len() {
        return Ok(());
    }
    Err(format!(
        "`{one}` has {} items and `{other}` has {}; take both from the same node, whose lists leave out the same items, \
         or make one from the other, as in `${{{{ load.image | map(attribute='stem') | list }}}}`",
        first.len(),
        second.len()
    ))
}

/// Returns one output.
pub(super) fn one(name: &str, value: impl Into<Value>) -> Values {
    Values::from([(name.to_owned(), value.into())])
}

const NAMES: [(&str, u32); 14] = [
    ("black", 0x0000_00ff),
    ("white", 0xffff_ffff),
    ("transparent", 0x0000_0000),
    ("grey", 0x8080_80ff),
    ("gray", 0x8080_80ff),
    ("red", 0xe5_39_35_ff),
    ("orange", 0xfb_8c_00_ff),
    ("yellow", 0xfd_d8_35_ff),
    ("green", 0x43_a0_47_ff),
    ("teal", 0x00_89_7b_ff),
    ("blue", 0x1e_88_e5_ff),
    ("navy", 0x14_21_3d_ff),
    ("purple", 0x8e_24_aa_ff),
    ("cream", 0xfd_f6_e3_ff),
];

fn colour(text: &str) -> Result<Rgba<u8>, String> {
    let word = text.trim().to_ascii_lowercase();
    if let Some((_, rgba)) = NAMES.iter().find(|(name, _)| *name == word) {
        return Ok(Rgba(rgba.to_be_bytes()));
    }
    let digits: Option<Vec<u8>> = word
        .strip_prefix('#')
        .map(|hex| hex.chars().filter_map(|c| c.to_digit(16)).map(|digit| digit as u8).collect());
    match digits.as_deref() {
        Some([r, g, b]) if word.len() == 4 => Ok(Rgba([r * 17, g * 17, b * 17, 255])),
        Some([r, s, g, h, b, c]) if word.len() == 7 => Ok(Rgba([r * 16 + s, g * 16 + h, b * 16 + c, 255])),
        Some([r, s, g, h, b, c, a, d]) if word.len() == 9 => {
            Ok(Rgba([r * 16 + s, g * 16 + h, b * 16 + c, a * 16 + d]))
        }
        _ => {
            let names: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
            let cut = fanlight_shared::value::cut(text, 40);
            Err(format!("`{cut}` is not a colour; write #rrggbb or one of {}", names.join(", ")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_read_in_every_form() {
        assert_eq!(colour("#fff"), Ok(Rgba([255, 255, 255, 255])));
        assert_eq!(colour("#102030"), Ok(Rgba([16, 32, 48, 255])));
        assert_eq!(colour("#10203040"), Ok(Rgba([16, 32, 48, 64])));
        assert_eq!(colour(" White "), Ok(Rgba([255, 255, 255, 255])));
        for bad in ["", "#12", "#12345g", "#1é34", "mauve-ish"] {
            assert!(colour(bad).unwrap_err().contains("is not a colour"), "{bad}");
        }
    }
}
