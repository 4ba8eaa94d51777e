//! The pure step: a model and a message give the next model and effects. One file a noun. PLACEHOLDER.
