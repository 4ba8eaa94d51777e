//! Frames between daemon and worker: a length of four bytes, big-endian, then JSON.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::PathBuf;

use fanlight_shared::id::BlobHash;
use fanlight_shared::media::Media;
use fanlight_shared::types::Type;
use fanlight_shared::value::Values;
use indexmap::IndexMap;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::node_type::NewFile;
use crate::services::Report;

/// The longest frame: values may be long texts, media are never in them.
pub(super) const MAX_FRAME_BYTES: usize = 64 << 20;

/// A request to a worker.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Request {
    /// To run a node type.
    Run {
        /// Its name.
        node_type: String,
        /// Its inputs.
        inputs: Values,
        /// The outputs that the node declares; none for those of its type.
        outputs: IndexMap<String, Type>,
        /// Where the bytes of the media among them lie.
        files: BTreeMap<BlobHash, PathBuf>,
        /// Where new files go.
        folder: PathBuf,
    },
    /// To check that a file is whole.
    Check {
        /// What it is.
        media: Media,
        /// Where its bytes lie.
        file: PathBuf,
    },
    /// To make a preview.
    Preview {
        /// Of this media.
        media: Media,
        /// Where its bytes lie.
        file: PathBuf,
        /// Where new files go.
        folder: PathBuf,
    },
}

/// The response of a worker.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Response {
    /// The outputs. New media among them carry a token instead of a hash: `files` says which file it stands for.
    Made {
        /// The outputs.
        values: Values,
        /// New files by token.
        files: BTreeMap<BlobHash, NewFile>,
    },
    /// Reports of the node before its response. New media are as in `Made`.
    Said {
        /// The reports, in order.
        reports: Vec<Report>,
        /// The new files that it says something of.
        files: BTreeMap<BlobHash, NewFile>,
    },
    /// Said before the response: the worker ends after it, so it takes no other request.
    Ends,
    /// The MIME type of a preview and its file; nothing where there is nothing to show.
    Preview(Option<(String, String)>),
    /// The file is whole, as far as that can be known.
    Whole,
    /// It did not work; one sentence.
    Failed(String),
    /// The disk is full: the same request may work when there is space.
    Full(String),
}

/// Returns the bytes of a frame, including its length.
pub(super) fn encode(message: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; 4];
    serde_json::to_writer(&mut bytes, message)?;
    let length = bytes.len() - 4;
    if length > MAX_FRAME_BYTES {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("the values have {length} bytes; a worker takes at most {MAX_FRAME_BYTES}"),
        ));
    }
    bytes[..4].copy_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
    Ok(bytes)
}

/// Returns the length in the head of a frame.
pub(super) fn length(head: [u8; 4]) -> io::Result<usize> {
    let length = u32::from_be_bytes(head) as usize;
    if length > MAX_FRAME_BYTES {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("a frame of {length} bytes")));
    }
    Ok(length)
}

/// Reads the next frame; returns `None` at the end.
pub(super) fn read<T: DeserializeOwned>(reader: &mut impl Read) -> io::Result<Option<T>> {
    let mut head = [0; 4];
    let mut filled = 0;
    while filled < head.len() {
        match reader.read(&mut head[filled..]) {
            Ok(0) if filled == 0 => return Ok(None),
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(n) => filled += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let mut bytes = vec![0; length(head)?];
    reader.read_exact(&mut bytes)?;
    Ok(Some(serde_json::from_slice(&bytes)?))
}
