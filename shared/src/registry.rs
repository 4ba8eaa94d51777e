//! The registry of runs with the focus rules.
