//! The library behind `fanlight daemon`: it runs workflows, and stores their results.
//!
//! # Layout
//!
//! - [`run`]: boots everything on a listener and a store; tests call it too
//! - [`engine`]: owns all runs: queue, dataflow, retries, cancel, recovery
//! - [`executor`]: runs work outside of the engine, behind one trait; [`attempt`]: the work of an attempt, and its
//!   outcome
//! - [`node_type`]: the native node types, one per file; [`services`]: the services of a running node; [`worker`] runs
//!   types that decode foreign bytes, such as a `picture` or a `sound`; `ffmpeg` is the program for other formats
//! - [`command`]: `run:` and `cmd:` nodes: inputs, environment, outputs; [`supervisor`] holds their processes
//! - [`plugin`]: node types that programs in other languages provide
//! - `http` (a feature): clients for node types, and what they may reach; `llm` (a feature): providers of language
//!   models and their protocols, `comfy` the servers of ComfyUI; [`rate`]: how often requests to them may start
//! - `machine`: what this machine has for attempts that state their resources
//! - [`media`]: turns bytes into media values; `rooted`: paths that stay within a folder, and the walk through it
//! - [`store`]: SQLite and blobs; one writer thread
//! - `prune`: deletes ended runs by age, count, size or state
//! - `transfer`: runs in an archive, with which they move between homes
//! - `lineage`: walks back from an asset to everything that it was made of
//! - [`hub`]: sends events to connections; [`server`]: the wire
//! - [`secret`]: the sources of secrets, and the masking of outputs
//! - [`config`], [`lock`], [`own_file`], [`own_home`], [`doctor`]
//!
//! The modules form layers without cycles; `modules.rs` tests that, for the crate `shared` too.
//!
//! The engine decides in memory and sends batches to the store. Anything visible to another process or person
//! (responses, events, processes) waits for the commit of its batch.

pub mod attempt;
#[cfg(feature = "llm")]
mod child;
#[cfg(feature = "llm")]
mod comfy;
pub mod command;
pub mod config;
pub mod content;
mod delivery;
pub mod doctor;
pub mod engine;
pub mod executor;
mod ffmpeg;
pub mod file_error;
#[cfg(feature = "http")]
pub mod http;
pub mod hub;
#[cfg(feature = "json-schema")]
mod json_schema;
mod lineage;
#[cfg(feature = "llm")]
pub mod llm;
pub mod lock;
mod machine;
#[cfg(feature = "llm")]
mod mcp;
pub mod media;
mod memory;
#[cfg(test)]
mod modules;
pub mod node_type;
pub mod on_end;
pub mod open_files;
pub mod own_file;
pub mod own_home;
mod picture;
pub mod plugin;
mod prune;
pub mod rate;
pub mod recorder;
mod rooted;
pub mod run;
pub mod secret;
pub mod series;
pub mod server;
pub mod services;
mod sound;
pub mod store;
pub mod supervisor;
mod transfer;
pub mod worker;
