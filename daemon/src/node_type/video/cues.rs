//! The texts of subtitles and their times.

use std::fmt::Write as _;

use fanlight_shared::value::{Value, cut};

/// The most texts of a video.
const MAX_CUES: usize = 20_000;
/// The longest text, in bytes.
const MAX_TEXT_BYTES: usize = 2_000;
/// By how many seconds a text of a track may begin before the end of the one before it, which then ends as much earlier.
const MAX_OVERLAP: f64 = 0.1;

/// A text and when it is shown, in seconds.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Cue {
    pub(super) start: f64,
    pub(super) end: f64,
    text: String,
    /// Whether `<i>` and `{\an8}` in it are the text itself. In a file they are its formatting.
    literal: bool,
}

impl Cue {
    /// Returns whether it has a brace that a track would lose.
    pub(super) fn has_braces(&self) -> bool {
        self.literal && self.text.contains(['{', '}'])
    }
}

/// Reads subtitles: the text of an SRT or WebVTT file, or a list of `{start, end, text}`.
///
/// # Errors
/// A sentence that says which one is wrong.
pub(super) fn read(value: &Value) -> Result<Vec<Cue>, String> {
    let mut cues = match value {
        Value::Text(text) => of_text(text)?,
        Value::List(items) => {
            items.iter().enumerate().map(|(at, item)| of_item(at, item)).collect::<Result<_, String>>()?
        }
        other => return Err(format!("`subtitles` is {}, not a text or a list", other.type_of())),
    };
    if cues.is_empty() {
        return Err("`subtitles` has no texts".into());
    }
    if cues.len() > MAX_CUES {
        return Err(format!("`subtitles` has {} texts; at most {MAX_CUES} are accepted", cues.len()));
    }
    for (at, cue) in cues.iter_mut().enumerate() {
        // Files have milliseconds.
        (cue.start, cue.end) = (rounded(cue.start), rounded(cue.end));
        let wrong = |what: &str| Err(format!("text {} of `subtitles` {what}", at + 1));
        if !(cue.start.is_finite() && cue.end.is_finite() && cue.start >= 0.0) {
            return wrong("has a time that is not a number from 0 on");
        }
        if cue.end <= cue.start {
            return wrong("does not end after it begins");
        }
        if cue.text.len() > MAX_TEXT_BYTES {
            return wrong(&format!("has more than {MAX_TEXT_BYTES} bytes"));
        }
    }
    Ok(cues)
}

fn rounded(seconds: f64) -> f64 {
    (seconds * 1000.0).round() / 1000.0
}

/// Returns the place of a text that begins while another one is shown, which shows for less than it should in a track.
pub(super) fn overlapping(cues: &[Cue]) -> Option<usize> {
    let mut order: Vec<usize> = (0..cues.len()).collect();
    order.sort_by(|one, other| cues[*one].start.total_cmp(&cues[*other].start));
    order.windows(2).find_map(|pair| {
        let (before, next) = (&cues[pair[0]], &cues[pair[1]]);
        let least = (before.end - MAX_OVERLAP).max((before.start + before.end) / 2.0);
        (next.start < least).then_some(pair[1])
    })
}

fn of_item(at: usize, item: &Value) -> Result<Cue, String> {
    let field = |name: &str| match item {
        Value::Object(fields) => fields.get(name),
        _ => None,
    };
    let cue = || {
        let text = field("text")?.as_text()?.to_owned();
        Some(Cue { start: field("start")?.as_float()?, end: field("end")?.as_float()?, text, literal: true })
    };
    cue().ok_or_else(|| {
        format!("item {} of `subtitles` is not an object with `start`, `end` and `text`", at + 1)
    })
}

/// Reads an SRT or WebVTT file: blocks with a line of times, and its text up to the next empty line.
fn of_text(text: &str) -> Result<Vec<Cue>, String> {
    let mut cues = Vec::new();
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n").replace('\r', "\n");
    for block in text.split("\n\n").map(str::trim).filter(|block| !block.is_empty()) {
        let Some((before, rest)) = block.split_once("-->") else {
            let word = block.split([' ', '\n']).next().unwrap_or_default();
            if matches!(word, "WEBVTT" | "NOTE" | "STYLE" | "REGION") {
                continue;
            }
            return Err(format!("`subtitles` has a block without times: `{}`", cut(block, 40)));
        };
        let (end, text) = rest.split_once('\n').unwrap_or((rest, ""));
        let start = before.lines().next_back().unwrap_or_default().trim();
        // Settings of WebVTT follow the time.
        let end = end.split_whitespace().next().unwrap_or_default();
        let time = |text: &str| {
            seconds(text).ok_or_else(|| format!("`{}` in `subtitles` is not a time", cut(text, 40)))
        };
        cues.push(Cue { start: time(start)?, end: time(end)?, text: text.trim().to_owned(), literal: false });
    }
    Ok(cues)
}

