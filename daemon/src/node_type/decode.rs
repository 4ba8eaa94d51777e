//! The text of a file in one of several encodings.

use std::borrow::Cow;

/// Returns the text of a file, without its byte order mark.
///
/// # Errors
/// A sentence: it is not in that encoding, or not text.
pub(super) fn decode(bytes: &[u8], windows: bool) -> Result<Cow<'_, str>, String> {
    if let Some(rest) = bytes.strip_prefix(b"\xef\xbb\xbf") {
        return utf8(rest).map(Cow::Borrowed);
    }
    for (mark, read) in
        [(b"\xff\xfe", u16::from_le_bytes as fn([u8; 2]) -> u16), (b"\xfe\xff", u16::from_be_bytes)]
    {
        if let Some(rest) = bytes.strip_prefix(mark) {
            let units: Vec<u16> = rest.chunks_exact(2).map(|it| read([it[0], it[1]])).collect();
            let text = String::from_utf16(&units).ok().filter(|_| rest.len() % 2 == 0);
            return text
                .map(Cow::Owned)
                .ok_or_else(|| "the file begins like UTF-16, but it is not valid UTF-16".to_owned());
        }
    }
    if let Some(at) = bytes.iter().position(|byte| *byte == 0) {
        return Err(format!(
            "line {} has a zero byte, so this is not a text file, or it is UTF-16 without a byte order mark; save it as UTF-8",
            line(bytes, at)
        ));
    }
    if windows {
        Ok(Cow::Owned(bytes.iter().map(|byte| windows_1252(*byte)).collect()))
    } else {
        utf8(bytes).map(Cow::Borrowed)
    }
}

/// Returns the number of the line with this byte.
fn line(bytes: &[u8], at: usize) -> usize {
    bytes[..at].iter().filter(|byte| **byte == b'\n').count() + 1
}

fn utf8(bytes: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(bytes).map_err(|error| {
        format!(
            "line {} is not UTF-8; if the file comes from an older program, set `encoding: windows-1252`",
            line(bytes, error.valid_up_to())
        )
    })
}

/// Returns a character of windows-1252, which is Latin-1 except for the C1 controls.
fn windows_1252(byte: u8) -> char {
    const HIGH: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
        '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9f => HIGH[usize::from(byte) - 0x80],
        byte => char::from(byte),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn byte_order_marks_and_encodings_of_other_programs_are_read() {
        let utf16 =
            |order: fn(u16) -> [u8; 2]| "\u{feff}ä\n1".encode_utf16().flat_map(order).collect::<Vec<u8>>();
        assert_eq!(decode(&utf16(u16::to_le_bytes), false).unwrap(), "ä\n1");
        assert_eq!(decode(&utf16(u16::to_be_bytes), false).unwrap(), "ä\n1");
        assert_eq!(decode(b"\xef\xbb\xbfa", true).unwrap(), "a");
        assert_eq!(decode(b"5 \x80 \xe4", true).unwrap(), "5 € ä");
    }

    #[test]
    fn bytes_that_are_not_text_are_named_by_their_line() {
        assert!(decode(b"p\n5\n\x80\n", false).unwrap_err().starts_with("line 3 is not UTF-8"));
        assert!(decode(b"\xff\xfea", false).unwrap_err().contains("UTF-16"));
        assert!(decode(b"a\nb\0", true).unwrap_err().starts_with("line 2 has a zero byte"));
    }
}
