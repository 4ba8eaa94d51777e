//! Two texts that are compared line by line.

use fanlight_shared::asset::{Asset, AssetKind};
use fanlight_shared::{media, sanitise};

use super::lines::{DiffLine, LineKind, between, counts};
use super::{FileChange, Kind, is_patch};
use crate::ui::content::code::Language;
use crate::ui::content::json::{has_one_line, laid_out};

/// What stands for bytes that are not text.
const NO_TEXT: char = '\u{fffd}';

/// Returns whether a product is a text: a value, or a file in which text was found.
#[must_use]
pub fn is_text(asset: &Asset) -> bool {
    let is_of_text =
        |mime: &str| media::is_text(mime) || matches!(mime, "application/x-empty" | "image/svg+xml");
    match asset.kind {
        AssetKind::Text | AssetKind::Json => true,
        AssetKind::File => is_patch(asset) || is_of_text(&asset.mime),
        _ => false,
    }
}

/// Returns what differs between two texts, with the lines around it. `is_cut`: of which only the beginning was read.
#[must_use]
pub fn between_texts(names: [&str; 2], texts: [&str; 2], is_cut: [bool; 2]) -> FileChange {
    // The last line of a beginning is no whole line.
    let whole_lines = |text: &str, is_cut: bool| match text.rfind('\n') {
        Some(end) if is_cut => text[..=end].to_owned(),
        _ => text.to_owned(),
    };
    let [before, after] = [0, 1].map(|side| whole_lines(texts[side], is_cut[side]));
    let language = Language::of(names[1]);
    let is_json = names.iter().all(|name| name.ends_with(".json"));
    let is_laid_out = is_json && [&before, &after].iter().any(|text| has_one_line(text));
    let note = |text: &str| DiffLine::new(LineKind::Head, text);
    let has_odd_bytes = [&before, &after].iter().any(|text| text.contains(NO_TEXT));
    let mut lines = match laid_out(&before).zip(laid_out(&after)).filter(|_| is_laid_out) {
        Some((a, b)) if a != b => {
            let mut lines = between(&a, &b, language);
            lines.insert(0, note("the JSON is laid out here, so that each value has a line"));
            lines
        }
        _ if before == after && is_cut.contains(&true) => {
            vec![note("the first 1 MB are equal: save both files and compare the rest there")]
        }
        _ => between(&before, &after, language),
    };
    if has_odd_bytes {
        lines.insert(0, note("bytes that are not text look the same here, and may differ"));
    }
    let [a, b] = names.map(sanitise::line);
    FileChange {
        path: if a == b { b } else { format!("{a} → {b}") },
        kind: Kind::Changed,
        bodies: [None, None],
        counts: Some(counts(&lines)),
        lines: Some(lines),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(change: &FileChange) -> Vec<(LineKind, &str)> {
        change.lines.iter().flatten().map(|line| (line.kind, line.text.as_str())).collect()
    }

    #[test]
    fn json_on_one_line_is_compared_value_by_value() {
        let text = r#"{"a":[1,{"b , [":"x\"\\"}],"c":{},"d":[ ],"e":1.00}"#;
        let whole = "{\n  \"a\": [\n    1,\n    {\n      \"b , [\": \"x\\\"\\\\\"\n    }\n  ],\n  \"c\": {},\n  \
                     \"d\": [],\n  \"e\": 1.00\n}";
        assert_eq!(laid_out(text).as_deref(), Some(whole));
        assert_eq!((laid_out("{"), laid_out("7").as_deref()), (None, Some("7")));
        let change = between_texts(["a.json"; 2], [text, &text.replace("1.00", "1.0")], [false; 2]);
        assert_eq!(change.counts, Some((1, 1)));
        assert!(texts(&change).contains(&(LineKind::Added, "  \"e\": 1.0")), "{change:?}");
        let same = between_texts(["a.json"; 2], ["[1,2]", "[1, 2]"], [false; 2]);
        assert_eq!(same.counts, Some((1, 1)), "only the blanks differ, which is shown as it is");
        let other = between_texts(["a.txt", "b.txt"], ["[1]", "[2]"], [false; 2]);
        assert_eq!((other.path.as_str(), other.counts), ("a.txt → b.txt", Some((1, 1))));
    }

    #[test]
    fn what_was_not_read_or_is_no_text_is_not_called_equal() {
        let of = |texts: [&str; 2], is_cut| {
            let change = between_texts(["a.log"; 2], texts, [is_cut, false]);
            change.lines.unwrap().into_iter().map(|line| line.text).collect::<Vec<_>>()
        };
        assert_eq!(of(["a\nb\n"; 2], false), ["the contents are equal"]);
        assert!(of(["a\nb", "a\n"], true)[0].starts_with("the first 1 MB are equal"));
        assert_eq!(of(["a\nhalf a li", "a\nb\n"], true).last().unwrap(), "b");
        assert!(of(["\u{fffd}"; 2], false)[0].contains("may differ"));
    }
}
