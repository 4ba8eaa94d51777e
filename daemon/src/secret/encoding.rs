//! The forms in which the value of a secret may appear in an output.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde_json::Value as Json;

/// The shortest pattern, in bytes: shorter ones would mask ordinary words.
pub(super) const MIN_PATTERN_BYTES: usize = 8;

type Patterns = BTreeSet<Vec<u8>>;

/// Returns the value and, if it is a JSON document, the texts in it: programs read the fields that they need.
fn parts(value: &str) -> BTreeSet<String> {
    let mut parts = BTreeSet::from([value.to_owned()]);
    if value.trim_start().starts_with(['{', '['])
        && let Ok(json) = serde_json::from_str(value)
    {
        add_texts(&json, &mut parts);
    }
    parts
}

fn add_texts(json: &Json, parts: &mut BTreeSet<String>) {
    match json {
        Json::String(text) if text.len() >= MIN_PATTERN_BYTES => {
            parts.insert(text.clone());
        }
        Json::Array(items) => items.iter().for_each(|item| add_texts(item, parts)),
        Json::Object(fields) => fields.values().for_each(|value| add_texts(value, parts)),
        _ => {}
    }
}

/// Returns the value as text: as it is, line by line, and as JSON, shells, URLs and HTML escape it.
pub(super) fn texts(value: &str) -> Patterns {
    let mut texts = BTreeSet::new();
    for part in parts(value) {
        // Programs indent, wrap or prefix the lines of a text.
        for line in part.lines().map(str::trim) {
            texts.extend([line.to_owned(), backslashed(line, '"')]);
        }
        texts.extend(escaped(&part));
        texts.extend(percent_encoded(&part));
        texts.extend(html(&part));
        texts.extend([part.replace('\'', "'\\''"), part.replace('\n', "\r\n"), part]);
    }
    let long = texts.into_iter().filter(|text| text.len() >= MIN_PATTERN_BYTES);
    long.map(String::into_bytes).collect()
}

/// Returns the value in base64 and hexadecimal digits. These patterns contain no white space; an output may wrap its
/// lines anywhere.
pub(super) fn digits(value: &str) -> Patterns {
    let mut patterns = Patterns::new();
    for part in parts(value) {
        // `echo` and editors add a newline.
        for data in [part.clone(), format!("{part}\n")] {
            for before in 0..3 {
                base64(data.as_bytes(), before, &mut patterns);
            }
        }
        let mut hex = String::new();
        part.bytes().for_each(|byte| {
            let _ = write!(hex, "{byte:02x}");
        });
        patterns.insert(hex.to_uppercase().into_bytes());
        patterns.insert(hex.into_bytes());
    }
    patterns
}

/// Adds what base64 makes of the data after `before` other bytes: the digits that depend on the data only, whatever
/// follows it, and all digits if nothing follows.
fn base64(data: &[u8], before: usize, patterns: &mut Patterns) {
    let bytes = [&[0; 3][..before], data].concat();
    // The bits of the first digits are also those of the bytes before.
    let begin = (before * 8).div_ceil(6);
    let end = bytes.len() * 8 / 6;
    for engine in [STANDARD, URL_SAFE] {
        let all = engine.encode(&bytes).into_bytes();
        let without_padding = all.iter().position(|digit| *digit == b'=').unwrap_or(all.len());
        for end in [end, without_padding, all.len()] {
            patterns.insert(all[begin..end].to_vec());
        }
    }
}

/// Returns the text with the backslashes of JSON and of programming languages.
fn escaped(text: &str) -> Vec<String> {
    let json = backslashed(text, '"');
    let go = ["<", ">", "&"].iter().zip(["\\u003c", "\\u003e", "\\u0026"]);
    let go = go.fold(json.clone(), |text, (from, to)| text.replace(from, to));
    let (lower, upper) = (ascii(&json, false), ascii(&json, true));
    let once = [json, lower, upper, go].into_iter().flat_map(|json| [json.replace('/', "\\/"), json]);
    // A text in JSON may itself be JSON, which is escaped again.
    let all = once.flat_map(|json| {
        let twice = backslashed(&json, '"');
        [ascii(&twice, false), twice.replace('/', "\\/"), twice, json]
    });
    all.chain([backslashed(text, '\''), backslashed(text, '\\')]).collect()
}

/// Escapes backslashes, control characters and this quote.
fn backslashed(text: &str, quote: char) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            letter if letter == '\\' || letter == quote => escaped.extend(['\\', letter]),
            letter => escaped.push(letter),
        }
    }
    escaped
}

/// Escapes everything that isn't ASCII, as UTF-16.
fn ascii(json: &str, upper: bool) -> String {
    let mut escaped = String::with_capacity(json.len());
    for letter in json.chars() {
        if letter.is_ascii() {
            escaped.push(letter);
            continue;
        }
        for unit in letter.encode_utf16(&mut [0; 2]) {
            let _ = if upper { write!(escaped, "\\u{unit:04X}") } else { write!(escaped, "\\u{unit:04x}") };
        }
    }
    escaped
}

