//! Short texts for people: cut to a width, sizes, points in time, one-line values.

use fanlight_shared::media::Media;
use fanlight_shared::sanitise;
use fanlight_shared::time::Time;
use fanlight_shared::value::{Value, shortened};
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

/// Returns how many columns a text takes on a terminal.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// Returns the text in at most `columns` columns, with `…` where something was cut; never cuts a character in two.
pub(crate) fn fit(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    if columns == 0 {
        return String::new();
    }
    let mut out = String::new();
    let mut taken = 0;
    for piece in text.graphemes(true) {
        let more = width(piece);
        if taken + more > columns - 1 {
            break;
        }
        taken += more;
        out.push_str(piece);
    }
    out.push('…');
    out
}

/// Returns the text, cut or filled up with blanks to exactly `columns` columns.
pub(crate) fn pad(text: &str, columns: usize) -> String {
    let mut out = fit(text, columns);
    out.push_str(&" ".repeat(columns.saturating_sub(width(&out))));
    out
}

/// Returns a number of bytes: `812 B`, `120 KB`, `3.4 MB`.
pub(crate) fn size(bytes: u64) -> String {
    #[allow(clippy::cast_precision_loss)]
    let number = bytes as f64;
    for (unit, step) in [("GB", 1e9), ("MB", 1e6)] {
        if number >= step {
            return format!("{:.1} {unit}", number / step);
        }
    }
    if bytes >= 1000 {
        return format!("{:.0} KB", number / 1e3);
    }
    format!("{bytes} B")
}

/// Returns a number with at most six significant digits: `0.31`, `12345.7`, `1.2e-7`.
pub(crate) fn number(value: f64) -> String {
    if let Some(word) = fanlight_shared::value::float::word(value) {
        return word.to_owned();
    }
    let magnitude = value.abs();
    if value == 0.0 {
        return "0".to_owned();
    }
    if !(1e-4..1e9).contains(&magnitude) {
        let text = format!("{value:.4e}");
        let Some((digits, exponent)) = text.split_once('e') else { return text };
        return format!("{}e{exponent}", trimmed(digits));
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let decimals = (5 - magnitude.log10().floor() as i32).clamp(0, 9) as usize;
    trimmed(&format!("{value:.decimals$}")).to_owned()
}

/// Returns a decimal number without the zeros at its end.
fn trimmed(digits: &str) -> &str {
    if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits }
}

/// Returns a point in time on this machine's clock: `2026-11-22 21:14:03`.
pub(crate) fn clock(time: Time) -> String {
    jiff::Timestamp::from_millisecond(time.0).map_or_else(
        |_| "–".to_owned(),
        |stamp| stamp.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string(),
    )
}

/// Returns a count with its noun: `1 run`, `6 runs`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// Returns a value on one line, safe to show: the first line of a text (`…` where there is more), other values as JSON.
pub(crate) fn value_line(value: &Value) -> String {
    match value {
        Value::Text(text) => {
            let mut lines = text.trim_end().lines();
            let first = sanitise::line(lines.next().unwrap_or_default());
            if lines.next().is_some() { format!("{first} …") } else { first }
        }
        Value::Media(media) => sanitise::line(&media.name),
        Value::Large(large) => {
            let first = sanitise::line(large.head.lines().next().unwrap_or_default());
            format!("{first} … ({})", size(large.bytes))
        }
        Value::List(items) if value.has_media() => {
            items.iter().map(value_line).collect::<Vec<_>>().join(", ")
        }
        Value::Float(float) if !float.is_finite() => value.summary(usize::MAX),
        other => sanitise::line(&other.to_json().to_string()),
    }
}

/// How many elements of a list get a line of their own.
const MAX_ELEMENTS: usize = 20;

/// Returns a value by its name, for a table: media with what it is, a list of media or texts with a line for each
/// element.
pub(crate) fn value_lines(name: &str, value: &Value) -> Vec<(String, String)> {
    match value {
        Value::Media(media) => vec![(name.to_owned(), media_line(media))],
        Value::List(items) if items.iter().any(|it| it.has_media() || it.as_text().is_some()) => {
            let (there, count) = shortened::items(items);
            let shown = &there[..there.len().min(MAX_ELEMENTS)];
            let elements = shown.iter().enumerate();
            let mut lines: Vec<_> =
                elements.flat_map(|(at, it)| value_lines(&format!("{name}[{at}]"), it)).collect();
            if count > shown.len() {
                lines.push((String::new(), format!("and {} more", count - shown.len())));
            }
            lines
        }
        value => vec![(name.to_owned(), value_line(value))],
    }
}

