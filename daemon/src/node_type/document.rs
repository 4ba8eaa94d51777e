//! `markdown.*`, `html.*`: documents converted to other formats.

#[cfg(feature = "html")]
mod html_head;
#[cfg(feature = "html")]
mod html_text;
#[cfg(feature = "markdown")]
mod markdown_html;

use super::NodeType;

/// The largest document, in bytes.
const MAX_DOCUMENT_BYTES: u64 = 32 << 20;

/// The types, in the order of the docs.
pub(super) fn node_types() -> Vec<NodeType> {
    vec![
        #[cfg(feature = "markdown")]
        markdown_html::node_type(),
        #[cfg(feature = "html")]
        html_text::node_type(),
    ]
}
