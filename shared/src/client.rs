//! The client connection.
