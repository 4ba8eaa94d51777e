//! Wraps text to a width.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Returns the lines of a sanitised text, each at most `columns` wide; words are only broken if they don't fit a line.
#[must_use]
pub fn wrap(text: &str, columns: u16) -> Vec<String> {
    let columns = usize::from(columns).max(1);
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        let mut wide = 0;
        for word in paragraph.split_word_bounds() {
            let of_word = word.width();
            if wide + of_word <= columns {
                line.push_str(word);
                wide += of_word;
                continue;
            }
            if word.trim().is_empty() {
                // A blank at the end of a line is invisible.
                continue;
            }
            if wide > 0 {
                lines.push(std::mem::take(&mut line).trim_end().to_owned());
                wide = 0;
            }
            for character in word.graphemes(true) {
                let of_character = character.width();
                if wide + of_character > columns && wide > 0 {
                    lines.push(std::mem::take(&mut line));
                    wide = 0;
                }
                line.push_str(character);
                wide += of_character;
            }
        }
        lines.push(line.trim_end().to_owned());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::wrap;

    #[test]
    fn words_are_not_split_if_they_fit() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("abcdefgh ij", 3), ["abc", "def", "gh", "ij"]);
    }

    #[test]
    fn wide_characters_count_twice() {
        assert_eq!(wrap("日本語", 4), ["日本", "語"]);
    }

    #[test]
    fn empty_lines_stay() {
        assert_eq!(wrap("a\n\nb", 8), ["a", "", "b"]);
    }
}
