//! The daemon: connecting, starting one, asking, being told, coming back. PLACEHOLDER.
