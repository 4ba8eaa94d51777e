//! Near matches, for palettes and lists that are filtered while one types.

/// How well a text matches what was typed: every character in order, better at the beginnings of words and side by side.
/// `None` if it doesn't. Words of the pattern may come in any order. The places are those of characters, for marking.
#[must_use]
pub fn matches(pattern: &str, text: &str) -> Option<(i32, Vec<usize>)> {
    let text: Vec<char> = text.chars().collect();
    let mut total = 0;
    let mut places = Vec::new();
    for word in pattern.split_whitespace() {
        let (score, of_word) = matches_word(word, &text)?;
        total += score;
        places.extend(of_word);
    }
    places.sort_unstable();
    places.dedup();
    // Of two equal matches the shorter text was meant.
    Some((total - i32::try_from(text.len()).unwrap_or(i32::MAX) / 8, places))
}

fn matches_word(word: &str, text: &[char]) -> Option<(i32, Vec<usize>)> {
    let wanted: Vec<char> = word.chars().flat_map(char::to_lowercase).collect();
    let first = *wanted.first()?;
    let starts = (0..text.len()).filter(|at| same(text[*at], first));
    starts.filter_map(|start| from(&wanted, text, start)).max_by_key(|(score, _)| *score)
}

/// The match that begins at `start`, taking each further character where it comes next, at the beginning of a word if it
/// stands there too.
fn from(wanted: &[char], text: &[char], start: usize) -> Option<(i32, Vec<usize>)> {
    let mut score = 0;
    let mut places: Vec<usize> = Vec::with_capacity(wanted.len());
    let mut at = start;
    for character in wanted {
        let next = (at..text.len()).find(|at| same(text[*at], *character))?;
        let beside = places.last().is_some_and(|last| last + 1 == next);
        let begins = next == 0 || !text[next - 1].is_alphanumeric();
        score += 1 + if beside { 6 } else { 0 } + if begins { 8 } else { 0 };
        if let Some(last) = places.last() {
            score -= i32::try_from(next - last - 1).unwrap_or(i32::MAX).min(4);
        }
        places.push(next);
        at = next + 1;
    }
    Some((score, places))
}

fn same(character: char, lower: char) -> bool {
    character == lower || character.to_lowercase().eq([lower])
}

/// The rows that match, best first; all in their order where nothing was typed.
pub fn filter<'a, T>(
    pattern: &str,
    rows: &'a [T],
    text: impl Fn(&T) -> String,
) -> Vec<(usize, &'a T, Vec<usize>)> {
    let mut found: Vec<(i32, usize, &T, Vec<usize>)> = rows
        .iter()
        .enumerate()
        .filter_map(|(index, row)| {
            let (score, places) = matches(pattern, &text(row))?;
            Some((if pattern.trim().is_empty() { 0 } else { score }, index, row, places))
        })
        .collect();
    found.sort_by_key(|(score, index, ..)| (std::cmp::Reverse(*score), *index));
    found.into_iter().map(|(_, index, row, places)| (index, row, places)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginnings_of_words_win() {
        let rows = ["scan queue", "run with a form", "cancel all that wait", "compare marked runs"];
        let found = filter("cq", &rows, |row| (*row).to_owned());
        assert_eq!(found.len(), 1);
        let found = filter("ca", &rows, |row| (*row).to_owned());
        assert_eq!(*found[0].1, "cancel all that wait");
    }

    #[test]
    fn words_come_in_any_order() {
        assert!(matches("runs compare", "compare marked runs").is_some());
        assert!(matches("runs xyz", "compare marked runs").is_none());
    }

    #[test]
    fn without_a_pattern_all_stay_in_order() {
        let rows = ["b", "a"];
        let found: Vec<_> = filter("", &rows, |row| (*row).to_owned()).into_iter().map(|it| it.0).collect();
        assert_eq!(found, [0, 1]);
    }
}
