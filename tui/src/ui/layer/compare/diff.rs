//! The words of a text that aren't in another.

use unicode_segmentation::UnicodeSegmentation;

/// The maximum number of words to compare; the table grows with their product.
const MAX_WORDS: usize = 2_000;

/// Returns the words of `text`, each with whether it is new compared to `before`, by their longest common subsequence.
pub(super) fn words<'a>(before: &str, text: &'a str) -> Vec<(&'a str, bool)> {
    let old: Vec<&str> = before.split_word_bounds().take(MAX_WORDS).collect();
    let new: Vec<&str> = text.split_word_bounds().take(MAX_WORDS).collect();
    let width = new.len() + 1;
    // `common[i * width + j]`: the number of common words from `i` and `j` on.
    let mut common = vec![0u16; (old.len() + 1) * width];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i * width + j] = if old[i] == new[j] {
                common[(i + 1) * width + j + 1] + 1
            } else {
                common[(i + 1) * width + j].max(common[i * width + j + 1])
            };
        }
    }
    let (mut i, mut words) = (0, Vec::with_capacity(new.len()));
    for (j, word) in new.iter().enumerate() {
        // Skips removed words of the old text while that doesn't shorten the common sequence.
        while i < old.len() && old[i] != *word && common[(i + 1) * width + j] == common[i * width + j] {
            i += 1;
        }
        let kept = i < old.len() && old[i] == *word;
        words.push((*word, !kept));
        if kept {
            i += 1;
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::words;

    fn new(before: &str, text: &str) -> Vec<String> {
        words(before, text).into_iter().filter(|(_, new)| *new).map(|(word, _)| word.to_owned()).collect()
    }

    #[test]
    fn only_changes_are_highlighted() {
        assert_eq!(new("greetings from Brighton", "greetings from Hove"), ["Hove"]);
        assert_eq!(new("a b c", "a b c"), Vec::<String>::new());
        assert_eq!(new("one two three", "two three"), Vec::<String>::new());
        assert_eq!(new("", "日本"), ["日", "本"]);
    }
}
