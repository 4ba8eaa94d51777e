//! PLACEHOLDER: lock
