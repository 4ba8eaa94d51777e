//! `text.regex`

use std::ops::Range;

use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values, cut};
use indexmap::IndexMap;
use regex::{Captures, Regex, RegexBuilder};

use crate::file_error::FileError;
use crate::node_type::build::Build;
use crate::node_type::typed_inputs::TypedInputs;
use crate::node_type::{NodeType, Runner, Workspace};

/// The most places that are found: as many as a run may have instances.
const MAX_MATCHES: usize = 100_000;
/// How large a compiled pattern may be, in bytes.
const MAX_PATTERN_BYTES: usize = 4 << 20;
/// How deep the groups of a pattern may be nested.
const MAX_NESTING: u32 = 100;

pub(super) fn node_type() -> NodeType {
    Build::new("text.regex", "Finds a pattern in a text, and replaces it where that is asked for.")
        .input("text", Type::Text, "The text.")
        .input(
            "pattern",
            Type::Text,
            "A regular expression: `(?P<year>\\d{4})-(\\d\\d)`. It has no look-around and no back-references, and takes no more time than the text is long.",
        )
        .input("replace", Type::Text, "What stands there afterwards; `$1`, `${year}` are groups, `$$` is a dollar.")
        .optional()
        .input("ignore_case", Type::Bool, "Whether small and capital letters are the same.")
        .default(false)
        .input("limit", Type::Int, "How many places are looked for at most, from the beginning.")
        .optional()
        .range(1.0, MAX_MATCHES as f64)
        .output("found", Type::Bool, "Whether the pattern is in the text.")
        .output("match", Type::Text, "What it matches first; absent where it matches nothing.")
        .output("groups", Type::Json, "The groups of the first match by name, or by number: `find.groups.year`, `find.groups['2']`; absent where it matches nothing.")
        .output("matches", Type::Text.list(), "All that it matches.")
        .output("rows", Type::Json.list(), "An object for each match: `match`, and its groups.")
        .output("text", Type::Text, "The text with all of them replaced; absent without `replace`.")
        .output("count", Type::Int, "How often it matches.")
        .max_bytes(48 << 20)
        .run(Runner::worker(run))
}

fn run(_: &mut Workspace, inputs: Values) -> Result<Values, FileError> {
    Ok(find(&inputs)?)
}

fn find(inputs: &Values) -> Result<Values, String> {
    let text = inputs.text("text")?;
    let regex = compile(inputs.text("pattern")?, inputs.flag("ignore_case")?)?;
    let limit = inputs.maybe("limit").and_then(Value::as_int).and_then(|it| usize::try_from(it).ok());
    let replace = inputs.maybe("replace").and_then(Value::as_text);
    if let Some(replace) = replace {
        check_groups(replace, &regex)?;
    }
    let (mut rows, mut matches) = (Vec::new(), Vec::new());
    let mut replaced = String::new();
    let mut copied = 0;
    for found in regex.captures_iter(text).take(limit.unwrap_or(MAX_MATCHES + 1)) {
        if rows.len() == MAX_MATCHES {
            return Err(format!(
                "the pattern matches more than {MAX_MATCHES} times; give a `limit`, or split the text"
            ));
        }
        let Some(whole) = found.get(0) else { continue };
        if let Some(replace) = replace {
            replaced.push_str(&text[copied..whole.start()]);
            found.expand(replace, &mut replaced);
            copied = whole.end();
        }
        matches.push(Value::from(whole.as_str()));
        rows.push((Value::from(whole.as_str()), groups(&regex, &found)));
    }
    let count = Value::Int(i64::try_from(rows.len()).unwrap_or(i64::MAX));
    let mut outputs = Values::from([("found".to_owned(), Value::Bool(!rows.is_empty()))]);
    if let Some((first, groups)) = rows.first() {
        outputs.insert("match".to_owned(), first.clone());
        outputs.insert("groups".to_owned(), Value::Object(groups.clone()));
    }
    let rows = rows.into_iter().map(|(whole, groups)| {
        let fields = [("match".to_owned(), whole)].into_iter().chain(groups);
        Value::Object(fields.collect())
    });
    outputs.insert("matches".to_owned(), matches.into());
    outputs.insert("rows".to_owned(), Value::List(rows.collect()));
    if replace.is_some() {
        replaced.push_str(&text[copied..]);
        outputs.insert("text".to_owned(), replaced.into());
    }
    outputs.insert("count".to_owned(), count);
    Ok(outputs)
}

fn groups(regex: &Regex, found: &Captures<'_>) -> IndexMap<String, Value> {
    let named = regex.capture_names().enumerate().skip(1);
    named
        .map(|(number, name)| {
            let value = found.get(number).map_or(Value::None, |it| Value::from(it.as_str()));
            (name.map_or_else(|| number.to_string(), str::to_owned), value)
        })
        .collect()
}

fn compile(pattern: &str, ignore_case: bool) -> Result<Regex, String> {
    let built = RegexBuilder::new(pattern)
        .case_insensitive(ignore_case)
        .size_limit(MAX_PATTERN_BYTES)
        .nest_limit(MAX_NESTING)
        .build();
    built.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => {
            format!("the pattern is too large: compiled it takes more than {} MiB", MAX_PATTERN_BYTES >> 20)
        }
        other => {
            let (what, at) = reason(&other.to_string());
            let at = at.map(|at| format!(" at character {at}")).unwrap_or_default();
            format!("`{}` is not a pattern: {what}{at}", cut(pattern, 80))
        }
    })
}

