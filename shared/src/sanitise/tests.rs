use super::*;

#[test]
fn harmless_text_is_unchanged() {
    for text in ["", "plain", "two\nlines\n", "grüße 日本語 👩‍🚀", "é"] {
        assert_eq!(plain(text), text);
    }
}

#[test]
fn escape_sequences_are_removed_with_their_contents() {
    let cases = [
        ("a\x1b[31mred\x1b[0mb", "aredb"),
        ("a\x1b[2J\x1b[1;1Hb", "ab"),
        ("a\x1b]0;title\x07b", "ab"),
        ("a\x1b]52;c;c2VjcmV0\x1b\\b", "ab"),
        ("a\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\b", "alinkb"),
        ("a\x1bP+q544e\x1b\\b", "ab"),
        ("a\x1b_Gf=100;AAAA\x1b\\b", "ab"),
        ("a\x1b^pm\x1b\\b", "ab"),
        ("a\x1bXsos\x1b\\b", "ab"),
        ("a\x1bcb", "ab"),
        ("a\x1b(0b", "ab"),
        ("a\x1b[?1049hb", "ab"),
        ("a\x08\x07\x00\x7fb", "ab"),
        ("a\u{9b}31mb", "ab"),
        ("a\u{9d}0;title\u{9c}b", "ab"),
        ("a\u{90}q\u{9c}b", "ab"),
    ];
    for (text, expected) in cases {
        assert_eq!(plain(text), expected, "{text:?}");
    }
}

#[test]
fn an_unterminated_sequence_ends_with_its_line() {
    assert_eq!(plain("a\x1b]0;never closed\nnext"), "a\nnext");
    assert_eq!(plain("a\x1b[12;\nnext\x1b"), "a\nnext");
}

#[test]
fn no_input_leaves_an_escape_character() {
    for text in ["\x1b\x1b[m", "\x1b[\x1b]0;x\x07", "\x1b]\x1b[31m", "\u{1b}\u{9b}m", "\x1b[31\u{18}m"] {
        assert!(!plain(text).chars().any(|it| it.is_control() && it != '\n'), "{text:?}");
    }
}

#[test]
fn tabs_and_line_endings_are_normalised() {
    assert_eq!(plain("a\tb"), "a    b");
    assert_eq!(plain("a\r\nb"), "a\nb");
    assert_eq!(plain("10%\r20%"), "10%\n20%");
    assert_eq!(plain("a\u{2028}b\u{85}c"), "a\nb\nc");
}

#[test]
fn direction_controls_become_visible_and_invisible_characters_are_removed() {
    assert_eq!(plain("ab\u{202e}cd"), "ab\u{fffd}cd");
    assert_eq!(plain("a\u{2066}b\u{2069}"), "a\u{fffd}b\u{fffd}");
    assert_eq!(plain("pay\u{200b}pal\u{feff}\u{ad}\u{2060}"), "paypal");
    assert_eq!(plain("a\u{200d}b"), "ab");
    assert_eq!(plain("hi\u{e0041}\u{e0042}"), "hi");
}

#[test]
fn combining_marks_are_limited() {
    let tower = format!("a{}", "\u{301}".repeat(100));
    assert_eq!(plain(&tower).chars().count(), 1 + MAX_MARKS);
}

#[test]
fn colours_stay_and_are_reset() {
    assert_eq!(colours("\x1b[1;31mred\x1b[0m"), "\x1b[1;31mred\x1b[0m");
    assert_eq!(colours("\x1b[31mred"), "\x1b[31mred\x1b[0m");
    assert_eq!(colours("\x1b[38;5;8mgrey\x1b[m"), "\x1b[38;5;8mgrey\x1b[0m");
    assert_eq!(colours("\x1b[38:2::1:2:3mrgb\x1b[0m"), "\x1b[38:2:0:1:2:3mrgb\x1b[0m");
    assert_eq!(colours("a\x1b[2J\x1b]0;t\x07\x1b[3A\x1b[>4;2mb"), "ab");
}

#[test]
fn colours_cannot_hide_text() {
    assert_eq!(colours("\x1b[8mhidden"), "hidden");
    assert_eq!(colours("\x1b[1;8;5mloud\x1b[0m"), "\x1b[1mloud\x1b[0m");
}

#[test]
fn a_line_has_no_line_breaks() {
    assert_eq!(line("a\nb\r\nc\x1b[31md\n"), "a b cd");
}

#[test]
fn widths_are_terminal_columns() {
    assert_eq!((width("ab"), width("日本"), width("")), (2, 4, 0));
}
