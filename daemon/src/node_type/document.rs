//! `markdown.*`, `html.*`, `pdf.*`: documents converted to other formats.

#[cfg(feature = "html")]
mod html_head;
#[cfg(feature = "html")]
mod html_text;
#[cfg(feature = "pdf")]
mod layout;
#[cfg(feature = "markdown")]
mod markdown_html;
#[cfg(feature = "pdf")]
mod pdf_text;

use super::NodeType;

/// The largest document, in bytes.
const MAX_DOCUMENT_BYTES: u64 = 32 << 20;

/// Returns the types, in the order of the docs.
pub(super) fn node_types() -> Vec<NodeType> {
    vec![
        #[cfg(feature = "markdown")]
        markdown_html::node_type(),
        #[cfg(feature = "html")]
        html_text::node_type(),
        #[cfg(feature = "pdf")]
        pdf_text::node_type(),
    ]
}
