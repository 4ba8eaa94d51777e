//! Stories about the engine with a real store, in a small test world.

mod cached;
mod children;
mod data;
mod dataflow;
mod execution;
mod failure;
mod files;
mod human;
mod items;
#[cfg(feature = "llm")]
mod llm;
mod node_types;
mod parked;
mod queue;
mod reasons;
mod recovery;
mod resources;
mod resume;
mod retried;
mod scale;
mod search;
mod secrets;
mod services;
mod space;
mod spent;
mod sweep;
mod values;
mod why;
mod world;
