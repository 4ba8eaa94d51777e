//! The sound that a node makes.

use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values};

use crate::ffmpeg::{Ffmpeg, SOUND_FORMATS, sound_format};
use crate::file_error::FileError;
use crate::node_type::Workspace;
use crate::node_type::build::{Build, ty};
use crate::node_type::typed_inputs::TypedInputs;
use crate::services::Level;
use crate::sound::{Encoder, Format, Source};

/// Adds what each type that makes a sound has: the format, the sound and its length.
pub(super) fn making(build: Build, sound: &str) -> Build {
    build
        .remember_with("format", &["wav", "flac"])
        .input(
            "format",
            Type::Choice,
            "The format: `wav` and `flac` keep every sample; the others need the program ffmpeg.",
        )
        .default("wav")
        .choices(&SOUND_FORMATS)
        .output("audio", ty::audio(), sound)
        .output("seconds", Type::Float, "How long it lasts, in seconds.")
}

/// Writes the sound of a node: its outputs `audio` and `seconds`. `name` is that of an input, or a stem; `frames` is about how
/// many there will be.
///
/// # Errors
/// The source has an error; the format can't be written; the disk is full.
pub(super) fn put(
    workspace: &mut Workspace,
    inputs: &Values,
    name: &str,
    frames: u64,
    source: &mut dyn Source,
) -> Result<Values, FileError> {
    let format = inputs.text("format")?;
    let stem = match name.rsplit_once('.') {
        Some((stem, _)) if !stem.is_empty() => stem,
        _ => name,
    };
    let shape = source.shape();
    let services = workspace.services().clone();
    let mut tell = |done: u64| {
        services.progress(Some((done as f64 / frames.max(1) as f64).min(1.0)), None);
    };
    let name = format!("{stem}.{format}");
    let (audio, written) = match format {
        "wav" | "flac" => {
            let (file, audio) = workspace.create(&name)?;
            let format = if format == "wav" { Format::Wav } else { Format::Flac };
            (audio, Encoder::new(file, format, shape)?.write(source, &mut tell)?)
        }
        other => {
            let folder = services
                .scratch()
                .map_err(|error| FileError::of("there is no folder for a sound", &error))?;
            let whole = folder.join("whole.raw");
            // A try that found the disk full may have left it.
            let _ = std::fs::remove_file(&whole);
            let file = crate::picture::new_file(&whole)
                .map_err(|error| FileError::of("a file can't be created", &error))?;
            let written = Encoder::new(file, Format::Raw, shape)?.write(source, &mut tell)?;
            let (path, audio) = workspace.reserve(&name);
            let mut ffmpeg = Ffmpeg::new();
            // Not WAV, which holds 4 GiB only.
            let samples = if shape.bits > 16 { "s24le" } else { "s16le" };
            ffmpeg.args(["-f", samples, "-ar", &shape.rate.to_string(), "-ac", &shape.channels.to_string()]);
            ffmpeg.input_of(samples, whole.as_os_str()).args(["-map_metadata", "-1", "-fflags", "+bitexact"]);
            ffmpeg.args(sound_format(other)).args([path]);
            ffmpeg.run(&format!("`format: {other}`"))?;
            (audio, written)
        }
    };
    if written.clipped > 0 {
        let line = format!("{} samples were above full scale and were lowered to it", written.clipped);
        services.log(Level::Warn, &line);
    }
    let seconds = Value::Float(shape.seconds(written.frames));
    Ok(Values::from([("audio".to_owned(), audio), ("seconds".to_owned(), seconds)]))
}
