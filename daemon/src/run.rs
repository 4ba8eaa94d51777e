//! The life of a daemon: boots everything on a listener and a store, and ends it in order.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use fanlight_shared::client::ALREADY_RUNNING;
