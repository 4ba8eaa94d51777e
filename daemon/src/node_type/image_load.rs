//! `image.load`

use fanlight_shared::value::Values;

use super::build::{Build, ty};
use super::typed_inputs::{TypedInputs, one};
use super::{NodeType, Runner, Workspace};
use crate::file_error::FileError;

pub(super) fn node_type() -> NodeType {
    Build::new("image.load", "Decodes a picture file and rotates it as its EXIF data says.")
        .input("file", ty::file(), "The file: PNG, JPEG, GIF (the first frame), WebP, BMP or TIFF.")
        .output("image", ty::image(), "The picture, as PNG.")
        .remember()
        .run(Runner::worker(run))
}

fn run(workspace: &mut Workspace, inputs: Values) -> Result<Values, FileError> {
    let file = inputs.value("file")?;
    let picture = workspace.picture(file)?;
    Ok(one("image", workspace.put_picture(Workspace::name_of(file), &picture)?))
}
