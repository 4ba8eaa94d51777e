//! `video.resize`

use fanlight_shared::types::Type;
use fanlight_shared::value::Values;

use super::film::Film;
use super::made::{H264, MP4, Making, making};
use crate::ffmpeg::Ffmpeg;
use crate::file_error::FileError;
use crate::node_type::build::{Build, ty};
use crate::node_type::typed_inputs::TypedInputs;
use crate::node_type::{NodeType, Runner, Workspace};

const WHAT: &str = "video.resize";
/// The longest side, in pixels.
pub(super) const MAX_SIDE: f64 = 4096.0;

pub(super) fn node_type() -> NodeType {
    let build = Build::new(WHAT, "Makes the pictures of a video larger or smaller.")
        .input("video", ty::video(), "The video.")
        .input("width", Type::Int, "The width in pixels, an even number; by default it follows from the height.")
        .optional()
        .range(2.0, MAX_SIDE)
        .input("height", Type::Int, "The height in pixels, an even number; by default it follows from the width.")
        .optional()
        .range(2.0, MAX_SIDE)
        .input(
            "mode",
            Type::Choice,
            "What to do if both are given: `fit` fits the pictures inside, `fill` covers the area and crops the rest, `stretch` distorts.",
        )
        .default("fit")
        .choices(&["fit", "fill", "stretch"]);
    making(build, "The resized video, as MP4.").run(Runner::worker(run))
}

fn run(workspace: &mut Workspace, inputs: Values) -> Result<Values, FileError> {
    let side = |name: &str| -> Result<Option<u32>, String> {
        let Some(_) = inputs.maybe(name) else { return Ok(None) };
        let side = inputs.count(name)?;
        if side % 2 == 0 {
            Ok(Some(side))
        } else {
            Err(format!("`{name}` is {side}; a video has even sides only"))
        }
    };
    let (width, height) = (side("width")?, side("height")?);
    if width.is_none() && height.is_none() {
        return Err("neither `width` nor `height` is given; set one of them".into());
    }
    let film = Film::open(workspace, inputs.value("video")?, WHAT)?;
    let upright = film.upright(WHAT)?;
    let (scaled, cropped) = sizes(upright, width, height, inputs.text("mode")?);
    if f64::from(scaled.0.max(scaled.1)) > 4.0 * MAX_SIDE {
        return Err(film.error("it is too narrow to be made that large"));
    }
    let filter = format!("scale={}:{},crop={}:{},setsar=1", scaled.0, scaled.1, cropped.0, cropped.1);
    let making = Making::new(workspace, &film.renamed("mp4"), WHAT);
    let mut ffmpeg = Ffmpeg::new();
    ffmpeg.input(&film.path).args(["-map", "0:V:0", "-vf", &filter]).args(H264);
    ffmpeg.args(film.keep_sound()).args(MP4);
    making.run(ffmpeg, film.seconds())
}

/// Returns the size to scale to, and the size of the part that is kept.
fn sizes(
    (w, h): (u32, u32),
    width: Option<u32>,
    height: Option<u32>,
    mode: &str,
) -> ((u32, u32), (u32, u32)) {
    let (w, h) = (f64::from(w), f64::from(h));
    let even = |side: f64| ((side / 2.0).round() as u32 * 2).max(2);
    let (across, down) = (width.map(|it| f64::from(it) / w), height.map(|it| f64::from(it) / h));
    let (x, y) = (across.or(down).unwrap_or(1.0), down.or(across).unwrap_or(1.0));
    let wanted = (even(w * x), even(h * y));
    match mode {
        "stretch" => (wanted, wanted),
        "fill" => {
            let scale = x.max(y);
            ((even(w * scale), even(h * scale)), wanted)
        }
        _ => {
            let scale = x.min(y);
            let size = (even(w * scale), even(h * scale));
            (size, size)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_even_and_keep_the_shape_unless_asked() {
        let of = |width, height, mode| sizes((640, 360), width, height, mode);
        assert_eq!(of(Some(320), None, "fit"), ((320, 180), (320, 180)));
        assert_eq!(of(None, Some(90), "fit"), ((160, 90), (160, 90)));
        assert_eq!(of(Some(100), Some(100), "fit"), ((100, 56), (100, 56)));
        assert_eq!(of(Some(100), Some(100), "fill"), ((178, 100), (100, 100)));
        assert_eq!(of(Some(100), Some(50), "stretch"), ((100, 50), (100, 50)));
        assert_eq!(sizes((4096, 2), Some(8), None, "fit"), ((8, 2), (8, 2)));
    }
}
