//! `audio.loudness`

use ebur128::{EbuR128, Mode};
use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values};

use super::made::{making, put};
use super::sound::Sound;
use crate::file_error::FileError;
use crate::node_type::build::{Build, ty};
use crate::node_type::typed_inputs::TypedInputs;
use crate::node_type::{NodeType, Runner, Workspace};
use crate::sound::{Shaped, each_block, from_db, to_db};

/// The quietest loudness that is measured, in LUFS: the gate of EBU R 128.
const SILENT: f64 = -70.0;

pub(super) fn node_type() -> NodeType {
    let build = Build::new(
        "audio.loudness",
        "Measures the loudness of a sound as EBU R 128 says, and changes its level so that it has another one.",
    )
    .input("audio", ty::audio(), "The sound, of at least 0.4 s.")
    .input("target", Type::Float, "The loudness to reach, in LUFS: -16 is usual for podcasts, -23 for broadcasts.")
    .default(-16.0)
    .range(-60.0, 0.0)
    .input(
        "ceiling",
        Type::Float,
        "The highest true peak, in decibels below full scale. If it would be exceeded, the sound stays softer than `target`.",
    )
    .default(-1.0)
    .range(-20.0, 0.0);
    making(build, "The sound with its new level.")
        .output(
            "loudness",
            Type::Float,
            "Its loudness now, in LUFS; `target`, unless the ceiling was in the way.",
        )
        .output("peak", Type::Float, "Its true peak now, in decibels of full scale.")
        .output("gain", Type::Float, "By how much the level was changed, in decibels.")
        .output("measured", Type::Float, "Its loudness before, in LUFS.")
        .output("range", Type::Float, "The range of its loudness, in LU.")
        .run(Runner::worker(run))
}

fn run(workspace: &mut Workspace, inputs: Values) -> Result<Values, FileError> {
    let sound = Sound::open(workspace, inputs.value("audio")?)?;
    let (measured, range, peak) = measure(&sound)?;
    if measured <= SILENT {
        return Err(format!(
            "`{}` is silent or shorter than 0.4 s, so it has no loudness",
            fanlight_shared::value::cut(&sound.name, 60)
        )
        .into());
    }
    let gain = (inputs.float("target")? - measured).min(inputs.float("ceiling")? - peak);
    let factor = from_db(gain);
    let mut louder = Shaped::new(sound.source()?, move |_| factor);
    let mut made = put(workspace, &inputs, &sound.name, sound.frames, &mut louder)?;
    let numbers = [
        ("loudness", measured + gain),
        ("peak", peak + gain),
        ("gain", gain),
        ("measured", measured),
        ("range", range),
    ];
    made.extend(
        numbers.map(|(name, number)| (name.to_owned(), Value::Float((number * 100.0).round() / 100.0))),
    );
    Ok(made)
}

/// Returns the loudness in LUFS, its range in LU, and the true peak in decibels of full scale.
fn measure(sound: &Sound) -> Result<(f64, f64, f64), String> {
    let failed = |error: ebur128::Error| format!("the loudness can't be measured: {error}");
    let mode = Mode::I | Mode::LRA | Mode::TRUE_PEAK;
    let mut meter = EbuR128::new(sound.shape.channels as u32, sound.shape.rate, mode).map_err(failed)?;
    let mut refused = None;
    each_block(&mut *sound.source()?, |block| {
        if let Err(error) = meter.add_frames_f32(block) {
            refused.get_or_insert(error);
        }
    })?;
    if let Some(error) = refused {
        return Err(failed(error));
    }
    let peaks = (0..sound.shape.channels as u32).map(|channel| meter.true_peak(channel));
    let peak = peaks.collect::<Result<Vec<_>, _>>().map_err(failed)?.into_iter().fold(0.0, f64::max);
    let loudness = meter.loudness_global().map_err(failed)?;
    Ok((loudness, meter.loudness_range().map_err(failed)?, to_db(peak as f32)))
}
