//! Cuts text to a width.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Returns the first line of a clean text, at most `columns` wide, with `…` where something was cut.
#[must_use]
pub fn fit(text: &str, columns: usize) -> String {
    let text = text.trim();
    let line = text.lines().next().unwrap_or("");
    if line.len() == text.len() && line.width() <= columns {
        return line.to_owned();
    }
    let room = columns.saturating_sub(1);
    let (mut cut, mut wide) = (String::new(), 0);
    for grapheme in line.graphemes(true) {
        wide += grapheme.width();
        if wide > room {
            break;
        }
        cut.push_str(grapheme);
    }
    if columns > 0 {
        cut.push('…');
    }
    cut
}

/// Returns the end of a clean line, at most `columns` wide, after `…` if it has more.
#[must_use]
pub fn fit_end(line: &str, columns: usize) -> String {
    let line = line.trim_end();
    if line.width() <= columns {
        return line.to_owned();
    }
    let room = columns.saturating_sub(1);
    let (mut from, mut wide) = (line.len(), 0);
    for (at, grapheme) in line.grapheme_indices(true).rev() {
        wide += grapheme.width();
        if wide > room {
            break;
        }
        from = at;
    }
    if columns == 0 { String::new() } else { format!("…{}", &line[from..]) }
}

#[cfg(test)]
mod tests {
    use super::{fit, fit_end};

    #[test]
    fn the_end_of_a_long_line_is_kept() {
        assert_eq!(fit_end("a short one ", 11), "a short one");
        assert_eq!(fit_end("the light of the lamp", 9), "…the lamp");
        assert_eq!(fit_end("日本語", 5), "…本語");
        assert_eq!(fit_end("日本語", 4), "…語");
        assert_eq!(fit_end("words", 0), "");
    }

    #[test]
    fn wide_characters_count_twice() {
        assert_eq!(fit("日本語", 6), "日本語");
        assert_eq!(fit("日本語", 5), "日本…");
        assert_eq!(fit("日本語", 4), "日…");
    }

    #[test]
    fn further_lines_are_indicated() {
        assert_eq!(fit("one\ntwo", 10), "one…");
        assert_eq!(fit("one\n", 10), "one");
    }
}
