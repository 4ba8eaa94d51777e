//! PLACEHOLDER: media
