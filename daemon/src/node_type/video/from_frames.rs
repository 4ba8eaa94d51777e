//! `video.from_frames`

use std::io::ErrorKind;

use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values};
use image::{DynamicImage, Rgba, RgbaImage, imageops};

use super::film::MAX_SECONDS;
use super::made::{H264, MP4, Making, making};
use super::resize::MAX_SIDE;
use crate::ffmpeg::Ffmpeg;
use crate::file_error::FileError;
use crate::node_type::build::{Build, ty};
use crate::node_type::typed_inputs::TypedInputs;
use crate::node_type::{NodeType, Runner, Workspace};
use crate::picture::scaled;

const WHAT: &str = "video.from_frames";

pub(super) fn node_type() -> NodeType {
    let build = Build::new(WHAT, "Makes a video of pictures.")
        .input(
            "images",
            ty::image().list(),
            "The pictures, in order. The first one determines the size; others are scaled to fit inside.",
        )
        .input("fps", Type::Float, "How many pictures are shown in a second; 0.5 shows each for two seconds.")
        .default(24.0)
        .range(0.01, 120.0)
        .input("background", Type::Text, "The colour around and behind pictures that don't cover the area.")
        .default("black");
    making(build, "The video, as MP4.").run(Runner::worker(run))
}

fn run(workspace: &mut Workspace, inputs: Values) -> Result<Values, FileError> {
    let images: Vec<&Value> = inputs.list("images")?.iter().filter(|it| **it != Value::None).collect();
    let (fps, background) = (inputs.float("fps")?, inputs.colour("background")?);
    let first = images.first().ok_or("`images` is empty; there are no pictures")?;
    let seconds = images.len() as f64 / fps;
    if seconds > MAX_SECONDS {
        return Err(
            format!("{} pictures would last longer than 4 hours; set a higher `fps`", images.len()).into()
        );
    }
    let first = workspace.picture(first)?;
    let (width, height) = (first.width() / 2 * 2, first.height() / 2 * 2);
    if width < 2 || height < 2 || f64::from(width.max(height)) > MAX_SIDE {
        return Err(format!(
            "the first picture has {} × {} pixels; a video has from 2 to {MAX_SIDE} a side",
            first.width(),
            first.height()
        )
        .into());
    }
    let making = Making::new(workspace, "video.mp4", WHAT);
    let mut ffmpeg = Ffmpeg::new();
    ffmpeg.args(["-f", "rawvideo", "-pix_fmt", "rgb24"]);
    ffmpeg.args(["-video_size", &format!("{width}x{height}"), "-framerate", &fps.to_string()]);
    ffmpeg.input_of("rawvideo", "pipe:0".as_ref());
    ffmpeg.args(["-vf", "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p"]).args(H264);
    ffmpeg.args([
        "-colorspace",
        "bt709",
        "-color_primaries",
        "bt709",
        "-color_trc",
        "bt709",
        "-color_range",
        "tv",
    ]);
    ffmpeg.args(MP4).args([&making.path]);
    let services = workspace.services().clone();
    ffmpeg.run_writing(WHAT, |stdin| {
        for (nth, image) in images.iter().enumerate() {
            let frame = on_canvas(workspace.picture(image)?, (width, height), background)?;
            stdin.write_all(&frame).map_err(|error| match error.kind() {
                ErrorKind::BrokenPipe => FileError::from("ffmpeg ended before it had all pictures"),
                _ => FileError::of("a picture can't be handed to ffmpeg", &error),
            })?;
            services.progress(Some((nth + 1) as f64 / images.len() as f64), None);
        }
        Ok(())
    })?;
    let made = making.checked(seconds)?;
    let (shown, expected) = (made["frames"].as_int().unwrap_or_default(), images.len());
    if usize::try_from(shown) != Ok(expected) {
        return Err(format!("{WHAT} made {shown} pictures of {expected}").into());
    }
    Ok(made)
}

/// Returns the pixels of a picture in the middle of a canvas.
fn on_canvas(
    picture: DynamicImage,
    (width, height): (u32, u32),
    background: Rgba<u8>,
) -> Result<Vec<u8>, String> {
    let (w, h) = (picture.width(), picture.height());
    // A last row or column is left out for an even size, not scaled away.
    let picture = if (w / 2 * 2, h / 2 * 2) == (width, height) {
        picture.crop_imm(0, 0, width, height)
    } else {
        let scale = (f64::from(width) / f64::from(w)).min(f64::from(height) / f64::from(h));
        let side = |side: u32, most: u32| ((f64::from(side) * scale).round() as u32).clamp(1, most);
        scaled(&DynamicImage::from(picture.to_rgba8()), side(w, width), side(h, height))?
    };
    let mut opaque = background;
    opaque.0[3] = 255;
    let mut canvas = RgbaImage::from_pixel(width, height, opaque);
    let (left, top) = ((width - picture.width()) / 2, (height - picture.height()) / 2);
    imageops::overlay(&mut canvas, &picture.to_rgba8(), i64::from(left), i64::from(top));
    Ok(DynamicImage::from(canvas).into_rgb8().into_raw())
}
