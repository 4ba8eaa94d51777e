//! Draws a sheet as a PNG.

use std::collections::HashMap;
use std::io::{Cursor, Write as _};
use std::path::Path;

use fanlight_shared::client::Client;
use fanlight_shared::client::sheet::Sheet;
use fanlight_shared::id::AssetId;
use fanlight_shared::media::{Media, MediaKind};
use fanlight_shared::run::Run;
use fanlight_shared::value::Value;
use image::{DynamicImage, ImageFormat};

use super::product::{Cell, media};
use super::{name, reason};
use crate::download::{NewFile, ids_of_run};
use crate::embedded::ContactSheet;
use crate::failure::Failure;
use crate::ui::picture::encode::decode;

/// The longest side of a stored preview, in pixels.
const PREVIEW_SIDE: u32 = 256;
/// The shape of cells without pictures.
const TEXT_RATIO: f64 = 0.75;
/// The longest text in a cell, in characters.
const MAX_CHARS: usize = 400;

/// Writes the sheet. Returns a sentence for each picture that could not be read.
pub(super) async fn png(
    client: &Client,
    sheet: &Sheet,
    cells: &[Cell<'_>],
    width: u32,
    path: &Path,
) -> Result<Vec<String>, Failure> {
    let failed = |why: String| Failure::failed(why);
    let labels = |count: usize, of: &dyn Fn(usize) -> String| (0..count).map(of).collect::<Vec<_>>();
    let columns = labels(sheet.x.values.len(), &|at| sheet.x.label(at));
    let rows = labels(sheet.y.values.len(), &|at| sheet.y.label(at));
    let ratio = ratio(cells);
    let mut drawn = ContactSheet::new(&columns, &rows, width, ratio).map_err(|why| {
        Failure::usage(why).hint("give a smaller `--width`, or leave runs out with `--where`")
    })?;
    let side = f64::from(width) * ratio.max(1.0);
    let mut problems = Vec::new();
    for (at, cell) in sheet.places().zip(cells) {
        let Cell::Product { run, others, value: Some(value) } = cell else {
            drawn.empty(at, &reason(cell)).map_err(failed)?;
            continue;
        };
        let caption = name(run, *others);
        match media(value) {
            Some(media) if matches!(media.kind, MediaKind::Image | MediaKind::Video) => {
                match picture(client, run, media, side).await {
                    Ok(picture) => drawn.picture(at, &caption, &picture).map_err(failed)?,
                    Err(why) => {
                        drawn.text(at, &caption, "can't be read").map_err(failed)?;
                        problems.push(format!("{}: {why}", run.name()));
                    }
                }
            }
            Some(media) => drawn.text(at, &caption, &media.name).map_err(failed)?,
            None => drawn.text(at, &caption, &words(value)).map_err(failed)?,
        }
    }
    let mut bytes = Vec::new();
    drawn
        .finish()
        .write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png)
        .map_err(|error| failed(format!("the sheet can't be encoded: {error}")))?;
    let mut new = NewFile::beside(path).map_err(failed)?;
    new.temporary.write_all(&bytes).map_err(|error| failed(new.says(&error)))?;
    new.keep().map_err(Failure::usage)?;
    Ok(problems)
}

/// Returns the shape of the first picture, which all cells have.
fn ratio(cells: &[Cell<'_>]) -> f64 {
    let of = |cell: &Cell<'_>| match cell {
        Cell::Product { value: Some(value), .. } => {
            let media = media(value)?;
            Some(f64::from(media.height?) / f64::from(media.width?))
        }
        _ => None,
    };
    cells.iter().find_map(of).unwrap_or(TEXT_RATIO)
}

/// Returns the picture of a value: its preview where that is enough for a cell with this longest side.
async fn picture(client: &Client, run: &Run, media: &Media, side: f64) -> Result<DynamicImage, String> {
    let known: HashMap<_, AssetId> = ids_of_run(client, run.id).await.map_err(|error| error.to_string())?;
    let bytes = match known.get(&media.hash) {
        Some(asset) => {
            // It may not be made yet.
            let preview =
                if is_preview_enough(media, side) { client.thumbnail(*asset).await.ok() } else { None };
            match preview {
                Some((_, bytes)) => bytes,
                None => client.read_asset(*asset, None).await.map_err(|error| error.to_string())?,
            }
        }
        // A workflow may return a param, which no node has made.
        None if run.params.values().any(|param| param.media().iter().any(|it| it.hash == media.hash)) => {
            client.read_blob(media.hash).await.map_err(|error| error.to_string())?
        }
        None => return Err("its picture was deleted".to_owned()),
    };
    tokio::task::spawn_blocking(move || decode(&bytes)).await.map_err(|error| error.to_string())?
}

/// Returns whether a cell with this longest side needs no more pixels than the preview has.
fn is_preview_enough(media: &Media, side: f64) -> bool {
    let longest = media.width.zip(media.height).map(|(width, height)| width.max(height));
    let is_whole = longest.is_some_and(|longest| longest <= PREVIEW_SIDE);
    side <= f64::from(PREVIEW_SIDE) || is_whole || media.kind == MediaKind::Video
}

fn words(value: &Value) -> String {
    match value {
        Value::Text(text) => text.chars().take(MAX_CHARS).collect(),
        Value::Large(large) => format!("{}…", large.head),
        other => other.summary(MAX_CHARS),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preview_is_enough_where_no_side_of_the_cell_is_longer() {
        let media = |width: u32, height: u32| -> Media {
            let hash = fanlight_shared::id::BlobHash::of(b"");
            let media = serde_json::json!({
                "kind": "image", "hash": hash, "mime": "image/png", "bytes": 1, "name": "a.png",
                "width": width, "height": height
            });
            serde_json::from_value(media).unwrap()
        };
        assert!(is_preview_enough(&media(1_024, 512), 256.0));
        assert!(!is_preview_enough(&media(512, 1_024), 512.0), "a cell of 256 by 512");
        assert!(is_preview_enough(&media(100, 200), 512.0), "the preview is all of it");
    }
}
