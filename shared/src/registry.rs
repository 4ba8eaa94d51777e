//! The registry of runs as a client has it, and which run the lens is on.

mod waiting;

pub use waiting::Waiting;
