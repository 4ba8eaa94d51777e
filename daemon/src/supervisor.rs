//! The supervisor: a small process of its own that holds the commands' processes, so that the daemon may die.
//! PLACEHOLDER bodies; signatures hold.

pub mod client;
pub mod log;
pub mod record;

/// The body of `fanlight supervisor`. Returns the exit code.
#[must_use]
pub fn main(arguments: &[std::ffi::OsString]) -> i32 {
    let _ = arguments;
    0
}
