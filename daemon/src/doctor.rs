//! PLACEHOLDER: doctor
