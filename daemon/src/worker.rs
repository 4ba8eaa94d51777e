//! Workers: warm `fanlight worker` processes in which foreign bytes are decoded, with limits on memory, time and pixels.
//! PLACEHOLDER bodies; signatures hold.

use std::path::{Path, PathBuf};

use fanlight_shared::event::NodeError;
use fanlight_shared::value::Values;

use crate::job::{Attempt, Outcome};
use crate::store::blob::Blobs;

/// What a node type has on its bench inside a worker process: it reads media by path and puts new media down as files.
pub struct Bench {
    /// Where new files go.
    pub folder: PathBuf,
}

/// The worker processes of a daemon: at most so many at once, started when needed, kept warm, ended when idle for long.
#[derive(Clone, Debug)]
pub struct Workers {}

impl Workers {
    /// Workers that run `helper worker`, at most `most` at once.
    #[must_use]
    pub fn new(helper: &Path, most: usize, blobs: Blobs, scratch: PathBuf) -> Self {
        let _ = (helper, most, blobs, scratch);
        Self {}
    }
    /// Runs one attempt of a native node in a worker. Cancel kills the worker.
    pub async fn run(&self, attempt: Attempt, node_type: &str, inputs: Values) -> Outcome {
        let _ = (attempt, node_type, inputs);
        Outcome::failed(NodeError::new("no workers"))
    }
    /// Makes the preview of stored bytes: MIME type and bytes, `None` where there is nothing to show.
    pub async fn preview(&self, media: fanlight_shared::media::Media) -> Option<(String, Vec<u8>)> {
        let _ = media;
        None
    }
}

/// The body of `fanlight worker`: jobs on stdin, answers on stdout, until stdin closes. Returns the exit code.
#[must_use]
pub fn main() -> i32 {
    0
}
