//! `json:`: a field of standard output.

use serde_json::Value as Json;

use crate::supervisor::log::Stdout;

/// Standard output as JSON.
///
/// # Errors
/// It is none, or too long.
pub(super) fn parse(stdout: &Stdout) -> Result<Json, String> {
    if stdout.truncated {
        return Err(
            "stdout is longer than 1 MiB, so it can't be read as JSON; write a file and use `path:`".into()
        );
    }
    if stdout.bytes.trim_ascii().is_empty() {
        return Err("stdout is empty, but it should be JSON".into());
    }
    serde_json::from_slice(&stdout.bytes).map_err(|error| format!("stdout is no JSON: {error}"))
}

/// The field with this path: names and indexes with dots, `.` is all of it.
///
/// # Errors
/// There is none; the sentence names what is there.
pub(super) fn find<'a>(json: &'a Json, path: &str) -> Result<&'a Json, String> {
    let mut here = json;
    let mut walked = String::new();
    for part in path.split('.').filter(|it| !it.is_empty()) {
        let whole = if walked.is_empty() { "stdout".to_owned() } else { format!("`{walked}` of stdout") };
        here = match here {
            Json::Object(fields) => fields.get(part).ok_or_else(|| {
                let near = fields
                    .keys()
                    .map(|key| (strsim::jaro_winkler(part, key), key))
                    .filter(|(similarity, _)| *similarity > 0.75)
                    .max_by(|a, b| a.0.total_cmp(&b.0));
                let hint = match near {
                    Some((_, key)) => format!("did you mean `{}`?", super::super::text::line(key)),
                    None => {
                        let keys: Vec<String> =
                            fields.keys().take(8).map(|it| super::super::text::line(it)).collect();
                        format!("it has {}", if keys.is_empty() { "none".into() } else { keys.join(", ") })
                    }
                };
                format!("{whole} has no field `{part}`; {hint}")
            })?,
            Json::Array(items) => {
                let index: usize =
                    part.parse().map_err(|_| format!("{whole} is a list, and `{part}` is no index"))?;
                items.get(index).ok_or_else(|| format!("{whole} has {} items, no `{part}`", items.len()))?
            }
            _ => return Err(format!("{whole} has no fields, so no `{part}`")),
        };
        if !walked.is_empty() {
            walked.push('.');
        }
        walked.push_str(part);
    }
    Ok(here)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stdout(text: &str) -> Stdout {
        Stdout { bytes: text.into(), truncated: false }
    }

    #[test]
    fn fields_are_found_by_names_and_indexes() {
        let json = parse(&stdout(" {\"a\": {\"b\": [1, {\"c\": 2}]}}\n")).unwrap();
        assert_eq!(find(&json, "a.b.1.c").unwrap(), 2);
        assert_eq!(find(&json, ".").unwrap(), &json);
        assert_eq!(find(&json, "a.b.0").unwrap(), 1);
    }

    #[test]
    fn what_is_missing_is_named() {
        let json = parse(&stdout("{\"accuracy\": 1, \"list\": [1]}")).unwrap();
        assert!(find(&json, "acuracy").unwrap_err().contains("did you mean `accuracy`"));
        assert!(find(&json, "zzz").unwrap_err().contains("accuracy, list"));
        assert!(find(&json, "list.3").unwrap_err().contains("has 1 items"));
        assert!(find(&json, "list.x").unwrap_err().contains("no index"));
        assert!(find(&json, "accuracy.x").unwrap_err().contains("no fields"));
        assert!(parse(&stdout("nope")).unwrap_err().contains("no JSON"));
        assert!(parse(&stdout(" ")).unwrap_err().contains("empty"));
        assert!(parse(&Stdout { bytes: b"1".to_vec(), truncated: true }).unwrap_err().contains("1 MiB"));
    }
}
