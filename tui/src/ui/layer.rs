//! What lies over the panes: a stack whose topmost gets the keys first. Each kind is a file of its own. PLACEHOLDER.

/// Something that lies over the panes.
#[derive(Debug)]
pub enum Layer {}
