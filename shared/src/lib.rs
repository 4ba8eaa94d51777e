//! The protocol between Fanlight's daemon and its clients, and the pure rules that both sides obey.
//!
//! # Layout
//!
//! - vocabulary: [`id`], [`time`], [`item`], [`types`], [`media`], [`value`]
//! - the workflow file: [`document`] (text → [`workflow::Workflow`]), [`template`], [`expression`], [`node_type`], [`problem`],
//!   [`resources`] (what an attempt needs of its machine)
//! - many runs of one file: [`sweep`], [`search`] (what the next run tries), [`label`], [`rng`]; what a submission carries: [`environment`]
//! - the view of a run: [`run`], [`event`], [`transition`] (which state follows which), [`run_state`] (the one
//!   reducer), [`question`] (what a node asks a person), [`waiting`] (the order of the queue), [`asset`], [`preview`]
//!   (stands in for a large value), [`spent`] (cost and tokens), [`origin`] (of a reused result)
//! - the wire: [`rpc`]; behind the feature `client` the connection itself and the projection, what a client knows of runs
//!   and which of them is in focus. The daemon is built without that feature, so it knows nothing of focus
//! - surroundings: [`home`] (folders and socket), [`folder`] (which survive a power loss), [`host_path`] (files on other computers), [`ssh`], [`quote`] (words for a shell there), [`sanitise`] (text from outside before it reaches a terminal)
//!
//! Nothing here does input or output, except the client, [`home`], which reads the environment, [`folder`], and `modules`,
//! which tests of all crates use.

pub mod asset;
#[cfg(feature = "client")]
pub mod client;
pub mod document;
pub mod environment;
pub mod event;
pub mod expression;
pub mod folder;
pub mod home;
pub mod host_path;
pub mod id;
pub mod item;
pub mod label;
pub mod large;
pub mod lineage;
pub mod media;
pub mod metric;
#[cfg(feature = "modules")]
pub mod modules;
pub mod node_type;
pub mod on_end;
pub mod origin;
pub mod preview;
pub mod problem;
pub mod question;
pub mod quote;
pub mod resources;
pub mod rng;
pub mod rpc;
pub mod run;
pub mod run_state;
pub mod sanitise;
pub mod search;
pub mod spent;
pub mod ssh;
pub mod sweep;
pub mod template;
#[cfg(feature = "testing")]
pub mod testing;
pub mod time;
pub mod transition;
pub mod types;
pub mod units;
pub mod value;
pub mod waiting;
pub mod workflow;
