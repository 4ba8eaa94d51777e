//! `audio.waveform`

use fanlight_shared::types::Type;
use fanlight_shared::value::Values;
use image::{DynamicImage, Rgba, RgbaImage};

use super::picture::picturing;
use super::sound::Sound;
use crate::file_error::FileError;
use crate::node_type::build::Build;
use crate::node_type::typed_inputs::{TypedInputs, one};
use crate::node_type::{NodeType, Runner, Workspace};
use crate::picture::check_size;
use crate::sound::each_block;

pub(super) fn node_type() -> NodeType {
    picturing(Build::new("audio.waveform", "Draws a sound over time, its channels mixed."), 1024, 256)
        .input("color", Type::Text, "The colour of the sound.")
        .default("blue")
        .input("background", Type::Text, "The colour behind it.")
        .default("white")
        .remember()
        .run(Runner::worker(run))
}

fn run(workspace: &mut Workspace, inputs: Values) -> Result<Values, FileError> {
    let (width, height) = (inputs.count("width")?, inputs.count("height")?);
    check_size(width, height)?;
    let (color, background) = (inputs.colour("color")?, inputs.colour("background")?);
    let sound = Sound::open(workspace, inputs.value("audio")?)?;
    let columns = columns(&sound, width)?;
    let picture = draw(&columns, height, color, background);
    Ok(one("image", workspace.put_picture(&sound.name, &DynamicImage::from(picture))?))
}

/// Returns the least and the greatest sample of each column. A column without a frame of its own repeats the one before.
fn columns(sound: &Sound, width: u32) -> Result<Vec<(f32, f32)>, String> {
    let (channels, frames) = (sound.shape.channels, u128::from(sound.frames));
    let mut columns: Vec<Option<(f32, f32)>> = vec![None; width as usize];
    let mut at = 0_u128;
    each_block(&mut *sound.source()?, |block| {
        for frame in block.chunks_exact(channels) {
            let mean = frame.iter().sum::<f32>() / channels as f32;
            let column = (at * u128::from(width) / frames) as usize;
            if let Some(column) = columns.get_mut(column) {
                let (min, max) = column.unwrap_or((mean, mean));
                *column = Some((min.min(mean), max.max(mean)));
            }
            at += 1;
        }
    })?;
    let mut last = (0.0, 0.0);
    Ok(columns
        .into_iter()
        .map(|column| {
            last = column.unwrap_or(last);
            last
        })
        .collect())
}

fn draw(columns: &[(f32, f32)], height: u32, color: Rgba<u8>, background: Rgba<u8>) -> RgbaImage {
    let middle = (height as f32 - 1.0) / 2.0;
    let row = |sample: f32| (middle - sample.clamp(-1.0, 1.0) * middle).round() as u32;
    RgbaImage::from_fn(columns.len() as u32, height, |x, y| {
        let (min, max) = columns[x as usize];
        if (row(max)..=row(min)).contains(&y) { color } else { background }
    })
}
