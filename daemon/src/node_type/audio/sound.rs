//! A sound of an input.

use std::path::PathBuf;

use fanlight_shared::value::{Value, cut};

use crate::node_type::Workspace;
use crate::sound::{Decoder, Shape, Source};

/// A sound that a node was given.
pub(super) struct Sound {
    path: PathBuf,
    /// The name that users see.
    pub(super) name: String,
    pub(super) shape: Shape,
    /// How many there are.
    pub(super) frames: u64,
}

impl Sound {
    /// Opens a sound. Reads it once if its file doesn't say how long it is.
    ///
    /// # Errors
    /// It is not a sound, or it is damaged, empty or too long; the sentence names it.
    pub(super) fn open(workspace: &Workspace, value: &Value) -> Result<Self, String> {
        let path = workspace.path(value)?;
        let name = value.as_media().map(|media| media.name.clone()).unwrap_or_default();
        let read = || -> Result<_, String> {
            let mut decoder = Decoder::open(&path)?;
            let shape = decoder.shape();
            let frames = match decoder.exact_frames() {
                Some(frames) => frames,
                None => {
                    let (mut frames, mut block) = (0, Vec::new());
                    while decoder.next(&mut block)? {
                        frames += (block.len() / shape.channels) as u64;
                    }
                    frames
                }
            };
            shape.check_length(frames)?;
            Ok((shape, frames))
        };
        let (shape, frames) = read().map_err(|error| of(&name, &error))?;
        Ok(Self { path, name, shape, frames })
    }

    /// Opens each sound of a list.
    ///
    /// # Errors
    /// As [`Self::open`]; or the list is empty.
    pub(super) fn open_all(workspace: &Workspace, values: &[Value]) -> Result<Vec<Self>, String> {
        if values.is_empty() {
            return Err("`audios` is empty; there are no sounds".into());
        }
        values.iter().map(|value| Self::open(workspace, value)).collect()
    }

    /// Reads it from the beginning.
    ///
    /// # Errors
    /// It can't be opened again.
    pub(super) fn source(&self) -> Result<Box<dyn Source>, String> {
        let decoder = Decoder::open(&self.path).map_err(|error| of(&self.name, &error))?;
        Ok(Box::new(Named { name: self.name.clone(), decoder }))
    }

    /// Returns how many frames it has when it is converted to this shape.
    pub(super) fn frames_as(&self, shape: Shape) -> u64 {
        (u128::from(self.frames) * u128::from(shape.rate)).div_ceil(u128::from(self.shape.rate)) as u64
    }

    /// Returns how long it lasts.
    pub(super) fn seconds(&self) -> f64 {
        self.shape.seconds(self.frames)
    }
}

/// Returns the rate, channels and bits that hold each of these sounds without loss.
pub(super) fn widest(sounds: &[Sound]) -> Shape {
    let most = |of: fn(&Shape) -> u32| sounds.iter().map(|it| of(&it.shape)).max().unwrap_or(0);
    Shape {
        rate: most(|it| it.rate),
        channels: sounds.iter().map(|it| it.shape.channels).max().unwrap_or(0),
        bits: most(|it| it.bits),
    }
}

/// Reads a sound as one of this shape.
///
/// # Errors
/// Its channels can't be converted; the sentence names it.
pub(super) fn as_shape(sound: &Sound, shape: Shape) -> Result<Box<dyn Source>, String> {
    crate::sound::converted(sound.source()?, shape).map_err(|error| of(&sound.name, &error))
}

/// A sound whose errors name its file.
struct Named {
    name: String,
    decoder: Decoder,
}

impl Source for Named {
    fn shape(&self) -> Shape {
        self.decoder.shape()
    }
    fn next(&mut self, block: &mut Vec<f32>) -> Result<bool, String> {
        self.decoder.next(block).map_err(|error| of(&self.name, &error))
    }
}

fn of(name: &str, error: &str) -> String {
    format!("`{}`: {error}", cut(name, 60))
}
