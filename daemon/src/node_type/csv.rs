//! `csv.*`: tables from and to files.

mod cells;
mod columns;
mod read;
mod records;
mod write;

use super::NodeType;

/// Returns the types, in the order of the docs.
pub(super) fn node_types() -> Vec<NodeType> {
    vec![read::node_type(), write::node_type()]
}

/// Returns the byte between cells: of one character, or of the word `tab`.
fn delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        [byte]
            if byte.is_ascii() && !byte.is_ascii_alphanumeric() && !matches!(byte, b'"' | b'\r' | b'\n') =>
        {
            Ok(*byte)
        }
        _ if text == "tab" => Ok(b'\t'),
        _ => Err(format!(
            "`{}` is not a delimiter; use a character such as `,`, `;` or `|`, or `tab`",
            fanlight_shared::value::cut(text, 20)
        )),
    }
}
