//! Fuzzy matches, for the palette and filtered lists.

use std::cell::RefCell;

use nucleo_matcher::pattern::{AtomKind, CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use unicode_segmentation::UnicodeSegmentation;

thread_local! {
    /// Kept because it allocates a large buffer, too large to create for each text.
    static MATCHER: RefCell<Matcher> = RefCell::new(Matcher::new(Config::DEFAULT));
}

/// Returns how well a text matches what was typed: every character in order, better at the beginnings of words and side
/// by side. `None` if it doesn't. Words of the pattern may come in any order. The places are those of characters as
/// people see them, for marking.
#[must_use]
pub fn matches(pattern: &str, text: &str) -> Option<(u32, Vec<usize>)> {
    score(&read(pattern), text)
}

fn read(pattern: &str) -> Pattern {
    Pattern::new(pattern, CaseMatching::Ignore, Normalization::Smart, AtomKind::Fuzzy)
}

fn score(pattern: &Pattern, text: &str) -> Option<(u32, Vec<usize>)> {
    let (mut characters, mut places) = (Vec::new(), Vec::new());
    let score = MATCHER.with_borrow_mut(|matcher| {
        pattern.indices(Utf32Str::new(text, &mut characters), matcher, &mut places)
    })?;
    let mut places: Vec<usize> = places.into_iter().filter_map(|place| usize::try_from(place).ok()).collect();
    places.sort_unstable();
    places.dedup();
    Some((score, places))
}

/// Returns the matching rows, best first and shorter first among equals; all rows in order if nothing was typed.
pub fn filter<'a, T>(
    pattern: &str,
    rows: &'a [T],
    text: impl Fn(&T) -> String,
) -> Vec<(usize, &'a T, Vec<usize>)> {
    let rows = rows.iter().enumerate();
    if pattern.trim().is_empty() {
        return rows.map(|(index, row)| (index, row, Vec::new())).collect();
    }
    let pattern = read(pattern);
    let mut found: Vec<_> = rows
        .filter_map(|(index, row)| {
            let text = text(row);
            let (score, places) = score(&pattern, &text)?;
            Some((std::cmp::Reverse(score), text.graphemes(true).count(), index, row, places))
        })
        .collect();
    found.sort_by_key(|(score, length, index, ..)| (*score, *length, *index));
    found.into_iter().map(|(_, _, index, row, places)| (index, row, places)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_at_the_beginnings_of_words_come_first() {
        let rows = ["scan queue", "run with a form", "cancel all that wait", "compare marked runs"];
        let found = filter("ca", &rows, |row| (*row).to_owned());
        assert_eq!(*found[0].1, "cancel all that wait");
        assert!(filter("sq", &rows, |row| (*row).to_owned()).iter().all(|it| *it.1 == "scan queue"));
    }

    #[test]
    fn words_come_in_any_order() {
        assert!(matches("runs compare", "compare marked runs").is_some());
        assert!(matches("runs xyz", "compare marked runs").is_none());
    }

    #[test]
    fn without_a_pattern_all_entries_stay_in_order() {
        let rows = ["b", "a"];
        let found: Vec<_> = filter("", &rows, |row| (*row).to_owned()).into_iter().map(|it| it.0).collect();
        assert_eq!(found, [0, 1]);
    }

    #[test]
    fn positions_count_visible_characters() {
        let (_, places) = matches("x", "日e\u{301}x").unwrap();
        assert_eq!(places, [2]);
    }
}