/// What is wrong with a pattern and, of a pattern of one line, at which character, out of a message of several lines:
/// the pattern, a line with marks below it, and the reason.
fn reason(message: &str) -> (String, Option<usize>) {
    let what = message.lines().filter_map(|line| line.strip_prefix("error: ")).next_back();
    let marks = message.lines().find(|line| line.contains('^') && line.trim_matches([' ', '^']).is_empty());
    // The pattern stands four blanks to the right.
    let at = marks.and_then(|line| line.find('^')).and_then(|at| at.checked_sub(3));
    (what.unwrap_or("it can't be read").to_owned(), at)
}

/// Refuses a group that the pattern doesn't have, which would be replaced by nothing: `$1st` is the group `1st`.
fn check_groups(replace: &str, regex: &Regex) -> Result<(), String> {
    let known = |name: &str| match name.parse::<usize>() {
        Ok(number) => number < regex.captures_len(),
        Err(_) => regex.capture_names().flatten().any(|it| it == name),
    };
    let mut rest = replace;
    while let Some(at) = rest.find('$') {
        rest = &rest[at + 1..];
        if let Some(behind) = rest.strip_prefix('$') {
            rest = behind;
            continue;
        }
        let Some(Range { start, end }) = group_name(rest) else { continue };
        let name = &rest[start..end];
        if !known(name) {
            let digits = name.find(|c: char| !c.is_ascii_digit()).unwrap_or(0);
            let hint = match digits {
                0 => String::new(),
                _ => format!("; for the group {0} write `${{{0}}}`", &name[..digits]),
            };
            return Err(format!(
                "`replace` names the group `{}`, which the pattern doesn't have{hint}",
                cut(name, 40)
            ));
        }
    }
    Ok(())
}

/// Where the name of a group stands that follows a dollar.
fn group_name(rest: &str) -> Option<Range<usize>> {
    if let Some(inside) = rest.strip_prefix('{') {
        return inside.find('}').map(|end| 1..1 + end);
    }
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
    (end > 0).then_some(0..end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node_type::fixture::{inputs, json};

    fn regex(text: &str, pattern: &str, more: &[(&str, Value)]) -> Result<Values, String> {
        let mut given = vec![("text", text.into()), ("pattern", pattern.into())];
        given.extend(more.iter().cloned());
        find(&inputs(&node_type(), &given)?)
    }

    #[test]
    fn a_pattern_gives_its_matches_and_their_groups() {
        let made = regex("2024-05 and 2025-11", r"(?P<year>\d{4})-(\d\d)", &[]).unwrap();
        assert_eq!((&made["match"], &made["count"]), (&"2024-05".into(), &Value::Int(2)));
        assert_eq!(made["groups"], json(r#"{"year": "2024", "2": "05"}"#));
        assert_eq!(made["matches"], json(r#"["2024-05", "2025-11"]"#));
        assert_eq!(
            made["rows"].as_list().unwrap()[1],
            json(r#"{"match": "2025-11", "year": "2025", "2": "11"}"#)
        );
        assert!(!made.contains_key("text"));
        let none = regex("abc", "X", &[]).unwrap();
        assert_eq!((&none["found"], none.contains_key("match")), (&Value::Bool(false), false));
        assert_eq!(regex("abc", "B", &[("ignore_case", true.into())]).unwrap()["found"], Value::Bool(true));
    }

    #[test]
    fn matches_are_replaced_by_what_their_groups_say() {
        let replace = |replace: &str, limit: i64| {
            let more = [("replace", replace.into()), ("limit", Value::Int(limit))];
            regex("a1 b2 c3", r"(?P<word>[a-z])(\d)", &more)
                .map(|made| made["text"].as_text().unwrap().to_owned())
        };
        assert_eq!(replace("$2${word}$$", 9), Ok("1a$ 2b$ 3c$".into()));
        assert_eq!(replace("", 2), Ok("  c3".into()));
        assert_eq!(
            replace("$2nd", 9).unwrap_err(),
            "`replace` names the group `2nd`, which the pattern doesn't have; for the group 2 write `${2}`"
        );
        assert!(replace("${wrd}", 9).unwrap_err().contains("`wrd`"));
    }

    #[test]
    fn what_is_no_pattern_or_takes_too_much_says_where() {
        assert_eq!(
            regex("", "a(b", &[]).unwrap_err(),
            "`a(b` is not a pattern: unclosed group at character 2"
        );
        assert!(regex("", "(?=a)", &[]).unwrap_err().contains("look-around"));
        assert!(regex("", r"\w{500}{500}", &[]).unwrap_err().contains("more than 4 MiB"));
        assert!(regex("", &"(".repeat(5_000), &[]).is_err());
        let many = "a".repeat(MAX_MATCHES + 1);
        assert!(regex(&many, "a", &[]).unwrap_err().contains("more than 100000 times"));
        assert_eq!(regex(&many, "a", &[("limit", Value::Int(3))]).unwrap()["count"], Value::Int(3));
    }
}