/// Reads `1:02:03,500`, `02:03.500` and the like.
fn seconds(text: &str) -> Option<f64> {
    let mut total = 0.0;
    let parts: Vec<&str> = text.split(':').collect();
    if !(2..=3).contains(&parts.len()) {
        return None;
    }
    for (at, part) in parts.iter().enumerate() {
        let last = at + 1 == parts.len();
        let digits = |it: char| it.is_ascii_digit() || last && matches!(it, '.' | ',');
        if part.is_empty() || !part.chars().all(digits) {
            return None;
        }
        total = total * 60.0 + part.replace(',', ".").parse::<f64>().ok()?;
    }
    Some(total)
}

/// Writes an SRT file.
pub(super) fn srt(cues: &[Cue]) -> String {
    let mut out = String::new();
    for (at, cue) in cues.iter().enumerate() {
        // An empty line, or one with an arrow, would begin another text.
        let lines: Vec<&str> = cue.text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let mut text = lines.join("\n").replace("-->", "→");
        if cue.literal {
            // A word joiner, which has no width, ends what would be a tag or a line break.
            text = text.replace('\\', "\\\u{2060}").replace('<', "<\u{2060}");
            text = text.replace('{', "\\{").replace('}', "\\}");
        }
        let _ = write!(out, "{}\n{} --> {}\n{text}\n\n", at + 1, time(cue.start), time(cue.end));
    }
    out
}

fn time(seconds: f64) -> String {
    let ms = (seconds * 1000.0).round() as u64;
    format!("{:02}:{:02}:{:02},{:03}", ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60, ms % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node_type::fixture::json;

    fn cue(start: f64, end: f64, text: &str) -> Cue {
        Cue { start, end, text: text.into(), literal: false }
    }

    #[test]
    fn srt_webvtt_and_segments_are_read() {
        let srt_text = "1\r\n00:00:00,500 --> 00:00:01,250\r\nHello\r\nthere\r\n\r\n2\r\n01:00:00,000 --> 01:00:01,000\r\nBye\r\n";
        let expected = vec![cue(0.5, 1.25, "Hello\nthere"), cue(3600.0, 3601.0, "Bye")];
        assert_eq!(read(&srt_text.into()), Ok(expected.clone()));
        assert_eq!(read(&srt(&expected).into()), Ok(expected));
        let vtt = "WEBVTT - a title\n\nNOTE a remark\n\nintro\n00:01.000 --> 00:02.000 line:90%\nHi\n";
        assert_eq!(read(&vtt.into()), Ok(vec![cue(1.0, 2.0, "Hi")]));
        assert_eq!(
            read(&json(r#"[{"start": 0, "end": 1.5, "text": "Hi"}]"#)),
            Ok(vec![Cue { literal: true, ..cue(0.0, 1.5, "Hi") }])
        );
    }

    #[test]
    fn a_literal_text_has_no_tags() {
        let cues = [Cue { literal: true, ..cue(0.0, 1.0, "<b> {x} \\N") }];
        assert!(srt(&cues).contains("\n<\u{2060}b> \\{x\\} \\\u{2060}N\n"), "{}", srt(&cues));
        assert!(cues[0].has_braces() && !cue(0.0, 1.0, "{\\an8}").has_braces());
        assert!(srt(&[cue(0.0, 1.0, "<i>x</i>")]).contains("<i>x</i>"));
    }

    #[test]
    fn what_is_wrong_with_subtitles_is_named() {
        for (value, expected) in [
            (Value::from("Once upon a time"), "a block without times: `Once upon a time`"),
            (Value::from("1\n00:00:01 --> later\nx"), "`later` in `subtitles` is not a time"),
            (
                Value::from("00:00:02,000 --> 00:00:01,000\nx"),
                "text 1 of `subtitles` does not end after it begins",
            ),
            (
                json(r#"[{"start": 1, "end": 1.0004, "text": "x"}]"#),
                "text 1 of `subtitles` does not end after it begins",
            ),
            (Value::from(""), "has no texts"),
            (json("[]"), "has no texts"),
            (json(r#"[{"start": 1, "text": "x"}]"#), "item 1 of `subtitles` is not an object"),
            (json(r#"[{"start": -1, "end": 2, "text": "x"}]"#), "a time that is not a number from 0 on"),
            (Value::Int(3), "not a text or a list"),
        ] {
            let error = read(&value).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn texts_that_overlap_are_found_in_any_order() {
        let long = cue(0.0, 3.5, "always here");
        assert_eq!(overlapping(&[long.clone(), cue(1.0, 2.0, "briefly")]), Some(1));
        assert_eq!(overlapping(&[cue(1.0, 2.0, "briefly"), long.clone()]), Some(0));
        assert_eq!(overlapping(&[long.clone(), long.clone()]), Some(1));
        assert_eq!(overlapping(&[long.clone(), cue(3.45, 4.0, "next"), cue(4.0, 5.0, "last")]), None);
        let short = cue(0.0, 0.05, "both");
        assert_eq!(overlapping(&[short.clone(), short]), Some(1));
    }

    #[test]
    fn a_text_can_not_begin_another_one() {
        let sly = [cue(0.0, 1.0, "a\n\n2\n00:00:00,000 --> 00:00:09,000\nb")];
        let read = read(&srt(&sly).into()).unwrap();
        assert_eq!(read, [cue(0.0, 1.0, "a\n2\n00:00:00,000 → 00:00:09,000\nb")]);
    }
}
