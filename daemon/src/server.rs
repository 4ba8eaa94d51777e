//! PLACEHOLDER: server