/// Returns a value on one line: media with what it is.
pub(crate) fn element_line(value: &Value) -> String {
    match value {
        Value::Media(media) => media_line(media),
        value => value_line(value),
    }
}

/// Returns `poster.png  image/png  640×480  120 KB`
fn media_line(media: &Media) -> String {
    let mut line = format!("{}  {}", sanitise::line(&media.name), sanitise::line(&media.mime));
    if let (Some(width), Some(height)) = (media.width, media.height) {
        line.push_str(&format!("  {width}×{height}"));
    }
    match input(media) {
        Some(input) => format!("{line}  {input}"),
        None => format!("{line}  {}", size(media.bytes)),
    }
}

/// Returns `input /home/me/poster.png, 120 KB`, of media that is read from a file of the user.
pub(crate) fn input(media: &Media) -> Option<String> {
    let source = media.source.as_ref()?;
    Some(format!("input {}, {}", sanitise::line(&source.path), size(media.bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_six_significant_digits() {
        for (value, shown) in [
            (0.0, "0"),
            (-0.0, "0"),
            (0.31, "0.31"),
            (1.0 / 3.0, "0.333333"),
            (12_345.678_9, "12345.7"),
            (123_456_789.0, "123456789"),
            (1e9, "1e9"),
            (-1.25e-7, "-1.25e-7"),
            (0.000_123_456_789, "0.000123457"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(number(value), shown);
        }
    }

    #[test]
    fn wide_characters_count_twice() {
        assert_eq!(width("日本"), 4);
        assert_eq!(fit("日本語", 5), "日本…");
        assert_eq!(fit("日本語", 4), "日…");
        assert_eq!(pad("日本語", 4), "日… ");
        assert_eq!(fit("abc", 3), "abc");
        assert_eq!(fit("abcd", 1), "…");
        assert_eq!(fit("abcd", 0), "");
    }

    #[test]
    fn combined_characters_stay_whole() {
        assert_eq!(fit("e\u{301}e\u{301}e\u{301}", 2), "e\u{301}…");
    }

    #[test]
    fn sizes_have_readable_units() {
        assert_eq!(size(812), "812 B");
        assert_eq!(size(120_400), "120 KB");
        assert_eq!(size(3_400_000), "3.4 MB");
        assert_eq!(size(5_000_000_000), "5.0 GB");
    }

    #[test]
    fn a_list_of_media_has_a_line_each_that_says_what_it_is() {
        let picture = Value::from(Media {
            kind: fanlight_shared::media::MediaKind::Image,
            hash: fanlight_shared::id::BlobHash::of(b"x"),
            mime: "image/png".into(),
            bytes: 120_400,
            name: "a.png".into(),
            width: Some(640),
            height: Some(480),
            executable: false,
            source: None,
        });
        let line = "a.png  image/png  640×480  120 KB".to_owned();
        assert_eq!(value_lines("out", &picture), [("out".to_owned(), line.clone())]);
        let list = Value::List(vec![picture.clone(); 22]);
        let lines = value_lines("out", &list);
        assert_eq!((lines.len(), &lines[1]), (21, &("out[1]".to_owned(), line.clone())));
        assert_eq!(lines[20].1, "and 2 more");
        let shortened = fanlight_shared::preview::value(&Value::List(vec![picture; 40]), 1024);
        let there = shortened.as_list().unwrap().len() - 1;
        let lines = value_lines("out", &shortened);
        assert_eq!(lines.last(), Some(&(String::new(), format!("and {} more", 40 - there))));
        assert!(lines[..there].iter().all(|(_, it)| *it == line), "{lines:?}");
        assert_eq!(shortened.summary(24), "40 × image");
        assert_eq!(value_lines("n", &Value::List(vec![Value::Int(1)])), [("n".to_owned(), "[1]".to_owned())]);
    }

    #[test]
    fn values_take_one_line() {
        assert_eq!(value_line(&Value::from("one\ntwo")), "one …");
        assert_eq!(value_line(&Value::from("one\n")), "one");
        assert_eq!(value_line(&Value::List(vec![Value::Int(1), Value::Int(2)])), "[1,2]");
        assert!(!value_line(&Value::from("a\u{1b}[2Jb")).contains('\u{1b}'));
    }
}
