//! Pages: their number of rows, cursors, and filters by text.

use fanlight_shared::preview;
use fanlight_shared::rpc::Page;
use fanlight_shared::rpc::frame::{PAGE, ROWS_LIMIT};
use serde::Serialize;

use crate::store::StoreError;

/// The default number of rows per page.
const DEFAULT_LIMIT: u32 = 100;

pub(crate) fn limit(asked: Option<u32>) -> usize {
    asked.unwrap_or(DEFAULT_LIMIT).clamp(1, ROWS_LIMIT) as usize
}

/// A list whose cursors carry its name.
#[derive(Clone, Copy)]
pub(crate) struct List(pub(crate) &'static str);

impl List {
    /// Returns the position of a cursor of this list; `None` for the first page.
    pub(crate) fn parse<T>(
        self,
        cursor: Option<&str>,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, StoreError> {
        let Some(cursor) = cursor else { return Ok(None) };
        let own = cursor.strip_prefix(self.0).and_then(|rest| rest.strip_prefix(':'));
        own.and_then(parse).map(Some).ok_or_else(|| {
            let shown: String = cursor.chars().take(40).collect();
            StoreError::BadParam(format!(
                "`cursor`: `{}` is not a cursor of {}; leave it out for the first page",
                shown.escape_debug(),
                self.0
            ))
        })
    }

    /// Returns the start of a page, for lists in descending order of keys.
    pub(super) fn before(self, cursor: Option<&str>) -> Result<i64, StoreError> {
        Ok(self.parse(cursor, |key| key.parse().ok())?.unwrap_or(i64::MAX))
    }

    /// Returns an empty page.
    pub(crate) fn page<K, T>(self, limit: usize) -> Rows<K, T> {
        Rows { list: self, limit, room: PAGE, last: None, rows: Vec::new(), more: false }
    }
}

/// A page that is being filled, up to its limit of rows or of bytes.
pub(crate) struct Rows<K, T> {
    list: List,
    limit: usize,
    room: usize,
    last: Option<K>,
    rows: Vec<T>,
    more: bool,
}

impl<K, T: Serialize> Rows<K, T> {
    /// Adds a row. Returns `false` if it does not fit; the next page begins with it.
    pub(crate) fn add(&mut self, key: K, row: T) -> bool {
        let bytes = preview::json_bytes(&row);
        // The first row always fits: none is larger than a message.
        if self.rows.len() == self.limit || (bytes > self.room && !self.rows.is_empty()) {
            self.more = true;
            return false;
        }
        self.room = self.room.saturating_sub(bytes);
        self.last = Some(key);
        self.rows.push(row);
        true
    }

    /// Returns the page; its cursor is made from the last row.
    pub(crate) fn finish(self, cursor: impl Fn(&K) -> String) -> Page<T> {
        let last = self.last.as_ref().filter(|_| self.more);
        let cursor = last.map(|key| format!("{}:{}", self.list.0, cursor(key)));
        Page { rows: self.rows, cursor, limit: u32::try_from(self.limit).ok() }
    }
}

/// Returns the `LIKE` pattern that finds this text anywhere; use it with `ESCAPE '\'`.
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

/// Returns the first and the last of the ids that begin with these hexadecimal digits; `None` if no id can.
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
    fn typed_text_is_not_a_pattern() {
        assert_eq!(pattern(r"50%_\"), r"%50\%\_\\%");
    }
}
