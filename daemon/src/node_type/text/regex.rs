//! `text.regex`

use std::ops::Range;

use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values, cut};
use indexmap::IndexMap;
use regex::{Captures, Regex, RegexBuilder};

use crate::file_error::FileError;
use crate::node_type::bound::Bound;
use crate::node_type::build::Build;
use crate::node_type::typed_inputs::TypedInputs;
use crate::node_type::{NodeType, Runner, Workspace};

/// The most places that are found: as many as a run may have instances.
const MAX_MATCHES: usize = 100_000;
/// The most bytes of all outputs.
const MAX_BYTES: u64 = 48 << 20;
/// The largest compiled pattern, in bytes.
const MAX_PATTERN_BYTES: usize = 4 << 20;
/// The deepest nesting of groups in a pattern.
const MAX_NESTING: u32 = 100;

pub(super) fn node_type() -> NodeType {
    Build::new("text.regex", "Finds a pattern in text, and optionally replaces it.")
        .input("text", Type::Text, "The text to search.")
        .input(
            "pattern",
            Type::Text,
            "A regular expression: `(?P<year>\\d{4})-(\\d\\d)`. Look-around and back-references are not supported, so that the time is proportional to the length of the text.",
        )
        .input("replace", Type::Text, "The replacement; `$1` and `${year}` are groups, `$$` is a dollar sign.")
        .optional()
        .input("ignore_case", Type::Bool, "Whether to ignore the case of letters.")
        .default(false)
        .input("limit", Type::Int, "The maximum number of matches, from the start.")
        .optional()
        .range(1.0, MAX_MATCHES as f64)
        .output("found", Type::Bool, "Whether the pattern matches.")
        .output("match", Type::Text, "The first match; absent if there is none.")
        .output("groups", Type::Json, "The groups of the first match by name or by number: `find.groups.year`, `find.groups['2']`; absent if there is none.")
        .output("matches", Type::Text.list(), "All matches.")
        .output("rows", Type::Json.list(), "An object for each match: `match` and its groups.")
        .output("text", Type::Text, "The text with all matches replaced; absent without `replace`.")
        .output("count", Type::Int, "The number of matches.")
        .max_bytes(MAX_BYTES)
        .remember()
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
    if regex.capture_names().flatten().any(|name| name == "match") {
        return Err(
            "a group of the pattern is named `match`, as the whole match in `rows` is; rename it".into()
        );
    }
    let mut bound = Bound::new(MAX_BYTES);
    let (mut rows, mut matches) = (Vec::new(), Vec::new());
    let mut replaced = String::new();
    let mut copied = 0;
    for found in regex.captures_iter(text).take(limit.unwrap_or(MAX_MATCHES + 1)) {
        if rows.len() == MAX_MATCHES {
            return Err(format!(
                "the pattern matches more than {MAX_MATCHES} times; set `limit`, or split the text"
            ));
        }
        let Some(whole) = found.get(0) else { continue };
        if let Some(replace) = replace {
            let before = replaced.len();
            replaced.push_str(&text[copied..whole.start()]);
            found.expand(replace, &mut replaced);
            copied = whole.end();
            bound.add_bytes((replaced.len() - before) as u64)?;
        }
        matches.push(Value::from(whole.as_str()));
        let fields = [("match".to_owned(), Value::from(whole.as_str()))].into_iter();
        let row = Value::Object(fields.chain(groups(&regex, &found)).collect());
        bound.add(&row)?;
        rows.push(row);
    }
    let count = Value::Int(i64::try_from(rows.len()).unwrap_or(i64::MAX));
    let mut outputs = Values::from([("found".to_owned(), Value::Bool(!rows.is_empty()))]);
    if let Some(Value::Object(first)) = rows.first() {
        let mut groups = first.clone();
        let whole = groups.shift_remove("match").unwrap_or_default();
        outputs.insert("match".to_owned(), whole);
        outputs.insert("groups".to_owned(), Value::Object(groups));
    }
    outputs.insert("matches".to_owned(), matches.into());
    outputs.insert("rows".to_owned(), rows.into());
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
            format!(
                "the pattern is too large: it takes more than {} MiB when compiled",
                MAX_PATTERN_BYTES >> 20
            )
        }
        other => {
            let (what, at) = reason(&other.to_string());
            let at = at.map(|at| format!(" at character {at}")).unwrap_or_default();
            format!("`{}` is not a valid pattern: {what}{at}", cut(pattern, 80))
        }
    })
}

/// Returns the error of a pattern and, for a pattern of one line, its character, out of a message of several lines:
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

/// Returns the place of a group's name after a dollar.
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
    fn a_pattern_returns_its_matches_and_their_groups() {
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
    fn a_replacement_may_use_groups() {
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
    fn an_invalid_or_too_large_pattern_is_explained() {
        assert_eq!(
            regex("", "a(b", &[]).unwrap_err(),
            "`a(b` is not a valid pattern: unclosed group at character 2"
        );
        assert!(regex("", "(?=a)", &[]).unwrap_err().contains("look-around"));
        assert!(regex("", r"\w{500}{500}", &[]).unwrap_err().contains("more than 4 MiB"));
        assert!(regex("", &"(".repeat(5_000), &[]).is_err());
        let many = "a".repeat(MAX_MATCHES + 1);
        assert!(regex(&many, "a", &[]).unwrap_err().contains("more than 100000 times"));
        assert_eq!(regex(&many, "a", &[("limit", Value::Int(3))]).unwrap()["count"], Value::Int(3));
    }

    #[test]
    fn a_group_named_match_and_results_that_grow_too_large_are_refused() {
        assert!(regex("ab", "(?P<match>a)b", &[]).unwrap_err().contains("named `match`"));
        let long = [("replace", "x".repeat(10_000).into())];
        assert!(regex(&"a".repeat(90_000), "a", &long).unwrap_err().contains("more than 48 MiB"));
        let nested = format!("{}.*{}", "(".repeat(90), ")".repeat(90));
        assert!(regex(&"a".repeat(600_000), &nested, &[]).unwrap_err().contains("more than 48 MiB"));
    }
}
