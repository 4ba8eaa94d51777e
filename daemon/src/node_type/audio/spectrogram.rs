//! `audio.spectrogram`

use fanlight_shared::types::Type;
use fanlight_shared::value::Values;
use image::{DynamicImage, Rgb, RgbImage};

use super::picture::picturing;
use super::sound::Sound;
use super::spectrum;
use crate::file_error::FileError;
use crate::node_type::build::Build;
use crate::node_type::typed_inputs::{TypedInputs, one};
use crate::node_type::{NodeType, Runner, Workspace};
use crate::picture::check_size;
use crate::sound::each_block;

/// The lowest frequency on a logarithmic scale, in hertz.
const LOWEST: f64 = 40.0;
/// From silent to loud.
const COLORS: [[f32; 3]; 6] = [
    [4.0, 4.0, 16.0],
    [56.0, 18.0, 98.0],
    [138.0, 32.0, 110.0],
    [214.0, 66.0, 74.0],
    [250.0, 150.0, 40.0],
    [252.0, 244.0, 170.0],
];

pub(super) fn node_type() -> NodeType {
    let summary = "Draws the frequencies of a sound over time, its channels mixed, low ones at the bottom.";
    picturing(Build::new("audio.spectrogram", summary), 1024, 512)
        .input("scale", Type::Choice, "The scale of frequencies; `log` begins at 40 Hz.")
        .default("log")
        .choices(&["log", "linear"])
        .input("floor", Type::Float, "The level that is drawn black, in decibels of full scale.")
        .default(-90.0)
        .range(-160.0, -10.0)
        .remember()
        .run(Runner::worker(run))
}

fn run(workspace: &mut Workspace, inputs: Values) -> Result<Values, FileError> {
    let (width, height) = (inputs.count("width")?, inputs.count("height")?);
    check_size(width, height)?;
    let (log, floor) = (inputs.text("scale")? == "log", inputs.float("floor")? as f32);
    let sound = Sound::open(workspace, inputs.value("audio")?)?;
    let top = f64::from(sound.shape.rate) / 2.0;
    let row = |y: u32| {
        let share = f64::from(height - y) / f64::from(height);
        let hertz = if log { LOWEST * (top / LOWEST).powf(share) } else { top * share };
        (hertz / top * (spectrum::SIZE / 2) as f64) as usize
    };
    let mut picture = RgbImage::new(width, height);
    parts(&sound, width, |x, part| {
        let levels = spectrum::levels(part);
        for y in 0..height {
            // A row shows the loudest of its frequencies.
            let (low, high) = (row(y + 1), row(y).min(levels.len() - 1));
            let level = levels[low.min(high)..=high].iter().copied().fold(f32::MIN, f32::max);
            picture.put_pixel(x, y, color(1.0 - level / floor));
        }
    })?;
    Ok(one("image", workspace.put_picture(&sound.name, &DynamicImage::from(picture))?))
}

/// Passes the part of the sound around the middle of each column to `take`; outside the sound there is silence.
fn parts(sound: &Sound, width: u32, mut take: impl FnMut(u32, &[f32])) -> Result<(), String> {
    let (channels, half) = (sound.shape.channels, spectrum::SIZE / 2);
    let start = |x: u32| {
        // With the silence before the sound, the part around a frame begins at that frame.
        (u128::from(sound.frames) * (2 * u128::from(x) + 1) / (2 * u128::from(width))) as u64
    };
    let mut kept = vec![0.0; half];
    let (mut first, mut x) = (0_u64, 0);
    let mut draw = |kept: &mut Vec<f32>| {
        while x < width && start(x) + spectrum::SIZE as u64 <= first + kept.len() as u64 {
            let gone = (start(x) - first) as usize;
            kept.drain(..gone);
            first += gone as u64;
            take(x, &kept[..spectrum::SIZE]);
            x += 1;
        }
    };
    each_block(&mut *sound.source()?, |block| {
        kept.extend(block.chunks_exact(channels).map(|frame| frame.iter().sum::<f32>() / channels as f32));
        draw(&mut kept);
    })?;
    kept.resize(kept.len() + spectrum::SIZE, 0.0);
    draw(&mut kept);
    Ok(())
}

fn color(share: f32) -> Rgb<u8> {
    let place = share.clamp(0.0, 1.0) * (COLORS.len() - 1) as f32;
    let at = (place as usize).min(COLORS.len() - 2);
    let part = place - at as f32;
    Rgb([0, 1, 2].map(|nth| (COLORS[at][nth] + (COLORS[at + 1][nth] - COLORS[at][nth]) * part).round() as u8))
}
