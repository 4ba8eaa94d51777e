//! Names of saved files from a template such as `{seed}-{place}`.

use std::path::{Path, PathBuf};

use fanlight_shared::problem::near;
use fanlight_shared::value::Value;

/// The names in templates for the outputs of runs, besides their params.
pub(crate) const OUTPUT_NAMES: [&str; 6] = ["workflow", "run", "label", "output", "index", "name"];
/// The names in templates for assets, besides the params of their runs.
pub(crate) const ASSET_NAMES: [&str; 8] =
    ["workflow", "run", "label", "node", "item", "port", "index", "name"];
/// How many numbers are tried for a name that exists already.
const MAX_TRIES: u32 = 100_000;

/// A template of file names, without their endings.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct NameTemplate(Vec<Piece>);

#[derive(Clone, PartialEq, Eq, Debug)]
enum Piece {
    Text(String),
    Name(String),
}

impl NameTemplate {
    /// Reads a template. `{{` and `}}` are braces.
    ///
    /// # Errors
    /// A sentence: a brace is not closed, or the path leaves its folder.
    pub(crate) fn read(template: &str) -> Result<Self, String> {
        let wrong = |why: &str| format!("the name `{template}` {why}");
        let (mut pieces, mut text, mut rest) = (Vec::new(), String::new(), template);
        while let Some(at) = rest.find(['{', '}']) {
            text.push_str(&rest[..at]);
            let from = &rest[at..];
            if let Some(after) = from.strip_prefix("{{").or_else(|| from.strip_prefix("}}")) {
                text.push_str(&from[..1]);
                rest = after;
                continue;
            }
            let inner = from.strip_prefix('{').ok_or_else(|| wrong("has a `}` without a `{`"))?;
            let (name, after) = inner.split_once('}').ok_or_else(|| wrong("has a `{` without a `}`"))?;
            if name.is_empty() {
                return Err(wrong("has `{}` without a name in it"));
            }
            pieces.push(Piece::Text(std::mem::take(&mut text)));
            pieces.push(Piece::Name(name.trim().to_owned()));
            rest = after;
        }
        text.push_str(rest);
        pieces.push(Piece::Text(text));
        let literal: String = pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => text.as_str(),
                Piece::Name(_) => "x",
            })
            .collect();
        if literal.is_empty() || literal.ends_with('/') {
            return Err(wrong("doesn't name a file"));
        }
        let leaves = |part: &str| matches!(part, "" | "." | "..") || part.contains('\0');
        if literal.split('/').any(leaves) {
            return Err(wrong("is not a path below the folder"));
        }
        Ok(Self(pieces))
    }

    /// Checks that all names in it are known.
    ///
    /// # Errors
    /// A sentence, and a hint with the names that exist.
    pub(crate) fn check<'a>(
        &self,
        params: impl Iterator<Item = &'a str>,
        names: &[&'a str],
    ) -> Result<(), (String, String)> {
        let known: Vec<&str> = params.chain(names.iter().copied()).collect();
        for piece in &self.0 {
            let Piece::Name(name) = piece else { continue };
            if !known.contains(&name.as_str()) {
                let near = near(name, known.iter().copied());
                let near = near.map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
                let hint = format!("{near}known are {}", known.join(", "));
                return Err((format!("`{{{name}}}` is not known in a name template"), hint));
            }
        }
        Ok(())
    }

    /// Returns the path below the folder, without an ending. A value is a part of one component, whatever it contains.
    pub(crate) fn path(&self, value: impl Fn(&str) -> String) -> PathBuf {
        let text: String = self
            .0
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => text.clone(),
                Piece::Name(name) => component(&value(name)),
            })
            .collect();
        text.split('/').map(safe).collect()
    }
}

/// Returns a value for a name.
pub(crate) fn text_of(value: &Value) -> String {
    match value {
        Value::None => String::new(),
        Value::Media(media) => media.stem().to_owned(),
        value => value.to_text().unwrap_or_else(|_| value.summary(60)),
    }
}

/// Returns a text as a part of a path component.
fn component(text: &str) -> String {
    text.chars()
        .map(|it| if it.is_alphanumeric() || matches!(it, '-' | '_' | '.' | '+' | '=') { it } else { '_' })
        .take(100)
        .collect()
}

