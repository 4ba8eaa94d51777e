//! Secrets: where their values come from, and the masking of everything that could contain one.
//!
//! An expression names a secret as `secrets.NAME`. Its value is looked up when a node starts, by [`SecretSettings`]: in the
//! [`SecretFile`], the environment of the daemon, the output of a command, or the keyring of the system. [`Secrets`] are
//! the values that one attempt uses; they exist in memory only. Whatever the attempt writes or reports passes through a
//! `mask`, which finds the values and their usual encodings, also across the borders of chunks.

mod automaton;
mod command;
mod encoding;
mod file;
mod mask;
mod settings;
mod values;

pub use file::{SecretFile, SecretFileError};
pub(crate) use mask::MaskStream;
pub use settings::{SecretSettings, Source, keyring_store};
#[cfg(feature = "http")]
pub(crate) use values::contains;
pub use values::{Secrets, check_name, check_value};
