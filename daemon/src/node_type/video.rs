//! `video.*`: moving pictures, by the program ffmpeg, which workers hold.

mod add_audio;
mod concat;
mod cues;
mod extract_audio;
mod film;
mod from_frames;
mod made;
mod probe;
mod resize;
mod subtitle;
mod thumbnail;
mod to_frames;
mod trim;

use super::NodeType;

/// Returns the types, in the order of the docs.
pub(super) fn node_types() -> Vec<NodeType> {
    vec![
        from_frames::node_type(),
        to_frames::node_type(),
        trim::node_type(),
        concat::node_type(),
        resize::node_type(),
        extract_audio::node_type(),
        add_audio::node_type(),
        subtitle::node_type(),
        thumbnail::node_type(),
    ]
}

#[cfg(test)]
mod tests;
