//! Pages: how many rows, where one begins, what a filter by text looks like.

use fanlight_shared::rpc::Page;

use crate::store::StoreError;

/// Rows a page, if not said, and at most.
const USUAL: u32 = 100;
const MOST: u32 = 1000;

pub(super) fn limit(asked: Option<u32>) -> usize {
    asked.unwrap_or(USUAL).clamp(1, MOST) as usize
}

/// Where a page begins, for lists whose rows come by falling key.
pub(super) fn before(cursor: Option<&str>) -> Result<i64, StoreError> {
    cursor.map_or(Ok(i64::MAX), |text| text.parse().map_err(|_| no_cursor(text)))
}

pub(super) fn no_cursor(text: &str) -> StoreError {
    let text: String = text.chars().take(40).collect();
    StoreError::Other(format!("`{}` is no cursor of this list; ask for its first page", text.escape_debug()))
}

/// A page of rows that were asked for with one more than fit; the cursor is made from the last that is shown.
pub(super) fn cut<K, T>(mut rows: Vec<(K, T)>, limit: usize, cursor: impl Fn(&K) -> String) -> Page<T> {
    let more = rows.len() > limit;
    rows.truncate(limit);
    let cursor = rows.last().filter(|_| more).map(|(key, _)| cursor(key));
    Page { rows: rows.into_iter().map(|(_, row)| row).collect(), cursor }
}

/// The pattern that finds this text anywhere; to be used with `ESCAPE '\'`.
pub(super) fn pattern(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

/// The first and the last of the ids that begin with these hexadecimal digits; `None` if no id can.
pub(super) fn id_range(prefix: &str) -> Option<([u8; 16], [u8; 16])> {
    let digits: Vec<u8> = prefix
        .chars()
        .filter(|c| *c != '-')
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()?;
    if digits.is_empty() || digits.len() > 32 {
        return None;
    }
    let (mut first, mut last) = ([0_u8; 16], [0xff_u8; 16]);
    for (place, digit) in digits.iter().enumerate() {
        let (byte, shift) = (place / 2, if place % 2 == 0 { 4 } else { 0 });
        first[byte] |= digit << shift;
        last[byte] &= !((!digit & 0xf) << shift);
    }
    Some((first, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_covers_the_ids_that_begin_with_it() {
        let (first, last) = id_range("01-9a5").unwrap();
        assert_eq!(first[..4], [0x01, 0x9a, 0x50, 0]);
        assert_eq!(last[..4], [0x01, 0x9a, 0x5f, 0xff]);
        assert_eq!(id_range("poster"), None);
        assert_eq!(id_range("-"), None);
    }

    #[test]
    fn what_was_typed_is_no_pattern() {
        assert_eq!(pattern(r"50%_\"), r"%50\%\_\\%");
    }
}
