use std::io::Cursor;

use fanlight_shared::id::{AssetId, BlobHash};
use fanlight_shared::item::ItemPath;
use fanlight_shared::lineage::Product;
use fanlight_shared::time::Time;

use super::*;

fn lineage(of: &[u8], length: usize) -> Lineage {
    let product = Product {
        id: AssetId::new(),
        name: "é".repeat(length),
        mime: String::new(),
        bytes: of.len() as u64,
        hash: Some(BlobHash::of(of)),
        created_at: Time(1),
        node: "sky".into(),
        item: ItemPath::WHOLE,
        port: "image".into(),
        ordinal: 0,
        attempt: 1,
        duration_ms: 1,
        cost_usd: None,
    };
    Lineage {
        fanlight: FORMAT,
        product,
        steps: Vec::new(),
        cut: false,
        runs: Vec::new(),
        files: Vec::new(),
        children: Vec::new(),
    }
}

fn with_recipe(bytes: &[u8], lineage: &Lineage) -> Option<Vec<u8>> {
    let mut file = Cursor::new(bytes);
    let format = Format::of_file(&mut file).unwrap().unwrap();
    let mut saved = Vec::new();
    add(format, &mut file, &mut saved, lineage).unwrap().then_some(saved)
}

fn png() -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let picture = image::RgbImage::from_fn(9, 7, |x, y| image::Rgb([x as u8, y as u8, 7]));
    picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

fn jpeg() -> Vec<u8> {
    // A picture for applications, one for the decoder, and the beginning of the data.
    let mut bytes = b"\xff\xd8\xff\xe0\x00\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0".to_vec();
    bytes.extend(b"\xff\xe1\x00\x08Exif\0\0\xff\xdb\x00\x04ab\xff\xda\x00\x02\x12\x34\xff\xd9");
    bytes
}

fn wav(samples: usize) -> Vec<u8> {
    let mut bytes =
        b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x40\x1f\0\0\x01\0\x08\0data".to_vec();
    bytes.extend((samples as u32).to_le_bytes());
    bytes.extend((0..samples + samples % 2).map(|at| at as u8));
    let size = bytes.len() as u32 - 8;
    bytes[4..8].copy_from_slice(&size.to_le_bytes());
    bytes
}

fn flac(with_comments: bool) -> Vec<u8> {
    let mut bytes = b"fLaC".to_vec();
    bytes.extend([if with_comments { 0 } else { 0x80 }, 0, 0, 34]);
    bytes.extend([7; 34]);
    if with_comments {
        bytes.extend(b"\x84\0\0\x18\x05\0\0\0maker\x01\0\0\0\x07\0\0\0TITLE=a");
    }
    bytes.extend([0xff, 0xf8, 1, 2, 3]);
    bytes
}

fn files() -> Vec<Vec<u8>> {
    vec![png(), jpeg(), wav(10), wav(11), flac(true), flac(false)]
}

#[test]
fn a_saved_file_carries_its_recipe_and_is_otherwise_the_same() {
    for bytes in files() {
        // Longer than one segment of a JPEG, of an odd length, and short.
        for length in [90_000, 1, 0] {
            let lineage = lineage(&bytes, length);
            let saved = with_recipe(&bytes, &lineage).unwrap();
            let read = read(&mut Cursor::new(&saved)).unwrap();
            assert!(read.is_unchanged && read.lineage == lineage);
            let mut file = Cursor::new(&saved);
            let format = Format::of_file(&mut file).unwrap().unwrap();
            let found = format.found(&mut file).unwrap().unwrap();
            let mut original = Vec::new();
            apply(&mut file, &found.edits, &mut original).unwrap();
            assert!(original == bytes, "{format:?}");
        }
    }
    let picture = image::load_from_memory(&with_recipe(&png(), &lineage(b"", 5)).unwrap()).unwrap();
    assert_eq!(picture, image::load_from_memory(&png()).unwrap(), "decoders read the same pixels");
}

#[test]
fn the_newest_recipe_counts_and_an_older_one_stays() {
    for bytes in files() {
        let older = with_recipe(&bytes, &lineage(&bytes, 3)).unwrap();
        let newer = lineage(&older, 80_000);
        let saved = with_recipe(&older, &newer).unwrap();
        let read = read(&mut Cursor::new(saved)).unwrap();
        assert!(read.lineage == newer && read.is_unchanged);
    }
}

#[test]
fn a_file_that_was_changed_after_it_was_saved_is_recognised() {
    for bytes in files() {
        let mut saved = with_recipe(&bytes, &lineage(&bytes, 3)).unwrap();
        let is_wav = saved.starts_with(b"RIFF");
        // The last byte of a WAV file belongs to the recipe.
        let at = if is_wav { 45 } else { saved.len() - 1 };
        saved[at] ^= 1;
        assert!(!read(&mut Cursor::new(saved)).unwrap().is_unchanged);
    }
}

#[test]
fn files_that_are_cut_off_or_damaged_get_no_recipe_and_no_panic() {
    for bytes in files() {
        let saved = with_recipe(&bytes, &lineage(&bytes, 40)).unwrap();
        for end in 0..saved.len() {
            let _ = read(&mut Cursor::new(&saved[..end]));
            let mut file = Cursor::new(&saved[..end]);
            if let Some(format) = Format::of_file(&mut file).unwrap() {
                let _ = add(format, &mut file, &mut Vec::new(), &lineage(b"", 1)).unwrap();
            }
            let mut flipped = saved.clone();
            flipped[end] ^= 0xff;
            let _ = read(&mut Cursor::new(flipped));
        }
    }
}

#[test]
fn recipes_of_newer_versions_are_refused_by_name() {
    let newer = Lineage { fanlight: FORMAT + 1, ..lineage(b"", 1) };
    let saved = with_recipe(&png(), &newer).unwrap();
    assert!(read(&mut Cursor::new(saved)).unwrap_err().contains("newer Fanlight (format 2"));
    assert!(read(&mut Cursor::new(png())).unwrap_err().contains("has no recipe"));
    assert!(read(&mut Cursor::new(b"text")).unwrap_err().contains("only PNG"));
}
