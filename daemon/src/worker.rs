//! Workers: warm `fanlight worker` processes in which foreign bytes are decoded, with limits on memory, time and pixels.
//!
//! A worker has one socket, its stdin, over which frames go both ways; its stdout is nowhere, so that a stray print of a
//! decoder can't get between frames. It ends when the socket closes, whatever it is doing, so it can't outlive its daemon.

mod check;
mod executor;
mod frame;
mod limits;
mod listener;
mod made;
mod peaks;
mod pool;
mod preview;
mod process;
mod reports;
mod scratch;
mod serve;

#[cfg(all(test, feature = "llm"))]
pub(crate) use check::fixture::InProcess;
pub use pool::Workers;
pub use serve::main;

#[cfg(test)]
mod tests;
