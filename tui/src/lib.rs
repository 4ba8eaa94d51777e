//! Fanlight.