/// Returns the text as parts of URLs and as a field of a form.
fn percent_encoded(text: &str) -> Vec<String> {
    // What RFC 3986, Python, JavaScript (both functions), forms, and parsers of URLs (path, query) leave as it is, besides
    // letters and digits.
    let kept = [
        "-_.~",
        "-_.~/",
        "-_.~!'()*",
        "-_.~!'()*;/?:@&=+$,#",
        "-_.*",
        "!$%&'()*+,-./:;=@[\\]^_|~",
        "!$%&()*+,-./:;=?@[\\]^_`{|}~",
    ];
    let mut encoded = Vec::new();
    for upper in [true, false] {
        encoded.extend(kept.iter().map(|kept| percent(text, kept, upper)));
        encoded.push(percent(text, "-_.* ", upper).replace(' ', "+"));
    }
    encoded
}

fn percent(text: &str, kept: &str, upper: bool) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        let letter = char::from(byte);
        let _ = match letter {
            letter if letter.is_ascii_alphanumeric() || kept.contains(letter) => write!(encoded, "{letter}"),
            _ if upper => write!(encoded, "%{byte:02X}"),
            _ => write!(encoded, "%{byte:02x}"),
        };
    }
    encoded
}

fn html(text: &str) -> Vec<String> {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let quoted = escaped.replace('"', "&quot;");
    vec![quoted.replace('\'', "&#39;"), quoted.replace('\'', "&#x27;"), quoted, escaped]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(patterns: &Patterns, text: &str) -> bool {
        patterns.contains(text.as_bytes())
    }

    #[test]
    fn a_value_is_known_in_the_forms_of_json_shells_urls_and_html() {
        let texts = texts("pä'ss & \"wörd\"/1");
        for form in [
            "pä'ss & \"wörd\"/1",
            "pä'ss & \\\"wörd\\\"/1",
            "pä'ss & \\\"wörd\\\"\\/1",
            "p\\u00e4'ss & \\\"w\\u00f6rd\\\"/1",
            "p\\u00E4'ss & \\\"w\\u00F6rd\\\"/1",
            "pä'ss \\u0026 \\\"wörd\\\"/1",
            "pä'ss & \\\\\\\"wörd\\\\\\\"/1",
            "p\\u00e4'ss & \\\"w\\u00f6rd\\\"\\/1",
            "p\\\\u00e4'ss & \\\\\\\"w\\\\u00f6rd\\\\\\\"/1",
            "p\\\\u00E4'ss & \\\\\\\"w\\\\u00F6rd\\\\\\\"/1",
            "p\\\\u00e4'ss & \\\\\\\"w\\\\u00f6rd\\\\\\\"\\\\/1",
            "p\\u00e4'ss & \\\\\\\"w\\u00f6rd\\\\\\\"/1",
            "p\\\\u00e4'ss & \\\\\\\"w\\\\u00f6rd\\\\\\\"\\\\\\/1",
            "pä'ss \\\\u0026 \\\\\\\"wörd\\\\\\\"/1",
            "pä'\\''ss & \"wörd\"/1",
            "p%C3%A4%27ss%20%26%20%22w%C3%B6rd%22%2F1",
            "p%c3%a4%27ss%20%26%20%22w%c3%b6rd%22/1",
            "p%C3%A4%27ss+%26+%22w%C3%B6rd%22%2F1",
            "p%C3%A4'ss%20%26%20%22w%C3%B6rd%22%2F1",
            "pä&#39;ss &amp; &quot;wörd&quot;/1",
        ] {
            assert!(has(&texts, form), "{form}");
        }
    }

    #[test]
    fn every_long_line_of_a_value_is_a_pattern_and_short_ones_are_not() {
        let texts = texts("{\n  \"key\": \"abc\",\n}\n");
        assert!(has(&texts, "\"key\": \"abc\",") && has(&texts, "\\\"key\\\": \\\"abc\\\","));
        assert!(has(&texts, "{\\n  \\\"key\\\": \\\"abc\\\",\\n}\\n"), "as a whole in JSON");
        assert!(texts.iter().all(|text| text.len() >= MIN_PATTERN_BYTES));
    }

    #[test]
    fn the_texts_in_a_json_document_are_patterns_too() {
        let texts = texts("{\"type\": \"x\", \"keys\": [{\"private\": \"BEGIN abcdefgh\\nijklmnop END\"}]}");
        assert!(has(&texts, "BEGIN abcdefgh\nijklmnop END") && has(&texts, "ijklmnop END"));
        assert!(has(&texts, "BEGIN abcdefgh\\nijklmnop END") && !has(&texts, "x"));
    }

    #[test]
    fn base64_is_found_wherever_the_value_stands_in_the_data() {
        let value = "s3cr3t-t0ken";
        let patterns = digits(value);
        for before in 0..6 {
            for after in 0..4 {
                let data = [&b"xyzxyz"[..before], value.as_bytes(), &b"????"[..after]].concat();
                for engine in [STANDARD, URL_SAFE] {
                    let text = engine.encode(&data);
                    let longest =
                        patterns.iter().filter(|it| text.contains(std::str::from_utf8(it).unwrap()));
                    let longest = longest.map(Vec::len).max().unwrap_or(0);
                    // At most one digit before and after belongs to other bytes too.
                    assert!(
                        longest + 2 >= value.len() * 8 / 6,
                        "{before} {after}: {longest} digits of {text}"
                    );
                    if after == 0 {
                        assert!(patterns.iter().any(|it| text.ends_with(std::str::from_utf8(it).unwrap())));
                    }
                }
            }
        }
        assert!(has(&patterns, "733363723374") || has(&patterns, "7333637233742d74306b656e"));
        assert!(has(&patterns, "7333637233742D74306B656E"));
    }
}
