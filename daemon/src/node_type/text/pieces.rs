//! Pieces of a long text that end where a reader would pause.

use unicode_segmentation::UnicodeSegmentation as _;

/// Cuts a text into pieces of at most `size` characters, at the end of a paragraph, a line, a sentence or a word, whichever
/// comes first in this list and lies in the second half of the piece. Each piece begins with about `overlap` characters of
/// the one before, from the beginning of a word.
pub(super) fn pieces(text: &str, size: usize, overlap: usize) -> Vec<&str> {
    // Where each character begins, and where the last one ends.
    let starts: Vec<usize> = text.grapheme_indices(true).map(|(at, _)| at).chain([text.len()]).collect();
    let count = starts.len() - 1;
    let mut pieces = Vec::new();
    let mut from = 0;
    while from < count {
        let end = if count - from <= size { count } else { end_of_piece(text, &starts, from, size) };
        pieces.push(&text[starts[from]..starts[end]]);
        if end == count {
            break;
        }
        from = start_of_next(text, &starts, from, end, overlap);
    }
    pieces
}

fn end_of_piece(text: &str, starts: &[usize], from: usize, size: usize) -> usize {
    let least = from + size.div_ceil(2);
    let most = from + size;
    let window = &text[starts[least]..starts[most]];
    let border = [
        window.rfind("\n\n").map(|at| at + 2),
        window.rfind('\n').map(|at| at + 1),
        [". ", "! ", "? ", "。"].iter().filter_map(|mark| window.rfind(mark).map(|at| at + mark.len())).max(),
        window
            .rfind(char::is_whitespace)
            .map(|at| at + window[at..].chars().next().map_or(1, char::len_utf8)),
    ]
    .into_iter()
    .flatten()
    .next();
    let Some(border) = border.map(|at| starts[least] + at) else { return most };
    starts[least..=most].partition_point(|start| *start < border) + least
}

/// Returns the start of the next piece: always behind `from`, so that each piece advances. If no word begins in the
/// overlap, the pieces don't overlap, unless the one before ends inside a word.
fn start_of_next(text: &str, starts: &[usize], from: usize, end: usize, overlap: usize) -> usize {
    let wanted = end.saturating_sub(overlap).max(from + 1);
    let is_blank = |at: usize| text[starts[at]..starts[at + 1]].trim().is_empty();
    let begins = |at: &usize| is_blank(at - 1) && !is_blank(*at);
    (wanted..end).find(begins).unwrap_or(if is_blank(end - 1) { end } else { wanted })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_end_where_a_reader_pauses() {
        let text = "One two. Three four five.\n\nSix seven eight nine ten.";
        assert_eq!(pieces(text, 30, 0), ["One two. Three four five.\n\n", "Six seven eight nine ten."]);
        assert_eq!(pieces(text, 20, 0), ["One two. Three four ", "five.\n\nSix seven ", "eight nine ten."]);
        assert_eq!(pieces("abcdefgh", 3, 0), ["abc", "def", "gh"], "a word that is too long is cut");
        assert_eq!(pieces("", 3, 0), Vec::<&str>::new());
    }

    #[test]
    fn pieces_overlap_from_the_beginning_of_a_word() {
        let text = "one two three four five six seven";
        assert_eq!(pieces(text, 14, 6), ["one two three ", "three four ", "four five six ", "six seven"]);
        assert_eq!(pieces("abcdefgh", 4, 2), ["abcd", "cdef", "efgh"]);
    }

    #[test]
    fn nothing_is_lost_and_no_character_is_cut() {
        let text = "Grüße 👩‍👩‍👧 an alle.\r\n".repeat(50);
        for size in 1..30 {
            let all = pieces(&text, size, 0);
            assert_eq!(all.concat(), text, "{size}");
            assert!(all.iter().all(|piece| piece.graphemes(true).count() <= size));
        }
    }
}
