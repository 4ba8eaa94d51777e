//! The pure picture of a model. PLACEHOLDER.
