//! Lines of text out of letters at places.

use std::collections::HashSet;

/// A letter, or several that are one shape, on a page.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Letter {
    pub(super) text: String,
    /// Where it begins on its base line; y goes down.
    pub(super) at: (f64, f64),
    /// The direction in which the line goes, of length 1.
    pub(super) along: (f64, f64),
    pub(super) size: f64,
    /// The distance to where the next letter of the word begins.
    pub(super) advance: f64,
}

/// A gap of this share of the size of the letters is a space.
const SPACE: f64 = 0.16;
/// Letters that are less than this share of their size apart are at the same place.
const SAME: f64 = 0.08;
/// A step down of this share of the size begins a line, and one of the other a paragraph.
const LINE: f64 = 0.5;
const PARAGRAPH: f64 = 1.75;

/// The text of a page, in the order in which its letters are drawn.
#[derive(Default)]
pub(super) struct PageText {
    text: String,
    last: Option<Letter>,
    /// Letters by their places in a grid whose cells are a part of a letter.
    drawn: HashSet<(String, i64, i64)>,
}

impl PageText {
    pub(super) fn add(&mut self, letter: Letter) {
        if self.is_drawn_again(&letter) {
            return;
        }
        if let Some(last) = &self.last {
            let (x, y) = (letter.at.0 - last.at.0, letter.at.1 - last.at.1);
            let (cos, sin) = last.along;
            let size = last.size.max(letter.size).max(0.1);
            // In the directions of the last line.
            let (forward, down) = ((x * cos + y * sin - last.advance) / size, (y * cos - x * sin) / size);
            let turned = cos * letter.along.0 + sin * letter.along.1 < 0.99;
            let far = forward.abs() + last.advance / size > 30.0;
            if turned || down.abs() > PARAGRAPH {
                self.end("\n\n");
            } else if down.abs() > LINE || forward < -0.8 || far && forward < 0.0 {
                self.end("\n");
            } else if forward > SPACE {
                self.end(" ");
            }
        }
        match letter.text.trim() {
            "" => self.end(" "),
            _ => self.text.push_str(&plain(&letter.text)),
        }
        self.last = Some(letter);
    }

    /// Returns whether a letter is drawn a second time at nearly the same place, which makes it look bold.
    fn is_drawn_again(&mut self, letter: &Letter) -> bool {
        // Narrow letters that follow each other, as in "hello", are at two places.
        let width = if letter.advance > 0.0 { letter.advance } else { letter.size };
        let cell = (letter.size * SAME).min(width / 3.0).max(0.01);
        let (x, y) = ((letter.at.0 / cell).round() as i64, (letter.at.1 / cell).round() as i64);
        let near = |dx: i64, dy: i64| self.drawn.contains(&(letter.text.clone(), x + dx, y + dy));
        let again = (-1..=1).any(|dx| (-1..=1).any(|dy| near(dx, dy)));
        self.drawn.insert((letter.text.clone(), x, y));
        again
    }

    /// Ends a word, a line or a paragraph.
    fn end(&mut self, with: &str) {
        if self.text.is_empty() {
            return;
        }
        let kept = self.text.trim_end_matches(' ').len();
        if with != " " {
            self.text.truncate(kept);
            let breaks = self.text.len() - self.text.trim_end_matches('\n').len();
            self.text.push_str(&with[breaks.min(with.len())..]);
        } else if !self.text.ends_with([' ', '\n']) {
            self.text.push(' ');
        }
    }

    pub(super) fn finish(self) -> String {
        self.text.trim().to_owned()
    }
}

/// Returns the letters that a ligature stands for.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            'ﬀ' => out.push_str("ff"),
            'ﬁ' => out.push_str("fi"),
            'ﬂ' => out.push_str("fl"),
            'ﬃ' => out.push_str("ffi"),
            'ﬄ' => out.push_str("ffl"),
            'ﬅ' | 'ﬆ' => out.push_str("st"),
            '\u{a0}' => out.push(' '),
            other if other.is_control() => {}
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Draws words of a monospaced font at places.
    fn page(words: &[(&str, f64, f64)]) -> String {
        let mut page = PageText::default();
        for (word, x, y) in words {
            for (nth, letter) in word.chars().enumerate() {
                let at = (x + 6.0 * nth as f64, *y);
                page.add(Letter {
                    text: letter.to_string(),
                    at,
                    along: (1.0, 0.0),
                    size: 10.0,
                    advance: 6.0,
                });
            }
        }
        page.finish()
    }

    #[test]
    fn words_lines_and_paragraphs_are_told_apart() {
        assert_eq!(page(&[("one", 0.0, 0.0), ("two", 20.0, 0.0), ("!", 38.0, 0.0)]), "one two!");
        assert_eq!(page(&[("one", 0.0, 0.0), ("two", 0.0, 12.0), ("three", 0.0, 36.0)]), "one\ntwo\n\nthree");
        assert_eq!(page(&[("x", 0.0, 0.0), ("2", 6.0, -4.0), ("y", 12.0, 0.0)]), "x2y", "an exponent");
        assert_eq!(page(&[("right", 300.0, 0.0), ("left", 0.0, 0.0)]), "right\nleft");
        assert_eq!(page(&[("a ", 0.0, 0.0), ("b", 12.0, 0.0)]), "a b");
        assert_eq!(page(&[("ﬁn", 0.0, 0.0), ("ﬁn", 0.2, 0.0)]), "fin", "drawn twice, to look bold");
    }

    #[test]
    fn narrow_letters_may_follow_each_other() {
        for begin in 0..50 {
            let (mut page, mut x) = (PageText::default(), f64::from(begin) * 0.1);
            for letter in "hello".chars() {
                let advance = if letter == 'l' { 1.2 } else { 6.0 };
                for at in [(x, 0.0), (x + 0.2, 0.0)] {
                    page.add(Letter { text: letter.into(), at, along: (1.0, 0.0), size: 10.0, advance });
                }
                x += advance;
            }
            assert_eq!(page.finish(), "hello", "{begin}");
        }
    }

    #[test]
    fn turned_text_is_read_along_its_line() {
        let mut page = PageText::default();
        for (nth, letter) in "up".chars().enumerate() {
            let at = (0.0, -6.0 * nth as f64);
            page.add(Letter { text: letter.into(), at, along: (0.0, -1.0), size: 10.0, advance: 6.0 });
        }
        assert_eq!(page.finish(), "up");
    }
}