/// Returns a component that is neither hidden nor empty, nor too long for a file system.
fn safe(part: &str) -> String {
    let mut end = part.len().min(200);
    while !part.is_char_boundary(end) {
        end -= 1;
    }
    let part = &part[..end];
    if part.is_empty() || part.starts_with('.') { format!("_{part}") } else { part.to_owned() }
}

/// Returns the first path that nothing has: this one, or with a number behind its name. A name that has the ending already
/// doesn't get it again.
pub(crate) fn free(path: &Path, ending: Option<&str>) -> Result<PathBuf, String> {
    let mut name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    if let Some(ending) = ending {
        let stem = name.len().saturating_sub(ending.len() + 1);
        let has_it = name.get(stem..).is_some_and(|end| end.eq_ignore_ascii_case(&format!(".{ending}")));
        if has_it && stem > 0 {
            name.truncate(stem);
        }
    }
    for number in 1..MAX_TRIES {
        let numbered = if number == 1 { name.clone() } else { format!("{name}-{number}") };
        let full = ending.map_or_else(|| numbered.clone(), |ending| format!("{numbered}.{ending}"));
        let tried = path.with_file_name(full);
        if std::fs::symlink_metadata(&tried).is_err() {
            return Ok(tried);
        }
    }
    Err(format!("`{}` exists already, with every number up to {MAX_TRIES}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(template: &str, value: &str) -> String {
        let template = NameTemplate::read(template).unwrap();
        template.path(|_| value.to_owned()).to_string_lossy().into_owned()
    }

    #[test]
    fn values_take_the_places_of_their_names() {
        assert_eq!(path("{seed}-{place}", "Hove"), "Hove-Hove");
        assert_eq!(path("{workflow}/{seed}", "7"), "7/7");
        assert_eq!(path("{{{seed}}}", "7"), "{7}");
        assert_eq!(text_of(&Value::Float(0.5)), "0.5");
        assert_eq!(text_of(&Value::None), "");
    }

    #[test]
    fn no_value_leaves_its_component() {
        assert_eq!(path("{place}", "../../etc/passwd"), "_.._.._etc_passwd");
        assert_eq!(path("{place}", ""), "_");
        assert_eq!(path("{a}/{b}", ".."), "_../_..");
        assert_eq!(path("{place}", "a\u{202e}b\nc"), "a_b_c");
        assert!(path("{place}", &"é".repeat(500)).len() <= 200);
    }

    #[test]
    fn templates_that_leave_the_folder_or_are_not_closed_are_refused() {
        for template in ["../{seed}", "/tmp/{seed}", "a//b", "{seed}/", "", "a/./b", "{seed", "seed}", "{}"] {
            assert!(NameTemplate::read(template).is_err(), "{template}");
        }
    }

    #[test]
    fn unknown_names_are_errors_with_the_known_ones() {
        let (message, hint) =
            NameTemplate::read("{sede}").unwrap().check(["seed"].into_iter(), &["run"]).unwrap_err();
        assert!(message.contains("`{sede}`"), "{message}");
        assert_eq!(hint, "did you mean `seed`? known are seed, run");
        let known = NameTemplate::read("{seed}-{run}").unwrap();
        assert!(known.check(["seed"].into_iter(), &OUTPUT_NAMES).is_ok());
    }

    #[test]
    fn a_name_that_exists_gets_a_number() {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().join("a.b");
        std::fs::write(folder.path().join("a.b.png"), "").unwrap();
        std::os::unix::fs::symlink("nowhere", folder.path().join("a.b-2.png")).unwrap();
        assert_eq!(free(&base, Some("png")).unwrap(), folder.path().join("a.b-3.png"));
        assert_eq!(free(&base, None).unwrap(), base);
    }

    #[test]
    fn an_ending_is_not_repeated_and_a_number_is_before_it() {
        let folder = tempfile::tempdir().unwrap();
        let name = |name: &str| {
            let path = free(&folder.path().join(name), Some("png")).unwrap();
            path.file_name().unwrap().to_string_lossy().into_owned()
        };
        assert_eq!(
            (name("1"), name("1.png"), name("1.PNG")),
            ("1.png".into(), "1.png".into(), "1.png".into())
        );
        assert_eq!(
            (name("1.jpg"), name("_.png"), name(".png")),
            ("1.jpg.png".into(), "_.png".into(), ".png.png".into())
        );
        std::fs::write(folder.path().join("1.png"), "").unwrap();
        assert_eq!(name("1.png"), "1-2.png");
    }
}
