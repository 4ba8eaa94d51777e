//! `json:`: a field of standard output.

use fanlight_shared::value::Value;
use fanlight_shared::value::json::JsonError;

use crate::supervisor::log::Stdout;

/// Parses standard output as JSON, or if it isn't JSON, the last line that is a JSON object.
///
/// # Errors
/// It contains no JSON, is nested too deeply, or is too long.
pub(super) fn parse(stdout: &Stdout) -> Result<Value, String> {
    if stdout.truncated {
        return Err(
            "stdout is longer than 1 MiB, so it can't be read as JSON; write a file and use `path:`".into()
        );
    }
    if stdout.masked {
        return Err(
            "stdout contains a secret, which is masked; write a file without it and use `path:`".into()
        );
    }
    let text =
        std::str::from_utf8(&stdout.bytes).map_err(|_| "stdout is not UTF-8 text, so it is not JSON")?;
    if text.trim().is_empty() {
        return Err("stdout is empty, but it should be JSON".into());
    }
    let error = match Value::parse_json(text) {
        Err(JsonError::NoJson(error)) => error,
        read => return read.map_err(|error| format!("stdout: {error}")),
    };
    for line in text.lines().rev().map(str::trim).filter(|line| line.starts_with('{')) {
        match Value::parse_json(line) {
            // It isn't an object, only a line that begins like one.
            Err(JsonError::NoJson(_)) => {}
            read => return read.map_err(|error| format!("stdout: {error}")),
        }
    }
    Err(format!("stdout is not JSON, and none of its lines is a JSON object: {error}"))
}

/// Returns the field at this path: names and indexes separated by dots; `.` is the whole document.
///
/// # Errors
/// There is none; the sentence names the existing fields.
pub(super) fn find<'a>(json: &'a Value, path: &str) -> Result<&'a Value, String> {
    let mut here = json;
    let mut walked = String::new();
    for part in path.split('.').filter(|it| !it.is_empty()) {
        let whole = if walked.is_empty() { "stdout".to_owned() } else { format!("`{walked}` of stdout") };
        here = match here {
            Value::Object(fields) => fields.get(part).ok_or_else(|| {
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
            Value::List(items) => {
                let index: usize =
                    part.parse().map_err(|_| format!("{whole} is a list, and `{part}` is not an index"))?;
                items
                    .get(index)
                    .ok_or_else(|| format!("{whole} has {} items, so there is no `{part}`", items.len()))?
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
        Stdout { bytes: text.into(), truncated: false, masked: false }
    }

    #[test]
    fn fields_are_found_by_names_and_indexes() {
        let json = parse(&stdout(" {\"a\": {\"b\": [1, {\"c\": 2}]}}\n")).unwrap();
        assert_eq!(find(&json, "a.b.1.c").unwrap(), &Value::Int(2));
        assert_eq!(find(&json, ".").unwrap(), &json);
        assert_eq!(find(&json, "a.b.0").unwrap(), &Value::Int(1));
    }

    #[test]
    fn a_field_is_read_from_the_last_line_of_json_if_stdout_is_not_json() {
        let talks = "epoch 1\n{\"loss\": 0.5}\nepoch 2\n{\"loss\": 0.25}\ndone {really}\n{not json}\n";
        assert_eq!(find(&parse(&stdout(talks)).unwrap(), "loss").unwrap(), &Value::Float(0.25));
        let whole = "{\n  \"loss\": {\n    \"a\": 1 }\n}\n";
        assert_eq!(find(&parse(&stdout(whole)).unwrap(), "loss.a").unwrap(), &Value::Int(1));
        assert!(
            parse(&stdout("epoch 1\n[1]\n2\n")).unwrap_err().contains("none of its lines is a JSON object")
        );
    }

    #[test]
    fn nan_is_a_float_and_deep_nesting_is_refused() {
        let json = parse(&stdout("{\"loss\": NaN, \"acc\": 0.5}")).unwrap();
        assert!(matches!(find(&json, "loss"), Ok(Value::Float(it)) if it.is_nan()));
        assert_eq!(find(&json, "acc").unwrap(), &Value::Float(0.5));
        for levels in [64, 120, 126, 1000] {
            let deep = format!("{{\"a\": {}{}}}", "[".repeat(levels), "]".repeat(levels));
            assert!(parse(&stdout(&deep)).unwrap_err().contains("levels deep"), "{levels}");
            assert!(parse(&stdout(&format!("talk\n{deep}"))).unwrap_err().contains("levels deep"));
        }
    }

    #[test]
    fn a_missing_field_is_named() {
        let json = parse(&stdout("{\"accuracy\": 1, \"list\": [1]}")).unwrap();
        assert!(find(&json, "acuracy").unwrap_err().contains("did you mean `accuracy`"));
        assert!(find(&json, "zzz").unwrap_err().contains("accuracy, list"));
        assert!(find(&json, "list.3").unwrap_err().contains("has 1 items"));
        assert!(find(&json, "list.x").unwrap_err().contains("not an index"));
        assert!(find(&json, "accuracy.x").unwrap_err().contains("no fields"));
        assert!(parse(&stdout("nope")).unwrap_err().contains("not JSON"));
        assert!(parse(&stdout(" ")).unwrap_err().contains("empty"));
        assert!(
            parse(&Stdout { bytes: b"1".to_vec(), truncated: true, masked: false })
                .unwrap_err()
                .contains("1 MiB")
        );
    }
}
