mod process;

use std::collections::BTreeMap;
use std::io::Cursor;

use fanlight_shared::id::BlobHash;
use fanlight_shared::media::{Media, MediaKind};
use fanlight_shared::value::{Value, Values};

use super::frame::{self, Request, Response};
use super::serve::serve;
use crate::node_type::{NodeTypeSet, NodeTypes};
use crate::picture;

fn ask(requests: &[Request]) -> Vec<Response> {
    let mut sent = Vec::new();
    for request in requests {
        sent.extend(frame::encode(request).unwrap());
    }
    let mut received = Vec::new();
    serve(Cursor::new(sent), &mut received, &NodeTypes::built_in().now()).unwrap();
    let mut received = Cursor::new(received);
    std::iter::from_fn(|| frame::read(&mut received).unwrap()).collect()
}

fn run(node_type: &str, inputs: &[(&str, Value)], folder: &std::path::Path) -> Request {
    Request::Run {
        node_type: node_type.into(),
        inputs: inputs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect::<Values>(),
        outputs: Default::default(),
        files: BTreeMap::new(),
        folder: folder.to_owned(),
    }
}

fn media(kind: MediaKind, mime: &str) -> Media {
    Media {
        kind,
        hash: BlobHash::of(b"it"),
        mime: mime.into(),
        bytes: 1,
        name: "it".into(),
        width: None,
        height: None,
        executable: false,
        source: None,
    }
}

fn preview(of: Media, bytes: &[u8]) -> (tempfile::TempDir, Response) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("input");
    std::fs::write(&file, bytes).unwrap();
    let request = Request::Preview { media: of, file, folder: folder.path().to_owned() };
    let response = ask(&[request]).remove(0);
    (folder, response)
}

#[test]
fn requests_are_answered_in_order_and_an_error_does_not_end_the_worker() {
    let folder = tempfile::tempdir().unwrap();
    let good = [
        ("style", "gradient".into()),
        ("width", Value::Int(8)),
        ("height", Value::Int(4)),
        ("seed", Value::Int(1)),
        ("palette", "ink".into()),
    ];
    let answers = ask(&[
        run("image.generate", &[], folder.path()),
        run("text.join", &[], folder.path()),
        run("image.generate", &good, folder.path()),
    ]);
    assert!(matches!(&answers[0], Response::Failed(sentence) if sentence.contains("`style` is missing")));
    assert!(
        matches!(&answers[1], Response::Failed(sentence) if sentence.contains("not a node type that runs"))
    );
    let Response::Made { values, files } = &answers[2] else { panic!("{answers:?}") };
    let made = values["image"].as_media().unwrap();
    let new = &files[&made.hash];
    assert_eq!(new.name, "gradient.png");
    let shown = picture::decode(&folder.path().join(&new.file)).unwrap();
    assert_eq!((shown.width(), shown.height()), (8, 4));
}

#[test]
fn the_files_of_a_worker_are_private() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, _) = preview(media(MediaKind::File, "text/plain"), b"private");
    let mode = |name: &str| std::fs::metadata(folder.path().join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("head.txt"), 0o600);
    picture::encode(&image::DynamicImage::new_rgb8(1, 1), &folder.path().join("a.png")).unwrap();
    assert_eq!(mode("a.png"), 0o600);
}

#[test]
fn a_truncated_or_overlong_frame_is_an_error() {
    let none = NodeTypeSet::default();
    assert!(serve(Cursor::new(vec![0, 0, 0, 9, b'{']), Vec::new(), &none).is_err());
    assert!(serve(Cursor::new(vec![255; 8]), Vec::new(), &none).is_err());
    assert!(serve(Cursor::new(Vec::new()), Vec::new(), &none).is_ok());
}

#[test]
fn the_preview_of_a_picture_keeps_its_alpha() {
    let mut bytes = Cursor::new(Vec::new());
    let clear = image::RgbaImage::from_pixel(600, 300, image::Rgba([200, 10, 10, 100]));
    clear.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    let (folder, response) = preview(media(MediaKind::Image, "image/png"), &bytes.into_inner());
    let Response::Preview(Some((mime, file))) = response else { panic!("{response:?}") };
    assert_eq!(mime, "image/png");
    let small = picture::decode(&folder.path().join(file)).unwrap().into_rgba8();
    assert_eq!(small.dimensions(), (256, 128));
    assert_eq!(small.get_pixel(100, 60).0[3], 100);
}

#[test]
fn the_preview_of_a_text_is_its_beginning() {
    let (folder, response) = preview(media(MediaKind::File, "text/plain"), "aü".repeat(4000).as_bytes());
    let Response::Preview(Some((_, file))) = response else { panic!("{response:?}") };
    let head = std::fs::read_to_string(folder.path().join(file)).unwrap();
    assert!(head.len() <= 4096 && !head.contains('\u{fffd}'));
    let (_, response) = preview(media(MediaKind::File, "application/json"), b"{\"layers\": 2}");
    assert!(matches!(response, Response::Preview(Some((mime, _))) if mime == "text/plain"));
    let (_, response) = preview(media(MediaKind::File, "application/zip"), b"PK");
    assert!(matches!(response, Response::Preview(None)));
}

#[test]
fn the_preview_of_a_sound_shows_its_peaks() {
    let samples: Vec<i16> = (0..44_100).map(|n| if n % 100 < 50 { 16_384 } else { -8_192 }).collect();
    let data: Vec<u8> = samples.iter().flat_map(|it| it.to_le_bytes()).collect();
    let mut wav = b"RIFF".to_vec();
    wav.extend((36 + data.len() as u32).to_le_bytes());
    wav.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    wav.extend(44_100u32.to_le_bytes());
    wav.extend(88_200u32.to_le_bytes());
    wav.extend(b"\x02\0\x10\0data");
    wav.extend((data.len() as u32).to_le_bytes());
    wav.extend(data);
    let (folder, response) = preview(media(MediaKind::Audio, "audio/x-wav"), &wav);
    let Response::Preview(Some((mime, file))) = response else { panic!("{response:?}") };
    assert_eq!(mime, "application/x-fanlight-peaks+json");
    let json: serde_json::Value =
        serde_json::from_slice(&std::fs::read(folder.path().join(file)).unwrap()).unwrap();
    let peaks = json["peaks"].as_array().unwrap();
    assert!((200..=512).contains(&peaks.len()));
    assert_eq!(peaks[10], serde_json::json!([-0.25, 0.5]));
    let (_, response) = preview(media(MediaKind::Audio, "audio/x-wav"), &wav[..30]);
    assert!(matches!(response, Response::Failed(_)));
}

#[test]
fn a_picture_bomb_is_refused_by_its_header() {
    let mut bytes = Cursor::new(Vec::new());
    image::GrayImage::new(20_000, 1).write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    let (_, response) = preview(media(MediaKind::Image, "image/png"), &bytes.into_inner());
    assert!(
        matches!(&response, Response::Failed(sentence) if sentence.contains("too large")),
        "{response:?}"
    );
}
