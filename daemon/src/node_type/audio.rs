//! `audio.*`: sounds, decoded and written in workers block by block.

mod concat;
mod fade;
mod gain;
mod generate;
mod load;
mod loudness;
mod made;
mod mix;
mod picture;
mod resample;
mod silence;
mod sound;
mod spectrogram;
mod spectrum;
mod trim;
mod waveform;

use super::NodeType;

/// Returns the types, in the order of the docs.
pub(super) fn node_types() -> Vec<NodeType> {
    vec![
        load::node_type(),
        generate::node_type(),
        trim::node_type(),
        fade::node_type(),
        mix::node_type(),
        concat::node_type(),
        gain::node_type(),
        loudness::node_type(),
        resample::node_type(),
        silence::node_type(),
        waveform::node_type(),
        spectrogram::node_type(),
    ]
}

#[cfg(test)]
mod tests;
